import {benchmarkLengths, type LengthLaw, type Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {hasLimits, simulateEvaluation} from '../answer/index.ts'
import {endToEndMs} from '../plan/index.ts'
import type {Demand} from './demand.ts'
import type {End} from './limits.ts'
import type {LoadPoint} from './points.ts'
import type {Carries} from './question.ts'

const SIMULATED_REQUESTS = 2000
/** Requests in a row for each one in flight; of people who pause so many more come before the first that counts, for nobody is in flight at the start. */
const GENERATIONS = 10
export const WARM_UP = 2
const PEOPLE_GENERATIONS = 4

/** Share of requests that must keep the limits; undefined: their mean must. */
export const askedShare = ({slo}: Demand): number | undefined => (slo.percentile === undefined || !hasLimits(slo) ? undefined : slo.percentile / 100)

/** Share of simulated requests that keep every limit: as the estimate has it, or each slowed down by the width of its interval. */
export function simulatedShare(
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

export function simulatedLoad(demand: Demand, amount: {users?: number; requestsPerSecond?: number}): Load | undefined {
  const lengths = lengthsOf(demand)
  if (!lengths) return undefined
  if (amount.users !== undefined) return {kind: 'closed-loop', concurrency: amount.users, requestCount: GENERATIONS * amount.users, ...lengths}
  return {kind: 'poisson', requestsPerSecond: amount.requestsPerSecond!, requestCount: SIMULATED_REQUESTS, ...lengths}
}

export function populationLoad(demand: Demand, people: number, busy: number): Load {
  const lengths = lengthsOf(demand) ?? {input: benchmarkLengths(demand.inputTokens), output: benchmarkLengths(demand.outputTokens)}
  const requestCount = WARM_UP * busy + Math.max(SIMULATED_REQUESTS, PEOPLE_GENERATIONS * busy)
  return {kind: 'population', people, meanPauseMs: 1000 * (demand.thinkSeconds ?? 0), requestCount, ...lengths}
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

/** Share of a trace's requests within the limits when it is dealt out in turn over so many equal machines. */
export function traceShare({point}: Carries, demand: Demand, machines: number, speedUp: number, calibration: Calibration, end: End): number {
  const requests = demand.trace!.requests.filter((_, index) => index % machines === 0).map((request) => ({...request, arrivalMs: request.arrivalMs / speedUp}))
  return simulatedShare(point, demand, calibration, end, {kind: 'trace', requests})
}
