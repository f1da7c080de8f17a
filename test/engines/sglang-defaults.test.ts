import {describe, expect, it} from 'vitest'
import {chunkedPrefillTokens, type SglangQuestion} from '../../src/engines/sglang/asked.ts'
import {attentionBackend, dropsPrefillGraphs, pageSizeTokens} from '../../src/engines/sglang/attention.ts'
import {maxRunningRequests, memFractionStatic, reservedMiB} from '../../src/engines/sglang/defaults.ts'
import {decodeGraphMaxBatch, decodeGraphSizes, prefillGraphCount} from '../../src/engines/sglang/graphs.ts'
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
    ['0.5.23', 'rtx4090', 4096, 48, 160],
    ['0.5.20', 'rtx4090', 4096, 48, 160],
    ['0.5.19', 'rtx4090', 2048, 24, 80],
    ['0.5.18', 'rtx4090', 2048, 24, 80],
    ['0.5.4.post1', 'rtx4090', 2048, 24, 80],
    ['0.5.4', 'rtx4090', 2048, 16, 80],
    ['0.4.10', 'rtx4090', 2048, 8, 80],
    ['0.5.18', 'h100', 8192, 256, 512],
    ['0.4.10', 'h100', 8192, 160, 160],
    ['0.5.18', 'h200', 8192, 256, 512],
    ['0.5.1', 'h200', 8192, 256, 256],
    ['0.5.18', 'b200', 16384, 512, 512],
    ['0.5.23', 'b200', 16384, 512, 512],
    ['0.4.7.post1', 'b200', 16384, 512, 512],
    ['0.4.7', 'b200', 8192, 512, 512],
    ['0.4.6.post2', 'h100', 8192, 160, 160],
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

  it('captures 48 as 12 more than 24, 40 among them', () => expect(decodeGraphSizes(ask('0.5.23', 'rtx4090'))).toEqual([1, 2, 4, 8, 12, 16, 24, 32, 40, 48]))

  it('captures no more than the requests that were asked for, from 0.5.22 on', () => {
    expect(['0.5.21', '0.5.22'].map((version) => decodeGraphMaxBatch(ask(version, 'h100', {requestsAsked: 32})))).toEqual([256, 32])
    // Qwen3-VL on large Hopper cards captures up to what was asked, to 512 (model_overrides/qwen3_vl.py).
    const seeing = {className: 'Qwen3VLForConditionalGeneration', requestsAsked: 400}
    expect(['0.5.19', '0.5.20', '0.5.23'].map((version) => decodeGraphMaxBatch(ask(version, 'h100', seeing)))).toEqual([256, 400, 400])
    expect(decodeGraphMaxBatch(ask('0.5.20', 'b200', {...seeing, requestsAsked: 600}))).toBe(512)
  })

  it('captures 4 + 19 sizes to 160 in 0.4.10', () => expect(decodeGraphSizes(ask('0.4.10', 'h100'))).toHaveLength(23))

  it('has prefill graphs from 0.5.10: 58 sizes to 8,192 tokens, 42 to 2,048 for MLA', () => {
    // 8 + 14 + 8 + 8 + 12 + 8; to 2,048: 8 + 14 + 8 + 8 + 4
    expect(prefillGraphCount(ask('0.5.18', 'h100'))).toBe(58)
    expect(prefillGraphCount(ask('0.5.18', 'h100', {latentAttention: true}))).toBe(42)
    expect(prefillGraphCount(ask('0.5.9', 'h100'))).toBe(0)
    expect(prefillGraphCount(ask('0.5.18', 'b300', {compressedAttention: true}))).toBe(0)
    expect(prefillGraphCount(ask('0.5.16', 'h100', {latentAttention: true}))).toBe(0)
  })

  const planned = (version: string, more: Partial<SglangQuestion>): number => prefillGraphCount(ask(version, 'h100', more))

  it('captures MLA up to the chunk, no more than 8,192, from 0.5.23 on', () => {
    expect(['0.5.22', '0.5.23'].map((version) => planned(version, {latentAttention: true}))).toEqual([42, 58])
    // 50 to 4,096 on the smaller card; 58 of B200's 16,384.
    expect(prefillGraphCount(ask('0.5.23', 'rtx4090', {latentAttention: true}))).toBe(50)
    expect(prefillGraphCount(ask('0.5.23', 'b200', {latentAttention: true}))).toBe(58)
  })

  it.each([
    ['MLA that is not sparse', {latentAttention: true}, ['0.5.14', '0.5.15', '0.5.17', '0.5.18'], [42, 0, 0, 42]],
    ['sparse MLA', {latentAttention: true, sparseIndexer: true}, ['0.5.14', '0.5.16', '0.5.17'], [0, 0, 42]],
    ['Nemotron-H', {className: 'NemotronHForCausalLM'}, ['0.5.16', '0.5.17', '0.5.18'], [58, 0, 58]],
    ['pipeline stages', {pp: 2}, ['0.5.14', '0.5.15', '0.5.18', '0.5.19'], [0, 58, 58, 0]],
    ['Kimi Delta Attention', {deltaAttention: true}, ['0.5.19', '0.5.20', '0.5.23'], [58, 0, 0]],
    ['GLM-5.3 Flash', {deltaAttention: true, multimodal: true, className: 'Glm5NextForConditionalGeneration'}, ['0.5.21', '0.5.22'], [0, 58]],
    ['Qwen3.5 with its tower', {multimodal: true, className: 'Qwen3_5ForConditionalGeneration'}, ['0.5.15', '0.5.16'], [0, 58]],
    ['another tower', {multimodal: true, className: 'Gemma4ForConditionalGeneration'}, ['0.5.16', '0.5.23'], [0, 0]],
    ['adapters', {adapters: true}, ['0.5.14', '0.5.16', '0.5.17'], [0, 0, 58]],
    ['weights in host memory', {cpuOffload: true}, ['0.5.14', '0.5.15'], [0, 58]],
    ['attention ranks', {tp: 8, dp: 8, dpAttention: true}, ['0.5.14', '0.5.16', '0.5.17'], [0, 0, 58]],
  ] as const)('%s', (_name, more, versions, sizes) => {
    expect(versions.map((version) => planned(version, more))).toEqual([...sizes])
  })

  it('are as small as the cache that was asked for', () => {
    // 8 + 14 + 8 + 8 to 1,024.
    expect(planned('0.5.23', {tokensAsked: 1024})).toBe(38)
    // 8 + 14 + 8 to 512.
    expect(planned('0.5.18', {className: 'MuseGlimmerForConditionalGeneration', multimodal: true})).toBe(30)
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
    // 512 + 1.5 x 2048 + 2 x 24 + 128 + 8 x 42 = 4096 of 24564
    ['0.5.19', 'rtx4090', {}, 4096, 0.833],
    // 512 + 1.5 x 4096 + 2 x 48 + 128 + 8 x 50 = 7280 of 24564
    ['0.5.20', 'rtx4090', {}, 7280, 0.704],
    ['0.5.23', 'rtx4090', {}, 7280, 0.704],
    // 512 + 1.5 x 8192 + 2 x 32 + 128 + 8 x 58 = 13456
    ['0.5.22', 'h100', {requestsAsked: 32}, 13456, 0.835],
    ['0.5.21', 'h100', {requestsAsked: 32}, 13904, 0.83],
  ] as const)('%s on %s %j', (version, name, more, reserved, fraction) => {
    expect(reservedMiB(ask(version, name, more))).toBe(reserved)
    expect(memFractionStatic(ask(version, name, more))).toBeCloseTo(fraction, 10)
  })

  it("keeps 2 GiB more for oneDNN on Intel's cards, which capture nothing", () => {
    const {gpu} = ask('0.5.20', 'rtx4090')
    const arc = {...gpu, accelerator: {...gpu.accelerator, vendor: 'intel' as const, computeCapability: undefined}}
    // 512 + 1.5 x 2048 + 128; 512 + 1.5 x 4096 + 128 + 2048
    expect(['0.5.19', '0.5.20'].map((version) => reservedMiB({...ask(version, 'rtx4090'), gpu: arc}))).toEqual([3712, 8832])
  })

  it('goes by tensor parallelism in 0.4.6', () => {
    expect([1, 2, 4, 8, 16].map((tp) => memFractionStatic(ask('0.4.6', 'h100', {tp})))).toEqual([0.88, 0.87, 0.85, 0.81, 0.79])
  })

  it('is scaled down for a vision tower', () => {
    // The factor came with 0.4.9.post3: 0.874 before it.
    const [before, after] = ['0.4.9.post2', '0.4.9.post3'].map((version) =>
      memFractionStatic(ask(version, 'h100', {vision: {layerCount: 24, hiddenSize: 1024}})),
    )
    expect([before, after]).toEqual([0.874, 0.874 * 0.95])
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

  it('runs DeepSeek-V3 by TensorRT-LLM on 10.x from 0.5.4, without graphs of prompts from 0.5.15', () => {
    const v3 = (version: string, name: keyof typeof gpus) => ask(version, name, {latentAttention: true, className: 'DeepseekV3ForCausalLM'})
    expect(['0.5.3', '0.5.4', '0.5.23'].map((version) => attentionBackend(v3(version, 'b200')))).toEqual(['flashinfer', 'trtllm_mla', 'trtllm_mla'])
    expect(['0.5.14', '0.5.15'].map((version) => dropsPrefillGraphs(v3(version, 'b200')))).toEqual([false, true])
    expect(dropsPrefillGraphs(v3('0.5.23', 'h100'))).toBe(false)
  })

  it('has pages of 256 for DeepSeek-V4 and 64 with a sparse indexer', () => {
    expect(pageSizeTokens(attentionBackend(ask('0.5.18', 'b300', {compressedAttention: true})))).toBe(256)
    expect(pageSizeTokens('fa3', true)).toBe(64)
  })
})
