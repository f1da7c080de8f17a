import {isUntagged} from '../core/throughput/engine-version.ts'
import {countInWords} from '../core/words.ts'
import {dictionary} from '../core/dictionary.ts'

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

const STAGES: Record<string, number> = dictionary({a: 1, alpha: 1, b: 2, beta: 2, c: 3, rc: 3})
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
  return placed(unplaced(match))
}

function unplaced(match: RegExpExecArray): VersionParts {
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

/** Builds of main are put where main was, not where their tag is. */
function placed(parts: VersionParts): VersionParts {
  const main = mainBuild(parts)
  return main ? {...parts, release: main.release, stage: RELEASE_STAGE, stageNumber: 0, dev: Number.POSITIVE_INFINITY} : parts
}

/** First line of releases that vLLM cuts into a branch and whose tag it then leaves on main; before, candidates were tagged on main itself (0.11.1rc8.dev14). */
const BRANCHED_SINCE = 12
/**
 * Half of what main takes in between two cuts: 0.23.1rc1.dev1229 and 0.26.1rc1.dev1133 are the furthest that were seen, so it is about a thousand
 * commits in two weeks. What of them a rule came with is not known of a build; the nearer release is the better guess.
 */
const HALFWAY_COMMITS = 500

interface MainBuild {
  /** The release whose rules it is judged by. */
  release: number[]
  /** The release that was cut before it. */
  cut: string
  commits: number
}

/**
 * A build of vLLM's main: the version is made of the last tag and the commits since (setuptools-scm, `git describe`; vllm-project/vllm issue 25476), and that
 * tag says which release was cut last, not which comes next: 0.23.1rc1.dev300 is main 300 commits after 0.23.0 was cut, whatever 0.23.1 became on its
 * branch (eugr/spark-vllm-docker issue 287). From 0.32.0 on main is also called by the release to come: 0.32.0rc1.dev190 follows the cut of 0.31.0.
 * It is judged by the nearer of the two.
 */
function mainBuild({release, stage, dev, post}: VersionParts): MainBuild | undefined {
  const [major, minor = 0, patch = 0] = release
  if (major !== 0 || minor < BRANCHED_SINCE || release.length !== 3 || patch > 1 || stage !== STAGES.rc || post !== -1 || !Number.isFinite(dev))
    return undefined
  const cut = patch === 1 ? minor : minor - 1
  return {release: [0, dev < HALFWAY_COMMITS ? cut : cut + 1, 0], cut: `0.${cut}.0`, commits: dev}
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

function mainRemark(version: string): string | undefined {
  if (!/dev/i.test(version)) return undefined
  const match = VERSION_PATTERN.exec(version)
  const main = match && mainBuild(unplaced(match))
  if (!main) return undefined
  return `${version} is a build of main, ${countInWords(main.commits)} commits after ${main.cut} was cut; the rules of ${main.release.join('.')} are assumed`
}

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
  const remark = mainRemark(version)
  if (remark) return {version, remark}
  if (compareVersions(version, newest) > 0) return {version, remark: `${version} is later than ${newest}, the newest known: its rules are assumed unchanged`}
  return {version}
}

/** Releases that may have come since the newest that is known: about half a year of vLLM's, and more of SGLang's. */
const RELEASES_AHEAD = 12

/** An engine counts its releases in the third number where its latest ones, as many as this, all have the same first two. */
const LATEST = 12

/** Names of builds are long; what is longer than any scenario may hold is none. */
const MOST_OF_A_NAME = 128

/**
 * Whether a release can have come since the newest of `known` (which is in order): of the same major one, and not far ahead. vLLM counts its releases in
 * the second number. SGLang counts them in the third (0.5.2 to 0.5.23), so for it the next minor release may have come and none after it: 0.11.0 is
 * vLLM's. What is not later is not judged, and neither is a text that is no version.
 */
export function canBeRelease(version: string, known: readonly string[]): boolean {
  if (version.length > MOST_OF_A_NAME) return false
  const [asked, newest] = [parse(version.trim()), parse(known.at(-1) ?? '')]
  if (!asked || !newest || compareParts(asked, newest) <= 0) return true
  if (asked.release[0] !== newest.release[0]) return false
  const minorsAhead = (asked.release[1] ?? 0) - (newest.release[1] ?? 0)
  if (!countsPatches(known)) return minorsAhead <= RELEASES_AHEAD
  return minorsAhead === 0 ? (asked.release[2] ?? 0) - (newest.release[2] ?? 0) <= RELEASES_AHEAD : minorsAhead === 1
}

/** Whether the latest releases, candidates and post releases aside, differ in the third number alone. */
function countsPatches(known: readonly string[]): boolean {
  const latest = known
    .map((version) => parse(version))
    .filter((parts) => parts?.stage === RELEASE_STAGE && parts.post === -1)
    .slice(-LATEST)
  return latest.length === LATEST && latest.every((parts) => parts!.release[1] === latest[0]!.release[1] && parts!.release[0] === latest[0]!.release[0])
}

/** A plain release (no build of a branch, no local version) within those that are known, which is none of them. */
export function isUnlisted(version: string, known: readonly string[]): boolean {
  if (!/^v?\d+(?:\.\d+)+(?:\.post\d+)?$/i.test(version.trim())) return false
  const [oldest, newest] = [known[0], known.at(-1)]
  if (oldest === undefined || newest === undefined || compareVersions(version, oldest) < 0 || compareVersions(version, newest) > 0) return false
  return !known.some((release) => compareVersions(release, version) === 0)
}

/** The minor release that a version belongs to: 0.11 of 0.11.2, 1.3 of 1.3.0rc24; a text that is no version is its own. */
export const minorOf = (version: string): string => /^v?(\d+\.\d+)/.exec(version)?.[1] ?? version
