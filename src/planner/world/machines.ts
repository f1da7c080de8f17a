import type {Accelerator, Machine, MachineGpu, Vendor} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import {quotedShort} from '../../core/nearest.ts'
import {countInWords} from '../../core/words.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {askedGpu} from '../../catalogue/asked-gpu.ts'
import {requireGpu} from '../../catalogue/find-gpu.ts'
import {parseGpuSpec} from '../../catalogue/gpu-spec.ts'
import {requireSystem, type System, systemsCalled} from '../../catalogue/system.ts'
import type {Link} from '../scenario/index.ts'
import {processorsOf} from './processors.ts'
import {askedLink, type Boxes, boxesOf, consecutiveGroups, LINK_WORDS, linkOfAll, usualLink} from './links.ts'

/** Bytes a second between nodes for each GPU when nothing is known: one 100 Gb/s adapter shared by all would be less, InfiniBand more. */
const ASSUMED_NETWORK_BYTES_PER_SECOND = 12.5e9

const gpusOf = (accelerator: Accelerator, count: number, from: number, memoryBytes = accelerator.memoryBytes): MachineGpu[] =>
  Array.from({length: count}, (_, index) => ({index: from + index, accelerator, memoryBytes}))

/** A card as it was asked for. @throws InputError, which names the machines that go by such a name where no card does: a Mac mini, an instance in a cloud. */
function cardNamed(catalogue: Catalogue, request: Parameters<typeof askedGpu>[1]): Accelerator {
  try {
    return askedGpu(catalogue, request)
  } catch (error) {
    const machines = error instanceof InputError && error.code === 'GPU_UNKNOWN' ? systemsCalled(catalogue.systems, request.id) : []
    if (machines.length === 0) throw error
    const names = machines.slice(0, 5).map(({id}) => `--machine ${id}`)
    throw new InputError(
      'GPU_UNKNOWN',
      `No GPU named ${quotedShort(request.id)} in the catalogue, but ${machines.length === 1 ? 'a machine goes' : 'machines go'} by such a name`,
      {
        suggestions: names,
      },
    )
  }
}

/**
 * The machine that `8xh200-sxm` or `2xrtx-4090,1xrtx-3090` stands for. `nodes` of them where more than one; also where cards of one kind are more
 * than a machine of them takes, as `16xh100-sxm`: they stand in several then, which a note says. @throws InputError.
 */
export function machineFromSpec(catalogue: Catalogue, spec: string, nodes = 1, link?: Link): Machine {
  const parts = parseGpuSpec(spec).map(({count, ...request}) => ({count, accelerator: cardNamed(catalogue, {count, ...request})}))
  // One box of them, joined by PCIe alone, is what somebody says who names that link.
  const [only, ...others] = parts
  const boxes = only && others.length === 0 && (link === undefined || link === 'nvlink') ? boxesOf(only.accelerator, only.count) : undefined
  const gpus: MachineGpu[] = []
  for (const {accelerator, count} of parts) gpus.push(...gpusOf(accelerator, boxes?.size ?? count, gpus.length))
  // Nobody has nodes of more cards than a box takes: as many boxes as nodes are those nodes.
  const inAll = boxes?.left === 0 && boxes.count === nodes
  const nodeCount = inAll ? nodes : nodes * (boxes?.count ?? 1)
  return {
    gpus,
    nodeCount,
    link: link === undefined ? linkOfAll(gpus) : askedLink(gpus, link),
    networkBytesPerSecondPerGpu: nodeCount > 1 ? ASSUMED_NETWORK_BYTES_PER_SECOND : undefined,
    detected: false,
    ...(boxes && {notes: [boxesInWords(only!, inAll ? 1 : nodes, boxes)]}),
  }
}

/** That several nodes were made of one list of cards, with what was assumed between them. */
function boxesInWords({accelerator, count}: {accelerator: Accelerator; count: number}, nodes: number, boxes: Boxes): string {
  const {name, scaleUp} = accelerator
  const asked = `${nodes > 1 ? `${countInWords(nodes)} nodes of ` : ''}${countInWords(count)} x ${name}`
  const nodeCount = nodes * boxes.count
  const taken = nodeCount === 1 ? `one node of ${boxes.size}` : `${countInWords(nodeCount)} nodes of ${boxes.size}`
  const left =
    boxes.left === 0
      ? ''
      : `, and ${boxes.left === 1 ? 'the one' : `the ${boxes.left}`} beyond ${boxes.left === 1 ? 'is' : 'are'} left out${nodes > 1 ? ' in each' : ''}`
  const network =
    nodeCount === 1
      ? ''
      : `; between nodes ${ASSUMED_NETWORK_BYTES_PER_SECOND / 1e9} GB/s for each GPU is assumed (machines by name have their own network: servefit machines)`
  return `${asked} is read as ${taken}, since ${LINK_WORDS[usualLink(accelerator, boxes.size).kind]} connects at most ${scaleUp!.maxGpuCount} of them${left}${network}`
}

/** What of the figures of these cards is not from a source, for the answer to say. */
export const cardRemarks = ({gpus}: Machine): string[] => [...new Set(gpus.flatMap(({accelerator}) => accelerator.remarks ?? []))]

/** Whether its cards are slices, which cannot work on one model together. */
export const hasSlices = ({gpus}: Machine): boolean => gpus.some(({accelerator}) => accelerator.slice !== undefined)

/** A catalogued machine. @throws InputError where it has no GPU of the catalogue. */
export function machineFromSystem(catalogue: Catalogue, system: System, nodes?: number): Machine {
  const gpus: MachineGpu[] = []
  for (const {id, count, memoryBytes} of system.gpus) {
    const accelerator = catalogue.gpu(id) ?? requireGpu(catalogue.gpus, id)
    gpus.push(...gpusOf(accelerator, count, gpus.length, memoryBytes))
  }
  if (gpus.length === 0) {
    const processors = processorsOf(system)
    if (processors.length === 0) throw new InputError('MACHINE_WITHOUT_GPU', `${system.name} has no GPU, and the memory of its processors is not known`)
    return {
      name: system.name,
      gpus: processors,
      nodeCount: nodes ?? system.nodeCount,
      link: {kind: 'other'},
      networkBytesPerSecondPerGpu: system.network?.bytesPerSecondPerGpu,
      detected: false,
      notes: ['each socket is assumed to be one NUMA node, and so one rank: where the firmware splits sockets there are more, each with less memory'],
    }
  }
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
    ...(!whole &&
      (system.link?.domainGpuCount ?? 1) > 1 && {
        joined: {kind, ...(rate !== undefined && {bytesPerSecondPerDirection: rate}), groups: consecutiveGroups(gpus.length, system.link!.domainGpuCount!)},
      }),
    networkBytesPerSecondPerGpu: system.network?.bytesPerSecondPerGpu ?? ((nodes ?? system.nodeCount) > 1 ? ASSUMED_NETWORK_BYTES_PER_SECOND : undefined),
    ...(system.network?.fabric !== undefined && {networkFabric: system.network.fabric}),
    hostMemoryBytes: system.unifiedMemory ? undefined : system.host?.memoryBytes,
    ...(system.hostLink?.bytesPerSecondPerDirection !== undefined && {hostLinkBytesPerSecond: system.hostLink.bytesPerSecondPerDirection}),
    ...(system.host?.memoryBandwidthBytesPerSecond !== undefined && {hostMemoryBandwidthBytesPerSecond: system.host.memoryBandwidthBytesPerSecond}),
    detected: false,
  }
}

/** Makers whose cards stand in for those of one. Whoever plans for a platform of its own is answered with cards of that platform. */
export const makersLike = (vendor: Vendor): readonly Vendor[] => (vendor === 'nvidia' || vendor === 'amd' ? ['nvidia', 'amd'] : [vendor])

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
export const isMixed = ({gpus}: Machine): boolean =>
  gpus.some(({accelerator, memoryBytes}) => accelerator.id !== gpus[0]!.accelerator.id || memoryBytes !== gpus[0]!.memoryBytes)

/** Some of the cards as a machine of their own. */
export function cardsOf(machine: Machine, gpus: MachineGpu[]): Machine {
  const link = machine.detected || machine.link.asked ? machine.link : linkOfAll(gpus)
  const indexes = new Set(gpus.map(({index}) => index))
  const groups = machine.joined?.groups.filter((group) => group.every((index) => indexes.has(index)))
  return {...machine, gpus, link, ...(machine.joined && {joined: {...machine.joined, groups: groups!}})}
}

/**
 * Sets of cards that could serve one model together, the whole machine first: where cards are unequal also each kind by itself, the
 * larger kinds without the smaller ones, and with as many of the next kind as make a power of two, which heads divide over. Cards of different
 * makers do not share a model.
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
  // Over several nodes the cards that share a model are those of one kind in each.
  if (machine.nodeCount === 1)
    for (let count = bySize.length; count >= 2; count--) {
      const cards = bySize.slice(0, count).flat()
      const smaller = bySize[count - 1]!.length
      add(cards)
      // As many of one kind alone are no less: the smallest sizes a deployment.
      const least = Math.max(smaller, cards.length - smaller)
      for (let size = 2 ** Math.floor(Math.log2(cards.length)); size > least; size /= 2) add(cards.slice(0, size))
    }
  for (const kind of kinds) add(kind)
  return [...groups.values()].map((gpus) => cardsOf(machine, gpus))
}

const PACING = new WeakMap<Machine, Accelerator>()

/** The slowest card of a group; where one is slower in bandwidth and another in arithmetic, a card with the worse of both, which is the same for each asking. */
export function pacingAccelerator(machine: Machine): Accelerator {
  const known = PACING.get(machine)
  if (known) return known
  const slowest = slowestOf(machine)
  PACING.set(machine, slowest)
  return slowest
}

function slowestOf({gpus}: Machine): Accelerator {
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
