import {countParameters} from '../core/tensors.ts'
import {type Fit, type FittingModel, fitOf} from '../planner/models/index.ts'
import {type Look, tablesOf} from './look.ts'
import {parameters, rate, tokens} from './numbers.ts'
import {byVerdict, harmless, paint} from './style.ts'
import {table} from './tables.ts'

/** `models --fits` for people: best first. */
export function fittingModelsTable(fitting: readonly FittingModel[], look: Look): string {
  const style = paint(look.colour)
  const rows = fitting.map((entry) => ({model: entry.model, counts: countParameters(entry.model.architecture), fit: fitOf(entry)}))
  return table(
    rows,
    [
      {title: 'Model', value: ({model}) => harmless(model.id)},
      {title: 'Parameters', value: ({counts}) => parameters(counts.total), right: true, expendable: 5},
      {title: 'Active', value: ({counts}) => (counts.active < counts.total * 0.7 ? parameters(counts.active) : ''), right: true, expendable: 3},
      {title: 'As', value: ({fit}) => fit.weights},
      {title: 'Context', value: ({fit}) => tokens(fit.maxModelLen), right: true},
      {title: 'tok/s per user', value: ({fit}) => (fit.outputTokensPerSecondPerUser === undefined ? '' : rate(fit.outputTokensPerSecondPerUser)), right: true},
      {title: 'Layout', value: ({fit}) => layoutInShort(fit), expendable: 2},
      {title: 'Verdict', value: ({fit}) => fit.verdict, style: ({fit}) => byVerdict(style, fit.verdict)},
      {title: 'Build by', value: ({fit}) => (fit.publisher === 'community' ? 'community' : ''), expendable: 1},
      {title: 'Licence', value: ({model}) => model.licence ?? '', expendable: 4},
    ],
    tablesOf(look),
  )
}

function layoutInShort({tp, pp, dp}: Fit): string {
  return [tp > 1 && `tp ${tp}`, pp > 1 && `pp ${pp}`, dp > 1 && `dp ${dp}`].filter(Boolean).join(' ')
}
