import type {SupportCell, SupportStatus} from '../planner/models/index.ts'
import {qualityLegend, shortQuality} from './quality.ts'
import {harmless, wrap} from './style.ts'
import {table} from './tables.ts'

const WORDS: Record<SupportStatus, string> = {native: 'yes', 'weight-only': '16', refused: 'no', unlisted: '?'}

/** A row for each engine and format, a column for each GPU, then every refusal with its reason. */
export function renderSupport(model: string, cells: readonly SupportCell[], width: number): string {
  const gpus = [...new Set(cells.map(({gpu}) => gpu))]
  const matrix = table(
    rowsOf(cells),
    [
      {title: 'Engine', value: (row) => row[0]!.engine},
      {title: 'Weights', value: (row) => harmless(row[0]!.weights)},
      ...gpus.map((gpu) => ({title: shortName(gpu), value: (row: SupportCell[]) => WORDS[row.find((cell) => cell.gpu === gpu)?.status ?? 'unlisted']})),
    ],
    width,
  )
  const versions = [...new Set(cells.map(({engine, engineVersion}) => `${engine} ${engineVersion}`))].join(', ')
  return `${harmless(model)} on ${wrap(versions, width)}\n\n${matrix}\n${legend(cells, width)}${reasonLines(cells, width)}`
}

/** Cells of one engine and checkpoint. */
function rowsOf(cells: readonly SupportCell[]): SupportCell[][] {
  const rows = new Map<string, SupportCell[]>()
  for (const cell of cells) {
    const key = `${cell.engine} ${cell.engineVersion} ${cell.hfId}`
    rows.set(key, [...(rows.get(key) ?? []), cell])
  }
  return [...rows.values()]
}

const shortName = (gpu: string): string => gpu.replace(/-(?:80gb-)?(?:sxm2?|pcie|xtx)(?:-.*)?$/, '').replace(/^rtx-|^rx-/, '')

function legend(cells: readonly SupportCell[], width: number): string {
  const shown = new Set(cells.map(({status}) => status))
  const lines = [
    shown.has('native') ? 'yes: computed in its own format' : '',
    shown.has('weight-only') ? '16: loaded in its own format, computed in 16 bits' : '',
    shown.has('unlisted') ? '?: in no list of the engine that servefit knows' : '',
    wrap(qualityLine(cells), width),
    wrap(qualityLegend(cells.flatMap(({quality}) => quality ?? [])) ?? '', width),
  ].filter((line) => line !== '')
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

/** What is known of each checkpoint's loss, in one line: the matrix has no room for it. */
function qualityLine(cells: readonly SupportCell[]): string {
  const byCheckpoint = new Map(cells.flatMap(({hfId, weights, quality}) => (quality ? [[hfId, `${harmless(weights)} ${shortQuality(quality)}`] as const] : [])))
  return byCheckpoint.size === 0 ? '' : `quality: ${[...new Set(byCheckpoint.values())].join(', ')}`
}

/** The first reason of each refusal, once, with the GPUs it holds for. */
function reasonLines(cells: readonly SupportCell[], width: number): string {
  const told = new Map<string, Set<string>>()
  for (const {gpu, reasons} of cells) {
    const [first] = reasons
    if (!first) continue
    // What this GPU has is told by its column.
    const message = first.message.replace(/, but this GPU (is|has) [^,;]*$/, '').replace(' here: ', ': ')
    told.set(message, (told.get(message) ?? new Set()).add(gpu))
  }
  if (told.size === 0) return ''
  const lines = [...told].map(([message, gpus]) => `  ${wrap(`${harmless(message)} (${[...gpus].map(shortName).join(', ')})`, width - 2, 4)}`)
  return `\nWhy not\n${lines.join('\n')}\n`
}
