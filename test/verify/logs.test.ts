import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readLog} from '../../src/verify/read-log.ts'

const GIB = 1024 ** 3
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', 'fixtures', 'verify', name), 'utf8')
const read = (name: string) => readLog([fixture(name)])

describe('vLLM', () => {
  it('reads a start of 0.11.1 through colours and process names', () => {
    const report = read('vllm-0.11.1-qwen3-8b-rtx-4090.log')
    expect(report).toMatchObject({engine: 'vllm', engineVersion: '0.11.1', model: 'Qwen/Qwen3-8B', outcome: 'started', argumentsPrinted: true})
    expect(report.settings).toEqual({tp: 1, pp: 1, dp: 1, ep: 1, maxModelLen: 16384, maxNumSeqs: 64, gpuMemoryUtilization: 0.9})
    expect(report.figures).toEqual({
      weightsBytes: Math.round(15.2683 * GIB),
      kvCacheBytes: Math.round(5.43 * GIB),
      kvCacheTokens: 39536,
      maxConcurrency: 2.41,
      cudaGraphBytes: Math.round(0.57 * GIB),
    })
  })

  it('takes interleaved ranks apart, also two messages on one line; the rank with least room decides', () => {
    const report = read('vllm-0.28.0-qwen3-32b-fp8-2-ranks.log')
    expect(report).toMatchObject({engineVersion: '0.28.0', model: 'Qwen/Qwen3-32B-FP8', settings: {tp: 2, maxModelLen: 32768}})
    expect(report.ranks.map(({rank}) => rank)).toEqual(['Worker_TP0', 'Worker_TP1', 'EngineCore'])
    expect(report.figures.kvCacheBytes).toBe(Math.round(54.02 * GIB))
    expect(report.figures.weightsBytes).toBe(Math.round(16.01 * GIB))
    // 16.92 consumed less 16.01 of weights; 1.91 peak less the 0.91 of graphs that were reckoned with.
    expect(report.figures.runtimeBytes! / GIB).toBeCloseTo(0.91, 3)
    expect(report.figures.activationBytes! / GIB).toBeCloseTo(1, 3)
    expect(report.figures).toMatchObject({
      kvCacheTokens: 442528,
      maxConcurrency: 13.5,
      totalBytes: Math.round(79.18 * GIB),
      freeBeforeBytes: Math.round(78.66 * GIB),
    })
  })

  it('reads a refusal with its numbers', () => {
    const report = read('vllm-0.11.1-refused.log')
    expect(report.outcome).toBe('kv-too-small')
    expect(report.refusal).toMatchObject({
      maxModelLen: 40960,
      neededBytes: Math.round(5.62 * GIB),
      availableBytes: Math.round(4.63 * GIB),
      estimatedMaxModelLen: 33712,
    })
  })

  it('tells memory that others took from memory that ran out', () => {
    expect(read('vllm-memory-taken.log')).toMatchObject({
      outcome: 'memory-taken',
      figures: {freeBeforeBytes: Math.round(16.1 * GIB), totalBytes: Math.round(23.52 * GIB)},
    })
    expect(read('vllm-graphs-out-of-memory.log')).toMatchObject({
      outcome: 'out-of-memory',
      refusal: {neededBytes: 298 * 1024 ** 2},
      figures: {kvCacheTokens: 51040},
    })
  })

  it('reads what the engine before V1 printed', () => {
    const report = readLog([
      [
        'INFO 03-01 10:00:00 [api_server.py:981] vLLM API server version 0.8.0',
        '(VllmWorker rank=1 pid=8) INFO 03-01 10:00:30 [worker.py:267] Memory profiling takes 3.11 seconds',
        '(VllmWorker rank=1 pid=8) INFO 03-01 10:00:30 [worker.py:267] the current vLLM instance can use total_gpu_memory (44.40GiB) x gpu_memory_utilization (0.90) = 39.96GiB',
        '(VllmWorker rank=1 pid=8) INFO 03-01 10:00:30 [worker.py:267] model weights take 14.99GiB; non_torch_memory takes 0.09GiB; PyTorch activation peak memory takes 1.26GiB; the rest of the memory reserved for KV Cache is 23.62GiB.',
      ].join('\n'),
    ])
    // Rank 1 was seen: at least two ranks, and maybe more.
    expect(report).toMatchObject({engine: 'vllm', engineVersion: '0.8.0', seen: {tp: 2}})
    expect(report.settings.tp).toBeUndefined()
    expect(report.figures).toEqual({
      totalBytes: Math.round(44.4 * GIB),
      weightsBytes: Math.round(14.99 * GIB),
      runtimeBytes: Math.round(0.09 * GIB),
      activationBytes: Math.round(1.26 * GIB),
      kvCacheBytes: Math.round(23.62 * GIB),
    })
  })

  it('takes a negative room for what it says', () => {
    expect(readLog(['INFO Available KV cache memory: -2.14 GiB']).figures.kvCacheBytes).toBe(Math.round(-2.14 * GIB))
  })

  it('finds the repository behind a path of the cache, and the release of a build', () => {
    const report = readLog([
      "INFO vLLM API server version 0.10.1rc2.dev189+ge2db1164a\nINFO non-default args: {'model': '/root/.cache/huggingface/hub/models--openai--gpt-oss-120b/snapshots/b5c939de/', 'kv_cache_dtype': 'fp8_e4m3', 'speculative_config': {'method': 'deepseek_mtp', 'num_speculative_tokens': 2}, 'data_parallel_size': 2, 'enable_expert_parallel': True, 'decode_context_parallel_size': 2}",
    ])
    expect(report).toMatchObject({
      engineVersion: '0.10.1rc2.dev189',
      model: 'openai/gpt-oss-120b',
      settings: {kvCache: 'fp8', dp: 2, ep: 2, speculative: {method: 'mtp', tokens: 2}},
      further: ['--decode-context-parallel-size'],
    })
  })
})

describe('SGLang', () => {
  it('reads a start on two ranks', () => {
    const report = read('sglang-0.5.18-qwen3-8b-tp2.log')
    expect(report).toMatchObject({
      engine: 'sglang',
      model: 'Qwen/Qwen3-8B',
      outcome: 'started',
      settings: {tp: 2, pp: 1, dp: 1, ep: 1, gpuMemoryUtilization: 0.842, maxNumBatchedTokens: 2048, maxModelLen: 40960},
    })
    expect(report.figures).toMatchObject({
      freeBeforeBytes: Math.round(22.73 * GIB),
      weightsBytes: Math.round(7.69 * GIB),
      kvCacheTokens: 166700,
      maxNumSeqs: 2048,
      cudaGraphBytes: Math.round(0.31 * GIB),
      freeAfterBytes: Math.round(2.86 * GIB),
    })
    expect(report.figures.kvCacheBytes).toBe(2 * Math.round(5.72 * GIB))
  })

  it('adds up model and draft, states and caches', () => {
    const {settings, figures} = read('sglang-hybrid-draft.log')
    expect(settings.speculative).toEqual({method: 'mtp', tokens: 3})
    expect(figures.weightsBytes! / GIB).toBeCloseTo(52.8, 6)
    // 0.12 + 3.09 + 2.11 + 0.04 of states, twice 5.22 and twice 0.33 of cache.
    expect(figures.kvCacheBytes! / GIB).toBeCloseTo(16.46, 6)
  })

  it('tells a refusal', () => {
    expect(
      readLog([
        '[2026-11-20 08:00:41 TP0] Scheduler hit an exception: RuntimeError: Not enough memory. Please try to increase --mem-fraction-static. Current value: mem_fraction_static=0.7\n[2026-11-20 08:00:20 TP0] Load weight begin. avail mem=22.73 GB',
      ]).outcome,
    ).toBe('kv-too-small')
  })
})

describe('TensorRT-LLM', () => {
  it('reads a start, the trial cache replaced by the real one', () => {
    const report = read('trtllm-1.2.0-llama-3.1-8b-h200.log')
    expect(report).toMatchObject({
      engine: 'trtllm',
      engineVersion: '1.2.0',
      model: 'meta-llama/Llama-3.1-8B-Instruct',
      outcome: 'started',
      settings: {tp: 1, pp: 1, maxModelLen: 8192, maxNumSeqs: 32, maxNumBatchedTokens: 1024, gpuMemoryUtilization: 0.9},
    })
    expect(report.figures).toEqual({
      weightsBytes: Math.round(15.06 * GIB),
      activationBytes: Math.round(0.14 * GIB),
      runtimeBytes: Math.round(2.55 * GIB),
      totalBytes: Math.round(139.8 * GIB),
      kvCacheBytes: Math.round(109.96 * GIB),
      kvCacheTokens: 900800,
    })
  })
})

describe('what is no log of a start', () => {
  it('is said', () => {
    expect(() => readLog([''])).toThrow(/empty/)
    expect(() => readLog(['hello\nworld'])).toThrow(/No line of vLLM/)
  })
})

describe('wordings of single lines', () => {
  const figures = (line: string) => readLog([line]).figures

  it('of vLLM', () => {
    expect(figures('INFO 02-01 Loading model weights took 14.9888 GB\nINFO # cuda blocks: 27392, # CPU blocks: 2048')).toEqual({
      weightsBytes: Math.round(14.9888 * GIB),
      kvCacheTokens: 27392 * 16,
    })
    // 0.10: bytes; from 0.11: GiB, for each rank.
    expect(
      figures(
        'Actual usage is 5.5 GiB for weight, 1.4 GiB for peak activation, 0.1 GiB for non-torch memory, and 0.5 GiB for CUDAGraph memory. Current kv cache memory in use is 9223372036 bytes.\nvLLM API server version 0.10.2',
      ),
    ).toMatchObject({kvCacheBytes: 9223372036, runtimeBytes: Math.round(0.1 * GIB)})
    expect(
      readLog([
        'vLLM API server version 0.11.0\nValueError: Free memory on device cuda:0 (27.28/31.86 GiB) on startup is less than desired GPU memory utilization (0.97, 30.9 GiB).',
      ]),
    ).toMatchObject({outcome: 'memory-taken', figures: {freeBeforeBytes: Math.round(27.28 * GIB)}})
    expect(
      readLog([
        "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (81536). Try increasing `gpu_memory_utilization`\nvLLM API server version 0.8.0",
      ]),
    ).toMatchObject({outcome: 'kv-too-small', refusal: {estimatedMaxModelLen: 81536}})
  })

  it('of SGLang: without the begin line, what was free follows from the end line', () => {
    expect(
      figures('[2025-08-08 03:34:38] Load weight end. type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail mem=13.91 GB, mem usage=1.25 GB.').freeBeforeBytes! /
        GIB,
    ).toBeCloseTo(15.16, 6)
  })

  it('of TensorRT-LLM: arguments with commas or blanks between them', () => {
    for (const between of [' ', ', '])
      expect(
        readLog([
          `[TensorRT-LLM] TensorRT LLM version: 1.2.0\n[09/11/2026-08:00:02] [TRT-LLM] [I] LLM Args: ${['tensor_parallel_size=8', 'max_batch_size=256', 'max_num_tokens=8192'].join(between)}`,
        ]),
      ).toMatchObject({engineVersion: '1.2.0', settings: {tp: 8, maxNumSeqs: 256, maxNumBatchedTokens: 8192}})
  })
})
