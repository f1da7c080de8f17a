/**
 * What SGLang chooses when an option is unset.
 *
 * Read in the wheels of the releases 0.4.6, 0.4.10, 0.5.1.post1 and 0.5.3 to 0.5.18: sglang/srt/server_args.py
 * (_handle_gpu_memory_settings and neighbours), sglang/srt/model_executor/cuda_graph_config.py and cuda_graph_runner.py,
 * sglang/srt/mem_cache/kv_cache_configurator.py (earlier model_runner_kv_cache_mixin.py, model_runner.py),
 * sglang/srt/arg_groups/*.py. Each rule names the first release that has it. Sizes inside are MiB, as in the engine.
 */
import type {MachineGpu} from '../../core/accelerator.ts'
import {isAtLeast} from '../versions.ts'

const MIB = 1024 ** 2
/** One GiB in MiB, the unit of the engine's thresholds. */
const GIB_IN_MIB = 1024

const memoryMiB = (gpu: MachineGpu): number => gpu.memoryBytes / MIB

const range = (from: number, to: number, step: number): number[] => {
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

/** Speculation to SGLang: the name of the algorithm and draft tokens for each step. */
export interface DraftQuestion {
  algorithm: string
  draftTokens: number
}

export interface SglangQuestion {
  version: string
  gpu: MachineGpu
  tp: number
  pp: number
  dp: number
  dpAttention: boolean
  /** The model's attention is multi-head latent (MLA), sparse or not. */
  latentAttention: boolean
  /** DeepSeek-V4: no prefill graphs. */
  compressedAttention?: boolean
  /** Sparse MLA with an indexer (DeepSeek-V3.2, GLM-5). */
  sparseIndexer?: boolean
  /** Largest vision tower, where the model has one: layers and hidden size as its configuration names them to SGLang. `nested`: it stands below another part's configuration, where the fraction's rule does not look. */
  vision?: {layerCount: number; hiddenSize: number; nested?: boolean}
  draft?: DraftQuestion
  enforceEager?: boolean
  cpuOffload?: boolean
  /** Given by hand; the default otherwise. */
  chunkedPrefillTokens?: number
  /** Longest request in tokens; matters to AMD's backend above 8,192. */
  contextTokens?: number
  /** Batches with a decode graph that are given by hand: the largest, or all. */
  graphs?: {maxBatch?: number; sizes?: readonly number[]}
  /** Ranks that share the tokens of a sequence's cache. */
  contextParallel?: number
}

/**
 * Tokens of one prefill chunk, by device memory, for each data-parallel attention rank.
 * From 0.5.3: below 35 GiB 2,048, below 60 GiB 4,096, below 160 GiB 8,192, above 16,384.
 * 0.4.10 to 0.5.2: below 35 GiB 2,048, below 160 GiB 8,192, above 16,384. 0.4.6: below 25,000 MiB 2,048, else 8,192.
 * With attention data parallelism the size is divided by dp.
 */
export function chunkedPrefillTokens(question: Pick<SglangQuestion, 'version' | 'gpu' | 'dp' | 'dpAttention'>): number {
  const size = chunkBeforeDivision(question)
  return question.dpAttention ? Math.floor(size / question.dp) : size
}

function chunkBeforeDivision({version, gpu}: Pick<SglangQuestion, 'version' | 'gpu'>): number {
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.4.10')) return memory < 25_000 ? 2048 : 8192
  if (memory < 35 * GIB_IN_MIB) return 2048
  if (memory < 60 * GIB_IN_MIB && isAtLeast(version, '0.5.3')) return 4096
  return memory < 160 * GIB_IN_MIB ? 8192 : 16384
}

/**
 * Largest batch with a decode graph, by device memory and tensor parallelism. From 0.5.3: below 20 GiB 8; below 35 GiB
 * 24 (16 before 0.5.5) or 80 from tp 4; below 60 GiB 32 or 160; below 160 GiB 256 or 512; above 512.
 * Before: below 35 GiB (0.4.6: 25,000 MiB) 8, or 80 from tp 4; else the last of the fixed list: 160, above 90 GiB 256,
 * above 160,000 MiB 512. What is given by hand takes their place, the largest of a list too.
 */
export function decodeGraphMaxBatch({version, gpu, tp, graphs}: Pick<SglangQuestion, 'version' | 'gpu' | 'tp' | 'graphs'>): number {
  const given = graphs?.sizes ? Math.max(...graphs.sizes) : graphs?.maxBatch
  if (given !== undefined) return given
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.5.3')) {
    const small = isAtLeast(version, '0.4.10') ? 35 * GIB_IN_MIB : 25_000
    if (memory < small) return tp < 4 ? 8 : 80
    if (!isAtLeast(version, '0.4.10')) return memory > 80 * GIB_IN_MIB ? 256 : 160
    if (memory > 160_000) return 512
    return memory > 90 * GIB_IN_MIB ? 256 : 160
  }
  if (memory < 20 * GIB_IN_MIB) return 8
  if (memory < 35 * GIB_IN_MIB) return tp < 4 ? (isAtLeast(version, '0.5.5') ? 24 : 16) : 80
  if (memory < 60 * GIB_IN_MIB) return tp < 4 ? 32 : 160
  if (memory < 160 * GIB_IN_MIB) return tp < 4 ? 256 : 512
  return 512
}

/**
 * Batch sizes with a decode graph, ascending; empty when graphs are off. None is larger than the requests that may run at once, and
 * that number is among them where it is smaller than the largest (get_batch_sizes_to_capture, model_executor/cuda_graph_runner.py 0.4.6
 * to 0.5.10, runner/base_cuda_graph_runner.py 0.5.18).
 * From 0.5.3: 1, 2, 4, 8, 12; 16 to 256 by 8; 272 to 496 by 16; from 512 by 32. With speculation 1 to 8; 10 to 32 by 2;
 * 40 to 64 by 4 (to 60 before 0.5.5); 72 to 256 by 8; then by 16. From 0.5.10 the largest is always among them.
 * Before: 1, 2, 4, 8; 16 to 160 by 8; to 256 by 8; to 512 by 16; with speculation 1 to 8; 10 to 32 by 2; 40 to 56 by
 * 8; 80 to 160 by 16 (0.4.6: 40 to 152 by 16).
 */
export function decodeGraphSizes({
  maxRunningRequests: requests = Number.POSITIVE_INFINITY,
  ...question
}: Pick<SglangQuestion, 'version' | 'gpu' | 'tp' | 'draft' | 'enforceEager' | 'graphs'> & {maxRunningRequests?: number}): number[] {
  const sizes = question.enforceEager ? [] : sizesWanted(question)
  const captured = sizes.filter((size) => size <= requests)
  return captured.length < sizes.length && !captured.includes(requests) ? [...captured, requests] : captured
}

function sizesWanted(question: Pick<SglangQuestion, 'version' | 'gpu' | 'tp' | 'draft' | 'graphs'>): number[] {
  const {version, draft, graphs} = question
  if (graphs?.sizes) return [...new Set(graphs.sizes)].sort((left, right) => left - right)
  const largest = decodeGraphMaxBatch(question)
  if (!isAtLeast(version, '0.5.3')) {
    const upper = [...range(168, 256, 8), ...range(272, 512, 16)]
    const drafted = isAtLeast(version, '0.4.10') ? [...range(40, 56, 8), ...range(80, 160, 16)] : range(40, 152, 16)
    const base = draft ? [...range(1, 8, 1), ...range(10, 32, 2), ...drafted] : [1, 2, 4, 8, ...range(16, 160, 8)]
    const sizes = [...base, ...upper].filter((size) => size <= largest)
    return isAtLeast(version, '0.4.10') && !sizes.includes(largest) ? [...sizes, ...range((sizes.at(-1) ?? 0) + 16, largest, 16)] : sizes
  }
  const middle = isAtLeast(version, '0.5.5') ? 64 : 60
  const sizes = (
    draft
      ? [...range(1, 8, 1), ...range(10, 32, 2), ...range(40, middle, 4), ...range(72, 256, 8), ...range(272, largest, 16)]
      : [1, 2, 4, 8, 12, ...range(16, 256, 8), ...range(272, 496, 16), ...range(512, largest, 32)]
  ).filter((size) => size <= largest)
  if (isAtLeast(version, '0.5.10') && !sizes.includes(largest)) sizes.push(largest)
  return sizes
}

/**
 * Token counts with a prefill graph, ascending; empty where there are none.
 *
 * On by default from 0.5.10, on CUDA only. Off with attention data parallelism up to 0.5.16, pipeline parallelism and
 * CPU offload up to 0.5.14, with a vision tower, and with speculation in 0.5.10; for MLA in 0.5.15 and 0.5.16, for
 * sparse MLA up to 0.5.14; for DeepSeek-V4 in every release; with decode context parallelism. From 0.5.15 another capture method applies with fewer exceptions (_disable_tc_piecewise_
 * cudagraph_if_incompatible, _disable_breakable_cudagraph_if_incompatible). A few architectures are excepted by name in
 * the engine; those are not followed here.
 * Sizes: 4 to 32 by 4; to 256 by 16; to 512 by 32; to 1,024 by 64; to 4,096 by 256; then by 512 up to the chunk, or up
 * to 2,048 for MLA.
 */
export function prefillGraphSizes(question: SglangQuestion): number[] {
  const {version, gpu, latentAttention, draft} = question
  if (question.enforceEager || question.compressedAttention || question.vision || (question.contextParallel ?? 1) > 1) return []
  if (!isAtLeast(version, '0.5.10') || gpu.accelerator.vendor !== 'nvidia') return []
  const isBreakable = isAtLeast(version, '0.5.15')
  if (!isBreakable && (question.pp > 1 || question.cpuOffload || question.sparseIndexer)) return []
  if (question.dpAttention && !isAtLeast(version, '0.5.17')) return []
  if (draft && !isAtLeast(version, '0.5.11')) return []
  if (latentAttention && isBreakable && !isAtLeast(version, '0.5.17')) return []
  const largest = latentAttention ? 2048 : (question.chunkedPrefillTokens ?? chunkBeforeDivision(question))
  return [
    ...range(4, 32, 4),
    ...range(48, 256, 16),
    ...range(288, 512, 32),
    ...range(576, 1024, 64),
    ...range(1280, 4096, 256),
    ...range(4608, largest, 512),
  ].filter((size) => size <= largest)
}

/**
 * Automatic `mem_fraction_static`: the share of the device's total memory that weights and cache may take.
 * The rest is reserved by a formula in MiB; see `memory.md` of the engine's facts and the functions named on top.
 * With a vision tower the fraction is scaled down. Where the formula keeps back more than there is, the engine goes on with a share
 * below nothing and fails when it sizes its cache (0.5.18 kv_cache_configurator.py _profile_available_bytes): a share of nothing here.
 */
export function memFractionStatic(question: SglangQuestion): number {
  const {version, gpu} = question
  const memory = memoryMiB(gpu)
  let fraction = isAtLeast(version, '0.4.10') ? roundTo3((memory - reservedMiB(question)) / memory) : earlyFraction(memory, question.tp)
  if (question.vision && !question.vision.nested && isAtLeast(version, '0.4.10')) fraction *= visionFactor(question.vision)
  return Math.max(0, fraction)
}

/**
 * What the fraction, given or automatic, is multiplied by before it is used: 0.85 from 0.5.5 on AMD's backend (aiter) with more than
 * 8,192 tokens of context (server_args.py, behind the choice of the backend).
 */
export function fractionFactor({
  version,
  gpu,
  latentAttention,
  contextTokens = 0,
}: Pick<SglangQuestion, 'version' | 'gpu' | 'latentAttention' | 'contextTokens'>): number {
  const usesAiter = gpu.accelerator.vendor === 'amd' && !latentAttention
  return usesAiter && isAtLeast(version, '0.5.5') && contextTokens > 8192 ? 0.85 : 1
}

const roundTo3 = (value: number): number => Math.round(value * 1000) / 1000

/** 0.4.6 to 0.4.9: by tensor parallelism up to 80 GiB, else all but 13 GiB. */
function earlyFraction(memory: number, tp: number): number {
  if (memory > 80 * GIB_IN_MIB) return (memory - 13 * GIB_IN_MIB) / memory
  if (tp >= 16) return 0.79
  if (tp >= 8) return 0.81
  if (tp >= 4) return 0.85
  return tp >= 2 ? 0.87 : 0.88
}

/** 0.95 for a tower of 24 layers of width 1,024; a tenth less for each time that layers x width^2 is that large again. */
function visionFactor({layerCount, hiddenSize}: {layerCount: number; hiddenSize: number}): number {
  const ratio = (layerCount * hiddenSize ** 2) / (24 * 1024 ** 2)
  return 0.95 * Math.max(0.8, Math.min(1.05, 1 - 0.1 * (ratio - 1)))
}

/** What the formula keeps free, in MiB, from 0.4.10. */
export function reservedMiB(question: SglangQuestion): number {
  const {version, gpu, tp, pp, dp, dpAttention, draft} = question
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.5.3')) return reservedBefore053(question)
  const chunk = question.chunkedPrefillTokens ?? chunkBeforeDivision(question)
  const graphBatch = decodeGraphMaxBatch(question)
  let reserve = 512 + 1.5 * Math.max(chunk, 2048) + (tp * pp * GIB_IN_MIB) / 8
  // Until 0.5.14 the batch's part is reserved even where graphs are off.
  if (!question.enforceEager || !isAtLeast(version, '0.5.15')) reserve += 2 * graphBatch
  if (dpAttention) reserve += (graphBatch > 300 ? 4.5 : 3) * graphBatch * dp
  const prefillSizes = prefillGraphSizes(question)
  if (prefillSizes.length > 0) reserve += question.latentAttention ? 1536 : 8 * prefillSizes.length
  if (memory > 60 * GIB_IN_MIB) reserve = Math.max(reserve, 10 * GIB_IN_MIB)
  // From 0.5.14 drafts are not counted here any more.
  if (draft && !isAtLeast(version, '0.5.14')) reserve += draftReserveMiB(version, draft.algorithm)
  return reserve
}

function draftReserveMiB(version: string, algorithm: string): number {
  if (algorithm === 'NGRAM') return 0
  if (algorithm === 'STANDALONE') return 6 * GIB_IN_MIB
  return (isAtLeast(version, '0.5.10') ? 4 : 2) * GIB_IN_MIB
}

function reservedBefore053({gpu, tp, pp, draft, dpAttention}: SglangQuestion): number {
  const memory = memoryMiB(gpu)
  const parallel = tp * pp
  let gibibytes = 32
  if (memory < 35 * GIB_IN_MIB) gibibytes = 2.8 + parallel / 10
  else if (memory < 90 * GIB_IN_MIB) gibibytes = 9.5 + parallel / 2
  else if (memory < 160 * GIB_IN_MIB) gibibytes = 12 + parallel / 2
  return (gibibytes + (draft ? 2 : 0) + (dpAttention ? 4 : 0)) * GIB_IN_MIB
}

export interface RunningQuestion {
  version: string
  /** Tokens of the cache pool of one data-parallel rank. */
  poolTokens: number
  /** The model's limit, or `--context-length`. */
  contextTokens: number
  /** `--max-running-requests`, for the whole server. */
  requested?: number
  dp?: number
  drafted?: boolean
  /** DeepSeek-V4. */
  compressedAttention?: boolean
}

/**
 * Most requests that run at once on one data-parallel rank.
 * Unset: 512 x pool / context, between 2,048 and 4,096; from 0.5.10 at most half the pool's tokens. Speculation fills
 * 48, DeepSeek-V4 256 (0.5.12), and a number given by hand is divided by dp.
 * A hybrid model's state pool may lower it further: that is the memory policy's.
 */
export function maxRunningRequests(question: RunningQuestion): number {
  const {version, poolTokens, contextTokens, dp = 1} = question
  const estimated = Math.min(4096, Math.max(2048, Math.trunc((poolTokens / contextTokens) * 512)))
  const filled = question.requested ?? (question.compressedAttention ? 256 : question.drafted ? 48 : undefined)
  const half = Math.floor(poolTokens / 2)
  if (filled === undefined) return isAtLeast(version, '0.5.10') ? Math.min(estimated, half) : estimated
  const share = Math.floor(filled / dp)
  return isAtLeast(version, '0.5.14') ? Math.min(share, half) : isAtLeast(version, '0.5.10') ? Math.min(share, estimated) : share
}

/**
 * Attention backend without `--attention-backend`. MHA: fa3 on Hopper, trtllm_mha on 10.x from 0.5.7 (not with a draft
 * tree), aiter on AMD, else flashinfer. MLA: fa3 on Hopper, flashinfer on 10.x, aiter or triton on AMD, else triton.
 * DeepSeek-V4 has its own. Architectures with a choice of their own in the engine are not followed.
 */
export function attentionBackend(question: Pick<SglangQuestion, 'version' | 'gpu' | 'latentAttention' | 'compressedAttention' | 'draft'>): string {
  const {vendor, computeCapability = 0} = question.gpu.accelerator
  const family = vendor === 'nvidia' ? Math.floor(computeCapability) : 0
  if (question.compressedAttention) return 'dsv4'
  if (question.latentAttention) {
    if (family === 9) return 'fa3'
    if (family === 10) return 'flashinfer'
    return vendor === 'amd' ? 'aiter' : 'triton'
  }
  if (family === 9) return 'fa3'
  if (family === 10 && isAtLeast(question.version, '0.5.7') && !question.draft) return 'trtllm_mha'
  return vendor === 'amd' ? 'aiter' : 'flashinfer'
}

const PAGE_TOKENS: Record<string, number> = {flashmla: 64, cutlass_mla: 128, trtllm_mla: 64, cutedsl_mla: 64, tokenspeed_mla: 64, trtllm_mha: 64, dsv4: 256}

/**
 * Tokens of a page when `--page-size` is unset: 1, unless the backend takes only other sizes.
 * A sparse indexer (DeepSeek-V3.2) has pages of 64 on NVIDIA.
 */
export const pageSizeTokens = (backend: string, sparseIndexer = false): number => (sparseIndexer ? 64 : (PAGE_TOKENS[backend] ?? 1))
