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
export function runNvidiaCsv(exec: Exec, command: string, fields: readonly NvidiaField[] = NVIDIA_FIELDS, device?: string): Promise<ExecOutcome> {
  return exec(command, [...(device ? ['-i', device] : []), `--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'])
}

/** True where the driver is too old for one of the fields asked. */
export function saysFieldUnknown(text: string): boolean {
  return /is not a valid field to query/i.test(text)
}

/**
 * Rows of the query in the order of `fields`, or of the header where the text begins with one; lines that are not rows are
 * passed over. Numbers may carry their unit.
 */
export function parseNvidiaCsv(text: string, asked: readonly string[] = NVIDIA_FIELDS): NvidiaDevice[] {
  const [first = '', ...rest] = text.split(/\r?\n/)
  const header = headerOf(first)
  const fields = header ?? asked
  return (header ? rest : [first, ...rest]).flatMap((line) => {
    const cells = line.split(/,\s*/)
    // A comma in a value moves all cells behind it: only the last of the fields that were asked may hold one.
    if (cells.length < fields.length || (header && cells.length > fields.length)) return []
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

/** Columns of a text that was asked for with its header: `memory.total [MiB]` is `memory.total`. */
function headerOf(line: string): string[] | undefined {
  const names = line.split(/,\s*/).map((name) => name.replace(/ \[[^\]]*\]$/, '').trim())
  return names.includes('index') && names.includes('name') ? names : undefined
}
