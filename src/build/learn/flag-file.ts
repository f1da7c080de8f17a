import type {FlagRow, FlagTable} from '../../engines/flags.ts'
import {parse} from 'yaml'
import {flow} from './flow.ts'

const ORDER: (keyof FlagRow)[] = [
  'name',
  'aliases',
  'type',
  'choices',
  'default',
  'choicesSince',
  'choicesUntil',
  'spellings',
  'spellingsUntil',
  'since',
  'until',
  'open',
  'deprecated',
  'instead',
  'gone',
  'earlier',
  'source',
]

export const readFlagFile = (text: string): FlagTable => parse(text, {maxAliasCount: 0}) as FlagTable

/**
 * The file with the rows of a table: its head and every row that says the same stay as they are written, so that a diff
 * shows what changed and nothing else. Rows are lines; `fields` and whatever else follows them is kept.
 */
export function flagFileWith(text: string, table: FlagTable): string {
  const lines = text.split('\n')
  const start = lines.indexOf('flags:')
  if (start < 0) throw new Error('no line `flags:` in the file')
  const end = lines.findIndex((line, index) => index > start && line !== '' && !line.startsWith(' ') && !line.startsWith('#'))
  const rowLines = lines.slice(start + 1, end < 0 ? undefined : end)
  const written = new Map(rowLines.filter((line) => line.startsWith('  - ')).map((line) => [(parse(line) as FlagRow[])[0]!.name, line]))
  const rows = table.flags.map((row) => {
    const ordered = Object.fromEntries(ORDER.filter((key) => row[key] !== undefined).map((key) => [key, row[key]]))
    const line = written.get(row.name)
    return line !== undefined && sameContent((parse(line) as FlagRow[])[0], ordered) ? line : `  - ${flow(ordered)}`
  })
  const head = headWith(lines.slice(0, start), table)
  const tail = end < 0 ? [''] : lines.slice(end)
  return [...head, 'flags:', ...rows, ...tail].join('\n')
}

/** The lines before the rows, with the release and the sources that are true now. */
function headWith(lines: readonly string[], table: FlagTable): string[] {
  const at = lines.indexOf('sources:')
  const before = lines.slice(0, at).filter((line) => !line.startsWith('release:') && !line.startsWith('commit:'))
  const engine = before.findIndex((line) => line.startsWith('engine:'))
  before.splice(engine + 1, 0, `release: ${table.release}`)
  const after = lines.slice(at + 1)
  const rest = after.filter((line) => !line.startsWith('  '))
  return [...before, 'sources:', ...Object.entries(table.sources).map(([letter, path]) => `  ${letter}: ${path}`), ...rest]
}

function sameContent(left: unknown, right: unknown): boolean {
  return JSON.stringify(sorted(left)) === JSON.stringify(sorted(right))
}

/** Keys in one order; lists keep theirs, since the order of choices is the engine's. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
