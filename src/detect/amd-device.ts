/** One AMD GPU as a tool or the kernel describes it. Absent: not told. */
export interface AmdDevice {
  index: number
  pciAddress?: string
  /** `0x74a1` */
  pciDeviceId?: string
  /** Names as told, the most telling first. */
  names: string[]
  gfxTarget?: string
  driver?: string
  vramBytes?: number
  vramUsedBytes?: number
  /** The same as a share, 0..1, from a table that prints no bytes. */
  vramUsedShare?: number
  /** Host memory that the GPU may map. It is the host's, never in addition to it. */
  gttBytes?: number
  gttUsedBytes?: number
  /** How the package is divided: `QPX` into four, each of which prints the memory of all under `NPS1`. */
  partition?: {compute: string; memory?: string; id?: number}
}

/** Names that every card may have. */
const GENERIC = /^(?:AMD Radeon(?:\(TM\))? Graphics|Radeon Graphics|Display controller|0x[0-9a-f]+|AMD)$/i

/** Spellings of a name: the bracket of `Arcturus GL-XL [Instinct MI100]` is what people call the card. */
export function amdNames(...told: (string | undefined)[]): string[] {
  const names = told.flatMap((name) => (name === undefined ? [] : [/\[([^[\]]{3,80})\]\s*$/.exec(name)?.[1], name])).filter((name) => name !== undefined)
  return [...new Set(names.map((name) => name.trim()).filter((name) => name !== '' && !GENERIC.test(name)))]
}

/** Puts what the kernel tells beside what the tool tells, by PCI address, or one to one where the tool gives none. */
export function mergeAmd(told: AmdDevice[], kernel: AmdDevice[]): AmdDevice[] {
  if (told.length === 0) return kernel
  const inOrder = told.length === kernel.length && told.every(({pciAddress}) => pciAddress === undefined)
  return told.map((device, position) => {
    const other = inOrder ? kernel[position] : kernel.find(({pciAddress}) => pciAddress !== undefined && pciAddress === device.pciAddress)
    if (!other) return device
    return {
      ...device,
      pciAddress: device.pciAddress ?? other.pciAddress,
      // The kernel's id is that of the chip; older tools print the board's under the same name.
      pciDeviceId: other.pciDeviceId ?? device.pciDeviceId,
      gfxTarget: device.gfxTarget ?? other.gfxTarget,
      names: [...device.names, ...other.names],
      driver: device.driver ?? other.driver,
      vramBytes: other.vramBytes ?? device.vramBytes,
      vramUsedBytes: other.vramBytes !== undefined ? other.vramUsedBytes : device.vramUsedBytes,
      gttBytes: other.gttBytes ?? device.gttBytes,
      gttUsedBytes: other.gttBytes !== undefined ? other.gttUsedBytes : device.gttUsedBytes,
      partition: device.partition ?? other.partition,
    }
  })
}

/** Fills what is lacking from a further source, by PCI address, or one to one where neither gives any. Devices that only it has are not added. */
export function fillAmd(devices: AmdDevice[], more: AmdDevice[]): AmdDevice[] {
  const inOrder = devices.length === more.length
  return devices.map((device, position) => {
    const other =
      more.find(({pciAddress}) => pciAddress !== undefined && pciAddress === device.pciAddress) ??
      (inOrder && !(device.pciAddress && more[position]?.pciAddress) ? more[position] : undefined)
    if (!other) return device
    const lacking = Object.entries(other).filter(([name, value]) => value !== undefined && device[name as keyof AmdDevice] === undefined)
    return {...device, ...Object.fromEntries(lacking), names: [...new Set([...device.names, ...other.names])]}
  })
}

/** Fills the second answer of one tool into the first, by the tool's own numbers. */
export function joinAmd(devices: AmdDevice[], more: Map<number, Partial<AmdDevice>>): AmdDevice[] {
  return devices.map((device) => ({
    ...device,
    ...Object.fromEntries(Object.entries(more.get(device.index) ?? {}).filter(([, value]) => value !== undefined)),
  }))
}

export function gfxTargetOf(text: string | undefined): string | undefined {
  const target = text?.trim().toLowerCase()
  return target && /^gfx[0-9a-f]{3,5}$/.test(target) ? target : undefined
}
