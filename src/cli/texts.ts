import {InputError} from '../core/input-error.ts'
import {byteStream, isStandardInput, textOfStream} from '../import/text-file.ts'
import {lineStream} from './lines.ts'
import {standardInputText} from './standard-input.ts'

/** What is read of a log, which may have no end. */
const LOG = {mostLines: 20_000_000, mostBytes: 4 * 2 ** 30, mostCharacters: 2_000_000, keepFront: true}
/** Results with every request in them are large, and only whole of use. */
const RESULT = {what: 'the result of a benchmark', bytes: 256 * 2 ** 20}

const inputOnce = (files: readonly string[]): void => {
  if (files.filter(isStandardInput).length > 1) throw new InputError('INPUT_TWICE', '- stands for standard input: give it once')
}

/** What matters of a log, in bounded memory. */
async function logText(file: string): Promise<string> {
  if (isStandardInput(file) && process.stdin.isTTY)
    throw new InputError('INPUT_MISSING', '- reads standard input, which is a terminal: expected a pipe, such as docker logs NAME 2>&1 | servefit verify -')
  const {CondensedLog} = await import('../verify/condensed-log.ts')
  const log = new CondensedLog()
  for await (const lines of await lineStream(file, 'the log of a start', LOG)) {
    for (const {text} of lines) log.add(text ?? '')
    if (lines.at(-1)!.number >= LOG.mostLines) break
  }
  return log.text()
}

/** What matters of each log; `-` is standard input, once. */
export async function logTexts(files: readonly string[]): Promise<string[]> {
  inputOnce(files)
  const texts: string[] = []
  for (const file of files) texts.push(await logText(file))
  return texts
}

/** Each result whole; `-` is standard input, once. */
export async function resultTexts(files: readonly string[]): Promise<string[]> {
  inputOnce(files)
  const texts: string[] = []
  for (const file of files)
    texts.push(
      isStandardInput(file)
        ? await standardInputText(RESULT, 'vllm bench serve ... | servefit verify --bench -')
        : await textOfStream(await byteStream(file, RESULT.what), file, RESULT),
    )
  return texts
}

/** Today as 2026-01-31. */
export const today = (): string => new Date().toISOString().slice(0, 10)
