import type {Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {hasLimits, judge, keepsLimits, tailOf} from '../answer/index.ts'
import type {Objectives} from '../scenario/index.ts'
import {deploymentKey} from './found-loads.ts'
import {excess, isOverloaded} from './objectives.ts'
import {pause} from './pause.ts'
import type {PlanPoint} from './point.ts'

/** Deployments that are confirmed before the search for more ends, and points that are simulated at most. */
const ENOUGH_DEPLOYMENTS = 4
const MOST_SIMULATIONS = 24

/** A point with its tail, and whether the limits are kept at the percentile. `load`: what arrives, where it is not as benchmarks draw it. */
export function withTail(point: PlanPoint, objectives: Objectives, calibration: Calibration, load?: Load): PlanPoint {
  const tail = tailOf(point.evaluation, objectives, calibration, load)
  const kept = keepsLimits(point.performance, point.evaluation.workload, objectives, tail)
  return {...point, tail, meets: kept.estimate, sure: kept.slow}
}

/** The same with the verdict at the percentile, as `check` gives it. */
function confirm(point: PlanPoint, objectives: Objectives, calibration: Calibration): PlanPoint {
  const tried = withTail(point, objectives, calibration)
  const {performance, tail} = tried
  return {...tried, evaluation: judge(point.standing, {workload: point.evaluation.workload, slo: objectives, calibration}, {performance, tail})}
}

/**
 * Points that keep the limits at the percentile, by the simulator, in the order given; then those that were tried and do not, by how near they
 * come, at least a few deployments. Means that break a limit have tails that do; where a deployment fails at one load it is not tried at a higher one.
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
    const tried = confirm(point, objectives, calibration)
    if (tried.meets) {
      good.push(tried)
      deployments.add(memory)
    } else {
      failed.push(tried)
      failedAt.set(memory, load)
    }
  }
  good.sort((a, b) => Number(b.sure) - Number(a.sure))
  const nearest = [...failed]
  if (good.length === 0) {
    const shown = new Set(failed.map(formatKey))
    for (const point of points) {
      if (shown.size >= ENOUGH_DEPLOYMENTS) break
      if (point.meets || shown.has(formatKey(point))) continue
      shown.add(formatKey(point))
      await pause()
      nearest.push(confirm(point, objectives, calibration))
    }
  }
  return [
    ...good,
    ...nearest.sort((a, b) => Number(isOverloaded(a)) - Number(isOverloaded(b)) || (isOverloaded(a) ? 0 : excess(a, objectives) - excess(b, objectives))),
  ]
}

/** Who published weights of a format makes no other deployment: builds of several publishers become one row. */
const formatKey = (point: PlanPoint): string => {
  const {weights, hfId} = point.evaluation.checkpoint
  return deploymentKey(point).replace(hfId, weights)
}

/** Whether a point keeps the limits: by its means, and where a percentile was asked for by the simulator too. */
export const keepsAtPercentile = (point: PlanPoint, objectives: Objectives, calibration: Calibration): boolean =>
  point.meets && (objectives.percentile === undefined || !hasLimits(objectives) || withTail(point, objectives, calibration).meets)
