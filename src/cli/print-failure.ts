import {linesWithoutActing} from '../core/acting-characters.ts'
import {jsonText} from '../render/json-text.ts'
import type {Failure} from './failures.ts'

/** DEBUG=servefit (or servefit*, or *) asks for stack traces. */
export const debugging = (): boolean => /(^|,)\s*(\*|servefit)/.test(process.env.DEBUG ?? '')

/** Says what went wrong, as JSON on standard output or as text on standard error, and sets the exit code. */
export function printFailure(failure: Failure, asJson: boolean, stack?: string): void {
  process.exitCode = failure.exitCode
  if (asJson) process.stdout.write(`${jsonText(failure.json, 2)}\n`)
  else process.stderr.write(failure.text)
  if (stack && debugging()) process.stderr.write(`${linesWithoutActing(stack, () => '?')}\n`)
}
