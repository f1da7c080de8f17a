import {InputError} from '../core/input-error.ts'

/** Memory is binary. GB is missing on purpose: an "80 GB" card reports 81559 MiB, which is neither 80 GB nor 80 GiB. */
const memoryUnits = new Map([
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
])

/** Bandwidth is decimal, as vendors print it. */
const bandwidthUnits = new Map([
  ['MB/s', 1e6],
  ['GB/s', 1e9],
  ['TB/s', 1e12],
])

/** Network rates are in bits: an eighth of that in bytes. */
const networkUnits = new Map([
  ['Mb/s', 1e6 / 8],
  ['Gb/s', 1e9 / 8],
])

const powerUnits = new Map([['W', 1]])

/** Bytes of `"24564 MiB"`. Throws InputError on anything but a positive number with KiB, MiB or GiB. */
export const parseMemory = (text: string): number => Math.round(parse(text, 'memory', memoryUnits))

/** Bytes a second of `"1008 GB/s"`. Throws InputError on anything but a positive number with MB/s, GB/s or TB/s. */
export const parseBandwidth = (text: string): number => Math.round(parse(text, 'bandwidth', bandwidthUnits))

/** Bytes a second of `"200 Gb/s"`. Throws InputError on anything but a positive number with Mb/s or Gb/s. */
export const parseNetwork = (text: string): number => Math.round(parse(text, 'network rate', networkUnits))

/** Watts of `"450 W"`. Throws InputError on anything but a positive number with W. */
export const parsePower = (text: string): number => parse(text, 'power', powerUnits)

function parse(text: string, what: string, units: ReadonlyMap<string, number>): number {
  const match = /^(\d+(?:\.\d+)?) (\S+)$/.exec(text)
  const value = Number(match?.[1])
  const unit = units.get(match?.[2] ?? '')
  if (unit === undefined || !(value > 0)) {
    throw new InputError('QUANTITY_INVALID', `"${text}" is not a ${what}: expected ${expectation(text, what, units)}`)
  }
  return value * unit
}

function expectation(text: string, what: string, units: ReadonlyMap<string, number>): string {
  const form = `a positive number, a space and one of ${[...units.keys()].join(', ')}`
  return what === 'memory' && /[KMGT]B$/.test(text) ? `${form} (decimal units of memory are ambiguous)` : form
}
