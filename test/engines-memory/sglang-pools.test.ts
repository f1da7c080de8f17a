import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {cacheFormat} from '../../src/core/formats.ts'
import {type CacheLayout, type CachePart, layerCache} from '../../src/core/kv-cache.ts'
import {type PoolQuestion, sglangPools, stateSlotsPerRequest} from '../../src/engines/sglang/pools.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const GIB = 1024 ** 3

function partsOf(id: string, attentionTp = 1, draftToo = false): CachePart[] {
  const {architecture} = catalogue.model(id)
  const layout: CacheLayout = {
    attentionTp,
    format: cacheFormat('bf16'),
    stateElementBytes: 4,
    convolutionElementBytes: 2,
    speculativeTokens: 0,
    keysForSharedIndexers: true,
    compressedRowBytes: (headDim, rope) => headDim - rope + 2 * rope + 8,
  }
  const kinds = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  return [...architecture.layerSequence.flatMap((index) => kinds[index]!), ...(draftToo ? layerCache(architecture.draft!.kind, layout) : [])]
}
const pools = (parts: CachePart[], more: Partial<PoolQuestion> = {}) =>
  sglangPools({version: '0.5.15', parts, availableBytes: 20 * GIB, pageTokens: 1, maxNumSeqs: 256, windowPool: true, ...more})

describe('DeepSeek-V4', () => {
  // r = 0.1, rows of 584, N = 62 with the draft, 30 of ratio 4, 31 of ratio 128; rings of 8 and 128 slots for each window of 128:
  // 0.1 x 584 x 62 + 146 x 30 + 4.5625 x 31 + 33 x 30 + 0.1 x (8/128) x (8,192 + 2,048) x 30 + 0.1 x 4,096 x 31 = 23,749.84 (logged).
  it('V4-Pro: 23,749.84 bytes a token', () => expect(pools(partsOf('deepseek-v4-pro', 1, true), {version: '0.5.12'}).bytesPerToken).toBeCloseTo(23_749.84, 1))
  it('V4-Flash: 15,955.85 bytes a token', () =>
    expect(pools(partsOf('deepseek-v4-flash', 1, true), {version: '0.5.12'}).bytesPerToken).toBeCloseTo(15_955.85, 1))

  // From 0.5.15 the ratio-128 rings are kept for each request: 23,749.84 - 0.1 x 4,096 x 31.
  it('the coarse rings leave the price from 0.5.15 on', () => {
    const {bytesPerToken, stateBytes} = pools(partsOf('deepseek-v4-pro', 1, true))
    expect(bytesPerToken).toBeCloseTo(23_749.84 - 12_697.6, 1)
    // 258 rings of 128 rows and a row, rounded to 33,152 rows of 4,096 bytes, in 31 layers.
    expect(stateBytes).toBe(33_152 * 4096 * 31)
  })

  it('a draft doubles the rings and raises the price by one layer in 62', () => {
    const plain = pools(partsOf('deepseek-v4-pro', 1, true)).bytesPerToken
    const rings = 0.1 * (8 / 128) * 10_240 * 30
    expect(pools(partsOf('deepseek-v4-pro', 1, true), {draft: {layerCount: 1, tokens: 2}}).bytesPerToken).toBeCloseTo(((plain + rings) * 63) / 62, 1)
  })
})

describe('full attention', () => {
  // 94 layers x 1 head x 128 x 2 x 2 over 4 ranks: 367,404 tokens are 8.23 GiB of keys and as much of values.
  it('Qwen3-235B: 367,404 tokens', () => {
    const {tokens, bytesPerToken} = pools(partsOf('qwen3-235b-a22b', 4), {availableBytes: 367_404 * 48_128 + 100})
    expect(bytesPerToken / 2).toBe(24_064)
    expect(tokens).toBe(367_404)
    expect((tokens * 24_064) / GIB).toBeCloseTo(8.23, 2)
  })

  // GLM-5.2 under speculation: 78 x (1,152 + 132) bytes x 79 / 78.
  it('a draft layer is priced like one of the model', () =>
    expect(pools(partsOf('glm-5.2'), {draft: {layerCount: 1, tokens: 6}}).bytesPerToken).toBeCloseTo(79 * 1284, 6))
})

describe('windows', () => {
  // gpt-oss-20b over 2 ranks: 12 full layers and 0.8 of the tokens in 12 window layers, 1,024 bytes each. 45.82 GiB: 2,224,199 (logged floor / 0.99).
  it('gpt-oss-20b: tokens of both pools', () => {
    const {tokens, windowTokens, bytesPerToken} = pools(partsOf('gpt-oss-20b', 2), {availableBytes: 45.82 * GIB})
    expect(bytesPerToken).toBeCloseTo(12 * 1024 * 1.8, 6)
    expect(Math.abs(tokens / 2_224_199 - 1)).toBeLessThan(0.005)
    expect(Math.abs(windowTokens! / 1_779_359 - 1)).toBeLessThan(0.005)
  })
})

describe('recurrent states', () => {
  // Qwen3.8-27B-FP8 on one H100, SGLang 0.5.18 (logged): 124 slots, 0.34 + 17.58 GiB of states, 20.16 GiB of keys and values, 24 requests.
  it('Qwen3.8-27B: 124 slots and 330,323 tokens from 38.08 GiB', () => {
    const {stateSlots, tokens, stateBytes} = pools(partsOf('qwen3.8-27b'), {version: '0.5.18', availableBytes: 38.08 * GIB})
    expect(Math.abs(stateSlots! - 124)).toBeLessThanOrEqual(1)
    expect(Math.abs(tokens / 330_323 - 1)).toBeLessThan(0.005)
    expect(Math.abs(stateBytes / GIB / 17.92 - 1)).toBeLessThan(0.01)
    expect(Math.floor(stateSlots! / stateSlotsPerRequest({version: '0.5.18', className: 'Qwen3_5ForConditionalGeneration'}))).toBe(24)
  })

  it('three slots for each request before 0.5.14, five after', () =>
    expect(['0.5.13', '0.5.14'].map((version) => stateSlotsPerRequest({version, className: 'Qwen3NextForCausalLM'}))).toEqual([3, 5]))

  it("a draft shares the states' part: fewer slots, none of the tokens", () => {
    const plain = pools(partsOf('qwen3.8-27b'))
    const drafted = pools(partsOf('qwen3.8-27b'), {draft: {layerCount: 0, tokens: 4}, maxNumSeqs: 48})
    expect(drafted.stateSlots!).toBeLessThan(plain.stateSlots!)
    expect(drafted.stateBytes).toBeLessThanOrEqual(plain.stateBytes * 1.02)
  })
})
