import type {Machine} from '../../core/accelerator.ts'
import type {Workload} from '../../core/deployment.ts'
import type {Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Demand} from './demand.ts'
import {hasLimits, largest, type Standing} from '../answer/index.ts'
import {endToEndMs, legalDeployments, type PlanPoint, type PlanQuestion, pointAt, withTail} from '../plan/index.ts'

/** What bounds the load of a machine. */
export type CarryLimit = 'limits' | 'percentile' | 'utilisation' | 'cache'

/** The most that one machine (or a part of one) carries of a demand, and how. */
export interface Carried {
  /** At that load: its numbers are those of `check` with it. */
  point: PlanPoint
  /** In the demand's unit. */
  amount: number
  requestsPerSecond: number
  limitedBy: CarryLimit
  /** Share of simulated requests within the limits, where a percentile was asked for. */
  shareWithinLimits?: number
}

export interface CarryQuestion {
  demand: Demand
  machine: Machine
  engines: Engine[]
  calibration: Calibration
  /** Share of the rate at which the queue would grow without end that is planned with. */
  maxUtilisation: number
}

/** Why a machine carries nothing: the nearest deployment, or the reason that nothing starts. */
export interface CarriesNothing {
  nearest?: PlanPoint
  because: string
}

/** Deployments whose rate under open arrivals is looked for, best under a closed loop first. */
const TRIED = 4
const MOST_IN_FLIGHT = 8192
const RATE_STEPS = 12
const PERCENTILE_STEPS = 6
const SIMULATED_REQUESTS = 2000
/** Requests in a row for each one in flight. */
const GENERATIONS = 10

/** The deployment that carries most of a demand on a machine within the limits, by the cautious end. */
export function carriedBy(question: CarryQuestion): Carried | CarriesNothing {
  const {demand} = question
  const planQuestion = planQuestionOf(question)
  const {evaluations, refusals} = legalDeployments(planQuestion)
  if (evaluations.length === 0) return {because: refusals[0]?.message ?? 'nothing can be started'}
  const closed = evaluations.map((evaluation) => closedLoop(evaluation, planQuestion, demand)).filter((carried) => carried !== undefined)
  if (closed.length === 0) {
    const alone = evaluations.map((evaluation) => pointAt(evaluation, loadOf(demand, {concurrency: 1}), planQuestion))
    return {
      nearest: alone.reduce((a, b) => (endToEndMs(b).high < endToEndMs(a).high ? b : a)),
      because: 'the limits are not kept even for one request at a time',
    }
  }
  const best = closed.sort((a, b) => cautiousRate(b) - cautiousRate(a)).slice(0, TRIED)
  const inFlight = demand.unit === 'users' && demand.thinkSeconds === undefined
  const carried = inFlight ? best : best.map(({point}) => openLoop(point.evaluation, planQuestion, question)).filter((found) => found !== undefined)
  if (carried.length === 0) return {because: 'the limits are not kept at any rate'}
  const first = carried.sort((a, b) => b.amount - a.amount)[0]!
  return demand.slo.percentile === undefined || !hasLimits(demand.slo) ? first : atPercentile(first, planQuestion, question)
}

export const isCarried = (found: Carried | CarriesNothing): found is Carried => 'amount' in found

function planQuestionOf({demand, machine, engines, calibration}: CarryQuestion): PlanQuestion {
  const {model, checkpoint, request, slo} = demand
  // Means keep limits before percentiles are looked at.
  return {
    model,
    checkpoint,
    machine,
    engines,
    request,
    workload: loadOf(demand, {}),
    objectives: {...slo, percentile: undefined},
    objective: 'throughput',
    calibration,
  }
}

const loadOf = ({inputTokens, outputTokens, prefixHitRate}: Demand, load: Pick<Workload, 'concurrency' | 'requestRate'>): Workload => ({
  inputTokens,
  outputTokens,
  ...load,
  ...(prefixHitRate !== undefined && {prefixHitRate}),
})

const cautiousRate = ({point}: Carried): number => point.performance.outputTokensPerSecond.low

/** Requests that the cache and the limits hold at once: beyond it more users only wait. */
function heldAtOnce({memory, deployment}: Standing, {inputTokens, outputTokens}: Demand): number {
  const each = Math.min(memory.requestsOfTokens(inputTokens + outputTokens), deployment.maxNumSeqs)
  return Math.max(1, Math.min(MOST_IN_FLIGHT, Math.floor(each) * deployment.dp))
}

/** Most requests in flight that keep the limits. */
function closedLoop(evaluation: Standing, question: PlanQuestion, demand: Demand): Carried | undefined {
  const held = heldAtOnce(evaluation, demand)
  const users = largest(held, (concurrency) => pointAt(evaluation, loadOf(demand, {concurrency}), question).meets, true)
  if (users === 0) return undefined
  const point = pointAt(evaluation, loadOf(demand, {concurrency: users}), question)
  return {
    point,
    amount: users,
    requestsPerSecond: point.performance.outputTokensPerSecond.estimate / demand.outputTokens,
    limitedBy: users >= held ? 'cache' : 'limits',
  }
}

/** People that a rate comes from: each is thinking or being answered (Little's law). */
export const peopleAt = (requestsPerSecond: number, thinkSeconds: number, point: PlanPoint): number =>
  requestsPerSecond * (thinkSeconds + endToEndMs(point).estimate / 1000)

function asCarried(point: PlanPoint, requestsPerSecond: number, limitedBy: CarryLimit, {unit, thinkSeconds}: Demand): Carried {
  return {point, requestsPerSecond, limitedBy, amount: unit === 'users' ? peopleAt(requestsPerSecond, thinkSeconds ?? 0, point) : requestsPerSecond}
}

/** Highest rate of independent arrivals that keeps the limits, and is below the asked share of saturation at its cautious end. */
function openLoop(evaluation: Standing, question: PlanQuestion, {demand, maxUtilisation}: CarryQuestion): Carried | undefined {
  const at = (requestRate: number) => pointAt(evaluation, loadOf(demand, {requestRate}), question)
  const most = plainRate(saturatedRate(evaluation, question, demand) * maxUtilisation)
  if (at(most).meets) return asCarried(at(most), most, 'utilisation', demand)
  let [low, high] = [0, most]
  for (let step = 0; step < RATE_STEPS; step++) {
    const middle = (low + high) / 2
    if (at(middle).meets) low = middle
    else high = middle
  }
  const rate = plainRate(low)
  return rate > 0 && at(rate).meets ? asCarried(at(rate), rate, 'limits', demand) : undefined
}

/** Four digits, rounded down: a rate that one can type. */
function plainRate(rate: number): number {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 3)
  return Number((Math.floor(rate / unit) * unit).toPrecision(4))
}

/** Requests a second at which the queue would grow without end, at the cautious end. */
export function saturatedRate(evaluation: Standing, question: PlanQuestion, demand: Demand): number {
  return pointAt(evaluation, loadOf(demand, {requestRate: 1e9}), question).performance.outputTokensPerSecond.low / demand.outputTokens
}

/** What the simulator is given in place of benchmark lengths; undefined where those are meant. */
function simulatedLoad(demand: Demand, amount: {users?: number; requestsPerSecond?: number}): Load | undefined {
  const {laws, trace} = demand
  // A trace's own arrivals are looked at with the number of machines; here its lengths at an even rate.
  const lengths = trace
    ? {
        input: {kind: 'observed' as const, tokens: trace.requests.map(({inputTokens}) => inputTokens)},
        output: {kind: 'observed' as const, tokens: trace.requests.map(({outputTokens}) => outputTokens)},
      }
    : laws
  if (!lengths) return undefined
  if (amount.users !== undefined) return {kind: 'closed-loop', concurrency: amount.users, requestCount: GENERATIONS * amount.users, ...lengths}
  return {kind: 'poisson', requestsPerSecond: amount.requestsPerSecond!, requestCount: SIMULATED_REQUESTS, ...lengths}
}

/** Less load, until the asked share of simulated requests keeps the limits. */
function atPercentile(found: Carried, question: PlanQuestion, {demand, calibration}: CarryQuestion): Carried | CarriesNothing {
  const {evaluation} = found.point
  const inFlight = typeof evaluation.workload?.concurrency === 'number'
  const at = (share: number): Carried => {
    const users = Math.max(1, Math.floor(found.amount * share))
    const rate = plainRate(found.requestsPerSecond * share)
    const point = pointAt(evaluation, loadOf(demand, inFlight ? {concurrency: users} : {requestRate: rate}), question)
    const tried = withTail(point, demand.slo, calibration, simulatedLoad(demand, inFlight ? {users} : {requestsPerSecond: rate}))
    const limitedBy = share === 1 ? found.limitedBy : 'percentile'
    const carried: Carried = inFlight
      ? {point: tried, amount: users, requestsPerSecond: point.performance.outputTokensPerSecond.estimate / demand.outputTokens, limitedBy}
      : asCarried(tried, rate, limitedBy, demand)
    return {...carried, shareWithinLimits: tried.tail!.shareWithinLimits}
  }
  const whole = at(1)
  if (whole.point.meets) return whole
  let best: Carried | undefined
  let [low, high] = [0, 1]
  for (let step = 0; step < PERCENTILE_STEPS; step++) {
    const middle = (low + high) / 2
    const tried = at(middle)
    if (tried.point.meets) {
      best = tried
      low = middle
    } else high = middle
  }
  return best ?? {nearest: whole.point, because: `the limits are not kept for ${demand.slo.percentile}% of simulated requests at any load`}
}

/** Share of a trace's requests within the limits when it is dealt out in turn over so many equal machines. */
export function traceShare({point}: Carried, demand: Demand, machines: number, speedUp: number, calibration: Calibration): PlanPoint {
  const requests = demand.trace!.requests.filter((_, index) => index % machines === 0).map((request) => ({...request, arrivalMs: request.arrivalMs / speedUp}))
  return withTail(point, demand.slo, calibration, {kind: 'trace', requests})
}
