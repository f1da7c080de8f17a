import type {GpuPair} from './machine-document.ts'
import type {Exec, ExecOutcome} from './probe.ts'

/** `nvidia-smi nvlink -s`: the rate of each link of each card, in one direction. */
export function runNvidiaNvlink(exec: Exec, command: string): Promise<ExecOutcome> {
  return exec(command, ['nvlink', '-s'])
}

export interface NvlinkStatus {
  index: number
  activeLinkCount: number
  /** Of one link in one direction. Absent: none is active, or the tool gave no rate. */
  linkBytesPerSecond?: number
}

/** Decimal GB/s; `<inactive>` links do not count. Cards without NVLink, or in MIG mode, are left out. */
export function parseNvlink(text: string): NvlinkStatus[] {
  const cards = new Map<number, {rates: number[]; told: boolean}>()
  let current: {rates: number[]; told: boolean} | undefined
  for (const line of text.split(/\r?\n/)) {
    const card = /^GPU (\d{1,3}):/.exec(line)
    if (card) {
      current = {rates: [], told: false}
      cards.set(Number(card[1]), current)
    }
    if (!current) continue
    const link = /^\s*Link \d{1,2}:\s*(?:(\d{1,4}(?:\.\d{1,3})?) GB\/s|(<inactive>))\s*$/i.exec(line)
    if (link || /all links are inactive/i.test(line)) current.told = true
    const rate = Number(link?.[1] ?? 0)
    if (rate > 0) current.rates.push(rate)
  }
  return [...cards]
    .filter(([, {told}]) => told)
    .map(([index, {rates}]) => ({
      index,
      activeLinkCount: rates.length,
      ...(rates.length > 0 ? {linkBytesPerSecond: Math.round(Math.min(...rates) * 1e9)} : {}),
    }))
}

/** Puts the rate of its bonded links to each pair. A pair whose card says that no link is active talks over PCIe: state counts, not presence. */
export function withNvlinkRates(pairs: GpuPair[], statuses: NvlinkStatus[]): GpuPair[] {
  return pairs.map((pair) => {
    if (pair.kind !== 'nvlink') return pair
    const ends = pair.gpus.map((index) => statuses.find((status) => status.index === index))
    if (ends.some((end) => end?.activeLinkCount === 0)) {
      const {linkCount: _links, ...rest} = pair
      return {...rest, kind: pair.peerAccess ? ('pcie-p2p' as const) : ('pcie-host' as const)}
    }
    const rates = ends.map((end) => end?.linkBytesPerSecond).filter((rate) => rate !== undefined)
    return rates.length === 2 && pair.linkCount ? {...pair, bytesPerSecondPerDirection: Math.min(...rates) * pair.linkCount} : pair
  })
}
