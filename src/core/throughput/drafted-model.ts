/** A target and its drafter, stepped as one. */
import type {Drafting} from './drafting.ts'
import type {StepModel, StepState, StepTime} from './step.ts'

/** Parts of two times, added. */
const plus = (a: StepTime, b: StepTime, times: number): StepTime => ({
  ...a,
  drafts: a.drafts + times * (b.total - b.host),
  host: a.host,
  memory: a.memory + times * b.memory,
  compute: a.compute + times * b.compute,
  total: a.total + times * (b.total - b.host),
})

/**
 * A deployment that drafts, made ready for stepping. A step checks 1 + k tokens of each sequence in the target (which reads the cache once for
 * all of them, and every expert that any of them is sent to), and runs the drafter k times, or once for a block. Through pipeline stages
 * the drafter sits on the last, so that all wait for it.
 */
export function draftedModel(target: StepModel, drafting: Drafting, drafterModel: StepModel | undefined, hostSecondsPerPass: number): StepModel {
  const {tokens, drafter, verification} = drafting
  const {stages} = target

  function time(state: StepState): StepTime {
    const sequences = state.decodeSequences / stages
    const waited = sequences > 0 ? (verification?.hostSecondsPerStep ?? 0) : 0
    const checked = target.time({...state, tokensPerSequence: 1 + tokens})
    const verified = {...checked, host: checked.host + waited, total: checked.total + waited}
    if (!drafter || !drafterModel) return verified
    const one = {...state, decodeSequences: sequences}
    // A chain's first pass takes what the last step accepted, at most all of it; the drafter reads prompts too.
    let whole = plus(verified, drafterModel.time({...one, tokensPerSequence: 1 + tokens}), stages)
    if (sequences > 0 && drafter.passes > 1)
      whole = plus(whole, drafterModel.time({...one, promptTokens: 0, promptSequences: 0, promptContextTokens: 0}), stages * (drafter.passes - 1))
    const launched = sequences > 0 ? stages * drafter.passes * hostSecondsPerPass : 0
    return {...whole, drafts: whole.drafts + launched, total: whole.total + launched}
  }
  return {...target, time}
}
