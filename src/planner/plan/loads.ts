import type {Workload} from '../../core/deployment.ts'
import type {PlanPoint} from './point.ts'

/** A deployment at the loads of a list, by index; the same point each time. */
export type Probe = (index: number) => PlanPoint

/** Every so many loads are looked at first. */
const STRIDE = 3
/** What is beaten by more than this at the loads around one is beaten there too. */
const CLEARLY = 1.1

/** Limits are kept by the estimate, or by the slow end of its interval too: what ranks first. */
const KEPT = ['sure', 'meets'] as const

/** Deployments closer than this at both ends of the loads are taken to be as close between them. */
const TWINS = 0.02

/**
 * The points that can be the best of their deployment or on the front of speed for a user against throughput for a GPU, without a look at all of
 * them. Each deployment is looked at at both ends and at every third load; throughput and time per token grow with the load, so without limits its
 * best is among these. Where limits are kept at one load and broken at the next, the bound between them is looked for. The loads between are
 * looked at for deployments that are, somewhere, not clearly beaten: how two deployments compare changes slowly with the load. What differs from
 * another in nothing but the cache or the publisher of its weights, and is as quick at both ends, stands for itself only there. `tierOf`: what ranks
 * before speed; a point is beaten only by one that does not stand behind it there.
 */
export function pointsThatMatter(probes: readonly Probe[], loads: readonly Workload[], tierOf: (point: PlanPoint) => number = () => 0): PlanPoint[] {
  const last = loads.length - 1
  const seen = new Map<Probe, Set<number>>(probes.map((probe) => [probe, new Set()]))
  const points: PlanPoint[] = []
  const look = (probe: Probe, index: number): PlanPoint => {
    const point = probe(index)
    if (!seen.get(probe)!.has(index)) points.push(point)
    seen.get(probe)!.add(index)
    return point
  }
  for (const probe of probes) for (const index of new Set([0, last])) look(probe, index)
  const twins = twinsByFirst(probes, last)
  const singles = [...twins.keys()]
  const coarse = Array.from(loads.keys()).filter((index) => index % STRIDE === 0 || index === last)
  for (const probe of singles) for (const index of coarse) look(probe, index)
  // Up to one request for each replica, throughput grows and nobody waits for anybody.
  for (const probe of singles) {
    const {dp} = probe(0).evaluation.deployment
    const busy = dp > 1 ? loads.findIndex(({concurrency}) => typeof concurrency === 'number' && concurrency >= dp) : -1
    if (busy > 0) look(probe, busy)
  }
  for (const probe of probes) {
    const places = singles.includes(probe) ? coarse : [0, last]
    for (const kept of KEPT)
      for (const [at, first] of places.entries()) {
        let [low, high] = [first, places[at + 1] ?? first]
        if (!probe(low)[kept] || probe(high)[kept]) continue
        while (high - low > 1) {
          const middle = (low + high) >> 1
          if (look(probe, middle)[kept]) low = middle
          else high = middle
        }
      }
  }
  for (const probe of singles) for (const index of aroundPeak(probe, coarse)) look(probe, index)
  const known = points.filter(({meets}) => meets)
  const tiers = new Map(probes.map((probe) => [probe, tierOf(probe(0))]))
  const rivals = new Map([...new Set(tiers.values())].map((tier) => [tier, known.filter((point) => tierOf(point) <= tier)]))
  for (const probe of singles)
    for (const [at, low] of coarse.entries()) {
      const high = coarse[at + 1]
      if (high === undefined || !probe(low).meets || [low, high].every((index) => isBeaten(probe(index), rivals.get(tiers.get(probe)!)!))) continue
      for (let index = low + 1; index < high; index++) look(probe, index)
    }
  // Of twins the best may be any one, by little.
  for (const [probe, others] of twins)
    for (const kept of KEPT) {
      const best = bestOf(probe, [...seen.get(probe)!], kept)
      if (best !== undefined) for (const other of others) look(other, best)
    }
  return points
}

/** The load with most throughput of those that are kept; undefined where none is. */
const bestOf = (probe: Probe, indices: readonly number[], kept: (typeof KEPT)[number]): number | undefined =>
  indices
    .filter((index) => probe(index)[kept])
    .sort((a, b) => probe(b).performance.outputTokensPerSecond.estimate - probe(a).performance.outputTokensPerSecond.estimate)[0]

/** The first of each set of deployments that are as quick at both ends and the same but for the cache and who published the weights, with the others of its set. */
function twinsByFirst(probes: readonly Probe[], last: number): Map<Probe, Probe[]> {
  const firsts = new Map<string, Probe[]>()
  const twins = new Map<Probe, Probe[]>()
  for (const probe of probes) {
    const {
      engine,
      checkpoint,
      deployment: {tp, pp, dp, ep, dpAttention},
    } = probe(0).evaluation
    const key = `${engine.id} ${checkpoint.weights} ${tp} ${pp} ${dp} ${ep} ${dpAttention}`
    const known = firsts.get(key) ?? []
    firsts.set(key, known)
    const first = known.find((other) => [0, last].every((index) => areClose(probe(index), other(index))))
    if (first) twins.get(first)!.push(probe)
    else {
      known.push(probe)
      twins.set(probe, [])
    }
  }
  return twins
}

function areClose({performance: a}: PlanPoint, {performance: b}: PlanPoint): boolean {
  const close = (left: number, right: number) => Math.abs(left - right) <= TWINS * Math.max(left, right)
  return (
    close(a.tpotMs.estimate, b.tpotMs.estimate) &&
    close(a.ttftMs.estimate, b.ttftMs.estimate) &&
    close(a.outputTokensPerSecond.estimate, b.outputTokensPerSecond.estimate)
  )
}

/**
 * Loads beside the one with most throughput, where more in flight only wait: room in the cache has run out by then, or the peak was passed.
 */
function aroundPeak(probe: Probe, coarse: readonly number[]): number[] {
  const speed = (index: number) => probe(index).performance.outputTokensPerSecond.estimate
  const at = coarse.reduce((best, index, place) => (speed(index) > speed(coarse[best]!) ? place : best), 0)
  const peaked = at < coarse.length - 1 || probe(coarse[at]!).performance.boundBy === 'kv-capacity'
  if (!peaked) return []
  const [from, to] = [coarse[at - 1] ?? coarse[at]!, coarse[at + 1] ?? coarse[at]!]
  return Array.from({length: Math.max(0, to - from - 1)}, (_, index) => from + 1 + index)
}

/** Whether a known point is clearly better in both, speed for a user and throughput of a GPU. */
function isBeaten({performance: {tpotMs, outputTokensPerSecondPerGpu}}: PlanPoint, known: readonly PlanPoint[]): boolean {
  return known.some(
    ({performance}) =>
      performance.tpotMs.estimate * CLEARLY < tpotMs.estimate && performance.outputTokensPerSecondPerGpu > outputTokensPerSecondPerGpu * CLEARLY,
  )
}
