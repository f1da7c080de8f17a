import type {EarlierRow, FlagRow, FlagTable} from '../../engines/flags.ts'
import {legalChoices, rowAt} from '../../engines/flags.ts'
import {compareVersions} from '../../engines/versions.ts'
import type {Option} from './facts.ts'

const isIn = (row: FlagRow, version: string): boolean =>
  (row.since === undefined || compareVersions(row.since, version) <= 0) && (row.until === undefined || compareVersions(version, row.until) <= 0)

const isSpelled = (row: FlagRow, alias: string, version: string): boolean =>
  compareVersions(row.spellings?.[alias] ?? '0', version) <= 0 &&
  (row.spellingsUntil?.[alias] === undefined || compareVersions(version, row.spellingsUntil[alias]) <= 0)

/** The options that the table promises for a release, in the shape in which a release's sources are read. */
export function optionsAt(table: FlagTable, version: string): Option[] {
  return table.flags
    .filter((row) => isIn(row, version))
    .map((newest): Option => {
      // Of options that were gone before anybody read them only the name is known.
      if (newest.type === undefined) return {name: newest.name, type: 'str', unread: ['type', 'choices', 'default']}
      const row = rowAt(newest, version)
      const aliases = row.aliases?.filter((alias) => isSpelled(row, alias, version))
      const choices = legalChoices(row, version)
      return {
        name: row.name,
        type: row.type as Option['type'],
        ...(aliases !== undefined && aliases.length > 0 && {aliases}),
        ...(choices !== undefined && choices.length > 0 && {choices}),
        ...('default' in row && {default: row.default}),
        ...(row.open && {open: true}),
        ...(row.deprecated && {deprecated: true}),
        ...(row.instead !== undefined && {instead: row.instead}),
      }
    })
}

/** A path of a release's package as it stands in the project's repository. */
export const repositoryPath = (engine: string, path: string): string => (engine === 'sglang' && path.startsWith('sglang/') ? `python/${path}` : path)

/**
 * The table after a release whose options were read: new rows and choices say since when, what is gone says until when,
 * and what changed says what it was. Reading the table's own release again corrects it and dates nothing.
 */
export function withRelease(table: FlagTable, version: string, options: readonly Option[]): FlagTable {
  const before = table.release ?? version
  const isNew = compareVersions(version, before) > 0
  const sources = sourcesOf(table, options)
  const letterOf = new Map(Object.entries(sources).map(([letter, path]) => [path, letter]))
  const known = new Map(table.flags.map((row) => [row.name, row]))
  const read = new Map(options.map((option) => [option.name, option]))
  const rows: FlagRow[] = []
  for (const row of table.flags) {
    const option = read.get(row.name)
    if (option) rows.push(merged(row, option, letterOf, isNew ? {version, before} : undefined))
    else if (row.type !== undefined && row.until === undefined && (isNew || compareVersions(row.since ?? '0', version) <= 0)) {
      const {source: _source, ...kept} = row
      // In the table's own release it was never there: the row was wrong.
      if (isNew) rows.push({...kept, until: before})
    } else rows.push(row)
  }
  let behind: string | undefined
  for (const option of options) {
    if (!known.has(option.name)) {
      const {name, type, source, unread: _unread, ...rest} = option
      const added: FlagRow = {name, type, ...rest, since: version, ...sourceOf(source, table.engine, letterOf)}
      const at = behind === undefined ? 0 : rows.findIndex((row) => row.name === behind) + 1
      rows.splice(at, 0, added)
    }
    behind = option.name
  }
  const gone = rows.filter(({until}) => until !== undefined).sort((left, right) => (left.name < right.name ? -1 : 1))
  return {...table, release: isNew ? version : before, sources, flags: [...rows.filter(({until}) => until === undefined), ...gone]}
}

const sourceOf = (source: string | undefined, engine: string, letterOf: ReadonlyMap<string, string>): {source?: string} => {
  const letter = source === undefined ? undefined : letterOf.get(repositoryPath(engine, source))
  return letter === undefined ? {} : {source: letter}
}

/** Letters of the files that options stand in: those that are known keep theirs. */
function sourcesOf(table: FlagTable, options: readonly Option[]): Record<string, string> {
  const paths = new Set(options.flatMap(({source}) => (source === undefined ? [] : [repositoryPath(table.engine, source)])))
  const kept = Object.entries(table.sources).filter(([, path]) => paths.has(path))
  const taken = new Set(kept.map(([letter]) => letter))
  const free = [...'abcdefghijklmnopqrstuvwxyz'].flatMap((letter) => [letter]).concat([...'abcdefghijklmnopqrstuvwxyz'].map((letter) => `${letter}${letter}`))
  for (const path of paths) {
    if (kept.some(([, known]) => known === path)) continue
    const letter = free.find((each) => !taken.has(each)) ?? path
    taken.add(letter)
    kept.push([letter, path])
  }
  return Object.fromEntries(kept.sort(([left], [right]) => left.length - right.length || (left < right ? -1 : 1)))
}

interface Step {
  version: string
  before: string
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left ?? null) === JSON.stringify(right ?? null)

/** The option as read, with what the data says already where something of it could not be read. */
function completed(row: FlagRow, {unread = [], ...option}: Option): Option {
  const made: Option = {...option}
  if (unread.includes('type') && row.type !== undefined) made.type = row.type as Option['type']
  if (unread.includes('default') && 'default' in row) made.default = row.default
  if (unread.includes('choices') && row.choices) {
    made.choices = row.choices.filter((choice) => row.choicesUntil?.[String(choice)] === undefined)
    made.type = (row.type ?? made.type) as Option['type']
    if (row.open) made.open = true
  }
  return made
}

function merged(row: FlagRow, read: Option, letterOf: ReadonlyMap<string, string>, step: Step | undefined): FlagRow {
  const option = completed(row, read)
  const {until: _until, ...kept} = row
  const made: FlagRow = {...kept, type: option.type}
  for (const key of ['default', 'open', 'deprecated', 'instead'] as const) {
    if (option[key] === undefined) delete made[key]
    else (made as unknown as Record<string, unknown>)[key] = option[key]
  }
  setOrDelete(made, 'source', sourceOf(option.source, '', letterOf).source ?? sourceOf(option.source, 'sglang', letterOf).source)
  withSpellings(made, row, option, step)
  withChoices(made, row, option, step)
  if (step && row.type !== undefined && row.until === undefined) {
    const earlier = earlierOf(row, option, step.before)
    if (earlier) made.earlier = [...(row.earlier ?? []), earlier]
  }
  // A reading that is corrected may say what it said before: then nothing had changed.
  if (!step) setOrDelete(made, 'earlier', withoutLast(made))
  return made
}

function withoutLast({earlier, ...row}: FlagRow): EarlierRow[] | undefined {
  const last = earlier?.at(-1)
  if (!earlier || !last) return undefined
  const isSame = (['type', 'default', 'open', 'deprecated', 'instead'] as const).every((key) => same(row[key], last[key]))
  const choices = last.choices === undefined || same([...last.choices].sort(), [...(row.choices ?? [])].sort())
  if (!isSame || !choices) return earlier
  return earlier.length > 1 ? earlier.slice(0, -1) : undefined
}

function setOrDelete<K extends keyof FlagRow>(row: FlagRow, key: K, value: FlagRow[K] | undefined): void {
  if (value === undefined) delete row[key]
  else row[key] = value
}

/** What the row said until now, where type, default, openness or standing changed, or choices came or went as a whole. */
function earlierOf(row: FlagRow, option: Option, until: string): EarlierRow | undefined {
  const had = (row.choices ?? []).length > 0
  const has = (option.choices ?? []).length > 0
  const changed = (['type', 'default', 'open', 'deprecated', 'instead'] as const).some((key) => !same(row[key], option[key])) || had !== has
  if (!changed) return undefined
  return {
    until,
    type: row.type!,
    ...('default' in row && {default: row.default}),
    ...(row.open && {open: true}),
    ...(row.deprecated && {deprecated: true}),
    ...(row.instead !== undefined && {instead: row.instead}),
    ...(had !== has && {choices: legalChoices(row, until) ?? []}),
  }
}

function withSpellings(made: FlagRow, row: FlagRow, option: Option, step: Step | undefined): void {
  const own = option.aliases ?? []
  const old = row.aliases ?? []
  const lost = old.filter((alias) => !own.includes(alias) && (step !== undefined || row.spellingsUntil?.[alias] !== undefined))
  const since = kept(row.spellings, [...own, ...lost])
  const until = kept(row.spellingsUntil, lost)
  if (step && row.until === undefined) {
    for (const alias of own) if (!old.includes(alias)) since[alias] = step.version
    for (const alias of lost) until[alias] ??= step.before
  }
  setOrDelete(made, 'aliases', own.length + lost.length > 0 ? [...own, ...lost] : undefined)
  setOrDelete(made, 'spellings', filled(since))
  setOrDelete(made, 'spellingsUntil', filled(until))
}

/** Choices of the release in its own order, then those that are gone. */
function withChoices(made: FlagRow, row: FlagRow, option: Option, step: Step | undefined): void {
  const own = option.choices ?? []
  const old = row.choices ?? []
  const texts = new Set(own.map(String))
  const isLost = (choice: string | number) => !texts.has(String(choice)) && (step !== undefined || row.choicesUntil?.[String(choice)] !== undefined)
  const lost = own.length > 0 ? old.filter(isLost) : []
  const all = [...own, ...lost]
  const names = new Set(all.map(String))
  const since = kept(row.choicesSince, names)
  const until = kept(row.choicesUntil, new Set(lost.map(String)))
  if (step && old.length > 0) {
    const before = new Set(old.map(String))
    for (const choice of texts) if (!before.has(choice)) since[choice] = step.version
    for (const choice of lost) until[String(choice)] ??= step.before
  }
  setOrDelete(made, 'choices', all.length > 0 ? all : undefined)
  setOrDelete(made, 'choicesSince', filled(since))
  setOrDelete(made, 'choicesUntil', filled(until))
}

function kept(dates: Record<string, string> | undefined, names: Iterable<string>): Record<string, string> {
  const wanted = new Set(names)
  return Object.fromEntries(Object.entries(dates ?? {}).filter(([name]) => wanted.has(name)))
}

const filled = (dates: Record<string, string>): Record<string, string> | undefined => (Object.keys(dates).length > 0 ? dates : undefined)
