/**
 * Blocks of a paged cache. Decoding sequences grow in step, so they are counted by the remainder of their length: the blocks that the next
 * token needs are those of one remainder, whatever the number of sequences.
 */
export class CacheRoom {
  readonly blockTokens: number
  /** Infinity: no limit. */
  readonly totalBlocks: number
  used = 0
  /** Blocks that everything running will hold at its end. */
  peakAhead = 0
  readonly #growing: Int32Array

  constructor(blockTokens: number, cacheTokens: number | undefined) {
    this.blockTokens = Math.max(1, Math.round(blockTokens))
    this.totalBlocks = cacheTokens === undefined ? Infinity : Math.floor(cacheTokens / this.blockTokens)
    this.#growing = new Int32Array(this.blockTokens)
  }

  blocks(tokens: number): number {
    return Math.ceil(tokens / this.blockTokens)
  }

  /** A sequence of `tokens` begins to grow, one token with each of the clock. */
  startGrowing(tokens: number, clock: number): void {
    this.#growing[this.#fullAt(tokens, clock)]! += 1
  }

  /** It stops: `tokens` and `clock` as when it began, `grown` tokens later. Its further blocks are given back. */
  stopGrowing(tokens: number, clock: number, grown: number): void {
    this.#growing[this.#fullAt(tokens, clock)]! -= 1
    this.used -= this.blocks(tokens + grown) - this.blocks(tokens)
  }

  /** Blocks that all that grow need for the next tokens. */
  neededFor(tokens: number, clock: number): number {
    let blocks = 0
    for (let i = 0; i < tokens; i++) blocks += this.#growing[(clock + i) % this.blockTokens]!
    return blocks
  }

  /** Clock, modulo block, at which the blocks of a sequence are full and its next token needs one more. */
  #fullAt(tokens: number, clock: number): number {
    const remainder = (clock - tokens) % this.blockTokens
    return remainder < 0 ? remainder + this.blockTokens : remainder
  }
}
