import {countParameters} from '../core/tensors.ts'
import {type Fit, type FittingModel, fitOf} from '../planner/models/index.ts'
import {type Look, tablesOf} from './look.ts'
import {parameters, rate, tokens} from './numbers.ts'
import {byVerdict, harmless, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

/** `models --fits` for people: best first. */
export function fittingModelsTable(fitting: readonly FittingModel[], look: Look): string {
  const style = paint(look.colour)
  const isPooling = fitting.every(({model}) => model.pooling)
  const rows = fitting.map((entry) => ({model: entry.model, counts: countParameters(entry.model.architecture), fit: fitOf(entry)}))
  const columns: Column<(typeof rows)[number]>[] = [
    {title: 'Model', value: ({model}) => harmless(model.id)},
    {title: 'Parameters', value: ({counts}) => parameters(counts.total), right: true, expendable: 5},
    {title: 'Active', value: ({counts}) => (counts.active < counts.total * 0.7 ? parameters(counts.active) : ''), right: true, expendable: 3},
    {title: 'As', value: ({fit}) => fit.weights},
    {title: isPooling ? 'Text' : 'Context', value: ({fit}) => tokens(fit.maxModelLen), right: true},
    isPooling
      ? {title: 'texts/s', value: ({fit}) => (fit.textsPerSecond === undefined ? '' : rate(fit.textsPerSecond)), right: true}
      : {
          title: 'tok/s per user',
          value: ({fit}) => (fit.outputTokensPerSecondPerUser === undefined ? '' : rate(fit.outputTokensPerSecondPerUser)),
          right: true,
        },
    {title: 'Layout', value: ({fit}) => layoutInShort(fit), expendable: 2},
    {title: 'Verdict', value: ({fit}) => fit.verdict, style: ({fit}) => byVerdict(style, fit.verdict)},
    {title: 'Build by', value: ({fit}) => (fit.publisher === 'community' ? 'community' : ''), expendable: 1},
    {title: 'Licence', value: ({model}) => model.licence ?? '', expendable: 4},
  ]
  // A column without a value in any row (no layout on one GPU) only takes room from the others.
  const text = table(
    rows,
    columns.filter(({value}) => rows.some((row) => value(row) !== '')),
    tablesOf(look),
  )
  return isPooling
    ? `${text}\n${wrap('texts/s: in full batches, of texts of --input tokens (1,024 if not given) or the longest that the model reads.', look.columns)}\n`
    : text
}

function layoutInShort({tp, pp, dp}: Fit): string {
  return [tp > 1 && `tp ${tp}`, pp > 1 && `pp ${pp}`, dp > 1 && `dp ${dp}`].filter(Boolean).join(' ')
}
