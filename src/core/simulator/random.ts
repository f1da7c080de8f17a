/** A stream of numbers that its seed determines. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number
  /** Exponential with mean 1. */
  exponential(): number
  /** Standard normal. */
  normal(): number
}

/** One output of SplitMix32 and the state after it: spreads a small seed over 32 bits. */
function splitMix(state: number): number {
  let z = state | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** Whole numbers of 32 bits by xoshiro128** 1.1 (Blackman and Vigna, prng.di.unimi.it), from a state that is not all zero. */
export function xoshiro128(state: readonly [number, number, number, number]): () => number {
  let [a, b, c, d] = state
  return () => {
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = rotated(d, 11)
    return result
  }
}

/** The stream of a seed, its state filled by SplitMix32. `stream` gives independent ones, so that changing what one is used for leaves the others alone. */
export function randomOf(seed: number, stream = 0): Random {
  let counter = (Math.trunc(seed) + Math.imul(stream + 1, 0x51ed270b)) | 0
  const fill = (): number => {
    counter = (counter + 0x9e3779b9) | 0
    return splitMix(counter)
  }
  const next = xoshiro128([fill(), fill(), fill(), fill() || 1])
  const uniform = (): number => next() / 0x1_0000_0000
  const exponential = (): number => -Math.log(1 - uniform())
  // Box and Muller (1958). The second deviate is thrown away: nothing is kept between draws.
  const normal = (): number => Math.sqrt(2 * exponential()) * Math.cos(2 * Math.PI * uniform())
  return {uniform, exponential, normal}
}
