/** What is known of platforms beyond CUDA and ROCm, as compiled from data/engines/platforms.yaml. */

/** A build of one engine for a platform. */
export interface PlatformBuild {
  /** What people call it, as it stands in a sentence. */
  name: string
  url: string
  /** Whether its rules are known here. Without, memory is counted by the rules for GPUs and nothing is promised. */
  modelled: boolean
  /** First release whose rules are known. */
  since?: string
  /** Families of weight formats that it loads, and of the cache. */
  formats?: Record<string, PlatformFormat>
  cacheFormats?: Record<string, PlatformFormat>
  /** Kinds of attention that it has no kernels for, and the last release that has none. */
  without?: Partial<Record<'mla' | 'sparse-mla', string>>
  /** Cards that its makers test on, and how they are called together. */
  validated?: {gpus: string[]; says: string}
  /** People start it with graphs switched off. */
  eager?: boolean
  memory?: PlatformMemory
  /** Another maker's build of the same engine. */
  also?: string
  source: string[]
}

/** `native`: it computes in the format; others are converted before use. */
export interface PlatformFormat {
  native?: boolean
  since?: string
}

/** What takes the place of the overheads measured on NVIDIA cards; bytes. */
export interface PlatformMemory {
  runtime: {since: string; bytes: number}[]
  /** Of one process in a group of 1, 2, 4, 8: buffers of the collectives. */
  collectiveBytes: number[]
  spreadBytes: number
}

export interface Platform {
  id: string
  title: string
  accelerators: {vendor: string; architectures?: string[]}
  /** Engines that run there and are not modelled, as they stand in a sentence. */
  elsewhere?: string
  /** This engine's build; absent: it has none that is known. */
  build?: PlatformBuild
  /** Other engines that have a modelled build. */
  others: string[]
}

/** What most owners of some machines use instead; `engines/usual`. */
export interface UsualEngine {
  gpus: string[]
  says: string
}
