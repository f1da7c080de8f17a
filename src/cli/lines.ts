import {type BoundedLine, boundedLines, type LineLimits} from '../import/bounded-lines.ts'
import {byteStream} from '../import/text-file.ts'

interface StreamLimits extends LineLimits {
  /** What lies beyond is not read. */
  mostBytes?: number
}

/**
 * Lines of a file or of standard input, as they arrive. `what` was expected, in words.
 *
 * @throws InputError FILE_UNREADABLE when the file cannot be opened or read, or is none.
 */
export async function lineStream(file: string, what: string, limits: StreamLimits): Promise<AsyncIterable<BoundedLine[]>> {
  const bytes = await byteStream(file, what)
  return boundedLines(limits.mostBytes === undefined ? bytes : frontOf(bytes, limits.mostBytes), limits)
}

async function* frontOf(stream: AsyncIterable<Buffer>, mostBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const piece of stream) {
    yield piece
    bytes += piece.length
    if (bytes >= mostBytes) return
  }
}
