import {describe, expect, it} from 'vitest'
import {readLog} from '../../src/verify/read-log.ts'

describe('SGLang ends a start', () => {
  it.each([
    'ValueError: Loaded weights leave no GPU memory for the KV cache under --mem-fraction-static=0.7. Raise --mem-fraction-static above 0.8',
    'RuntimeError: Not enough GPU memory for hybrid (mamba/linear-attention) state cache. Computed max_mamba_cache_size=-3',
    'RuntimeError: Hybrid (mamba/linear-attention) state cache is too small to serve any requests. max_mamba_cache_size=2, mamba_ratio=5',
    'ValueError: SWA pool (120 tokens) cannot hold even one request: the prefill admission floor is sliding_window_size (128) + page_size (1).',
    'RuntimeError: The DSV4 SWA pool cap (622848 tokens, 18.49 GB) leaves no room for the full KV pool within the available 12.00 GB.',
  ])('%s', (text) => {
    expect(readLog(['[2026-11-20 08:00:00] Load weight begin. avail mem=23.10 GB', text]).outcome).toBe('kv-too-small')
  })
})

/** From 0.5.19 the engine prints its arguments as a mapping, and from 0.5.22 attention's ranks in a field of their own (entrypoints/engine.py). */
describe("SGLang's arguments as a mapping", () => {
  const line = (text: string) => readLog([`[2026-11-20 08:00:00] server_args={${text}}`])

  it('are read like those of an object', () => {
    const report = line(
      "'model_path': 'Qwen/Qwen3-235B-A22B-FP8', 'tp_size': 8, 'pp_size': 1, 'dp_size': 1, 'ep_size': 8, 'mem_fraction_static': 0.85, 'chunked_prefill_size': 1024, 'max_running_requests': 512, 'attn_dp_size': 8, 'enable_dp_attention': True, 'watermark_config': None",
    )
    expect(report).toMatchObject({engine: 'sglang', model: 'Qwen/Qwen3-235B-A22B-FP8', argumentsPrinted: true})
    // 512 requests of the whole server are 64 of each rank; the chunk is printed divided already.
    expect(report.settings).toMatchObject({tp: 8, dp: 8, ep: 8, dpAttention: true, maxNumSeqs: 64, maxNumBatchedTokens: 1024, gpuMemoryUtilization: 0.85})
  })

  it('leave replicas what they are', () => {
    const {settings} = line(
      "'model_path': 'Qwen/Qwen3-8B', 'tp_size': 1, 'dp_size': 4, 'max_running_requests': 512, 'attn_dp_size': 1, 'enable_dp_attention': False",
    )
    expect(settings).toMatchObject({dp: 4, maxNumSeqs: 512})
    expect(settings.dpAttention).toBeUndefined()
  })
})
