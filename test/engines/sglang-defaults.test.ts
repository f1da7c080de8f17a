import {describe, expect, it} from 'vitest'
import {chunkedPrefillTokens, type SglangQuestion} from '../../src/engines/sglang/asked.ts'
import {attentionBackend, pageSizeTokens} from '../../src/engines/sglang/attention.ts'
import {maxRunningRequests, memFractionStatic, reservedMiB} from '../../src/engines/sglang/defaults.ts'
import {decodeGraphMaxBatch, decodeGraphSizes, prefillGraphSizes} from '../../src/engines/sglang/graphs.ts'
import {gpus} from './launch-fixtures.ts'

const ask = (version: string, gpu: keyof typeof gpus, more: Partial<SglangQuestion> = {}): SglangQuestion => ({
  version,
  gpu: gpus[gpu],
  tp: 1,
  pp: 1,
  dp: 1,
  dpAttention: false,
  latentAttention: false,
  ...more,
})

// Numbers derived by hand from sglang/srt/server_args.py of the named releases.
describe('SGLang: sizes by device memory', () => {
  it.each([
    ['0.5.18', 'rtx4090', 2048, 24, 80],
    ['0.5.4', 'rtx4090', 2048, 16, 80],
    ['0.4.10', 'rtx4090', 2048, 8, 80],
    ['0.5.18', 'h100', 8192, 256, 512],
    ['0.4.10', 'h100', 8192, 160, 160],
    ['0.5.18', 'h200', 8192, 256, 512],
    ['0.5.1', 'h200', 8192, 256, 256],
    ['0.5.18', 'b200', 16384, 512, 512],
    ['0.4.6', 'b200', 8192, 256, 256],
  ] as const)('%s on %s: chunk %i, graphs to %i, from tp 4 to %i', (version, name, chunk, single, wide) => {
    expect(chunkedPrefillTokens(ask(version, name))).toBe(chunk)
    expect(decodeGraphMaxBatch(ask(version, name))).toBe(single)
    expect(decodeGraphMaxBatch(ask(version, name, {tp: 4}))).toBe(wide)
  })

  it('divides the chunk among attention ranks', () => expect(chunkedPrefillTokens(ask('0.5.18', 'h200', {tp: 8, dp: 8, dpAttention: true}))).toBe(1024))
})

describe('SGLang: graph sizes', () => {
  it('captures 5 + 31 sizes to 256, and 15 + 1 more to 512', () => {
    expect(decodeGraphSizes(ask('0.5.18', 'h100'))).toHaveLength(36)
    expect(decodeGraphSizes(ask('0.5.18', 'h100', {tp: 4}))).toHaveLength(52)
    expect(decodeGraphSizes(ask('0.5.18', 'rtx4090'))).toEqual([1, 2, 4, 8, 12, 16, 24])
  })

  it('captures 4 + 19 sizes to 160 in 0.4.10', () => expect(decodeGraphSizes(ask('0.4.10', 'h100'))).toHaveLength(23))

  it('has prefill graphs from 0.5.10: 58 sizes to 8,192 tokens, 42 to 2,048 for MLA', () => {
    // 8 + 14 + 8 + 8 + 12 + 8; to 2,048: 8 + 14 + 8 + 8 + 4
    expect(prefillGraphSizes(ask('0.5.18', 'h100'))).toHaveLength(58)
    expect(prefillGraphSizes(ask('0.5.18', 'h100', {latentAttention: true}))).toHaveLength(42)
    expect(prefillGraphSizes(ask('0.5.9', 'h100'))).toEqual([])
    expect(prefillGraphSizes(ask('0.5.18', 'b300', {compressedAttention: true}))).toEqual([])
    expect(prefillGraphSizes(ask('0.5.16', 'h100', {latentAttention: true}))).toEqual([])
  })
})

describe('SGLang: automatic mem_fraction_static', () => {
  it.each([
    // 512 + 1.5 x 8192 + 2 x 256 + 128 = 13440 of 81559 MiB
    ['0.5.9', 'h100', {}, 13440, 0.835],
    // + 8 x 58 prefill graphs = 13904
    ['0.5.18', 'h100', {}, 13904, 0.83],
    // 512 + 1.5 x 2048 + 2 x 24 + 128 = 3760 of 24564
    ['0.5.9', 'rtx4090', {}, 3760, 0.847],
    // 512 + 12288 + 2 x 512 + 1024 = 14848 of 143771
    ['0.5.9', 'h200', {tp: 8}, 14848, 0.897],
    // + 4.5 x 512 x 8 = 33280
    ['0.5.9', 'h200', {tp: 8, dp: 8, dpAttention: true}, 33280, 0.769],
    // (9.5 + 1 / 2) GiB
    ['0.4.10', 'h100', {}, 10240, 0.874],
    // drafts: 2 GiB up to 0.5.9, 4 GiB from 0.5.10, nothing from 0.5.14
    ['0.5.9', 'h100', {draft: {algorithm: 'EAGLE', draftTokens: 4}}, 15488, 0.81],
    // 0.5.10 has no prefill graphs with drafts: 13440 + 4096
    ['0.5.10', 'h100', {draft: {algorithm: 'EAGLE', draftTokens: 4}}, 17536, 0.785],
    ['0.5.18', 'h100', {draft: {algorithm: 'EAGLE', draftTokens: 4}}, 13904, 0.83],
  ] as const)('%s on %s %j', (version, name, more, reserved, fraction) => {
    expect(reservedMiB(ask(version, name, more))).toBe(reserved)
    expect(memFractionStatic(ask(version, name, more))).toBeCloseTo(fraction, 10)
  })

  it('goes by tensor parallelism in 0.4.6', () => {
    expect([1, 2, 4, 8, 16].map((tp) => memFractionStatic(ask('0.4.6', 'h100', {tp})))).toEqual([0.88, 0.87, 0.85, 0.81, 0.79])
  })

  it('is scaled down for a vision tower', () => {
    // 27 layers of width 1152: ratio 1.4238, factor 0.95 x (1 - 0.04238) = 0.90974; no prefill graphs: 13440 MiB, 0.835
    expect(memFractionStatic(ask('0.5.18', 'h100', {vision: {layerCount: 27, hiddenSize: 1152}}))).toBeCloseTo(0.7596, 4)
  })
})

describe('SGLang: requests and pages', () => {
  it.each([
    [{version: '0.5.18', poolTokens: 400_000, contextTokens: 40_960}, 4096], // 400000 / 40960 x 512 = 5000
    [{version: '0.5.18', poolTokens: 100_000, contextTokens: 40_960}, 2048], // 1250
    [{version: '0.5.18', poolTokens: 3000, contextTokens: 40_960}, 1500], // half the pool
    [{version: '0.5.9', poolTokens: 3000, contextTokens: 40_960}, 2048],
    [{version: '0.5.18', poolTokens: 400_000, contextTokens: 40_960, drafted: true}, 48],
    [{version: '0.5.18', poolTokens: 400_000, contextTokens: 1_048_576, compressedAttention: true}, 256],
    [{version: '0.5.18', poolTokens: 400_000, contextTokens: 40_960, requested: 512, dp: 8}, 64],
  ])('%j: %i', (question, requests) => expect(maxRunningRequests(question)).toBe(requests))

  it.each([
    ['0.5.18', 'h100', false, 'fa3', 1],
    ['0.5.18', 'b200', false, 'trtllm_mha', 64],
    ['0.5.6', 'b200', false, 'flashinfer', 1],
    ['0.5.18', 'rtx4090', false, 'flashinfer', 1],
    ['0.5.18', 'rtx4090', true, 'triton', 1],
  ] as const)('%s on %s, MLA %s: %s with pages of %i', (version, name, latentAttention, backend, page) => {
    expect(attentionBackend(ask(version, name, {latentAttention}))).toBe(backend)
    expect(pageSizeTokens(backend)).toBe(page)
  })

  it('has pages of 256 for DeepSeek-V4 and 64 with a sparse indexer', () => {
    expect(pageSizeTokens(attentionBackend(ask('0.5.18', 'b300', {compressedAttention: true})))).toBe(256)
    expect(pageSizeTokens('fa3', true)).toBe(64)
  })
})
