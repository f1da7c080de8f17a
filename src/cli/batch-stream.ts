import {once} from 'node:events'
import type {Writable} from 'node:stream'
import {InputError} from '../core/input-error.ts'
import type {BoundedLine} from '../import/bounded-lines.ts'
import {type Result, toResult} from '../planner/answer/index.ts'
import {type FailCondition, type GateCase, gateCase, holding} from '../planner/plan/index.ts'
import type {CommandReport} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import {checkedLine, ScenarioLineSchema, scenarioProblems} from '../planner/scenario/schema.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import {stamped} from '../library/stamp.ts'
import {jsonText} from '../render/json-text.ts'
import {answerAsked} from './answer-asked.ts'
import {failureOf} from './failures.ts'
import {lineStream} from './lines.ts'

/** A longer line is no scenario: reading on would only fill memory. */
const MAX_LINE_CHARACTERS = 1_000_000
/** Characters of a foreign id that are echoed. */
const MAX_ID_CHARACTERS = 1000

export interface LineError {
  schemaVersion: 2
  id?: string
  error: {code: string; message: string; path?: string; suggestions?: string[]}
}

/** Lines of a file or of standard input. @throws InputError when the file cannot be opened, or is none. */
export const scenarioLines = (file: string): Promise<AsyncIterable<BoundedLine[]>> =>
  lineStream(file, 'a JSON Lines file, or -', {mostCharacters: MAX_LINE_CHARACTERS})

/** What a pipeline asks of a batch. */
export interface BatchGate {
  conditions: readonly FailCondition[]
  /** For messages and reports. */
  file?: string
  /** A case for each line, where a report is written. */
  cases?: GateCase[]
}

/**
 * Answers line by line, in order; returns how many lines were errors or failed on a condition. Waits when the reader is slow, so memory stays level: only
 * reports keep what they need of each line.
 */
export async function answerLines(
  context: Context,
  pieces: AsyncIterable<BoundedLine[]>,
  output: Writable,
  {conditions, file, cases}: BatchGate,
): Promise<number> {
  let errors = 0
  let number = 0
  for await (const lines of pieces)
    for (const {text} of lines) {
      number += 1
      if (text?.trim() === '') continue
      const result = text === undefined ? tooLong() : await answerLine(context, text)
      const failed = 'error' in result ? [] : holding(conditions, result)
      if ('error' in result || failed.length > 0) errors += 1
      if (cases) cases.push('error' in result ? errorCase(result, file, number) : gateCase(result, conditions, {isGate: false, file, line: number}))
      if (!output.write(`${jsonText(failed.length > 0 ? {...result, failed} : result)}\n`)) await once(output, 'drain')
    }
  return errors
}

const tooLong = (): LineError => {
  const most = MAX_LINE_CHARACTERS.toLocaleString('en-US')
  return failureOf(new InputError('LINE_TOO_LONG', `A line of more than ${most} characters: expected a scenario of at most ${most}`)).json
}

const errorCase = ({id, error: {code, message}}: LineError, file: string | undefined, line: number): GateCase => ({
  name: id ?? `line ${line}`,
  ...(file !== undefined && {file}),
  line,
  failures: [],
  warnings: [],
  error: {code, message},
  properties: {},
})

export async function answerLine(context: Context, line: string): Promise<(Result & {command?: CommandReport}) | LineError> {
  let id: string | undefined
  try {
    const value = parseLine(line)
    id = idOf(value)
    const parsed = checkedLine(value)
    if (!parsed.success) {
      const {messages, suggestions, path} = scenarioProblems(ScenarioLineSchema, parsed.error)
      const message = `scenario: ${messages.slice(0, 3).join('; ')}`
      return withId(id, {
        schemaVersion: 2,
        error: {code: 'SCENARIO_INVALID', message, ...(path !== '' && {path}), ...(suggestions.length > 0 && {suggestions})},
      })
    }
    const {answered, command} = await answerAsked(context, {...parsed.data, model: parsed.data.model ?? ''} as Scenario)
    return {...stamped(context.catalogue, toResult(answered.best, id)), ...(command && {command})}
  } catch (error) {
    return withId(id, failureOf(error).json)
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw new InputError('JSON_INVALID', `Not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

const idOf = (value: unknown): string | undefined => {
  const id = typeof value === 'object' && value !== null && 'id' in value ? (value as {id: unknown}).id : undefined
  return typeof id === 'string' ? id.slice(0, MAX_ID_CHARACTERS) : typeof id === 'number' ? String(id) : undefined
}

const withId = (id: string | undefined, error: LineError): LineError => (id === undefined ? error : {id, ...error})
