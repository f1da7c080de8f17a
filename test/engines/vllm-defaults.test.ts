import {describe, expect, it} from 'vitest'
import type {Model} from '../../src/core/model.ts'
import {
  batchDefaults,
  blockSizeTokens,
  cudaGraphSizes,
  gpuMemoryUtilization,
  schedulerDefaults,
  unsplittableItemTokens,
} from '../../src/engines/vllm/defaults.ts'
import {gpus} from './launch-fixtures.ts'

// Numbers read in vllm/engine/arg_utils.py, vllm/config/cache.py and vllm/config/vllm.py of the named releases.
describe('vLLM: limits by device and version', () => {
  it.each([
    ['0.28.0', 'b200', 16384, 1024], // 179 GiB, at least 160
    ['0.27.1', 'b200', 8192, 1024], // the step at 160 GiB came with 0.28.0
    ['0.28.0', 'h200', 8192, 1024],
    ['0.11.0', 'h100', 8192, 1024],
    ['0.28.0', 'a100', 2048, 256], // 80 GiB, but an A100 by name
    ['0.8.5', 'a100', 8192, 1024], // the exception came with 0.9.0
    ['0.28.0', 'rtx4090', 2048, 256],
    ['0.8.4', 'h100', 8192, 1024],
    ['0.8.4', 'rtx4090', 2048, 256],
    ['0.8.3', 'rtx4090', 2048, 1024],
    ['0.8.3', 'b200', 2048, 1024], // only the names H100 and H200 counted
    ['0.6.3', 'h100', 2048, 256], // the first engine: SchedulerConfig
  ] as const)('%s on %s', (version, name, maxNumBatchedTokens, maxNumSeqs) => {
    expect(batchDefaults(version, gpus[name])).toEqual({maxNumBatchedTokens, maxNumSeqs})
  })

  it('caps a default number of tokens at sequences x length, and of sequences at the tokens', () => {
    // 16 x 100 = 1,600 tokens are fewer than 8,192.
    expect(schedulerDefaults({version: '0.28.0', gpu: gpus.h100, maxModelLen: 100, maxNumSeqs: 16})).toEqual({maxNumBatchedTokens: 1600, maxNumSeqs: 16})
    // 1,024 sequences are more than 512 tokens.
    expect(schedulerDefaults({version: '0.28.0', gpu: gpus.h100, maxModelLen: 4096, maxNumBatchedTokens: 512})).toEqual({
      maxNumBatchedTokens: 512,
      maxNumSeqs: 512,
    })
    // 0.11.0 has no caps yet.
    expect(schedulerDefaults({version: '0.11.0', gpu: gpus.h100, maxModelLen: 100, maxNumSeqs: 16}).maxNumBatchedTokens).toBe(8192)
  })

  it('raises the tokens to the longest request without chunked prefill', () => {
    expect(schedulerDefaults({version: '0.28.0', gpu: gpus.rtx4090, maxModelLen: 40_960, chunkedPrefill: false}).maxNumBatchedTokens).toBe(40_960)
  })

  it('takes 0.92 of memory from 0.20.0', () => {
    expect(['0.19.1', '0.20.0', '0.28.0', 'nightly'].map(gpuMemoryUtilization)).toEqual([0.9, 0.92, 0.92, 0.92])
  })
})

describe('vLLM: CUDA graph sizes', () => {
  const sizes = (version: string, device: keyof typeof gpus, more = {}) =>
    cudaGraphSizes({version, gpu: gpus[device], maxNumSeqs: 1024, maxNumBatchedTokens: 8192, ...more})

  it('steps by 8 to 512 up to 0.11.0: 3 + 64 sizes', () => {
    expect(sizes('0.11.0', 'h100')).toHaveLength(67)
    expect(sizes('0.11.0', 'h100').slice(0, 5)).toEqual([1, 2, 4, 8, 16])
  })

  it('steps by 16 from 256 on from 0.11.1: 3 + 31 + 17 sizes', () => {
    expect(sizes('0.11.1', 'h100')).toHaveLength(51)
    expect(sizes('0.28.0', 'h100').at(-1)).toBe(512)
  })

  it('goes to 1,024 on compute capability 10.x in 0.28.0: 32 sizes more', () => {
    expect(sizes('0.28.0', 'b200')).toHaveLength(83)
    expect(sizes('0.27.1', 'b200')).toHaveLength(51)
  })

  it('covers twice the sequences, times the drafts', () => {
    expect(sizes('0.28.0', 'h100', {maxNumSeqs: 16}).at(-1)).toBe(32)
    expect(sizes('0.28.0', 'h100', {maxNumSeqs: 16, speculativeTokens: 3}).at(-1)).toBe(128) // 16 x 4 x 2
    expect(sizes('0.12.0', 'h100', {maxNumSeqs: 16, speculativeTokens: 3}).at(-1)).toBe(32) // drafts count from 0.13.0
    expect(sizes('0.9.2', 'h100', {maxNumSeqs: 16}).at(-1)).toBe(512) // a fixed list before 0.10.0
  })

  it('adds the batched tokens where they are the least of all, from 0.20.1', () => {
    expect(sizes('0.20.1', 'h100', {maxNumBatchedTokens: 100}).slice(-2)).toEqual([96, 100])
    expect(sizes('0.20.0', 'h100', {maxNumBatchedTokens: 100}).at(-1)).toBe(96)
  })

  // 1, 2, 4 and the multiples of 8 up to the sequences: _BATCH_SIZES_TO_CAPTURE, vllm/worker/model_runner.py.
  it('goes up to the sequences in the first engine', () => expect(sizes('0.6.3', 'h100', {maxNumSeqs: 256})).toHaveLength(3 + 32))

  // 0.29.0 _set_cudagraph_sizes: 16 sequences of 4 tokens go to 128 in steps, 1 to 128: 3 + 16. Decodes are 1, 2, 4, 8 and 16 requests: 4, 8, 16, 32, 64,
  // which lie on steps. With 5 tokens a request they are 5, 10, 20, 40 and 80, of 160 at most: 5, 10, 20 are new beside 3 + 20.
  it('adds batches of decodes with drafts from 0.29.0', () => {
    expect(sizes('0.29.0', 'h100', {maxNumSeqs: 16, speculativeTokens: 3})).toHaveLength(19)
    expect(sizes('0.29.0', 'h100', {maxNumSeqs: 16, speculativeTokens: 4})).toHaveLength(26)
    expect(sizes('0.28.0', 'h100', {maxNumSeqs: 16, speculativeTokens: 4})).toHaveLength(23)
  })

  // 100 sequences lie on no step of 8; 0.31.0 captures them all the same.
  it('adds the sequences themselves from 0.31.0, within the ceiling and the batched tokens', () => {
    expect(sizes('0.30.0', 'h100', {maxNumSeqs: 100})).not.toContain(100)
    expect(sizes('0.31.0', 'h100', {maxNumSeqs: 100})).toContain(100)
    expect(sizes('0.33.0', 'h100', {maxNumSeqs: 1000}).at(-1)).toBe(512)
    expect(sizes('0.33.0', 'h100', {maxNumSeqs: 100, maxNumBatchedTokens: 90}).at(-1)).toBe(90)
    expect(sizes('0.33.0', 'h100', {maxNumSeqs: 100, graphs: {maxBatch: 128}})).not.toContain(100)
  })

  it('is empty when graphs are off', () => expect(sizes('0.28.0', 'h100', {enforceEager: true})).toEqual([]))
})

describe('vLLM: cache blocks', () => {
  it.each([
    ['0.28.0', 'h100', 'attention', 16],
    ['0.28.0', 'h100', 'mla', 16],
    ['0.11.0', 'h100', 'mla', 64],
    ['0.11.0', 'b200', 'mla', 128],
    ['0.17.0', 'b200', 'mla', 64],
    ['0.28.0', 'b200', 'mla', 32],
    ['0.28.0', 'rtx4090', 'mla', 16],
    ['0.28.0', 'h200', 'sparse-mla', 64],
    ['0.28.0', 'b200', 'compressed', 256],
  ] as const)('%s on %s, %s: %i tokens', (version, name, kind, tokens) => {
    expect(blockSizeTokens(version, gpus[name], kind)).toBe(tokens)
  })

  it('needs FlashMLA for a quantised latent cache on Hopper', () => expect(blockSizeTokens('0.28.0', gpus.h100, 'mla', true)).toBe(64))
})

// vllm/engine/arg_utils.py _get_min_mm_batched_tokens, from 0.22.0; a video of Gemma 4 is 32 frames of 70 + 2 + 6 tokens (models/gemma4_mm.py), and
// create_engine_config of 0.32.0 resolves 2,496 tokens for gemma-4-31B-it where a card's own number is 2,048. A log of a GB10 says the same (0.25.1).
describe('an item that no step may split', () => {
  const encoders = [{modality: 'vision' as const, parameterCount: 1, unsplitItemTokens: 32 * (70 + 2 + 6)}]
  const model = {architecture: {encoders}} as unknown as Model

  it('raises the tokens of a step that nobody named', () => {
    const tokens = (version: string, items: number) =>
      schedulerDefaults({version, gpu: gpus.rtx4090, maxModelLen: 32_768, unsplittableItemTokens: items}).maxNumBatchedTokens
    expect(tokens('0.32.0', unsplittableItemTokens(model, undefined))).toBe(2496)
    expect(tokens('0.21.0', unsplittableItemTokens(model, undefined))).toBe(2048)
  })

  it('is not there where the language model alone is served', () => expect(unsplittableItemTokens(model, {languageOnly: true})).toBe(0))
})
