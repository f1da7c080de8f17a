import type {TraceRequest} from '../../core/simulator/load.ts'
import {own} from '../../core/dictionary.ts'
import {InputError} from '../../core/input-error.ts'
import {type TraceSummary, TraceSums} from './trace-summary.ts'

/** Names of columns and fields in public traces: Azure's, Mooncake's, BurstGPT's, and our own. In milliseconds where the name or the size says so. */
const ARRIVAL = ['arrivalms', 'arrival_ms', 'timestamp', 'arrival', 'arrived_at', 'arrival_time', 'time']
const INPUT = ['inputtokens', 'input_tokens', 'contexttokens', 'input_length', 'request tokens', 'prompt_tokens', 'num_prefill_tokens', 'prompt_len']
const OUTPUT = ['outputtokens', 'output_tokens', 'generatedtokens', 'output_length', 'response tokens', 'completion_tokens', 'num_decode_tokens', 'output_len']

/** The most requests in a row that are held and simulated of a longer trace; one of up to twice as many is taken whole. */
const MOST_IN_A_ROW = 2 ** 17

/** What arrives, as a trace tells it. */
export interface Trace {
  /** In order of arrival, the first at zero: all of them, or of a longer trace the busiest in a row. */
  requests: readonly TraceRequest[]
  /** Of the whole trace. */
  summary: TraceSummary
}

interface Line {
  text: string
  number: number
}

type Row = (name: string) => unknown

/** What the columns or fields are called that are read, and all of them. */
interface Columns {
  arrival: string
  input: string
  output: string
  names: readonly string[]
}

/**
 * Reads a trace line by line, in JSON Lines or CSV (a header names the columns), in bounded memory. Times are milliseconds where the field's name
 * ends in "ms" or all are whole and the trace is JSON Lines (as Mooncake's); else seconds, or dates.
 *
 * Of a trace that is longer than is held the summary is the whole one's, and the busiest stretch of it is kept: limits that it keeps, the rest keeps.
 */
export class TraceReader {
  private readonly path: string
  private columns: Columns | undefined
  private isJson = false
  private dated = false
  private numeric = true
  private allWhole = true
  private first = Number.POSITIVE_INFINITY
  private held: TraceRequest[] = []
  private stretch: BusiestStretch | undefined
  private lastNumber = 0

  constructor(path: string) {
    this.path = path
  }

  /** @throws InputError TRACE_INVALID with the line. */
  line({text, number}: Line): void {
    const line = number === 1 ? text.replace(/^\uFEFF/, '') : text
    if (line.trim() === '') return
    this.lastNumber = number
    if (!this.columns) {
      this.isJson = line.trimStart().startsWith('{')
      this.columns = this.columnsFrom(this.isJson ? Object.keys(jsonRow(line, this.path, number)) : csvFields(line), number)
      if (!this.isJson) return
    }
    const columns = this.columns
    const row = this.isJson ? rowOf(jsonRow(line, this.path, number)) : csvRow(line, this.path, number, columns)
    const given = row(columns.arrival)
    const time = timeOf(given, this.path, number, columns.arrival)
    this.noteTime(given, time, number)
    const inputTokens = tokensOf(row(columns.input), this.path, number, columns.input)
    const outputTokens = tokensOf(row(columns.output), this.path, number, columns.output)
    // A request without an answer leaves nothing to serve.
    if (outputTokens === 0) return
    this.held.push({arrivalMs: time, inputTokens: Math.max(1, inputTokens), outputTokens})
    if (this.held.length > 2 * MOST_IN_A_ROW) this.passOn(MOST_IN_A_ROW, number)
  }

  /** @throws InputError TRACE_INVALID where it says nothing. */
  end(): Trace {
    if (!this.columns) throw invalid(this.path, 1, 'it is empty')
    if (this.stretch) {
      this.passOn(this.held.length, this.lastNumber)
      return this.stretch.trace()
    }
    const [first, factor] = [this.first, this.factor]
    const requests = sorted(this.held).map((request) => ({...request, arrivalMs: (request.arrivalMs - first) * factor}))
    if (requests.length === 0) throw invalid(this.path, this.lastNumber, 'it has no request with an answer')
    const sums = new TraceSums()
    for (const request of requests) sums.add(request)
    return {requests, summary: sums.summary()}
  }

  /** The earliest of those held, in order, to where a longer trace is summed up. */
  private passOn(howMany: number, number: number): void {
    this.held = sorted(this.held)
    this.stretch ??= new BusiestStretch(this.factor, this.first)
    for (const request of this.held.slice(0, howMany)) {
      if (!this.stretch.add(request))
        throw invalid(
          this.path,
          number,
          `near here a request arrives before ${MOST_IN_A_ROW.toLocaleString('en-US')} others that stand in front of it: expected a trace of this length in order of arrival (sort it first)`,
        )
    }
    this.held = this.held.slice(howMany)
  }

  private get factor(): number {
    const inMilliseconds = /ms$/i.test(this.columns?.arrival ?? '') || (this.isJson && this.numeric && this.allWhole)
    return inMilliseconds || this.dated ? 1 : 1000
  }

  private noteTime(given: unknown, time: number, number: number): void {
    if (this.first === Number.POSITIVE_INFINITY) {
      this.numeric = typeof given === 'number'
      this.dated = typeof given === 'string' && !/^[\d.eE+-]+$/.test(given.trim())
    }
    const wasWhole = this.allWhole
    this.allWhole &&= Number.isInteger(time)
    // What was passed on was taken for milliseconds.
    if (this.stretch && wasWhole !== this.allWhole && this.isJson && this.numeric && !/ms$/i.test(this.columns?.arrival ?? ''))
      throw invalid(
        this.path,
        number,
        `${this.columns?.arrival} has a fraction after whole numbers only: expected one unit (name the field arrival_ms for milliseconds)`,
      )
    this.first = Math.min(this.first, time)
  }

  private columnsFrom(names: readonly string[], number: number): Columns {
    const [arrival, input, output] = [column(names, ARRIVAL), column(names, INPUT), column(names, OUTPUT)]
    if (arrival !== undefined && input !== undefined && output !== undefined) return {arrival, input, output, names}
    throw invalid(
      this.path,
      number,
      `expected columns such as arrivalMs, inputTokens and outputTokens; found ${
        names
          .slice(0, 8)
          .map((name) => name.slice(0, 40))
          .join(', ') || 'none'
      }`,
    )
  }
}

function csvRow(line: string, path: string, number: number, {names}: Columns): Row {
  const fields = csvFields(line)
  if (fields.length !== names.length) throw invalid(path, number, `${fields.length} fields where the header has ${names.length}`)
  return (name) => fields[names.indexOf(name)]
}

const rowOf =
  (values: Record<string, unknown>): Row =>
  (name) =>
    own(values, name)

const sorted = (requests: TraceRequest[]): TraceRequest[] => requests.sort((a, b) => a.arrivalMs - b.arrivalMs)

/** Sums up a trace that is too long to be held, and keeps the stretch of it in which requests arrive fastest. */
class BusiestStretch {
  private readonly sums = new TraceSums()
  private readonly factor: number
  private readonly first: number
  private recent: TraceRequest[] = []
  private busiest: readonly TraceRequest[] = []
  private shortestMs = Number.POSITIVE_INFINITY
  private last = Number.NEGATIVE_INFINITY

  constructor(factor: number, first: number) {
    this.factor = factor
    this.first = first
  }

  /** False where it is out of order. */
  add({arrivalMs, ...tokens}: TraceRequest): boolean {
    if (arrivalMs < this.last) return false
    this.last = arrivalMs
    const request = {arrivalMs: (arrivalMs - this.first) * this.factor, ...tokens}
    this.sums.add(request)
    this.recent.push(request)
    // Looked at in steps: at every request it would cost as many comparisons of whole stretches.
    if (this.recent.length >= MOST_IN_A_ROW + MOST_IN_A_ROW / 8) this.look()
    return true
  }

  private look(): void {
    this.recent = this.recent.slice(-MOST_IN_A_ROW)
    const tookMs = this.recent.at(-1)!.arrivalMs - this.recent[0]!.arrivalMs
    if (this.recent.length < MOST_IN_A_ROW || tookMs >= this.shortestMs) return
    this.shortestMs = tookMs
    this.busiest = [...this.recent]
  }

  trace(): Trace {
    this.look()
    const [{arrivalMs: from}] = this.busiest as [TraceRequest]
    return {
      requests: this.busiest.map((request) => ({...request, arrivalMs: request.arrivalMs - from})),
      summary: {...this.sums.summary(), busiestRequests: this.busiest.length},
    }
  }
}

/** A trace that is at hand as text. @throws InputError TRACE_INVALID. */
export function parseTrace(text: string, path: string): Trace {
  const reader = new TraceReader(path)
  let number = 0
  for (const line of text.split(/\r?\n/)) reader.line({text: line, number: ++number})
  return reader.end()
}

/** A trace that arrives in pieces; no more of it is held than is needed. @throws InputError TRACE_INVALID. */
export async function readTrace(pieces: AsyncIterable<TracePiece[]>, path: string): Promise<Trace> {
  const reader = new TraceReader(path)
  for await (const lines of pieces)
    for (const {text, number} of lines) {
      if (text === undefined) throw invalid(path, number, 'far longer than a request: expected one request a line')
      reader.line({text, number})
    }
  return reader.end()
}

/** A line; without its text where that was far longer than a request is. */
export interface TracePiece {
  number: number
  text?: string
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

function jsonRow(line: string, path: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw invalid(path, number, 'expected a JSON object')
}

/** Fields of a CSV line: quoted ones may hold commas, a doubled quote is one (RFC 4180). No line breaks within fields. */
export function csvFields(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map((field) => field.trim())
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
