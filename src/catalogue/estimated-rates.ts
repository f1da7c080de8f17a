import type {Accelerator, ComputeType, Vendor} from '../core/accelerator.ts'

/** A card of which some figures are known. */
export interface KnownFigures {
  vendor: Vendor
  computeCapability?: number
  gfxTarget?: string
  memoryBandwidthBytesPerSecond: number
  operationsPerSecond: Partial<Record<ComputeType, number>>
}

export interface EstimatedRates {
  /** Operand types that the matrix units of all such cards take. */
  native: string[]
  /** For types of which nothing was given. */
  operationsPerSecond: Partial<Record<ComputeType, number>>
  /** Cards that it rests on, in words; undefined where there are none. */
  peers?: string
  pcie?: Accelerator['pcie']
}

/**
 * What a card of unknown rates is likely to have, from the catalogued cards of its architecture: of each type the middle of their ratios to
 * bandwidth, or to a rate that was given, which says more. It holds as well as the cards of an architecture are alike: consumer cards
 * of one capability have half the 16-bit rate of workstation cards of the same bandwidth.
 */
export function estimatedRates(gpus: readonly Accelerator[], known: KnownFigures): EstimatedRates {
  const {cards, words} = peersOf(gpus, known)
  if (cards.length === 0) return {native: [], operationsPerSecond: {}}
  const native = cards[0]!.native.filter((type) => cards.every((card) => card.native.includes(type)))
  const rated = cards.filter((card) => card.memoryBandwidthBytesPerSecond !== undefined && Object.keys(card.denseOperationsPerSecond).length > 0)
  const operationsPerSecond: Partial<Record<ComputeType, number>> = {}
  const base = BASES.find((type) => known.operationsPerSecond[type] !== undefined)
  for (const type of TYPES) {
    if (known.operationsPerSecond[type] !== undefined) continue
    const ratios = rated.flatMap(({denseOperationsPerSecond: rates, memoryBandwidthBytesPerSecond: bandwidth}) => {
      const reference = base === undefined ? bandwidth : rates[base]
      return rates[type] === undefined || reference === undefined ? [] : [rates[type] / reference]
    })
    // A type that only some of them have is no fact of the architecture.
    if (ratios.length * 2 <= rated.length) continue
    const reference = base === undefined ? known.memoryBandwidthBytesPerSecond : known.operationsPerSecond[base]!
    operationsPerSecond[type] = Number((middle(ratios) * reference).toPrecision(3))
  }
  return {native, operationsPerSecond, peers: words, pcie: usualPcie(cards)}
}

const TYPES: readonly ComputeType[] = ['fp16', 'bf16', 'fp8', 'fp6', 'fp4', 'int8']
/** What a given rate is read from first: 16 bits say most about the others. */
const BASES: readonly ComputeType[] = ['bf16', 'fp16', 'fp8', 'int8', 'fp4', 'fp6']

function middle(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** Catalogued cards of the same architecture; where there are none, of the nearest one. */
function peersOf(gpus: readonly Accelerator[], {vendor, computeCapability, gfxTarget}: KnownFigures): {cards: Accelerator[]; words?: string} {
  const own = gpus.filter((gpu) => gpu.vendor === vendor)
  if (computeCapability !== undefined) {
    const all = own.filter((gpu) => gpu.computeCapability !== undefined)
    const distance = (gpu: Accelerator) => Math.abs(gpu.computeCapability! - computeCapability)
    const least = Math.min(...all.map(distance))
    const cards = all.filter((gpu) => distance(gpu) === least)
    return {cards, words: cards[0] && `the ${cards.length} catalogued cards of compute capability ${cards[0].computeCapability!.toFixed(1)}`}
  }
  if (gfxTarget !== undefined) {
    // gfx1100 and gfx1101 are one architecture, gfx1200 another.
    for (let length = gfxTarget.length; length >= 5; length--) {
      const start = gfxTarget.slice(0, length)
      const cards = own.filter((gpu) => gpu.gfxTarget?.startsWith(start))
      if (cards.length > 0) return {cards, words: `the ${cards.length} catalogued cards of ${length === gfxTarget.length ? start : `${start}x`}`}
    }
  }
  return {cards: []}
}

/** The PCIe link that most of them have. */
function usualPcie(cards: readonly Accelerator[]): Accelerator['pcie'] {
  const counts = new Map<string, {pcie: NonNullable<Accelerator['pcie']>; count: number}>()
  for (const {pcie} of cards) {
    if (!pcie) continue
    const key = `${pcie.generation} ${pcie.laneCount}`
    counts.set(key, {pcie, count: (counts.get(key)?.count ?? 0) + 1})
  }
  return [...counts.values()].sort((a, b) => b.count - a.count)[0]?.pcie
}
