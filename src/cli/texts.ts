import {readText} from './world.ts'
import {InputError} from '../core/input-error.ts'

/** Logs of chatty starts have megabytes; more than this is no start. */
const MAX_INPUT_BYTES = 256 * 2 ** 20

async function standardInput(): Promise<string> {
  if (process.stdin.isTTY) throw new InputError('INPUT_MISSING', '- reads standard input, which is a terminal: expected a pipe, such as docker logs NAME 2>&1 | servefit verify -')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_INPUT_BYTES) throw new InputError('FILE_TOO_LARGE', `Standard input has more than ${MAX_INPUT_BYTES / 2 ** 20} MiB: expected the log of a start`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** What files hold, each whole; `-` is standard input, once. */
export async function textsOf(files: readonly string[], what: string): Promise<string[]> {
  if (files.filter((file) => file === '-').length > 1) throw new InputError('INPUT_TWICE', '- stands for standard input: give it once')
  const texts: string[] = []
  for (const file of files) texts.push(file === '-' ? await standardInput() : await readText(file, what))
  return texts
}

/** Today as 2026-01-31. */
export const today = (): string => new Date().toISOString().slice(0, 10)
