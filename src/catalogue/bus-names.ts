import type {Accelerator} from '../core/accelerator.ts'
import type {Catalogue} from './catalogue.ts'
import {matchDriverReport} from './find-gpu.ts'

/**
 * Cards that a line of `lspci` may mean, the least first: its words and its chip's number, without a driver that tells how much memory
 * there is. Several where one chip is sold as several cards.
 */
export function cardsOnBus(catalogue: Catalogue, name: string, pciDeviceId: string | undefined): Accelerator[] {
  const match = matchDriverReport(catalogue.gpus, {name, pciDeviceId})
  if (match.kind === 'found') return [match.gpu]
  const listed = [match.kind === 'ambiguous' ? match.candidates : [], byChip(catalogue, pciDeviceId)].find((cards) => cards.length > 0) ?? []
  return [...listed].sort((a, b) => a.memoryBytes - b.memoryBytes || (a.memoryBandwidthBytesPerSecond ?? 0) - (b.memoryBandwidthBytesPerSecond ?? 0))
}

const MAKERS: Record<string, string> = {'10de': 'nvidia', '1002': 'amd', '8086': 'intel', '1da3': 'intel'}

/** `10de:2330` */
function byChip(catalogue: Catalogue, pciDeviceId: string | undefined): Accelerator[] {
  const [, vendor = '', device] = /^([0-9a-f]{4}):([0-9a-f]{4})$/.exec(pciDeviceId ?? '') ?? []
  const ids = catalogue.file<Record<string, string[]>>('pci-names')[`${MAKERS[vendor]} 0x${device}`] ?? []
  return ids.flatMap((id) => catalogue.gpu(id) ?? [])
}
