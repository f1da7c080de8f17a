/** One card as nvidia-smi describes it, before it is matched with the catalogue. Absent: not printed, or printed as unknown. */
export interface NvidiaDevice {
  index: number
  pciAddress?: string
  /** `0x2330` */
  pciDeviceId?: string
  name?: string
  /** The beginning of a name that the table cut: `NVIDIA GeForce RTX 4080 ...`. */
  cutName?: string
  architecture?: string
  /** Identity, to match what CUDA_VISIBLE_DEVICES names. Never leaves detection. */
  uuid?: string
  computeCapability?: number
  driver?: string
  /** Newest CUDA that the driver can run: `13.1`. */
  cudaVersion?: string
  memoryBytes?: number
  usedBytes?: number
  freeBytes?: number
  /** Sum over the programs that the tool lists with a number. */
  processListBytes?: number
  /** Programs on the card, where the tool lists them. */
  processes?: NvidiaProcess[]
  pcie?: {generation?: number; laneCount?: number}
  migEnabled?: boolean
  slices: NvidiaSlice[]
  /** What the fabric manager says; absent on cards without NVSwitch. */
  fabric?: {state: string; status?: string}
  /** Fields that the tool printed as unknown, by the tool's own name. */
  unknownFields: UnknownField[]
}

export interface NvidiaProcess {
  /** Without its folder. */
  name: string
  /** Draws on a screen, at least among other things. */
  graphics: boolean
  usedBytes?: number
}

export interface UnknownField {
  field: 'name' | 'memory.total' | 'memory.free' | 'driver_version'
  printed: string
}

export interface NvidiaSlice {
  device: number
  uuid?: string
  profile?: string
  memoryBytes?: number
  usedBytes?: number
  freeBytes?: number
}

/**
 * Fills what the first reading of a device lacks from the second, and adds devices that only the second has. The same device
 * is the one at the same PCI address; where either has none, the one with the same number.
 */
export function mergeNvidia(first: NvidiaDevice[], second: NvidiaDevice[]): NvidiaDevice[] {
  const same = (a: NvidiaDevice, b: NvidiaDevice) => (a.pciAddress && b.pciAddress ? a.pciAddress === b.pciAddress : a.index === b.index)
  const merged = first.map((device) => {
    const other = second.find((candidate) => same(device, candidate))
    return other ? mergeDevice(device, other) : device
  })
  return [...merged, ...second.filter((device) => !first.some((other) => same(device, other)))]
}

function mergeDevice(device: NvidiaDevice, other: NvidiaDevice): NvidiaDevice {
  const merged: NvidiaDevice = {...other, ...withoutUndefined(device), index: other.index}
  // Used and free are one measurement: both from the reading that has the total.
  if (device.memoryBytes === undefined && other.memoryBytes !== undefined) {
    merged.usedBytes = other.usedBytes
    merged.freeBytes = other.freeBytes
  }
  const values = {name: merged.name, 'memory.total': merged.memoryBytes, 'memory.free': merged.freeBytes, driver_version: merged.driver}
  const fields = new Map([...other.unknownFields, ...device.unknownFields].map((unknown) => [unknown.field, unknown]))
  merged.unknownFields = [...fields.values()].filter(({field}) => values[field] === undefined)
  return merged
}

function withoutUndefined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>
}
