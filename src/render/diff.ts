import type {DiffChange, DiffReport} from '../planner/diff/index.ts'
import {count, duration, gib, rate, tokens} from './numbers.ts'
import {harmless, type Paint, paint} from './style.ts'
import {type Column, table} from './tables.ts'

const MOST = 60

/** `diff` for people: what is worse first. */
export function renderDiff({changes, worse, tolerance, dataVersion}: DiffReport, {columns, colour}: {columns: number; colour: boolean}): string {
  const data = dataVersion ? `The data changed: ${harmless(dataVersion.before ?? 'unknown')} before, ${harmless(dataVersion.after ?? 'unknown')} now.\n` : ''
  if (changes.length === 0) return `${data}Nothing changed${data === '' ? '' : ' in the figures'}.\n`
  const style = paint(colour)
  const groups = new Map<string, DiffChange[]>()
  for (const change of changes.slice(0, MOST)) groups.set(subjectOf(change), [...(groups.get(subjectOf(change)) ?? []), change])
  const lines: string[] = []
  for (const [subject, rows] of groups) {
    const [head, ...body] = table(rows, COLUMNS, columns - 2)
      .trimEnd()
      .split('\n')
    lines.push(
      ...(subject === '' ? [] : [style.bold(subject.slice(0, columns))]),
      `  ${head}`,
      ...body.map((line, index) => `  ${byEffect(rows[index]!, style)(line)}`),
      '',
    )
  }
  const rest = changes.length > MOST ? [`and ${changes.length - MOST} more: --json has them`] : []
  const end =
    worse > 0
      ? style.bad(`${worse} figure${worse === 1 ? ' is' : 's are'} worse by more than ${(tolerance * 100).toFixed(1)}%`)
      : 'Nothing is worse beyond the tolerance.'
  return `${data}${data === '' ? '' : '\n'}${[...lines, ...rest, end].join('\n')}\n`
}

/** What a figure belongs to: the key up to its last colon. */
const subjectOf = ({key}: DiffChange): string => harmless(key.includes(': ') ? key.slice(0, key.lastIndexOf(': ')) : '')

const COLUMNS: Column<DiffChange>[] = [
  {title: 'Effect', value: ({effect}) => effect},
  {title: 'Figure', value: ({key}) => harmless(key.slice(key.lastIndexOf(': ') + (key.includes(': ') ? 2 : 1)))},
  {title: 'Before', value: ({before, unit}) => shown(before, unit), right: true},
  {title: 'After', value: ({after, unit}) => shown(after, unit), right: true},
  {title: 'Change', value: ({relative}) => (relative === undefined ? '' : `${relative > 0 ? '+' : ''}${(relative * 100).toFixed(1)}%`), right: true},
]

const byEffect = ({effect}: DiffChange, style: Paint): ((text: string) => string) =>
  effect === 'worse' ? style.bad : effect === 'better' ? style.good : (text) => text

function shown(value: DiffChange['before'], unit: DiffChange['unit']): string {
  if (value === undefined) return '-'
  if (typeof value !== 'number') return harmless(String(value))
  switch (unit) {
    case 'ms':
      return duration(value)
    case 'bytes':
      return `${gib(value)} GiB`
    case 'tokens':
      return tokens(value)
    case 'tok/s':
      return `${rate(value)} tok/s`
    default:
      return Number.isInteger(value) ? count(value) : rate(value)
  }
}
