import type {TraceRequest} from '../../core/simulator/load.ts'
import {InputError} from '../../core/input-error.ts'

/** Names of columns and fields in public traces: Azure's, Mooncake's, BurstGPT's, and our own. In milliseconds where the name or the size says so. */
const ARRIVAL = ['arrivalms', 'arrival_ms', 'timestamp', 'arrival', 'arrived_at', 'arrival_time', 'time']
const INPUT = ['inputtokens', 'input_tokens', 'contexttokens', 'input_length', 'request tokens', 'prompt_tokens', 'num_prefill_tokens', 'prompt_len']
const OUTPUT = ['outputtokens', 'output_tokens', 'generatedtokens', 'output_length', 'response tokens', 'completion_tokens', 'num_decode_tokens', 'output_len']

type Row = Record<string, unknown>

/**
 * Requests of a trace in JSON Lines or CSV (a header names the columns), in order of arrival, the first at zero. Times are milliseconds where the
 * field's name ends in "ms" or all are whole and the trace is JSON Lines (as Mooncake's); else seconds, or dates.
 * @throws InputError TRACE_INVALID with the line.
 */
export function parseTrace(text: string, path: string): TraceRequest[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index) => ({line, number: index + 1}))
    .filter(({line}) => line.trim() !== '')
  if (lines.length === 0) throw invalid(path, 1, 'it is empty')
  const isJson = lines[0]!.line.trimStart().startsWith('{')
  const rows = isJson ? lines.map(({line, number}) => ({number, row: jsonRow(line, path, number)})) : csvRows(lines, path)
  const names = Object.keys(rows[0]?.row ?? {})
  const [arrival, input, output] = [column(names, ARRIVAL), column(names, INPUT), column(names, OUTPUT)]
  if (rows.length === 0 || arrival === undefined || input === undefined || output === undefined) {
    throw invalid(path, lines[0]!.number, `expected columns such as arrivalMs, inputTokens and outputTokens; found ${names.slice(0, 8).join(', ') || 'none'}`)
  }
  const times = rows.map(({row, number}) => timeOf(row[arrival], path, number, arrival))
  const inMilliseconds = /ms$/i.test(arrival) || (isJson && times.every((time) => Number.isInteger(time)) && typeof rows[0]!.row[arrival] === 'number')
  const dated = typeof rows[0]!.row[arrival] === 'string' && !/^[\d.eE+-]+$/.test(String(rows[0]!.row[arrival]).trim())
  const factor = inMilliseconds || dated ? 1 : 1000
  const first = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY)
  const requests = rows.map(({row, number}, index) => ({
    arrivalMs: (times[index]! - first) * factor,
    inputTokens: tokensOf(row[input], path, number, input),
    outputTokens: tokensOf(row[output], path, number, output),
  }))
  // A request without an answer leaves nothing to serve.
  return requests
    .filter(({outputTokens}) => outputTokens > 0)
    .map((request) => ({...request, inputTokens: Math.max(1, request.inputTokens)}))
    .sort((a, b) => a.arrivalMs - b.arrivalMs)
}

const invalid = (path: string, line: number, what: string): InputError => new InputError('TRACE_INVALID', `${path}, line ${line}: ${what}`)

const plain = (name: string): string => name.trim().toLowerCase()

const column = (names: readonly string[], known: readonly string[]): string | undefined => {
  for (const wanted of known) {
    const found = names.find((name) => plain(name) === wanted)
    if (found !== undefined) return found
  }
  return undefined
}

function jsonRow(line: string, path: string, number: number): Row {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row
  } catch {
    // Said below.
  }
  throw invalid(path, number, 'expected a JSON object')
}

function csvRows(lines: readonly {line: string; number: number}[], path: string): {number: number; row: Row}[] {
  const [header, ...rest] = lines
  const names = csvFields(header!.line)
  return rest.map(({line, number}) => {
    const fields = csvFields(line)
    if (fields.length !== names.length) throw invalid(path, number, `${fields.length} fields where the header has ${names.length}`)
    return {number, row: Object.fromEntries(names.map((name, index) => [name, fields[index]]))}
  })
}

/** Fields of a CSV line: quoted ones may hold commas, a doubled quote is one (RFC 4180). No line breaks within fields. */
export function csvFields(line: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (quoted) {
      if (character === '"' && line[at + 1] === '"') {
        field += '"'
        at += 1
      } else if (character === '"') quoted = false
      else field += character
    } else if (character === '"' && field.trim() === '') {
      field = ''
      quoted = true
    } else if (character === ',') {
      fields.push(field.trim())
      field = ''
    } else field += character
  }
  fields.push(field.trim())
  return fields
}

function timeOf(value: unknown, path: string, number: number, name: string): number {
  const text = String(value ?? '').trim()
  const time = /^[+-]?\d*\.?\d+(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`)
  if (!Number.isFinite(time)) throw invalid(path, number, `${name} is "${text.slice(0, 40)}": expected a time`)
  return time
}

function tokensOf(value: unknown, path: string, number: number, name: string): number {
  const text = String(value ?? '').trim()
  const tokens = text === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(tokens) || tokens < 0 || tokens > 1e9)
    throw invalid(path, number, `${name} is "${text.slice(0, 40)}": expected a whole number of tokens`)
  return tokens
}

/** A trace in short: what a closed form needs. */
export interface TraceSummary {
  requests: number
  seconds: number
  inputTokens: number
  outputTokens: number
  meanRequestsPerSecond: number
  /** Of the busiest window of a minute; the mean where the trace is shorter. */
  peakRequestsPerSecond: number
}

const WINDOW_MS = 60_000

export function traceSummary(requests: readonly TraceRequest[]): TraceSummary {
  const mean = (of: (request: TraceRequest) => number) => Math.max(1, Math.round(requests.reduce((sum, request) => sum + of(request), 0) / requests.length))
  const span = requests.at(-1)!.arrivalMs - requests[0]!.arrivalMs
  const meanRequestsPerSecond = span > 0 ? ((requests.length - 1) * 1000) / span : requests.length
  let peak = 0
  for (let from = 0, to = 0; to < requests.length; to++) {
    while (requests[to]!.arrivalMs - requests[from]!.arrivalMs > WINDOW_MS) from += 1
    peak = Math.max(peak, to - from + 1)
  }
  return {
    requests: requests.length,
    seconds: span / 1000,
    inputTokens: mean(({inputTokens}) => inputTokens),
    outputTokens: mean(({outputTokens}) => outputTokens),
    meanRequestsPerSecond,
    peakRequestsPerSecond: span > WINDOW_MS ? Math.max(meanRequestsPerSecond, (peak * 1000) / WINDOW_MS) : meanRequestsPerSecond,
  }
}
