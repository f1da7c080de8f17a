import {isUntagged} from '../core/throughput/engine-version.ts'

/** Order of engine versions, as Python packages are ordered (PEP 440): 1.3.0.dev1 < 1.3.0rc18 < 1.3.0 < 1.3.0.post1. */

interface VersionParts {
  release: number[]
  /** Place before the release: dev 0, alpha 1, beta 2, rc 3; the release itself 4. */
  stage: number
  stageNumber: number
  post: number
  dev: number
}

const VERSION_PATTERN =
  /^v?(\d+(?:\.\d+)*)(?:[-_.]?(a|alpha|b|beta|rc|c)[-_.]?(\d*))?(?:[-_.]?post[-_.]?(\d*))?(?:[-_.]?dev[-_.]?(\d*))?(?:[+-][0-9a-z][0-9a-z._-]*)?$/i

const STAGES: Record<string, number> = {a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3}
const RELEASE_STAGE = 4

/** Versions read already: every rule of an engine compares the same few, hundreds of times for each estimate. */
const READ = new Map<string, VersionParts | undefined>()
/** Foreign texts are not kept without end. */
const MOST_READ = 1000

/** Parts of a version, or undefined where the text is no version (`nightly-dev-20260216`, `0.1.dev3+g1a2b3c`, empty). */
function parse(text: string): VersionParts | undefined {
  const known = READ.get(text)
  if (known !== undefined || READ.has(text)) return known
  const parts = partsOf(text)
  if (READ.size < MOST_READ) READ.set(text, parts)
  return parts
}

function partsOf(text: string): VersionParts | undefined {
  if (isUntagged(text)) return undefined
  const match = VERSION_PATTERN.exec(text.trim())
  if (!match) return undefined
  const [, release = '', stage, stageNumber, post, dev] = match
  const isDevOfRelease = dev !== undefined && stage === undefined && post === undefined
  return {
    release: release.split('.').map(Number),
    stage: isDevOfRelease ? 0 : stage === undefined ? RELEASE_STAGE : (STAGES[stage.toLowerCase()] ?? RELEASE_STAGE),
    stageNumber: Number(stageNumber || 0),
    post: post === undefined ? -1 : Number(post || 0),
    dev: dev === undefined ? Number.POSITIVE_INFINITY : Number(dev || 0),
  }
}

/** Whether the text is a version number at all. */
export const isVersion = (text: string): boolean => parse(text) !== undefined

function compareParts(left: VersionParts, right: VersionParts): number {
  const length = Math.max(left.release.length, right.release.length)
  for (let index = 0; index < length; index++) {
    const difference = (left.release[index] ?? 0) - (right.release[index] ?? 0)
    if (difference !== 0) return difference
  }
  for (const key of ['stage', 'stageNumber', 'post', 'dev'] as const) {
    if (left[key] !== right[key]) return left[key] < right[key] ? -1 : 1
  }
  return 0
}

/**
 * Negative, zero or positive, for sorting. Text that is no version (a nightly build, an empty string) ranks above every
 * version and equal to any other such text: an unnamed build is taken for the newest.
 */
export function compareVersions(left: string, right: string): number {
  const leftParts = parse(left)
  const rightParts = parse(right)
  if (leftParts && rightParts) return compareParts(leftParts, rightParts)
  if (!leftParts && !rightParts) return 0
  return leftParts ? -1 : 1
}

/** Whether `version` is `since` or later; an unnamed build is. */
export const isAtLeast = (version: string, since: string): boolean => compareVersions(version, since) >= 0

export interface ResolvedVersion {
  version: string
  /** One line for people, where the version is not the one that was asked for or is not known to the catalogue. */
  remark?: string
}

/**
 * The version whose rules apply. Absent, empty and unnamed builds resolve to `newest`; a later version than the
 * catalogue knows stays as it is, with a remark.
 */
export function resolveVersion(requested: string | undefined, newest: string): ResolvedVersion {
  if (requested === undefined) return {version: newest}
  if (!isVersion(requested)) {
    const name = requested.trim() === '' ? 'no version' : `"${requested}", which names no release`
    return {version: newest, remark: `given ${name}: treated as ${newest}, the newest known`}
  }
  const version = requested.trim().replace(/^v/i, '')
  if (compareVersions(version, newest) > 0) return {version, remark: `${version} is later than ${newest}, the newest known: its rules are assumed unchanged`}
  return {version}
}
