import type {MachineGpu, Machine} from '../core/accelerator.ts'
import type {Deployment, DeploymentRequest, EngineId} from '../core/deployment.ts'
import type {MemoryEstimate} from '../core/memory.ts'
import type {Checkpoint, Model} from '../core/model.ts'
import type {Reason, Warning} from '../core/terms.ts'
import type {CacheLayout} from '../core/kv-cache.ts'
import type {Drafting} from '../core/throughput/drafting.ts'
import type {OffloadReading} from '../core/throughput/offload.ts'
import type {ShardLayout} from '../core/weights.ts'
import type {NeedsTable} from './launch/needs-table.ts'
import type {MemoryErrors} from './memory-errors.ts'
import type {OverheadParameters} from './overheads.ts'
import type {Platform} from './platform-table.ts'
import type {SupportTable} from './support-formats.ts'

/** Everything an engine needs to judge a deployment. */
export interface Subject {
  model: Model
  checkpoint: Checkpoint
  machine: Machine
  /** The GPU that limits the group: the one with least room. */
  gpu: MachineGpu
}

export interface Support {
  reasons: Reason[]
  warnings: Warning[]
}

/** A flag to be written, with why it is there. `value: true` is a switch, a list several words behind one flag. */
export interface LaunchFlag {
  flag: string
  value: string | number | true | readonly string[]
  because: string
}

/** What is known only when a node is started: where node 0 is, its own number (times a factor), a secret, what the reader gives. */
export interface NodeValue {
  of: 'address' | 'rank' | 'secret' | 'given'
  /** Of a secret, and of what is given: the variable that holds it where the program is started. */
  variable?: string
  /** What that variable must hold, in words. */
  what?: string
  /** What stands before it in the same word. */
  before?: string
  /** What follows it in the same word: `:20000`. */
  after?: string
  times?: number
}

export interface NodeFlag {
  flag: string
  value: string | number | true | NodeValue
  because: string
}

/** One deployment over several nodes. Each way to start it that the engine has; a format takes the one it can express. */
export interface NodePlan {
  count: number
  gpusPerNode: number
  /** The engine's own launcher: the same command on every node, with these flags; `followers` on all but node 0. */
  own?: {every: NodeFlag[]; followers: NodeFlag[]}
  /** On a Ray cluster: one command on the head, with these flags. */
  ray?: LaunchFlag[]
  /** One process for each GPU under mpirun or srun, each started through this program. */
  mpi?: {wrapper: string}
  /** Why this layout cannot be spread over nodes, where it cannot. */
  problem?: string
}

/** A variable of the environment. A secret has no value here: it is taken from outside by its name, and what is given by the name of another. */
export interface LaunchVariable {
  name: string
  value: string
  because: string
  secret?: true
  given?: {variable: string; what: string}
}

/** A start command before it is written for a shell, a file or a manifest. Nothing in it is quoted. */
export interface Launch {
  /** Words before the flags: vllm serve Qwen/Qwen3-32B. */
  program: string[]
  flags: LaunchFlag[]
  environment: LaunchVariable[]
  /** Options that name files which only the engine's image has. */
  inImage?: LaunchFlag[]
  /** The option that takes the API key, where no variable of the engine's does. */
  key?: {flag: string; variable: string; because: string}
  /** Present where the deployment needs more than one node. */
  nodes?: NodePlan
  /** Options that only the engine's configuration file takes (TensorRT-LLM), as a nested mapping. */
  file?: {flag: string; name: string; content: Record<string, unknown>; because: Record<string, string>}
}

/**
 * What an engine makes of weights that are to stay in the host's memory. `of`: only these; `layers`: whole layers, whatever number of bytes was asked for, with so
 * many of them in buffers on the card. `ignored`: why none do.
 */
export type OffloadUse =
  | {reading: OffloadReading; of?: 'experts'; layers?: OffloadedLayers; caution?: string; ignored?: undefined}
  | {ignored: string; reading?: undefined; layers?: undefined; of?: undefined}

/** Of each group of layers the last ones. */
export interface OffloadedLayers {
  groupSize: number
  inGroup: number
  buffers: number
}

/** What an engine's functions need beside the question: read from data/ once, at start. */
export interface EngineData {
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  /** Releases behind `until` are known by name only: its rules are taken for theirs. */
  rulesRead?: {until: string; because: string}
  /** Vendors of the GPUs that images exist for. */
  vendors: string[]
  /** Platforms beyond CUDA and ROCm, with this engine's builds for them. */
  platforms: Platform[]
  overheads: OverheadParameters
  support: SupportTable
  needs: NeedsTable
}

/** One serving engine. All functions are pure. */
export interface Engine {
  id: EngineId
  title: string
  docsUrl: string
  newestVersion: string
  versions: string[]
  /** Standard deviation of the overhead terms: what a verdict keeps clear of. */
  spreadBytes: number
  /** How far its estimates of memory came out from logs; absent where there are none. */
  memoryErrors?: MemoryErrors
  /** Largest share of memory (`gpuMemoryUtilization` as the engine means it) that people set by hand when the default does not do. */
  mostMemoryShare: number
  /** One start command brings up all replicas; else each is a server of its own. */
  startsReplicas: boolean
  /** Fills every open choice with what the engine would do by itself. */
  resolve(subject: Subject, request: DeploymentRequest): Deployment
  /** Refusals and remarks that can be told before anything is downloaded. */
  support(subject: Subject, deployment: Deployment): Support
  /** The budget of the fullest GPU, and the cache that the engine would report at start. */
  memory(subject: Subject, deployment: Deployment): MemoryEstimate
  /** The checkpoint as it lies in memory, where the engine widens formats that the card has no kernel for. Absent: as it is stored. */
  asLoaded?(subject: Subject, deployment: Deployment): Checkpoint
  /** How one replica's ranks divide the weights, and how they store the cache: the speed model's view. */
  shardLayout(deployment: Deployment): ShardLayout
  cacheLayout(subject: Subject, deployment: Deployment): CacheLayout
  /** How drafts are made and checked: the speed model's view. Undefined without. */
  drafting(subject: Subject, deployment: Deployment): Drafting | undefined
  /** Whether attention is launched outside of graphs in every step, where no mode was chosen. Absent: decode steps are captured whole. */
  piecewiseByDefault?(engineVersion: string): boolean
  /** How weights that stay in the host's memory are read, or why none of them do. Absent: the engine has no such option. */
  offload?(subject: Subject, deployment: Deployment): OffloadUse
  /** GPUs that a deployment takes. */
  gpuCount(deployment: Deployment): number
  launch(subject: Subject, deployment: Deployment): Launch
}
