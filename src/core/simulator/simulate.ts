import {type Distribution, distributionOf} from './distribution.ts'
import {type Load, requestsOf} from './load.ts'
import {rememberedClock} from './remembered-clock.ts'
import type {Records} from './records.ts'
import {serve} from './replica.ts'
import {type Delivery, type Drafting, EAGER_RULES, IMMEDIATE, type SchedulerLimits, type SchedulerRules} from './rules.ts'
import type {StepClock} from './step-clock.ts'

/** One replica under a load. */
export interface SimulationQuestion {
  clock: StepClock
  limits: SchedulerLimits
  load: Load
  /** Absent: `EAGER_RULES`. */
  rules?: SchedulerRules
  /** Absent: nothing stands between the client and the scheduler. */
  delivery?: Delivery
  drafting?: Drafting
  /** Share of each prompt found in the prefix cache, 0 to 1. */
  prefixHitRate?: number
  /** Requests, by order of arrival, that warm up and that only keep the load up until the measured ones are done: left out of every figure. */
  skipFirst?: number
  skipLast?: number
  /** What each request should keep to, for `shareWithinLimits`. */
  latencyLimits?: LatencyLimits
  /** A second set of limits, for `shareWithinStricterLimits`. */
  stricterLimits?: LatencyLimits
  seed?: number
  /** Every step timed by itself: some ten times slower, and within 0.1% the same. */
  exact?: boolean
}

/** Latency limits of each single request. */
export interface LatencyLimits {
  ttftMs?: number
  tpotMs?: number
  endToEndMs?: number
}

/** Figures of the measured requests; times are milliseconds, rates are per second of one replica. */
export interface SimulationResult {
  seed: number
  /** Requests that were measured, and those that were turned away because the cache could never hold one of them. */
  requestCount: number
  refusedCount: number
  /** From the first measured arrival to the end of the last answer, or to the first arrival that is measured no more. */
  windowMs: number
  ttftMs?: Distribution
  /** Time per output token after the first, of requests with more than one. */
  tpotMs?: Distribution
  endToEndMs?: Distribution
  /** Share of the measured requests, those turned away among them, that keep every latency limit of the question. */
  shareWithinLimits?: number
  shareWithinStricterLimits?: number
  /** Arrivals a second during the window, answers a second, tokens generated a second. */
  arrivalsPerSecond?: number
  requestsPerSecond: number
  outputTokensPerSecond: number
  inputTokensPerSecond: number
  utilisation: {
    /** Share of the window in which a step ran. */
    busyShare: number
    meanRunning: number
    peakRunning: number
    /** Absent where the cache has no limit. */
    meanCacheShare?: number
    peakCacheShare?: number
  }
  preemptionCount: number
  recomputedTokens: number
  queue: {
    meanWaiting: number
    peakWaiting: number
    /** Still waiting when the last request arrived: much more than the mean says that the load is too high. */
    waitingAtLastArrival: number
    /** From arrival to the step that first takes a request up. */
    waitMs?: Distribution
  }
  iterations: number
}

/** What happened to each request. */
export function recordsOf(question: SimulationQuestion): Records {
  const {clock, limits, load, seed = 0} = question
  return serve({
    requests: requestsOf(load, seed),
    clock: question.exact ? clock : rememberedClock(clock),
    limits,
    rules: question.rules ?? EAGER_RULES,
    delivery: question.delivery ?? IMMEDIATE,
    drafting: question.drafting ?? {drafted: 0, tokensPerStep: 1},
    prefixHitRate: question.prefixHitRate ?? 0,
    ...(load.kind === 'population' && {population: {people: Math.max(1, Math.round(load.people)), meanPauseMs: load.meanPauseMs}}),
    thinkMs: load.kind === 'closed-loop' ? (load.thinkMs ?? 0) : 0,
    skipFirst: question.skipFirst ?? 0,
    skipLast: question.skipLast ?? 0,
  })
}

/**
 * Serves a load step by step and measures what clients see. Deterministic: the same question gives the same answer. It does not
 * know of cache shared by requests, unequal ranks of data-parallel attention, or time between steps beyond what the clock holds.
 */
export function simulate(question: SimulationQuestion): SimulationResult {
  const records = recordsOf(question)
  const {latencyLimits, stricterLimits, seed = 0} = question
  return {
    ...summary(records, seed),
    shareWithinLimits: latencyLimits && shareWithin(records, latencyLimits),
    ...(stricterLimits && {shareWithinStricterLimits: shareWithin(records, stricterLimits)}),
  }
}

const tpotOf = (records: Records, id: number): number => (records.finishMs[id]! - records.firstTokenMs[id]!) / (records.outputTokens[id]! - 1)

/** Requests that were measured and answered. */
function* measured(records: Records): Generator<number> {
  for (let id = records.measuredFrom; id < records.measuredTo; id++) if (!records.refused[id]) yield id
}

function summary(records: Records, seed: number): SimulationResult {
  const ids = [...measured(records)]
  const several = ids.filter((id) => records.outputTokens[id]! > 1)
  const {fromMs, toMs, totalBlocks} = records
  const windowMs = Math.max(0, toMs - fromMs)
  const perSecond = (amount: number) => (windowMs > 0 ? (amount * 1000) / windowMs : 0)
  const share = (sum: number) => (windowMs > 0 ? sum / windowMs : 0)
  let answered = 0
  for (const finish of records.finishMs) if (finish > fromMs && finish <= toMs) answered += 1
  const lastArrival = records.arrivalMs[records.measuredTo - 1]! - fromMs
  const bounded = totalBlocks < Infinity
  return {
    seed,
    requestCount: ids.length,
    refusedCount: records.measuredTo - records.measuredFrom - ids.length,
    windowMs,
    ttftMs: distributionOf(ids.map((id) => records.firstTokenMs[id]! - records.arrivalMs[id]!)),
    tpotMs: distributionOf(several.map((id) => tpotOf(records, id))),
    endToEndMs: distributionOf(ids.map((id) => records.finishMs[id]! - records.arrivalMs[id]!)),
    arrivalsPerSecond: lastArrival > 0 ? ((records.measuredTo - records.measuredFrom - 1) * 1000) / lastArrival : undefined,
    requestsPerSecond: perSecond(answered),
    outputTokensPerSecond: perSecond(records.outputTokensInWindow),
    inputTokensPerSecond: perSecond(records.promptTokensInWindow),
    utilisation: {
      busyShare: share(records.busyMs),
      meanRunning: share(records.runningMs),
      peakRunning: records.peakRunning,
      meanCacheShare: bounded ? share(records.blockMs) / totalBlocks : undefined,
      peakCacheShare: bounded ? records.peakBlocks / totalBlocks : undefined,
    },
    preemptionCount: records.preemptions,
    recomputedTokens: records.recomputedTokens,
    queue: {
      meanWaiting: share(records.waitingMs),
      peakWaiting: records.peakWaiting,
      waitingAtLastArrival: records.waitingAtLastArrival,
      waitMs: distributionOf(ids.map((id) => records.startMs[id]! - records.arrivalMs[id]!)),
    },
    iterations: records.iterations,
  }
}

function shareWithin(records: Records, limits: LatencyLimits): number {
  const all = records.measuredTo - records.measuredFrom
  if (all === 0) return 1
  let kept = 0
  for (const id of measured(records)) {
    const ttft = records.firstTokenMs[id]! - records.arrivalMs[id]!
    const endToEnd = records.finishMs[id]! - records.arrivalMs[id]!
    const tpot = records.outputTokens[id]! > 1 ? tpotOf(records, id) : 0
    if (ttft <= (limits.ttftMs ?? Infinity) && tpot <= (limits.tpotMs ?? Infinity) && endToEnd <= (limits.endToEndMs ?? Infinity)) kept += 1
  }
  return kept / all
}
