import {constants} from 'node:fs'
import {type FileHandle, open} from 'node:fs/promises'
import {InputError} from '../core/input-error.ts'

/** What is expected of a text, in words, and how many bytes of it at most. */
export interface TextLimits {
  what: string
  bytes: number
}

const MIB = 2 ** 20

/** Bytes that are read at a time. */
const PIECE_BYTES = MIB

/** The paths of standard input: to read it is what `-` says. */
export const isStandardInput = (path: string): boolean => path === '-' || /^\/dev\/(?:stdin|fd\/0)$|^\/proc\/self\/fd\/0$/.test(path)

/**
 * A text file of a user's, whole. Only regular files are read: a device or a pipe may have no end, and its size says nothing. What
 * kind it is is asked of the open file, and opening never waits for a writer.
 *
 * @throws InputError FILE_UNREADABLE, FILE_TOO_LARGE, FILE_BINARY.
 */
export async function textOfFile(path: string, limits: TextLimits): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const found = await file.stat()
    if (found.isDirectory()) throw new InputError('FILE_UNREADABLE', `${path} is a directory: expected ${limits.what}`)
    if (!found.isFile())
      throw new InputError('FILE_UNREADABLE', `${path} is ${found.isFIFO() ? 'a pipe' : 'a device or socket'}, not a file: expected ${limits.what}`)
    if (found.size > limits.bytes) throw tooLarge(path, limits, found.size)
    return decodedText(await wholeOf(file, path, limits), path, limits)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${limits.what}`)
  } finally {
    await file?.close()
  }
}

/** All bytes of a file. Its size is no promise: files of the kernel say 0, and others grow. */
async function wholeOf(file: FileHandle, path: string, limits: TextLimits): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for (;;) {
    const {bytesRead, buffer} = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, null)
    if (bytesRead === 0) return Buffer.concat(pieces)
    size += bytesRead
    if (size > limits.bytes) throw tooLarge(path, limits)
    pieces.push(buffer.subarray(0, bytesRead))
  }
}

/** A stream whole, no more of it held than is allowed. @throws InputError FILE_TOO_LARGE, FILE_BINARY. */
export async function textOfStream(stream: AsyncIterable<Buffer>, name: string, limits: TextLimits): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of stream) {
    size += piece.length
    if (size > limits.bytes) throw tooLarge(name, limits)
    pieces.push(piece)
  }
  return decodedText(Buffer.concat(pieces), name, limits)
}

function tooLarge(name: string, {what, bytes}: TextLimits, size?: number): InputError {
  const much = size === undefined ? `more than ${bytes / MIB} MiB` : `${Math.round(size / MIB)} MiB`
  return new InputError('FILE_TOO_LARGE', `${name} has ${much}: expected ${what} of at most ${bytes / MIB} MiB`)
}

/** UTF-8, or UTF-16 with its mark, as PowerShell's `>` writes. */
function decodedText(bytes: Buffer, name: string, {what}: TextLimits): string {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le')
  if (bytes.length >= 2 && bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
      .swap16()
      .toString('utf16le')
  if (bytes.subarray(0, 4096).includes(0)) throw new InputError('FILE_BINARY', `${name} is a binary file: expected ${what}`)
  const text = bytes.toString('utf8')
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
