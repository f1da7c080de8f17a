import type {Accelerator} from '../core/accelerator.ts'
import {cardsOfChip} from './bus-names.ts'
import type {Catalogue} from './contents.ts'
import {cardsBehindCutName} from './cut-names.ts'
import {matchDriverReport} from './find-gpu.ts'

/** The catalogued card behind an id or what a driver prints. */
export const gpuFinder =
  (catalogue: Catalogue) =>
  (name: string, memoryBytes?: number, pciDeviceId?: string, gpuCoreCount?: number): Accelerator | undefined => {
    const own = catalogue.gpus.find(({id}) => id === name)
    if (own) return own
    const match = matchDriverReport(catalogue.gpus, {name, memoryBytes, pciDeviceId, gpuCoreCount})
    if (match.kind === 'found') return match.gpu
    // A chip by its number before a name by its beginning; without memory neither says which card of several it is.
    return memoryBytes === undefined
      ? undefined
      : (cardsOfChip(catalogue, pciDeviceId, memoryBytes)[0] ?? cardsBehindCutName(catalogue.gpus, name, memoryBytes)[0])
  }
