import {constants} from 'node:fs'
import {type FileHandle, open, statfs} from 'node:fs/promises'
import {InputError} from '../core/input-error.ts'

/** What is expected of a text, in words, and how many bytes of it at most. */
export interface TextLimits {
  what: string
  bytes: number
}

const MIB = 2 ** 20

/** Bytes that are read at a time. */
const PIECE_BYTES = MIB
const STREAM_BYTES = 2 ** 18

/** The paths of standard input: to read it is what `-` says. */
export const isStandardInput = (path: string): boolean => path === '-' || /^\/dev\/(?:stdin|fd\/0)$|^\/proc\/self\/fd\/0$/.test(path)

/** Pipes that the shell opened before we were started: `<(docker logs ...)`. A named one may never have a writer. */
const isOpenPipe = (path: string): boolean => /^\/dev\/fd\/\d+$|^\/proc\/self\/fd\/\d+$/.test(path)

/** File systems whose files the kernel makes up as they are read, some without end (statfs(2), linux/magic.h): proc, sysfs, debugfs, tracefs, cgroup2, securityfs. */
const KERNEL_FILE_SYSTEMS = new Set([0x9fa0, 0x62656572, 0x64626720, 0x74726163, 0x63677270, 0x73636673])

/** A file that is opened, and how much there is of it. */
interface OpenedFile {
  file: FileHandle
  sizeBytes: number
}

/**
 * A regular file of a user's, opened. What kind it is is asked of the open file, and opening never waits for a writer: a device or a pipe may
 * have no end, and its size says nothing. `pipes`: what the shell pipes in as a file is taken.
 *
 * @throws InputError FILE_UNREADABLE.
 */
async function openedFile(path: string, what: string, {pipes = false} = {}): Promise<OpenedFile> {
  let file: FileHandle | undefined
  try {
    const piped = pipes && isOpenPipe(path)
    file = await open(path, constants.O_RDONLY | (piped ? 0 : (constants.O_NONBLOCK ?? 0)))
    const found = await file.stat()
    const refuse = (kind: string) => new InputError('FILE_UNREADABLE', `${path} is ${kind}: expected ${what}`)
    if (found.isDirectory()) throw refuse('a directory')
    if (piped && found.isFIFO()) return {file, sizeBytes: 0}
    if (found.isFIFO()) throw refuse(pipes ? 'a named pipe, not a file (- reads standard input)' : 'a pipe, not a file')
    if (!found.isFile()) throw refuse('a device or socket, not a file')
    if (
      KERNEL_FILE_SYSTEMS.has(
        await statfs(path).then(
          ({type}) => type,
          () => 0,
        ),
      )
    )
      throw refuse('a file of the kernel, not one of yours')
    return {file, sizeBytes: found.size}
  } catch (error) {
    await file?.close()
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${what}`)
  }
}

/** The bytes of a user's file or of standard input as they are read; a file is closed at their end. @throws InputError FILE_UNREADABLE. */
export async function byteStream(path: string, what: string): Promise<AsyncIterable<Buffer>> {
  if (isStandardInput(path)) return readable(process.stdin as AsyncIterable<Buffer>, 'standard input', what)
  const {file} = await openedFile(path, what, {pipes: true})
  return readable(file.createReadStream({highWaterMark: STREAM_BYTES}), path, what)
}

/** Opened is not read: a disk may fail on the way, and standard input may be a directory. */
async function* readable(stream: AsyncIterable<Buffer>, name: string, what: string): AsyncGenerator<Buffer> {
  try {
    yield* stream
  } catch (error) {
    throw new InputError('FILE_UNREADABLE', `${name} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${what}`)
  }
}

/**
 * A text file of a user's, whole. Only regular files are read.
 *
 * @throws InputError FILE_UNREADABLE, FILE_TOO_LARGE, FILE_BINARY.
 */
export async function textOfFile(path: string, limits: TextLimits): Promise<string> {
  const {file, sizeBytes} = await openedFile(path, limits.what)
  try {
    if (sizeBytes > limits.bytes) throw tooLarge(path, limits, sizeBytes)
    return decodedText(await wholeOf(file, path, limits, sizeBytes), path, limits)
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${limits.what}`)
  } finally {
    await file.close()
  }
}

/** All bytes of a file. Its size is no promise: files of the kernel say 0, and others grow. */
async function wholeOf(file: FileHandle, path: string, limits: TextLimits, expected: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for (;;) {
    const {bytesRead, buffer} = await file.read(Buffer.alloc(Math.max(4096, Math.min(PIECE_BYTES, expected + 1 - size))))
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
