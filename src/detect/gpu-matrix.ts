import {withoutStyling} from './quantity.ts'

export interface Cell {
  gpus: [number, number]
  cell: string
}

/**
 * Reads a matrix whose header names columns GPU0, GPU1, ... and whose rows begin with a GPU's name. GPUs come before all
 * other columns, so neither tabs nor blanks as separators matter, and what follows (NICs, affinities) may be cut or empty.
 * A row may be missing: the other half of the matrix has its pairs.
 */
export function parseGpuMatrix(text: string, cellPattern: RegExp, noun: 'GPU' | 'NPU' = 'GPU'): Cell[] {
  const lines = withoutStyling(text).split(/\r?\n/)
  const headerAt = lines.findIndex((line) => new RegExp(`^\\s*${noun}\\d{1,3}(?:\\s|$)`).test(line) && !/\sX(?:\s|$)/.test(line))
  if (headerAt < 0) return []
  const columns = columnsOf(lines[headerAt] ?? '', noun)
  const cells = new Map<string, Cell>()
  for (const line of lines.slice(headerAt + 1)) {
    const row = new RegExp(`^\\s*${noun}(\\d{1,3})\\s+(\\S.*)$`).exec(line)
    if (!row) continue
    const from = Number(row[1])
    const words = (row[2] ?? '').trim().split(/\s+/)
    for (const [at, to] of columns.entries()) {
      const cell = words[at] ?? ''
      if (to === from || !cellPattern.test(cell)) continue
      const gpus: [number, number] = from < to ? [from, to] : [to, from]
      const key = gpus.join('-')
      if (!cells.has(key)) cells.set(key, {gpus, cell})
    }
  }
  return [...cells.values()].sort((a, b) => a.gpus[0] - b.gpus[0] || a.gpus[1] - b.gpus[1])
}

function columnsOf(header: string, noun: string): number[] {
  const columns: number[] = []
  for (const word of header.trim().split(/\s+/)) {
    const gpu = new RegExp(`^${noun}(\\d{1,3})$`).exec(word)
    if (!gpu) break
    columns.push(Number(gpu[1]))
  }
  return columns
}
