/** Weights that stay in the host's memory, and what reading them from there costs a step. */
import type {Work} from './work.ts'

/**
 * How a step gets at them. `in-place`: kernels read what they use over the link, so of experts only those that are chosen. `copied`: all of a layer's
 * before it runs. `ahead`: all of them, while other layers run.
 */
export type OffloadReading = 'in-place' | 'copied' | 'ahead'

/** Of the breakdown: what is read over the link to the host. */
export const HOST_LINK_TERM = 'weights from host memory'

export interface Offload {
  /** Of one rank of one stage. */
  bytes: number
  /** What may be offloaded; absent: all that the layers hold, the first ones first. */
  of?: 'experts'
  reading: OffloadReading
  /** What one rank reads from the host's memory while all do. */
  bytesPerSecond: number
  /** What the data sheet says of that: no interval goes beyond it. */
  ratedBytesPerSecond: number
  /** Pipeline stages, which follow each other in a step. */
  stages: number
  /** Standard deviation (logarithmic) of times. */
  spread: number
}

/** Bytes of weights by kind: those of all tokens, and those of experts. */
export interface WeightRead {
  dense: number
  experts: number
}

/** Bytes of all layers' weights on one rank of a pipeline, all its stages together: engines offload layers, and neither embedding nor head. */
export const layerWeights = ({products, experts}: Pick<Work, 'products' | 'experts'>): WeightRead => ({
  dense: products.reduce((sum, {times, bytes}) => sum + times * bytes, 0),
  experts: experts.reduce((sum, {times, expertCount, expertParallel, bytesPerExpert}) => sum + (times * expertCount * bytesPerExpert) / expertParallel, 0),
})

const bytesOf = ({dense, experts}: WeightRead, of: Offload['of']): number => (of === 'experts' ? experts : dense + experts)

/** Seconds of one step that one rank reads over the link. `held`: the weights that there are, `touched`: what kernels read of them in this step, of experts those that some token chose. */
export function hostLinkSeconds({bytes, stages, of, reading, bytesPerSecond}: Offload, held: WeightRead, touched: WeightRead): number {
  const all = bytesOf(held, of)
  if (all <= 0) return 0
  const share = Math.min(1, (bytes * stages) / all)
  return (share * (reading === 'in-place' ? bytesOf(touched, of) : all)) / bytesPerSecond
}

/**
 * A rank's share of what links and host memory allow: each rank has a link of its own, the host's memory serves all of them.
 * `rated` figures are those of data sheets; see the shares for what programs get.
 */
export function hostReadRate(
  {linkBytesPerSecond: link, memoryBytesPerSecond: memory}: {linkBytesPerSecond: number; memoryBytesPerSecond?: number},
  ranks: number,
): Pick<Offload, 'bytesPerSecond' | 'ratedBytesPerSecond'> {
  const each = memory === undefined ? Number.POSITIVE_INFINITY : memory / Math.max(1, ranks)
  return {bytesPerSecond: Math.min(link * LINK_SHARE, each * MEMORY_SHARE), ratedBytesPerSecond: Math.min(link, each)}
}

/** Seconds of a step that the rated link alone takes: no estimate, not even the fast end of an interval, is below. */
export function leastHostLinkSeconds({reading, bytesPerSecond, ratedBytesPerSecond}: Offload, step: {hostLink: number; host: number; total: number}): number {
  if (step.hostLink <= 0) return 0
  const crossing = reading === 'ahead' ? step.total - step.host : step.hostLink
  return (crossing * bytesPerSecond) / ratedBytesPerSecond
}

/**
 * What reaches the card of a link's rate. Read in place by vLLM: 0.70 from 1.65 tokens a second of Qwen2-7B, all layers over PCIe 4.0 x16 (r/Vllm 2025-11, RTX
 * 4090); about 0.8 over NVLink-C2C (vllm-project/vllm#34535, one GB300, Kimi-K2-Thinking, 15 tokens a second). Pinned copies: 0.72 over PCIe 3.0 x16 (11.3 of 15.75 GB/s,
 * lvyufeng/PocketLLM#156), 0.76 over PCIe 4.0 x16 (24 GB/s, turboderp-org/exllamav3#392), 0.44 by an older copy of all of a module (dphnAI/sonar#598).
 */
const LINK_SHARE = 0.72
/** What many readers get of the rated bandwidth of the host's memory. Assumed. */
const MEMORY_SHARE = 0.8
/** Of times with offloaded weights, on top of the estimate's own: the figures above lie 0.6 to 1.1 times where the share puts them, and no sweep exists. */
export const OFFLOAD_SPREAD = 0.4
