import {dictionary} from './dictionary.ts'

/** What would be started, before and after the open choices are made. */

export type EngineId = string

/** Lengths and load of the requests. `concurrency` for a closed loop, `requestRate` (requests a second) for an open one. */
export interface Workload {
  /** Mean tokens of a prompt. */
  inputTokens: number
  /** Mean tokens of an answer. */
  outputTokens: number
  /** Requests in flight; `max`: as many as memory and limits allow. */
  concurrency?: number | 'max'
  /** Requests per second. */
  requestRate?: number
  /** Share of prompt tokens found in the prefix cache, 0 to 1. */
  prefixHitRate?: number
}

export interface Speculation {
  /** `mtp`, `eagle3`, `ngram`, ... */
  method: string
  /** Drafted in each step. */
  tokens: number
  /** Repository of the draft, where it is a checkpoint of its own. */
  draft?: string
}

/** LoRA adapters that are served beside the model. */
export interface Lora {
  /** Adapters that one batch can hold. */
  count: number
  /** The largest rank among them. */
  maxRank: number
  /** Modules that they are on, by PEFT's names (q_proj); absent: not said. */
  targets?: string[]
}

/** Settings of an engine that nobody has to choose: absent, the engine does what it does by itself. */
export interface EngineOptions {
  /** Images and sounds: none at all, or most of each kind in one prompt (`image`, `video`, `audio`). */
  multimodal?: {languageOnly?: boolean; limits?: Record<string, number>}
  /** Ranks that share the tokens of a sequence's cache among them. */
  decodeContextParallel?: number
  /** Batches with a graph: the largest, or exactly these; `mode: none` for none. */
  graphs?: {maxBatch?: number; sizes?: number[]; mode?: string}
  prefixCaching?: boolean
  /** Tokens of a block or page of the cache. */
  blockTokens?: number
  /** Cache of each GPU, whatever the share of memory. */
  kvCacheBytes?: number
  /** Most tokens that the cache may hold. */
  kvCacheTokens?: number
  /** Blocks of the cache, whatever the memory. */
  kvCacheBlocks?: number
  /** Tokens of the pool of windows to those of the full pool. */
  windowPoolRatio?: number
  /** Memory of recurrent states to that of the cache of tokens. */
  statePoolRatio?: number
  /** Recurrent states that are kept. */
  stateSlots?: number
  /** Elements of a recurrent state: fp32, bf16, fp16. */
  stateFormat?: string
  runner?: 'generate' | 'pooling'
  /**
   * Requests and tokens that may wait; more are turned away. `everySteps`: the scheduler looks for new requests once in so many decode steps (SGLang);
   * `waitSteps`: after a first new request it waits so many for others (TensorRT-LLM).
   */
  admission?: {maxQueuedRequests?: number; maxQueuedTokens?: number; everySteps?: number; waitSteps?: number}
  lora?: Lora
  /** Options of the engine that are passed on and move no number, by flag; `true` is a switch, a list several words. */
  engineFlags?: Record<string, string | number | boolean | string[]>
}

/** Bytes of an element of a recurrent state, by its format. */
export const STATE_FORMATS: Readonly<Record<string, number>> = dictionary({fp32: 4, bf16: 2, fp16: 2})

const ENGINE_OPTIONS: readonly (keyof EngineOptions)[] = [
  'multimodal',
  'decodeContextParallel',
  'graphs',
  'prefixCaching',
  'blockTokens',
  'kvCacheBytes',
  'kvCacheTokens',
  'kvCacheBlocks',
  'windowPoolRatio',
  'statePoolRatio',
  'stateSlots',
  'stateFormat',
  'runner',
  'admission',
  'lora',
  'engineFlags',
]

/** The engine's settings of a request, those that are given. */
export function givenOptions(request: EngineOptions): EngineOptions {
  const given: Record<string, unknown> = dictionary()
  for (const name of ENGINE_OPTIONS) if (request[name] !== undefined) given[name] = request[name]
  return given as EngineOptions
}

/** What a person fixed. Absent: to be chosen. */
export interface DeploymentRequest extends EngineOptions {
  /** `vllm`, `sglang` or `trtllm`. */
  engine?: EngineId
  /** A release: `0.11.0`. */
  engineVersion?: string
  /** Weight format by its short name: `bf16`, `fp8`, `awq-int4`, `nvfp4`, `q4_k_m`, ... */
  weights?: string
  /** Cache format: `auto`, `bf16`, `fp8`, `nvfp4`, ... */
  kvCache?: string
  /** GPUs that share every layer (tensor parallel). */
  tp?: number
  /** Stages, each with some of the layers (pipeline parallel). */
  pp?: number
  /** Copies that share the requests (data parallel). */
  dp?: number
  /** GPUs over which whole experts are spread (expert parallel). */
  ep?: number
  /** Attention by replicas, experts by all GPUs together. */
  dpAttention?: boolean
  /** Tokens of prompt and answer together that one request may have. */
  maxModelLen?: number
  /** Requests that are computed at a time. */
  maxNumSeqs?: number
  /** Tokens of one step. */
  maxNumBatchedTokens?: number
  /** Share of GPU memory, 0 to 1. SGLang: `mem_fraction_static`; TensorRT-LLM: `free_gpu_memory_fraction`. */
  gpuMemoryUtilization?: number
  /** Without CUDA graphs. */
  enforceEager?: boolean
  speculative?: Speculation
  /** Share of the drafted tokens that are accepted: (mean accepted length - 1) / drafted tokens; above 1, the mean accepted length itself. */
  acceptance?: number
  /** Weights of each GPU that are kept in host memory. */
  cpuOffloadBytes?: number
  /** What other programs hold of each GPU. */
  reservedBytesPerGpu?: number
}

/** Every choice made. */
export interface Deployment extends EngineOptions {
  engine: EngineId
  engineVersion: string
  /** Short name of the weight format. */
  weights: string
  /** Resolved cache format, never `auto`. */
  kvCache: string
  tp: number
  pp: number
  dp: number
  ep: number
  dpAttention: boolean
  maxModelLen: number
  maxNumSeqs: number
  maxNumBatchedTokens: number
  gpuMemoryUtilization: number
  enforceEager: boolean
  speculative?: Speculation
  /** As a share, 0 to 1; only where it was given. */
  acceptance?: number
  cpuOffloadBytes: number
  reservedBytesPerGpu: number
}

/** A deployment as far as it decides what is loaded: whatever its context, its sequences and its share of memory. */
export type LoadedDeployment = Omit<Deployment, 'maxModelLen' | 'maxNumSeqs' | 'gpuMemoryUtilization'>

/** What scenarios, logs and flags say of a deployment under the same names, in the order of telling conflicts. */
export const DEPLOYMENT_FIELDS = [
  'engine',
  'engineVersion',
  'weights',
  'kvCache',
  'tp',
  'pp',
  'dp',
  'ep',
  'dpAttention',
  'maxModelLen',
  'maxNumSeqs',
  'maxNumBatchedTokens',
  'gpuMemoryUtilization',
  'enforceEager',
  'speculative',
  'cpuOffloadBytes',
] as const
