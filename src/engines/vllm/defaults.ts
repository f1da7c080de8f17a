/**
 * What vLLM chooses when an option is unset, for the OpenAI server (`vllm serve`).
 *
 * Read in the source distributions of the releases 0.8.0 to 0.33.0: vllm/engine/arg_utils.py, vllm/config.py (later
 * vllm/config/*.py), vllm/envs.py. Each rule names the first release that has it. Releases 0.8 to 0.10 fall back to an
 * older engine (V0) below compute capability 8.0; its defaults are not covered.
 */
import type {MachineGpu} from '../../core/accelerator.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import type {Model} from '../../core/model.ts'
import {isAtLeast} from '../versions.ts'

const GIB = 1024 ** 3

/** Names of a GPU, as its driver might print them, in lower case. */
const namesOf = (gpu: MachineGpu): string => [gpu.accelerator.id, gpu.accelerator.name, ...gpu.accelerator.aliases].join(' ').toLowerCase()

/**
 * Default of `gpu_memory_utilization`, a fraction of the device's total memory: 0.92 from 0.20.0, 0.90 before
 * (CacheConfig; 0.19.0 has 0.9, 0.20.0 has 0.92).
 */
export const gpuMemoryUtilization = (version: string): number => (isAtLeast(version, '0.20.0') ? 0.92 : 0.9)

/** First release seen that looks at what is free before it starts (vllm/v1/worker/gpu_worker.py init_device, 0.9.1; v1/worker/utils.py request_memory, 0.28.0). */
export const LOOKS_AT_FREE_SINCE = '0.9.1'

export interface BatchLimits {
  maxNumBatchedTokens: number
  maxNumSeqs: number
}

/**
 * Limits by device before they are capped (EngineArgs.get_batch_defaults, earlier _set_default_args_v1).
 * - 0.28.0: at least 160 GiB of total memory: 16,384 tokens and 1,024 sequences; earlier releases have no such step.
 * - 0.8.5: at least 70 GiB: 8,192 and 1,024; from 0.9.0 not for an A100.
 * - before: an H100 or H200 by name: 8,192; 1,024 sequences on all (from 0.8.4 256 on the others).
 * - before 0.8.0, whose default was the first engine: 2,048 (at least: whole prompts go at once) and 256 (vllm/config.py SchedulerConfig, vllm/engine/arg_utils.py).
 * - a CPU (0.20.0 to 0.33.0): 2,048 tokens and 128 sequences for each rank of a replica.
 * - everything else: 2,048 and 256. So have NVIDIA devices that share the system's memory: NVML names no size for them, and up to 0.32.0 the
 *   engine takes that for none (get_batch_defaults catches the error). 0.33.0 asks the CUDA runtime then (platforms/cuda.py
 *   get_device_total_memory), and keeps compute capability 12.1 on the small tier by name ("GB10 has the memory but not the compute").
 */
export function batchDefaults(version: string, gpu: MachineGpu, ranks = 1): BatchLimits {
  if (gpu.accelerator.vendor === 'cpu') return {maxNumBatchedTokens: 2048 * ranks, maxNumSeqs: 128 * ranks}
  const {vendor, unifiedMemory, computeCapability} = gpu.accelerator
  const hasNoSize = vendor === 'nvidia' && unifiedMemory && !isAtLeast(version, '0.33.0')
  const memoryBytes = hasNoSize ? 0 : gpu.memoryBytes
  const names = namesOf(gpu)
  if (isAtLeast(version, '0.28.0') && memoryBytes >= 160 * GIB) return {maxNumBatchedTokens: 16384, maxNumSeqs: 1024}
  if (!isAtLeast(version, '0.8.0')) return {maxNumBatchedTokens: 2048, maxNumSeqs: 256}
  if (!isAtLeast(version, '0.8.5')) {
    const large = names.includes('h100') || names.includes('h200')
    const maxNumSeqs = large || !isAtLeast(version, '0.8.4') ? 1024 : 256
    return {maxNumBatchedTokens: large ? 8192 : 2048, maxNumSeqs}
  }
  const excluded = (isAtLeast(version, '0.9.0') && names.includes('a100')) || (vendor === 'nvidia' && computeCapability === 12.1)
  if (memoryBytes >= 70 * GIB && !excluded) return {maxNumBatchedTokens: 8192, maxNumSeqs: 1024}
  return {maxNumBatchedTokens: 2048, maxNumSeqs: 256}
}

export interface SchedulerQuestion {
  version: string
  gpu: MachineGpu
  /** Tokens; the model's own limit where none was given. */
  maxModelLen: number
  maxNumSeqs?: number
  maxNumBatchedTokens?: number
  /** Encoder-decoder and some pooling models cannot prefill in chunks. Default: they can. */
  chunkedPrefill?: boolean
  /** Ranks that share a replica: limits of a CPU grow with them. Default: 1. */
  ranks?: number
  /** Tokens of the largest image or clip, for models that attend over it in both directions and never split it (Gemma 3 and 4). */
  unsplittableItemTokens?: number
}

/**
 * `max_num_batched_tokens` and `max_num_seqs` as the server ends up with.
 *
 * From 0.11.1 a default number of tokens is at most sequences x max_model_len, and a default number of sequences at
 * most the tokens; from 0.22.0 an item that may not be split raises the tokens. Without chunked prefill the tokens
 * are at least max_model_len (before 0.11.1 exactly that).
 */
export function schedulerDefaults(question: SchedulerQuestion): BatchLimits {
  const {version, gpu, maxModelLen, chunkedPrefill = true} = question
  const defaults = batchDefaults(version, gpu, question.ranks)
  const capped = isAtLeast(version, '0.11.1')
  let tokens = question.maxNumBatchedTokens ?? defaults.maxNumBatchedTokens
  let seqs = question.maxNumSeqs ?? defaults.maxNumSeqs
  if (question.maxNumBatchedTokens === undefined) {
    if (!chunkedPrefill) tokens = capped ? Math.max(maxModelLen, tokens) : maxModelLen
    if (isAtLeast(version, '0.22.0')) tokens = Math.max(tokens, question.unsplittableItemTokens ?? 0)
    if (capped) tokens = Math.min(seqs * maxModelLen, tokens)
  }
  if (question.maxNumSeqs === undefined && capped) seqs = Math.min(seqs, tokens)
  return {maxNumBatchedTokens: tokens, maxNumSeqs: seqs}
}

/** Of an item that no step may split; 0 where none is taken. */
export function unsplittableItemTokens({architecture}: Pick<Model, 'architecture'>, multimodal: DeploymentRequest['multimodal']): number {
  if (multimodal?.languageOnly) return 0
  return Math.max(0, ...(architecture.encoders ?? []).map(({unsplitItemTokens = 0}) => unsplitItemTokens))
}

export interface GraphQuestion {
  version: string
  gpu: MachineGpu
  maxNumSeqs: number
  maxNumBatchedTokens: number
  /** Draft tokens for each step; 0 without speculation. */
  speculativeTokens?: number
  enforceEager?: boolean
  /** Given by hand: the largest size, the sizes themselves, `mode: none` for none. */
  graphs?: {maxBatch?: number; sizes?: readonly number[]; mode?: string}
}

const range = (from: number, to: number, step: number): number[] => {
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

/**
 * Batch sizes, in tokens of a step, for which a CUDA graph is captured; ascending, empty when graphs are off
 * (VllmConfig._set_cudagraph_sizes).
 * - largest: the sequences before 0.8.0 (vllm/worker/model_runner.py _BATCH_SIZES_TO_CAPTURE); 512 up to 0.9; from 0.10.0
 *   min(2 x sequences, 512); from 0.13.0 2 x sequences x (1 + draft tokens); from 0.28.0 up to 1,024 on the compute capability family 10. Never above the batched tokens.
 * - steps: 1, 2, 4, then 8 by 8; from 0.11.1 by 16 from 256 on; from 0.20.1 the batched tokens themselves where they
 *   are within the largest.
 * - decodes, where nobody gave a largest: with drafts from 0.29.0 the same steps and the sequences themselves, each times the tokens of a
 *   request, within the ceiling; without from 0.31.0 the sequences themselves.
 * - none on a CPU (vllm/platforms/cpu.py check_and_update_config); on XPU from 0.31.0 (before, VLLM_XPU_ENABLE_XPU_GRAPH is off).
 * - sizes that are given are taken, those above the batched tokens left out; a largest that is given takes the place of the one above.
 */
export function cudaGraphSizes(question: GraphQuestion): number[] {
  const {version, gpu, maxNumSeqs, maxNumBatchedTokens, speculativeTokens = 0, enforceEager = false, graphs = {}} = question
  const {vendor} = gpu.accelerator
  if (enforceEager || graphs.mode === 'none' || vendor === 'cpu' || (vendor === 'intel' && !isAtLeast(version, '0.31.0'))) return []
  if (graphs.sizes) return [...new Set(graphs.sizes)].filter((size) => size <= maxNumBatchedTokens).sort((left, right) => left - right)
  const capability = gpu.accelerator.computeCapability ?? 0
  const isFamilyTen = gpu.accelerator.vendor === 'nvidia' && Math.floor(capability) === 10
  const ceiling = isAtLeast(version, '0.28.0') && isFamilyTen ? 1024 : 512
  const queryTokens = isAtLeast(version, '0.13.0') ? 1 + speculativeTokens : 1
  const wanted = isAtLeast(version, '0.10.0') ? Math.min(maxNumSeqs * queryTokens * 2, ceiling) : isAtLeast(version, '0.8.0') ? ceiling : maxNumSeqs
  const largest = Math.min(graphs.maxBatch ?? wanted, maxNumBatchedTokens)
  if (!isAtLeast(version, '0.11.1')) return [...[1, 2, 4].filter((size) => size <= largest), ...range(8, largest, 8)]
  const sizes = steps(largest)
  if (isAtLeast(version, '0.20.1') && maxNumBatchedTokens <= largest) sizes.push(maxNumBatchedTokens)
  if (graphs.maxBatch === undefined) sizes.push(...decodeSizes(question, queryTokens, wanted, ceiling))
  return [...new Set(sizes)].sort((left, right) => left - right)
}

/** Of these sizes, those that decodes alone can fill: the tokens of all requests at most, those of one at least (v1/cudagraph_dispatcher.py, 0.11.0 to 0.28.0). */
export function decodeGraphSizes(
  sizes: readonly number[],
  {maxNumSeqs, speculativeTokens = 0}: Pick<GraphQuestion, 'maxNumSeqs' | 'speculativeTokens'>,
): number[] {
  const queryTokens = 1 + speculativeTokens
  return sizes.filter((size) => size >= queryTokens && size <= maxNumSeqs * queryTokens)
}

/** 1, 2, 4, then 8 by 8, from 256 on 16 by 16. */
const steps = (largest: number): number[] => [
  ...[1, 2, 4].filter((size) => size <= largest),
  ...range(8, Math.min(largest, 248), 8),
  ...range(256, largest, 16),
]

/** Batches of decodes alone, which need not lie on a step. */
function decodeSizes({version, maxNumSeqs, maxNumBatchedTokens}: GraphQuestion, queryTokens: number, largest: number, ceiling: number): number[] {
  if (!isAtLeast(version, queryTokens > 1 ? '0.29.0' : '0.31.0')) return []
  const requests = Math.min(maxNumSeqs, ceiling)
  const counts = queryTokens > 1 ? [...steps(requests), requests] : [maxNumSeqs]
  return counts.map((count) => count * queryTokens).filter((size) => size <= largest && size <= maxNumBatchedTokens)
}

/** What a layer's cache looks like to the choice of an attention backend. */
export type CacheKind = 'attention' | 'mla' | 'sparse-mla' | 'compressed'

/**
 * Tokens of a cache block when `--block-size` is unset, before hybrid models raise it (that is the memory policy's).
 *
 * - Attention with K and V: 16; on XPU 64 (vllm/platforms/xpu.py, 0.16.0; flash_attn.py get_preferred_block_size, from 0.20.0), on a CPU 128
 *   (vllm/platforms/cpu.py, 0.20.0 to 0.33.0).
 * - MLA, up to 0.17: the size is forced by the backend that the device gets: 128 on the compute capability 10.0
 *   (CUTLASS MLA; from 0.16 FlashInfer MLA with 64), 64 on 9.0 (FlashMLA), 16 elsewhere (Triton).
 * - MLA, from 0.18: 16 where the first usable backend takes it, else that backend's smallest: 32 on 10.x (FlashInfer
 *   MLA takes 32 and 64), 16 on 9.0 (FlashAttention MLA), or 64 there with a quantised cache (FlashMLA).
 * - Sparse MLA: 64, the only size its indexer takes. DeepSeek-V4: 256.
 * Sources: vllm/platforms/cuda.py check_and_update_config (0.10.2, 0.11.0, 0.14.0, 0.17.0) and _get_backend_priorities
 * (0.18.0, 0.28.0); vllm/v1/attention/backends/mla/*.py get_supported_kernel_block_sizes (0.28.0). On AMD 16 is assumed.
 */
export function blockSizeTokens(version: string, gpu: MachineGpu, kind: CacheKind, quantisedCache = false): number {
  if (kind === 'compressed') return 256
  if (kind === 'sparse-mla') return 64
  const {vendor, computeCapability = 0} = gpu.accelerator
  if (kind === 'attention' && vendor === 'intel') return 64
  if (kind === 'attention' && vendor === 'cpu') return 128
  if (kind === 'attention' || vendor !== 'nvidia') return 16
  const family = Math.floor(computeCapability)
  if (family === 10) {
    if (isAtLeast(version, '0.18.0')) return 32
    return isAtLeast(version, '0.16.0') ? 64 : 128
  }
  if (family !== 9) return 16
  return isAtLeast(version, '0.18.0') && !quantisedCache ? 16 : 64
}
