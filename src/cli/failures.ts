import {InputError} from '../core/input-error.ts'

/** Exit codes of the machine-readable contract. */
export const EXIT = {yes: 0, no: 1, input: 2, defect: 70} as const

export interface Failure {
  exitCode: number
  json: {error: {code: string; message: string; suggestions?: string[]}}
  text: string
}

const ISSUES = 'https://github.com/servefit/servefit/issues'

/** What oclif's parser throws: a wrong flag, a missing argument. It names itself by its constructor. */
function parserMessage(error: Error): string | undefined {
  const isParserError = 'oclif' in error && (error as {oclif?: {exit?: number}}).oclif?.exit === 2
  if (!isParserError) return undefined
  return error.message.split('\n').filter((line) => line.trim() !== '' && !/^See more help/i.test(line)).map((line) => line.trim()).join('; ').replaceAll(/\s+/g, ' ')
}

/** The one place that turns an error into words, JSON and an exit code. */
export function failureOf(thrown: unknown): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  if (error instanceof InputError) return inputFailure(error.code, error.message, error.suggestions)
  const parser = parserMessage(error)
  if (parser !== undefined) return inputFailure('FLAGS_INVALID', `${parser.replace(/\.$/, '')}: see --help`, [])
  return {
    exitCode: EXIT.defect,
    json: {error: {code: 'DEFECT', message: `A defect of servefit: ${error.message}`}},
    text: `servefit: a defect of ours: ${error.message}\n  Please report it with the command you ran: ${ISSUES}\n  DEBUG=servefit shows where it happened.\n`,
  }
}

function inputFailure(code: string, message: string, suggestions: string[]): Failure {
  const meant = suggestions.length === 0 ? '' : `  Did you mean ${suggestions.length === 1 ? suggestions[0] : `${suggestions.slice(0, -1).join(', ')} or ${suggestions.at(-1)}`}?\n`
  return {
    exitCode: EXIT.input,
    json: {error: {code, message, ...(suggestions.length > 0 && {suggestions})}},
    text: `servefit: ${message}\n${meant}`,
  }
}
