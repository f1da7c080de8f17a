/** A tensor to write: name, type and shape; the data are zeros. */
export type Entry = readonly [name: string, dtype: string, shape: readonly number[]]

const BITS: Record<string, number> = {F32: 32, BF16: 16, F16: 16, F8_E4M3: 8, F8_E8M0: 8, U8: 8, I8: 8, I32: 32, I64: 64}

/** A safetensors file with these tensors one after another. */
export function safetensors(entries: readonly Entry[]): Uint8Array {
  let at = 0
  const header: Record<string, unknown> = {__metadata__: {format: 'pt'}}
  for (const [name, dtype, shape] of entries) {
    const bytes = (shape.reduce((product, size) => product * size, 1) * BITS[dtype]!) / 8
    header[name] = {dtype, shape, data_offsets: [at, at + bytes]}
    at += bytes
  }
  return withHeader(JSON.stringify(header), at)
}

/** A file whose header is this text, with so many bytes of data. */
export function withHeader(text: string, dataBytes = 0, claimedLength?: bigint): Uint8Array {
  const header = new TextEncoder().encode(text)
  const file = new Uint8Array(8 + header.length + dataBytes)
  new DataView(file.buffer).setBigUint64(0, claimedLength ?? BigInt(header.length), true)
  file.set(header, 8)
  return file
}
