import type {Machine} from '../../core/accelerator.ts'
import type {Workload} from '../../core/deployment.ts'
import {benchmarkLengths, type LengthLaw, type Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Demand} from './demand.ts'
import {bestLayout, diskBytes, distinctCheckpoints, type Evaluation, simulateEvaluation} from '../answer/index.ts'
import {endToEndMs, legalDeployments, type PlanPoint, type PlanQuestion, pointAt} from '../plan/index.ts'
import {boundsTheWait, type End, excess, hasLimits, keepsLimits, type LimitReached, limitsReached} from './limits.ts'
import {unitsFor} from './fleet.ts'
import {busyInFlight, meanInFlight, mostPeople, type RateInFlight} from './population.ts'

/** What bounds the load of a machine. */
export type CarryLimit = 'limits' | 'percentile' | 'utilisation' | 'cache' | 'most-looked-at'

/** How much a deployment carries. */
export interface Carries {
  /** In the demand's unit. */
  amount: number
  requestsPerSecond: number
  limitedBy: CarryLimit
  /** At that load: its numbers are those of `check` with it. */
  point: PlanPoint
  /** People who pause: how many are being answered, in the mean and when it is busy. The limits are kept at the second. */
  inFlight?: {mean: number; busy: number}
  /** Share of simulated requests within the limits, where a percentile was asked for. */
  shareWithinLimits?: number
}

/** The most that one machine (or a part of one) carries of a demand at the estimate, and how. */
export interface Carried extends Carries {
  /** The same deployment at the slow end of every interval. Absent: there not even one request alone keeps the limits. */
  cautious?: Carries
}

export interface CarryQuestion {
  demand: Demand
  machine: Machine
  engines: Engine[]
  calibration: Calibration
  /** Loads that are looked at in the end, in the demand's unit: what it grows to. */
  amounts: readonly number[]
  /** Share of the rate at which the queue would grow without end that is planned with, where requests arrive at a rate. */
  maxUtilisation: number
}

/** Why a machine carries nothing: what the nearest deployment reaches with one request alone, or the reason that nothing starts. */
export interface CarriesNothing {
  code: string
  because: string
  remedy?: string
  nearest?: {point: PlanPoint; limits: LimitReached[]; shareWithinLimits?: number}
}

/** Deployments whose rate under open arrivals is looked for, best under a closed loop first. */
const TRIED = 6
/** Deployments that the simulator looks at: so many with most in flight, and so many with the highest rate. */
const SIMULATED = 2
const MOST_IN_FLIGHT = 8192
const RATE_STEPS = 12
const PERCENTILE_STEPS = 6
const SIMULATED_REQUESTS = 2000
/** Requests in a row for each one in flight; of people who pause so many more come before the first that counts, for nobody is in flight at the start. */
const GENERATIONS = 10
const WARM_UP = 2
/** How many are in flight varies where people pause: the limits are kept at the number that is exceeded in no more than 5% of the time. */
const BUSY_SHARE = 0.95

/** The deployment that carries most of a demand on a machine within the limits, by the estimate; and what it carries at the slow end. */
export function carriedBy(question: CarryQuestion): Carried | CarriesNothing {
  const {demand} = question
  const planQuestion = planQuestionOf(question)
  const {evaluations, refusals} = legalDeployments(planQuestion)
  if (evaluations.length === 0) return nothingStarts(question, refusals[0])
  const loops = evaluations.map((evaluation) => new ClosedLoop(evaluation, planQuestion, demand))
  const found = demand.unit === 'users' ? mostUsers(loops, question) : highestRate(loops, planQuestion, question)
  return found ?? limitsMissed(loops, question)
}

export const isCarried = (found: Carried | CarriesNothing): found is Carried => 'amount' in found

function planQuestionOf({demand, machine, engines, calibration}: CarryQuestion): PlanQuestion {
  const {model, checkpoint, request} = demand
  return {model, checkpoint, machine, engines, request, workload: loadOf(demand, {}), objectives: {}, objective: 'throughput', calibration}
}

const loadOf = ({inputTokens, outputTokens, prefixHitRate}: Demand, load: Pick<Workload, 'concurrency' | 'requestRate'>): Workload => ({
  inputTokens,
  outputTokens,
  ...load,
  ...(prefixHitRate !== undefined && {prefixHitRate}),
})

/** Requests that the cache and the limit on sequences hold at once: beyond it requests wait for each other. */
function heldAtOnce({memory, deployment}: Evaluation, {inputTokens, outputTokens}: Demand): number {
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

/** One deployment with a number of requests in flight. Each number is looked at once. */
class ClosedLoop {
  readonly evaluation: Evaluation
  readonly held: number
  readonly #question: PlanQuestion
  readonly #demand: Demand
  readonly #points = new Map<number, PlanPoint>()
  readonly #most = new Map<End, number>()
  readonly #shares = new Map<string, number>()

  constructor(evaluation: Evaluation, question: PlanQuestion, demand: Demand) {
    this.evaluation = evaluation
    this.held = heldAtOnce(evaluation, demand)
    this.#question = question
    this.#demand = demand
  }

  at(concurrency: number): PlanPoint {
    const known = this.#points.get(concurrency)
    if (known) return known
    const point = pointAt(this.evaluation, loadOf(this.#demand, {concurrency}), this.#question)
    this.#points.set(concurrency, point)
    return point
  }

  /** Most in flight whose means keep the limits. What waits for room in the cache counts as long as a limit bounds the wait. */
  most(end: End): number {
    const {slo} = this.#demand
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
    const share = simulatedShare(this.at(inFlight), this.#demand, this.#question.calibration, end, simulatedLoad(this.#demand, {users: inFlight}))
    this.#shares.set(key, share)
    return share
  }
}

/** Share of simulated requests that keep every limit: as the estimate has it, or each slowed down by the width of its interval. */
function simulatedShare(
  point: PlanPoint,
  {slo}: Demand,
  calibration: Calibration,
  end: End,
  load: Load | undefined,
  // The first requests arrive together, which no steady load does.
  warmUp = point.concurrency,
): number {
  const {ttftMs, tpotMs} = point.performance
  const whole = endToEndMs(point)
  const scaled = (limit: number | undefined, interval: Record<End, number>) => (limit === undefined ? undefined : (limit * interval.estimate) / interval[end])
  const {shareWithinLimits = 0} = simulateEvaluation(point.evaluation, point.evaluation.workload!, calibration, {
    latencyLimits: {ttftMs: scaled(slo.ttftMs, ttftMs), tpotMs: scaled(slo.tpotMs, tpotMs), endToEndMs: scaled(slo.endToEndMs, whole)},
    ...(typeof warmUp === 'number' && {skipFirst: warmUp}),
    ...(load && {load}),
  })
  return shareWithinLimits
}

const askedShare = ({slo}: Demand): number | undefined => (slo.percentile === undefined || !hasLimits(slo) ? undefined : slo.percentile / 100)

/** Most users: in flight all the time, or with a pause between an answer and the next request. */
function mostUsers(loops: readonly ClosedLoop[], question: CarryQuestion): Carried | undefined {
  const {demand} = question
  const pauseSeconds = demand.thinkSeconds ?? 0
  const able = loops.filter((loop) => loop.most('estimate') > 0)
  // People of whom as many are in flight in the mean as may be at the busiest: a deployment carries no more.
  const bounded = (askedShare(demand) === undefined ? able : simulatedFirst(able)).map((loop) => {
    const most = loop.most('estimate')
    return {loop, bound: pauseSeconds === 0 ? most : most + pauseSeconds * rateCurve(loop, most, 'estimate')(most + 1) + 1}
  })
  bounded.sort((a, b) => b.bound - a.bound)
  const found: {loop: ClosedLoop; carries: Carries}[] = []
  let enough = 0
  for (const {loop, bound} of bounded) {
    if (bound < enough) continue
    const carries = usersOf(loop, question, 'estimate')
    if (!carries) continue
    found.push({loop, carries})
    enough = Math.max(enough, leastFor(carries.amount, question))
  }
  return safest(found.filter(({carries}) => carries.amount >= enough).map(({loop, carries}) => ({carries, cautious: () => usersOf(loop, question, 'high')})))
}

/** Least that a unit must carry for the same numbers of units as one that carries so much. */
const leastFor = (amount: number, {amounts, demand}: CarryQuestion): number =>
  // How many machines a trace takes is found by simulating them.
  demand.trace ? amount : Math.max(...amounts.map((load) => load / unitsFor(load, amount)))

/** Of deployments with which a load takes equally many machines, the one that carries most at the slow end; of equal ones the one that carries most. */
function safest(found: readonly {carries: Carries; cautious: () => Carries | undefined}[]): Carried | undefined {
  const judged = found.map(({carries, cautious}) => ({carries, cautious: cautious()}))
  if (judged.length === 0) return undefined
  const {carries, cautious} = judged.reduce((a, b) => {
    const difference = (b.cautious?.amount ?? 0) - (a.cautious?.amount ?? 0) || b.carries.amount - a.carries.amount
    return difference > 0 ? b : a
  })
  return {...carries, ...(cautious && {cautious})}
}

/** The deployments that are worth a simulation: which, does not depend on how long people pause. */
function simulatedFirst(loops: readonly ClosedLoop[]): ClosedLoop[] {
  const first = (value: (loop: ClosedLoop) => number) => [...loops].sort((a, b) => value(b) - value(a)).slice(0, SIMULATED)
  return [...new Set([...first((loop) => loop.most('estimate')), ...first((loop) => loop.rateAt(loop.most('estimate')))])]
}

/** Users that one deployment carries at one end of the intervals; undefined: not one. */
function usersOf(loop: ClosedLoop, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const means = loop.most(end)
  if (means === 0) return undefined
  const asked = askedShare(demand)
  const most = asked === undefined ? means : atShare(0, means, asked, (inFlight) => loop.share(inFlight, end))
  if (most === 0) return undefined
  const limitedBy: CarryLimit = most < means ? 'percentile' : means === loop.held ? 'cache' : means === MOST_IN_FLIGHT ? 'most-looked-at' : 'limits'
  const pauseSeconds = demand.thinkSeconds ?? 0
  const rate = rateCurve(loop, most, end)
  if (pauseSeconds === 0)
    return {
      amount: most,
      requestsPerSecond: rate(most),
      limitedBy,
      point: loop.at(most),
      ...(asked !== undefined && {shareWithinLimits: loop.share(most, end)}),
    }
  const flight = (people: number) => {
    const population = {people, pauseSeconds, rate}
    return {mean: meanInFlight(population), busy: Math.max(1, busyInFlight(population, asked ?? BUSY_SHARE, most))}
  }
  const bySize = mostPeople(pauseSeconds, rate, most, asked ?? BUSY_SHARE)
  const share = (people: number) => {
    const {busy} = flight(people)
    return simulatedShare(loop.at(busy), demand, calibration, end, populationLoad(demand, people, busy), WARM_UP * busy)
  }
  // As many as may be in flight may pause as well: nothing is worse for it.
  const people = asked === undefined ? bySize : atShare(most, bySize, asked, share)
  const inFlight = flight(people)
  return {
    amount: people,
    requestsPerSecond: (people - inFlight.mean) / pauseSeconds,
    limitedBy: people < bySize ? 'percentile' : limitedBy,
    point: loop.at(inFlight.busy),
    inFlight,
    ...(asked !== undefined && {shareWithinLimits: share(people)}),
  }
}

/** The largest whole number from `least`, which is taken to do, up to `most` with which the asked share of simulated requests keeps the limits; within a few steps. */
function atShare(least: number, most: number, asked: number, share: (amount: number) => number): number {
  if (share(most) >= asked) return most
  let [low, high] = [least, most]
  for (let step = 0; step < PERCENTILE_STEPS && high - low > 1; step++) {
    const middle = Math.floor((low + high) / 2)
    if (share(middle) >= asked) low = middle
    else high = middle
  }
  return low > 0 || share(1) < asked ? low : 1
}

/** Requests a second by the number in flight: looked at on a grid up to twice of what may be in flight, straight between, the same beyond. */
function rateCurve(loop: ClosedLoop, most: number, end: End): RateInFlight {
  const grid: {inFlight: number; rate: number}[] = []
  let highest = 0
  for (let inFlight = 1; ; inFlight = Math.max(inFlight + 1, Math.round(inFlight * Math.SQRT2))) {
    // More in flight never answers less: where the model has it so, the others may as well wait.
    highest = Math.max(highest, loop.rateAt(inFlight, end))
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

/** Highest rate of independent arrivals within the limits and the share of saturation that is planned with. */
function highestRate(loops: readonly ClosedLoop[], question: PlanQuestion, asked: CarryQuestion): Carried | undefined {
  const able = loops.filter((loop) => loop.most('estimate') > 0)
  const best = able.sort((a, b) => b.rateAt(b.most('estimate')) - a.rateAt(a.most('estimate'))).slice(0, TRIED)
  const open = best
    .map(({evaluation}) => rateOf(evaluation, question, asked, 'estimate'))
    .filter((found) => found !== undefined)
    .sort((a, b) => b.amount - a.amount)
  const found: {carries: Carries; means: Carries}[] = []
  let enough = 0
  for (const means of open) {
    if (means.amount < enough) break
    const carries = rateAtPercentile(means, question, asked, 'estimate')
    if (!carries) continue
    found.push({carries, means})
    enough = Math.max(enough, leastFor(carries.amount, asked))
  }
  const cautious = ({point: {evaluation}}: Carries) => {
    const slow = rateOf(evaluation, question, asked, 'high')
    return slow && rateAtPercentile(slow, question, asked, 'high')
  }
  return safest(found.filter(({carries}) => carries.amount >= enough).map(({carries, means}) => ({carries, cautious: () => cautious(means)})))
}

/** Highest rate of independent arrivals at which one deployment keeps the limits, and stays below the asked share of saturation. */
function rateOf(evaluation: Evaluation, question: PlanQuestion, {demand, maxUtilisation}: CarryQuestion, end: End): Carries | undefined {
  const at = (requestRate: number) => pointAt(evaluation, loadOf(demand, {requestRate}), question)
  const carries = (rate: number, limitedBy: CarryLimit): Carries => ({amount: rate, requestsPerSecond: rate, limitedBy, point: at(rate)})
  const keeps = (rate: number) => keepsLimits(at(rate), demand.slo, end)
  const most = plainRate(saturatedRate(evaluation, question, demand, end) * maxUtilisation)
  if (keeps(most)) return carries(most, 'utilisation')
  let [low, high] = [0, most]
  for (let step = 0; step < RATE_STEPS; step++) {
    const middle = (low + high) / 2
    if (keeps(middle)) low = middle
    else high = middle
  }
  const rate = plainRate(low)
  return rate > 0 && keeps(rate) ? carries(rate, 'limits') : undefined
}

/** Less than the rate whose means keep the limits, until the asked share of simulated requests does. */
function rateAtPercentile(means: Carries, question: PlanQuestion, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const asked = askedShare(demand)
  if (asked === undefined) return means
  const {evaluation} = means.point
  const at = (share: number): Carries => {
    const rate = share === 1 ? means.amount : plainRate(means.amount * share)
    const point = share === 1 ? means.point : pointAt(evaluation, loadOf(demand, {requestRate: rate}), question)
    const shareWithinLimits = simulatedShare(point, demand, calibration, end, simulatedLoad(demand, {requestsPerSecond: rate}))
    return {amount: rate, requestsPerSecond: rate, limitedBy: share === 1 ? means.limitedBy : 'percentile', point, shareWithinLimits}
  }
  let best: Carries | undefined
  let [low, high] = [0, 1]
  for (let step = 0; step <= PERCENTILE_STEPS; step++) {
    const middle = step === 0 ? 1 : (low + high) / 2
    const tried = at(middle)
    if (tried.shareWithinLimits! >= asked) {
      best = tried
      low = middle
      if (middle === 1) break
    } else high = middle
  }
  return best
}

/** Four digits, rounded down: a rate that one can type. */
function plainRate(rate: number): number {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 3)
  return Number((Math.floor(rate / unit) * unit).toPrecision(4))
}

/** Requests a second at which the queue would grow without end. */
function saturatedRate(evaluation: Evaluation, question: PlanQuestion, demand: Demand, end: End): number {
  const {estimate, low} = pointAt(evaluation, loadOf(demand, {requestRate: 1e9}), question).performance.outputTokensPerSecond
  return (end === 'high' ? low : estimate) / demand.outputTokens
}

/** Lengths that the simulator is given; undefined where those of benchmarks are meant. */
function lengthsOf({laws, trace}: Demand): {input: LengthLaw; output: LengthLaw} | undefined {
  if (!trace) return laws
  // A trace's own arrivals are looked at with the number of machines; here its lengths at an even rate.
  return {
    input: {kind: 'observed', tokens: trace.requests.map(({inputTokens}) => inputTokens)},
    output: {kind: 'observed', tokens: trace.requests.map(({outputTokens}) => outputTokens)},
  }
}

function simulatedLoad(demand: Demand, amount: {users?: number; requestsPerSecond?: number}): Load | undefined {
  const lengths = lengthsOf(demand)
  if (!lengths) return undefined
  if (amount.users !== undefined) return {kind: 'closed-loop', concurrency: amount.users, requestCount: GENERATIONS * amount.users, ...lengths}
  return {kind: 'poisson', requestsPerSecond: amount.requestsPerSecond!, requestCount: SIMULATED_REQUESTS, ...lengths}
}

function populationLoad(demand: Demand, people: number, busy: number): Load {
  const lengths = lengthsOf(demand) ?? {input: benchmarkLengths(demand.inputTokens), output: benchmarkLengths(demand.outputTokens)}
  const requestCount = WARM_UP * busy + Math.max(SIMULATED_REQUESTS, GENERATIONS * busy)
  return {kind: 'population', people, meanPauseMs: 1000 * (demand.thinkSeconds ?? 0), requestCount, ...lengths}
}

/** Share of a trace's requests within the limits when it is dealt out in turn over so many equal machines. */
export function traceShare({point}: Carries, demand: Demand, machines: number, speedUp: number, calibration: Calibration, end: End): number {
  const requests = demand.trace!.requests.filter((_, index) => index % machines === 0).map((request) => ({...request, arrivalMs: request.arrivalMs / speedUp}))
  return simulatedShare(point, demand, calibration, end, {kind: 'trace', requests})
}

/** No deployment keeps the limits: the one that comes nearest with one request alone says by how much. */
function limitsMissed(loops: readonly ClosedLoop[], {demand}: CarryQuestion): CarriesNothing {
  const {slo} = demand
  const nearest = loops.reduce((a, b) => (excess(b.at(1), slo) < excess(a.at(1), slo) ? b : a))
  const point = nearest.at(1)
  const limits = limitsReached(point, slo)
  if (excess(point, slo) > 1) return {code: 'slo-missed', because: 'one request alone misses the limits', nearest: {point, limits}}
  if (askedShare(demand) === undefined) return {code: 'slo-missed', because: 'the limits are kept at no rate of arrivals', nearest: {point, limits}}
  return {
    code: 'slo-missed',
    because: `the limits are kept for ${slo.percentile}% of simulated requests at no load`,
    nearest: {point, limits, shareWithinLimits: nearest.share(1, 'estimate')},
  }
}

/** Nothing starts: what the layout lacks that comes nearest, of the smallest checkpoint. */
function nothingStarts(
  {demand, machine, engines, calibration}: CarryQuestion,
  common: {code: string; message: string; remedy?: string} | undefined,
): CarriesNothing {
  const {model, request} = demand
  const checkpoints = demand.checkpoint ? [demand.checkpoint] : distinctCheckpoints(model, request.weights)
  const smallest = checkpoints.reduce<(typeof checkpoints)[number] | undefined>((a, b) => (a && diskBytes(model, a) <= diskBytes(model, b) ? a : b), undefined)
  const tried = smallest
    ? engines.map((engine) => bestLayout({model, checkpoint: smallest, machine, engine, request, workload: loadOf(demand, {concurrency: 1}), calibration}))
    : []
  const reason = (tried.find(({verdict}) => verdict === 'does-not-fit') ?? tried.find(({reasons}) => reasons.length > 0))?.reasons[0] ?? common
  return reason
    ? {code: reason.code, because: reason.message, ...(reason.remedy !== undefined && {remedy: reason.remedy})}
    : {code: 'unsupported', because: 'no engine can start this model here'}
}
