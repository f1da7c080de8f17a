import type {LinkKind, Vendor} from '../core/accelerator.ts'

/**
 * The document that `detect --json` prints and `check --machine FILE` takes back. Byte counts are integers.
 * What could not be read is absent: never 0, never a guess from a product name. Fields may be added; none is renamed.
 */
export interface MachineDocument {
  /** detect writes 1. */
  schemaVersion: 1 | 2
  hostname?: string
  gpus: DetectedGpu[]
  interconnect: Interconnect
  cpu: DetectedCpu
  /** Host memory that programs may use: what the system has, or the limit of the container if that is less. */
  memoryBytes?: number
  /** Of that, what a new program could take now without swapping. */
  availableMemoryBytes?: number
  /** Of the host's memory as it runs, from its modules. Readable by the administrator only. */
  memoryBandwidthBytesPerSecond?: number
  memoryModules?: MemoryModuleFacts
  containers?: ContainerTools
  disk: DiskSpace[]
  problems: MachineProblem[]
}

export interface MemoryModuleFacts {
  type?: string
  count: number
  megatransfersPerSecond?: number
  ratedMegatransfersPerSecond?: number
  channelCount?: number
}

/** What stands ready to start containers. */
export interface ContainerTools {
  /** docker, podman, nerdctl, apptainer: those in the search path. */
  engines: string[]
  /** NVIDIA's container toolkit, or device descriptions that it wrote. */
  nvidiaToolkit?: boolean
  /** Docker's configuration names the nvidia runtime. Absent: Docker has no configuration file. */
  dockerKnowsNvidia?: boolean
}

/** A program that holds memory of a GPU. */
export interface GpuProcess {
  /** Without its folder. */
  name: string
  /** Belongs to the desktop: it draws on a screen. */
  graphics: boolean
  usedBytes?: number
}

export interface DetectedGpu {
  /** Unique in the document. For a whole card the number that its driver uses; MIG slices are numbered after the cards. */
  index: number
  /** The card in the catalogue; for a MIG slice the card that it is cut from. */
  id?: string
  name: string
  vendor: Vendor
  /** As the driver reports it; for unified memory what the operating system has in all. */
  memoryBytes?: number
  /** Free now, as the driver prints it; for unified memory what the operating system calls available. */
  freeBytes?: number
  memoryBandwidthBytesPerSecond?: number
  /** NVIDIA compute capability as a number: 8.9, 12.1. */
  computeCapability?: number
  architecture?: string
  /** AMD: gfx942. */
  gfxTarget?: string
  /** Apple: cores of the GPU. */
  gpuCoreCount?: number
  driver?: string
  /** NVIDIA: identity of the card or slice, by which it can be chosen whatever the order. Never printed by detect: given by hand. */
  uuid?: string
  /** Newest CUDA that the driver can run. */
  cudaVersion?: string
  mig?: MigSlice
  /** AMD: one of several logical devices that a package was divided into; it gets that part of memory, bandwidth and compute units. */
  partition?: {mode?: string; count: number}
  unifiedMemory?: boolean
  /** Held by programs now. Containers and WSL hide the programs, not their memory. */
  processesBytes?: number
  /** Who holds it, most first; at most eight. Containers and WSL hide programs. */
  processes?: GpuProcess[]
  /** The best link that card and slot can train to together. */
  pcie?: {generation?: number; laneCount?: number}
}

/** Where a MIG slice comes from. A slice cannot reach other slices, so no model can be split over several. */
export interface MigSlice {
  /** Number of the card as the driver counts, and of the slice on it. */
  parentIndex: number
  device: number
  /** As the driver names it: 3g.40gb. */
  profile?: string
  /** Whole memory of the card. */
  parentMemoryBytes?: number
}

/** `none`: fewer than two GPUs. `unknown`: several, and no tool told how they are joined. Otherwise the weakest pair. */
export type InterconnectKind = LinkKind | 'none' | 'unknown'

export interface Interconnect {
  kind: InterconnectKind
  pairs?: GpuPair[]
}

/** How two GPUs are joined; `gpus` holds their `index`, the lower first. */
export interface GpuPair {
  gpus: [number, number]
  kind: LinkKind
  /** As the tool prints it: NV18, PIX, PHB, SYS, XGMI. */
  path?: string
  /** Bonded NVLinks. */
  linkCount?: number
  /** Rate of the bonded links together, where the tool tells it. */
  bytesPerSecondPerDirection?: number
  /** The driver lets one read the memory of the other. */
  peerAccess?: boolean
}

export interface DetectedCpu {
  name?: string
  vendor?: string
  /** As Node names it: x64, arm64. */
  architecture?: string
  logicalCount?: number
  physicalCount?: number
  socketCount?: number
  numaNodeCount?: number
}

export interface DiskSpace {
  /** The home directory is written as `~`. */
  path: string
  use: 'checkpoints' | 'shared-memory'
  totalBytes: number
  freeBytes: number
}

export interface MachineProblem {
  code: ProblemCode | (string & {})
  message: string
  remedy: string
}

/** What may go wrong on a machine; programs may rely on these names. */
export type ProblemCode =
  | 'tool-missing'
  | 'tool-timeout'
  | 'driver-mismatch'
  | 'driver-not-loaded'
  | 'driver-library-missing'
  | 'gpu-lost'
  | 'gpu-not-listed'
  | 'gpu-unknown'
  | 'no-devices'
  | 'no-permission'
  | 'in-container-without-gpus'
  | 'container-lost-gpus'
  | 'unreadable-output'
  | 'memory-unknown'
  | 'free-memory-unknown'
  | 'memory-implausible'
  | 'name-unknown'
  | 'driver-version-unknown'
  | 'mig-without-slices'
  | 'mig-slice-unknown'
  | 'fabric-not-ready'
  | 'topology-unknown'
  | 'links-unequal'
  | 'partitions-share-memory'
  | 'shared-memory-small'
  | 'host-memory-unknown'
  | 'memory-below-rating'
  | 'gpus-hidden'
  | 'gpus-hidden-unclear'
  | 'container-toolkit-missing'
  | 'driver-old-for-images'
  | 'wsl'
