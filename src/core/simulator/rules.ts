/** How a continuous-batching scheduler decides, free of any engine's name. */
export interface SchedulerRules {
  /** Prompts and decoding share a step within its token budget; otherwise steps with prompts go first and decoding waits for them. */
  mixedSteps: boolean
  /** A prompt larger than what is left of a step's budget is split; otherwise it waits for a step that it can have whole. */
  chunkedPrefill: boolean
  /**
   * Share of the tokens still to be generated, by everything running and the newcomer, that must find room in the cache before a request is
   * admitted. 0: only its prompt must fit and the latest is preempted when room runs out; 1: nobody is ever preempted.
   */
  reservedOutputShare: number
  /** Share of the cache that admissions leave free. */
  freeCacheShare: number
  /** Tokens of a cache block: room is taken block by block. */
  blockTokens: number
}

/** Admits as long as the prompt fits and preempts when room runs out. */
export const EAGER_RULES: SchedulerRules = {mixedSteps: true, chunkedPrefill: true, reservedOutputShare: 0, freeCacheShare: 0, blockTokens: 16}

/** Limits of one replica. */
export interface SchedulerLimits {
  maxNumSeqs: number
  /** Tokens of one step: of prompts and, with mixed steps, of decoding. */
  maxNumBatchedTokens: number
  /** Absent: no limit. */
  kvCacheTokens?: number
}

/** What lies between the client and the scheduler. */
export interface Delivery {
  /** From arrival to the scheduler. */
  requestMs: number
  requestMsPerInputToken: number
  /** Decode steps that pass from the end of the prompt to the delivery of the first token, with one request running, and how that grows: steps x running^growth. */
  firstTokenSteps: number
  firstTokenGrowth: number
  furtherFirstTokenSteps: number
  /** These steps are at most this share of the answer's tokens: a short answer is delivered when it ends. Absent: no bound. */
  mostFirstTokenShare?: number
  /** Tokens that can be streamed to clients; a step that yields more takes as long as they need. Absent: no limit. */
  tokensPerSecond?: number
}

export const IMMEDIATE: Delivery = {requestMs: 0, requestMsPerInputToken: 0, firstTokenSteps: 0, firstTokenGrowth: 0, furtherFirstTokenSteps: 0}

/** Speculative decoding in the mean: each step computes `1 + drafted` tokens of a sequence and yields `tokensPerStep` of them. */
export interface Drafting {
  drafted: number
  tokensPerStep: number
}
