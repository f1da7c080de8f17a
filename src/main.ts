import {flush} from '@oclif/core/flush'
import {run} from '@oclif/core/run'
import {normalisedArgv} from './cli/argv.ts'
import {failureOf} from './cli/failures.ts'
import {printFailure} from './cli/print-failure.ts'

export {COMMANDS} from 'servefit:commands'

/** `help` and `help COMMAND` are what `--help` says. */
const asked = (words: string[]): string[] => (words[0] === 'help' ? [...words.slice(1).filter((word) => word !== '--help'), '--help'] : words)

/** Starts oclif for the file that was executed. Commands answer for themselves; what fails before one is found is answered here. */
export async function start(executedFile: string): Promise<void> {
  // No configuration files of oclif's own: looking for them takes time.
  process.env.OCLIF_DISABLE_RC ??= '1'
  try {
    await run(normalisedArgv(asked(process.argv.slice(2))), executedFile)
    await flush()
  } catch (error) {
    printFailure(failureOf(error), process.argv.includes('--json'))
  }
}
