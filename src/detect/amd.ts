import type {Accelerator} from '../core/accelerator.ts'
import {type AmdDevice, fillAmd, joinAmd, mergeAmd} from './amd-device.ts'
import {parseAmdMemory, parseAmdStatic, parseAmdTopology, runAmdMemory, runAmdStatic, runAmdText, runAmdTopology} from './amd-smi.ts'
import {AMD, runAmdSysfs} from './amd-sysfs.ts'
import type {DetectedGpu, GpuPair, MachineProblem} from './machine-document.ts'
import type {PciGpu} from './pci.ts'
import {type DetectionEffects, type ExecOutcome, type FindGpu, firstFound, printedBy, PROBE_TIMEOUT_MS, type Reading} from './probe.ts'
import {quotable} from './quantity.ts'
import {parseRocmConcise} from './amd-text.ts'
import {parseRocmSmi, parseRocmTopology, runRocmConcise, runRocmSmi, runRocmTopology} from './rocm-smi.ts'
import {parseRocminfo, runRocminfo} from './rocminfo.ts'
import type {Surroundings} from './surroundings.ts'
import {dictionary} from '../core/dictionary.ts'

export interface AmdAnswer {
  devices: AmdDevice[]
  pairs: GpuPair[]
  problems: MachineProblem[]
}

/** The tools are written in Python and take most of a second to start. */
const SLOWER = 1.35

/** Asks the kernel and both tools at once. Memory comes from the kernel where it tells, since it gives bytes. */
export async function detectAmd(effects: DetectionEffects, {container}: Surroundings, pci: PciGpu[]): Promise<AmdAnswer> {
  const cards = pci.filter(({vendorId}) => vendorId === AMD)
  // Where the bus can be seen and holds no such card, starting Python five times would be a waste.
  if (pci.length > 0 && cards.length === 0) return {devices: [], pairs: [], problems: []}
  if (container && cards.length > 0 && !(await effects.exists?.('/dev/kfd'))) return {devices: [], pairs: [], problems: [containerProblem(cards.length)]}
  const timeoutMs = Math.round((effects.timeoutMs ?? PROBE_TIMEOUT_MS) * SLOWER)
  const {exec} = effects
  const [statics, memory, topology, rocm, rocmTopology, concise, info, kernel] = await Promise.all([
    runAmdStatic(exec, timeoutMs),
    runAmdMemory(exec, timeoutMs),
    runAmdTopology(exec, timeoutMs),
    runRocmSmi(exec, timeoutMs),
    runRocmTopology(exec, timeoutMs),
    runRocmConcise(exec, timeoutMs),
    runRocminfo(exec, timeoutMs),
    runAmdSysfs(effects, pci),
  ])
  const inJson = joinAmd(parseAmdStatic(printedBy(statics)), parseAmdMemory(printedBy(memory)))
  const fromRocm = parseRocmSmi(printedBy(rocm))
  // A version without JSON is asked once more, unless rocm-smi has answered.
  const plain = inJson.length === 0 && fromRocm.length === 0 && statics.kind === 'ended' ? await askInText(effects, timeoutMs) : undefined
  const fromAmdSmi = plain ? plain.devices : inJson
  const agents = parseRocminfo(printedBy(info))
  const told = fromAmdSmi.length > 0 ? fromAmdSmi : fromRocm.length > 0 ? fromRocm : agents
  const devices = fillAmd(fillAmd(mergeAmd(told, kernel), agents), parseRocmConcise(printedBy(concise)))
  const pairs =
    plain && plain.pairs.length > 0 ? plain.pairs : fromAmdSmi.length > 0 ? parseAmdTopology(printedBy(topology)) : parseRocmTopology(printedBy(rocmTopology))
  const onlyNames = fromAmdSmi.length === 0 && fromRocm.length === 0
  // rocminfo names a single GPU as well as the tools would.
  const enough = agents.length > 0 && cards.length < 2
  return {devices, pairs, problems: onlyNames && !enough ? toolProblems([statics, rocm], cards, kernel.length > 0, timeoutMs) : []}
}

async function askInText({exec}: DetectionEffects, timeoutMs: number): Promise<{devices: AmdDevice[]; pairs: GpuPair[]}> {
  const [statics, topology] = await Promise.all([runAmdText(exec, 'static', timeoutMs), runAmdText(exec, 'topology', timeoutMs)])
  return {devices: parseAmdStatic(printedBy(statics)), pairs: parseAmdTopology(printedBy(topology))}
}

function containerProblem(count: number): MachineProblem {
  return {
    code: 'in-container-without-gpus',
    message: `The host has ${count} AMD ${count === 1 ? 'GPU' : 'GPUs'}, but this container was started without access to them`,
    remedy: 'start it with `--device /dev/kfd --device /dev/dri --group-add video`, or a GPU resource request (Kubernetes)',
  }
}

/** Said only where an AMD GPU is there. Without a driver the kernel knows nothing of it either. */
function toolProblems(outcomes: ExecOutcome[], cards: PciGpu[], driverWorks: boolean, timeoutMs: number): MachineProblem[] {
  if (cards.length === 0) return []
  if (!driverWorks)
    return [
      {
        code: 'driver-not-loaded',
        message: 'The machine has an AMD GPU, but the amdgpu driver does not hold it',
        remedy: 'run `sudo modprobe amdgpu`; if that fails read dmesg, or install a kernel that supports the card',
      },
    ]
  if (outcomes.every(({kind}) => kind === 'missing'))
    return [
      {
        code: 'tool-missing',
        message: 'Neither amd-smi nor rocm-smi is installed; information from the kernel is used instead',
        remedy: 'install ROCm (package amd-smi-lib or rocm-smi) for names and links of the GPUs',
      },
    ]
  if (outcomes.some(({kind}) => kind === 'timeout'))
    return [
      {
        code: 'tool-timeout',
        message: `amd-smi and rocm-smi did not answer within ${timeoutMs} ms; information from the kernel is used instead`,
        remedy: 'run `amd-smi` by hand and see whether it hangs',
      },
    ]
  if (outcomes.some(({kind}) => kind === 'no-permission'))
    return [{code: 'no-permission', message: 'amd-smi may not be run by this user', remedy: 'add the user to the groups video and render'}]
  return [
    {
      code: 'unreadable-output',
      message: 'amd-smi and rocm-smi printed nothing that can be read; information from the kernel is used instead',
      remedy: 'run `amd-smi static --json` by hand and see what it says',
    },
  ]
}

/** Processor graphics that serve models: Strix, Strix Halo and Krackan Point, Phoenix. */
const SERVING_APU = /^gfx115[0-3]$|^gfx1103$/
/** Processor graphics that only drive displays. */
const DISPLAY_APU = /^gfx90[2c]$|^gfx103[3567]$/

/** GPUs of the document. `host` is the memory of the operating system, whose part processor graphics borrow. */
export function amdGpus(devices: AmdDevice[], host: {totalBytes?: number; availableBytes?: number}, findGpu: FindGpu | undefined): Reading<DetectedGpu[]> {
  const problems: MachineProblem[] = []
  const cards = devices.filter(({gfxTarget}) => !DISPLAY_APU.test(gfxTarget ?? ''))
  const gpus = (cards.length > 0 ? cards : devices).map((device) => readDevice(device, devices, host, findGpu, problems))
  return {value: gpus, problems}
}

function readDevice(
  device: AmdDevice,
  all: AmdDevice[],
  host: {totalBytes?: number; availableBytes?: number},
  findGpu: FindGpu | undefined,
  problems: MachineProblem[],
): DetectedGpu {
  const {index, gfxTarget} = device
  const names = device.names.map((name) => quotable(name, 100))
  const look = (memoryBytes?: number) => firstFound(findGpu, names, memoryBytes, device.pciDeviceId ? `1002:${device.pciDeviceId.slice(2)}` : undefined)
  const apu = SERVING_APU.test(gfxTarget ?? '') || DISPLAY_APU.test(gfxTarget ?? '')
  const first = look(apu ? host.totalBytes : device.vramBytes)
  const unified = apu || first?.unifiedMemory === true
  const {parts, ...memory} = unified ? {...borrowedMemory(device, host), parts: 1} : ownMemory(device, all, first, problems)
  const catalogued = first ?? (unified ? look() : undefined)
  const name = names[0] ?? catalogued?.name ?? `AMD GPU${device.pciDeviceId ? ` [1002:${device.pciDeviceId.slice(2)}]` : gfxTarget ? ` (${gfxTarget})` : ''}`
  if (memory.memoryBytes === undefined)
    problems.push({
      code: 'memory-unknown',
      message: `No tool reported how much memory GPU ${index} (${name}) has`,
      remedy: 'install amd-smi or load the amdgpu driver, or name the GPU with --gpu',
    })
  if (findGpu && !catalogued)
    problems.push({
      code: 'gpu-unknown',
      message: `${name}${gfxTarget ? ` (${gfxTarget})` : ''} is not in the catalogue, so its speed cannot be predicted`,
      remedy: 'name the closest card with --gpu (see `servefit gpus`), or add a data file for it',
    })
  return {
    index,
    id: catalogued?.id,
    name,
    vendor: 'amd',
    ...memory,
    memoryBandwidthBytesPerSecond: catalogued?.memoryBandwidthBytesPerSecond && Math.round(catalogued.memoryBandwidthBytesPerSecond / parts),
    architecture: catalogued?.architecture,
    gfxTarget: gfxTarget ?? catalogued?.gfxTarget,
    driver: device.driver,
    unifiedMemory: unified ? true : undefined,
    partition: parts > 1 ? {mode: device.partition?.compute, count: parts} : undefined,
  }
}

/**
 * A card's own memory. In partitioned mode (DPX, QPX, CPX) each logical device of a package prints the memory of the whole
 * package; where devices share a PCI device and each prints what the catalogue knows for the package, it is divided.
 */
function ownMemory(device: AmdDevice, all: AmdDevice[], catalogued: Accelerator | undefined, problems: MachineProblem[]) {
  // A table that prints only what share is taken tells of all memory of the card that it names.
  const vramBytes = device.vramBytes ?? (device.vramUsedShare === undefined ? undefined : catalogued?.memoryBytes)
  const {vramUsedBytes = device.vramUsedShare === undefined || vramBytes === undefined ? undefined : Math.ceil(vramBytes * device.vramUsedShare)} = device
  const {count: sharers, first} = sharersOf(device, all)
  const whole = vramBytes !== undefined && (catalogued === undefined || vramBytes > catalogued.memoryBytes * 0.9)
  // Under NPS2 and NPS4 each prints its own memory; bandwidth and compute units are a part all the same.
  const parts = sharers > 1 && (whole || device.partition) ? sharers : 1
  const memoryParts = whole ? parts : 1
  if (memoryParts > 1 && first) {
    problems.push({
      code: 'partitions-share-memory',
      message: `GPU ${device.index} is one of ${parts} partitions of a package; each reports the memory of all of them, so ${parts === 2 ? 'half' : `1/${parts}`} of it is counted for each`,
      remedy: 'for one large GPU set the partition mode to SPX (`amd-smi set --compute-partition SPX`)',
    })
  }
  const memoryBytes = vramBytes === undefined ? undefined : Math.floor(vramBytes / memoryParts)
  const processesBytes =
    vramUsedBytes !== undefined && vramBytes !== undefined && vramUsedBytes <= vramBytes ? Math.floor(vramUsedBytes / memoryParts) : undefined
  return {
    parts,
    memoryBytes,
    processesBytes,
    freeBytes: memoryBytes !== undefined && processesBytes !== undefined ? memoryBytes - processesBytes : undefined,
  }
}

const PARTS: Record<string, number> = dictionary({SPX: 1, DPX: 2, TPX: 3, QPX: 4})

/** How many logical devices one package shows, and whether this is the first of them: by what a tool calls the mode, else by the PCI device that they share. */
function sharersOf(device: AmdDevice, all: AmdDevice[]): {count: number; first: boolean} {
  const {partition} = device
  if (partition) {
    // CPX is one for each compute die: as many as the numbers that follow one another.
    const at = all.indexOf(device)
    const start = at - (partition.id ?? 0)
    const next = all.findIndex((other, position) => position > start && (other.partition?.id ?? 0) === 0)
    const run = start >= 0 ? (next < 0 ? all.length : next) - start : 1
    return {count: PARTS[partition.compute] ?? run, first: (partition.id ?? 0) === 0}
  }
  const slot = (address: string | undefined) => address?.replace(/\.\d$/, '')
  const mine = slot(device.pciAddress)
  const sharing = mine === undefined ? [device] : all.filter(({pciAddress}) => slot(pciAddress) === mine)
  return {count: sharing.length, first: sharing[0] === device}
}

/**
 * Memory of processor graphics: the firmware's carve-out or the host memory that the driver may map (GTT), whichever is larger.
 * ROCm allocates from one of them, not from both, and GTT is host memory: no more of it is free than the host has available.
 */
function borrowedMemory({vramBytes, vramUsedBytes, gttBytes, gttUsedBytes}: AmdDevice, host: {totalBytes?: number; availableBytes?: number}) {
  const fromHost = (gttBytes ?? 0) >= (vramBytes ?? 0)
  const total = fromHost ? (gttBytes ?? host.totalBytes) : vramBytes
  const used = fromHost ? gttUsedBytes : vramUsedBytes
  const left = total !== undefined && used !== undefined && used <= total ? total - used : undefined
  const free = !fromHost ? left : host.availableBytes === undefined ? left : Math.min(host.availableBytes, left ?? total ?? host.availableBytes)
  return {memoryBytes: total, freeBytes: free, processesBytes: left === undefined ? undefined : used}
}
