import type {Accelerator} from '../core/accelerator.ts'
import type {Catalogue} from './catalogue.ts'
import {matchDriverReport} from './find-gpu.ts'
import {dictionary} from '../core/dictionary.ts'

/**
 * Cards that a line of `lspci` may mean, the least first: its words and its chip's number, without a driver that tells how much memory
 * there is. Several where one chip is sold as several cards.
 */
export function cardsOnBus(catalogue: Catalogue, name: string, pciDeviceId: string | undefined): Accelerator[] {
  const match = matchDriverReport(catalogue.gpus, {name, pciDeviceId})
  if (match.kind === 'found') return [match.gpu]
  const listed = match.kind === 'ambiguous' ? match.candidates : cardsOfChip(catalogue, pciDeviceId)
  return [...listed].sort((a, b) => a.memoryBytes - b.memoryBytes || (a.memoryBandwidthBytesPerSecond ?? 0) - (b.memoryBandwidthBytesPerSecond ?? 0))
}

const MAKERS: Record<string, string> = dictionary({'10de': 'nvidia', '1002': 'amd', '8086': 'intel', '1da3': 'intel'})

/** Cards with this chip, by its PCI id as `10de:2330`, for names that no card goes by. With its memory those that have as much. */
export function cardsOfChip(catalogue: Catalogue, pciDeviceId: string | undefined, memoryBytes?: number): Accelerator[] {
  const [, vendor = '', device] = /^([0-9a-f]{4}):([0-9a-f]{4})$/.exec(pciDeviceId ?? '') ?? []
  if (device === undefined) return []
  const ids = catalogue.file<Record<string, string[]>>('pci-names')[`${MAKERS[vendor]} 0x${device}`] ?? []
  const cards = ids.flatMap((id) => catalogue.gpu(id) ?? [])
  return cards.filter((gpu) => memoryBytes === undefined || matchDriverReport([gpu], {name: gpu.id, memoryBytes}).kind === 'found')
}
