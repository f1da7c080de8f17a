import {diskBytes, endToEndMs as endToEndOf, excessOf, reachableContext, type Reached, reachedLimits, servedScore, type Standing} from '../answer/index.ts'
import {bitsOf, QUALITY_CLASSES, qualityClass} from '../quality/index.ts'
import type {Objective, Objectives, Preference} from '../scenario/index.ts'
import type {PlanPoint} from './point.ts'

/** Mean time from arrival to the last token: estimate, and the slow end of both parts. */
export const endToEndMs = ({performance, evaluation: {workload}}: Pick<PlanPoint, 'performance' | 'evaluation'>): {estimate: number; high: number} =>
  endToEndOf(performance, workload)

/** Every limit with what is reached. */
export const reached = ({performance, tail, evaluation: {workload}}: PlanPoint, objectives: Objectives): Reached[] =>
  reachedLimits(performance, workload, objectives, tail)

/** How far a point is beyond the limits, as expected: 1 is at the limit, 0 where there is none. */
export const excess = ({performance, tail, evaluation: {workload}}: PlanPoint, objectives: Objectives): number =>
  excessOf(performance, workload, objectives, tail).estimate

/** Higher is better. Ranked by the slow end: the best-looking corner is where a model errs. */
export function score(point: PlanPoint, objective: Objective): number {
  const {
    performance: {tpotMs, outputTokensPerSecond},
    evaluation,
  } = point
  switch (objective) {
    case 'throughput':
      return servedScore(point.performance, evaluation.workload)
    case 'latency':
      return -endToEndMs(point).high
    case 'per-user':
      return -tpotMs.high
    case 'memory':
      return (
        -(evaluation.memory.totalBytes - evaluation.memory.kvCacheBytes) * evaluation.engine.gpuCount(evaluation.deployment) + outputTokensPerSecond.low * 1e-3
      )
  }
}

/** How a point's checkpoint stands to what is preferred, lower is better: by what its build loses, unless something else is preferred. */
export function preferenceTier(
  {evaluation}: {evaluation: Pick<Standing, 'model' | 'checkpoint' | 'deployment' | 'memory'>},
  prefer: Preference | undefined,
): number {
  const {model, checkpoint} = evaluation
  const loss = QUALITY_CLASSES.indexOf(qualityClass(model, checkpoint))
  switch (prefer) {
    case 'speed':
      return 0
    case 'memory':
      return diskBytes(model, checkpoint)
    case 'context':
      return -reachableContext(evaluation)
    case 'quality':
      // No format has a hundred bits: the class decides first.
      return loss * 100 - bitsOf(checkpoint)
    default:
      return loss
  }
}

/** More arrives than is served: the queue grows without end, and its times say how long it was watched. */
export const isOverloaded = ({evaluation: {reasons}}: Pick<PlanPoint, 'evaluation'>): boolean => reasons.some(({code}) => code === 'overloaded')

/** What surely keeps the limits, what keeps them as expected, what does not, what is not even served. */
const standing = (point: PlanPoint): number => (point.sure ? 0 : point.meets ? 1 : isOverloaded(point) ? 3 : 2)

/**
 * Best first: what keeps the limits even at the slow end, then what keeps them as expected, the preferred checkpoints before others, by the
 * objective; then the rest by how near it comes. Of what is overloaded that is nearest which serves most, whatever the objective: the times of a
 * queue that grows without end compare nothing.
 */
export function ranked(points: readonly PlanPoint[], objectives: Objectives, objective: Objective, prefer?: Preference): PlanPoint[] {
  const keyed = points.map((point) => {
    if (isOverloaded(point)) return {point, tier: 0, beyond: 0, score: point.performance.outputTokensPerSecond.low}
    const tier = point.meets ? preferenceTier(point, prefer) : 0
    return {point, tier, beyond: point.meets ? 0 : excess(point, objectives), score: score(point, objective)}
  })
  return keyed.sort((a, b) => standing(a.point) - standing(b.point) || a.tier - b.tier || a.beyond - b.beyond || b.score - a.score).map(({point}) => point)
}
