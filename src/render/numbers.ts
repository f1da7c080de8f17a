import {countInWords as count, durationBeside, durationInWords as duration} from '../core/words.ts'

export {count, duration, durationBeside}

const GIB = 1024 ** 3

/** GiB for the eye: 0.7, 22.1, 1,003. */
export function gib(bytes: number): string {
  const value = bytes / GIB
  return Math.abs(value) >= 999.5 ? count(value) : value.toFixed(1)
}

/** Exactly, 131,072: a suffix would mean multiples of 1,000 to whoever types it back (docs/units.md). */
export const tokens = (value: number): string => count(value)

const UNITS = [
  {unit: 'h', ms: 3_600_000},
  {unit: 'min', ms: 60_000},
  {unit: 's', ms: 1000},
  {unit: 'ms', ms: 1},
] as const

/**
 * Times that stand in one column, all in one unit, to two or three digits: milliseconds where all are under a second or some are far below, minutes only where none is under
 * one, seconds else. What is absent is an empty cell.
 */
export function inOneUnit(times: readonly (number | undefined)[]): (ms: number | undefined) => string {
  const known = times.filter((ms) => ms !== undefined)
  const [least, most] = [Math.min(...known), Math.max(...known)]
  // What lasts milliseconds keeps its digits beside what lasts seconds.
  const inMilliseconds = most < 999.5 || (least < 100 && most < 9995)
  const {unit, ms: size} = inMilliseconds ? UNITS[3] : least >= 2 * UNITS[0].ms ? UNITS[0] : least >= UNITS[1].ms ? UNITS[1] : UNITS[2]
  const figure = unit === 'ms' ? wholeOrTenth : threeDigits
  return (ms) => (ms === undefined ? '' : `${figure(ms / size)} ${unit}`)
}

/** Milliseconds as in sentences: 9.3, 33, 824. */
const wholeOrTenth = (value: number): string => (value < 9.95 ? value.toFixed(1) : count(value))

/** 9.31, 82.9, 1,240; below one as many decimals as two or three digits take. */
function threeDigits(value: number): string {
  if (value >= 99.95) return count(value)
  if (value >= 9.995) return value.toFixed(1)
  if (value >= 0.9995 || value <= 0) return value.toFixed(2)
  return value.toFixed(value >= 0.09995 ? 3 : value >= 0.00095 ? 4 : 6)
}

/** Three significant figures, thousands separated. */
export function rate(value: number): string {
  if (value >= 100) return count(value)
  if (value >= 10) return value.toFixed(0)
  return value >= 0.1 || value <= 0 ? value.toFixed(1) : value.toPrecision(1)
}

/** Parameters, to three digits: 32.8B, 1.6T, 494M. */
export function parameters(value: number): string {
  const [size, unit] = value >= 999.5e9 ? [1e12, 'T'] : value >= 999.5e6 ? [1e9, 'B'] : [1e6, 'M']
  return `${Number((value / size).toPrecision(3))}${unit}`
}
