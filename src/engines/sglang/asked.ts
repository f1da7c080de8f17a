/**
 * What SGLang's defaults are functions of, and the size of its prefill chunks.
 *
 * Read in the releases 0.4.6, 0.4.10, 0.5.1.post1 and 0.5.2 to 0.5.23: sglang/srt/server_args.py (_handle_gpu_memory_settings), from
 * 0.5.19 sglang/srt/arg_groups/memory_hook.py. Each rule names the first release that has it. Sizes are MiB, as in the engine.
 */
import type {MachineGpu} from '../../core/accelerator.ts'
import {isAtLeast} from '../versions.ts'

const MIB = 1024 ** 2
/** One GiB in MiB, the unit of the engine's thresholds. */
export const GIB_IN_MIB = 1024

export const memoryMiB = (gpu: MachineGpu): number => gpu.memoryBytes / MIB

/** From, to, and every step between. */
export const range = (from: number, to: number, step: number): number[] => {
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
  /** Layers of Kimi Delta Attention. */
  deltaAttention?: boolean
  /** Class of the model, by which the engine makes exceptions. */
  className?: string
  /** LoRA adapters are served beside the model. */
  adapters?: boolean
  /** The weights come out of a GGUF file. */
  gguf?: boolean
  /** Images or sounds are taken. */
  multimodal?: boolean
  /** Largest vision tower, where the model has one: layers and hidden size as its configuration names them to SGLang. `nested`: it stands below another part's configuration, where the fraction's rule does not look. */
  vision?: {layerCount: number; hiddenSize: number; nested?: boolean}
  draft?: DraftQuestion
  enforceEager?: boolean
  cpuOffload?: boolean
  /** Given by hand, of the whole server: attention's ranks divide it. The default otherwise. */
  chunkedPrefillTokens?: number
  /** Longest request in tokens; matters to AMD's backend above 8,192. */
  contextTokens?: number
  /** Requests at once that are given by hand, for the whole server. */
  requestsAsked?: number
  /** Most tokens of the cache that are given by hand (`--max-total-tokens`). */
  tokensAsked?: number
  /** Batches with a decode graph that are given by hand: the largest, or all. */
  graphs?: {maxBatch?: number; sizes?: readonly number[]}
  /** Ranks that share the tokens of a sequence's cache. */
  contextParallel?: number
}

/** Qwen3-VL on a Hopper card of 60 GiB or more is served its own way from 0.5.20 on (arg_groups/model_overrides/qwen3_vl.py). */
export const isLargeHopperQwen3Vl = ({version, gpu, className = ''}: Pick<SglangQuestion, 'version' | 'gpu' | 'className'>): boolean =>
  /^Qwen3VL(?:Moe)?ForConditionalGeneration$/.test(className) &&
  Math.floor(gpu.accelerator.computeCapability ?? 0) === 9 &&
  memoryMiB(gpu) >= 60 * GIB_IN_MIB &&
  isAtLeast(version, '0.5.20')

/** Ranks of data-parallel attention, to which the engine deals out what is asked of the whole server; 1 without it. */
export const attentionRanks = ({dp = 1, dpAttention}: {dp?: number; dpAttention?: boolean}): number => (dpAttention ? dp : 1)

/**
 * Tokens of one prefill chunk, by device memory, for each data-parallel attention rank.
 * From 0.5.20: below 20 GiB 2,048, below 60 GiB 4,096, below 160 GiB 8,192, above 16,384; from 0.5.3 still 2,048 below 35 GiB.
 * 0.4.7.post1 to 0.5.2: below 35 GiB 2,048, below 160 GiB 8,192, above 16,384. Before: below 25,000 MiB 2,048, else 8,192.
 * With attention data parallelism the size is divided by dp.
 */
export function chunkedPrefillTokens(question: Pick<SglangQuestion, 'version' | 'gpu' | 'dp' | 'dpAttention'>): number {
  const size = chunkBeforeDivision(question)
  return question.dpAttention ? Math.floor(size / question.dp) : size
}

/** What the rules reckon with: the chunk is divided among attention's ranks behind them. */
export function chunkBeforeDivision({version, gpu}: Pick<SglangQuestion, 'version' | 'gpu'>): number {
  const memory = memoryMiB(gpu)
  if (!isAtLeast(version, '0.4.7.post1')) return memory < 25_000 ? 2048 : 8192
  if (memory < 20 * GIB_IN_MIB) return 2048
  if (memory < 35 * GIB_IN_MIB) return isAtLeast(version, '0.5.20') ? 4096 : 2048
  if (memory < 60 * GIB_IN_MIB && isAtLeast(version, '0.5.3')) return 4096
  return memory < 160 * GIB_IN_MIB ? 8192 : 16384
}
