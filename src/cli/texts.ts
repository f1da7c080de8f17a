import {InputError} from '../core/input-error.ts'
import {fileStream} from '../import/text-file.ts'

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
  const stream = await fileStream(path, limits.what)
  try {
    return await streamText(stream, path, limits)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${limits.what}`)
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
