import type {DiffChange, DiffReport} from '../planner/diff/index.ts'
import {type Look, tablesOf} from './look.ts'
import {count, gib, inOneUnit, rate, tokens} from './numbers.ts'
import {harmless, type Paint, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

const MOST = 60

/** `diff` for people: what is worse first. */
export function renderDiff({changes, worse, tolerance, dataVersion}: DiffReport, look: Look): string {
  const data = dataVersion ? `The data changed: ${harmless(dataVersion.before ?? 'unknown')} before, ${harmless(dataVersion.after ?? 'unknown')} now.\n` : ''
  if (changes.length === 0) return `${data}Nothing changed${data === '' ? '' : ' in the figures'}.\n`
  const style = paint(look.colour)
  const groups = new Map<string, DiffChange[]>()
  for (const change of changes.slice(0, MOST)) groups.set(subjectOf(change), [...(groups.get(subjectOf(change)) ?? []), change])
  const lines: string[] = []
  for (const [subject, rows] of groups) {
    const drawn = table(rows, columnsFor(rows, style), tablesOf(look) - 2)
    lines.push(...(subject === '' ? [] : [style.bold(wrap(subject, look.columns))]), ...drawn.trimEnd().replaceAll(/^/gm, '  ').split('\n'), '')
  }
  const rest = changes.length > MOST ? [`and ${changes.length - MOST} more: --json has them`] : []
  const end =
    worse > 0
      ? style.bad(`${worse} figure${worse === 1 ? ' is' : 's are'} worse${tolerance > 0 ? ` by more than ${(tolerance * 100).toFixed(1)}%` : ''}`)
      : tolerance > 0
        ? `Nothing is worse by more than ${(tolerance * 100).toFixed(1)}%.`
        : 'Nothing is worse.'
  return `${data}${data === '' ? '' : '\n'}${[...lines, ...rest, end].join('\n')}\n`
}

/** What a figure belongs to: the key up to its last colon. */
const subjectOf = ({key}: DiffChange): string => harmless(key.includes(': ') ? key.slice(0, key.lastIndexOf(': ')) : '')

function columnsFor(rows: readonly DiffChange[], style: Paint): Column<DiffChange>[] {
  const time = inOneUnit(rows.filter(({unit}) => unit === 'ms').flatMap(({before, after}) => [before, after].filter((value) => typeof value === 'number')))
  return [
    {title: 'Effect', value: ({effect}) => effect, style: (row) => byEffect(row, style), names: true},
    {title: 'Figure', value: ({key}) => harmless(key.slice(key.lastIndexOf(': ') + (key.includes(': ') ? 2 : 1))), names: true},
    {title: 'Before', value: ({before, unit}) => shown(before, unit, time), right: true},
    {title: 'After', value: ({after, unit}) => shown(after, unit, time), right: true, style: (row) => byEffect(row, style)},
    {title: 'Change', value: ({relative}) => (relative === undefined ? '' : changeWords(relative)), right: true},
  ]
}

const changeWords = (relative: number): string => (Math.abs(relative) < 0.0005 ? 'under 0.1%' : `${relative > 0 ? '+' : ''}${(relative * 100).toFixed(1)}%`)

const byEffect = ({effect}: DiffChange, style: Paint): ((text: string) => string) =>
  effect === 'worse' ? style.bad : effect === 'better' ? style.good : (text) => text

function shown(value: DiffChange['before'], unit: DiffChange['unit'], time: (ms: number) => string): string {
  if (value === undefined) return '-'
  if (typeof value !== 'number') return harmless(String(value))
  switch (unit) {
    case 'ms':
      return time(value)
    case 'bytes':
      return `${gib(value)} GiB`
    case 'tokens':
      return tokens(value)
    case 'tok/s':
      return `${rate(value)} tok/s`
    default:
      // Shares of memory differ in their second digit.
      return Number.isInteger(value) ? count(value) : Math.abs(value) < 10 ? String(Number(value.toPrecision(4))) : rate(value)
  }
}
