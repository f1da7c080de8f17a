import type {Accelerator} from '../core/accelerator.ts'
import type {DetectedGpu, GpuProcess, MachineProblem} from './machine-document.ts'
import {bandwidthShareOf} from './nvidia-mig.ts'
import type {NvidiaDevice, NvidiaSlice} from './nvidia-device.ts'
import {type FindGpu, firstFound, type Reading} from './probe.ts'
import {quotable} from './quantity.ts'

/** What the operating system says of memory that the GPU shares, and of the board, for machines where nvidia-smi says N/A. */
export interface SharedMemory {
  totalBytes?: number
  availableBytes?: number
  /** Jetson: `NVIDIA Jetson AGX Orin Developer Kit` */
  boardModel?: string
}

/** Chips whose GPU has no memory of its own. `Orin (nvgpu)` and `Thor` are how Jetson boards print. */
const SHARING_NAMES = /\bGB10\b|\bThor\b|\bOrin\b|\bXavier\b|\bTegra\b|\(nvgpu\)/i
const SHARING_PCI_IDS = new Set(['0x2e12'])

/** Cards of the document: whole ones under the driver's number, MIG slices numbered after them. */
export function nvidiaGpus(devices: NvidiaDevice[], shared: SharedMemory, findGpu: FindGpu | undefined): Reading<DetectedGpu[]> {
  const problems: MachineProblem[] = []
  const whole: DetectedGpu[] = []
  const slices: DetectedGpu[] = []
  let nextIndex = Math.max(-1, ...devices.map(({index}) => index)) + 1
  for (const device of devices) {
    const card = readCard(device, shared, findGpu, problems)
    if (!device.migEnabled && device.slices.length === 0) whole.push(card.gpu)
    // A card in MIG mode still prints its whole memory, but nothing can be placed on it.
    else for (const slice of device.slices) slices.push(readSlice(slice, device, card, nextIndex++, problems))
    if (device.migEnabled && device.slices.length === 0) problems.push(emptyMig(device))
  }
  return {value: [...whole, ...slices], problems}
}

interface Card {
  gpu: DetectedGpu
  catalogued?: Accelerator
}

function readCard(device: NvidiaDevice, shared: SharedMemory, findGpu: FindGpu | undefined, problems: MachineProblem[]): Card {
  const {index} = device
  const names = namesOf(device, shared)
  const sharing = names.some((name) => SHARING_NAMES.test(name)) || SHARING_PCI_IDS.has(device.pciDeviceId ?? '')
  const look = (memoryBytes: number | undefined) =>
    firstFound(findGpu, names, memoryBytes, device.pciDeviceId ? `10de:${device.pciDeviceId.slice(2)}` : undefined)
  // Looked up twice at most: only the catalogue may know that an unnamed chip shares the host's memory.
  const first = look(device.memoryBytes ?? (sharing ? shared.totalBytes : undefined))
  const unified = sharing || first?.unifiedMemory === true
  const memory = unified
    ? sharedMemoryOf(device, shared, problems)
    : {memoryBytes: device.memoryBytes, freeBytes: device.freeBytes, processesBytes: device.usedBytes ?? device.processListBytes}
  const catalogued = memory.memoryBytes === device.memoryBytes ? first : (look(memory.memoryBytes) ?? first)
  const name = names[0] ?? catalogued?.name ?? (device.pciDeviceId ? `NVIDIA GPU [10de:${device.pciDeviceId.slice(2)}]` : 'NVIDIA GPU')
  problems.push(...unknownFieldProblems(device, unified && memory.memoryBytes !== undefined))
  if (memory.memoryBytes === undefined && !device.unknownFields.some(({field}) => field === 'memory.total')) {
    problems.push({
      code: 'memory-unknown',
      message: `No tool reported how much memory GPU ${index} (${name}) has`,
      remedy: 'repair the driver, or name the GPU with --gpu',
    })
  }
  if (findGpu && !catalogued) {
    problems.push({
      code: 'gpu-unknown',
      message: `${name} is not in the catalogue, so its speed cannot be predicted`,
      remedy: 'name the closest card with --gpu (see `servefit gpus`), or add a data file for it',
    })
  }
  problems.push(...fabricProblem(device))
  return {
    gpu: {
      index,
      id: catalogued?.id,
      name,
      vendor: 'nvidia',
      ...memory,
      memoryBandwidthBytesPerSecond: catalogued?.memoryBandwidthBytesPerSecond,
      computeCapability: device.computeCapability ?? catalogued?.computeCapability,
      architecture: device.architecture ?? catalogued?.architecture,
      driver: device.driver,
      cudaVersion: device.cudaVersion,
      unifiedMemory: unified ? true : undefined,
      pcie: device.pcie,
      ...processesOf(device),
    },
    catalogued,
  }
}

/** Programs of one name together, most first. Many copies of a browser say no more than one. */
function processesOf({processes}: NvidiaDevice): {processes?: GpuProcess[]} {
  const byName = new Map<string, GpuProcess>()
  for (const {name, graphics, usedBytes} of processes ?? []) {
    const known = byName.get(name)
    const sum = known?.usedBytes === undefined ? usedBytes : known.usedBytes + (usedBytes ?? 0)
    byName.set(name, {name: quotable(name, 40), graphics: graphics && (known?.graphics ?? true), ...(sum === undefined ? {} : {usedBytes: sum})})
  }
  const list = [...byName.values()].sort((a, b) => (b.usedBytes ?? -1) - (a.usedBytes ?? -1)).slice(0, 8)
  return list.length > 0 ? {processes: list} : {}
}

/** Identities by the number of the GPU in the document, slices numbered after the cards as `nvidiaGpus` does. */
export function nvidiaIdentities(devices: NvidiaDevice[]): Map<number, string> {
  const identities = new Map<number, string>()
  let nextIndex = Math.max(-1, ...devices.map(({index}) => index)) + 1
  for (const {index, uuid, migEnabled, slices} of devices) {
    if (!migEnabled && slices.length === 0) {
      if (uuid) identities.set(index, uuid)
    } else
      for (const slice of slices) {
        if (slice.uuid) identities.set(nextIndex, slice.uuid)
        nextIndex++
      }
  }
  return identities
}

/** The most telling name first: a Jetson's GPU is called `Orin (nvgpu)` on every board. */
function namesOf({name, cutName}: NvidiaDevice, {boardModel}: SharedMemory): string[] {
  const shown = (name ?? cutName) ? quotable(name ?? cutName ?? '', 100) : undefined
  const names = !shown || /\(nvgpu\)|^NVIDIA (?:Thor|Tegra)/i.test(shown) ? [boardModel, shown] : [shown]
  return names.filter((candidate) => candidate !== undefined)
}

/**
 * Unified memory is the host's: MemTotal and MemAvailable. The driver prints N/A, or on some systems a small number that is
 * not the memory; only one of at least half of the host's memory is believed. CUDA's own free figure counts the page cache
 * as taken, so it is not used.
 */
function sharedMemoryOf(device: NvidiaDevice, shared: SharedMemory, problems: MachineProblem[]) {
  const {totalBytes, availableBytes} = shared
  const printed = device.memoryBytes
  const believed = printed !== undefined && (totalBytes === undefined || printed >= totalBytes / 2)
  if (printed !== undefined && !believed) {
    problems.push({
      code: 'memory-implausible',
      message: `GPU ${device.index} shares the host's memory, but the driver prints a total of ${Math.round(printed / 1024 ** 2)} MiB; the host's total is used`,
      remedy: 'nothing needs to be done; a newer driver may print the right figure',
    })
  }
  const memoryBytes = believed ? printed : totalBytes
  const freeBytes = availableBytes !== undefined && memoryBytes !== undefined ? Math.min(availableBytes, memoryBytes) : undefined
  return {memoryBytes, freeBytes, processesBytes: device.processListBytes}
}

/** `[N/A]` and its like give an absent field and a word about it. */
function unknownFieldProblems({index, unknownFields}: NvidiaDevice, memoryFromHost: boolean): MachineProblem[] {
  return unknownFields.flatMap(({field, printed}): MachineProblem[] => {
    const message = `nvidia-smi printed ${quotable(printed, 60)} for ${field} of GPU ${index}`
    if (/gpu is lost/i.test(printed)) return [{code: 'gpu-lost', message, remedy: 'reboot; if it happens again look for "Xid 79" in dmesg'}]
    if (field === 'name') return [{code: 'name-unknown', message, remedy: 'update the driver, or name the GPU with --gpu'}]
    if (field === 'driver_version') return [{code: 'driver-version-unknown', message, remedy: 'nothing needs to be done unless an engine refuses to start'}]
    if (memoryFromHost) return []
    if (field === 'memory.total') return [{code: 'memory-unknown', message, remedy: 'name the GPU with --gpu'}]
    return [{code: 'free-memory-unknown', message, remedy: 'all memory is counted as free; give what is taken with --reserved-bytes-per-gpu'}]
  })
}

/** Boards with NVSwitch need the fabric manager: until it has run, CUDA fails with error 802. PCIe cards print N/A. */
function fabricProblem({index, fabric}: NvidiaDevice): MachineProblem[] {
  if (!fabric || /^completed$/i.test(fabric.state)) return []
  return [
    {
      code: 'fabric-not-ready',
      message: `The NVLink fabric of GPU ${index} is "${quotable(fabric.state, 40)}", not "Completed": CUDA will refuse to start`,
      remedy: 'start the fabric manager: `sudo systemctl enable --now nvidia-fabricmanager`, of the same version as the driver',
    },
  ]
}

function emptyMig({index}: NvidiaDevice): MachineProblem {
  return {
    code: 'mig-without-slices',
    message: `GPU ${index} is in MIG mode but has no slices, so nothing can run on it`,
    remedy: `create slices (\`sudo nvidia-smi mig -i ${index} -cgi ... -C\`) or leave MIG mode (\`sudo nvidia-smi -i ${index} -mig 0\`)`,
  }
}

function readSlice(slice: NvidiaSlice, device: NvidiaDevice, {gpu, catalogued}: Card, index: number, problems: MachineProblem[]): DetectedGpu {
  const share = slice.memoryBytes && gpu.memoryBytes ? bandwidthShareOf(slice.memoryBytes, gpu.memoryBytes) : undefined
  const whole = catalogued?.memoryBandwidthBytesPerSecond
  if (slice.memoryBytes === undefined) {
    problems.push({
      code: 'mig-slice-unknown',
      message: `No tool reported how much memory MIG slice ${slice.device} of GPU ${device.index} has`,
      remedy: 'run `nvidia-smi -q -x` by hand and see what it says',
    })
  }
  return {
    ...gpu,
    index,
    // As CUDA names a slice: NVIDIA A100-SXM4-80GB MIG 2g.20gb.
    name: `${gpu.name} MIG${slice.profile ? ` ${slice.profile}` : ''}`,
    memoryBytes: slice.memoryBytes,
    freeBytes: slice.freeBytes,
    processesBytes: slice.usedBytes,
    processes: undefined,
    memoryBandwidthBytesPerSecond: whole !== undefined && share !== undefined ? Math.round(whole * share) : undefined,
    mig: {parentIndex: device.index, device: slice.device, profile: slice.profile, parentMemoryBytes: device.memoryBytes},
  }
}
