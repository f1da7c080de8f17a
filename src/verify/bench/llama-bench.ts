/**
 * Tables in the manner of llama.cpp's `llama-bench` (tools/llama-bench, -o md, csv, json, jsonl), which other tools print for
 * serving engines too: one stream, the rate of reading a prompt (`pp512`) and of writing (`tg128`), at a depth (`@ d4096`).
 */
import {type BenchPoint, defined, type JsonObject, positive, text, whole} from './bench-point.ts'

/** Milliseconds that a rate of tokens a second stands for. */
const MS = 1000

interface Row {
  promptTokens: number
  outputTokens: number
  depthTokens: number
  tokensPerSecond: number
  /** A first token that was timed, where a tool did. */
  firstTokenMs?: number
  model?: string
}

/** One stream's workload of a row. A row of prompt and answer in one rate says neither latency. */
function pointOf({promptTokens, outputTokens, depthTokens, tokensPerSecond, firstTokenMs, model}: Row, place: string): BenchPoint | undefined {
  if (promptTokens > 0 && outputTokens > 0) return undefined
  const input = Math.max(1, promptTokens + depthTokens)
  const prefixHitRate = promptTokens > 0 && depthTokens > 0 ? depthTokens / input : undefined
  return {
    format: 'llama-bench',
    place,
    scenario: defined({model}),
    workload: defined({inputTokens: input, outputTokens: Math.max(1, outputTokens), concurrency: 1, prefixHitRate}),
    observed: promptTokens > 0 ? {ttftMs: firstTokenMs ?? (promptTokens / tokensPerSecond) * MS} : {tpotMs: MS / tokensPerSecond},
  }
}

export const isLlamaBenchRow = (value: JsonObject): boolean => 'avg_ts' in value && ('n_prompt' in value || 'n_gen' in value)

/** One object of `-o json` or `-o jsonl`, or one line of `-o csv` under its names. */
export function readLlamaBenchRow(value: JsonObject, place: string): BenchPoint | undefined {
  const number = (field: unknown) => (typeof field === 'string' && field.trim() !== '' ? Number(field) : field)
  const tokensPerSecond = positive(number(value.avg_ts))
  if (tokensPerSecond === undefined) return undefined
  return pointOf(
    {
      promptTokens: whole(number(value.n_prompt)) ?? 0,
      outputTokens: whole(number(value.n_gen)) ?? 0,
      depthTokens: whole(number(value.n_depth)) ?? 0,
      tokensPerSecond,
      model: repositoryLike(value.model_filename),
    },
    place,
  )
}

/** Tables print titles such as "llama 8B Q4_K - Medium", which name no model exactly; only a repository's name is taken. */
function repositoryLike(value: unknown): string | undefined {
  const name = text(value)?.trim()
  return name !== undefined && /^[\w.-]+\/[\w.-]+$/.test(name) && !/\.gguf$/i.test(name) ? name : undefined
}

const CELLS = /^\s*\|(.*)\|\s*$/

const cellsOf = (line: string): string[] | undefined =>
  CELLS.exec(line)?.[1]
    ?.split('|')
    .map((cell) => cell.trim())

/** Rows of every Markdown table that has a `test` and a `t/s` column. */
export function readMarkdownTables(content: string, file: string): BenchPoint[] {
  const points: BenchPoint[] = []
  let titles: string[] = []
  for (const [index, line] of content.split(/\r\n|\n|\r/).entries()) {
    const cells = cellsOf(line)
    if (!cells) titles = []
    else if (titles.length === 0) titles = cells.map((cell) => cell.toLowerCase())
    else {
      const point = rowPoint(titles, cells, `${file}, line ${index + 1}`)
      if (point) points.push(point)
    }
  }
  return points
}

const TEST = /^(?:pp(\d+))?\+?(?:tg(\d+))?(?:\s*@\s*d(\d+))?$/

function rowPoint(titles: readonly string[], cells: readonly string[], place: string): BenchPoint | undefined {
  const at = (name: RegExp) => cells[titles.findIndex((title) => name.test(title))]
  const test = TEST.exec((at(/^test$/) ?? '').replace(/\s*\(c1\)$/, ''))
  const leading = (cell: string | undefined) => positive(Number(/^[\d,]*\.?\d+/.exec(cell ?? '')?.[0].replaceAll(',', '')))
  const tokensPerSecond = leading(at(/^t\/s( \(total\))?$/))
  if (!test || (test[1] === undefined && test[2] === undefined) || tokensPerSecond === undefined) return undefined
  return pointOf(
    {
      promptTokens: whole(Number(test[1])) ?? 0,
      outputTokens: whole(Number(test[2])) ?? 0,
      depthTokens: whole(Number(test[3])) ?? 0,
      tokensPerSecond,
      firstTokenMs: leading(at(/^e2e_ttft \(ms\)$/)),
      model: repositoryLike(at(/^model$/)),
    },
    place,
  )
}

/** Lines of comma-separated values under a line of names. */
export function readCsv(content: string, file: string): BenchPoint[] {
  const lines = content.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '')
  const names = csvCells(lines[0] ?? '')
  if (!names.includes('avg_ts')) return []
  return lines.slice(1).flatMap(
    (line, index) =>
      readLlamaBenchRow(
        Object.fromEntries(
          csvCells(line)
            .slice(0, names.length)
            .map((cell, column) => [names[column]!, cell]),
        ),
        `${file}, line ${index + 2}`,
      ) ?? [],
  )
}

/** Cells of one line; quotes are doubled inside quoted ones. */
function csvCells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)]
    .slice(0, 1000)
    .map((match) => (match[1]!.startsWith('"') ? match[1]!.slice(1, -1).replaceAll('""', '"') : match[1]!.trim()))
}
