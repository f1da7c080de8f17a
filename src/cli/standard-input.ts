import {InputError} from '../core/input-error.ts'
import {textOfStream, type TextLimits} from '../import/text-file.ts'

/** Streams that somebody reads whole already. */
const READ = new WeakSet<object>()

/** Standard input whole. `example` is a pipe that would give it. @throws InputError where it is a terminal, or was read before. */
export async function standardInputText(limits: TextLimits, example: string): Promise<string> {
  const {stdin} = process
  if (stdin.isTTY) throw new InputError('INPUT_MISSING', `- reads standard input, which is a terminal: expected a pipe, such as ${example}`)
  if (READ.has(stdin) || stdin.readableDidRead) throw new InputError('INPUT_TWICE', '- stands for standard input, which has been read already: give it once')
  READ.add(stdin)
  return textOfStream(stdin as AsyncIterable<Buffer>, 'Standard input', limits)
}
