/** Weights that stay in the host's memory, and what reading them from there costs a step. */
import type {Work} from './work.ts'

/**
 * How a step gets at them. `in-place`: kernels read what they use over the link, so of experts only those that are chosen. `copied`: all of a layer's
 * before it runs. `ahead`: all of them, while other layers run.
 */
export type OffloadReading = 'in-place' | 'copied' | 'ahead'

export interface Offload {
  /** Of one rank of one stage. */
  bytes: number
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

/** Bytes of all layers' weights on one rank of a pipeline, all its stages together: engines offload layers, and neither embedding nor head. */
export const layerWeightBytes = ({products, experts}: Pick<Work, 'products' | 'experts'>): number =>
  products.reduce((sum, {times, bytes}) => sum + times * bytes, 0) +
  experts.reduce((sum, {times, expertCount, expertParallel, bytesPerExpert}) => sum + (times * expertCount * bytesPerExpert) / expertParallel, 0)

/** The share of the layers that stays in host memory. */
export const offloadedShare = ({bytes, stages}: Pick<Offload, 'bytes' | 'stages'>, work: Pick<Work, 'products' | 'experts'>): number =>
  Math.min(1, (bytes * stages) / layerWeightBytes(work))

/**
 * Seconds of one step that one rank reads over the link. `touchedBytes`: the weights that kernels read in this step, dense ones and experts
 * that some token chose.
 */
export function hostLinkSeconds(offload: Offload, work: Pick<Work, 'products' | 'experts'>, touchedBytes: number): number {
  const share = offloadedShare(offload, work)
  const bytes = share * (offload.reading === 'in-place' ? touchedBytes : layerWeightBytes(work))
  return bytes / offload.bytesPerSecond
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
 * What reaches the card of a link's rate. Pinned memory over PCIe 3.0 x16: 11.3 of 15.75 GB/s (lvyufeng/PocketLLM#156, RTX 2080 Ti), 0.72; read in place over
 * NVLink-C2C about 365 of 450 GB/s, 0.8 (vllm-project/vllm#34535, from its 15 tokens a second and the weights that one token reads); copied weights of a
 * Llama-2-13B, 5 GiB in 0.39 s over PCIe 4.0 x16, 0.44 (dphnAI/sonar#598, RTX 4090, an older copy).
 */
const LINK_SHARE = 0.72
/** What many readers get of the rated bandwidth of the host's memory. Assumed. */
const MEMORY_SHARE = 0.8
/** Of times with offloaded weights, on top of the estimate's own: the three figures above lie 0.6 to 1.1 times where the share puts them, and no sweep exists. */
export const OFFLOAD_SPREAD = 0.4
