import type {DetectedCpu} from './machine-document.ts'
import type {DetectionEffects, Exec, ExecOutcome} from './probe.ts'
import {known, quotable, totalBytesOf} from './quantity.ts'

const NODES = '/sys/devices/system/node'

export interface NumaNode {
  id: number
  /** False for memory without processors: on Grace that is the memory of a GPU. */
  hasCpus: boolean
  totalBytes?: number
  freeBytes?: number
}

/** Memory nodes as the kernel numbers them; numbers may have gaps. */
export async function runNuma({readFile, listDirectory}: Pick<DetectionEffects, 'readFile' | 'listDirectory'>): Promise<NumaNode[]> {
  const names = ((await listDirectory?.(NODES)) ?? []).filter((name) => /^node\d{1,4}$/.test(name)).slice(0, 256)
  const nodes = await Promise.all(
    names.map(async (name) => {
      const [cpus, memory] = await Promise.all([readFile(`${NODES}/${name}/cpulist`), readFile(`${NODES}/${name}/meminfo`)])
      return cpus === undefined ? undefined : parseNumaNode(Number(name.slice(4)), cpus, memory ?? '')
    }),
  )
  return nodes.filter((node) => node !== undefined).sort((a, b) => a.id - b.id)
}

/** `cpulist` (`0-71`, or empty) and `meminfo` (`Node 2 MemTotal: 100270080 kB`) of one node. */
export function parseNumaNode(id: number, cpulist: string, meminfo: string): NumaNode {
  const field = (name: string) => totalBytesOf(new RegExp(`^Node \\d+ ${name}:\\s*(\\d{1,15}) kB\\s*$`, 'm').exec(meminfo)?.[1], 'KiB')
  return {id, hasCpus: /\d/.test(cpulist), totalBytes: field('MemTotal'), freeBytes: field('MemFree')}
}

/** Memory of nodes without processors, which the kernel counts into that of the host. */
export function cpulessBytes(nodes: NumaNode[]): {totalBytes: number; freeBytes: number} {
  const without = nodes.some(({hasCpus}) => hasCpus) ? nodes.filter(({hasCpus}) => !hasCpus) : []
  const sum = (values: (number | undefined)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0)
  return {totalBytes: sum(without.map(({totalBytes}) => totalBytes)), freeBytes: sum(without.map(({freeBytes}) => freeBytes))}
}

export function runLscpu(exec: Exec): Promise<ExecOutcome> {
  return exec('lscpu', [])
}

/** Both layouts of lscpu, flat and indented by group. CPUs that are off-line are not counted. */
export function parseLscpu(text: string): DetectedCpu & {numaNodeCount?: number} {
  const field = (name: string) => known(new RegExp(`^\\s*${name.replace(/[()]/g, '\\$&')}:\\s+(\\S.*?)\\s*$`, 'm').exec(text)?.[1])
  const count = (name: string) => {
    const value = field(name)
    return value && /^[1-9]\d{0,4}$/.test(value) ? Number(value) : undefined
  }
  const sockets = count('Socket(s)')
  const coresPerSocket = count('Core(s) per socket')
  const name = field('Model name')
  return {
    name: name ? quotable(name, 80) : undefined,
    vendor: field('Vendor ID'),
    logicalCount: onlineCount(field('On-line CPU(s) list')) ?? count('CPU(s)'),
    physicalCount: sockets && coresPerSocket ? sockets * coresPerSocket : undefined,
    socketCount: sockets,
    numaNodeCount: count('NUMA node(s)'),
  }
}

/** CPUs in `0-127,129-255`. */
function onlineCount(list: string | undefined): number | undefined {
  let sum = 0
  for (const part of list?.split(',') ?? []) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim())
    const length = range ? Number(range[2] ?? range[1]) - Number(range[1]) + 1 : 0
    if (length <= 0) return undefined
    sum += length
  }
  return sum > 0 ? sum : undefined
}
