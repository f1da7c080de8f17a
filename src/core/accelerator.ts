/** Hardware as the arithmetic needs it. Bandwidth is in bytes a second, rates are dense operations a second. */

export type Vendor = 'nvidia' | 'amd' | 'apple' | 'intel' | 'huawei' | 'google' | 'cerebras' | 'other'

/** Data types a matrix unit can be fed with. */
export type ComputeType = 'fp16' | 'bf16' | 'fp8' | 'int8' | 'int4' | 'fp4' | 'fp6'

export interface Accelerator {
  id: string
  name: string
  vendor: Vendor
  /** Names as drivers print them, and other spellings. */
  aliases: string[]
  pciDeviceIds?: string[]
  architecture?: string
  /** NVIDIA compute capability, as a number: 8.9, 12.1. */
  computeCapability?: number
  gfxTarget?: string
  form?: string
  /** What the driver reports as total; for unified memory what the system shows. */
  memoryBytes: number
  unifiedMemory?: boolean
  memoryBandwidthBytesPerSecond?: number
  /** Dense operations a second with fp32 accumulation, by type of the operands. Absent: not known, or not native (see `native`). */
  denseOperationsPerSecond: Partial<Record<ComputeType, number>>
  /** Operand types the matrix units take; the rest is converted before use. `mxfp4` and `nvfp4` share the fp4 rate. */
  native: string[]
  scaleUp?: {kind: string; bytesPerSecondPerDirection: number; scope?: string; maxGpuCount?: number}
  pcie?: {generation?: number; laneCount?: number; bytesPerSecondPerDirection: number}
  /** Cards of this type can reach each other's memory over PCIe with the stock driver. Absent: not known. */
  pciePeerAccess?: boolean
  tdpWatts?: number
  releaseYear?: number
  localDeployment?: boolean
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
}

export interface Machine {
  name?: string
  gpus: MachineGpu[]
  nodeCount: number
  link: {kind: LinkKind; bytesPerSecondPerDirection?: number}
  /** Between nodes, for each GPU. */
  networkBytesPerSecondPerGpu?: number
  hostMemoryBytes?: number
  availableHostMemoryBytes?: number
  freeDiskBytes?: number
  /** A machine that was looked at rather than named: free memory is real. */
  detected: boolean
}
