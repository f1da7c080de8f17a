import {parse} from 'yaml'
import {compareVersions, isVersion} from '../../engines/versions.ts'
import type {Release} from './package-index.ts'

const ROW = /^ {2}- \{version: ([^,}]+?)(?:, released: ([\d-]+))?\}(.*)$/

interface EngineText {
  versions: {version: string; released?: string}[]
  newestVersion: string
}

export const readEngineFile = (text: string): EngineText => parse(text) as EngineText

/**
 * The engine's file with the index's releases up to `newest`: rows that it lacks, and days that no row states yet. What a
 * row states stays, as it has a source of its own. Pre-releases are listed only where the engine has hardly anything else.
 */
export function withReleases(text: string, releases: readonly Release[], newest: string): string {
  const lines = text.split('\n')
  const {versions, newestVersion} = readEngineFile(text)
  const oldest = versions[0]!.version
  const listsCandidates = versions.some(({version}) => isCandidate(version))
  const uploaded = new Map(releases.map((release) => [release.version, release.uploaded]))
  const start = lines.indexOf('versions:')
  const end = lines.findIndex((line, index) => index > start && !ROW.test(line))
  const rows = lines.slice(start + 1, end).map((line) => {
    const [, version = '', released, comment] = ROW.exec(line)!
    const day = released ?? uploaded.get(version)
    return {version, line: released === undefined && day !== undefined && day !== '' ? `  - {version: ${version}, released: ${day}}${comment}` : line}
  })
  const known = new Set(rows.map(({version}) => version))
  const wanted = releases.filter(
    ({version}) =>
      isVersion(version) &&
      !known.has(version) &&
      compareVersions(version, oldest) > 0 &&
      compareVersions(version, newest) <= 0 &&
      (listsCandidates || !isCandidate(version)),
  )
  const added = wanted.map(({version, uploaded: day}) => ({version, line: `  - {version: ${version}${day === undefined ? '' : `, released: ${day}`}}`}))
  const all = [...rows, ...added].sort((left, right) => compareVersions(left.version, right.version))
  const last = all.at(-1)?.version ?? newestVersion
  const head = lines.slice(0, start).map((line) => (line.startsWith('newestVersion:') ? `newestVersion: ${last}` : line))
  return [...head, 'versions:', ...all.map(({line}) => line), ...lines.slice(end)].join('\n')
}

const isCandidate = (version: string): boolean => /\d(?:a|b|rc|\.dev)\d/.test(version)
