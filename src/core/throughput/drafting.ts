/** Speculative decoding as the speed model sees it: drafts are made by a small model or by lookup, and checked in one step of the model. */
import type {Architecture} from '../architecture.ts'
import type {Checkpoint} from '../model.ts'

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
  /** What the host does for each pass of the drafter beside launching its kernels, while the device waits. */
  hostSecondsPerPass?: number
  /** What the host does once in a step that checks drafts, while the device waits, beyond what it does in a step without. */
  hostSecondsPerStep?: number
  /** One block of threads walks the whole context of a sequence: seconds for each token of it in each layer, whatever the batch. */
  secondsPerContextToken?: number
  /** What spares it that, as an option of servefit. Absent: nothing known. */
  walkRemedy?: string
}

/** Tokens that a step with drafts yields when each is accepted with chance `p`: 1 + p + ... + p^k = (1 - p^(k+1)) / (1 - p) (arXiv 2211.17192, equation 1). */
export const tokensPerStep = (p: number, drafted: number): number => (p >= 1 ? drafted + 1 : (1 - p ** (drafted + 1)) / (1 - p))
