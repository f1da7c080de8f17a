import {InputError} from '../core/input-error.ts'
import {dictionary} from '../core/dictionary.ts'
import {shareOf} from '../core/words.ts'

const MULTIPLES: Record<string, number> = dictionary({'': 1, k: 1e3, m: 1e6, ki: 2 ** 10, mi: 2 ** 20})
const UNITS: Record<string, number> = dictionary({b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40})

interface Range {
  min: number
  max: number
}

/** As numbers are printed: 40,960. */
const withoutSeparators = (text: string): string => text.trim().replaceAll(/(?<=\d)[,_](?=\d{3})/g, '')

/** Exact in decimal digits: 32.8 times 10^9 is no whole number in doubles, and 1.1 times 10^6 neither. */
const multiplied = (digits: string, unit: number): number => Number((Number(digits) * unit).toPrecision(15))

/** Tokens or requests as people type them: 2048, 40,960, 2k and 1.5m (multiples of 1,000), 40Ki (of 1,024). */
export function parseCount(text: string, what: string, {min, max}: Range): number {
  const match = /^(\d+(?:\.\d+)?)([km]i?|)$/i.exec(withoutSeparators(text))
  const value = match ? multiplied(match[1]!, MULTIPLES[match[2]!.toLowerCase()]!) : Number.NaN
  if (!Number.isInteger(value) || value < min || value > max)
    throw new InputError(
      'NUMBER_INVALID',
      `--${what} ${text}: expected a whole number from ${min.toLocaleString('en-US')} to ${max.toLocaleString('en-US')}, such as 2048, 2k or 2Ki`,
    )
  return value
}

/** A plain number within a range. */
export function parseNumber(text: string, what: string, {min, max}: Range): number {
  const value = /^-?\d*\.?\d+(?:e-?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected a number from ${min} to ${max}`)
  return value
}

/** A share as 0.5 or 50%, within a range of shares. */
export function parseShare(text: string, what: string, range: Range): number {
  const value = shareOf(text)
  if (value !== undefined && value >= range.min && value <= range.max) return value
  const [min, max] = [range.min, range.max].map((end) => Number((end * 100).toPrecision(12)))
  throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected a share from ${range.min} to ${range.max}, or from ${min}% to ${max}%`)
}

/** Memory: whole bytes, or a number with KiB, MiB, GiB, TiB. A bare GB is not taken: it means two different things. */
export function parseBytes(text: string, what: string, {min, max}: Range): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|[kmgt]ib)?$/i.exec(withoutSeparators(text))
  const value = match ? Math.round(Number(match[1]) * UNITS[(match[2] ?? 'b').toLowerCase()]!) : Number.NaN
  if (!(value >= min && value <= max)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected bytes, or a number with MiB or GiB, such as 4GiB`)
  return value
}

const PARAMETER_UNITS: Record<string, number> = dictionary({'': 1, m: 1e6, b: 1e9, t: 1e12})

/** Parameters as models are named: 600m, 7b, 1.6t, or a plain count. */
export function parseParameters(text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)([mbt]?)$/i.exec(withoutSeparators(text))
  const value = match ? multiplied(match[1]!, PARAMETER_UNITS[match[2]!.toLowerCase()]!) : Number.NaN
  // 32 alone is far more likely a slip for 32b than a model of 32 numbers.
  if (!(value >= 1e6 && value <= 1e15)) throw new InputError('NUMBER_INVALID', `--${what} ${text}: expected a number of parameters such as 600m, 32b or 1.6t`)
  return value
}
