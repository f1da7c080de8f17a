import {constants} from 'node:fs'
import {type FileHandle, open} from 'node:fs/promises'
import {InputError} from '../core/input-error.ts'

/** A file that is read in pieces: on disk, or on a hub by range requests. */
export interface ByteSource {
  /** As the user knows it, for messages. */
  readonly name: string
  readonly sizeBytes: number
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** A file on disk. @throws InputError FILE_UNREADABLE. */
export async function fileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle | undefined
  try {
    // A pipe is not waited for: it is refused below.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const found = await handle.stat()
    if (!found.isFile()) throw new InputError('FILE_UNREADABLE', `${path} is not a file`)
    return sourceOf(path, handle, found.size)
  } catch (error) {
    await handle?.close()
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`)
  }
}

function sourceOf(name: string, handle: FileHandle, sizeBytes: number): ByteSource {
  return {
    name,
    sizeBytes,
    read: async (offset, length) => {
      const wanted = Math.max(0, Math.min(length, sizeBytes - offset))
      const buffer = new Uint8Array(wanted)
      let done = 0
      while (done < wanted) {
        const {bytesRead} = await handle.read(buffer, done, wanted - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return done === wanted ? buffer : buffer.subarray(0, done)
    },
    close: () => handle.close(),
  }
}

/** Bytes in memory: for headers that arrived whole. */
export const memorySource = (name: string, bytes: Uint8Array, sizeBytes = bytes.length): ByteSource => ({
  name,
  sizeBytes,
  read: async (offset, length) => bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length)),
  close: async () => {},
})
