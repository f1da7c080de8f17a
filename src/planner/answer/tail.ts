import type {Distribution} from '../../core/simulator/distribution.ts'
import type {Load} from '../../core/simulator/load.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Objectives} from '../scenario/index.ts'
import type {Evaluation} from './evaluation.ts'
import {endToEndMs, type Tail} from './limits.ts'
import {simulateEvaluation} from './simulate.ts'

/** The reported percentile that is at least as strict as the asked one. */
function atPercentile(distribution: Distribution | undefined, percentile: number, absent: number): number {
  if (distribution === undefined) return absent
  const {p50, p90, p95, p99, max} = distribution
  return percentile <= 50 ? p50 : percentile <= 90 ? p90 : percentile <= 95 ? p95 : percentile <= 99 ? p99 : max
}

/**
 * What a deployment's requests see at a percentile, by the simulator: as expected, and stretched by the width of the intervals, as if the
 * deployment were as slow as their far end. `load`: what arrives, where it is not as benchmarks draw it.
 * @throws Error where the evaluation has no load or no speed.
 */
export function tailOf(evaluation: Evaluation, objectives: Objectives, calibration: Calibration, load?: Load): Tail {
  const {performance, workload} = evaluation
  if (!performance || !workload) throw new Error('a percentile needs a load')
  const {ttftMs, tpotMs} = performance
  const percentile = objectives.percentile ?? 50
  const ends = endToEndMs(performance, workload)
  const stretch = {ttft: ttftMs.high / ttftMs.estimate, tpot: tpotMs.high / tpotMs.estimate, endToEnd: ends.high / ends.estimate}
  const scaled = (limit: number | undefined, by: number) => (limit === undefined ? undefined : limit / by)
  const {concurrency} = workload
  const simulated = simulateEvaluation(evaluation, workload, calibration, {
    latencyLimits: {ttftMs: objectives.ttftMs, tpotMs: objectives.tpotMs, endToEndMs: objectives.endToEndMs},
    stricterLimits: {
      ttftMs: scaled(objectives.ttftMs, stretch.ttft),
      tpotMs: scaled(objectives.tpotMs, stretch.tpot),
      endToEndMs: scaled(objectives.endToEndMs, stretch.endToEnd),
    },
    // The first requests arrive together, which no steady load does.
    ...(typeof concurrency === 'number' && {skipFirst: concurrency}),
    ...(load && {load}),
  })
  // Answers of one token have no time per further token.
  const first = atPercentile(simulated.ttftMs, percentile, ttftMs.estimate)
  const further = atPercentile(simulated.tpotMs, percentile, 0)
  const whole = atPercentile(simulated.endToEndMs, percentile, ends.estimate)
  return {
    ttftMs: first,
    tpotMs: further,
    endToEndMs: whole,
    shareWithinLimits: simulated.shareWithinLimits ?? 0,
    slow: {
      ttftMs: first * stretch.ttft,
      tpotMs: further * stretch.tpot,
      endToEndMs: whole * stretch.endToEnd,
      shareWithinLimits: simulated.shareWithinStricterLimits ?? 0,
    },
  }
}
