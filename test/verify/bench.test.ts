import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {readBench} from '../../src/verify/bench/read-bench.ts'

const read = (name: string) => readBench(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'verify', name), 'utf8'), name)

describe('results are recognised by what they hold', () => {
  it('vllm bench serve', () => {
    expect(read('vllm-bench-serve.json')).toEqual([
      {
        format: 'vllm bench serve',
        place: 'vllm-bench-serve.json',
        scenario: {model: 'Qwen/Qwen3-8B', engine: 'vllm'},
        workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8},
        requestCount: 80,
        observed: {ttftMs: 214.5, tpotMs: 17.4, outputTokensPerSecond: 449.1},
      },
    ])
  })

  it('sglang.bench_serving, a line for each run', () => {
    const points = read('sglang-bench-serving.jsonl')
    expect(points.map(({workload}) => workload.concurrency)).toEqual([1, 4, 16])
    expect(points[1]).toMatchObject({
      format: 'sglang.bench_serving',
      place: 'sglang-bench-serving.jsonl, line 2',
      scenario: {engine: 'sglang'},
      observed: {ttftMs: 140, tpotMs: 16.95},
    })
  })

  it('trtllm-bench', () => {
    expect(read('trtllm-bench-report.json')).toMatchObject([
      {
        scenario: {
          model: 'meta-llama/Llama-3.1-8B-Instruct',
          engine: 'trtllm',
          engineVersion: '1.2.0',
          tp: 1,
          maxNumSeqs: 256,
          maxNumBatchedTokens: 8192,
          gpuMemoryUtilization: 0.9,
        },
        workload: {inputTokens: 1024, outputTokens: 512, concurrency: 63},
        observed: {ttftMs: 190, tpotMs: 10.4, outputTokensPerSecond: 5885},
      },
    ])
  })

  it('llama-bench as Markdown: prompts and answers apart, depth as cached context', () => {
    const points = read('llama-bench.md')
    expect(points).toHaveLength(4)
    // 512 tokens at 9,183.25 a second; 128 tokens of 1,000 / 58.33 ms each.
    expect(points[0]).toMatchObject({workload: {inputTokens: 512, outputTokens: 1, concurrency: 1}, observed: {ttftMs: (512 / 9183.25) * 1000}})
    expect(points[1]).toMatchObject({workload: {inputTokens: 1, outputTokens: 128}, observed: {tpotMs: 1000 / 58.33}})
    expect(points[2]!.workload).toEqual({inputTokens: 4608, outputTokens: 1, concurrency: 1, prefixHitRate: 4096 / 4608})
  })

  it('llama-bench as CSV and JSON', () => {
    expect(read('llama-bench.csv').map(({observed}) => observed)).toEqual([{ttftMs: (512 / 9183.25) * 1000}, {tpotMs: 1000 / 58.33}])
    expect(readBench('[{"n_prompt": 0, "n_gen": 64, "n_depth": 0, "avg_ts": 50}]', 'x')).toMatchObject([{observed: {tpotMs: 20}}])
  })

  it("the contract's JSON Lines", () => {
    const points = read('scenarios.jsonl')
    expect(points).toHaveLength(4)
    expect(points[0]).toMatchObject({
      format: 'scenario',
      scenario: {id: 'own-1', gpu: '1xrtx-4090', engineVersion: '0.11.1', maxModelLen: 16384},
      observed: {tpotMs: 20.1},
    })
  })

  it('refuses the rest', () => {
    for (const text of ['', '{}', '[]', 'hello', '{"output_throughput": 5}', '| a |\n| b |'])
      expect(() => readBench(text, 'result.json'), text).toThrow(/result.json holds no benchmark result/)
  })
})
