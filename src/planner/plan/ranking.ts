import type {Objective} from '../scenario/index.ts'
import {deploymentKey} from './found-loads.ts'
import {score} from './objectives.ts'
import {PUBLISHERS} from '../answer/index.ts'
import type {PlanPoint} from './point.ts'

/** The best load of one deployment, with what is as good in its place. */
export interface RankedPlan extends PlanPoint {
  alsoKvCache?: string[]
  /** Repositories with weights in the same format. */
  alsoCheckpoints?: string[]
}

/** Speeds closer than this differ in nothing that a person would choose by. */
const NEARLY_EQUAL = 0.02

/**
 * One row for each deployment, at its best load. Rows that are as good and differ only in how the cache is stored, or in who published weights of the
 * same format, become one: with the cache that loses least where the context is the same, and the maker's checkpoint before known publishers' and
 * community uploads.
 */
export function rankedPlans(points: readonly PlanPoint[], objective: Objective): RankedPlan[] {
  const rows: RankedPlan[] = []
  for (const point of bestLoads(points, objective)) {
    const at = rows.findIndex((row) => isSame(row, point, objective))
    if (at < 0) {
      rows.push(point)
      continue
    }
    const row = rows[at]!
    if (row.evaluation.checkpoint !== point.evaluation.checkpoint) {
      const [kept, other] = PUBLISHERS[publisherOf(point)] < PUBLISHERS[publisherOf(row)] ? [{...row, ...point}, row] : [row, point]
      const others = new Set([...(row.alsoCheckpoints ?? []), other.evaluation.checkpoint.hfId])
      others.delete(kept.evaluation.checkpoint.hfId)
      rows[at] = {...kept, alsoCheckpoints: [...others]}
      continue
    }
    const caches = [...(row.alsoKvCache ?? [])]
    const better = cacheBits(point) > cacheBits(row) && point.evaluation.deployment.maxModelLen >= row.evaluation.deployment.maxModelLen
    const [kept, other] = better ? [point, row] : [row, point]
    rows[at] = {...kept, ...(row.alsoCheckpoints && {alsoCheckpoints: row.alsoCheckpoints}), alsoKvCache: [...caches, other.evaluation.deployment.kvCache]}
  }
  return rows
}

const publisherOf = ({evaluation: {checkpoint}}: PlanPoint) => checkpoint.publisher ?? 'maker'

/** What more requests in flight must bring to be worth their longer waits. */
const WORTH_MORE_LOAD = 0.01

/** Each deployment at its best load, in the order of its first point; the lowest load of those that are as good. */
function bestLoads(points: readonly PlanPoint[], objective: Objective): PlanPoint[] {
  const byDeployment = new Map<string, PlanPoint>()
  for (const point of points) {
    const key = deploymentKey(point)
    const best = byDeployment.get(key)
    if (!best) byDeployment.set(key, point)
    else if (best.sure === point.sure && best.meets === point.meets && load(point) < load(best) && isWorth(point, best, objective)) byDeployment.set(key, point)
  }
  return [...byDeployment.values()]
}

const load = ({concurrency}: PlanPoint): number => (typeof concurrency === 'number' ? concurrency : Number.POSITIVE_INFINITY)

/** Throughput is what more load is for; of the other objectives only the exact best counts. */
const isWorth = (point: PlanPoint, best: PlanPoint, objective: Objective): boolean =>
  point.meets && objective === 'throughput' && point.performance.outputTokensPerSecond.low >= best.performance.outputTokensPerSecond.low * (1 - WORTH_MORE_LOAD)

const cacheBits = ({evaluation: {deployment}}: PlanPoint): number => (deployment.kvCache === 'bf16' || deployment.kvCache === 'fp16' ? 16 : 8)

function isSame(a: PlanPoint, b: PlanPoint, objective: Objective): boolean {
  const [x, y] = [a.evaluation, b.evaluation]
  if (a.meets !== b.meets || a.sure !== b.sure || x.engine !== y.engine || x.checkpoint.weights !== y.checkpoint.weights) return false
  const [left, right] = [x.deployment, y.deployment]
  if (x.machine !== y.machine) return false
  if (left.tp !== right.tp || left.pp !== right.pp || left.dp !== right.dp || left.ep !== right.ep || left.dpAttention !== right.dpAttention) return false
  const [high, low] = [Math.abs(score(a, objective)), Math.abs(score(b, objective))]
  return Math.abs(high - low) <= NEARLY_EQUAL * Math.max(high, low)
}
