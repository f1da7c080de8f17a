import type {Reason, Term} from './terms.ts'

/** The memory budget of one replica, seen on its fullest GPU. */
export interface MemoryEstimate {
  /** What the device holds in all. */
  totalBytes: number
  /** What the engine may use of it. */
  budgetBytes: number
  /** Terms by what they belong to; the parts of the result are sums over these. */
  terms: (Term & {part: MemoryPart})[]
  /** Room left for the cache of tokens; negative when weights and overheads alone exceed the budget. */
  kvCacheBytes: number
  /** Room of a pool of states that is sized apart from the cache, where the engine has one. */
  statePoolBytes?: number
  /** Growing cache of one token of one sequence on one GPU. */
  kvBytesPerToken: number
  /** Recurrent state of one sequence on one GPU. */
  stateBytesPerSequence: number
  /** As the engine prints it at start. */
  kvCacheTokens: number
  maxConcurrencyAtMaxModelLen: number
  /**
   * The longest context that starts with everything else as it is, up to the model's limit; of an engine that starts with any
   * (`startsBeyond`), the longest that can be served. 0: none. Found when it is first asked for.
   */
  readonly largestMaxModelLen: number
  /** It comes up whatever context it is given, and refuses single requests that are too long for its cache. */
  startsBeyond?: boolean
  /** Most requests that may be allowed to run at once for it to start, where the engine sets such a limit. */
  largestMaxNumSeqs?: number
  /** Requests that can be in the cache at once, each of this many tokens. */
  requestsOfTokens(tokens: number): number
  /** Blocks of the cache on one GPU, where the engine cuts it into blocks that a request's state takes whole. */
  cacheBlocks?: number
  /** The engine comes up. false: the cache cannot hold what the engine insists on, or `startProblem` says why. */
  starts: boolean
  /** Standard deviation of what the engine holds besides, where it is not the engine's own: on a platform that was hardly measured. */
  spreadBytes?: number
  /** It fails for want of memory, before or after the cache is sized. */
  startProblem?: Reason
  /** It starts, but only just: what must stand beside the cache is short by less than its estimate errs. */
  withinError?: Reason
}

export type MemoryPart = 'weights' | 'activation' | 'cuda-graph' | 'runtime' | 'kv-cache' | 'state' | 'margin'

/** Room of everything that requests are kept in: what an error of the estimate is taken from. */
export const requestBytes = ({kvCacheBytes, statePoolBytes = 0}: Pick<MemoryEstimate, 'kvCacheBytes' | 'statePoolBytes'>): number =>
  kvCacheBytes + statePoolBytes
