/** Hardware as the arithmetic needs it. Bandwidth is in bytes a second, rates are dense operations a second. */

export type Vendor = 'nvidia' | 'amd' | 'apple' | 'intel' | 'huawei' | 'google' | 'cerebras' | 'cpu' | 'other'

/** Data types a matrix unit can be fed with. */
export type ComputeType = 'fp16' | 'bf16' | 'fp8' | 'int8' | 'int4' | 'fp4' | 'fp6'

export interface Accelerator {
  id: string
  name: string
  vendor: Vendor
  /** Names as drivers print them, and other spellings. */
  aliases: string[]
  /** Names that other products print too: they identify this one only together with its PCI id or its memory. */
  sharedAliases?: string[]
  /** What people type and mean this one by: `4090`, `h200`. Never matched against a driver's text. */
  nicknames?: string[]
  pciDeviceIds?: string[]
  architecture?: string
  /** NVIDIA compute capability, as a number: 8.9, 12.1. */
  computeCapability?: number
  gfxTarget?: string
  form?: string
  /** What the driver reports as total; for unified memory what the system shows. */
  memoryBytes: number
  /** reported: a tool printed it; system: what the operating system shows; nominal: as advertised, may be some per cent too high. */
  memoryBasis?: 'reported' | 'system' | 'nominal'
  /** Part of `memoryBytes` that the driver keeps: never free, before any process starts. Absent: not seen in a capture. */
  driverReservedBytes?: number
  /** Sizes that are known to be sold, where memory is chosen with the machine. `memoryBytes` is the largest then. */
  memoryOptionsBytes?: number[]
  /** What the driver reports of cards that are rebuilt with more memory and print the same name. */
  memoryVariantsBytes?: number[]
  unifiedMemory?: boolean
  memoryBandwidthBytesPerSecond?: number
  /** Dense operations a second with fp32 accumulation, by type of the operands. Absent: not known, or not native (see `native`). */
  denseOperationsPerSecond: Partial<Record<ComputeType, number>>
  /** The same with fp16 accumulation, where it is faster (GeForce). Engines accumulate in fp32: not for their estimates. */
  fp16AccumulateOperationsPerSecond?: Partial<Record<ComputeType, number>>
  /** Inferred rates for types with no published figure, and why: weaker than `denseOperationsPerSecond`. */
  estimatedOperationsPerSecond?: Partial<Record<ComputeType, number>>
  estimateBasis?: string
  /** Operand types the matrix units take; the rest is converted before use. `mxfp4` and `nvfp4` share the fp4 rate. */
  native: string[]
  scaleUp?: {kind: string; bytesPerSecondPerDirection: number; scope?: string; maxGpuCount?: number}
  /** A link of its own beside PCIe exists, but its rate is not published. Never together with `scaleUp`. */
  unratedScaleUp?: {kind: string; scope?: string; maxGpuCount?: number}
  pcie?: {generation?: number; laneCount?: number; bytesPerSecondPerDirection: number}
  /** Where its CPU is joined by more than PCIe (Grace). Without a rate: not published for this card. */
  hostLink?: {kind: 'nvlink-c2c'; bytesPerSecondPerDirection?: number}
  /** Cards of this type can reach each other's memory over PCIe with the stock driver. Absent: not known. */
  pciePeerAccess?: boolean
  /** Devices that one package or board shows to the driver; every other figure here is for one device. Absent: 1. */
  devicesPerPackage?: number
  /** GPU cores of the bins sold under one name (Apple), the only way to tell bins apart. */
  gpuCoreCount?: {min: number; max: number}
  /** Watts of the package or board. */
  tdpWatts?: number
  releaseYear?: number
  localDeployment?: boolean
  /** A part of a card that works as one of its own (MIG): it reaches no other part and no other card. */
  slice?: {of: string; profile: string; mostOnCard: number}
  /** Figures that stand in no source, given by hand or estimated: said beside every answer. */
  remarks?: string[]
  /** How far the catalogue trusts its figures: `low` should not decide a verdict alone. */
  confidence?: 'high' | 'medium' | 'low'
}

/** How two or more GPUs of a group are joined, best first. */
export type LinkKind = 'nvlink' | 'xgmi' | 'pcie-p2p' | 'pcie-host' | 'network' | 'unified' | 'other'

export interface MachineGpu {
  index: number
  accelerator: Accelerator
  /** What the driver reports on this machine; the catalogue's figure otherwise. */
  memoryBytes: number
  /** Free now; absent: nothing is known to be running, so all of it counts as free. */
  freeBytes?: number
  /** Version of its driver, where this machine was looked at. */
  driver?: string
  /** Identity by its driver, where this machine was looked at: GPU-..., of a slice MIG-... */
  uuid?: string
  /** Of a slice that was found on this machine: 3g.40gb. */
  migProfile?: string
}

export interface Machine {
  name?: string
  gpus: MachineGpu[]
  nodeCount: number
  /** `asked`: somebody said so, whatever is usual for these cards. */
  link: {kind: LinkKind; bytesPerSecondPerDirection?: number; asked?: true}
  /** Groups of its GPUs, by index, that a faster link joins, where it does not join all: bridges join pairs. */
  joined?: {kind: LinkKind; bytesPerSecondPerDirection?: number; groups: number[][]}
  /** Between nodes, for each GPU. */
  networkBytesPerSecondPerGpu?: number
  /** What the nodes are joined by, in the words of its source: InfiniBand, RoCE, EFA. Absent: not known. */
  networkFabric?: string
  /** Between one GPU and the host's memory, where that is known of the machine; else the card's own. */
  hostLinkBytesPerSecond?: number
  /** Of the host's memory, as it runs. */
  hostMemoryBandwidthBytesPerSecond?: number
  hostMemoryBytes?: number
  availableHostMemoryBytes?: number
  freeDiskBytes?: number
  /** A machine that was looked at rather than named: free memory is real. */
  detected: boolean
  /** What was assumed of it, in sentences for its reader. */
  notes?: string[]
}
