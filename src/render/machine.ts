import {commandLines} from './command-lines.ts'
import {type GpuGroup, groupsOf} from '../detect/groups.ts'
import type {DetectedGpu, GpuPair, MachineDocument} from '../detect/machine-document.ts'
import {count, gib} from './numbers.ts'
import {harmless, type Paint, padEnd, paint, wrap} from './style.ts'
import {dictionary} from '../core/dictionary.ts'

const LINKS: Record<string, string> = dictionary({
  nvlink: 'NVLink',
  xgmi: 'xGMI',
  'pcie-p2p': 'PCIe with peer access',
  'pcie-host': 'PCIe through the host',
  network: 'network',
  unified: 'one memory',
  other: 'a link of their own',
  none: '',
  unknown: 'not known',
})

const VENDORS: Record<string, string> = dictionary({nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel', huawei: 'Huawei', apple: 'Apple'})

/** Columns that labels take. */
const LABEL = 14

export interface MachineLook {
  columns: number
  colour: boolean
  /** False: without the line that says what to do next. */
  next?: boolean
}

/** `detect` for people: groups of equal GPUs with what is free and who holds the rest, links, host, then what is wrong and what to do. */
export function renderMachine(machine: MachineDocument, {columns, colour, next = true}: MachineLook): string {
  const style = paint(colour)
  const row = (label: string, text: string) => `  ${padEnd(label, LABEL)}${wrap(text, columns - LABEL - 2, LABEL + 2)}`
  const groups = groupsOf(machine)
  const lines = [style.bold(wrap(machine.hostname ? harmless(machine.hostname) : 'This machine', columns)), '']
  if (groups.length === 0) lines.push(row('GPUs', 'none that can be used'))
  for (const [at, group] of groups.entries()) lines.push(...(at > 0 ? [''] : []), ...groupLines(group, machine, columns, style))
  if (groups.length > 1) lines.push('', '  Answers use the first group; --gpu asks about another.')
  if (groups.length > 0) lines.push('')
  lines.push(...hostRows(machine).map(([label, text]) => row(label, text)))
  lines.push(...problemLines(machine, columns, style))
  if (next)
    lines.push(
      '',
      `  ${padEnd('Next', LABEL)}${commandLines(groups.length > 0 ? 'servefit check qwen3-32b' : 'servefit check qwen3-32b --gpu 1xrtx-4090', {columns}, LABEL + 2)}`,
    )
  return `${lines.join('\n')}\n`
}

function groupLines({gpus, pairs}: GpuGroup, machine: MachineDocument, columns: number, style: Paint): string[] {
  const [first] = gpus
  if (!first) return []
  const facts = [
    first.memoryBytes === undefined
      ? 'memory not known'
      : `${gib(first.memoryBytes)} GiB${gpus.length > 1 ? ' each' : ''}${first.unifiedMemory ? ', shared with the host' : ''}`,
    first.memoryBandwidthBytesPerSecond && `${count(first.memoryBandwidthBytesPerSecond / 1e9)} GB/s`,
    first.partition && `1/${first.partition.count} of a package${first.partition.mode ? ` (${harmless(first.partition.mode)})` : ''}`,
    first.id ? undefined : 'not in the catalogue',
  ].filter(Boolean)
  const title = `${gpus.length > 1 ? `${gpus.length} x ` : ''}${harmless(first.name)}`
  const lines = [`  ${wrap(`${title}: ${facts.join(', ')}`, columns - 4, 4)}`]
  const row = (label: string, text: string) => `    ${padEnd(label, LABEL - 2)}${wrap(text, columns - LABEL - 2, LABEL + 2)}`
  // Many alike say more on one line.
  const idle = gpus.every((gpu) => gpu.freeBytes !== undefined && !gpu.processes?.length) && gpus.length > 2
  if (idle) lines.push(row(`GPU ${numbersOf(gpus)}`, rangeOf(gpus.map(({freeBytes}) => freeBytes ?? 0))))
  else for (const gpu of gpus) lines.push(row(gpu.mig ? `slice ${gpu.index}` : `GPU ${gpu.index}`, useWords(gpu, style)))
  if (gpus.length > 1) lines.push(row('linked by', first.mig ? 'nothing: a model cannot be split over slices' : linkWords(gpus, pairs, machine)))
  return lines
}

/** `0-3`, or `0, 2, 5`. */
function numbersOf(gpus: DetectedGpu[]): string {
  const numbers = gpus.map(({index}) => index)
  const first = numbers[0] ?? 0
  return numbers.every((number, at) => number === first + at) ? `${first}-${first + numbers.length - 1}` : numbers.join(', ')
}

function rangeOf(free: number[]): string {
  const [least, most] = [Math.min(...free), Math.max(...free)]
  return gib(least) === gib(most) ? `${gib(least)} GiB free each` : `${gib(least)} to ${gib(most)} GiB free`
}

function useWords({freeBytes, memoryBytes, processesBytes, processes = [], mig}: DetectedGpu, style: Paint): string {
  const free = freeBytes === undefined ? 'free memory not known' : `${gib(freeBytes)} GiB free`
  const much = freeBytes !== undefined && memoryBytes !== undefined && freeBytes < memoryBytes * 0.8
  const holders = processes
    .filter(({usedBytes}) => usedBytes === undefined || usedBytes >= 32 * 1024 ** 2)
    .slice(0, 3)
    .map(({name, usedBytes, graphics}) => `${harmless(name)}${usedBytes === undefined ? '' : ` ${gib(usedBytes)} GiB`}${graphics ? ' (desktop)' : ''}`)
  const held =
    holders.length > 0 ? `held by ${holders.join(', ')}` : processesBytes && much ? `${gib(processesBytes)} GiB held by programs that are not listed` : ''
  return [much ? style.warn(free) : free, mig ? `of GPU ${mig.parentIndex}` : '', held].filter(Boolean).join(', ')
}

function linkWords(gpus: DetectedGpu[], pairs: GpuPair[], machine: MachineDocument): string {
  if (pairs.length < (gpus.length * (gpus.length - 1)) / 2)
    return machine.interconnect.pairs ? 'not known for all of them' : (LINKS[machine.interconnect.kind] ?? machine.interconnect.kind)
  const kinds = [...new Set(pairs.map(({kind, peerAccess}) => (kind === 'pcie-host' && peerAccess === false ? `${kind} without` : kind)))]
  const words = (kind: string) => {
    const some = pairs.find((pair) => kind.startsWith(pair.kind))
    const rate = some?.bytesPerSecondPerDirection
    const path = some?.path ? ` (${harmless(some.path)})` : ''
    return `${LINKS[kind.replace(' without', '')] ?? kind}${kind.endsWith('without') ? ', no peer access' : ''}${rate ? `, ${count(rate / 1e9)} GB/s each way` : ''}${path}`
  }
  if (kinds.length === 1) return words(kinds[0] ?? '')
  const fast = pairs.filter(({kind}) => kind === 'nvlink' || kind === 'xgmi')
  const named = fast.slice(0, 4).map(({gpus: [a, b]}) => `${a} and ${b}`)
  return fast.length > 0
    ? `${words(fast[0]?.kind ?? '')} between ${named.join('; ')}${fast.length > 4 ? '; ...' : ''}, ${words(kinds.find((kind) => kind !== fast[0]?.kind) ?? '')} between the others`
    : kinds.map(words).join('; ')
}

function hostRows({
  gpus,
  cpu,
  memoryBytes,
  availableMemoryBytes,
  memoryModules,
  memoryBandwidthBytesPerSecond,
  disk,
  containers,
}: MachineDocument): [string, string][] {
  const rows: [string, string][] = []
  const drivers = [
    ...new Set(
      gpus
        .filter(({driver}) => driver)
        .map(({vendor, driver, cudaVersion}) => `${VENDORS[vendor] ?? vendor} ${harmless(driver ?? '')}${cudaVersion ? ` (CUDA up to ${cudaVersion})` : ''}`),
    ),
  ]
  if (drivers.length > 0) rows.push(['Driver', drivers.join(', ')])
  const cores = [
    cpu.socketCount && cpu.socketCount > 1 && `${cpu.socketCount} sockets`,
    cpu.physicalCount && `${cpu.physicalCount} cores`,
    cpu.logicalCount && `${cpu.logicalCount} threads`,
    cpu.numaNodeCount && cpu.numaNodeCount > 1 && `${cpu.numaNodeCount} NUMA nodes`,
  ]
  const processor = [cpu.name && harmless(cpu.name), ...cores].filter(Boolean).join(', ')
  if (processor) rows.push(['CPU', processor])
  if (memoryBytes) {
    const speed = [memoryModules?.type && harmless(memoryModules.type), memoryModules?.megatransfersPerSecond && `${memoryModules.megatransfersPerSecond} MT/s`]
      .filter(Boolean)
      .join(' ')
    rows.push([
      'Memory',
      [
        `${gib(memoryBytes)} GiB`,
        availableMemoryBytes !== undefined && `${gib(availableMemoryBytes)} GiB available`,
        speed,
        memoryBandwidthBytesPerSecond && `${count(memoryBandwidthBytesPerSecond / 1e9)} GB/s`,
      ]
        .filter(Boolean)
        .join(', '),
    ])
  }
  for (const {use, path, freeBytes} of disk) rows.push([use === 'checkpoints' ? 'Disk' : 'Shared memory', `${gib(freeBytes)} GiB free at ${harmless(path)}`])
  if (containers)
    rows.push([
      'Containers',
      `${containers.engines.map(harmless).join(', ')}${containers.nvidiaToolkit && gpus.some(({vendor}) => vendor === 'nvidia') ? ', with the NVIDIA toolkit' : ''}`,
    ])
  return rows
}

/** What is wrong in words, and below each what to do. */
function problemLines({problems}: MachineDocument, columns: number, style: Paint): string[] {
  if (problems.length === 0) return []
  const entries = problems.flatMap(({message, remedy}) => [
    `  - ${style.warn(wrap(harmless(message), columns - 4, 4))}`,
    `    ${wrap(`What to do: ${harmless(remedy)}`, columns - 4, 4)}`,
  ])
  return ['', `  ${style.bold(problems.length === 1 ? 'One thing to look at' : `${problems.length} things to look at`)}`, ...entries]
}
