import {InputError} from '../../core/input-error.ts'
import type {ByteSource} from '../byte-source.ts'
import {Cursor, NeedsMore} from './cursor.ts'
import {GGML_TYPES, type GgmlType} from './types.ts'

/** A tensor as a GGUF header lists it. The first dimension is the innermost: the inputs of a matrix. */
export interface GgufTensor {
  name: string
  shape: number[]
  type: GgmlType
  elements: number
  bytes: number
}

/** A value of the metadata. Long texts and arrays are not kept: an array is then its length alone. */
export type GgufValue = number | boolean | string | number[] | {length: number}

export interface GgufHeader {
  version: number
  metadata: Map<string, GgufValue>
  tensors: GgufTensor[]
}

/** Longest header that is read; the vocabularies of the largest models take 15 MB with their merges. */
const MAX_HEADER_BYTES = 128 * 2 ** 20
const FIRST_READ_BYTES = 2 ** 20
const MAX_KEYS = 10_000
/** Tensors of one file. Old files hold each expert apart: 60 layers of 256 experts are 46,000. */
const MAX_TENSORS = 200_000
const MAX_DIMENSIONS = 8
const MAX_KEPT_TEXT_BYTES = 4096
const MAX_KEPT_ENTRIES = 4096
const MAX_ARRAY_DEPTH = 4

/**
 * Metadata and tensors of a GGUF file (version 2 or 3, either byte order), from its header alone: ggml-org/ggml docs/gguf.md.
 * Time and memory are bounded by the header's length, which is at most 128 MiB.
 *
 * @throws InputError GGUF_INVALID naming what is wrong, FILE_TRUNCATED where the file ends too early.
 */
export async function readGgufHeader(source: ByteSource): Promise<GgufHeader> {
  let bytes = await source.read(0, Math.min(FIRST_READ_BYTES, source.sizeBytes))
  for (;;) {
    try {
      return parseGgufHeader(bytes, source.name, source.sizeBytes)
    } catch (error) {
      if (!(error instanceof NeedsMore)) throw error
      if (error.bytes > MAX_HEADER_BYTES)
        throw new InputError('GGUF_INVALID', `${source.name}: its header is longer than ${MAX_HEADER_BYTES / 2 ** 20} MiB; expected a GGUF file`)
      const wanted = Math.min(MAX_HEADER_BYTES, source.sizeBytes, Math.max(error.bytes, bytes.length * 4))
      const more = await source.read(bytes.length, wanted - bytes.length)
      if (more.length < wanted - bytes.length) throw new InputError('FILE_TRUNCATED', `${source.name} is cut off inside its header. Download it again`)
      const whole = new Uint8Array(wanted)
      whole.set(bytes)
      whole.set(more, bytes.length)
      bytes = whole
    }
  }
}

/** The same from bytes at hand. @throws NeedsMore where they end inside the header. */
function parseGgufHeader(bytes: Uint8Array, name: string, sizeBytes: number): GgufHeader {
  const cursor = new Cursor(bytes, name, sizeBytes)
  if (sizeBytes < 24) throw cursor.refuse(`only ${sizeBytes} bytes long`)
  if (cursor.u32() !== 0x46554747) throw cursor.refuse('it does not begin with GGUF')
  let version = cursor.u32()
  if (version > 0xffff) {
    // The byte order is told by the version alone.
    cursor.littleEndian = false
    cursor.position -= 4
    version = cursor.u32()
  }
  if (version !== 2 && version !== 3) throw cursor.refuse(`version ${version} is not read, only 2 and 3: convert it again`)
  const tensorCount = cursor.count('the number of tensors')
  const keyCount = cursor.count('the number of keys')
  if (tensorCount > MAX_TENSORS)
    throw cursor.refuse(`it claims ${tensorCount.toLocaleString('en-US')} tensors, more than ${MAX_TENSORS.toLocaleString('en-US')}`)
  if (keyCount > MAX_KEYS) throw cursor.refuse(`it claims ${keyCount.toLocaleString('en-US')} keys, more than ${MAX_KEYS.toLocaleString('en-US')}`)
  const metadata = new Map<string, GgufValue>()
  for (let index = 0; index < keyCount; index++) {
    const key = cursor.text('a key', 1024)
    if (key === undefined) throw cursor.refuse('a key is longer than 1,024 bytes')
    if (metadata.has(key)) throw cursor.refuse(`key ${JSON.stringify(key)} occurs twice`)
    metadata.set(key, value(cursor, key, cursor.u32(), 0))
  }
  const tensors = tensorsOf(cursor, tensorCount, metadata)
  return {version, metadata, tensors}
}

const STRING = 8
const ARRAY = 9

function scalar(cursor: Cursor, key: string, type: number): number | boolean {
  switch (type) {
    case 0:
      return cursor.u8()
    case 1:
      return cursor.i8()
    case 2:
      return cursor.u16()
    case 3:
      return cursor.i16()
    case 4:
      return cursor.u32()
    case 5:
      return cursor.i32()
    case 6:
      return cursor.f32()
    case 7:
      return cursor.u8() !== 0
    case 10:
      return cursor.u64()
    case 11:
      return cursor.i64()
    case 12:
      return cursor.f64()
    default:
      throw cursor.refuse(`key ${JSON.stringify(key)} has a value of the unknown type ${type}`)
  }
}

const SCALAR_BYTES: Readonly<Record<number, number>> = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

function value(cursor: Cursor, key: string, type: number, depth: number): GgufValue {
  if (type === STRING) return cursor.text(`the value of ${JSON.stringify(key)}`, MAX_KEPT_TEXT_BYTES) ?? {length: 0}
  if (type !== ARRAY) return scalar(cursor, key, type)
  if (depth >= MAX_ARRAY_DEPTH) throw cursor.refuse(`key ${JSON.stringify(key)} has arrays nested deeper than ${MAX_ARRAY_DEPTH}`)
  const entryType = cursor.u32()
  const length = cursor.count(`the length of ${JSON.stringify(key)}`)
  const width = SCALAR_BYTES[entryType]
  if (width !== undefined) {
    if (length <= MAX_KEPT_ENTRIES) return Array.from({length}, () => Number(scalar(cursor, key, entryType)))
    cursor.take(length * width)
    return {length}
  }
  if (entryType !== STRING && entryType !== ARRAY) throw cursor.refuse(`key ${JSON.stringify(key)} has entries of the unknown type ${entryType}`)
  for (let index = 0; index < length; index++) {
    if (entryType === STRING) cursor.text(`an entry of ${JSON.stringify(key)}`, -1)
    else value(cursor, key, ARRAY, depth + 1)
  }
  return {length}
}

function tensorsOf(cursor: Cursor, tensorCount: number, metadata: Map<string, GgufValue>): GgufTensor[] {
  const names = new Set<string>()
  const tensors: GgufTensor[] = []
  let last = 0
  for (let index = 0; index < tensorCount; index++) {
    const name = cursor.text("a tensor's name", 1024)
    if (name === undefined) throw cursor.refuse("a tensor's name is longer than 1,024 bytes")
    if (names.has(name)) throw cursor.refuse(`tensor ${JSON.stringify(name)} occurs twice`)
    names.add(name)
    const {tensor, offset} = tensorOf(cursor, name)
    tensors.push(tensor)
    last = Math.max(last, offset + tensor.bytes)
  }
  const alignment = metadata.get('general.alignment') ?? 32
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    throw cursor.refuse('general.alignment is no power of two')
  cursor.position = Math.ceil(cursor.position / alignment) * alignment
  cursor.checkEnd(tensors.length === 0 ? 0 : last)
  return tensors
}

function tensorOf(cursor: Cursor, name: string): {tensor: GgufTensor; offset: number} {
  const what = `tensor ${JSON.stringify(name)}`
  const dimensions = cursor.u32()
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) throw cursor.refuse(`${what} has ${dimensions} dimensions`)
  const shape = Array.from({length: dimensions}, () => cursor.count(`a dimension of ${what}`))
  const number = cursor.u32()
  const offset = cursor.count(`the offset of ${what}`)
  const type = GGML_TYPES[number]
  if (!type) throw cursor.refuse(`${what} has the unknown type ${number}`)
  const elements = shape.reduce((product, size) => product * size, 1)
  if (!Number.isSafeInteger(elements * type.blockBytes) || elements < 1) throw cursor.refuse(`${what} is ${shape.join(' x ')}, which cannot be`)
  if (shape[0]! % type.blockElements !== 0)
    throw cursor.refuse(`${what} has rows of ${shape[0]}, which are no whole blocks of ${type.blockElements} (${type.name})`)
  return {tensor: {name, shape, type, elements, bytes: (elements / type.blockElements) * type.blockBytes}, offset}
}
