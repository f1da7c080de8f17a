import type {Workload} from '../../core/deployment.ts'
import type {Standing} from '../answer/index.ts'
import {endToEndMs} from '../plan/index.ts'
import type {Demand} from './demand.ts'
import {boundsTheWait, type End, keepsLimits} from './limits.ts'
import {type LoadPoint, pointsOf} from './points.ts'
import type {RateInFlight} from './population.ts'
import type {CarryQuestion} from './question.ts'
import {simulatedLoad, simulatedShare} from './simulated.ts'

/** More are not looked at. */
export const MOST_IN_FLIGHT = 8192
/** Requests in flight by whose rate deployments are put in order. */
const LOOK_FIRST_AT = 64

/** One deployment at any load. Each number in flight is looked at once. */
export class Candidate {
  readonly held: number
  readonly #question: CarryQuestion
  readonly #at: ReturnType<typeof pointsOf>
  readonly #points = new Map<number, LoadPoint>()
  readonly #most = new Map<End, number>()
  readonly #shares = new Map<string, number>()

  constructor(evaluation: Standing, question: CarryQuestion) {
    this.held = heldAtOnce(evaluation, question.demand)
    this.#question = question
    this.#at = pointsOf(evaluation, workloadOf(question.demand), question.calibration, question.demand.request)
  }

  /** With so many requests in flight. */
  at(concurrency: number): LoadPoint {
    const known = this.#points.get(concurrency)
    if (known) return known
    const point = this.#at({concurrency})
    this.#points.set(concurrency, point)
    return point
  }

  /** With so many that arrive in a second. */
  arriving = (requestRate: number): LoadPoint => this.#at({requestRate})

  keeps = (inFlight: number): boolean =>
    keepsLimits(this.at(inFlight), this.#question.demand.slo, 'estimate') && (inFlight <= this.held || boundsTheWait(this.#question.demand.slo))

  /** Most in flight whose means keep the limits. What waits for room in the cache counts as long as a limit bounds the wait. */
  most(end: End): number {
    const {slo} = this.#question.demand
    const known = this.#most.get(end)
    if (known !== undefined) return known
    const most = largestWhole(boundsTheWait(slo) ? MOST_IN_FLIGHT : this.held, (inFlight) => keepsLimits(this.at(inFlight), slo, end))
    this.#most.set(end, most)
    return most
  }

  /** Requests a second with so many in flight: what their mean times say (Little's law). */
  rateAt = (inFlight: number, end: End = 'estimate'): number => (1000 * inFlight) / endToEndMs(this.at(inFlight))[end]

  /** Share of simulated requests that keep the limits with so many in flight. */
  share(inFlight: number, end: End): number {
    const key = `${inFlight} ${end}`
    const known = this.#shares.get(key)
    if (known !== undefined) return known
    const {demand, calibration} = this.#question
    const share = simulatedShare(this.at(inFlight), demand, calibration, end, simulatedLoad(demand, {users: inFlight}))
    this.#shares.set(key, share)
    return share
  }
}

export const workloadOf = ({inputTokens, outputTokens, prefixHitRate}: Demand): Workload => ({
  inputTokens,
  outputTokens,
  ...(prefixHitRate !== undefined && {prefixHitRate}),
})

/** Requests that the cache and the limit on sequences hold at once: beyond it requests wait for each other. */
function heldAtOnce({memory, deployment}: Standing, {inputTokens, outputTokens}: Demand): number {
  const each = Math.min(memory.requestsOfTokens(inputTokens + outputTokens), deployment.maxNumSeqs)
  return Math.max(1, Math.min(MOST_IN_FLIGHT, Math.floor(each) * deployment.dp))
}

/** The largest whole number up to `most` for which it holds, where it holds for all smaller ones; 0 for none. */
function largestWhole(most: number, holds: (value: number) => boolean): number {
  let low = 0
  let high = 1
  while (high <= most && holds(high)) [low, high] = [high, 2 * high]
  high = Math.min(high, most + 1)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle
  }
  return low
}

/** Requests a second by the number in flight: looked at on a grid up to twice of what may be in flight, straight between, the same beyond. */
export function rateCurve(candidate: Candidate, most: number, end: End): RateInFlight {
  const grid: {inFlight: number; rate: number}[] = []
  let highest = 0
  for (let inFlight = 1; ; inFlight = Math.max(inFlight + 1, Math.round(inFlight * Math.SQRT2))) {
    // More in flight never answers less: where the model has it so, the others may as well wait.
    highest = Math.max(highest, candidate.rateAt(inFlight, end))
    grid.push({inFlight, rate: highest})
    if (inFlight >= 2 * most) break
  }
  const last = grid.at(-1)!
  const table = new Float64Array(last.inFlight + 1)
  for (const [index, {inFlight, rate}] of grid.entries()) {
    const before = grid[index - 1] ?? {inFlight: 0, rate: 0}
    for (let n = before.inFlight + 1; n <= inFlight; n++) table[n] = before.rate + ((rate - before.rate) * (n - before.inFlight)) / (inFlight - before.inFlight)
  }
  return (inFlight) => (inFlight >= last.inFlight ? last.rate : table[inFlight]!)
}

/** The likely winners first: what cannot reach them is passed over at a look. */
export const likelyFirst = (candidates: readonly Candidate[]): Candidate[] => [...candidates].sort((a, b) => b.rateAt(LOOK_FIRST_AT) - a.rateAt(LOOK_FIRST_AT))
