import type {NvidiaDevice} from './nvidia-device.ts'
import {driverOf, memoryOf, migEnabledOf, pciDeviceIdOf, unknownField} from './nvidia-xml.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {computeCapabilityOf, countOf, known, pciAddressOf} from './quantity.ts'

/** The name stands last, since it alone may hold a comma. */
export const NVIDIA_FIELDS = [
  'index',
  'pci.bus_id',
  'pci.device_id',
  'memory.total',
  'memory.used',
  'memory.free',
  'compute_cap',
  'driver_version',
  'mig.mode.current',
  'pcie.link.gen.max',
  'pcie.link.width.current',
  'name',
] as const

/** What every driver since 2012 knows. One field that a driver does not know spoils the whole query. */
export const NVIDIA_OLD_FIELDS = ['index', 'pci.bus_id', 'memory.total', 'memory.used', 'memory.free', 'driver_version', 'name'] as const

export type NvidiaField = (typeof NVIDIA_FIELDS)[number]

/** The short query: quick, and the only place of the compute capability. `device` restricts it to one card by number or address. */
export function runNvidiaCsv(
  exec: Exec,
  command: string,
  fields: readonly NvidiaField[] = NVIDIA_FIELDS,
  device?: string,
): Promise<ExecOutcome> {
  return exec(command, [...(device ? ['-i', device] : []), `--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'])
}

/** True where the driver is too old for one of the fields asked. */
export function saysFieldUnknown(text: string): boolean {
  return /is not a valid field to query/i.test(text)
}

/** Rows of the query in the order of `fields`; lines that are not rows are passed over. Numbers may carry their unit. */
export function parseNvidiaCsv(text: string, fields: readonly NvidiaField[] = NVIDIA_FIELDS): NvidiaDevice[] {
  return text.split(/\r?\n/).flatMap(line => {
    const cells = line.split(/,\s*/)
    if (cells.length < fields.length) return []
    const last = cells.slice(fields.length - 1).join(', ')
    const cell = (field: NvidiaField) => {
      const at = fields.indexOf(field)
      return at < 0 ? undefined : at === fields.length - 1 ? last.trim() : cells[at]?.trim()
    }
    const index = cell('index') ?? ''
    if (!/^\d{1,3}$/.test(index)) return []
    const generation = countOf(cell('pcie.link.gen.max'))
    const laneCount = countOf(cell('pcie.link.width.current'))
    const device: NvidiaDevice = {
      index: Number(index),
      pciAddress: pciAddressOf(cell('pci.bus_id')),
      pciDeviceId: pciDeviceIdOf(cell('pci.device_id')),
      name: known(cell('name')),
      computeCapability: computeCapabilityOf(cell('compute_cap')),
      driver: driverOf(cell('driver_version')),
      ...memoryOf(cell('memory.total'), cell('memory.used'), cell('memory.free')),
      pcie: generation || laneCount ? {generation, laneCount} : undefined,
      migEnabled: migEnabledOf(cell('mig.mode.current')),
      slices: [],
      unknownFields: [
        ...unknownField('name', cell('name')),
        ...unknownField('memory.total', cell('memory.total')),
        ...unknownField('memory.free', cell('memory.free')),
        ...unknownField('driver_version', cell('driver_version')),
      ],
    }
    return [device]
  })
}
