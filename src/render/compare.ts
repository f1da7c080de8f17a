import type {ComparisonRow, Computation} from '../planner/compare/index.ts'
import {count, duration, gib, rate, tokens} from './numbers.ts'
import {harmless, type Paint, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

interface CompareView {
  columns: number
  colour: boolean
}

/** Where columns for how a GPU computes and what is known of quality find room beside the others. */
const WIDE = 100

/** `compare` for people: what fits first, refusals last with their reason; a table for each model on each machine. */
export function renderCompare(rows: readonly ComparisonRow[], title: string, view: CompareView): string {
  const style = paint(view.colour)
  const groups = new Map<string, ComparisonRow[]>()
  for (const row of rows) {
    const key = `${row.model} on ${row.gpus} x ${row.gpu}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const lines = [style.bold(wrap(title, view.columns)), '']
  for (const [name, group] of groups) {
    if (groups.size > 1) lines.push(style.bold(name))
    lines.push(...groupLines(group, view, style), '')
  }
  if (view.columns < WIDE && rows.some((row) => isGood(row) && row.quality === 'not measured'))
    lines.push(style.dim(wrap('Quality: what a checkpoint loses against the original is not measured.', view.columns)))
  return `${lines.join('\n').trimEnd()}\n`
}

const isGood = ({result}: ComparisonRow): boolean => result.verdict === 'fits' || result.verdict === 'tight'

/** Over a list of refusals: whether it is room that they lack, or speed. */
function noneWords(rows: readonly ComparisonRow[]): string {
  const slow = rows.filter(({result}) => result.verdict === 'too-slow').length
  return slow === 0 ? 'None of them fits.' : slow === rows.length ? 'All of them fit, and none is quick enough.' : 'None of them fits and is quick enough.'
}

const shortName = (hfId: string): string => hfId.slice(hfId.indexOf('/') + 1)

function groupLines(rows: readonly ComparisonRow[], {columns}: CompareView, style: Paint): string[] {
  const good = rows.filter(isGood)
  if (good.length === 0) return [noneWords(rows), ...refusals(rows, columns)]
  const several = new Set(good.map(({hfId}) => hfId.slice(0, hfId.indexOf('/')))).size > 1 && columns >= WIDE
  // Repositories of one name are told apart by who published them.
  const isTwice = (hfId: string) => good.some((row) => row.hfId !== hfId && shortName(row.hfId) === shortName(hfId))
  const wide = columns >= WIDE
  const shown: Column<ComparisonRow>[] = [
    {title: 'Checkpoint', value: ({hfId}) => harmless(several || isTwice(hfId) ? hfId : shortName(hfId))},
    {title: 'KV', value: ({kvCache}) => kvCache},
    {title: 'GiB', value: ({checkpointBytes}) => gib(checkpointBytes), right: true},
    {title: '', value: ({result}) => (result.verdict === 'fits' ? '' : result.verdict), expendable: 5},
    {title: 'Context', value: ({result}) => tokens(result.deployment.maxModelLen), right: true},
    {title: 'Users', value: ({requestsHeld}) => (requestsHeld === undefined ? '' : count(requestsHeld)), right: true, expendable: 1},
    {title: 'TTFT', value: ({result}) => (result.performance ? duration(result.performance.ttftMs.estimate) : ''), right: true},
    {title: 'TPOT', value: ({result}) => (result.performance ? duration(result.performance.tpotMs.estimate) : ''), right: true, expendable: 2},
    {title: 'tok/s', value: ({result}) => (result.performance ? rate(result.performance.outputTokensPerSecond.estimate) : ''), right: true},
    ...(wide
      ? [
          {title: 'Computes', value: ({computation}: ComparisonRow) => computation},
          {title: 'Quality', value: ({quality}: ComparisonRow) => quality},
        ]
      : []),
  ]
  const lines = [...table(good, shown, columns).trimEnd().split('\n')]
  if (!wide) lines.push('', ...notes(good, columns).map((line) => style.dim(line)))
  return [...lines, ...refusals(rows, columns)]
}

const COMPUTES: Record<Computation, string> = {
  native: 'computed as stored',
  'weight-only': 'stored so and computed at 16 bits',
  emulated: 'emulated',
  unsupported: 'not supported',
}

/** What a narrow terminal has no columns for. */
function notes(rows: readonly ComparisonRow[], columns: number): string[] {
  const byComputation = new Map<Computation, Set<string>>()
  for (const {computation, weights} of rows) byComputation.set(computation, (byComputation.get(computation) ?? new Set()).add(weights))
  const computed = [...byComputation].map(([computation, weights]) => `${[...weights].join(', ')}: ${COMPUTES[computation]}`).join('; ')
  return [`  ${wrap(`On this GPU ${computed}.`, columns - 4, 2)}`]
}

const REFUSED: Partial<Record<ComparisonRow['result']['verdict'], string>> = {
  unsupported: 'is refused',
  'does-not-fit': 'does not fit',
  'too-slow': 'is too slow',
}

/** A line for each checkpoint that is refused: for both cache formats where the reason is the same. */
function refusals(rows: readonly ComparisonRow[], columns: number): string[] {
  const byText = new Map<string, string[]>()
  for (const {hfId, kvCache, result} of rows.filter((row) => !isGood(row))) {
    const text = `${harmless(hfId)}\u0000${REFUSED[result.verdict] ?? ''}: ${harmless(result.reasons[0]?.message ?? '')}`
    byText.set(text, [...(byText.get(text) ?? []), kvCache])
  }
  return [...byText].map(([text, caches], index) => {
    const [name, why] = text.split('\u0000')
    return `${index === 0 ? '\n' : ''}  ${wrap(`${name}${caches.length === 1 && rows.some(({hfId, kvCache}) => hfId === name && kvCache !== caches[0]) ? ` with ${caches[0]} cache` : ''} ${why}`, columns - 4, 4)}`
  })
}
