/** Speculative decoding as the speed model sees it: drafts are made by a small model or by lookup, and checked in one step of the model. */
import type {Architecture} from '../architecture.ts'
import type {Checkpoint} from '../model.ts'
import type {StepModel, StepState, StepTime} from './step.ts'

/** A model that drafts on the same ranks as its target. */
export interface Drafter {
  architecture: Architecture
  checkpoint: Checkpoint
  /** Its runs in one step: one for each drafted token, or a single one for a block. */
  passes: number
  /** All tokens of a step in each pass (a block), or the accepted ones in the first and one in the others (a chain). */
  block: boolean
  /** Kernels around and in each pass that the host launches one by one: 0 where the whole chain is one captured graph. */
  hostKernels: number
}

export interface Drafting {
  /** Drafted in each step. */
  tokens: number
  /** Mean accepted length: tokens that a step yields, the model's own included. */
  tokensPerStep: number
  /** Standard deviation of its logarithm; 0 where it was given. */
  spread: number
  /** How the length is known, in words, and where it was published. */
  source: string
  published: string[]
  /** Absent: drafts are looked up in the text, which takes no time worth counting. */
  drafter?: Drafter
  /** How the engine's attention takes several tokens of a sequence at once. Absent: as well as one. */
  verification?: Verification
}

export interface Verification {
  /** Attention and state kernels stand outside the captured graphs: the host launches them one by one. What becomes of it, in words. */
  outsideGraphs?: string
  /** One block of threads walks the whole context of a sequence: seconds for each token of it in each layer, whatever the batch. */
  secondsPerContextToken?: number
}

/** Tokens that a step with drafts yields when each is accepted with chance `p`: 1 + p + ... + p^k = (1 - p^(k+1)) / (1 - p) (arXiv 2211.17192, equation 1). */
export const tokensPerStep = (p: number, drafted: number): number => (p >= 1 ? drafted + 1 : (1 - p ** (drafted + 1)) / (1 - p))

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
  const {tokens, drafter} = drafting
  const {stages} = target

  function time(state: StepState): StepTime {
    const verified = target.time({...state, tokensPerSequence: 1 + tokens})
    if (!drafter || !drafterModel) return verified
    const sequences = state.decodeSequences / stages
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
