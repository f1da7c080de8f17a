/** Whether drafting pays, and what the answer says of it. */
import type {Deployment, Workload} from '../../core/deployment.ts'
import type {Warning} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {withoutDrafts} from '../../core/throughput/drafting-pays.ts'
import type {Performance, PerformanceInput} from '../../core/throughput/input.ts'
import {performance} from '../../core/throughput/performance.ts'

/** The same deployment with its drafts and without, under the same load. */
export interface DraftingGain {
  /** Tokens a second: of the whole deployment, or of one user where requests arrive at a rate that is kept either way. */
  drafted: number
  plain: number
  /** drafted / plain: above 1 it pays. */
  gain: number
  /** Of the drafting deployment. */
  performance: Performance
}

const rateOf = (speed: Performance, {requestRate, concurrency}: Workload): number =>
  requestRate !== undefined && concurrency === undefined ? 1000 / speed.tpotMs.estimate : speed.outputTokensPerSecond.estimate

/**
 * Drafting weighed against none, for an evaluation that drafts: `performanceInput(evaluation, workload)` is the question. Both have the same
 * cache, which without a draft would be a little larger.
 */
export function draftingGain(input: PerformanceInput, calibration: Calibration, drafted: Performance = performance(input, calibration)): DraftingGain {
  const [with_, without] = [drafted, performance(withoutDrafts(input), calibration)].map((speed) => rateOf(speed, input.workload))
  return {drafted: with_!, plain: without!, gain: with_! / without!, performance: drafted}
}

const plain = (value: number): string => String(Number(value.toPrecision(3)))

/** Drafts that cost more than they save, and how a given or an assumed acceptance was understood. */
export function speculationWarnings(
  {speculative, acceptance}: Deployment,
  given: number | undefined,
  input: PerformanceInput,
  speed: Performance,
  calibration: Calibration,
): Warning[] {
  const {drafting} = input
  if (!speculative || !drafting) return []
  const {tokens} = speculative
  const length = plain(drafting.tokensPerStep)
  const understood = `${plain((drafting.tokensPerStep - 1) / tokens)} of ${tokens} drafted token${tokens === 1 ? '' : 's'}, ${length} tokens a step`
  const warnings: Warning[] = [
    acceptance === undefined
      ? {code: 'acceptance-assumed', message: `${understood}: ${drafting.source.replace(/^assumed: /, '')}; give your own with --acceptance`}
      : {
          code: 'acceptance-understood',
          message: `acceptance ${given ?? acceptance} is taken as ${(given ?? acceptance) > 1 ? 'the mean accepted length' : 'the accepted share'}: ${understood}`,
        },
  ]
  if (drafting.verification?.outsideGraphs !== undefined) warnings.push({code: 'drafts-outside-graphs', message: drafting.verification.outsideGraphs})
  const {drafted, plain: without, gain} = draftingGain(input, calibration, speed)
  const {walkRemedy} = drafting.verification ?? {}
  const walk = walkRemedy === undefined ? '' : `; attention takes long to check several tokens over such a context with this cache: ${walkRemedy} may help`
  if (gain < 1)
    warnings.push({
      code: 'speculation-slower',
      message: `drafting is slower here: ${plain(drafted)} tok/s with ${speculative.method}:${tokens}, ${plain(without)} without${walk}`,
    })
  return warnings
}
