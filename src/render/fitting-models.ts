import {countParameters} from '../core/tensors.ts'
import {type Fit, type FittingModel, fitOf} from '../planner/models/index.ts'
import {parameters, rate, tokens} from './numbers.ts'
import {harmless} from './style.ts'
import {table} from './tables.ts'

/** `models --fits` for people: best first. */
export function fittingModelsTable(fitting: readonly FittingModel[], width: number): string {
  const rows = fitting.map((entry) => ({model: entry.model, counts: countParameters(entry.model.architecture), fit: fitOf(entry)}))
  return table(
    rows,
    [
      {title: 'Model', value: ({model}) => harmless(model.id)},
      {title: 'Parameters', value: ({counts}) => parameters(counts.total), right: true},
      {title: 'Active', value: ({counts}) => (counts.active < counts.total * 0.7 ? parameters(counts.active) : ''), right: true, expendable: 3},
      {title: 'As', value: ({fit}) => fit.weights},
      {title: 'Context', value: ({fit}) => tokens(fit.contextTokens), right: true},
      {title: 'tok/s', value: ({fit}) => (fit.outputTokensPerSecondPerUser === undefined ? '' : rate(fit.outputTokensPerSecondPerUser)), right: true},
      {title: 'Layout', value: ({fit}) => layoutInShort(fit), expendable: 2},
      {
        title: '',
        value: ({fit}) => [fit.verdict === 'tight' && 'tight', fit.publisher === 'community' && 'community upload'].filter(Boolean).join(', '),
        expendable: 1,
      },
      {title: 'Licence', value: ({model}) => model.licence ?? '', expendable: 4},
    ],
    width,
  )
}

function layoutInShort({tp, pp, dp}: Fit): string {
  return [tp > 1 && `tp ${tp}`, pp > 1 && `pp ${pp}`, dp > 1 && `dp ${dp}`].filter(Boolean).join(' ')
}
