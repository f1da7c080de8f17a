import type {Machine} from '../../core/accelerator.ts'
import type {Workload} from '../../core/deployment.ts'
import {benchmarkLengths, type LengthLaw, type Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Demand} from './demand.ts'
import {bestLayout, diskBytes, distinctCheckpoints, type Evaluation, simulateEvaluation} from '../answer/index.ts'
import {endToEndMs, legalDeployments, type PlanQuestion} from '../plan/index.ts'
import {boundsTheWait, type End, excess, hasLimits, keepsLimits, type LimitReached, limitsReached} from './limits.ts'
import {unitsFor} from './fleet.ts'
import {type LoadPoint, pointsOf} from './points.ts'
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
  point: LoadPoint
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
  /** The slow end is not looked at. */
  onlyEstimate?: boolean
}

/** Why a machine carries nothing: what the nearest deployment reaches with one request alone, or the reason that nothing starts. */
export interface CarriesNothing {
  code: string
  because: string
  remedy?: string
  nearest?: {point: LoadPoint; limits: LimitReached[]; shareWithinLimits?: number}
}

/** Deployments whose rate under open arrivals is looked for, best under a closed loop first. */
const TRIED = 6
/** Deployments that carry enough and are compared at the slow end. */
const TIES = 8
/** Requests in flight by whose rate deployments are put in order. */
const LOOK_FIRST_AT = 64
const MOST_IN_FLIGHT = 8192
const RATE_STEPS = 12
const PERCENTILE_STEPS = 6
const SIMULATED_REQUESTS = 2000
/** Requests in a row for each one in flight; of people who pause so many more come before the first that counts, for nobody is in flight at the start. */
const GENERATIONS = 10
const WARM_UP = 2
const PEOPLE_GENERATIONS = 4
/** How many are in flight varies where people pause: the limits are kept at the number that is exceeded in no more than 5% of the time. */
const BUSY_SHARE = 0.95

/** The deployment that carries most of a demand on a machine within the limits, by the estimate; and what it carries at the slow end. */
export function carriedBy(question: CarryQuestion): Carried | CarriesNothing {
  const {demand} = question
  const {evaluations, refusals} = legalDeployments(planQuestionOf(question))
  if (evaluations.length === 0) return nothingStarts(question, refusals[0])
  const candidates = evaluations.map((evaluation) => new Candidate(evaluation, question))
  const found = demand.unit === 'users' ? mostUsers(candidates, question) : highestRate(candidates, question)
  return found ?? limitsMissed(candidates, question)
}

export const isCarried = (found: Carried | CarriesNothing): found is Carried => 'amount' in found

function planQuestionOf({demand, machine, engines, calibration}: CarryQuestion): PlanQuestion {
  const {model, checkpoint, request} = demand
  return {model, checkpoint, machine, engines, request, workload: workloadOf(demand), objectives: {}, objective: 'throughput', calibration}
}

const workloadOf = ({inputTokens, outputTokens, prefixHitRate}: Demand): Workload => ({
  inputTokens,
  outputTokens,
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

/** One deployment at any load. Each number in flight is looked at once. */
class Candidate {
  readonly held: number
  readonly #question: CarryQuestion
  readonly #at: ReturnType<typeof pointsOf>
  readonly #points = new Map<number, LoadPoint>()
  readonly #most = new Map<End, number>()
  readonly #shares = new Map<string, number>()

  constructor(evaluation: Evaluation, question: CarryQuestion) {
    this.held = heldAtOnce(evaluation, question.demand)
    this.#question = question
    this.#at = pointsOf(evaluation, workloadOf(question.demand), question.calibration)
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

/** Share of simulated requests that keep every limit: as the estimate has it, or each slowed down by the width of its interval. */
function simulatedShare(
  point: LoadPoint,
  {slo}: Demand,
  calibration: Calibration,
  end: End,
  load: Load | undefined,
  // The first requests arrive together, which no steady load does.
  warmUp = point.evaluation.workload?.concurrency,
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
function mostUsers(candidates: readonly Candidate[], question: CarryQuestion): Carried | undefined {
  const {demand} = question
  const pauseSeconds = demand.thinkSeconds ?? 0
  // The likely winner first: what cannot reach it is passed over at a look.
  const ordered = [...candidates].sort((a, b) => b.rateAt(LOOK_FIRST_AT) - a.rateAt(LOOK_FIRST_AT))
  const found: {candidate: Candidate; carries: Carries}[] = []
  let enough = 0
  let beaten = 0
  for (const candidate of askedShare(demand) === undefined ? ordered : simulatedFirst(ordered)) {
    // What breaks a limit with so many in flight may have fewer, and of people who pause none more than in the mean were as many in flight.
    if (beaten > 0 && !candidate.keeps(beaten) && beaten - 1 + pauseSeconds * candidate.rateAt(beaten) + 1 < enough) continue
    const carries = usersOf(candidate, question, 'estimate')
    if (!carries) continue
    found.push({candidate, carries})
    const least = leastFor(carries.amount, question)
    if (least <= enough) continue
    enough = least
    beaten = pauseSeconds === 0 ? Math.ceil(enough) - 1 : candidate.most('estimate')
  }
  return safest(
    found.filter(({carries}) => carries.amount >= enough).map(({candidate, carries}) => ({carries, cautious: () => usersOf(candidate, question, 'high')})),
    question,
  )
}

/** Least that a unit must carry for the same numbers of units as one that carries so much. */
const leastFor = (amount: number, {amounts, demand, onlyEstimate}: CarryQuestion): number =>
  // How many machines a trace takes is found by simulating them.
  demand.trace || onlyEstimate ? amount : Math.max(...amounts.map((load) => load / unitsFor(load, amount)))

/**
 * Of deployments with which a load takes equally many machines, the one that carries most at the slow end; of equal ones the one that carries most.
 * Where that takes a simulation of each, the one that carries most.
 */
function safest(all: readonly {carries: Carries; cautious: () => Carries | undefined}[], {demand, onlyEstimate}: CarryQuestion): Carried | undefined {
  const found = [...all].sort((a, b) => b.carries.amount - a.carries.amount)
  if (found.length === 0 || onlyEstimate) return found[0]?.carries
  const judged = (askedShare(demand) === undefined ? found.slice(0, TIES) : found.slice(0, 1)).map(({carries, cautious}) => ({carries, cautious: cautious()}))
  const {carries, cautious} = judged.reduce((a, b) => ((b.cautious?.amount ?? 0) > (a.cautious?.amount ?? 0) ? b : a))
  return {...carries, ...(cautious && {cautious})}
}

/** The deployments that are worth a simulation, the one with most in flight and the one with the highest rate: they are the same however long people pause. */
function simulatedFirst(candidates: readonly Candidate[]): Candidate[] {
  const able = candidates.filter((candidate) => candidate.most('estimate') > 0)
  const first = (value: (candidate: Candidate) => number) => [...able].sort((a, b) => value(b) - value(a)).slice(0, 1)
  return [...new Set([...first((candidate) => candidate.most('estimate')), ...first((candidate) => candidate.rateAt(candidate.most('estimate')))])]
}

/** Users that one deployment carries at one end of the intervals; undefined: not one. */
function usersOf(candidate: Candidate, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const means = candidate.most(end)
  if (means === 0) return undefined
  const asked = askedShare(demand)
  const most = asked === undefined ? means : atShare(0, means, asked, (inFlight) => candidate.share(inFlight, end))
  if (most === 0) return undefined
  const limitedBy: CarryLimit = most < means ? 'percentile' : means === candidate.held ? 'cache' : means === MOST_IN_FLIGHT ? 'most-looked-at' : 'limits'
  const pauseSeconds = demand.thinkSeconds ?? 0
  const rate = rateCurve(candidate, most, end)
  if (pauseSeconds === 0)
    return {
      amount: most,
      requestsPerSecond: rate(most),
      limitedBy,
      point: candidate.at(most),
      ...(asked !== undefined && {shareWithinLimits: candidate.share(most, end)}),
    }
  const flight = (people: number) => {
    const population = {people, pauseSeconds, rate}
    return {mean: meanInFlight(population), busy: Math.max(1, busyInFlight(population, asked ?? BUSY_SHARE, most))}
  }
  const bySize = mostPeople(pauseSeconds, rate, most, asked ?? BUSY_SHARE)
  const share = (people: number) => {
    const {busy} = flight(people)
    return simulatedShare(candidate.at(busy), demand, calibration, end, populationLoad(demand, people, busy), WARM_UP * busy)
  }
  // As many as may be in flight may pause as well: nothing is worse for it.
  const people = asked === undefined ? bySize : atShare(most, bySize, asked, share)
  const inFlight = flight(people)
  return {
    amount: people,
    requestsPerSecond: (people - inFlight.mean) / pauseSeconds,
    limitedBy: people < bySize ? 'percentile' : limitedBy,
    point: candidate.at(inFlight.busy),
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
function rateCurve(candidate: Candidate, most: number, end: End): RateInFlight {
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

/** The deployments that answer most requests a second with as many in flight as keep the limits. */
function quickest(candidates: readonly Candidate[]): Candidate[] {
  const best: {candidate: Candidate; rate: number; most: number}[] = []
  for (const candidate of [...candidates].sort((a, b) => b.rateAt(LOOK_FIRST_AT) - a.rateAt(LOOK_FIRST_AT))) {
    const last = best[TRIED - 1]
    // Fewer in flight answer fewer a second.
    if (last && !candidate.keeps(last.most) && candidate.rateAt(last.most) <= last.rate) continue
    const most = candidate.most('estimate')
    if (most > 0) best.push({candidate, rate: candidate.rateAt(most), most})
    best.sort((a, b) => b.rate - a.rate).splice(TRIED)
  }
  return best.map(({candidate}) => candidate)
}

/** Highest rate of independent arrivals within the limits and the share of saturation that is planned with. */
function highestRate(candidates: readonly Candidate[], question: CarryQuestion): Carried | undefined {
  const open = quickest(candidates)
    .map((candidate) => ({candidate, means: rateOf(candidate, question, 'estimate')}))
    .filter((found): found is {candidate: Candidate; means: Carries} => found.means !== undefined)
    .sort((a, b) => b.means.amount - a.means.amount)
  const found: {candidate: Candidate; carries: Carries}[] = []
  let enough = 0
  for (const {candidate, means} of open) {
    if (means.amount < enough) break
    const carries = rateAtPercentile(candidate, means, question, 'estimate')
    if (!carries) continue
    found.push({candidate, carries})
    enough = Math.max(enough, leastFor(carries.amount, question))
  }
  const cautious = (candidate: Candidate) => {
    const slow = rateOf(candidate, question, 'high')
    return slow && rateAtPercentile(candidate, slow, question, 'high')
  }
  return safest(
    found.filter(({carries}) => carries.amount >= enough).map(({candidate, carries}) => ({carries, cautious: () => cautious(candidate)})),
    question,
  )
}

/** Highest rate of independent arrivals at which one deployment keeps the limits, and stays below the asked share of saturation. */
function rateOf(candidate: Candidate, {demand, maxUtilisation}: CarryQuestion, end: End): Carries | undefined {
  const carries = (rate: number, limitedBy: CarryLimit): Carries => ({amount: rate, requestsPerSecond: rate, limitedBy, point: candidate.arriving(rate)})
  const keeps = (rate: number) => keepsLimits(candidate.arriving(rate), demand.slo, end)
  const most = plainRate(saturatedRate(candidate, demand, end) * maxUtilisation)
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
function rateAtPercentile(candidate: Candidate, means: Carries, {demand, calibration}: CarryQuestion, end: End): Carries | undefined {
  const asked = askedShare(demand)
  if (asked === undefined) return means
  const at = (share: number): Carries => {
    const rate = share === 1 ? means.amount : plainRate(means.amount * share)
    const point = share === 1 ? means.point : candidate.arriving(rate)
    const shareWithinLimits = simulatedShare(point, demand, calibration, end, simulatedLoad(demand, {requestsPerSecond: rate}))
    return {amount: rate, requestsPerSecond: rate, limitedBy: share === 1 ? means.limitedBy : 'percentile', point, shareWithinLimits}
  }
  const whole = at(1)
  if (whole.shareWithinLimits! >= asked) return whole
  let best: Carries | undefined
  let [low, high] = [0, 1]
  for (let step = 0; step < PERCENTILE_STEPS; step++) {
    const middle = (low + high) / 2
    const tried = at(middle)
    if (tried.shareWithinLimits! >= asked) {
      best = tried
      low = middle
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
function saturatedRate(candidate: Candidate, {outputTokens}: Demand, end: End): number {
  const {estimate, low} = candidate.arriving(1e9).performance.outputTokensPerSecond
  return (end === 'high' ? low : estimate) / outputTokens
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
  const requestCount = WARM_UP * busy + Math.max(SIMULATED_REQUESTS, PEOPLE_GENERATIONS * busy)
  return {kind: 'population', people, meanPauseMs: 1000 * (demand.thinkSeconds ?? 0), requestCount, ...lengths}
}

/** Share of a trace's requests within the limits when it is dealt out in turn over so many equal machines. */
export function traceShare({point}: Carries, demand: Demand, machines: number, speedUp: number, calibration: Calibration, end: End): number {
  const requests = demand.trace!.requests.filter((_, index) => index % machines === 0).map((request) => ({...request, arrivalMs: request.arrivalMs / speedUp}))
  return simulatedShare(point, demand, calibration, end, {kind: 'trace', requests})
}

/** No deployment keeps the limits: the one that comes nearest with one request alone says by how much. */
function limitsMissed(candidates: readonly Candidate[], {demand}: CarryQuestion): CarriesNothing {
  const {slo} = demand
  const nearest = candidates.reduce((a, b) => (excess(b.at(1), slo) < excess(a.at(1), slo) ? b : a))
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
    ? engines.map((engine) =>
        bestLayout({model, checkpoint: smallest, machine, engine, request, workload: {...workloadOf(demand), concurrency: 1}, calibration}),
      )
    : []
  const reason = (tried.find(({verdict}) => verdict === 'does-not-fit') ?? tried.find(({reasons}) => reasons.length > 0))?.reasons[0] ?? common
  return reason
    ? {code: reason.code, because: reason.message, ...(reason.remedy !== undefined && {remedy: reason.remedy})}
    : {code: 'unsupported', because: 'no engine can start this model here'}
}
