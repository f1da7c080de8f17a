import {arrayOf, objectOf, parseLooseJson, textOf} from './loose-json.ts'
import type {DetectedGpu, MachineProblem} from './machine-document.ts'
import {PCI_DEVICES, type PciGpu} from './pci.ts'
import {type DetectionEffects, type Exec, type ExecOutcome, type FindGpu, firstFound, printedBy, type Reading} from './probe.ts'
import {bytesOf, known, pciAddressOf, quotable, totalBytesOf} from './quantity.ts'

export interface IntelDevice {
  index: number
  name?: string
  /** `0xe211` */
  pciDeviceId?: string
  pciAddress?: string
  memoryBytes?: number
  freeBytes?: number
}

const INTEL = '0x8086'

/** All devices, or one by number: older versions print the memory only of one. */
export function runXpuSmi(exec: Exec, device?: number): Promise<ExecOutcome> {
  return exec('xpu-smi', ['discovery', ...(device === undefined ? [] : ['-d', String(device)]), '-j'])
}

/** `discovery -j` (a `device_list`) and `discovery -d N -j` (one device). Sizes are strings of bytes; names may be generic. */
export function parseXpuSmi(text: string): IntelDevice[] {
  const devices = new Map<number, IntelDevice>()
  const found = parseLooseJson(text).flatMap(document =>
    'device_list' in objectOf(document) ? arrayOf(objectOf(document).device_list) : [document],
  )
  for (const device of found.map(objectOf)) {
    const index = device.device_id
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index > 999) continue
    const name = known(textOf(device.device_name))
    const memoryBytes = totalBytesOf(textOf(device.memory_physical_size_byte))
    const free = bytesOf(textOf(device.memory_free_size_byte))
    const pciDeviceId =
      /^0x[0-9a-f]{4}$/i.exec(textOf(device.pci_device_id) ?? '')?.[0]?.toLowerCase() ??
      /\[(0x[0-9a-f]{4})\]/i.exec(name ?? '')?.[1]?.toLowerCase()
    devices.set(index, {
      index,
      name: name ? quotable(name, 100) : undefined,
      pciDeviceId,
      pciAddress: pciAddressOf(textOf(device.pci_bdf_address)),
      memoryBytes,
      freeBytes: free !== undefined && memoryBytes !== undefined && free <= memoryBytes ? free : undefined,
    })
  }
  return [...devices.values()]
}

/** Graphics inside a processor: no memory of its own, and no engine serves on it. */
const PROCESSOR_GRAPHICS = /\b(?:UHD|HD|Iris)\b|\bArc(?:\(TM\))? Graphics\b|\b1[34]0V\b/i

/** What the tool tells, else what the kernel drivers tell of cards with memory of their own. */
export async function detectIntel(effects: DetectionEffects, pci: PciGpu[]): Promise<{devices: IntelDevice[]; problems: MachineProblem[]}> {
  const cards = pci.filter(({vendorId}) => vendorId === INTEL)
  if (pci.length > 0 && cards.length === 0) return {devices: [], problems: []}
  const [outcome, kernel] = await Promise.all([runXpuSmi(effects.exec), runIntelSysfs(effects, cards)])
  const listed = parseXpuSmi(printedBy(outcome)).filter(({name}) => !PROCESSOR_GRAPHICS.test(name ?? ''))
  const lacking = listed.filter(({memoryBytes}) => memoryBytes === undefined).slice(0, 16)
  const more = (await Promise.all(lacking.map(async ({index}) => parseXpuSmi(printedBy(await runXpuSmi(effects.exec, index)))))).flat()
  const told = listed.map(device => ({
    ...device,
    ...present(more.find(({index}) => index === device.index)),
    ...(device.name ? {name: device.name} : {}),
  }))
  if (told.length > 0)
    return {
      devices: told.map(device => ({
        ...present(kernel.find(({pciAddress}) => pciAddress !== undefined && pciAddress === device.pciAddress)),
        ...present(device),
        index: device.index,
      })),
      problems: [],
    }
  if (kernel.length === 0) return {devices: [], problems: []}
  const problem: MachineProblem =
    outcome.kind === 'missing'
      ? {
          code: 'tool-missing',
          message: 'The machine has an Intel GPU but no xpu-smi; what the kernel tells is used',
          remedy: 'install xpu-smi (package xpumanager) to see how much memory is free',
        }
      : {
          code: outcome.kind === 'timeout' ? 'tool-timeout' : 'unreadable-output',
          message: 'xpu-smi printed nothing that can be read; what the kernel tells is used',
          remedy: 'run `xpu-smi discovery -j` by hand and see what it says',
        }
  return {devices: kernel, problems: [problem]}
}

/** The `xe` driver tells memory by tile, `i915` by card. A device without either has no memory of its own. */
async function runIntelSysfs(
  {readFile, listDirectory}: Pick<DetectionEffects, 'readFile' | 'listDirectory'>,
  cards: PciGpu[],
): Promise<IntelDevice[]> {
  const devices = await Promise.all(
    cards.map(async ({address, deviceId}): Promise<Omit<IntelDevice, 'index'> | undefined> => {
      const base = `${PCI_DEVICES}/${address}`
      const nodes = (await listDirectory?.(`${base}/drm`)) ?? []
      const files = [
        ...[0, 1, 2, 3].map(tile => `${base}/tile${tile}/physical_vram_size_bytes`),
        ...nodes.filter(node => /^card\d+$/.test(node)).map(node => `${base}/drm/${node}/lmem_total_bytes`),
      ]
      const sizes = (await Promise.all(files.map(readFile))).map(text => totalBytesOf(text)).filter(bytes => bytes !== undefined)
      const memoryBytes = sizes.reduce((sum, bytes) => sum + bytes, 0)
      return memoryBytes > 0 ? {pciAddress: address, pciDeviceId: deviceId, memoryBytes} : undefined
    }),
  )
  return devices.filter(device => device !== undefined).map((device, index) => ({...device, index}))
}

export function intelGpus(devices: IntelDevice[], findGpu: FindGpu | undefined): Reading<DetectedGpu[]> {
  const problems: MachineProblem[] = []
  const gpus = devices.map(({index, name: told, pciDeviceId, memoryBytes, freeBytes}): DetectedGpu => {
    const catalogued = firstFound(findGpu, told ? [told] : [], memoryBytes, pciDeviceId ? `8086:${pciDeviceId.slice(2)}` : undefined)
    // "Intel(R) Graphics [0xe211]" names no card.
    const generic = told === undefined || /^Intel\(R\) Graphics\b/.test(told)
    const name =
      (generic ? catalogued?.name : undefined) ?? told ?? (pciDeviceId ? `Intel GPU [8086:${pciDeviceId.slice(2)}]` : 'Intel GPU')
    if (memoryBytes === undefined)
      problems.push({
        code: 'memory-unknown',
        message: `No tool told how much memory GPU ${index} (${name}) has`,
        remedy: 'name the GPU with --gpu',
      })
    if (findGpu && !catalogued)
      problems.push({
        code: 'gpu-unknown',
        message: `${name} is not in the catalogue, so its speed cannot be predicted`,
        remedy: 'name the closest card with --gpu (see `servefit gpus`), or add a data file for it',
      })
    return {
      index,
      id: catalogued?.id,
      name,
      vendor: 'intel',
      memoryBytes,
      freeBytes,
      memoryBandwidthBytesPerSecond: catalogued?.memoryBandwidthBytesPerSecond,
      architecture: catalogued?.architecture,
    }
  })
  return {value: gpus, problems}
}

function present<T extends object>(fields: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
