import type {Accelerator, LinkKind, Machine, MachineGpu} from '../../core/accelerator.ts'
import {InputError} from '../../core/input-error.ts'
import type {Link} from '../scenario/index.ts'

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

/** How the cards of a machine are joined when nothing but their number is known. */
export function linkOfAll(gpus: readonly MachineGpu[]): Machine['link'] {
  const first = gpus[0]!.accelerator
  return gpus.every(({accelerator}) => accelerator.id === first.id)
    ? usualLink(first, gpus.length)
    : {kind: 'pcie-host', bytesPerSecondPerDirection: first.pcie?.bytesPerSecondPerDirection}
}

/** The link that was asked for, with its rate: of peer access and of the host that of PCIe, of NVLink the card's own. @throws InputError LINK_UNAVAILABLE. */
export function askedLink(gpus: readonly MachineGpu[], asked: Link): Machine['link'] {
  const cards = [...new Map(gpus.map(({accelerator}) => [accelerator.id, accelerator])).values()]
  const refuse = (why: string) => {
    const usual = linkOfAll(gpus)
    return new InputError('LINK_UNAVAILABLE', `Link ${asked} cannot be: ${why}; without it these cards are taken to be joined by ${LINK_WORDS[usual.kind]}`)
  }
  const shared = cards.find(({unifiedMemory}) => unifiedMemory)
  if (shared && gpus.length > 1) throw refuse(`several ${shared.name} are machines of their own, joined by a network`)
  if (gpus.some(({accelerator}) => accelerator.slice) && asked !== 'pcie') throw refuse('slices of a card have neither peer access nor NVLink')
  if (asked !== 'nvlink') {
    const rates = cards.flatMap(({pcie}) => pcie?.bytesPerSecondPerDirection ?? [])
    const bytesPerSecondPerDirection = rates.length > 0 ? Math.min(...rates) : undefined
    return {kind: asked === 'p2p' ? 'pcie-p2p' : 'pcie-host', bytesPerSecondPerDirection, asked: true}
  }
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

const LINK_WORDS: Record<LinkKind, string> = {
  nvlink: 'NVLink',
  xgmi: 'Infinity Fabric',
  'pcie-p2p': 'PCIe with peer access',
  'pcie-host': 'PCIe through the host',
  network: 'a network',
  unified: 'their own memory',
  other: 'a link of their own',
}
