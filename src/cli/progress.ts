/** Work shorter than this shows no spinner. */
const PATIENCE_MS = 500
/** As a shell reports a program that SIGINT ended. */
const INTERRUPTED = 130
/** Ours rather than ora's: its collection of two hundred is not bundled. */
const SPINNER = {interval: 100, frames: ['-', '\\', '|', '/']}

/** Runs the work; a spinner says what is being done, on standard error, only on a terminal and only once it takes long. */
export async function withProgress<T>(what: string, work: () => Promise<T>): Promise<T> {
  // A terminal that knows no width (some pseudo-terminals) would have ora count lines without end.
  if (!process.stderr.isTTY || !(process.stderr.columns > 0)) return work()
  let stop = (): void => {}
  let finished = false
  const timer = setTimeout(async () => {
    // Standard input stays as it is: in raw mode an interruption would be a character that waits to be read.
    const {default: ora} = await import('ora')
    if (finished) return
    const spinner = ora({text: what, stream: process.stderr, spinner: SPINNER, discardStdin: false}).start()
    const interrupted = (): void => {
      spinner.stop()
      process.exit(INTERRUPTED)
    }
    process.once('SIGINT', interrupted)
    stop = () => {
      process.off('SIGINT', interrupted)
      spinner.stop()
    }
  }, PATIENCE_MS)
  try {
    return await work()
  } finally {
    finished = true
    clearTimeout(timer)
    stop()
  }
}
