import type {Distribution} from '../../core/simulator/distribution.ts'
import type {Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Objectives} from '../scenario/index.ts'
import {endToEndMs, excess} from './objectives.ts'
import {pause} from './pause.ts'
import type {PlanPoint} from './point.ts'
import {simulateEvaluation} from '../answer/index.ts'

/** Deployments that are confirmed before the search for more ends, and points that are simulated at most. */
const ENOUGH_DEPLOYMENTS = 4
const MOST_SIMULATIONS = 24

/** The reported percentile that is at least as strict as the asked one. */
const tailOf = (distribution: Distribution | undefined, percentile: number): number =>
  distribution === undefined
    ? Number.POSITIVE_INFINITY
    : percentile <= 50
      ? distribution.p50
      : percentile <= 90
        ? distribution.p90
        : percentile <= 95
          ? distribution.p95
          : percentile <= 99
            ? distribution.p99
            : distribution.max

/**
 * A point with its tail: the share of simulated requests that keep all limits, each stretched by the width of its interval. A request keeps
 * them when even a deployment as slow as the cautious end would. `load`: what arrives, where it is not as benchmarks draw it.
 */
export function withTail(point: PlanPoint, objectives: Objectives, calibration: Calibration, load?: Load): PlanPoint {
  const {ttftMs, tpotMs} = point.performance
  const percentile = objectives.percentile ?? 50
  const ends = endToEndMs(point)
  const stretch = {ttft: ttftMs.high / ttftMs.estimate, tpot: tpotMs.high / tpotMs.estimate, endToEnd: ends.high / ends.estimate}
  const scaled = (limit: number | undefined, by: number) => (limit === undefined ? undefined : limit / by)
  const workload = point.evaluation.workload!
  const {concurrency} = workload
  const simulated = simulateEvaluation(point.evaluation, workload, calibration, {
    latencyLimits: {
      ttftMs: scaled(objectives.ttftMs, stretch.ttft),
      tpotMs: scaled(objectives.tpotMs, stretch.tpot),
      endToEndMs: scaled(objectives.endToEndMs, stretch.endToEnd),
    },
    // The first requests arrive together, which no steady load does.
    ...(typeof concurrency === 'number' && {skipFirst: concurrency}),
    ...(load && {load}),
  })
  const tail = {
    ttftMs: tailOf(simulated.ttftMs, percentile) * stretch.ttft,
    tpotMs: tailOf(simulated.tpotMs, percentile) * stretch.tpot,
    endToEndMs: tailOf(simulated.endToEndMs, percentile) * stretch.endToEnd,
    shareWithinLimits: simulated.shareWithinLimits ?? 0,
  }
  return {...point, tail, meets: tail.shareWithinLimits >= percentile / 100}
}

/**
 * Points that keep the limits at the percentile, by the simulator, in the order given; then those that were tried and do not, by how near they
 * come. Means that break a limit have tails that do; where a deployment fails at one load it is not tried at a higher one.
 */
export async function confirmed(points: readonly PlanPoint[], objectives: Objectives, calibration: Calibration): Promise<PlanPoint[]> {
  const good: PlanPoint[] = []
  const failed: PlanPoint[] = []
  const failedAt = new Map<unknown, number>()
  const deployments = new Set<unknown>()
  let simulations = 0
  for (const point of points) {
    if (!point.meets || deployments.size >= ENOUGH_DEPLOYMENTS || simulations >= MOST_SIMULATIONS) break
    const {memory, workload} = point.evaluation
    const load = typeof workload?.concurrency === 'number' ? workload.concurrency : 1
    if (deployments.has(memory) || load >= (failedAt.get(memory) ?? Number.POSITIVE_INFINITY)) continue
    simulations += 1
    await pause()
    const tried = withTail(point, objectives, calibration)
    if (tried.meets) {
      good.push(tried)
      deployments.add(memory)
    } else {
      failed.push(tried)
      failedAt.set(memory, load)
    }
  }
  const beyond = points.filter(({meets}) => !meets)
  const nearest = [...failed, ...(good.length === 0 ? beyond.slice(0, 1).map((point) => withTail(point, objectives, calibration)) : [])]
  return [...good, ...nearest.sort((a, b) => excess(a, objectives) - excess(b, objectives))]
}
