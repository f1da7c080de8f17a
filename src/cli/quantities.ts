import {InputError} from '../core/input-error.ts'
import {dictionary} from '../core/dictionary.ts'

const MULTIPLES: Record<string, number> = dictionary({'': 1, k: 1e3, m: 1e6})
const UNITS: Record<string, number> = dictionary({b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40})

interface Range {
  min: number
  max: number
}

/** Tokens or requests as people type them: 2048, 2k, 1.5m (decimal multiples). */
export function parseCount(text: string, what: string, {min, max}: Range): number {
  const match = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text.trim().replaceAll(/[,_](?=\d{3})/g, ''))
  const value = match ? Number(match[1]) * MULTIPLES[match[2]!.toLowerCase()]! : Number.NaN
  if (!Number.isInteger(value) || value < min || value > max)
    throw new InputError(
      'NUMBER_INVALID',
      `--${what} ${text}: expected a whole number from ${min.toLocaleString('en-US')} to ${max.toLocaleString('en-US')}, such as 2048 or 2k`,
    )
  return value
}

/** A plain number within a range. */
export function parseNumber(text: string, what: string, {min, max}: Range): number {
  const value = /^-?\d*\.?\d+(?:e-?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected a number from ${min} to ${max}`)
  return value
}

/** Memory: whole bytes, or a number with KiB, MiB, GiB, TiB. A bare GB is not taken: it means two different things. */
export function parseBytes(text: string, what: string, {min, max}: Range): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|[kmgt]ib)?$/i.exec(text.trim())
  const value = match ? Math.round(Number(match[1]) * UNITS[(match[2] ?? 'b').toLowerCase()]!) : Number.NaN
  if (!(value >= min && value <= max)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected bytes, or a number with MiB or GiB, such as 4GiB`)
  return value
}

const PARAMETER_UNITS: Record<string, number> = dictionary({'': 1, m: 1e6, b: 1e9, t: 1e12})

/** Parameters as models are named: 600m, 7b, 1.6t, or a plain count. */
export function parseParameters(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)([mbt]?)$/i.exec(text.trim().replaceAll(/[,_](?=\d{3})/g, ''))
  const value = match ? Number(match[1]) * PARAMETER_UNITS[match[2]!.toLowerCase()]! : Number.NaN
  // 32 alone is far more likely a slip for 32b than a model of 32 numbers.
  if (!(value >= 1e6 && value <= 1e15)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected a number of parameters such as 600m, 32b or 1.6t`)
  return value
}
