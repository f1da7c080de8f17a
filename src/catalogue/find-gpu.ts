import type {Accelerator, Vendor} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {quotedShort} from '../core/nearest.ts'
import {plainName} from './gpu-names.ts'
import {unknownGpu} from './near-gpus.ts'
import {dictionary} from '../core/dictionary.ts'

/** What a driver says about a card. The more is known, the fewer cards are confused. */
export interface DriverReport {
  /** As printed: `NVIDIA GeForce RTX 4090`. */
  name: string
  /** Total that the driver reports. Absent: it printed none. */
  memoryBytes?: number
  /** `0x2e12`, `10de:2e12`, or `0x233010DE` as nvidia-smi prints it. */
  pciDeviceId?: string
  vendor?: Vendor
  /** Apple: `sppci_cores`. */
  gpuCoreCount?: number
}

export type GpuMatch =
  | {kind: 'found'; gpu: Accelerator}
  /** Cards that the report does not tell apart. */
  | {kind: 'ambiguous'; candidates: Accelerator[]}
  /** No card; `sameName` are those of that name whose memory differs: another variant, which the catalogue lacks. */
  | {kind: 'unknown'; sameName: Accelerator[]}

/**
 * Share by which a reported total may miss the catalogue's. ECC takes 6.3% of a GDDR card (49140 or 46068 MiB on one board) and
 * drivers differ by 0.8%; the closest variants of one name that must stay apart differ by 17% (10 and 12 GB).
 */
const memoryTolerance = 0.08

/** The card behind what a driver printed. Pure; nicknames do not count, and a name must match as a whole. */
export function matchDriverReport(gpus: readonly Accelerator[], report: DriverReport): GpuMatch {
  const named = candidatesFor(gpus, report)
  const fitting = named.filter((gpu) => memoryFits(gpu, report.memoryBytes) && coresFit(gpu, report.gpuCoreCount))
  const [only, ...others] = closestMemory(preferOwnName(fitting, report), report.memoryBytes)
  if (!only) return {kind: 'unknown', sameName: named}
  return others.length === 0 ? {kind: 'found', gpu: only} : {kind: 'ambiguous', candidates: [only, ...others]}
}

/**
 * The card a person asked for by id, nickname, name or driver name, in this order of weight; undefined where there is none.
 * Throws InputError GPU_AMBIGUOUS with the ids that share the name.
 */
export function findGpu(gpus: readonly Accelerator[], name: string): Accelerator | undefined {
  const asked = plainName(name)
  const spellings: ((gpu: Accelerator) => readonly string[])[] = [(gpu) => [gpu.id], (gpu) => gpu.nicknames ?? [], (gpu) => [gpu.name, ...gpu.aliases]]
  for (const spellingsOf of spellings) {
    const [only, ...others] = gpus.filter((gpu) => spellingsOf(gpu).some((spelling) => plainName(spelling) === asked))
    if (only && others.length === 0) return only
    if (only) throw ambiguous(name, [only, ...others])
  }
  return undefined
}

/** The card whose name has the same words in another order (`rtx 6000 pro`); undefined where there is none or more than one. */
export function findGpuInAnyOrder(gpus: readonly Accelerator[], name: string): Accelerator | undefined {
  const asked = sortedWords(name)
  const found = gpus.filter(({id, nicknames = [], name: title, aliases}) =>
    [id, ...nicknames, title, ...aliases].some((spelling) => sortedWords(spelling) === asked),
  )
  return found.length === 1 ? found[0] : undefined
}

const sortedWords = (name: string): string =>
  name
    .toLowerCase()
    .split(/[^a-z0-9.]+/)
    .filter(Boolean)
    .sort()
    .join(' ')

/** The same, where there has to be one. Throws InputError: GPU_UNKNOWN with the closest ids, GPU_AMBIGUOUS. */
export function requireGpu(gpus: readonly Accelerator[], name: string): Accelerator {
  const found = findGpu(gpus, name)
  if (found) return found
  throw unknownGpu(gpus, name)
}

function ambiguous(name: string, candidates: readonly Accelerator[]): InputError {
  const ids = candidates.map((gpu) => gpu.id)
  return new InputError('GPU_AMBIGUOUS', `${quotedShort(name)} is the name of several GPUs: say which one`, {suggestions: ids})
}

/** By PCI id and by name; both where they agree on a card, else whichever finds one. */
function candidatesFor(gpus: readonly Accelerator[], report: DriverReport): Accelerator[] {
  const pci = report.pciDeviceId === undefined ? undefined : pciDevice(report.pciDeviceId)
  const vendor = report.vendor ?? pci?.vendor
  const ofVendor = gpus.filter((gpu) => vendor === undefined || gpu.vendor === vendor)
  const byPci = ofVendor.filter((gpu) => pci !== undefined && gpu.pciDeviceIds?.includes(pci.id))
  const byName = ofVendor.filter((gpu) => hasDriverName(gpu, report))
  const both = byPci.filter((gpu) => byName.includes(gpu))
  return [both, byPci, byName].find((list) => list.length > 0) ?? []
}

/** A shared name says nothing by itself: the reported memory has to agree as well. */
function hasDriverName(gpu: Accelerator, report: DriverReport): boolean {
  const printed = plainName(report.name)
  const isPrinted = (spelling: string) => plainName(spelling) === printed
  if ([gpu.id, gpu.name, ...gpu.aliases].some(isPrinted)) return true
  return report.memoryBytes !== undefined && (gpu.sharedAliases ?? []).some(isPrinted) && memoryFits(gpu, report.memoryBytes)
}

/**
 * Cards rebuilt with more memory are the card too. Unified memory is chosen with the machine, and drivers report slices of it or nothing:
 * only more than the largest is wrong.
 */
function memoryFits(gpu: Accelerator, reportedBytes: number | undefined): boolean {
  if (reportedBytes === undefined) return true
  if (gpu.unifiedMemory) return reportedBytes <= gpu.memoryBytes * (1 + memoryTolerance)
  return [gpu.memoryBytes, ...(gpu.memoryVariantsBytes ?? [])].some((bytes) => Math.abs(reportedBytes - bytes) <= bytes * memoryTolerance)
}

function coresFit(gpu: Accelerator, coreCount: number | undefined): boolean {
  if (coreCount === undefined || !gpu.gpuCoreCount) return true
  return coreCount >= gpu.gpuCoreCount.min && coreCount <= gpu.gpuCoreCount.max
}

/** `RTX 4090` is the card of this id before it is a modified one that prints the same. */
function preferOwnName(fitting: Accelerator[], report: DriverReport): Accelerator[] {
  const own = fitting.filter((gpu) => plainName(gpu.id) === plainName(report.name))
  return own.length > 0 ? own : fitting
}

function closestMemory(fitting: Accelerator[], reportedBytes: number | undefined): Accelerator[] {
  if (reportedBytes === undefined || fitting.some((gpu) => gpu.unifiedMemory)) return fitting
  const distance = (gpu: Accelerator) => Math.abs(gpu.memoryBytes - reportedBytes)
  const least = Math.min(...fitting.map(distance))
  return fitting.filter((gpu) => distance(gpu) === least)
}

const pciVendors: Readonly<Record<string, Vendor>> = dictionary({
  '10de': 'nvidia',
  '1002': 'amd',
  '8086': 'intel',
  '1da3': 'intel', // Habana Labs: Gaudi
  '19e5': 'huawei',
})

/** Device id as the catalogue writes it, and the vendor where the text has it. Undefined for text of another shape. */
function pciDevice(text: string): {id: string; vendor?: Vendor} | undefined {
  const lower = text.toLowerCase()
  const joined = /^0x([0-9a-f]{4})([0-9a-f]{4})$/.exec(lower)
  if (joined) return {id: `0x${joined[1]}`, vendor: pciVendors[joined[2] ?? '']}
  const pair = /^\[?(?:(?:0x)?([0-9a-f]{4}):)?(?:0x)?([0-9a-f]{4})\]?$/.exec(lower)
  return pair ? {id: `0x${pair[2]}`, vendor: pciVendors[pair[1] ?? '']} : undefined
}
