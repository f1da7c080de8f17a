/** What measurements are told apart by: the kind of machine, and what was asked of it. */
import type {Accelerator} from '../../core/accelerator.ts'
import type {Workload} from '../../core/deployment.ts'

const PLATFORMS: Record<string, string> = {
  SXM: 'servers',
  OAM: 'servers',
  superchip: 'servers',
  APU: 'servers',
  consumer: 'consumer cards',
  laptop: 'consumer cards',
  PCIe: 'workstation and PCIe cards',
  integrated: 'unified memory',
  module: 'unified memory',
}

/** Cards of one maker that are built for the same place. */
export function platformOf({vendor, form}: Pick<Accelerator, 'vendor' | 'form'>): string {
  const makers: Record<string, string> = {nvidia: 'NVIDIA', amd: 'AMD', intel: 'Intel', apple: 'Apple'}
  return `${makers[vendor] ?? vendor}, ${PLATFORMS[form ?? ''] ?? 'other'}`
}

/** One request at a time, several in flight, random arrivals, or as many as fit. */
export function kindOf({concurrency, requestRate}: Pick<Workload, 'concurrency' | 'requestRate'>): string {
  if (requestRate !== undefined && concurrency === undefined) return 'open loop'
  if (concurrency === 'max') return 'as many as fit'
  return concurrency === undefined || concurrency === 1 ? 'one at a time' : 'several at once'
}
