const GIB = 1024 ** 3
const MIB = 1024 ** 2

/** Bytes for a sentence: 17.9 GiB, 1,003 GiB, 312 MiB. */
export function bytesInWords(bytes: number): string {
  const magnitude = Math.abs(bytes)
  if (magnitude < GIB) return `${Math.max(magnitude > 0 ? 1 : 0, Math.round(bytes / MIB))} MiB`
  const gib = bytes / GIB
  return `${Math.abs(gib) >= 1000 ? countInWords(gib) : gib.toFixed(1)} GiB`
}

/** 170,400. Not by the locale's formatter, which takes longer to make than the answer to find. */
export const countInWords = (count: number): string => String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',')

/** 1 user, 40 users: the load of a closed loop has this name everywhere (docs/units.md). */
export const usersInWords = (users: number): string => `${countInWords(users)} user${users === 1 ? '' : 's'}`

/** Milliseconds as people say them: 9.3 ms, 420 ms, 1.40 s, 2 s, 1.7 min, 18 h. Seconds under a minute, minutes above, hours from two on. */
export function durationInWords(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${ms % 1000 === 0 ? ms / 1000 : (ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`
  if (ms < 7_170_000) return `${ms % 60_000 === 0 || ms >= 597_000 ? countInWords(ms / 60_000) : (ms / 60_000).toFixed(1)} min`
  return `${ms < 35_820_000 ? (ms / 3_600_000).toFixed(1) : countInWords(ms / 3_600_000)} h`
}

/** Three significant figures for a sentence: 0.928, 12.4, 1500. */
export const figureInWords = (value: number): string => String(Number(value.toPrecision(3)))

/**
 * A duration beside another that it is held against: in more digits where both would read the same and are not, so that nobody reads of 20 ms that
 * break a limit of 20 ms.
 */
export function durationBeside(ms: number, other: number): string {
  const words = durationInWords(ms)
  if (ms === other || !readsAs(words, durationInWords(other))) return words
  for (let digits = 3; digits < 12; digits++) if (Number(ms.toPrecision(digits)) !== Number(other.toPrecision(digits))) return inUnit(ms, digits)
  return words
}

/** 2.00 s reads as 2 s. */
export const readsAs = (words: string, others: string): boolean =>
  Number.parseFloat(words) === Number.parseFloat(others) && words.split(' ')[1] === others.split(' ')[1]

const inUnit = (ms: number, digits: number): string => (ms < 1000 ? `${Number(ms.toPrecision(digits))} ms` : `${Number((ms / 1000).toPrecision(digits))} s`)

/** A share as people write it: 0.5 or 50%. Undefined where it is neither. */
export function shareOf(text: string): number | undefined {
  const [, number, percent] = /^(-?\d*\.?\d+(?:e-?\d+)?)\s*(%?)$/i.exec(text.trim()) ?? []
  // Divided in decimal digits: 14% is 0.14.
  return number === undefined ? undefined : percent === '%' ? Number((Number(number) / 100).toPrecision(15)) : Number(number)
}

/** The same in per cent, where people write it so: 95, 95% and 0.95 are one. */
export function percentOf(text: string): number | undefined {
  const share = shareOf(text)
  if (share === undefined) return undefined
  return text.trim().endsWith('%') || share < 1 ? Number((share * 100).toPrecision(12)) : share
}

/** What a schema's checker says of a value that is not there, as a person would. */
export const schemaWords = (message: string): string =>
  message.replace(/^Invalid input: expected (\w+), received undefined$/, (_, kind: string) => `missing: expected ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`)
