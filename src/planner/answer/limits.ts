/** Latency limits beside what a deployment reaches: the estimate decides, the far end of its interval is told. */
import type {Workload} from '../../core/deployment.ts'
import {durationInWords, readsAs} from '../../core/words.ts'
import type {Performance} from '../../core/throughput/input.ts'
import type {Objectives} from '../scenario/index.ts'

/** Latencies at the asked percentile, from the simulator. */
export interface Tail {
  ttftMs: number
  tpotMs: number
  endToEndMs: number
  /** Share of simulated requests that keep all limits. */
  shareWithinLimits: number
  /** The same if the deployment is as slow as the far end of its intervals. */
  slow: {ttftMs: number; tpotMs: number; endToEndMs: number; shareWithinLimits: number}
}

/** One limit with what is reached: expected, and at the slow end of the interval. */
export interface Reached {
  name: 'ttftMs' | 'tpotMs' | 'endToEndMs'
  limit: number
  estimate: number
  high: number
}

/** Mean time from arrival to the last token: estimate, and the slow end of both parts. */
export function endToEndMs({ttftMs, tpotMs}: Performance, workload: Pick<Workload, 'outputTokens'> | undefined): {estimate: number; high: number} {
  const further = Math.max(0, (workload?.outputTokens ?? 1) - 1)
  return {estimate: ttftMs.estimate + further * tpotMs.estimate, high: ttftMs.high + further * tpotMs.high}
}

export const hasLimits = ({ttftMs, tpotMs, endToEndMs}: Objectives): boolean => ttftMs !== undefined || tpotMs !== undefined || endToEndMs !== undefined

/** Every limit with what is reached, at the percentile where a tail is given, else in the mean. */
export function reachedLimits(performance: Performance, workload: Workload | undefined, objectives: Objectives, tail?: Tail): Reached[] {
  const whole = endToEndMs(performance, workload)
  const expected = tail ?? {ttftMs: performance.ttftMs.estimate, tpotMs: performance.tpotMs.estimate, endToEndMs: whole.estimate}
  const slow = tail?.slow ?? {ttftMs: performance.ttftMs.high, tpotMs: performance.tpotMs.high, endToEndMs: whole.high}
  return (['ttftMs', 'tpotMs', 'endToEndMs'] as const).flatMap((name) => {
    const limit = objectives[name]
    return limit === undefined ? [] : [{name, limit, estimate: expected[name], high: slow[name]}]
  })
}

/** How far beyond the limits: at most 1 where all are kept, 0 where there is none. `slow`: at the slow end of the intervals. */
export function excessOf(performance: Performance, workload: Workload | undefined, objectives: Objectives, tail?: Tail): {estimate: number; slow: number} {
  const all = reachedLimits(performance, workload, objectives, tail)
  return {
    estimate: Math.max(0, ...all.map(({limit, estimate}) => estimate / limit)),
    slow: Math.max(0, ...all.map(({limit, high}) => high / limit)),
  }
}

/** Whether the limits are kept: as expected, and even at the slow end. At a percentile all of them together must be. */
export function keepsLimits(performance: Performance, workload: Workload | undefined, objectives: Objectives, tail?: Tail): {estimate: boolean; slow: boolean} {
  if (!hasLimits(objectives)) return {estimate: true, slow: true}
  if (tail && objectives.percentile !== undefined) {
    const share = objectives.percentile / 100
    return {estimate: tail.shareWithinLimits >= share, slow: tail.slow.shareWithinLimits >= share}
  }
  const {estimate, slow} = excessOf(performance, workload, objectives, tail)
  return {estimate: estimate <= 1, slow: slow <= 1}
}

const NAMES = {ttftMs: 'first token', tpotMs: 'time per token', endToEndMs: 'whole answer'}

/** `first token 1.2 s expected, up to 4.5 s; the limit is 2 s`. */
export const reachedInWords = ({name, limit, estimate, high}: Reached): string =>
  `${NAMES[name]} ${apart(estimate, limit)} expected, up to ${apart(high, limit)}; the limit is ${durationInWords(limit)}`

/** A duration that reads like the limit, and is beyond it, says so. */
const apart = (value: number, limit: number): string =>
  `${value > limit && readsAs(durationInWords(value), durationInWords(limit)) ? 'just over ' : ''}${durationInWords(value)}`
