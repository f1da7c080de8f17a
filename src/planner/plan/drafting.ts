import type {Speculation} from '../../core/deployment.ts'
import {draftingGain, performanceInput, standing} from '../answer/index.ts'
import {mostInFlight} from '../../core/throughput/drafting-pays.ts'
import {calibrationFor} from '../world/index.ts'
import type {PlanPoint} from './point.ts'
import type {PlanQuestion} from './search.ts'

/** A way to draft, weighed against none at the load of the best plan. */
export interface DraftingOption {
  speculative: Speculation
  /** Tokens a second with drafts over those without: above 1 it pays. */
  gain: number
  outputTokensPerSecond: number
  acceptance: number
  /** Where the acceptance comes from, in words. */
  source: string
  /** Most requests in flight at which it pays; 0: never. Absent: it pays at every load that runs at once, so that no load bounds it. */
  paysUntilConcurrency?: number
}

/** Tokens that are drafted at once: what makers recommend lies between these. */
const DRAFTED = [1, 3]

/** The model's own layers, and the drafts that are known for it. */
function methodsOf({evaluation: {model}}: Pick<PlanPoint, 'evaluation'>): string[] {
  const methods = new Set((model.drafts ?? []).map(({method}) => method))
  if (model.architecture.draft !== undefined) methods.add('mtp')
  return [...methods]
}

/** Ways to draft in the best plan, best first, one for each method. Empty where drafting was asked for: then the answer weighs it itself. */
export function draftingOptions(best: Pick<PlanPoint, 'evaluation'>, {request, calibration}: Pick<PlanQuestion, 'request' | 'calibration'>): DraftingOption[] {
  const {model, checkpoint, machine, engine, deployment, workload} = best.evaluation
  if (request.speculative !== undefined || !workload) return []
  const {tp, pp, dp, ep, dpAttention, kvCache, maxModelLen} = deployment
  const found = new Map<string, DraftingOption>()
  for (const method of methodsOf(best))
    for (const tokens of DRAFTED) {
      const asked = {...request, weights: undefined, tp, pp, dp, ep, dpAttention, kvCache, maxModelLen, speculative: {method, tokens}}
      const stood = standing({model, checkpoint, machine, engine, request: asked, workload})
      const speculative = stood.deployment.speculative
      if (stood.verdict !== 'fits' || !speculative) continue
      const input = performanceInput(stood, workload)
      const {drafted, gain, performance} = draftingGain(input, calibrationFor(calibration, input.engine, input.accelerator))
      const {speculation} = performance
      if (!speculation || gain <= (found.get(method)?.gain ?? 0)) continue
      const {acceptance, source, paysUntilConcurrency: until} = speculation
      const bounded = until < mostInFlight(input)
      found.set(method, {speculative, gain, outputTokensPerSecond: drafted, acceptance, source, ...(bounded && {paysUntilConcurrency: until})})
    }
  return [...found.values()].sort((a, b) => b.gain - a.gain)
}
