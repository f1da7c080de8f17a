const BLOCKS: Record<string, [number: number, elements: number, bytes: number]> = {
  F32: [0, 1, 4],
  F16: [1, 1, 2],
  Q4_0: [2, 32, 18],
  Q8_0: [8, 32, 34],
  Q4_K: [12, 256, 144],
  Q6_K: [14, 256, 210],
  BF16: [30, 1, 2],
  MXFP4: [39, 32, 17],
}

export type Value = number | string | boolean | number[] | string[]

export interface GgufOptions {
  version?: number
  bigEndian?: boolean
  /** Bytes of data that are left out at the end. */
  cut?: number
  tensorCount?: bigint
  keyCount?: bigint
}

/** Writes what a GGUF file begins with. Public for tests that break single fields. */
export class GgufWriter {
  private readonly bytes: number[] = []
  private readonly bigEndian: boolean

  constructor(bigEndian = false) {
    this.bigEndian = bigEndian
  }

  get length(): number {
    return this.bytes.length
  }

  private put(size: number, write: (view: DataView) => void): this {
    const view = new DataView(new ArrayBuffer(size))
    write(view)
    this.bytes.push(...new Uint8Array(view.buffer))
    return this
  }

  u32(value: number): this {
    return this.put(4, (view) => view.setUint32(0, value, !this.bigEndian))
  }
  f32(value: number): this {
    return this.put(4, (view) => view.setFloat32(0, value, !this.bigEndian))
  }
  u64(value: bigint | number): this {
    return this.put(8, (view) => view.setBigUint64(0, BigInt(value), !this.bigEndian))
  }

  text(value: string): this {
    const bytes = new TextEncoder().encode(value)
    this.u64(bytes.length)
    this.bytes.push(...bytes)
    return this
  }

  raw(...bytes: number[]): this {
    this.bytes.push(...bytes)
    return this
  }

  value(value: Value): this {
    if (typeof value === 'string') return this.u32(8).text(value)
    if (typeof value === 'boolean') return this.u32(7).raw(value ? 1 : 0)
    if (typeof value === 'number') return Number.isInteger(value) ? this.u32(4).u32(value) : this.u32(6).f32(value)
    this.u32(9)
    if (typeof value[0] === 'string') {
      this.u32(8).u64(value.length)
      for (const entry of value) this.text(entry as string)
    } else {
      this.u32(4).u64(value.length)
      for (const entry of value) this.u32(entry as number)
    }
    return this
  }

  done(dataBytes = 0): Uint8Array {
    const file = new Uint8Array(this.bytes.length + dataBytes)
    file.set(this.bytes)
    return file
  }
}

export type GgufEntry = readonly [name: string, type: string, shape: readonly number[]]

/** A whole GGUF file: keys, tensors (innermost dimension first) and zeros for data. */
export function gguf(
  metadata: Record<string, Value>,
  entries: readonly GgufEntry[],
  {version = 3, bigEndian = false, cut = 0, tensorCount, keyCount}: GgufOptions = {},
): Uint8Array {
  const writer = new GgufWriter(bigEndian)
    .raw(0x47, 0x47, 0x55, 0x46)
    .u32(version)
    .u64(tensorCount ?? entries.length)
    .u64(keyCount ?? Object.keys(metadata).length)
  for (const [key, value] of Object.entries(metadata)) writer.text(key).value(value)
  let at = 0
  for (const [name, type, shape] of entries) {
    const [number, blockElements, blockBytes] = BLOCKS[type]!
    writer.text(name).u32(shape.length)
    for (const size of shape) writer.u64(size)
    writer.u32(number).u64(at)
    at += (shape.reduce((product, size) => product * size, 1) / blockElements) * blockBytes
  }
  const padding = (32 - (writer.length % 32)) % 32
  return writer.done(Math.max(0, padding + at - cut))
}
