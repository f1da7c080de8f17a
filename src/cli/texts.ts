import {open} from 'node:fs/promises'
import {InputError} from '../core/input-error.ts'

/** Starts are at the front of a log; a server that has run for weeks has gigabytes behind it, which are not read. */
const LOG_BYTES = 64 * 2 ** 20
/** Results with every request in them are large, and only whole of use. */
const RESULT_BYTES = 256 * 2 ** 20

interface Limits {
  /** What was expected, in words. */
  what: string
  bytes: number
  /** What goes beyond is left unread rather than refused. */
  front: boolean
}

const tooLarge = (name: string, {bytes, what}: Limits) => new InputError('FILE_TOO_LARGE', `${name} has more than ${bytes / 2 ** 20} MiB: expected ${what}`)

async function standardInput(limits: Limits): Promise<string> {
  if (process.stdin.isTTY)
    throw new InputError('INPUT_MISSING', '- reads standard input, which is a terminal: expected a pipe, such as docker logs NAME 2>&1 | servefit verify -')
  return streamText(process.stdin as AsyncIterable<Buffer>, 'Standard input', limits)
}

async function streamText(stream: AsyncIterable<Buffer>, name: string, limits: Limits): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    size += chunk.length
    if (size <= limits.bytes) continue
    if (!limits.front) throw tooLarge(name, limits)
    break
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function fileText(path: string, limits: Limits): Promise<string> {
  const {what, bytes, front} = limits
  try {
    const file = await open(path)
    try {
      const found = await file.stat()
      if (found.isDirectory()) throw new InputError('FILE_UNREADABLE', `${path} is a directory: expected ${what}`)
      // A pipe (<(docker logs ...)) is read to its end; a device may have none.
      if (!found.isFile() && !found.isFIFO()) throw new InputError('FILE_UNREADABLE', `${path} is a device or socket, not a file: expected ${what}`)
      if (found.size > bytes && !front) throw tooLarge(path, limits)
      return await streamText(file.createReadStream({autoClose: false}), path, limits)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${what}`)
  }
}

async function textsOf(files: readonly string[], limits: Limits): Promise<string[]> {
  if (files.filter((file) => file === '-').length > 1) throw new InputError('INPUT_TWICE', '- stands for standard input: give it once')
  const texts: string[] = []
  for (const file of files) texts.push(file === '-' ? await standardInput(limits) : await fileText(file, limits))
  return texts
}

/** The front of each log; `-` is standard input, once. */
export const logTexts = (files: readonly string[]): Promise<string[]> => textsOf(files, {what: 'the log of a start', bytes: LOG_BYTES, front: true})

/** Each result whole; `-` is standard input, once. */
export const resultTexts = (files: readonly string[]): Promise<string[]> =>
  textsOf(files, {what: 'the result of a benchmark', bytes: RESULT_BYTES, front: false})

/** Today as 2026-01-31. */
export const today = (): string => new Date().toISOString().slice(0, 10)
