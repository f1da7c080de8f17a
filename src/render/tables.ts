import type {Accelerator} from '../core/accelerator.ts'
import type {ModelSummary} from '../planner/models/index.ts'
import {count, gib, parameters} from './numbers.ts'
import {harmless, widthOf, wrap} from './style.ts'

/** Another spelling of a column, which is taken where the full one has no room. */
interface Shorter<T> {
  title?: string
  value(row: T): string
  /** As `expendable`: when it is tried. */
  expendable: number
}

export interface Column<T> {
  title: string
  value(row: T): string
  right?: boolean
  /** Dropped first, highest first, when the terminal is too narrow. */
  expendable?: number
  /** Part of what a row is called; none: the first column is. */
  names?: boolean
  /** Taken only where no two rows become the same by it. */
  shorter?: readonly Shorter<T>[]
  /** The style of a row's cell. */
  style?(row: T): ((text: string) => string) | undefined
}

const widthsOf = <T>(rows: readonly T[], columns: readonly Column<T>[]): number[] =>
  columns.map((column) => Math.max(widthOf(column.title), ...rows.map((row) => widthOf(column.value(row)))))

const tableWidth = <T>(rows: readonly T[], columns: readonly Column<T>[]): number =>
  widthsOf(rows, columns).reduce((sum, value) => sum + value, 0) + 2 * (columns.length - 1)

const distinct = <T>(rows: readonly T[], value: (row: T) => string): number => new Set(rows.map(value)).size

/** A column in the longest spelling that is still tried from `level` on; undefined where it is dropped by then. */
function atLevel<T>(rows: readonly T[], column: Column<T>, level: number): Column<T> | undefined {
  if ((column.expendable ?? 0) >= level) return undefined
  const tried = (column.shorter ?? []).filter(({expendable, value}) => expendable >= level && distinct(rows, value) === distinct(rows, column.value))
  const last = tried.reduce<Shorter<T> | undefined>((least, one) => (least === undefined || one.expendable < least.expendable ? one : least), undefined)
  return last ? {...column, value: last.value, title: last.title ?? column.title} : column
}

interface Kept<T> {
  shown: Column<T>[]
  dropped: string[]
  fits: boolean
}

/** The columns that a width has room for: what is expendable gives way, the highest number first, and comes back where there is room in the end. */
function keptColumns<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): Kept<T> {
  const levels = [...new Set(columns.flatMap(({expendable = 0, shorter = []}) => [expendable, ...shorter.map((one) => one.expendable)]))]
    .filter((level) => level > 0)
    .sort((a, b) => b - a)
  let kept: (Column<T> | undefined)[] = [...columns]
  const room = (candidate: readonly (Column<T> | undefined)[]) =>
    tableWidth(
      rows,
      candidate.filter((column) => column !== undefined),
    ) <= width
  for (const level of levels) {
    if (room(kept)) break
    kept = columns.map((column) => atLevel(rows, column, level))
  }
  const fits = room(kept)
  const missing = columns.flatMap((column, index) => (kept[index] === undefined ? [{column, index}] : []))
  for (const {column, index} of missing.sort((a, b) => (a.column.expendable ?? 0) - (b.column.expendable ?? 0))) {
    const back = kept.with(index, column)
    if (fits && room(back)) kept = back
  }
  return {
    shown: kept.filter((column) => column !== undefined),
    dropped: columns.filter((_, index) => kept[index] === undefined).map(({title}) => title),
    fits,
  }
}

const columnLines = <T>(rows: readonly T[], shown: readonly Column<T>[]): {head: string; body: string[]} => {
  const widths = widthsOf(rows, shown)
  const line = (cells: readonly {text: string; style?: (text: string) => string}[]) => {
    const filled = cells.map(({text, style = (own) => own}, index) => {
      // Styles cover what is written and no blanks, so that the same text stands there without them.
      const blanks = ' '.repeat(widths[index]! - widthOf(text))
      if (shown[index]!.right) return `${blanks}${text === '' ? '' : style(text)}`
      return `${text === '' ? '' : style(text)}${index === cells.length - 1 ? '' : blanks}`
    })
    return filled.join('  ').trimEnd()
  }
  return {
    head: line(shown.map(({title}) => ({text: title}))),
    body: rows.map((row) => line(shown.map((column) => ({text: column.value(row), style: column.style?.(row)})))),
  }
}

/** Under its name what a row says, in two or more lines: for terminals that are too narrow for a line a row. */
function stackedLines<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): {lines: string[]; dropped: string[]} {
  const naming = columns.some(({names}) => names) ? columns.filter(({names}) => names) : columns.slice(0, 1)
  const rest = columns.filter((column) => !naming.includes(column))
  const nameLines = (row: T) => {
    const style = naming[0]?.style?.(row) ?? ((own: string) => own)
    return wrap(joined(naming.map(({value}) => value(row))), width - 2, 2)
      .split('\n')
      .map((line) => line.replace(/\S.*$/, style))
  }
  const {shown, dropped, fits} = keptColumns(rows, rest, width - 2)
  if (fits && rest.length > 0) {
    const {head, body} = columnLines(rows, shown)
    const title = joined(naming.map((column) => column.title))
    return {
      lines: [
        ...(title === '' ? [] : [title]),
        ...(head === '' ? [] : [`  ${head}`]),
        ...rows.flatMap((row, index) => [...nameLines(row), `  ${body[index]}`]),
      ],
      dropped,
    }
  }
  // Not even that: each figure after its title.
  const pairs = (row: T) => rest.filter(({value}) => value(row) !== '').map(({title, value}) => joined([title, value(row)]))
  return {lines: rows.flatMap((row) => [...nameLines(row), `  ${wrap(pairs(row).join(', '), width - 2, 2)}`]), dropped: []}
}

const joined = (words: readonly string[]): string => words.filter((word) => word !== '').join(' ')

/**
 * Rows under titles, two blanks between columns. Nothing is cut: where the width is too small, columns are dropped whole and named, and where
 * that is not enough a row takes two lines, its name first.
 */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): string {
  const {shown, dropped, fits} = keptColumns(rows, columns, width)
  const {head, body} = columnLines(rows, shown)
  const drawn = fits ? {lines: [head, ...body], dropped} : stackedLines(rows, columns, width)
  const left = drawn.dropped.filter((title) => title !== '')
  const note = left.length === 0 ? [] : ['', wrap(`(too narrow for ${left.join(', ')}: --wide shows all)`, width - 2, 1)]
  return `${[...drawn.lines, ...note].join('\n')}\n`
}

const teraOperations = (accelerator: Accelerator, type: 'bf16' | 'fp8' | 'fp4'): string => {
  const value = accelerator.denseOperationsPerSecond[type]
  return value === undefined ? '-' : count(value / 1e12)
}

export const gpusTable = (gpus: readonly Accelerator[], width: number): string =>
  table(
    gpus,
    [
      {title: 'GPU', value: ({id}) => id},
      {title: 'Name', value: ({name}) => name, expendable: 3},
      {title: 'GiB', value: ({memoryBytes}) => gib(memoryBytes), right: true},
      {
        title: 'GB/s',
        value: ({memoryBandwidthBytesPerSecond: rate}) => (rate === undefined ? '-' : count(rate / 1e9)),
        right: true,
      },
      {title: 'BF16 T/s', value: (gpu) => teraOperations(gpu, 'bf16'), right: true},
      {title: 'FP8 T/s', value: (gpu) => teraOperations(gpu, 'fp8'), right: true},
      {title: 'FP4 T/s', value: (gpu) => teraOperations(gpu, 'fp4'), right: true, expendable: 1},
      {title: 'Architecture', value: ({architecture}) => architecture ?? '-', expendable: 2},
    ],
    width,
  )

export const modelsTable = (models: readonly ModelSummary[], width: number): string =>
  table(
    models,
    [
      {title: 'Model', value: ({id}) => harmless(id)},
      {title: 'Parameters', value: ({totalParams}) => parameters(totalParams), right: true},
      {title: 'Active', value: ({totalParams, activeParams}) => (activeParams < totalParams * 0.7 ? parameters(activeParams) : ''), right: true},
      {title: 'Context', value: ({contextTokens}) => (contextTokens === undefined ? '' : count(contextTokens)), right: true},
      {title: 'Publisher', value: ({hfId}) => harmless(hfId.split('/')[0] ?? ''), expendable: 3},
      {title: 'Licence', value: ({licence}) => licence ?? '', expendable: 2},
      {title: 'Published as', value: ({checkpoints}) => [...new Set(checkpoints.map(({weights}) => weights))].join(' '), expendable: 1},
    ],
    width,
  )
