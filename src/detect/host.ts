import type {DetectedCpu, MachineProblem} from './machine-document.ts'
import type {DetectionEffects, SystemFacts} from './probe.ts'
import {cpulessBytes, parseLscpu, runLscpu, runNuma} from './numa.ts'
import {printedBy, within} from './probe.ts'
import {bytesOf, totalBytesOf} from './quantity.ts'

/** Time limit in milliseconds for the library that is asked where the cheap reads fell short. */
const SLOW_LIMIT_MS = 900

export interface HostMemory {
  totalBytes?: number
  availableBytes?: number
  /** What the control group of a container or service leaves of both. */
  limited: {totalBytes?: number; availableBytes?: number}
}

/** `/proc/meminfo`. The unit printed as kB is 1,024 bytes. */
export function parseMeminfo(text: string): {totalBytes?: number; availableBytes?: number} {
  const field = (name: string) => new RegExp(`^\\s*${name}:\\s*(\\d{1,15})\\s*kB\\s*$`, 'm').exec(text)?.[1]
  const totalBytes = totalBytesOf(field('MemTotal'), 'KiB')
  const availableBytes = bytesOf(field('MemAvailable'), 'KiB')
  return {totalBytes, availableBytes: availableBytes !== undefined && availableBytes <= (totalBytes ?? 0) ? availableBytes : undefined}
}

/** Memory of the host: from the kernel where it tells, else from a library, else what Node itself knows. */
export async function runHostMemory(effects: DetectionEffects): Promise<HostMemory> {
  const [meminfo, group, nodes] = await Promise.all([effects.readFile('/proc/meminfo'), runMemoryGroup(effects), runNuma(effects)])
  const kernel = withoutGpuMemory(parseMeminfo(meminfo ?? ''), cpulessBytes(nodes))
  const complete = kernel.totalBytes !== undefined && kernel.availableBytes !== undefined
  const slow = complete || !effects.slow ? undefined : await within(SLOW_LIMIT_MS, effects.slow.memory(), undefined)
  const totalBytes = kernel.totalBytes ?? slow?.totalBytes ?? effects.system?.totalMemoryBytes
  const availableBytes = kernel.availableBytes ?? slow?.availableBytes ?? effects.system?.freeMemoryBytes
  return {totalBytes, availableBytes, limited: limitMemory({totalBytes, availableBytes}, group)}
}

/** On Grace the kernel counts the memory of the GPUs, nodes without processors, as its own; plans count it with the GPUs. */
function withoutGpuMemory(
  {totalBytes, availableBytes}: {totalBytes?: number; availableBytes?: number},
  gpu: {totalBytes: number; freeBytes: number},
): {totalBytes?: number; availableBytes?: number} {
  if (totalBytes === undefined || gpu.totalBytes === 0 || gpu.totalBytes >= totalBytes) return {totalBytes, availableBytes}
  const left = totalBytes - gpu.totalBytes
  return {totalBytes: left, availableBytes: availableBytes === undefined ? undefined : Math.max(0, Math.min(left, availableBytes - gpu.freeBytes))}
}

export interface MemoryGroup {
  limitBytes: number
  /** Held, without what the kernel can drop at once. */
  heldBytes?: number
}

/** The lower of what the host has and what the tightest of the control groups allows. */
export function limitMemory(host: {totalBytes?: number; availableBytes?: number}, groups: MemoryGroup[]): {totalBytes?: number; availableBytes?: number} {
  let {totalBytes, availableBytes} = host
  for (const {limitBytes, heldBytes} of groups) {
    if (totalBytes !== undefined) totalBytes = Math.min(totalBytes, limitBytes)
    if (availableBytes !== undefined) availableBytes = Math.min(availableBytes, Math.max(0, limitBytes - (heldBytes ?? 0)))
  }
  return {totalBytes, availableBytes}
}

const GROUPS = '/sys/fs/cgroup'

/** Memory limits of this process's control group and those above it; none where there is no limit. */
export async function runMemoryGroup({readFile}: Pick<DetectionEffects, 'readFile'>): Promise<MemoryGroup[]> {
  const own = (await readFile('/proc/self/cgroup')) ?? ''
  const places = [...groupDirectories(/^0::(\/.*)$/m.exec(own)?.[1] ?? '/').map((path) => `${GROUPS}${path}`)]
  const v2 = await Promise.all(
    places.map(async (place) => {
      const [max, current, stat] = await Promise.all([readFile(`${place}/memory.max`), readFile(`${place}/memory.current`), readFile(`${place}/memory.stat`)])
      return parseMemoryGroup(max, current, stat, 'inactive_file')
    }),
  )
  const [limit, usage, stat] = await Promise.all(['limit_in_bytes', 'usage_in_bytes', 'stat'].map((file) => readFile(`${GROUPS}/memory/memory.${file}`)))
  return [...v2, parseMemoryGroup(limit, usage, stat, 'total_inactive_file')].filter((group) => group !== undefined)
}

/** The directory and those above it: `/user.slice/a`, `/user.slice`, and the root. */
function groupDirectories(path: string): string[] {
  const parts = path
    .split('/')
    .filter((part) => part !== '' && part !== '..')
    .slice(0, 16)
  return parts.map((_, depth) => `/${parts.slice(0, depth + 1).join('/')}`).concat('')
}

/** Files of one control group. The word `max`, and the huge number that v1 prints instead, mean no limit. */
export function parseMemoryGroup(
  max: string | undefined,
  current: string | undefined,
  stat: string | undefined,
  droppableName: string,
): MemoryGroup | undefined {
  const limitBytes = totalBytesOf(max)
  if (limitBytes === undefined) return undefined
  const used = bytesOf(current)
  const droppable = bytesOf(new RegExp(`^${droppableName} (\\d+)$`, 'm').exec(stat ?? '')?.[1]) ?? 0
  return {limitBytes, heldBytes: used === undefined ? undefined : Math.max(0, used - droppable)}
}

/** `/proc/cpuinfo` of x86; on Arm it holds no name, and only the count is taken. */
export function parseCpuinfo(text: string): DetectedCpu {
  const blocks = text.split(/\n\s*\n/).filter((block) => /^processor\s*:/m.test(block))
  const field = (block: string | undefined, name: string) => new RegExp(`^${name}[ \\t]*:[ \\t]*(.+)$`, 'm').exec(block ?? '')?.[1]?.trim()
  const sockets = new Set(blocks.map((block) => field(block, 'physical id')).filter((id) => id !== undefined))
  const cores = new Set(
    blocks
      .map((block) => [field(block, 'physical id'), field(block, 'core id')])
      .filter(([, core]) => core !== undefined)
      .map(String),
  )
  return {
    name: field(blocks[0], 'model name')?.replace(/\s+/g, ' '),
    vendor: field(blocks[0], 'vendor_id'),
    logicalCount: blocks.length || undefined,
    physicalCount: cores.size || undefined,
    socketCount: sockets.size || undefined,
  }
}

/** The processor, from the kernel; a library is asked only where that gives no name or no core count. */
export async function runCpu(effects: DetectionEffects): Promise<DetectedCpu> {
  const linux = effects.system === undefined || effects.system.platform === 'linux'
  const [cpuinfo, listed, nodes] = await Promise.all([effects.readFile('/proc/cpuinfo'), linux ? runLscpu(effects.exec).then(printedBy) : '', runNuma(effects)])
  const {numaNodeCount: listedNodes, ...fromLscpu} = parseLscpu(listed)
  const numaNodeCount = nodes.filter(({hasCpus}) => hasCpus).length || listedNodes
  const kernel = {...fromLscpu, ...present(parseCpuinfo(cpuinfo ?? ''))}
  const node = nodeCpu(effects.system)
  const needed = kernel.name === undefined || kernel.physicalCount === undefined
  const slow = needed && effects.slow ? await within(SLOW_LIMIT_MS, effects.slow.cpu(), undefined) : undefined
  return {
    name: kernel.name ?? slow?.name ?? node.name,
    vendor: kernel.vendor ?? slow?.vendor,
    architecture: node.architecture,
    logicalCount: kernel.logicalCount ?? node.logicalCount,
    physicalCount: kernel.physicalCount ?? slow?.physicalCount,
    socketCount: kernel.socketCount ?? slow?.socketCount,
    numaNodeCount,
  }
}

function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>
}

function nodeCpu(system: SystemFacts | undefined): DetectedCpu {
  const name = system?.cpuModel?.trim()
  return {
    name: name && name !== 'unknown' ? name : undefined,
    architecture: system?.architecture,
    logicalCount: system?.logicalCpuCount || undefined,
  }
}

/** Where nothing told the size of memory. */
export function hostMemoryProblem(memory: HostMemory): MachineProblem[] {
  if (memory.totalBytes !== undefined) return []
  return [
    {
      code: 'host-memory-unknown',
      message: 'No source reported how much memory the host has',
      remedy: 'plans that offload to host memory cannot be checked, but everything else can',
    },
  ]
}
