import type {SupportCell, SupportStatus} from '../planner/models/index.ts'
import {qualityLegend, shortQuality} from './quality.ts'
import {harmless, paint, wrap} from './style.ts'
import {type Look, tablesOf} from './look.ts'
import {table} from './tables.ts'

const WORDS: Record<SupportStatus, string> = {native: 'yes', 'weight-only': '16', refused: 'no', unlisted: '?'}

/** A row for each engine and format, a column for each GPU, then every refusal with its reason. */
export function renderSupport(model: string, cells: readonly SupportCell[], look: Look): string {
  const width = look.columns
  const style = paint(look.colour)
  const colours: Record<SupportStatus, (text: string) => string> = {native: style.good, 'weight-only': style.warn, refused: style.bad, unlisted: style.dim}
  const statusOn = (row: SupportCell[], gpu: string) => row.find((cell) => cell.gpu === gpu)?.status ?? 'unlisted'
  const gpus = [...new Set(cells.map(({gpu}) => gpu))]
  const matrix = table(
    rowsOf(cells),
    [
      {title: 'Engine', value: (row) => row[0]!.engine, names: true},
      {title: 'Weights', value: (row) => harmless(weightsOf(row[0]!, cells)), names: true},
      ...gpus.map((gpu) => ({
        title: shortName(gpu),
        value: (row: SupportCell[]) => WORDS[statusOn(row, gpu)],
        style: (row: SupportCell[]) => colours[statusOn(row, gpu)],
      })),
    ],
    tablesOf(look),
  )
  const versions = [...new Set(cells.map(({engine, engineVersion}) => `${engine} ${engineVersion}`))].join(', ')
  return `${wrap(`${harmless(model)} on ${versions}`, width)}\n\n${matrix}\n${legend(cells, width)}${reasonLines(cells, width)}`
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

/** A format that several builds have is told with who published it, or with the repository where one published two. */
function weightsOf({weights, hfId}: SupportCell, cells: readonly SupportCell[]): string {
  const others = cells.filter((cell) => cell.weights === weights && cell.hfId !== hfId)
  const publisher = hfId.split('/')[0]!
  if (others.length === 0) return weights
  return `${weights} (${others.some((other) => other.hfId.split('/')[0] === publisher) ? hfId : publisher})`
}

const shortName = (gpu: string): string => gpu.replace(/-(?:80gb-)?(?:sxm2?|pcie|xtx)(?:-.*)?$/, '').replace(/^rtx-|^rx-/, '')

function legend(cells: readonly SupportCell[], width: number): string {
  const shown = new Set(cells.map(({status}) => status))
  const lines = [
    ...[
      shown.has('native') ? 'yes: computed in its own format' : '',
      shown.has('weight-only') ? '16: loaded in its own format, computed in 16 bits' : '',
      shown.has('unlisted') ? '?: in no list of the engine that servefit knows' : '',
    ].map((line) => wrap(line, width)),
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
  const lines = [...told].map(([message, gpus]) => `  ${wrap(`${harmless(message)} (${[...gpus].map(shortName).join(', ')})`, width - 4, 4)}`)
  return `\nWhy not\n${lines.join('\n')}\n`
}
