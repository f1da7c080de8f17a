import type {Accelerator, LinkKind} from '../accelerator.ts'
import type {Architecture} from '../architecture.ts'
import type {EngineId, Workload} from '../deployment.ts'
import type {CacheLayout} from '../kv-cache.ts'
import type {Checkpoint} from '../model.ts'
import type {Interval} from '../terms.ts'
import type {ShardLayout} from '../weights.ts'
import type {Drafting} from './drafting.ts'
import type {Offload} from './offload.ts'

/**
 * Everything that the speed of a deployment is reckoned from. `layout`, `cacheLayout`, `maxNumSeqs`, `maxNumBatchedTokens`
 * and `kvCacheTokens` describe one replica (one of `dp` copies of the model, or the whole group when `dpAttention`).
 */
export interface PerformanceInput {
  architecture: Architecture
  checkpoint: Checkpoint
  /** How one replica's ranks divide the weights. */
  layout: ShardLayout
  /** How one rank stores the cache. */
  cacheLayout: CacheLayout
  /** The slowest card of the group, for mixed ones. */
  accelerator: Accelerator
  /** How the GPUs of one node are joined. `bytesPerSecondPerDirection` absent: a guess by kind is used. */
  link: {kind: LinkKind; bytesPerSecondPerDirection?: number}
  /** Between nodes, for each GPU. */
  networkBytesPerSecondPerGpu?: number
  nodes: number
  engine: EngineId
  /** As the person gave it: a release (`0.11.0`), or anything else (empty, `nightly-dev`) for an unknown one. Do not replace an empty string given by name. */
  engineVersion: string
  /** GPUs of the whole deployment: tp x pp x dp, or what the group holds when `dpAttention`. */
  gpuCount: number
  tp: number
  pp: number
  /**
   * Independent replicas, each with its own share of the load. With `dpAttention` there is one replica of gpuCount / pp
   * ranks, which split the sequences into ranks / layout.attentionTp groups for attention and work together on the experts.
   */
  dp: number
  ep: number
  dpAttention: boolean
  enforceEager: boolean
  maxNumSeqs: number
  /** Tokens of one step at most, the chunk of chunked prefill; of all ranks together when `dpAttention`, each of which has its share for its own prompts. */
  maxNumBatchedTokens: number
  /** Tokens that one replica's cache holds (of one data-parallel rank times the ranks, when `dpAttention`). Absent: no limit. */
  kvCacheTokens?: number
  drafting?: Drafting
  /** Absent: all weights are on the cards. */
  offload?: Offload
  /** Absent: new requests are looked at in every step, the default of all engines. */
  admission?: Admission
  /** Largest batch of sequences with a CUDA graph; larger ones are launched kernel by kernel. Absent: as large as batches are. */
  graphMaxBatch?: number
  /** Attention is launched outside the graphs of what lies between. */
  piecewiseGraphs?: boolean
  /** Absent: experts run as the card's matrix units suggest. */
  expertKernels?: ExpertKernels
  /** The first prompts of the run include what the engine compiles for each new shape: nothing was sent before it was measured. */
  cold?: boolean
  /** How far output lengths differ, as the width of their range relative to the mean. Absent: as InferenceX draws them. */
  outputSpread?: number
  /** Requests that a closed loop serves for each that is in flight; the first of them all arrive together. Absent: ten, as InferenceX sends. */
  rounds?: number
  workload: Workload
}

/** Replicas that each serve their own share of the load: under data-parallel attention all ranks are one. */
export const replicaCount = ({dp, dpAttention}: Pick<PerformanceInput, 'dp' | 'dpAttention'>): number => (dpAttention ? 1 : Math.max(1, dp))

/** How experts of 4 bits are computed where an engine's kernels for a card differ from those that were measured. */
export interface ExpertKernels {
  /** Formats whose weights go to 16-bit products, although the matrix units take them, by their ids. */
  dequantised?: readonly string[]
  /** Of those, what is written out in 16 bits and read again in each step. */
  unpacked?: readonly string[]
  /** Routing, sorting, activation and sum are kernels of their own. */
  unfused?: boolean
  /** Tokens that each expert's share of a step is rounded up to. Absent: a few. */
  tileTokens?: number
}

/** Flags of a scheduler that waits before it looks at new requests. */
export interface Admission {
  /** It looks once in so many decode steps (SGLang's `--scheduler-recv-interval`). */
  everySteps?: number
  /** After the first new request it waits so many decode steps for others (TensorRT-LLM's `batch_wait_timeout_iters`). */
  waitSteps?: number
}

export type BoundBy = 'memory-bandwidth' | 'compute' | 'interconnect' | 'overhead' | 'kv-capacity'

/** A part of the time of one step or of the wait, in milliseconds: the parts of a phase add up to its figure. */
export interface TimeTerm {
  phase: 'prefill' | 'decode'
  name: string
  ms: number
  /** The rule with the numbers that went in, in one line. */
  because: string
}

/** The `performance` object of the machine-readable contract. Times are milliseconds, rates are per second of the whole deployment. */
export interface Performance {
  /** Time to the first token. Of intervals `low` and `high` hold four in five measured deployments between them. */
  ttftMs: Interval
  /** Mean time per output token after the first. */
  tpotMs: Interval
  /** Of the whole deployment. */
  outputTokensPerSecond: Interval
  outputTokensPerSecondPerUser: number
  outputTokensPerSecondPerGpu: number
  totalTokensPerSecond: number
  boundBy: BoundBy
  breakdown: TimeTerm[]
  basis: {calibration: string; ownRuns?: string; extrapolated: ('hardware' | 'model' | 'engine')[]}
  /** Present where drafts are made. */
  speculation?: SpeculationFigures
}

/** What the speed with drafts rests on. */
export interface SpeculationFigures {
  /** Share of the drafted tokens that are accepted: (mean accepted length - 1) / drafted tokens. */
  acceptance: number
  /** How it is known: "given", or "assumed: ..." with where it was published. */
  source: string
  /** Most requests in flight at which drafting is faster than none; 0: never. */
  paysUntilConcurrency: number
}
