import {flush} from '@oclif/core/flush'
import {run} from '@oclif/core/run'

/** Starts oclif for the file that was executed. Commands turn errors into messages and exit codes themselves (commands/base). */
export async function start(executedFile: string): Promise<void> {
  await run(process.argv.slice(2), executedFile)
  await flush()
}
