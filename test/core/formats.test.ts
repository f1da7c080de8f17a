import {describe, expect, it} from 'vitest'
import {cacheFormat, findCacheFormat, matrixBytes, weightFormat, weightFormatIds} from '../../src/core/formats.ts'

/** A matrix of 4,096 x 4,096 is 16,777,216 elements. */
const ELEMENTS = 4096 * 4096
const bytesOf = (format: string) => matrixBytes(weightFormat(format), 4096, 4096)

describe('bytes of a matrix, scales included', () => {
  it.each([
    ['bf16', ELEMENTS * 2],
    // One fp32 scale for the tensor.
    ['fp8', ELEMENTS + 4],
    // One bf16 scale for each of 4,096 rows.
    ['fp8-channel', ELEMENTS + 4096 * 2],
    // 32 x 32 blocks of 128 x 128, an fp32 scale each.
    ['fp8-block', ELEMENTS + 1024 * 4],
    // 17/32 byte a weight (OCP microscaling, groups of 32 with an 8-bit exponent).
    ['mxfp4', (ELEMENTS * 17) / 32],
    // 9/16 byte a weight (groups of 16 with an fp8 scale), and an fp32 scale for the tensor.
    ['nvfp4', (ELEMENTS * 9) / 16 + 4],
    // 9/16: groups of 32 with a bf16 scale.
    ['int4-group32', (ELEMENTS * 9) / 16],
    // Groups of 128: a 16-bit scale and a 4-bit zero point beside 64 bytes.
    ['awq-int4', ELEMENTS / 2 + (ELEMENTS / 128) * 2.5],
    // 210 bytes for 256 weights (ggml-common.h block_q6_K), 144 (block_q4_K), 34 for 32 (block_q8_0).
    ['q6_k', (ELEMENTS * 210) / 256],
    ['q4_k', (ELEMENTS * 144) / 256],
    ['q8_0', (ELEMENTS * 34) / 32],
  ])('%s', (format, bytes) => expect(bytesOf(format)).toBe(bytes))

  it('a last block or group that is not full still has its scale', () => {
    // 200 x 300 under 128 x 128 blocks: 2 x 3 scales. Groups of 128 along 300 inputs: 3 for each of 200 rows.
    expect(matrixBytes(weightFormat('fp8-block'), 200, 300)).toBe(60_000 + 6 * 4)
    expect(matrixBytes(weightFormat('int4-group128'), 200, 300)).toBe(30_000 + 200 * 3 * 2)
  })

  it('fewer bits are never more bytes, within a family', () => {
    for (const [more, fewer] of [
      ['bf16', 'fp8'],
      ['fp8', 'nvfp4'],
      ['nvfp4', 'awq-int4'],
      ['q8_0', 'q6_k'],
      ['q6_k', 'q5_k'],
      ['q5_k', 'q4_k'],
      ['q4_k', 'q3_k'],
      ['q3_k', 'q2_k'],
    ] as const)
      expect(bytesOf(fewer)).toBeLessThan(bytesOf(more))
  })

  it('an unknown format is refused', () => expect(() => weightFormat('fp9')).toThrow(RangeError))

  it('every format has positive bits and a fidelity', () => {
    for (const id of weightFormatIds) {
      const {elementBits, fidelity} = weightFormat(id)
      expect(elementBits, id).toBeGreaterThan(0)
      expect(fidelity, id).toBeGreaterThan(0)
    }
  })
})

describe('cache formats', () => {
  it("goes by the engines' spellings", () => {
    expect(findCacheFormat('fp8_e4m3')?.id).toBe('fp8')
    expect(findCacheFormat('bfloat16')?.id).toBe('bf16')
    expect(findCacheFormat('fp9')).toBeUndefined()
  })
  // vllm/v1/kv_cache_interface.py: half a byte and a scale byte for 16; two fp32 scales for each token and head.
  it('counts the scales', () => {
    expect(cacheFormat('nvfp4').elementBytes).toBe(0.5 + 1 / 16)
    expect(cacheFormat('int8').scaleBytesPerHead).toBe(8)
  })
})
