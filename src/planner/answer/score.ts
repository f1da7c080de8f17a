import type {Workload} from '../../core/deployment.ts'
import type {Performance} from '../../core/throughput/input.ts'
import {endToEndMs} from './limits.ts'

/** Above every throughput. */
const KEEPS_UP = 1e12

/**
 * How well a load is served, higher is better: by throughput at the slow end of its interval, since the best-looking corner is where a model errs.
 * What keeps up with a given rate yields no more than arrives: there the quicker answer is the better one.
 */
export function servedScore(performance: Performance, workload: Workload | undefined): number {
  const {outputTokensPerSecond, boundBy} = performance
  const open = workload?.requestRate !== undefined && workload.concurrency === undefined
  return open && boundBy !== 'kv-capacity' ? KEEPS_UP - endToEndMs(performance, workload).high : outputTokensPerSecond.low
}
