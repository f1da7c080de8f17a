import type {Interval} from '../../core/terms.ts'

/** What is told of a model that embeds or ranks, in the place of a speed of answers. */
export interface PoolingAnswer {
  task: 'embed' | 'rerank'
  /** Smallest share of memory with which the engine would start with this context; absent where none does. */
  leastGpuMemoryUtilization?: number
  /** Tokens and texts of one step. */
  batchTokens: number
  batchTexts: number
  /** One text of the asked length alone, from arrival to its vector. */
  latencyMs?: Interval
  /** With full batches of texts of the asked length. */
  inputTokensPerSecond?: Interval
  textsPerSecond?: Interval
}
