import {gib} from './numbers.ts'
import {padStart, wrap} from './style.ts'
import {widthOf} from './width.ts'

/** Bytes of one GPU by what they are for. */
export interface MemoryParts {
  weightsBytes: number
  kvCacheBytes: number
  stateBytes?: number
  activationBytes: number
  cudaGraphBytes: number
  runtimeBytes: number
  freeBytes: number
}

/**
 * A character for each part, and a colour of the 256 that every terminal shows alike. From part to part the colours become lighter, so that they
 * differ on a screen or in an eye without colours too.
 */
export const PARTS = [
  {key: 'weightsBytes', label: 'weights', mark: '#', colour: 18},
  {key: 'kvCacheBytes', label: 'KV cache', mark: '=', colour: 25},
  {key: 'stateBytes', label: 'states', mark: '%', colour: 31},
  {key: 'activationBytes', label: 'activations', mark: '+', colour: 35},
  {key: 'cudaGraphBytes', label: 'graphs', mark: '*', colour: 113},
  {key: 'runtimeBytes', label: 'runtime', mark: '~', colour: 230},
] as const

const GIB = 1024 ** 3
const LEFT = '.'
const END = '|'
/** From this colour of the list on letters on it are black. */
const FIRST_LIGHT = 35

/** Three digits, so that a size that is typed back holds what it held. */
const size = (bytes: number): string => (bytes < 9.995 * GIB ? (bytes / GIB).toFixed(2) : gib(bytes))

/** A part's characters on its colour. */
const filled = (text: string, colour: number): string => `\u001B[48;5;${colour};38;5;${colour >= FIRST_LIGHT ? 16 : 231}m${text}\u001B[39;49m`

/** Of `columns` characters as many for each part as its share; one at least for what is not nothing, taken from the largest. */
function cellsOf(bytes: readonly number[], columns: number): number[] {
  const all = bytes.reduce((sum, own) => sum + own, 0)
  const exact = bytes.map((own) => (all === 0 ? 0 : (own / all) * columns))
  const cells = exact.map((own, index) => Math.max(gib(bytes[index]!) === '0.0' ? 0 : 1, Math.floor(own)))
  const most = (scores: readonly number[]) => scores.indexOf(Math.max(...scores))
  const sum = () => cells.reduce((total, own) => total + own, 0)
  while (sum() < columns) cells[most(exact.map((own, index) => own - cells[index]!))]! += 1
  while (sum() > columns) cells[most(cells)]! -= 1
  return cells
}

/** What the memory of a GPU goes into: a title with the total, a bar, and its key. */
export function memoryBar(title: string, parts: MemoryParts, totalBytes: number, {columns, colour}: {columns: number; colour: boolean}): string[] {
  const width = columns - 4
  const shown = PARTS.map((part) => ({...part, bytes: Math.max(0, parts[part.key] ?? 0)})).filter(({bytes}) => bytes > 0)
  const usedBytes = shown.reduce((sum, {bytes}) => sum + bytes, 0)
  const over = usedBytes > totalBytes
  const paint = (text: string, part: number) => (colour && text !== '' ? filled(text, part) : text)
  const used = `${gib(usedBytes)} of ${gib(totalBytes)} used`
  const heading = widthOf(title) + widthOf(used) < width ? `${title}${padStart(used, width - widthOf(title))}` : `${title}\n  ${used}`

  const cells = cellsOf([...shown.map(({bytes}) => bytes), over ? 0 : totalBytes - usedBytes], over ? width - 1 : width)
  const end = over ? Math.round((totalBytes / usedBytes) * (width - 1)) : Number.POSITIVE_INFINITY
  let at = 0
  const bar = shown.map(({mark, colour: own}, index) => {
    const length = cells[index]!
    const before = end >= at && end < at + length ? end - at : undefined
    at += length
    if (before === undefined) return paint(mark.repeat(length), own)
    return `${paint(mark.repeat(before), own)}${END}${paint(mark.repeat(length - before), own)}`
  })
  bar.push(LEFT.repeat(cells.at(-1)!))

  const tied = (words: string) => words.replaceAll(' ', '\u00A0')
  const key = shown.map(({mark, label, bytes, colour: own}) => `${paint(mark, own)}${tied(` ${label} ${size(bytes)}`)}`)
  key.push(over ? tied(`${END} end of the memory, over by ${size(usedBytes - totalBytes)}`) : tied(`${LEFT} left ${size(parts.freeBytes)}`))
  return [`  ${heading}`, `  ${bar.join('')}`, `  ${wrap(key.join(', '), width, 2)}`]
}
