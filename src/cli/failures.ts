import {InputError, shortMessage} from '../core/input-error.ts'
import {harmless} from '../render/style.ts'
import {inWords, parserFailure, type Typed} from './parser-failures.ts'

/** Exit codes of the machine-readable contract. */
export const EXIT = {yes: 0, no: 1, input: 2, defect: 70} as const

export interface Failure {
  exitCode: number
  json: {schemaVersion: 2; error: {code: string; message: string; suggestions?: string[]}}
  text: string
}

/** The one place that turns an error into words, JSON and an exit code. */
export function failureOf(thrown: unknown, typed: Typed = {argv: []}): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (error instanceof InputError) return inputFailure(error.code, withoutParserWords(error.message), error.suggestions)
  const parser = parserFailure(error, typed)
  if (parser) return inputFailure(parser.code, parser.message, parser.suggestions)
  return {
    exitCode: EXIT.defect,
    json: {schemaVersion: 2, error: {code: 'DEFECT', message: `A bug in servefit: ${shortMessage(error.message)}`}},
    text: `servefit: this is a bug in servefit: ${harmless(shortMessage(error.message))}\n  Please report it with the command that you ran and what it prints with DEBUG=servefit, which shows where it happened.\n`,
  }
}

/** oclif's parser wraps what a flag's own check says. */
const withoutParserWords = (message: string): string => message.replace(/^Parsing --\S+\s+/, '').replace(/\s*See more help with --help$/, '')

function inputFailure(code: string, whole: string, suggestions: string[]): Failure {
  const message = shortMessage(whole)
  // Open models near a closed one are named in the message: nobody misspelt it.
  const meant = suggestions.length === 0 || code === 'MODEL_CLOSED' ? '' : `  Did you mean ${inWords(suggestions)}?\n`
  return {
    exitCode: EXIT.input,
    json: {schemaVersion: 2, error: {code, message, ...(suggestions.length > 0 && {suggestions})}},
    // Messages quote names from files and hubs: nothing in them may move the cursor.
    text: `servefit: ${harmless(message)}\n${harmless(meant.trimEnd())}${meant === '' ? '' : '\n'}`,
  }
}
