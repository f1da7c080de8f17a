import type {PlanPoint} from './point.ts'

/** Deployments whose load is looked for more closely, best first. */
const LOOKED_AT = 6
/** Loads are found within this. */
const CLOSE = 1.02

/** Two digits, rounded down: 147 users are said as 140. */
export function plainLoad(load: number): number {
  if (load < 20) return Math.floor(load)
  const unit = 10 ** (Math.floor(Math.log10(load)) - 1)
  return Math.floor(load / unit) * unit
}

/**
 * Loads between those that were looked at. Where a deployment keeps the limits at one and not at the next, the most that keeps them is looked for,
 * and said in two digits. `at`: the point of a deployment at a load.
 */
export function foundLoads(ranking: readonly PlanPoint[], points: readonly PlanPoint[], at: (point: PlanPoint, concurrency: number) => PlanPoint): PlanPoint[] {
  const found: PlanPoint[] = []
  const seen = new Set<unknown>()
  for (const best of ranking) {
    const key = deploymentKey(best)
    if (seen.has(key)) continue
    if (seen.size === LOOKED_AT || !best.meets) break
    seen.add(key)
    const keeps = (point: PlanPoint) => (best.sure ? point.sure : point.meets)
    const own = points.filter((point) => deploymentKey(point) === key && typeof point.concurrency === 'number').sort((a, b) => loadOf(a) - loadOf(b))
    const last = own.filter(keeps).at(-1)
    const beyond = last && own.find((point) => loadOf(point) > loadOf(last) && !keeps(point))
    if (!last || !beyond) continue
    let [low, high] = [loadOf(last), loadOf(beyond)]
    while (high - low > 1 && high / low > CLOSE) {
      const middle = Math.round((low + high) / 2)
      if (keeps(at(best, middle))) low = middle
      else high = middle
    }
    const load = plainLoad(low)
    if (load <= loadOf(last)) continue
    const point = at(best, load)
    if (keeps(point)) found.push(point)
  }
  return found
}

const loadOf = ({concurrency}: PlanPoint): number => (typeof concurrency === 'number' ? concurrency : Number.POSITIVE_INFINITY)

/** One deployment, whatever the load it was settled for. */
export function deploymentKey({evaluation: {engine, checkpoint, machine, deployment}}: PlanPoint): string {
  const {kvCache, tp, pp, dp, ep, dpAttention} = deployment
  return `${engine.id} ${checkpoint.hfId} ${kvCache} ${tp} ${pp} ${dp} ${ep} ${dpAttention} ${machine.gpus.map(({index}) => index).join()}`
}
