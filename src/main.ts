import {flush} from '@oclif/core/flush'
import {run} from '@oclif/core/run'
import {normalisedArgv} from './cli/argv.ts'
import {failureOf} from './cli/failures.ts'
import {printFailure} from './cli/print-failure.ts'

export {COMMANDS} from 'servefit:commands'
export {ServefitHelp} from './cli/help.ts'

/** Flags that ask about the tool itself. */
const ABOUT = new Set(['--help', '-h', '--version', '-v'])

/** `help` and `help COMMAND` are what `--help` says; without a command the question is what this machine is and what fits it. */
function asked(words: string[]): string[] {
  const [first] = words
  if (first === 'help') return [...words.slice(1).filter((word) => word !== '--help'), '--help']
  if (first === undefined || (first.startsWith('-') && !words.some((word) => ABOUT.has(word)))) return ['here', ...words]
  return words
}

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
