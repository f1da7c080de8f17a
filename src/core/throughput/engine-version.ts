import {BoundedMap} from '../bounded-map.ts'
import type {EngineCalibration} from './calibration.ts'

/** What packaging tools call a source tree without tags (setuptools-scm: 0.1.dev12+g1a2b3c): it says nothing of its age. */
export const isUntagged = (version: string): boolean => /^v?0\.(?:1|0\.0)(?:\.?dev[0-9]*)?(?:\+.*)?$/i.test(version.trim())

/**
 * Numbers of a release: "0.5.1.post1" gives 0, 5, 1 and "1.0.0rc3" gives 1, 0, 0, -1, 3, which is older than 1.0.0.
 * Undefined for anything that does not start with a number.
 */
const numbersOf = (version: string): number[] | undefined => READ.once(version, () => readNumbers(version))

/** Releases of a calibration are compared with the same version for every estimate. Foreign texts are not kept without end. */
const READ = new BoundedMap<string, number[] | undefined>(1000)

function readNumbers(version: string): number[] | undefined {
  const match = /^v?(\d+(?:\.\d+)*)(?:\.?(?:rc|a|b|dev)(\d+))?/.exec(version)
  if (!match || isUntagged(version)) return undefined
  const numbers = match[1]!.split('.').map(Number)
  if (match[2] === undefined) return numbers
  while (numbers.length < 3) numbers.push(0)
  return [...numbers, -1, Number(match[2])]
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * When a version came out, as a fractional year. Between two known lines it is that of the older one; before the first
 * and after the last it is theirs, so that a trend is never carried beyond what was seen.
 */
export function releaseYear(version: string, engine: EngineCalibration): number {
  const numbers = numbersOf(version)
  if (!numbers) return engine.unknownVersions.find((known) => version.startsWith(known.prefix))?.year ?? engine.unknownVersionYear
  let year = engine.releases[0]?.year ?? engine.referenceYear
  for (const release of engine.releases) if (compare(numbers, numbersOf(release.version) ?? []) >= 0) year = release.year
  return year
}

/** Whether a version is a release later than another; no, where either is no release. */
export function isLater(version: string, than: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(than)]
  return a !== undefined && b !== undefined && compare(a, b) > 0
}
