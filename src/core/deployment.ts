/** What would be started, before and after the open choices are made. */

export type EngineId = string

/** Lengths and load of the requests. `concurrency` for a closed loop, `requestRate` (requests a second) for an open one. */
export interface Workload {
  inputTokens: number
  outputTokens: number
  concurrency?: number | 'max'
  requestRate?: number
  prefixHitRate?: number
}

export interface Speculation {
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

/** What a person fixed. Absent: to be chosen. */
export interface DeploymentRequest {
  engine?: EngineId
  engineVersion?: string
  weights?: string
  kvCache?: string
  tp?: number
  pp?: number
  dp?: number
  ep?: number
  dpAttention?: boolean
  maxModelLen?: number
  maxNumSeqs?: number
  maxNumBatchedTokens?: number
  gpuMemoryUtilization?: number
  enforceEager?: boolean
  speculative?: Speculation
  /** Share of the drafted tokens that are accepted: (mean accepted length - 1) / drafted tokens; above 1, the mean accepted length itself. */
  acceptance?: number
  cpuOffloadBytes?: number
  reservedBytesPerGpu?: number
  lora?: Lora
}

/** Every choice made. */
export interface Deployment {
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
  lora?: Lora
}

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
