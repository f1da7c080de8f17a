/** Until which load drafting pays. */
import type {Calibration} from './calibration.ts'
import {type PerformanceInput, replicaCount} from './input.ts'
import {busyReplicas, preparedModel, servingOf} from './prepared.ts'

/** The same deployment without drafts. Its memory is taken to be the same: without a draft it would hold a little more. */
export const withoutDrafts = (input: PerformanceInput): PerformanceInput => ({...input, drafting: undefined})

/**
 * The largest number of requests in flight, of the whole deployment, at which drafting yields more tokens a second than none; 0 where it
 * never does. Looks at powers of two up to what the engine runs and the cache holds at once, then between the last that pays and the first that does not:
 * with more in flight a step is bound by compute and the checked tokens are no longer free, so that it does not come to pay again.
 */
export function paysUntil(input: PerformanceInput, calibration: Calibration): number {
  const plain = withoutDrafts(input)
  const models = {drafted: preparedModel(input, calibration), plain: preparedModel(plain, calibration)}
  const {inputTokens, outputTokens} = input.workload
  // More than the cache holds only wait.
  const held = input.kvCacheTokens === undefined ? input.maxNumSeqs : input.kvCacheTokens / (inputTokens + outputTokens)
  const limit = Math.max(1, Math.floor(Math.min(input.maxNumSeqs, held))) * replicaCount(input)
  const rate = (question: PerformanceInput, model: typeof models.plain, concurrency: number) => {
    const loaded = {...question, workload: {...question.workload, concurrency, requestRate: undefined}}
    return servingOf(loaded, calibration, model).requestsPerSecond * busyReplicas(loaded)
  }
  const pays = (concurrency: number) => rate(input, models.drafted, concurrency) > rate(plain, models.plain, concurrency)
  if (!pays(1)) return 0
  let yes = 1
  let no = 0
  while (no === 0 && yes < limit) {
    const next = Math.min(limit, yes * 2)
    if (pays(next)) yes = next
    else no = next
  }
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2)
    if (pays(middle)) yes = middle
    else no = middle
  }
  return yes
}
