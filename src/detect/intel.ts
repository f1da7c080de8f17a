import {arrayOf, objectOf, parseLooseJson, textOf} from './loose-json.ts'
import type {DetectedGpu, GpuPair, MachineProblem} from './machine-document.ts'
import {parseXpuSmiText, parseXpuTopology} from './intel-text.ts'
import {PCI_DEVICES, type PciGpu} from './pci.ts'
import {type Maker, type PlainDevice, plainGpus} from './plain-gpus.ts'
import {type DetectionEffects, type Exec, type ExecOutcome, type FindGpu, printedBy, type Reading} from './probe.ts'
import {bytesOf, known, pciAddressOf, quotable, totalBytesOf} from './quantity.ts'

const INTEL = '0x8086'

/** All devices, or one by number: older versions print the memory only of one. */
export function runXpuSmi(exec: Exec, device?: number): Promise<ExecOutcome> {
  return exec('xpu-smi', ['discovery', ...(device === undefined ? [] : ['-d', String(device)]), '-j'])
}

/** Asked without JSON: `discovery` of older versions, the table of newer ones. */
function runXpuSmiText(exec: Exec, words: string[]): Promise<ExecOutcome> {
  return exec('xpu-smi', words)
}

/** `discovery -j` (a `device_list`) and `discovery -d N -j` (one device). Sizes are strings of bytes; names may be generic. */
export function parseXpuSmi(text: string): PlainDevice[] {
  const devices = new Map<number, PlainDevice>()
  const found = parseLooseJson(text).flatMap((document) => ('device_list' in objectOf(document) ? arrayOf(objectOf(document).device_list) : [document]))
  for (const device of found.map(objectOf)) {
    const index = device.device_id
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index > 999) continue
    const name = known(textOf(device.device_name))
    const memoryBytes = totalBytesOf(textOf(device.memory_physical_size_byte))
    const free = bytesOf(textOf(device.memory_free_size_byte))
    const pciDeviceId =
      /^0x[0-9a-f]{4}$/i.exec(textOf(device.pci_device_id) ?? '')?.[0]?.toLowerCase() ?? /\[(0x[0-9a-f]{4})\]/i.exec(name ?? '')?.[1]?.toLowerCase()
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

export interface IntelAnswer {
  devices: PlainDevice[]
  pairs: GpuPair[]
  problems: MachineProblem[]
}

/** What the tool tells, else what the kernel drivers tell of cards with memory of their own. */
export async function detectIntel(effects: DetectionEffects, pci: PciGpu[]): Promise<IntelAnswer> {
  const cards = pci.filter(({vendorId}) => vendorId === INTEL)
  if (pci.length > 0 && cards.length === 0) return {devices: [], pairs: [], problems: []}
  const [outcome, kernel] = await Promise.all([runXpuSmi(effects.exec), runIntelSysfs(effects, cards)])
  const inJson = parseXpuSmi(printedBy(outcome))
  const plain = inJson.length === 0 && outcome.kind === 'ended' ? await askInText(effects) : []
  const listed = [...inJson, ...plain].filter(({name}) => !PROCESSOR_GRAPHICS.test(name ?? ''))
  const lacking = plain.length > 0 ? [] : listed.filter(({memoryBytes}) => memoryBytes === undefined).slice(0, 16)
  const more = (await Promise.all(lacking.map(async ({index}) => parseXpuSmi(printedBy(await runXpuSmi(effects.exec, index)))))).flat()
  const told = listed.map((device) => ({
    ...device,
    ...present(more.find(({index}) => index === device.index)),
    ...(device.name ? {name: device.name} : {}),
  }))
  if (told.length > 0)
    return {
      devices: told.map((device) => ({
        ...present(kernel.find(({pciAddress}) => pciAddress !== undefined && pciAddress === device.pciAddress)),
        ...present(device),
        index: device.index,
      })),
      pairs: told.length > 1 ? parseXpuTopology(printedBy(await runXpuSmiText(effects.exec, ['topology', '-m']))) : [],
      problems: [],
    }
  if (kernel.length === 0) return {devices: [], pairs: [], problems: []}
  const problem: MachineProblem =
    outcome.kind === 'missing'
      ? {
          code: 'tool-missing',
          message: 'The machine has an Intel GPU but no xpu-smi; information from the kernel is used instead',
          remedy: 'install xpu-smi (package xpumanager) to see how much memory is free',
        }
      : {
          code: outcome.kind === 'timeout' ? 'tool-timeout' : 'unreadable-output',
          message: 'xpu-smi printed nothing that can be read; information from the kernel is used instead',
          remedy: 'run `xpu-smi discovery -j` by hand and see what it says',
        }
  return {devices: kernel, pairs: [], problems: [problem]}
}

async function askInText({exec}: DetectionEffects): Promise<PlainDevice[]> {
  const [discovery, table] = await Promise.all([runXpuSmiText(exec, ['discovery']), runXpuSmiText(exec, [])])
  const listed = parseXpuSmiText(printedBy(discovery))
  const shown = parseXpuSmiText(printedBy(table))
  return listed.length === 0
    ? shown
    : listed.map((device) => ({...present(shown.find(({index}) => index === device.index)), ...present(device), index: device.index}))
}

/** The `xe` driver tells memory by tile, `i915` by card. A device without either has no memory of its own. */
async function runIntelSysfs({readFile, listDirectory}: Pick<DetectionEffects, 'readFile' | 'listDirectory'>, cards: PciGpu[]): Promise<PlainDevice[]> {
  const devices = await Promise.all(
    cards.map(async ({address, deviceId}): Promise<Omit<PlainDevice, 'index'> | undefined> => {
      const base = `${PCI_DEVICES}/${address}`
      const nodes = (await listDirectory?.(`${base}/drm`)) ?? []
      const files = [
        ...[0, 1, 2, 3].map((tile) => `${base}/tile${tile}/physical_vram_size_bytes`),
        ...nodes.filter((node) => /^card\d+$/.test(node)).map((node) => `${base}/drm/${node}/lmem_total_bytes`),
      ]
      const sizes = (await Promise.all(files.map(readFile))).map((text) => totalBytesOf(text)).filter((bytes) => bytes !== undefined)
      const memoryBytes = sizes.reduce((sum, bytes) => sum + bytes, 0)
      return memoryBytes > 0 ? {pciAddress: address, pciDeviceId: deviceId, memoryBytes} : undefined
    }),
  )
  return devices.filter((device) => device !== undefined).map((device, index) => ({...device, index}))
}

/** "Intel(R) Graphics [0xe211]" names no card. */
const INTEL_MAKER: Maker = {vendor: 'intel', pciVendor: '8086', title: 'Intel GPU', generic: /^Intel\(R\) Graphics\b/}

export const intelGpus = (devices: PlainDevice[], findGpu: FindGpu | undefined): Reading<DetectedGpu[]> => plainGpus(devices, INTEL_MAKER, findGpu)

function present<T extends object>(fields: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
