import {describe, expect, it} from 'vitest'
import {asRun, EXCLUDED, LAUNCHES, measuredRow} from '../../../src/build/fit/launches.ts'
import {publisher} from '../../../src/build/fit/measurements.ts'

const row = (more: Record<string, unknown>) => ({
  id: 'one',
  source: 'InferenceX',
  measured: '2026-03-27',
  model: 'openai/gpt-oss-120b',
  gpu: '4xh200-sxm',
  engine: 'vllm',
  engineVersion: '0.18.0',
  weights: 'mxfp4',
  tp: 4,
  pp: 1,
  ep: 1,
  dpAttention: false,
  workload: {inputTokens: 922, outputTokens: 7373, concurrency: 16, prefixHitRate: 0},
  ...more,
})

describe('what a measured row really ran', () => {
  it('reads the lengths that were asked for from the mean of what was drawn', () => {
    // 922 is nine tenths of 1,024, 7,373 of 8,192.
    expect(measuredRow(row({}))).toMatchObject({inputTokens: 1024, outputTokens: 8192, concurrency: 16, gpu: 'h200-sxm', model: 'gpt-oss-120b'})
    expect(measuredRow(row({workload: {inputTokens: 2048, outputTokens: 512, concurrency: 8}}))).toMatchObject({inputTokens: 2048, outputTokens: 512})
  })

  it('adds the flags of the launch script', () => {
    // max-model-len: 1024 + 8192 + 256; max-num-seqs: the concurrency; no cache format on Hopper.
    const {raw} = asRun(row({})) as {raw: Record<string, unknown>}
    expect(raw).toMatchObject({maxNumBatchedTokens: 8192, gpuMemoryUtilization: 0.9, maxNumSeqs: 16, maxModelLen: 9472})
    expect(raw).not.toHaveProperty('kvCache')
    expect(asRun(row({gpu: '4xb200-sxm'}))).toMatchObject({raw: {kvCache: 'fp8', maxNumSeqs: 512}})
  })

  it('puts weights right that the row names wrongly', () => {
    const sweep = {source: 'controlled sweep', measured: null, gpu: '1xh100-sxm', workload: {inputTokens: 1024, outputTokens: 128, concurrency: 8}}
    expect(asRun(row({...sweep, model: 'nvidia/Llama-3.1-8B-Instruct-FP8', engine: 'trtllm', weights: 'fp8'}))).toMatchObject({
      raw: {model: 'meta-llama/Llama-3.1-8B-Instruct', weights: 'bf16', maxNumSeqs: 7},
      outputSpread: 0,
    })
    expect(asRun(row({...sweep, model: 'Qwen/Qwen3-32B-FP8', engine: 'trtllm', weights: 'fp8-block'}))).toMatchObject({
      raw: {model: 'Qwen/Qwen3-32B-FP8', weights: 'fp8-block', kvCache: 'fp8'},
    })
  })

  it('puts layouts right that the script ignored', () => {
    expect(asRun(row({engine: 'trtllm', measured: '2025-11-02'}))).toMatchObject({raw: {ep: 4, maxNumBatchedTokens: 20_000}})
    const kimi = row({model: 'nvidia/Kimi-K2.5-NVFP4', gpu: '4xb200-sxm', weights: 'nvfp4', ep: 4, dpAttention: true})
    expect(asRun(kimi)).toMatchObject({raw: {ep: 1, dpAttention: false, maxNumSeqs: 16}})
  })

  it('reckons the batch of DeepSeek-R1 as the script does, and its layout of 2025', () => {
    const deepSeek = {model: 'nvidia/DeepSeek-R1-0528-FP4-v2', engine: 'trtllm', weights: 'nvfp4', gpu: '4xb200-sxm', measured: '2025-11-02'}
    const load = (concurrency: number) => ({workload: {inputTokens: 922, outputTokens: 922, concurrency}})
    // (4 + 1024 + 64 + 63) / 64 x 64 = 18 x 64, as for 64 in flight (1,215 / 64); expert parallel beyond 32, attention data parallel from 256.
    expect(asRun(row({...deepSeek, ...load(4)}))).toMatchObject({raw: {maxNumBatchedTokens: 1152, ep: 1, dpAttention: false}})
    expect(asRun(row({...deepSeek, ...load(64)}))).toMatchObject({raw: {maxNumBatchedTokens: 1152, ep: 4, dpAttention: false}})
    expect(asRun(row({...deepSeek, ...load(256)}))).toMatchObject({raw: {ep: 4, dpAttention: true}})
    expect(asRun(row({...deepSeek, ...load(4), measured: '2026-02-03'}))).toMatchObject({raw: {maxNumBatchedTokens: 8192}})
  })

  it('leaves out what ran with drafts, and leaves other sources alone', () => {
    const drafted = row({model: 'Qwen/Qwen3.5-397B-A17B-FP8', engine: 'sglang', weights: 'fp8-block', gpu: '4xb200-sxm'})
    expect(asRun(drafted)).toMatchObject({excluded: expect.stringContaining('drafts')})
    const foreign = row({source: 'somebody/benchmarks:results@1'})
    expect(asRun(foreign)).toEqual({raw: foreign})
  })

  it('says of every rule where it comes from', () => {
    for (const {because} of [...LAUNCHES, ...EXCLUDED]) expect(because.length).toBeGreaterThan(20)
  })
})

it.each([
  ['NVIDIA/TensorRT-LLM:docs/performance.md@1a2b', 'NVIDIA/TensorRT-LLM'],
  ['arc53/llm-price-compass#6', 'arc53/llm-price-compass'],
  ['https://kubis.ai/blog/x', 'kubis.ai'],
  ['InferenceX', 'InferenceX'],
])('publisher of %s', (source, name) => expect(publisher(source)).toBe(name))
