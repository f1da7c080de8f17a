import {own} from '../core/dictionary.ts'
import {nearest} from '../core/nearest.ts'
import type {EngineId} from '../core/deployment.ts'
import {compareVersions, isAtLeast} from './versions.ts'

export type FlagType = 'int' | 'float' | 'bool' | 'enum' | 'json' | 'str' | 'list' | 'object'

/** One option of an engine, a row of `data/engines/<engine>-flags.yaml`. */
export interface FlagRow {
  name: string
  aliases?: string[]
  /** Absent for an option that is gone: nothing is known of its values. */
  type?: FlagType
  choices?: (string | number)[]
  default?: unknown
  /** First release with it; absent: every release that was looked at. */
  since?: string
  /** Last release with it. */
  until?: string
  /** First release of single choices. */
  choicesSince?: Record<string, string>
  /** Last release of single choices. */
  choicesUntil?: Record<string, string>
  /** First release of single spellings. */
  spellings?: Record<string, string>
  /** Last release of single spellings. */
  spellingsUntil?: Record<string, string>
  /** Names outside `choices` are taken too: plug-ins add them. */
  open?: boolean
  deprecated?: boolean
  /** What the engine says to use in its place. */
  instead?: string
  /** What became of an option that is no longer there, in words that follow a colon. */
  gone?: string
  /** What the row said up to a release, the oldest first: each states all that may have changed. */
  earlier?: EarlierRow[]
  source?: string
}

export interface EarlierRow {
  until: string
  type: FlagType
  default?: unknown
  open?: boolean
  deprecated?: boolean
  instead?: string
  /** Only where choices came or went as a whole; none: there were none. */
  choices?: (string | number)[]
}

/** Loaded only where somebody asks about flags (`--set`, `engines`) and in tests. */
export interface FlagTable {
  engine: EngineId
  repository: string
  /** The release whose option list this is; absent where no release's own sources could be had. */
  release?: string
  commit?: string
  /** `--tensor_parallel_size` is read as `--tensor-parallel-size`. */
  underscores?: boolean
  /** `--speculative-config.method mtp` sets one key of a JSON option. */
  dottedKeys?: boolean
  /** Integers may be written 32k or 1M. */
  humanIntegers?: boolean
  sources: Record<string, string>
  flags: FlagRow[]
  /** Fields of the configuration file that the command line does not take, by dotted path. */
  fields?: FlagRow[]
}

export interface FlagProblem {
  code: 'flag-unknown' | 'flag-too-new' | 'flag-gone' | 'value-illegal'
  message: string
  /** Names or values that would be legal, the nearest first. */
  suggestions?: string[]
}

type Lookup = {row: FlagRow; problem?: undefined} | {row?: undefined; problem: FlagProblem}

const spellingsOf = (row: FlagRow): string[] => [row.name, ...(row.aliases ?? [])]

function normalised(table: FlagTable, name: string): string {
  const withoutKey = table.dottedKeys && name.startsWith('--') ? (name.split('.')[0] ?? name) : name
  return table.underscores && withoutKey.startsWith('--') ? withoutKey.replaceAll('_', '-') : withoutKey
}

/** The row of an option in a version, or why there is none. Fields of the configuration file are found by dotted path. */
export function findFlag(table: FlagTable, version: string, asked: string): Lookup {
  const name = normalised(table, asked)
  const rows = asked.startsWith('-') ? table.flags : (table.fields ?? [])
  const named = rows.filter((row) => spellingsOf(row).includes(name))
  const row = named.find((candidate) => isIn(candidate, name, version))
  if (row) return {row}
  const [other] = named
  if (!other) {
    const known = rows
      .filter((candidate) => isIn(candidate, candidate.name, version))
      .map((candidate) => ({name: candidate.name, spellings: candidate.aliases ?? []}))
    const suggestions = nearest(name, known, 3)
    return {problem: {code: 'flag-unknown', message: `${table.engine} ${version} has no option ${asked}`, suggestions}}
  }
  const until = other.until ?? own(other.spellingsUntil, name)
  if (until !== undefined && compareVersions(version, until) > 0) {
    // What took its place, or the spelling that is left.
    const now = successor(rows, other, version) ?? (isIn(other, other.name, version) ? other.name : undefined)
    const why = other.gone === undefined ? '' : `: ${other.gone}`
    return {problem: {code: 'flag-gone', message: `${asked} was last in ${table.engine} ${until}${why}`, ...(now !== undefined && {suggestions: [now]})}}
  }
  const since = own(other.spellings, name) ?? other.since
  const older = spellingsOf(other).filter((spelling) => spelling !== name && isIn(other, spelling, version))
  return {
    problem: {
      code: 'flag-too-new',
      message: `${asked} came with ${table.engine} ${since ?? 'a later release'}, not in ${version}`,
      ...(older.length > 0 && {suggestions: older}),
    },
  }
}

/** What the engine says to use instead, unless that is gone too. */
function successor(rows: readonly FlagRow[], {instead}: FlagRow, version: string): string | undefined {
  const name = instead && /^--[\w-]+/.exec(instead)?.[0]
  const row = rows.find((one) => name !== undefined && spellingsOf(one).includes(name))
  return row && !isIn(row, name!, version) ? undefined : instead
}

function isIn(row: FlagRow, name: string, version: string): boolean {
  const since = own(row.spellings, name) ?? row.since
  const last = own(row.spellingsUntil, name)
  if (last !== undefined && compareVersions(version, last) > 0) return false
  return (since === undefined || isAtLeast(version, since)) && (row.until === undefined || compareVersions(version, row.until) <= 0)
}

/** Options of a version under the names that it has for them, each as it was then. */
export const optionsAt = (table: FlagTable, version: string): Map<string, FlagRow> =>
  new Map(table.flags.flatMap((row) => spellingsOf(row).flatMap((name) => (isIn(row, name, version) ? [[name, rowAt(row, version)] as const] : []))))

/** What is wrong with setting an option to a value in a version; undefined: nothing that the table knows of. `true` is a bare switch. */
export function checkFlag(table: FlagTable, version: string, name: string, value: unknown): FlagProblem | undefined {
  const {row: newest, problem} = findFlag(table, version, name)
  if (problem) return problem
  const row = rowAt(newest, version)
  if (row.type === undefined) return undefined
  const isField = !name.startsWith('-')
  if (isField && value === null) return undefined
  const expected = name.includes('.') && !isField ? undefined : illegality(table, row, version, value, isField)
  if (expected === undefined) return undefined
  const choices = legalChoices(row, version)
  const suggestions = choices && typeof value === 'string' ? nearest(value, choices.map(String), 3) : []
  return {
    code: 'value-illegal',
    message: `${name} of ${table.engine} ${version} takes ${expected}, not ${JSON.stringify(value)}`,
    ...(suggestions.length > 0 && {suggestions}),
  }
}

/** What the row said in a version; the row itself where nothing was different. */
export function rowAt(row: FlagRow, version: string): FlagRow {
  const before = row.earlier?.find(({until}) => compareVersions(version, until) <= 0)
  if (!before) return row
  const {type: _type, default: _default, open: _open, deprecated: _deprecated, instead: _instead, choices, ...kept} = row
  const {until: _until, choices: own = choices, ...said} = before
  return {...kept, ...said, ...(own !== undefined && own.length > 0 && {choices: own})}
}

/** Choices of an option in a version; undefined where it has none. */
export function legalChoices(row: FlagRow, version: string): (string | number)[] | undefined {
  return row.choices?.filter((choice) => {
    const since = own(row.choicesSince, String(choice))
    const until = own(row.choicesUntil, String(choice))
    return (since === undefined || isAtLeast(version, since)) && (until === undefined || compareVersions(version, until) <= 0)
  })
}

/** What the option takes instead, in words; undefined when the value is legal. */
function illegality(table: FlagTable, row: FlagRow, version: string, value: unknown, isField: boolean): string | undefined {
  const choices = legalChoices(row, version)
  if (choices && !row.open && !choices.some((choice) => String(choice) === String(value))) return `one of ${choices.join(', ')}`
  switch (row.type) {
    case 'bool':
      return value === true || (isField && value === false) ? undefined : isField ? 'true or false' : 'no value'
    case 'int':
      return isInteger(value, table.humanIntegers ?? false) ? undefined : 'a whole number'
    case 'float':
      return value !== true && value !== '' && Number.isFinite(Number(value)) ? undefined : 'a number'
    case 'json':
      return (isField && typeof value === 'object') || isJson(value) ? undefined : 'JSON'
    default:
      return value === true && !isField ? 'a value' : undefined
  }
}

function isInteger(value: unknown, human: boolean): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (typeof value !== 'string') return false
  return /^[+-]?\d+$/.test(value) || (human && /^(?:\d+(?:\.\d+)?[kKmMgGtT]|auto)$/.test(value))
}

function isJson(value: unknown): boolean {
  if (typeof value !== 'string') return false
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}
