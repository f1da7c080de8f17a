import {join} from 'node:path'
import {describe, expect, it, test} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {Architecture} from '../../src/core/architecture.ts'
import {cacheFormat} from '../../src/core/formats.ts'
import {type CacheLayout, cacheTotals, layerCache, sequenceBytes} from '../../src/core/kv-cache.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const of = (id: string): Architecture => catalogue.model(id).architecture
const MIB = 1024 ** 2
const GIB = 1024 ** 3

const layout = (format: string, more: Partial<CacheLayout> = {}): CacheLayout => ({
  attentionTp: 1,
  format: cacheFormat(format),
  stateElementBytes: 2,
  convolutionElementBytes: 2,
  speculativeTokens: 0,
  ...more,
})
/** 448 fp8, 64 bf16 and 8 scale bytes: vllm/models/deepseek_v4/attention.py. */
const packedRow = (headDim: number, rope: number): number => headDim - rope + 2 * rope + 8
/** 512 fp8, 4 fp32 scales, 64 bf16: fp8_ds_mla, vllm/v1/kv_cache_interface.py. */
const packedLatent = (elements: number): number => elements - 64 + 16 + 128

const growing = (id: string, format: string, more?: Partial<CacheLayout>): number => cacheTotals(of(id), layout(format, more)).growingBytesPerToken

describe('bytes of a token that grow with the sequence', () => {
  // Layers x 2 (K and V) x KV heads x head width x 2 bytes; half of it in fp8.
  it.each([
    ['llama-2-7b', 32 * 2 * 32 * 128 * 2, 524_288],
    ['llama-3.1-8b', 32 * 2 * 8 * 128 * 2, 131_072],
    ['llama-3.1-70b', 80 * 2 * 8 * 128 * 2, 327_680],
    ['llama-3.1-405b', 126 * 2 * 8 * 128 * 2, 516_096],
    ['llama-3.2-1b', 16 * 2 * 8 * 64 * 2, 32_768],
    ['qwen3-0.6b', 28 * 4096, 114_688],
    ['qwen3-8b', 36 * 4096, 147_456],
    ['qwen3-14b', 40 * 4096, 163_840],
    ['qwen3-32b', 64 * 4096, 262_144],
    ['qwen3-30b-a3b', 48 * 2 * 4 * 128 * 2, 98_304],
    ['qwen3-235b-a22b', 94 * 2 * 4 * 128 * 2, 192_512],
    ['qwen3-coder-480b-a35b-instruct', 62 * 2 * 8 * 128 * 2, 253_952],
    ['glm-4.6', 92 * 2 * 8 * 128 * 2, 376_832],
    ['glm-4.5-air', 46 * 4096, 188_416],
    ['phi-4', 40 * 2 * 10 * 128 * 2, 204_800],
    ['devstral-2-123b', 88 * 4096, 360_448],
    ['devstral-small-2-24b', 40 * 4096, 163_840],
    ['minimax-m2.5', 62 * 4096, 253_952],
  ])('%s', (id, byHand, stated) => {
    expect(byHand).toBe(stated)
    expect(growing(id, 'bf16')).toBe(stated)
    expect(growing(id, 'fp8')).toBe(stated / 2)
  })

  // One latent row of 512 + 64 for each layer, whatever the heads.
  it.each([
    ['deepseek-v3', 61],
    ['kimi-k2-instruct', 61],
    ['deepseek-v2-lite', 27],
  ])('%s: latent rows', (id, layers) => {
    expect(growing(id, 'bf16')).toBe(layers * 576 * 2)
    expect(growing(id, 'fp8')).toBe(layers * 576)
  })

  // 132 bytes of index key for each layer with an indexer of its own: 128 fp8 and one fp32 scale.
  it.each([
    ['deepseek-v3.2', 61, 61, 78_324, 48_068],
    ['glm-5', 78, 78, 100_152, 61_464],
    ['glm-5.2', 78, 21, 92_628, 53_940],
  ])('%s: latent rows and index keys', (id, layers, keys, bf16, packed) => {
    expect(layers * 1152 + keys * 132).toBe(bf16)
    expect(layers * 656 + keys * 132).toBe(packed)
    expect(growing(id, 'bf16')).toBe(bf16)
    expect(growing(id, 'fp8', {latentRowBytes: packedLatent})).toBe(packed)
  })

  it('GLM-5.2 with an index key for every layer: 78 x (656 + 132)', () => {
    expect(growing('glm-5.2', 'fp8', {latentRowBytes: packedLatent, keysForSharedIndexers: true})).toBe(61_464)
  })

  // 4 KV heads over 8 ranks: each keeps one whole head, the node holds the cache twice.
  it('heads are repeated when there are more ranks', () => {
    expect(growing('qwen3-235b-a22b', 'bf16', {attentionTp: 8}) * 8).toBe(2 * 192_512)
    expect(growing('deepseek-v3', 'bf16', {attentionTp: 8})).toBe(70_272)
  })
})

describe('windows', () => {
  // growing = full layers only; if windows were kept whole all layers count; the window part is layers x row x window.
  it.each([
    ['gemma-3-4b', 20_480, 139_264, 116 * MIB],
    ['gemma-3-12b', 65_536, 393_216, 320 * MIB],
    ['gemma-3-27b', 81_920, 507_904, 416 * MIB],
    ['gemma-4-31b', 81_920, 901_120, 800 * MIB],
    ['gemma-4-26b-a4b', 20_480, 225_280, 200 * MIB],
    ['gpt-oss-20b', 24_576, 49_152, 3 * MIB],
    ['gpt-oss-120b', 36_864, 73_728, 4.5 * MIB],
    ['llama-4-scout', 49_152, 196_608, 1152 * MIB],
    ['mimo-v2-flash', 23_040, 222_720, 24.375 * MIB],
    ['gemma-4-e2b', 6_144, 18_432, 6 * MIB],
    ['gemma-4-e4b', 16_384, 57_344, 20 * MIB],
  ])('%s', (id, grows, whole, windowBytes) => {
    const architecture = of(id)
    const totals = cacheTotals(architecture, layout('bf16'))
    expect(totals.growingBytesPerToken).toBe(grows)
    expect(totals.growingBytesPerToken + totals.windowBytesPerToken).toBe(whole)
    const tokens = 100_000
    expect(sequenceBytes(architecture, layout('bf16'), tokens) - grows * tokens).toBeCloseTo(windowBytes, -3)
  })
})

describe('states', () => {
  // Gated delta net: conv (2 x key width + value width) x 3 x 2 bytes, state value heads x 128 x 128 x 4 or 2 bytes.
  it.each([
    ['qwen3-next-80b-a3b-instruct', 24_576, 73.7, 37.7],
    ['qwen3.5-9b', 32_768, 49.1, 25.1],
    ['qwen3.5-27b', 65_536, 146.8, 74.8],
    ['qwen3.5-35b-a3b', 20_480, 61.4, 31.4],
    ['qwen3.5-122b-a10b', 24_576, 146.5, 74.5],
    ['qwen3.5-397b-a17b', 30_720, 183.2, 93.2],
    ['qwen3.8-2.4t-a95b', 94_208, 560.1, 284.1],
  ])('%s', (id, grows, wide, narrow) => {
    const withState = (bytes: number) => {
      const architecture = structuredClone(of(id))
      for (const mixer of architecture.layerKinds.flatMap(({mixers}) => mixers)) if (mixer.kind === 'gated-delta-net') mixer.stateElementBytes = bytes
      return cacheTotals(architecture, layout('bf16')).stateBytesPerSequence / MIB
    }
    expect(growing(id, 'bf16')).toBe(grows)
    expect(Math.abs(withState(4) / wide - 1)).toBeLessThan(0.005)
    expect(Math.abs(withState(2) / narrow - 1)).toBeLessThan(0.005)
  })

  // Kimi delta attention: 32-bit states of heads x 128 x 128 and a window of 3 rows of q, k and v.
  it.each([
    ['kimi-linear-48b-a3b-instruct', 8_064, 41.4],
    ['kimi-k3', 27_648, 428.6],
  ])('%s', (id, grows, mib) => {
    expect(growing(id, 'bf16')).toBe(grows)
    expect(Math.abs(cacheTotals(of(id), layout('bf16')).stateBytesPerSequence / MIB / mib - 1)).toBeLessThan(0.005)
  })

  it('Kimi K3 on one of 8 ranks: 53.6 MiB', () => {
    expect(Math.abs(cacheTotals(of('kimi-k3'), layout('bf16', {attentionTp: 8})).stateBytesPerSequence / MIB / 53.6 - 1)).toBeLessThan(0.005)
  })

  // Mamba 2: conv (inner + 2 x groups x state) x 3 x 2 bytes, state inner x state size x 4 (or 2) bytes.
  it.each([
    ['nemotron-3-nano-30b-a3b', 6_144, 46.8, 4],
    ['nemotron-3-super-120b-a12b', 8_192, 162.3, 4],
    ['nemotron-3-ultra-550b-a55b', 12_288, 389.1, 4],
    ['nemotron-h-56b-base-8k', 40_960, 438.3, 2],
    ['granite-4.0-h-small', 16_384, 145.7, 4],
    ['granite-4.0-h-small', 16_384, 73.7, 2],
    ['falcon-h1-0.5b-instruct', 18_432, 27.4, 4],
  ])('%s: %s bytes a token, %s MiB at %s bytes', (id, grows, mib, bytes) => {
    const architecture = structuredClone(of(id))
    for (const mixer of architecture.layerKinds.flatMap(({mixers}) => mixers)) if (mixer.kind === 'mamba2') delete mixer.stateElementBytes
    expect(growing(id, 'bf16')).toBe(grows)
    expect(Math.abs(cacheTotals(architecture, layout('bf16', {stateElementBytes: bytes})).stateBytesPerSequence / MIB / mib - 1)).toBeLessThan(0.005)
  })

  // 70 linear layers x 64 heads x 128 x 128, 10 full layers x 8 KV heads x 128 x 2 x 2.
  it('MiniMax-Text-01: 140 MiB in bf16, 280 in fp32, 40,960 bytes a token', () => {
    expect(growing('minimax-text-01', 'bf16')).toBe(40_960)
    expect(cacheTotals(of('minimax-text-01'), layout('bf16')).stateBytesPerSequence / MIB).toBe(140)
    expect(cacheTotals(of('minimax-text-01'), layout('bf16', {stateElementBytes: 4})).stateBytesPerSequence / MIB).toBe(280)
  })

  // 60 layers of 4 KV heads, 57 index keys of 128 elements.
  it('MiniMax-M3: 122,880 bytes of keys and values and 14,592 of index keys', () => {
    expect(growing('minimax-m3', 'bf16')).toBe(122_880 + 14_592)
    expect(growing('minimax-m3', 'fp8')).toBe((122_880 + 14_592) / 2)
  })
})

describe('DeepSeek-V4', () => {
  // Ratio-4 layers: (row + index key) / 4; ratio-128 layers: row / 128. Pro 30 and 31, Flash 21 and 20.
  const packed = {compressedRowBytes: packedRow}
  const bf16Keys = {indexKeyBytes: (elements: number) => 2 * elements}
  it.each([
    ['deepseek-v4-pro', 30, 31, 5511.4, 5031.4, 9848],
    ['deepseek-v4-flash', 21, 20, 3850.3, 3514.3, 6880],
  ])('%s', (id, fine, coarse, fp8, fp4, bf16) => {
    expect((fine * (584 + 132)) / 4 + (coarse * 584) / 128).toBeCloseTo(fp8, 0)
    expect(growing(id, 'fp8', packed)).toBeCloseTo(fp8, 0)
    expect(growing(id, 'fp8', {...packed, indexKeyBytes: () => 68})).toBeCloseTo(fp4, 0)
    expect(growing(id, 'bf16', bf16Keys)).toBe(bf16)
  })

  // Windows of 128 rows in every layer and the draft's, rings of compressor states in fp32.
  it.each([
    ['deepseek-v4-pro', 22.3],
    ['deepseek-v4-flash', 14.8],
  ])('%s keeps the same for every sequence', (id, mib) => {
    const architecture = of(id)
    const totals = cacheTotals(architecture, layout('fp8', packed))
    const draft = layerCache(architecture.draft!.kind, layout('fp8', packed)).reduce((sum, part) => sum + part.bytesPerToken, 0)
    expect(Math.abs(((totals.windowBytesPerToken + draft) * 128 + totals.stateBytesPerSequence) / MIB / mib - 1)).toBeLessThan(0.005)
  })

  it.each([
    ['deepseek-v4-pro', 9.62],
    ['deepseek-v4-flash', 6.72],
  ])('%s: a sequence of 1,048,576 tokens, all in bf16', (id, gib) => {
    expect(Math.abs((growing(id, 'bf16', bf16Keys) * 1_048_576) / GIB / gib - 1)).toBeLessThan(0.005)
  })

  // DeepSeek: "10% of the KV cache" of V3.2 at one million tokens, one significant figure.
  it('V4-Pro needs a tenth of what V3.2 does at one million tokens', () => {
    const tokens = 1_000_000
    const v4 = sequenceBytes(of('deepseek-v4-pro'), layout('fp8', {...packed, indexKeyBytes: () => 68}), tokens)
    const v32 = sequenceBytes(of('deepseek-v3.2'), layout('fp8', {latentRowBytes: packedLatent}), tokens)
    expect(v4 / v32).toBeGreaterThan(0.095)
    expect(v4 / v32).toBeLessThan(0.11)
  })
})

describe('index keys that stand for several tokens, and windows of latent rows', () => {
  it('GLM 5.3 Flash: 11 layers of 512 elements and a key of 132 bytes for 4 tokens; 34 states', () => {
    const totals = cacheTotals(of('glm-5.3-flash'), layout('bf16', {stateElementBytes: 4}))
    expect(totals.growingBytesPerToken).toBeCloseTo(11 * (512 * 2 + 132 / 4), 6)
    // 64 heads of 128 x 128 in fp32, and three rows of 3 x 8,192 before the convolution.
    expect(totals.stateBytesPerSequence).toBe(34 * (64 * 128 * 128 * 4 + 3 * 3 * 8192 * 2))
  })

  it('Qwen3.8 Flash Next: 12 layers of 2 heads of 256, and an index key of 128 elements for 4 tokens', () => {
    expect(growing('qwen3.8-flash-next', 'bf16')).toBe(12 * (2 * 2 * 256 * 2 + (128 * 2) / 4))
  })

  it('dots3 note: 13 sparse layers with rows padded to 1,024 + 64, and 33 windows of 512 such rows', () => {
    const architecture = of('dots3-note-prev')
    const totals = cacheTotals(architecture, layout('bf16'))
    expect(totals.growingBytesPerToken).toBe(13 * ((1024 + 64) * 2 + 132))
    expect(totals.windowBytesPerToken).toBe(33 * (1024 + 64) * 2)
    expect(sequenceBytes(architecture, layout('bf16'), 100_000)).toBe(100_000 * totals.growingBytesPerToken + 512 * totals.windowBytesPerToken)
  })
})

test('DeepSeek V4.1 Flash: four of forty layers keep rows, three of them one for two tokens', () => {
  const totals = cacheTotals(of('deepseek-v4.1-flash'), layout('fp8', {compressedRowBytes: packedRow}))
  expect(totals.growingBytesPerToken).toBe((3 / 2 + 1) * (584 + 132))
  expect(totals.windowBytesPerToken).toBe(40 * 584)
})
