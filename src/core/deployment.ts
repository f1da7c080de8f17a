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
  tokens: number
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
  cpuOffloadBytes?: number
  reservedBytesPerGpu?: number
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
  cpuOffloadBytes: number
  reservedBytesPerGpu: number
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
