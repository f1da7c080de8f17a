import type {Vendor} from '../core/accelerator.ts'
import type {DetectedGpu, MachineProblem} from './machine-document.ts'
import {type FindGpu, firstFound, type Reading} from './probe.ts'
import {quotable} from './quantity.ts'

/** An accelerator with memory of its own and nothing unusual about it, as its maker's tool describes it. */
export interface PlainDevice {
  index: number
  name?: string
  driver?: string
  /** `0xe211` */
  pciDeviceId?: string
  pciAddress?: string
  memoryBytes?: number
  usedBytes?: number
  freeBytes?: number
}

/** What a maker calls its accelerators, and how it is known on the bus. */
export interface Maker {
  vendor: Vendor
  /** `1da3` */
  pciVendor: string
  title: string
  /** A name that several cards print. */
  generic?: RegExp
}

/** Accelerators of the document, each matched with the catalogue by its PCI id, name and memory. */
export function plainGpus(devices: PlainDevice[], maker: Maker, findGpu: FindGpu | undefined): Reading<DetectedGpu[]> {
  const problems: MachineProblem[] = []
  const value = devices.map(({index, name: told, pciDeviceId, memoryBytes, usedBytes, freeBytes, driver}): DetectedGpu => {
    const shown = told ? quotable(told, 100) : undefined
    const pciId = pciDeviceId ? `${maker.pciVendor}:${pciDeviceId.slice(2)}` : undefined
    const catalogued = firstFound(findGpu, shown ? [shown] : [], memoryBytes, pciId)
    const generic = shown === undefined || (maker.generic?.test(shown) ?? false)
    const name = (generic ? catalogued?.name : undefined) ?? shown ?? `${maker.title}${pciId ? ` [${pciId}]` : ''}`
    if (memoryBytes === undefined)
      problems.push({
        code: 'memory-unknown',
        message: `No tool reported how much memory GPU ${index} (${name}) has`,
        remedy: 'name the GPU with --gpu',
      })
    if (findGpu && !catalogued)
      problems.push({
        code: 'gpu-unknown',
        message: `${name} is not in the catalogue, so its speed cannot be predicted`,
        remedy: 'name the closest card with --gpu (see `servefit gpus`), or add a data file for it',
      })
    return {
      index,
      id: catalogued?.id,
      name,
      vendor: maker.vendor,
      memoryBytes,
      freeBytes,
      processesBytes: usedBytes,
      memoryBandwidthBytesPerSecond: catalogued?.memoryBandwidthBytesPerSecond,
      architecture: catalogued?.architecture,
      driver,
    }
  })
  return {value, problems}
}
