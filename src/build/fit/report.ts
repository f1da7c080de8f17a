import type {Interval} from '../../core/terms.ts'
import type {Calibration, Residual} from '../../core/throughput/calibration.ts'
import {fitCalibration, logErrors, type Measurement} from './fit.ts'

export const quantile = (values: readonly number[], q: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)] ?? NaN
  return low + ((sorted[Math.ceil(at)] ?? low) - low) * (at - Math.floor(at))
}

export interface Errors extends Residual {
  /** Mean of absolute relative errors. */
  mean: number
  /** Median of logarithms of predicted over observed. */
  bias: number
}

export interface Score {
  n: number
  ttft?: Errors
  tpot?: Errors
  throughput?: Errors
}

function errorsOf(logs: readonly number[]): Errors | undefined {
  const there = logs.filter((value) => !Number.isNaN(value))
  if (there.length === 0) return undefined
  const relative = there.map((value) => Math.abs(Math.exp(value) - 1))
  return {
    n: there.length,
    mean: relative.reduce((a, b) => a + b, 0) / there.length,
    median: quantile(relative, 0.5),
    p90: quantile(relative, 0.9),
    bias: quantile(there, 0.5),
  }
}

export function scoreOf(errors: readonly [number, number, number][]): Score {
  return {n: errors.length, ttft: errorsOf(errors.map((e) => e[0])), tpot: errorsOf(errors.map((e) => e[1])), throughput: errorsOf(errors.map((e) => e[2]))}
}

/** Whether what was measured lies inside an interval, by the logarithm of estimate over measurement. */
export const isInside = (error: number, {estimate, low, high}: Interval): boolean => -Math.log(high / estimate) <= error && error <= Math.log(estimate / low)

/** A share to a tenth of a percent; a dash for nothing. */
export const percent = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '-' : `${(100 * value).toFixed(1)}%`)
const padded = (value: number | undefined): string => percent(value).padStart(7)

export const COLUMNS = `${'what'.padEnd(36)}    n | rate: mean  median     p90 | per token: mean median p90 | first token: median p90`

export function row(name: string, score: Score): string {
  const {throughput, tpot, ttft} = score
  return `${name.padEnd(36)} ${String(score.n).padStart(4)} | ${padded(throughput?.mean)} ${padded(throughput?.median)} ${padded(throughput?.p90)} | ${padded(tpot?.mean)} ${padded(tpot?.median)} ${padded(tpot?.p90)} | ${padded(ttft?.median)} ${padded(ttft?.p90)}`
}

/** A number between 0 and 1 that a name always gives (FNV-1a), for splitting measurements the same way every time. */
export function shareOf(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995)
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32
}

export interface Holdout {
  name: string
  errors: [number, number, number][]
  tested: Measurement[]
  fitted: Calibration
}

/** Fits without some of the measurements and predicts those. */
export function heldOut(
  measurements: readonly Measurement[],
  start: Calibration,
  name: string,
  leftOut: (m: Measurement) => boolean,
  refit = fitCalibration,
): Holdout {
  const tested = measurements.filter(leftOut)
  const fitted = refit(
    measurements.filter((m) => !leftOut(m)),
    start,
  )
  return {name, tested, fitted, errors: tested.map((m) => logErrors(m, fitted))}
}

/** Every value of a field left out in turn. */
export function leaveOneOut(measurements: readonly Measurement[], start: Calibration, by: 'model' | 'gpu' | 'source', refit = fitCalibration): Holdout[] {
  return [...new Set(measurements.map((m) => m[by]))].sort().map((value) => heldOut(measurements, start, `without ${value}`, (m) => m[by] === value, refit))
}
