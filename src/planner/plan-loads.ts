import type {PlanPoint} from './search.ts'

/** A deployment at the loads of a list, by index; the same point each time. */
export type Probe = (index: number) => PlanPoint

/** A load is left out only where what beats it does so by more than this: the speed model is monotonic but for rounding. */
const CLEARLY = 1.01

/**
 * The points that can be the best of their deployment or on the front of speed for a user against throughput for a GPU. Between two loads every
 * user is at most as quick as at the lower, and every GPU yields at most what it does at the higher: what a known point beats in both needs no
 * look. Where the lower load keeps the limits and the higher does not, the bound between them is looked for.
 */
export function pointsThatMatter(probes: readonly Probe[], loadCount: number): PlanPoint[] {
  const last = loadCount - 1
  const points: PlanPoint[] = []
  const look = (probe: Probe, index: number): PlanPoint => {
    const point = probe(index)
    points.push(point)
    return point
  }
  let open: {probe: Probe; low: number; high: number}[] = []
  for (const probe of probes) {
    look(probe, 0)
    if (last > 0) look(probe, last)
    open.push({probe, low: 0, high: last})
  }
  while (open.length > 0) {
    const known = points.filter(({meets}) => meets)
    const next: typeof open = []
    for (const {probe, low, high} of open) {
      if (high - low < 2) continue
      const [below, above] = [probe(low), probe(high)]
      const bounds = below.meets && !above.meets
      if (!bounds && (!below.meets || isBeaten(below, above, known))) continue
      const middle = (low + high) >> 1
      look(probe, middle)
      next.push({probe, low, high: middle}, {probe, low: middle, high})
    }
    open = next
  }
  return points
}

/** Whether a known point is quicker for a user than the lower load and yields more for a GPU than the higher. */
function isBeaten(below: PlanPoint, above: PlanPoint, known: readonly PlanPoint[]): boolean {
  const tpot = below.performance.tpotMs.estimate
  const yielded = above.performance.outputTokensPerSecondPerGpu
  return known.some(({performance}) => performance.tpotMs.estimate * CLEARLY < tpot && performance.outputTokensPerSecondPerGpu > yielded * CLEARLY)
}
