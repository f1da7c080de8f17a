import {InputError} from '../core/input-error.ts'
import type {ByteSource} from './byte-source.ts'
import {type InTurn, turns} from './model-folder.ts'
import {HeaderText} from './header-json.ts'
import {dictionary} from '../core/dictionary.ts'

/** A tensor as a weight file's header lists it. */
export interface StoredTensor {
  name: string
  /** `BF16`, `F8_E4M3`, `I32`, ...: the type of the stored elements, several weights of which may share one. */
  dtype: string
  shape: number[]
  bytes: number
}

/** Bits of an element: huggingface/safetensors safetensors/src/tensor.rs, `Dtype::bitsize`. */
const BITS: Record<string, number> = dictionary({
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
})

/** The reference reader's own limit (`MAX_HEADER_SIZE`, same file). */
const MAX_HEADER_BYTES = 100_000_000
/** Tensors of one file; the fullest published shards hold about 40,000 (experts with their scales). */
const MAX_TENSORS = 250_000
const MAX_DIMENSIONS = 8
/** Larger headers, of which no published file has one, are held one at a time: a few hundred of them would fill the memory. */
const LARGE_HEADER_BYTES = 8_000_000
/** Read at once in the hope that the header is in it: most are. */
const FIRST_READ_BYTES = 128 * 1024

const MIB = 2 ** 20

/**
 * The tensors of a safetensors file, from its header alone: 8 bytes with the header's length, little endian, then JSON.
 * Time and memory are bounded by the length of the header, which is at most 100 MB.
 *
 * `inTurn` is shared by files that are read at once.
 *
 * @throws InputError SAFETENSORS_INVALID naming what is wrong, FILE_TRUNCATED where tensors lie beyond the end of the file.
 */
export async function readSafetensorsHeader(source: ByteSource, inTurn: InTurn = turns()): Promise<StoredTensor[]> {
  const {name, sizeBytes} = source
  const refuse = (message: string) => new InputError('SAFETENSORS_INVALID', `${name}: ${message}; expected a safetensors file`)
  if (sizeBytes < 10) throw refuse(`only ${sizeBytes} bytes long`)
  const first = await source.read(0, Math.min(FIRST_READ_BYTES, sizeBytes))
  if (first.length < 8) throw truncated(name, 'its header is missing')
  const view = new DataView(first.buffer, first.byteOffset, 8)
  const headerBytes = view.getUint32(4, true) * 2 ** 32 + view.getUint32(0, true)
  if (headerBytes > MAX_HEADER_BYTES)
    throw refuse(`its header claims ${headerBytes.toLocaleString('en-US')} bytes, more than the ${MAX_HEADER_BYTES / 1e6} MB that the format allows`)
  if (headerBytes < 2) throw refuse(`its header claims ${headerBytes} bytes`)
  if (8 + headerBytes > sizeBytes)
    throw truncated(name, `its header of ${headerBytes.toLocaleString('en-US')} bytes goes beyond its ${sizeBytes.toLocaleString('en-US')}`)
  const read = async () => {
    const bytes = 8 + headerBytes <= first.length ? first.subarray(8, 8 + headerBytes) : await rest(source, first, headerBytes)
    let text: string
    try {
      text = new TextDecoder('utf-8', {fatal: true}).decode(bytes)
    } catch {
      throw refuse('its header is not UTF-8 text')
    }
    return tensorsIn(text, sizeBytes - 8 - headerBytes, name, refuse)
  }
  return headerBytes > LARGE_HEADER_BYTES ? inTurn(read) : read()
}

const truncated = (name: string, why: string) => new InputError('FILE_TRUNCATED', `${name} is cut off: ${why}. Download it again`)

async function rest(source: ByteSource, first: Uint8Array, headerBytes: number): Promise<Uint8Array> {
  const more = await source.read(first.length, 8 + headerBytes - first.length)
  if (first.length + more.length < 8 + headerBytes) throw truncated(source.name, 'its header does not end')
  const whole = new Uint8Array(headerBytes)
  whole.set(first.subarray(8))
  whole.set(more, first.length - 8)
  return whole
}

function tensorsIn(text: string, dataBytes: number, name: string, refuse: (message: string) => Error): StoredTensor[] {
  const header = new HeaderText(text, refuse)
  const tensors: StoredTensor[] = []
  let stored = 0
  let last = 0
  header.object('its header', MAX_TENSORS, (key) => {
    if (key === '__metadata__') header.object('__metadata__', 10_000, () => header.string(MIB))
    else {
      const {tensor, end} = tensorOf(header, key, refuse)
      tensors.push(tensor)
      stored += tensor.bytes
      last = Math.max(last, end)
    }
  })
  header.end()
  if (last > dataBytes) throw truncated(name, `its tensors end ${(last - dataBytes).toLocaleString('en-US')} bytes beyond it`)
  if (stored > dataBytes) throw refuse('its tensors overlap')
  return tensors
}

function tensorOf(header: HeaderText, name: string, refuse: (message: string) => Error): {tensor: StoredTensor; end: number} {
  const what = `tensor ${JSON.stringify(name.slice(0, 200))}`
  let dtype: string | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  header.object(what, 3, (key) => {
    if (key === 'dtype') dtype = header.string(32)
    else if (key === 'shape') shape = header.counts(`the shape of ${what}`, MAX_DIMENSIONS)
    else if (key === 'data_offsets') offsets = header.counts(`data_offsets of ${what}`, 2)
    else throw refuse(`${what} has a field ${JSON.stringify(key.slice(0, 60))}`)
  })
  if (dtype === undefined || shape === undefined || offsets?.length !== 2)
    throw refuse(`${what} lacks ${dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets'}`)
  const bits = Object.hasOwn(BITS, dtype) ? BITS[dtype]! : undefined
  if (bits === undefined) throw refuse(`${what} has the unknown dtype ${JSON.stringify(dtype)}`)
  const elements = shape.reduce((product, size) => product * size, 1)
  const [begin, end] = offsets as [number, number]
  const bytes = (elements * bits) / 8
  if (!Number.isSafeInteger(elements * bits)) throw refuse(`${what} has more elements than can be counted`)
  if (end - begin !== bytes) throw refuse(`${what} spans ${end - begin} bytes; ${shape.join(' x ') || 'one'} of ${dtype} take ${bytes}`)
  return {tensor: {name, dtype, shape, bytes}, end}
}
