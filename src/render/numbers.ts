import {countInWords as count, durationBeside, durationInWords as duration} from '../core/words.ts'

export {count, duration, durationBeside}

const GIB = 1024 ** 3

/** GiB for the eye: 0.7, 22.1, 1,003. */
export function gib(bytes: number): string {
  const value = bytes / GIB
  return Math.abs(value) >= 999.5 ? count(value) : value.toFixed(1)
}

/** 131,072 or 128k, where the whole number would not help. */
export function tokens(value: number): string {
  if (value >= 1024 * 1024 && value % (1024 * 1024) === 0) return `${value / 1024 / 1024}M`
  return value >= 10_000 && value % 1024 === 0 ? `${value / 1024}k` : count(value)
}

/** Three significant figures, thousands separated. */
export function rate(value: number): string {
  if (value >= 100) return count(value)
  if (value >= 10) return value.toFixed(0)
  return value >= 0.1 || value <= 0 ? value.toFixed(1) : value.toPrecision(1)
}

/** Parameters: 32.8B, 1.6T, 494M. */
export function parameters(value: number): string {
  if (value >= 999.5e9) return `${(value / 1e12).toFixed(2).replace(/\.?0+$/, '')}T`
  if (value >= 999.5e6) return `${(value / 1e9).toFixed(value < 9.95e9 ? 1 : 0)}B`
  return `${Math.round(value / 1e6)}M`
}
