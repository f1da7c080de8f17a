import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {cacheFormat} from '../../src/core/formats.ts'
import {type CacheLayout, type CachePart, layerCache} from '../../src/core/kv-cache.ts'
import {cachePool, capacity, type GroupQuestion, longestRequest} from '../../src/engines/vllm/cache-groups.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const GIB = 1024 ** 3
const GB = 1e9

const layersOf = (id: string, more: Partial<CacheLayout> & {cache: string}): CachePart[][] => {
  const {cache, ...rest} = more
  const {architecture} = catalogue.model(id)
  const layout: CacheLayout = {attentionTp: 1, format: cacheFormat(cache), stateElementBytes: 2, convolutionElementBytes: 2, speculativeTokens: 0, ...rest}
  const parts = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  return architecture.layerSequence.map((index) => parts[index]!)
}
const pool = (layers: CachePart[][], more: Partial<GroupQuestion> = {}) =>
  cachePool({version: '0.25.0', layers, blockTokens: 16, maxNumBatchedTokens: 8192, pipelineStages: 1, ...more})

describe('hybrid models: worked logs', () => {
  // Qwen3.8-2.4T on one data-parallel rank: 23 full and 69 linear layers, bf16 states of 4,317,184 bytes, 4,096 bytes a token.
  // Blocks of ceil(4,317,184 / 4,096 / 16) x 16 = 1,056 tokens, 23 pages of 4,325,376 bytes each: 46.50 GiB hold 501 blocks;
  // 10,240 tokens take 10 blocks and 3 states: 501 / 13 = 38.54, x 10,240 = 394,633.
  it('Qwen3.8-2.4T: 38.54x, 394,633 tokens', () => {
    const layers = layersOf('qwen3.8-2.4t-a95b', {cache: 'bf16'}).map((parts) =>
      parts.map((part) => (part.growth === 'state' ? {...part, stateBytes: 4_317_184} : part)),
    )
    const one = pool(layers)
    expect(one.blockTokens).toBe(1056)
    expect(one.groupCount).toBe(4)
    const {blocks, maxConcurrency, tokens} = capacity('0.25.0', one, 46.5 * GIB, 10_240)
    expect(blocks).toBe(501)
    expect(maxConcurrency).toBeCloseTo(38.54, 2)
    expect(tokens).toBe(394_633)
  })

  // Qwen3.8-27B over two ranks, states of 1,603,584 bytes with prefix caching (two for each request in three groups).
  // fp8: 1,024 bytes a token -> blocks of 1,568; 262,144 tokens take 168 + 6. bf16: blocks of 784, 335 + 6.
  it.each([
    ['fp8', 1568, 174, 611, 920_517],
    ['bf16', 784, 341, 491, 377_456],
    ['bf16', 784, 341, 580, 445_875],
  ])('Qwen3.8-27B, %s cache', (cache, block, perRequest, blocks, tokens) => {
    const layers = layersOf('qwen3.8-27b', {cache, attentionTp: 2})
    expect(layers.flat().find((part) => part.growth === 'state')?.stateBytes).toBe(1_603_584)
    const one = pool(layers, {states: {perRequest: 2, everyBlock: false}})
    expect(one.blockTokens).toBe(block)
    expect(one.blocksPerRequest(262_144)).toBe(perRequest)
    expect(capacity('0.25.0', one, blocks * one.blockBytes, 262_144)).toMatchObject({blocks, tokens})
  })

  it('a draft of n tokens keeps n more states for each request and group', () => {
    const layers = layersOf('qwen3.8-27b', {cache: 'bf16', attentionTp: 2})
    const plain = pool(layers).blocksPerRequest(4096)
    expect(pool(layers, {states: {perRequest: 4, everyBlock: false}}).blocksPerRequest(4096)).toBe(plain + 9)
  })
})

describe('one kind of layer', () => {
  // Qwen3-235B over 4 ranks: 94 x 1 x 128 x 2 x 2 = 48,128 bytes; 8.11 GiB hold 180,935 tokens, 180,928 in blocks of 16.
  it('Qwen3-235B: 180,928 tokens in 8.11 GiB', () => {
    const one = pool(layersOf('qwen3-235b-a22b', {cache: 'bf16', attentionTp: 4}), {version: '0.10.0'})
    expect(one.blockBytes).toBe(48_128 * 16)
    expect(capacity('0.10.0', one, 8.11 * GIB, 40_960).tokens).toBe(180_928)
  })

  // 40 layers x 2 x 8 x 128 x 2 = 163,840 bytes: 28.2 GiB in blocks of 128 are 1,443 or 1,444 of them (logged: 1,444).
  it('Mistral Small: 184,832 tokens', () => {
    const one = pool(layersOf('devstral-small-2-24b', {cache: 'bf16'}), {version: '0.11.0', blockTokens: 128})
    expect(Math.abs(capacity('0.11.0', one, 28.2 * GIB, 16_000).blocks - 1444)).toBeLessThanOrEqual(1)
  })
})

describe('windows', () => {
  // gpt-oss-20b: 12 full and 12 window layers, pages alike: two groups. 16,384 tokens: 1,024 blocks and
  // ceil((127 + 2,048) / 16) + 1 = 137. Logged on vLLM 0.12: 155,584 tokens, 16.75 requests at once.
  it('gpt-oss-20b on 0.12: 155,584 tokens and 16.75 at once', () => {
    const one = pool(layersOf('gpt-oss-20b', {cache: 'bf16'}), {version: '0.12.0', maxNumBatchedTokens: 2048})
    expect(one.blocksPerRequest(16_384)).toBe(1024 + 137)
    const blocks = (155_584 / 16) * 2
    expect(capacity('0.12.0', one, blocks * one.blockBytes, 16_384)).toMatchObject({tokens: 155_584})
    expect(capacity('0.12.0', one, blocks * one.blockBytes, 16_384).maxConcurrency).toBeCloseTo(16.75, 2)
  })

  // From 0.26 two batches may be in flight: ceil((127 + 2 x 2,048) / 16) + 1 = 265.
  it('two batches in flight from 0.26', () => {
    const one = pool(layersOf('gpt-oss-20b', {cache: 'bf16'}), {version: '0.26.0', maxNumBatchedTokens: 2048})
    expect(one.blocksPerRequest(16_384)).toBe(1024 + 265)
  })

  // Chunked layers of Llama 4: ceil((8,192 + 8,192) / 16), three window groups beside one of full layers.
  it('chunked layers hold a chunk and a batch', () => {
    const one = pool(layersOf('llama-4-scout', {cache: 'bf16'}))
    expect(one.groupCount).toBe(4)
    expect(one.blocksPerRequest(131_072)).toBe(8192 + 3 * 1024)
  })

  it('before 0.10 every layer was kept whole', () => {
    expect(pool(layersOf('gpt-oss-20b', {cache: 'bf16'}), {version: '0.9.2'}).groupCount).toBe(1)
  })
})

describe('DeepSeek-V4', () => {
  const packed = {cache: 'fp8', compressedRowBytes: (headDim: number, rope: number) => headDim - rope + 2 * rope + 8}
  // Pages of 256 tokens padded to 576 bytes: 64 x 584 -> 37,440 and 64 x 132 -> 8,640 for ratio 4, 2 x 584 -> 1,728 for ratio 128.
  it.each([
    ['deepseek-v4-pro', 30, 31, 5609.3],
    ['deepseek-v4-flash', 21, 20, 3915],
  ])('%s: padded bytes of a token', (id, fine, coarse, perToken) => {
    const growing = fine * (37_440 + 8_640) + coarse * 1_728
    expect(Math.abs(growing / 256 / perToken - 1)).toBeLessThan(0.005)
    const one = pool(layersOf(id, packed))
    expect(one.blocksPerRequest(2_560_000) - one.blocksPerRequest(1_280_000)).toBe(5000)
  })

  // What every request is charged beside its tokens, by the batch, in bytes of pages: windows of 128 tokens in blocks of 64, states of
  // 8 in blocks of 4 (37,440 and 8,640) and of 128 in blocks of 8 (37,440).
  it.each([
    ['deepseek-v4-pro', 5609.3, 2048, 1.11],
    ['deepseek-v4-pro', 5609.3, 8192, 4.34],
    ['deepseek-v4-pro', 5609.3, 16_384, 8.65],
    ['deepseek-v4-flash', 3915, 2048, 0.76],
    ['deepseek-v4-flash', 3915, 8192, 2.98],
    ['deepseek-v4-flash', 3915, 16_384, 5.93],
  ])('%s at %s bytes a token, %s batched tokens: %s GB', (id, perToken, batch, gigabytes) => {
    const one = pool(layersOf(id, packed), {maxNumBatchedTokens: batch})
    const fixed = (one.blocksPerRequest(1_048_576) - 4096) * perToken * 256
    expect(Math.abs(fixed / GB - gigabytes)).toBeLessThan(0.0075 + 0.002 * gigabytes)
  })

  // 21 layers of ratio 4, 20 of 128, 43 windows in two groups of 22 and 21: a slab has 22 pages of 37,440, 21 of 8,640 and 20 of 1,728.
  // vLLM 0.26 with 8,192 batched tokens (two batches in flight) logged 7.70 GiB and 150,992 tokens for a context of 121,344.
  it('V4-Flash: 150,992 tokens in 7.70 GiB', () => {
    const one = pool(layersOf('deepseek-v4-flash', packed), {version: '0.26.0'})
    expect(one.blockBytes).toBe(22 * 37_440 + 21 * 8_640 + 20 * 1_728)
    expect(one.groupCount).toBe(5)
    expect(Math.abs(capacity('0.26.0', one, 7.7 * GIB, 121_344).tokens / 150_992 - 1)).toBeLessThan(0.005)
  })

  // From 0.27 the slab is the first group's 21 x (37,440 + 8,640) + 20 x 1,728 and every block of every group takes one:
  // 474 + 2 x 259 + 4,099 + 2,065.
  it('V4-Flash from 0.27: a slab for each block', () => {
    const one = pool(layersOf('deepseek-v4-flash', packed), {version: '0.28.0'})
    expect(one.blockBytes).toBe(21 * 46_080 + 20 * 1_728)
    expect(one.blocksPerRequest(121_344)).toBe(474 + 2 * 259 + 4099 + 2065)
  })
})

describe('longest request', () => {
  it('is the last that fits', () => {
    const one = pool(layersOf('gpt-oss-20b', {cache: 'bf16'}))
    const blocks = one.blocksPerRequest(50_000)
    const longest = longestRequest(one, blocks, 131_072)
    expect(one.blocksPerRequest(longest)).toBeLessThanOrEqual(blocks)
    expect(one.blocksPerRequest(longest + 1)).toBeGreaterThan(blocks)
  })
})

describe('DeepSeek-V4.1', () => {
  // Hopper, blocks of 64: rows of 584 bytes for two tokens (32 a page, 18,688 -> 19,008) in three layers and for one (37,376 -> 37,440) in one, index keys of
  // 132 (4,224 -> 4,608 and 8,448 -> 8,640): 116,928 bytes. Six windows of 32 x 584 -> 19,008 fit beside, so 40 layers make 7 groups; three rings of 8 rows
  // of 2 x 512 x 4 bytes make one. 262,144 tokens take 4,096 + 7 x (ceil((127 + 16,384) / 32) + 1) + 1 = 7,716 blocks.
  it('Hopper: 9,092,347 tokens in 29.14 GiB', () => {
    const packed = {cache: 'fp8', compressedRowBytes: (headDim: number, rope: number) => headDim - rope + 2 * rope + 8}
    const one = pool(layersOf('deepseek-v4.1-flash', packed), {version: '0.31.0', blockTokens: 64})
    expect(one.blockBytes).toBe(3 * (19_008 + 4608) + 37_440 + 8640)
    expect(one.groupCount).toBe(9)
    expect(one.blocksPerRequest(262_144)).toBe(7716)
    expect(Math.abs(capacity('0.31.0', one, 29.14 * GIB, 262_144).tokens / 9_092_347 - 1)).toBeLessThan(0.0005)
  })

  // 10.x, blocks of 128: rows of 528 bytes in pages that end on 512: 64 x 528 = 33,792 and 128 x 528 = 67,584, keys 8,448 -> 8,704 and 16,896; windows of
  // 32 x 528 = 16,896: 12 fit into 211,968, four groups of ten. Seven drafts make a ring of 16 rows, 65,536 bytes: three fit.
  it('10.x: rows of 528 bytes', () => {
    const one = pool(layersOf('deepseek-v4.1-flash', {cache: 'fp8', compressedRowBytes: (headDim: number) => headDim + 16}), {
      version: '0.33.0',
      blockTokens: 128,
      speculativeTokens: 7,
    })
    expect(one.blockBytes).toBe(3 * (33_792 + 8704) + 67_584 + 16_896)
    expect(one.groupCount).toBe(1 + 4 + 1)
  })
})

describe('GLM-5.3-Flash', () => {
  // Eight ranks: a state of 8 x 128 x 128 x 4 + 3 x 3 x 1,024 x 2 = 542,720 bytes in blocks of 640 tokens of 1,024 bytes. 11 layers of latent rows with a key of
  // 132 bytes for four tokens: 11 x (655,360 + 21,120); 262,144 tokens take 410 blocks, four groups of states one each, the open keys one: 415.
  it('2,618,281 tokens in 28.73 GiB', () => {
    const layers = layersOf('glm-5.3-flash', {cache: 'bf16', attentionTp: 8, stateElementBytes: 4})
    const one = pool(layers, {version: '0.31.0', blockTokens: 64, stateAlignmentTokens: 128})
    expect(one.blockTokens).toBe(640)
    expect(one.blockBytes).toBe(11 * (655_360 + 21_120))
    expect(one.blocksPerRequest(262_144)).toBe(415)
    expect(capacity('0.31.0', one, 28.73 * GIB, 262_144)).toMatchObject({blocks: 4145, tokens: 2_618_281})
  })
})
