import {byFidelity, type Evaluation} from '../answer/index.ts'
import type {Objective, Objectives} from '../scenario/index.ts'
import type {PlanPoint} from './point.ts'

/** A latency limit beside what a point reaches at the cautious end of its interval. */
export interface Reached {
  name: 'ttftMs' | 'tpotMs' | 'endToEndMs'
  limit: number
  cautious: number
}

/** Mean time from arrival to the last token: estimate, and the cautious end of both parts. */
export function endToEndMs({performance: {ttftMs, tpotMs}, evaluation: {workload}}: Pick<PlanPoint, 'performance' | 'evaluation'>): {
  estimate: number
  high: number
} {
  const further = Math.max(0, (workload?.outputTokens ?? 1) - 1)
  return {estimate: ttftMs.estimate + further * tpotMs.estimate, high: ttftMs.high + further * tpotMs.high}
}

/** Every limit with what is reached. */
export function reached(point: PlanPoint, {ttftMs, tpotMs, endToEndMs: endToEnd}: Objectives): Reached[] {
  const {performance, tail} = point
  const list: Reached[] = []
  if (ttftMs !== undefined) list.push({name: 'ttftMs', limit: ttftMs, cautious: tail?.ttftMs ?? performance.ttftMs.high})
  if (tpotMs !== undefined) list.push({name: 'tpotMs', limit: tpotMs, cautious: tail?.tpotMs ?? performance.tpotMs.high})
  if (endToEnd !== undefined) list.push({name: 'endToEndMs', limit: endToEnd, cautious: tail?.endToEndMs ?? endToEndMs(point).high})
  return list
}

/** How far a point is beyond the limits: 1 is at the limit, 0 where there is none. The cautious end counts. */
export const excess = (point: PlanPoint, objectives: Objectives): number =>
  Math.max(0, ...reached(point, objectives).map(({limit, cautious}) => cautious / limit))

export const hasLimits = ({ttftMs, tpotMs, endToEndMs}: Objectives): boolean => ttftMs !== undefined || tpotMs !== undefined || endToEndMs !== undefined

/** Above every throughput. */
const KEEPS_UP = 1e12

/** Higher is better. Ranked by the cautious end: the best-looking corner is where a model errs. */
export function score(point: PlanPoint, objective: Objective): number {
  const {
    performance: {ttftMs, tpotMs, outputTokensPerSecond, boundBy},
    evaluation,
  } = point
  switch (objective) {
    case 'throughput':
      // What keeps up with a given rate yields no more than arrives: the quicker answer is the better one.
      if (evaluation.workload?.requestRate !== undefined && boundBy !== 'kv-capacity') return KEEPS_UP - endToEndMs(point).high
      return outputTokensPerSecond.low
    case 'latency':
      return -ttftMs.high
    case 'per-user':
      return -tpotMs.high
    case 'memory':
      return (
        -(evaluation.memory.totalBytes - evaluation.memory.kvCacheBytes) * evaluation.engine.gpuCount(evaluation.deployment) + outputTokensPerSecond.low * 1e-3
      )
    case 'quality':
      return fidelity(evaluation) * 1e9 + outputTokensPerSecond.low
  }
}

/** Places from the end of the model's checkpoints by fidelity; a 16-bit cache before a shorter one. */
function fidelity({model, checkpoint, deployment}: Evaluation): number {
  const order = byFidelity(model, model.checkpoints)
  const place = order.findIndex((known) => known.hfId === checkpoint.hfId)
  return order.length - Math.max(0, place) + (deployment.kvCache === 'bf16' || deployment.kvCache === 'fp16' ? 0.5 : 0)
}

/** Best first: what keeps the limits by the objective, then the rest by how near it comes. */
export function ranked(points: readonly PlanPoint[], objectives: Objectives, objective: Objective): PlanPoint[] {
  const keyed = points.map((point) => ({point, key: point.meets ? score(point, objective) : -excess(point, objectives)}))
  return keyed.sort((a, b) => Number(b.point.meets) - Number(a.point.meets) || b.key - a.key).map(({point}) => point)
}
