import type {Accelerator, LinkKind, Machine, MachineGpu} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {parseGpuSpec, requireGpu} from '../../catalogue/find-gpu.ts'
import {requireSystem, type System} from '../../catalogue/system.ts'

/** How cards of one kind are joined when nothing but their number is known. */
export function usualLink(accelerator: Accelerator, count: number): Machine['link'] {
  if (accelerator.unifiedMemory && count > 1) return {kind: 'network'}
  if (count < 2)
    return accelerator.unifiedMemory ? {kind: 'unified'} : {kind: 'pcie-host', bytesPerSecondPerDirection: accelerator.pcie?.bytesPerSecondPerDirection}
  const {scaleUp} = accelerator
  // Bridges join pairs and are an option; a switch or a mesh is part of the machine.
  if (scaleUp && !(/bridge/i.test(scaleUp.scope ?? '') || (scaleUp.maxGpuCount ?? count) < count)) {
    const kind: LinkKind = /xgmi|infinity/i.test(scaleUp.kind) ? 'xgmi' : /nvlink/i.test(scaleUp.kind) ? 'nvlink' : 'other'
    return {kind, bytesPerSecondPerDirection: scaleUp.bytesPerSecondPerDirection}
  }
  return {kind: accelerator.pciePeerAccess ? 'pcie-p2p' : 'pcie-host', bytesPerSecondPerDirection: accelerator.pcie?.bytesPerSecondPerDirection}
}

/** Bytes a second between nodes for each GPU when nothing is known: one 100 Gb/s adapter shared by all would be less, InfiniBand more. */
const ASSUMED_NETWORK_BYTES_PER_SECOND = 12.5e9

const gpusOf = (accelerator: Accelerator, count: number, from: number, memoryBytes = accelerator.memoryBytes): MachineGpu[] =>
  Array.from({length: count}, (_, index) => ({index: from + index, accelerator, memoryBytes}))

/** The machine that `8xh200-sxm` or `2xrtx-4090,1xrtx-3090` stands for. `nodes` of them where more than one. */
export function machineFromSpec(catalogue: Catalogue, spec: string, nodes = 1): Machine {
  const gpus: MachineGpu[] = []
  for (const {count, id} of parseGpuSpec(spec)) gpus.push(...gpusOf(catalogue.gpu(id) ?? requireGpu(catalogue.gpus, id), count, gpus.length))
  return {gpus, nodeCount: nodes, link: linkOfAll(gpus), networkBytesPerSecondPerGpu: nodes > 1 ? ASSUMED_NETWORK_BYTES_PER_SECOND : undefined, detected: false}
}

function linkOfAll(gpus: readonly MachineGpu[]): Machine['link'] {
  const first = gpus[0]!.accelerator
  return gpus.every(({accelerator}) => accelerator.id === first.id)
    ? usualLink(first, gpus.length)
    : {kind: 'pcie-host', bytesPerSecondPerDirection: first.pcie?.bytesPerSecondPerDirection}
}

/** A catalogued machine. @throws InputError where it has no GPU of the catalogue. */
export function machineFromSystem(catalogue: Catalogue, system: System, nodes?: number): Machine {
  const gpus: MachineGpu[] = []
  for (const {id, count, memoryBytes} of system.gpus) {
    const accelerator = catalogue.gpu(id) ?? requireGpu(catalogue.gpus, id)
    gpus.push(...gpusOf(accelerator, count, gpus.length, memoryBytes))
  }
  if (gpus.length === 0) throw new InputError('MACHINE_WITHOUT_GPU', `${system.name} has no GPU: servefit plans for GPUs only`)
  const first = gpus[0]!.accelerator
  const usual = linkOfAll(gpus)
  const kind = system.link?.kind ?? usual.kind
  const whole = (system.link?.domainGpuCount ?? gpus.length) >= gpus.length
  const rate =
    kind === 'nvlink' || kind === 'xgmi' || kind === 'other'
      ? first.scaleUp?.bytesPerSecondPerDirection
      : (system.hostLink?.bytesPerSecondPerDirection ?? first.pcie?.bytesPerSecondPerDirection)
  return {
    name: system.name,
    gpus,
    nodeCount: nodes ?? system.nodeCount,
    link: whole
      ? {kind, bytesPerSecondPerDirection: rate ?? usual.bytesPerSecondPerDirection}
      : {
          kind: system.link?.beyondDomain ?? 'pcie-host',
          bytesPerSecondPerDirection: system.hostLink?.bytesPerSecondPerDirection ?? first.pcie?.bytesPerSecondPerDirection,
        },
    networkBytesPerSecondPerGpu: system.network?.bytesPerSecondPerGpu ?? ((nodes ?? system.nodeCount) > 1 ? ASSUMED_NETWORK_BYTES_PER_SECOND : undefined),
    hostMemoryBytes: system.unifiedMemory ? undefined : system.host?.memoryBytes,
    detected: false,
  }
}

/** Names that read as a file rather than as a catalogued machine: a path, a name with the ending of a text, standard input. */
export const looksLikePath = (name: string): boolean => name === '-' || /[\\/]|\.(?:json|txt|log|xml|csv|md|out)$/i.test(name)

export const machineFromName = (catalogue: Catalogue, name: string, nodes?: number): Machine =>
  machineFromSystem(catalogue, requireSystem(catalogue.systems, name), nodes)

/** Cards of one kind: equal in everything that sizes or paces a deployment. */
const kindOf = ({accelerator, memoryBytes}: MachineGpu): string => `${accelerator.id} ${memoryBytes}`

const memoryOf = (gpus: readonly MachineGpu[]): number => gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)

/** The cards of a machine by kind, most memory in all first. */
export function kindsOf({gpus}: Machine): MachineGpu[][] {
  const kinds = new Map<string, MachineGpu[]>()
  for (const gpu of gpus) kinds.set(kindOf(gpu), [...(kinds.get(kindOf(gpu)) ?? []), gpu])
  return [...kinds.values()].sort((a, b) => memoryOf(b) - memoryOf(a))
}

/** Whether its cards differ. */
export const isMixed = (machine: Machine): boolean => machine.gpus.some((gpu) => kindOf(gpu) !== kindOf(machine.gpus[0]!))

/** Some of the cards as a machine of their own. */
function withCards(machine: Machine, gpus: MachineGpu[]): Machine {
  const link = machine.detected ? machine.link : linkOfAll(gpus)
  return {...machine, gpus, link}
}

/**
 * Sets of cards that could serve one model together, the whole machine first: where cards are unequal also each kind by itself, and the
 * larger kinds without the smaller ones. Cards of different makers do not share a model.
 */
export function servingGroups(machine: Machine): Machine[] {
  const kinds = kindsOf(machine)
  if (kinds.length <= 1) return [machine]
  const groups = new Map<string, MachineGpu[]>()
  const add = (gpus: MachineGpu[]) => {
    if (gpus.every(({accelerator}) => accelerator.vendor === gpus[0]!.accelerator.vendor))
      groups.set(
        gpus
          .map(({index}) => index)
          .sort((a, b) => a - b)
          .join(),
        gpus,
      )
  }
  // A deployment is sized by its smallest card: the small ones are the first to be left out.
  const bySize = [...kinds].sort((a, b) => b[0]!.memoryBytes - a[0]!.memoryBytes)
  for (let count = bySize.length; count >= 2; count--) add(bySize.slice(0, count).flat())
  for (const kind of kinds) add(kind)
  return [...groups.values()].map((gpus) => withCards(machine, gpus))
}

/** The slowest card of a group; where one is slower in bandwidth and another in arithmetic, a card with the worse of both. */
export function pacingAccelerator({gpus}: Machine): Accelerator {
  const cards = [...new Map(gpus.map(({accelerator}) => [accelerator.id, accelerator])).values()]
  const bandwidth = ({memoryBandwidthBytesPerSecond}: Accelerator) => memoryBandwidthBytesPerSecond ?? Number.POSITIVE_INFINITY
  const slowest = cards.reduce((a, b) => (bandwidth(b) < bandwidth(a) ? b : a))
  if (cards.length === 1) return slowest
  const rates = {...slowest.denseOperationsPerSecond}
  for (const {denseOperationsPerSecond} of cards)
    for (const [type, rate] of Object.entries(denseOperationsPerSecond)) {
      const own = rates[type as keyof typeof rates]
      if (own !== undefined) rates[type as keyof typeof rates] = Math.min(own, rate)
    }
  return {...slowest, denseOperationsPerSecond: rates, native: slowest.native.filter((type) => cards.every(({native}) => native.includes(type)))}
}

/** The GPU that limits a group: least free memory, then least memory. */
export const tightestGpu = (machine: Machine): MachineGpu =>
  machine.gpus.reduce((a, b) => ((b.freeBytes ?? b.memoryBytes) < (a.freeBytes ?? a.memoryBytes) ? b : a))
