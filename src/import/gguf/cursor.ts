import {InputError} from '../../core/input-error.ts'

/** Thrown where the bytes at hand end before the header does: the reader fetches more and begins again. */
export class NeedsMore extends Error {
  /** Bytes from the beginning of the file that are needed at least. */
  readonly bytes: number
  constructor(bytes: number) {
    super('needs more')
    this.bytes = bytes
  }
}

/** Reads numbers and texts one after another from the beginning of a file. */
export class Cursor {
  littleEndian = true
  position = 0
  private readonly view: DataView
  private readonly name: string
  private readonly sizeBytes: number

  constructor(bytes: Uint8Array, name: string, sizeBytes: number) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.name = name
    this.sizeBytes = sizeBytes
  }

  refuse(message: string): InputError {
    return new InputError('GGUF_INVALID', `${this.name}: ${message}; expected a GGUF file`)
  }

  /** Start of the next `bytes` bytes, which are passed over. */
  take(bytes: number): number {
    const at = this.position
    const end = at + bytes
    if (end > this.sizeBytes) throw new InputError('FILE_TRUNCATED', `${this.name} is cut off inside its header. Download it again`)
    if (end > this.view.byteLength) throw new NeedsMore(end)
    this.position = end
    return at
  }

  u8(): number {
    return this.view.getUint8(this.take(1))
  }
  i8(): number {
    return this.view.getInt8(this.take(1))
  }
  u16(): number {
    return this.view.getUint16(this.take(2), this.littleEndian)
  }
  i16(): number {
    return this.view.getInt16(this.take(2), this.littleEndian)
  }
  u32(): number {
    return this.view.getUint32(this.take(4), this.littleEndian)
  }
  i32(): number {
    return this.view.getInt32(this.take(4), this.littleEndian)
  }
  f32(): number {
    return this.view.getFloat32(this.take(4), this.littleEndian)
  }
  f64(): number {
    return this.view.getFloat64(this.take(8), this.littleEndian)
  }

  /** A 64-bit count; beyond 2^53 none is meant seriously. */
  count(what: string): number {
    const value = Number(this.view.getBigUint64(this.take(8), this.littleEndian))
    if (!Number.isSafeInteger(value)) throw this.refuse(`${what} is ${value}`)
    return value
  }

  /** The data begin here; so many bytes of it must be in the file. */
  checkEnd(dataBytes: number): void {
    const short = this.position + dataBytes - this.sizeBytes
    if (short > 0)
      throw new InputError('FILE_TRUNCATED', `${this.name} is cut off: its tensors end ${short.toLocaleString('en-US')} bytes beyond it. Download it again`)
  }

  /** A signed 64-bit number, rounded where a double cannot hold it. */
  i64(): number {
    return Number(this.view.getBigInt64(this.take(8), this.littleEndian))
  }
  u64(): number {
    return Number(this.view.getBigUint64(this.take(8), this.littleEndian))
  }

  /** A text with its length before it; one longer than `kept` bytes is passed over and not returned. */
  text(what: string, kept: number): string | undefined {
    const length = this.count(`the length of ${what}`)
    const at = this.take(length)
    if (length > kept) return undefined
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, this.view.byteOffset + at, length))
  }
}
