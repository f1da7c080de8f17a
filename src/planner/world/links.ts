import type {Accelerator, LinkKind, Machine, MachineGpu} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import type {Link} from '../scenario/index.ts'

// Bridges join pairs and are an option; a switch or a mesh is part of the machine.
const isPartOfMachine = ({scaleUp}: Accelerator): boolean => scaleUp !== undefined && !/bridge/i.test(scaleUp.scope ?? '')

/** Cards of one kind as they are built into machines: nodes, cards of each, cards that make no node of that size. */
export interface Boxes {
  count: number
  size: number
  left: number
}

/**
 * Nodes that more cards than one switch or mesh joins stand in: full ones, or halves (boards of four) where those come out even, else the full
 * ones that they make. Undefined where one node takes all, or where cards are put into slots as one likes.
 */
export function boxesOf(accelerator: Accelerator, count: number): Boxes | undefined {
  const most = accelerator.scaleUp?.maxGpuCount
  if (most === undefined || count <= most || accelerator.unifiedMemory || !isPartOfMachine(accelerator)) return undefined
  const size = [most, most / 2].find((part) => Number.isInteger(part) && count % part === 0) ?? most
  return {count: Math.floor(count / size), size, left: count % size}
}

/** How cards of one kind are joined when nothing but their number is known. */
export function usualLink(accelerator: Accelerator, count: number): Machine['link'] {
  if (accelerator.unifiedMemory && count > 1) return {kind: 'network'}
  if (count < 2)
    return accelerator.unifiedMemory ? {kind: 'unified'} : {kind: 'pcie-host', bytesPerSecondPerDirection: accelerator.pcie?.bytesPerSecondPerDirection}
  const {scaleUp} = accelerator
  if (scaleUp && isPartOfMachine(accelerator) && (scaleUp.maxGpuCount ?? count) >= count) {
    const kind: LinkKind = /xgmi|infinity/i.test(scaleUp.kind) ? 'xgmi' : /nvlink/i.test(scaleUp.kind) ? 'nvlink' : 'other'
    return {kind, bytesPerSecondPerDirection: scaleUp.bytesPerSecondPerDirection}
  }
  return {kind: accelerator.pciePeerAccess ? 'pcie-p2p' : 'pcie-host', bytesPerSecondPerDirection: accelerator.pcie?.bytesPerSecondPerDirection}
}

/** How the cards of a machine are joined when nothing but their number is known. */
export function linkOfAll(gpus: readonly MachineGpu[]): Machine['link'] {
  const first = gpus[0]!.accelerator
  return gpus.every(({accelerator}) => accelerator.id === first.id)
    ? usualLink(first, gpus.length)
    : {kind: 'pcie-host', bytesPerSecondPerDirection: slowestPcie(gpus.map(({accelerator}) => accelerator))}
}

/** Of unequal cards the slower one counts. */
function slowestPcie(cards: readonly Accelerator[]): number | undefined {
  const rates = cards.flatMap(({pcie}) => pcie?.bytesPerSecondPerDirection ?? [])
  return rates.length > 0 ? Math.min(...rates) : undefined
}

/** The link that was asked for, with its rate: of peer access and of the host that of PCIe, of NVLink the card's own. @throws InputError LINK_UNAVAILABLE. */
export function askedLink(gpus: readonly MachineGpu[], asked: Link): Machine['link'] {
  const cards = [...new Map(gpus.map(({accelerator}) => [accelerator.id, accelerator])).values()]
  const refuse = (why: string) => {
    const usual = linkOfAll(gpus)
    return new InputError(
      'LINK_UNAVAILABLE',
      `Link ${asked} is not possible: ${why}; without it these cards are assumed to be connected by ${LINK_WORDS[usual.kind]}`,
    )
  }
  const shared = cards.find(({unifiedMemory}) => unifiedMemory)
  if (shared && gpus.length > 1) throw refuse(`each ${shared.name} is a machine of its own, connected to others by a network`)
  if (gpus.some(({accelerator}) => accelerator.slice) && asked !== 'pcie') throw refuse('slices of a card have neither peer access nor NVLink')
  if (asked !== 'nvlink') return {kind: asked === 'p2p' ? 'pcie-p2p' : 'pcie-host', bytesPerSecondPerDirection: slowestPcie(cards), asked: true}
  const links = cards.map(({scaleUp, unratedScaleUp}) => scaleUp ?? unratedScaleUp)
  const without = cards.find((_, index) => links[index] === undefined)
  if (without) throw refuse(`${without.name} has no NVLink, as far as servefit knows`)
  const other = cards.find((_, index) => !/nvlink/i.test(links[index]!.kind))
  if (other) throw refuse(`${other.name} has ${links[cards.indexOf(other)]!.kind} instead of NVLink`)
  const most = Math.min(...links.map((link) => link!.maxGpuCount ?? Number.POSITIVE_INFINITY))
  if (gpus.length > most) throw refuse(`the NVLink of ${cards[0]!.name} joins ${most} cards, and there are ${gpus.length}`)
  const rates = cards.flatMap(({scaleUp}) => scaleUp?.bytesPerSecondPerDirection ?? [])
  return {kind: 'nvlink', ...(rates.length > 0 && {bytesPerSecondPerDirection: Math.min(...rates)}), asked: true}
}

export const LINK_WORDS: Record<LinkKind, string> = {
  nvlink: 'NVLink',
  xgmi: 'Infinity Fabric',
  'pcie-p2p': 'PCIe with peer access',
  'pcie-host': 'PCIe through the host',
  network: 'a network',
  unified: 'their own memory',
  other: 'a link of their own',
}

/**
 * The link within a group of `ranks` GPUs, where all of a machine's such groups can be put behind a faster link than the one that joins all: two pairs of
 * bridged cards serve two groups of two. Else the link of the whole machine, at whose pace the slowest pair runs.
 */
export function linkWithin({link, joined, gpus}: Pick<Machine, 'link' | 'joined' | 'gpus'>, ranks: number): Machine['link'] {
  if (!joined || ranks < 2 || ranks >= gpus.length || link.asked) return link
  const fits = joined.groups.every((group) => group.length % ranks === 0) && joined.groups.flat().length === gpus.length
  if (!fits) return link
  const {kind, bytesPerSecondPerDirection} = joined
  return {kind, ...(bytesPerSecondPerDirection !== undefined && {bytesPerSecondPerDirection})}
}

/** Groups of consecutive GPUs. */
export const consecutiveGroups = (count: number, size: number): number[][] =>
  Array.from({length: Math.floor(count / size)}, (_, group) => Array.from({length: size}, (_unused, index) => group * size + index))
