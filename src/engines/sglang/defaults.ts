/**
 * Which share of memory SGLang takes when nobody says, and how many requests run at once.
 *
 * Read in the releases 0.4.6, 0.4.10, 0.5.1.post1 and 0.5.2 to 0.5.23: sglang/srt/server_args.py (_handle_gpu_memory_settings), from
 * 0.5.19 sglang/srt/arg_groups/memory_hook.py; sglang/srt/mem_cache/kv_cache_configurator.py (earlier model_runner_kv_cache_mixin.py,
 * model_runner.py). Each rule names the first release that has it. Sizes inside are MiB, as in the engine.
 */
import {isAtLeast} from '../versions.ts'
import {chunkBeforeDivision, GIB_IN_MIB, memoryMiB, type SglangQuestion} from './asked.ts'
import {decodeGraphMaxBatch, hasDecodeGraphs, prefillGraphCount} from './graphs.ts'

/**
 * Automatic `mem_fraction_static`: the share of the device's total memory that weights and cache may take.
 * The rest is reserved by a formula in MiB; see `memory.md` of the engine's facts and the functions named on top.
 * With a vision tower the fraction is scaled down. Where the formula keeps back more than there is, the engine goes on with a share
 * below nothing and fails when it sizes its cache (0.5.18 kv_cache_configurator.py _profile_available_bytes): a share of nothing here.
 */
export function memFractionStatic(question: SglangQuestion): number {
  const {version, gpu} = question
  const memory = memoryMiB(gpu)
  let fraction = isAtLeast(version, '0.4.7.post1') ? roundTo3((memory - reservedMiB(question)) / memory) : earlyFraction(memory, question.tp)
  if (question.vision && !question.vision.nested && isAtLeast(version, '0.4.9.post3')) fraction *= visionFactor(question.vision)
  return Math.max(0, fraction)
}

/**
 * What the fraction, given or automatic, is multiplied by before it is used: 0.85 from 0.5.4.post2 on AMD's backend (aiter) with more than
 * 8,192 tokens of context (server_args.py, behind the choice of the backend).
 */
export function fractionFactor({
  version,
  gpu,
  latentAttention,
  contextTokens = 0,
}: Pick<SglangQuestion, 'version' | 'gpu' | 'latentAttention' | 'contextTokens'>): number {
  const usesAiter = gpu.accelerator.vendor === 'amd' && !latentAttention
  return usesAiter && isAtLeast(version, '0.5.4.post2') && contextTokens > 8192 ? 0.85 : 1
}

const roundTo3 = (value: number): number => Math.round(value * 1000) / 1000

/** Up to 0.4.7: by tensor parallelism up to 80 GiB, else all but 13 GiB. */
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

/** What the formula keeps free, in MiB, from 0.4.7.post1. */
export function reservedMiB(question: SglangQuestion): number {
  const {version, gpu, tp, pp, dp, dpAttention, draft} = question
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.5.3')) return reservedBefore053(question)
  const chunk = question.chunkedPrefillTokens ?? chunkBeforeDivision(question)
  const graphBatch = decodeGraphMaxBatch(question)
  let reserve = 512 + 1.5 * Math.max(chunk, 2048) + (tp * pp * GIB_IN_MIB) / 8
  // Until 0.5.14 the batch's part is reserved even where graphs are off.
  if (hasDecodeGraphs(question) || !isAtLeast(version, '0.5.15')) reserve += 2 * graphBatch
  if (dpAttention) reserve += (graphBatch > 300 ? 4.5 : 3) * graphBatch * dp
  const prefillSizes = prefillGraphCount(question)
  if (prefillSizes > 0) reserve += question.latentAttention ? 1536 : 8 * prefillSizes
  if (memory > 60 * GIB_IN_MIB) reserve = Math.max(reserve, 10 * GIB_IN_MIB)
  // Scratch of oneDNN on Intel's cards (memory_hook.py handle_gpu_memory_settings).
  if (gpu.accelerator.vendor === 'intel' && isAtLeast(version, '0.5.20')) reserve += 2 * GIB_IN_MIB
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
