import type {Accelerator} from '../core/accelerator.ts'
import type {ModelSummary} from '../planner/models/index.ts'
import {parameters, tokens} from './numbers.ts'
import {harmless, padEnd, padStart, widthOf} from './style.ts'

export interface Column<T> {
  title: string
  value(row: T): string
  right?: boolean
  /** Dropped first, highest first, when the terminal is too narrow. */
  expendable?: number
}

const widthsOf = <T>(rows: readonly T[], columns: readonly Column<T>[]): number[] =>
  columns.map((column) => Math.max(widthOf(column.title), ...rows.map((row) => widthOf(column.value(row)))))

const totalOf = (widths: readonly number[]): number => widths.reduce((sum, value) => sum + value, 0) + 2 * (widths.length - 1)

/** Columns of the terminal that a table takes with nothing dropped. */
export const tableWidth = <T>(rows: readonly T[], columns: readonly Column<T>[]): number => totalOf(widthsOf(rows, columns))

/** The columns that a width has room for: the expendable ones are dropped, those of the highest number first. */
function keptColumns<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): Column<T>[] {
  let shown = [...columns]
  while (tableWidth(rows, shown) > width && shown.some(({expendable}) => expendable)) {
    const most = Math.max(...shown.map(({expendable}) => expendable ?? 0))
    shown = shown.filter(({expendable}) => (expendable ?? 0) !== most)
  }
  return shown
}

/** Titles of the columns that a width has room for. */
export const keptTitles = <T>(rows: readonly T[], columns: readonly Column<T>[], width: number): string[] =>
  keptColumns(rows, columns, width).map(({title}) => title)

/** Rows under titles, two blanks between columns; what does not fit the width is dropped column by column, then cut. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], width: number): string {
  const shown = keptColumns(rows, columns, width)
  const widths = widthsOf(rows, shown)
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => (shown[index]!.right ? padStart(cell, widths[index]!) : index === cells.length - 1 ? cell : padEnd(cell, widths[index]!)))
      .join('  ')
      .slice(0, width)
      .trimEnd()
  return `${[line(shown.map(({title}) => title)), ...rows.map((row) => line(shown.map(({value}) => value(row))))].join('\n')}\n`
}

const GIB = 1024 ** 3
const teraOperations = (accelerator: Accelerator, type: 'bf16' | 'fp8' | 'fp4'): string => {
  const value = accelerator.denseOperationsPerSecond[type]
  return value === undefined ? '-' : Math.round(value / 1e12).toLocaleString('en-US')
}

export const gpusTable = (gpus: readonly Accelerator[], width: number): string =>
  table(
    gpus,
    [
      {title: 'GPU', value: ({id}) => id},
      {title: 'Name', value: ({name}) => name, expendable: 3},
      {title: 'GiB', value: ({memoryBytes}) => (memoryBytes / GIB).toFixed(1), right: true},
      {
        title: 'GB/s',
        value: ({memoryBandwidthBytesPerSecond: rate}) => (rate === undefined ? '-' : Math.round(rate / 1e9).toLocaleString('en-US')),
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
      {title: 'Context', value: ({contextTokens}) => (contextTokens === undefined ? '' : tokens(contextTokens)), right: true},
      {title: 'Publisher', value: ({hfId}) => harmless(hfId.split('/')[0] ?? ''), expendable: 3},
      {title: 'Licence', value: ({licence}) => licence ?? '', expendable: 2},
      {title: 'Published as', value: ({checkpoints}) => [...new Set(checkpoints.map(({weights}) => weights))].join(' '), expendable: 1},
    ],
    width,
  )
