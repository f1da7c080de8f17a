import {InputError} from '../../core/input-error.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Hours of a mean month: 365.25 x 24 / 12. */
export const HOURS_PER_MONTH = 730.5
const MONTHS_PER_YEAR = 12

const PERIODS: Record<string, number> = dictionary({
  h: HOURS_PER_MONTH,
  hour: HOURS_PER_MONTH,
  month: 1,
  mo: 1,
  year: 1 / MONTHS_PER_YEAR,
  y: 1 / MONTHS_PER_YEAR,
  yr: 1 / MONTHS_PER_YEAR,
})

/** `98.32/h`, `12000/month`, `150000/year` as an amount a month, in whatever currency it is. @throws InputError PRICE_INVALID. */
export function parsePrice(text: string, what: string): number {
  const match = /^([\d_,]*\.?\d+)\s*\/\s*([a-z]+)$/i.exec(text.trim())
  const amount = match ? Number(match[1]!.replaceAll(/[_,](?=\d{3})/g, '')) : Number.NaN
  const factor = match ? PERIODS[match[2]!.toLowerCase()] : undefined
  if (!Number.isFinite(amount) || factor === undefined)
    throw new InputError('PRICE_INVALID', `${what} ${text}: expected an amount with its time, such as 98.32/h, 12000/month or 150000/year`)
  return amount * factor
}

/** `5%/month`, `80%/year`, or a plain share a month, as the factor of one month. @throws InputError GROWTH_INVALID. */
export function parseGrowth(text: string, what: string): number {
  const match = /^(-?\d*\.?\d+)\s*(%?)\s*(?:\/\s*(month|mo|year|yr|y))?$/i.exec(text.trim())
  const share = match ? Number(match[1]) / (match[2] === '%' ? 100 : 1) : Number.NaN
  const yearly = match?.[3] !== undefined && /^y/i.test(match[3])
  if (!(share > -1 && share <= 100)) throw new InputError('GROWTH_INVALID', `${what} ${text}: expected growth with its time, such as 5%/month or 80%/year`)
  return yearly ? (1 + share) ** (1 / MONTHS_PER_YEAR) : 1 + share
}
