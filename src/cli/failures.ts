import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'
import {harmless} from '../render/style.ts'

/** Exit codes of the machine-readable contract. */
export const EXIT = {yes: 0, no: 1, input: 2, defect: 70} as const

export interface Failure {
  exitCode: number
  json: {error: {code: string; message: string; suggestions?: string[]}}
  text: string
}

/** What oclif's parser throws, told by its shape: names of classes do not survive bundling. */
interface ParserError extends Error {
  oclif?: {exit?: number}
  /** Arguments that are missing, or that are too many. */
  args?: {name: string; description?: string}[] | string[]
  /** Flags that the command does not have, as they were written. */
  flags?: string[]
  parse?: {input?: {flags?: Record<string, {aliases?: string[]}>}}
}

function parserFailure(error: ParserError): Failure | undefined {
  const unknown = /^command (.+) not found$/.exec(error.message)
  if (unknown) {
    // oclif takes the arguments for parts of the command's name.
    const [topic = '', word] = unknown[1]!.split(':')
    const asked = topic === 'models' && word ? `${topic} ${word}` : topic
    return inputFailure('COMMAND_UNKNOWN', `No command ${quotedShort(asked)}: servefit --help lists them`, nearest(asked, COMMAND_NAMES))
  }
  if (error.oclif?.exit !== 2) return undefined
  const missing = /^Missing \d+ required arg/.test(error.message) ? error.args?.[0] : undefined
  if (typeof missing === 'object')
    return inputFailure('ARGUMENT_MISSING', `Missing ${missing.name.toUpperCase()}: expected ${missing.description ?? 'a value'}`, [])
  const text = error.message
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^See more help/i.test(line))
    .map((line) => line.trim())
    .join('; ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(':;', ':')
    .replace(/\.$/, '')
  return inputFailure('FLAGS_INVALID', `${text}: see --help`, flagsNear(error))
}

function flagsNear({message, flags, parse}: ParserError): string[] {
  const [asked] = flags ?? []
  if (!/^Nonexistent flag/i.test(message) || typeof asked !== 'string') return []
  const spellings = Object.entries(parse?.input?.flags ?? {}).flatMap(([name, {aliases = []}]) => [name, ...aliases])
  return nearest(asked.replace(/^-+/, ''), spellings).map((name) => `--${name}`)
}

/** For "did you mean" before any command is loaded. */
const COMMAND_NAMES = [
  'check',
  'config',
  'plan',
  'compare',
  'capacity',
  'diff',
  'detect',
  'doctor',
  'models',
  'models show',
  'models import',
  'gpus',
  'machines',
  'engines',
  'batch',
  'verify',
  'calibrate',
  'schema',
  'help',
]

/** The one place that turns an error into words, JSON and an exit code. */
export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (error instanceof InputError) return inputFailure(error.code, withoutParserWords(error.message), error.suggestions)
  const parser = parserFailure(error)
  if (parser) return parser
  return {
    exitCode: EXIT.defect,
    json: {error: {code: 'DEFECT', message: `A defect of servefit: ${error.message}`}},
    text: `servefit: a defect of ours: ${harmless(error.message)}\n  Please report it with the command you ran and what DEBUG=servefit adds: it shows where it happened.\n`,
  }
}

/** oclif's parser wraps what a flag's own check says. */
const withoutParserWords = (message: string): string => message.replace(/^Parsing --\S+\s+/, '').replace(/\s*See more help with --help$/, '')

function inputFailure(code: string, message: string, suggestions: string[]): Failure {
  // Open models near a closed one are named in the message: nobody misspelt it.
  const meant =
    suggestions.length === 0 || code === 'MODEL_CLOSED'
      ? ''
      : `  Did you mean ${suggestions.length === 1 ? suggestions[0] : `${suggestions.slice(0, -1).join(', ')} or ${suggestions.at(-1)}`}?\n`
  return {
    exitCode: EXIT.input,
    json: {error: {code, message, ...(suggestions.length > 0 && {suggestions})}},
    // Messages quote names from files and hubs: nothing in them may move the cursor.
    text: `servefit: ${harmless(message)}\n${harmless(meant.trimEnd())}${meant === '' ? '' : '\n'}`,
  }
}
