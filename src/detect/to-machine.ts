import type {Accelerator, LinkKind, Machine, MachineGpu} from '../core/accelerator.ts'
import {pairsAmong, slowestKind} from './interconnect.ts'
import type {DetectedGpu, MachineDocument} from './machine-document.ts'
import {bandwidthShareOf, computeShareOf} from './nvidia-mig.ts'
import type {FindGpu} from './probe.ts'

/** Bytes a second and lane in one direction by PCIe generation: 2.5, 5, 8, 16, 32, 64 GT/s less the encoding (8b/10b, then 128b/130b). */
const PCIE_LANE_BYTES_PER_SECOND = [0, 0.25e9, 0.5e9, 0.985e9, 1.969e9, 3.938e9, 7.563e9]

/**
 * The machine as the arithmetic takes it: the first of `toMachineGroups`, the largest group of equal GPUs.
 * Unequal cards do not share one model well, so the others are left to `toMachineGroups`. Without any usable GPU `gpus` is empty.
 * `identities`: those of the driver by the GPU's index, which no document holds.
 */
export function toMachine(document: MachineDocument, findGpu: FindGpu, identities?: ReadonlyMap<number, string>): Machine {
  const machine = toMachineGroups(document, findGpu)[0] ?? machineOf(document, [])
  if (!identities || identities.size === 0) return machine
  return {...machine, gpus: machine.gpus.map((gpu) => ({...gpu, ...present({uuid: gpu.uuid ?? identities.get(gpu.index)})}))}
}

/**
 * One machine for each group of equal GPUs, largest first, cards with memory of their own before graphics that borrow the
 * host's: a desktop's processor graphics can claim more memory than its card has. A MIG slice is a group by itself, because a model cannot be
 * split over slices. GPUs whose memory neither the document nor the catalogue knows are left out.
 */
export function toMachineGroups(document: MachineDocument, findGpu: FindGpu): Machine[] {
  const groups = new Map<string, MachineGpu[]>()
  for (const gpu of document.gpus) {
    const usable = toMachineGpu(gpu, findGpu)
    if (!usable) continue
    const key = gpu.mig ? `slice ${gpu.index}` : groupKey(gpu, usable)
    groups.set(key, [...(groups.get(key) ?? []), usable])
  }
  const size = (gpus: MachineGpu[]) => gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)
  const borrows = (gpus: MachineGpu[]) => Number(gpus[0]?.accelerator.unifiedMemory ?? false)
  return [...groups.values()]
    .sort((a, b) => borrows(a) - borrows(b) || size(b) - size(a) || (a[0]?.index ?? 0) - (b[0]?.index ?? 0))
    .map((gpus) => machineOf(document, gpus))
}

/** Equal means the same card of the catalogue; of unknown cards the same name and, to the GiB, the same memory. */
function groupKey(gpu: DetectedGpu, {accelerator, memoryBytes}: MachineGpu): string {
  return gpu.id ? `id ${gpu.id}` : `${accelerator.vendor} ${accelerator.name} ${Math.round(memoryBytes / 1024 ** 3)}`
}

function machineOf(document: MachineDocument, gpus: MachineGpu[]): Machine {
  const pcie = slowestPcie(document.gpus.filter(({index}) => gpus.some((gpu) => gpu.index === index)))
  return {
    ...present({name: document.hostname, hostMemoryBytes: document.memoryBytes, availableHostMemoryBytes: document.availableMemoryBytes}),
    ...present({hostLinkBytesPerSecond: gpus.some(({accelerator}) => accelerator.hostLink) ? undefined : pcie}),
    ...present({hostMemoryBandwidthBytesPerSecond: document.memoryBandwidthBytesPerSecond}),
    ...present({freeDiskBytes: document.disk.find(({use}) => use === 'checkpoints')?.freeBytes}),
    gpus,
    nodeCount: 1,
    link: linkOf(document, gpus, pcie),
    ...present({joined: joinedGroups(document, gpus)}),
    detected: true,
  }
}

function linkOf(document: MachineDocument, gpus: MachineGpu[], pcieBytesPerSecond: number | undefined): Machine['link'] {
  const accelerator = gpus[0]?.accelerator
  const kind = linkKindOf(document, gpus)
  const bytesPerSecondPerDirection =
    kind === 'nvlink' || kind === 'xgmi' || kind === 'other'
      ? scaleUpRate(document, gpus)
      : kind === 'pcie-p2p' || kind === 'pcie-host'
        ? (pcieBytesPerSecond ?? accelerator?.pcie?.bytesPerSecondPerDirection)
        : undefined
  return {kind, ...present({bytesPerSecondPerDirection})}
}

/**
 * Rate of the links among these GPUs. The catalogue's is what the calibrations were fitted with and the tool's is before
 * encoding (26.562 GB/s for a link that carries 25), so the tool's counts only where links are missing: by more than a tenth.
 */
function scaleUpRate(document: MachineDocument, gpus: MachineGpu[]): number | undefined {
  const catalogued = gpus[0]?.accelerator.scaleUp?.bytesPerSecondPerDirection
  const pairs = pairsAmong(
    document.interconnect.pairs ?? [],
    gpus.map(({index}) => index),
  )
  const told = pairs?.map((pair) => pair.bytesPerSecondPerDirection).filter((rate) => rate !== undefined) ?? []
  const slowest = told.length > 0 && told.length === pairs?.length ? Math.min(...told) : undefined
  if (catalogued === undefined || slowest === undefined) return catalogued ?? slowest
  return slowest < catalogued * 0.9 ? slowest : catalogued
}

function linkKindOf(document: MachineDocument, gpus: MachineGpu[]): LinkKind {
  const accelerator = gpus[0]?.accelerator
  if (accelerator?.unifiedMemory && gpus.length < 2) return 'unified'
  const pairs = pairsAmong(
    document.interconnect.pairs ?? [],
    gpus.map(({index}) => index),
  )
  const kind = (pairs && slowestKind(pairs)) ?? statedKind(document, gpus.length)
  // Nobody told: through the host is what always works. A machine without a second GPU has no use for a link.
  if (kind === undefined) return 'pcie-host'
  // Peer access was not read, but the catalogue knows that this card has it with the stock driver.
  const unread = kind === 'pcie-host' && pairs?.every(({peerAccess}) => peerAccess === undefined)
  return unread && accelerator?.pciePeerAccess ? 'pcie-p2p' : kind
}

/** Groups that bridges join, each to each, where the others are joined by less. */
function joinedGroups(document: MachineDocument, gpus: MachineGpu[]): Machine['joined'] {
  const indexes = gpus.map(({index}) => index)
  const pairs = pairsAmong(document.interconnect.pairs ?? [], indexes) ?? []
  const fast = pairs.filter(({kind}) => kind === 'nvlink' || kind === 'xgmi')
  if (fast.length === 0 || fast.length === pairs.length) return undefined
  const joins = (a: number, b: number) => a === b || fast.some(({gpus: pair}) => pair.includes(a) && pair.includes(b))
  const groups = [...new Map(indexes.map((index) => indexes.filter((other) => joins(index, other))).map((group) => [group.join(), group])).values()]
  // Overlapping ones are no groups.
  if (groups.flat().length !== indexes.length) return undefined
  const rate = scaleUpRate(
    document,
    gpus.filter(({index}) => groups[0]!.includes(index)),
  )
  return {kind: fast[0]!.kind, ...present({bytesPerSecondPerDirection: rate}), groups}
}

/** The word for the whole machine, for documents without pairs, as a person writes them by hand. */
function statedKind(document: MachineDocument, gpuCount: number): LinkKind | undefined {
  const {kind, pairs} = document.interconnect
  return gpuCount < 2 || pairs || kind === 'none' || kind === 'unknown' ? undefined : kind
}

function slowestPcie(gpus: DetectedGpu[]): number | undefined {
  const rates = gpus.map(({pcie}) => (PCIE_LANE_BYTES_PER_SECOND[pcie?.generation ?? 0] ?? 0) * (pcie?.laneCount ?? 0)).filter((rate) => rate > 0)
  return rates.length > 0 ? Math.min(...rates) : undefined
}

function toMachineGpu(gpu: DetectedGpu, findGpu: FindGpu): MachineGpu | undefined {
  const cardName = gpu.mig ? gpu.name.replace(/ MIG(?: \S+)?$/, '') : gpu.name
  const cardBytes = gpu.mig ? gpu.mig.parentMemoryBytes : gpu.memoryBytes
  const card = (gpu.id ? (findGpu(gpu.id, cardBytes) ?? findGpu(gpu.id)) : undefined) ?? findGpu(cardName, cardBytes)
  const memoryBytes = gpu.memoryBytes ?? (gpu.mig ? undefined : card?.memoryBytes)
  if (!memoryBytes) return undefined
  const accelerator = gpu.mig
    ? sliceAccelerator(gpu, memoryBytes, card)
    : gpu.partition
      ? partitionAccelerator(gpu.partition, wholeAccelerator(gpu, memoryBytes, card))
      : wholeAccelerator(gpu, memoryBytes, card)
  return {index: gpu.index, accelerator, memoryBytes, ...present({freeBytes: gpu.freeBytes, driver: gpu.driver, uuid: gpu.uuid, migProfile: gpu.mig?.profile})}
}

/** The catalogue's card with what was read on this machine laid over it; an unknown card has only what was read, and no rates. */
function wholeAccelerator(gpu: DetectedGpu, memoryBytes: number, card: Accelerator | undefined): Accelerator {
  return {
    ...(card ?? {
      id: gpu.id ?? idFrom(gpu.name),
      name: gpu.name,
      vendor: gpu.vendor,
      aliases: [gpu.name],
      denseOperationsPerSecond: {},
      native: [],
    }),
    memoryBytes,
    ...present({
      memoryBandwidthBytesPerSecond: card?.memoryBandwidthBytesPerSecond ?? gpu.memoryBandwidthBytesPerSecond,
      computeCapability: gpu.computeCapability ?? card?.computeCapability,
      architecture: card?.architecture ?? gpu.architecture,
      gfxTarget: gpu.gfxTarget ?? card?.gfxTarget,
      unifiedMemory: gpu.unifiedMemory ?? card?.unifiedMemory,
    }),
  }
}

/** One of several equal parts of a package. Its links to other packages are shared with the other parts, and how they count is not known. */
function partitionAccelerator({mode, count}: NonNullable<DetectedGpu['partition']>, whole: Accelerator): Accelerator {
  const {scaleUp: _links, memoryBandwidthBytesPerSecond: bandwidth, ...rest} = whole
  const rates = Object.entries(whole.denseOperationsPerSecond).map(([type, rate]) => [type, rate / count])
  return {
    ...rest,
    id: `${whole.id}-${(mode ?? `1-of-${count}`).toLowerCase()}`,
    name: `${whole.name} ${mode ?? `1/${count}`}`,
    aliases: [],
    denseOperationsPerSecond: Object.fromEntries(rates),
    ...present({memoryBandwidthBytesPerSecond: bandwidth && Math.round(bandwidth / count)}),
  }
}

/** A slice of a card: its share of bandwidth in eighths, of compute in sevenths, and no way to other GPUs. */
function sliceAccelerator(gpu: DetectedGpu, memoryBytes: number, card: Accelerator | undefined): Accelerator {
  const whole = wholeAccelerator(gpu, memoryBytes, card)
  const share = computeShareOf(gpu.mig?.profile)
  const cardBytes = gpu.mig?.parentMemoryBytes ?? card?.memoryBytes
  const bandwidthShare = cardBytes ? bandwidthShareOf(memoryBytes, cardBytes) : undefined
  const cardBandwidth = card?.memoryBandwidthBytesPerSecond
  const bandwidth = gpu.memoryBandwidthBytesPerSecond ?? (cardBandwidth && bandwidthShare ? Math.round(cardBandwidth * bandwidthShare) : undefined)
  const rates = Object.entries(whole.denseOperationsPerSecond).map(([type, rate]) => [type, rate * (share ?? 0)])
  const {scaleUp: _links, memoryBandwidthBytesPerSecond: _bandwidth, pciePeerAccess: _peer, ...rest} = whole
  return {
    ...rest,
    id: `${whole.id}-mig${gpu.mig?.profile ? `-${gpu.mig.profile}` : ''}`,
    name: gpu.name,
    aliases: [],
    pciePeerAccess: false,
    denseOperationsPerSecond: share ? Object.fromEntries(rates) : {},
    ...present({memoryBandwidthBytesPerSecond: bandwidth}),
  }
}

function idFrom(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'gpu'
  )
}

function present<T extends object>(fields: T): {[K in keyof T]?: Exclude<T[K], undefined>} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
