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

  /** Names and numbers of one run as each client lays them out. */
  const table = (rows: Record<string, string>) =>
    [
      '============ Serving Benchmark Result ============',
      ...Object.entries(rows).map(([name, value]) => `${`${name}:`.padEnd(40)} ${value.padEnd(10)}`),
      '==================================================',
    ].join('\n')
  const LATENCIES = {
    'Mean TTFT (ms)': '420.11',
    'Median TTFT (ms)': '400.00',
    'P99 TTFT (ms)': '900.00',
    'Mean TPOT (ms)': '18.11',
    'Median TPOT (ms)': '18.00',
  }
  const TOTALS = {'Successful requests': '100', 'Total input tokens': '102400', 'Total generated tokens': '12800', 'Output token throughput (tok/s)': '752.94'}

  it('the table of vllm bench serve, behind its arguments and in a log of its own', () => {
    const printed = [
      'INFO 11-03 16:49:51 [__init__.py:216] Automatically detected platform cuda.',
      "Namespace(subparser='bench', dispatch_function=<function BenchmarkServingSubcommand.cmd at 0x77995f557380>, num_prompts=100, random_mm_bucket_config={(256, 256, 1): 0.5}, backend='openai', model='Qwen/Qwen3-8B', max_concurrency=16, request_rate=inf)",
      table({...TOTALS, ...LATENCIES}),
    ].join('\n')
    // 102,400 and 12,800 tokens over 100 requests.
    const expected = {
      format: 'vllm bench serve',
      place: 'bench.log',
      scenario: {model: 'Qwen/Qwen3-8B'},
      workload: {inputTokens: 1024, outputTokens: 128, concurrency: 16},
      requestCount: 100,
      observed: {ttftMs: 420.11, tpotMs: 18.11, outputTokensPerSecond: 752.94},
    }
    expect(readBench(printed, 'bench.log')).toEqual([expected])
    expect(
      readBench(
        printed
          .split('\n')
          .map((line) => `bench-1  | \u001B[32m${line}\u001B[0m\r`)
          .join('\n'),
        'bench.log',
      ),
    ).toEqual([expected])
    // Two runs in one file: each has the arguments in front of it, and none of the other's.
    const second = table({...TOTALS, 'Maximum request concurrency': '32', 'Median TPOT (ms)': '20.00'})
    expect(readBench(`${printed}\n${second}`, 'bench.log')).toMatchObject([
      {place: 'bench.log, table 1'},
      {place: 'bench.log, table 2', scenario: {}, workload: {concurrency: 32}, observed: {tpotMs: 20}},
    ])
  })

  it('an open loop by its rate', () => {
    const [point] = readBench(table({...TOTALS, 'Request rate configured (RPS)': '2.50', ...LATENCIES}), 'x')
    expect(point!.workload).toEqual({inputTokens: 1024, outputTokens: 128, requestRate: 2.5})
    // All at once: as many as there were.
    expect(readBench(table({...TOTALS, ...LATENCIES}), 'x')[0]!.workload.concurrency).toBe(100)
  })

  it('the table of sglang.bench_serving', () => {
    const rows = {
      Backend: 'sglang',
      'Traffic request rate': 'inf',
      'Max request concurrency': '8',
      ...TOTALS,
      'Total generated tokens (retokenized)': '12790',
      ...LATENCIES,
    }
    const [point] = readBench(`benchmark_args=Namespace(backend='sglang', model='/models/Qwen/Qwen3-8B', max_concurrency=8)\n${table(rows)}`, 'x')
    expect(point).toMatchObject({format: 'sglang.bench_serving', scenario: {engine: 'sglang', model: '/models/Qwen/Qwen3-8B'}, workload: {concurrency: 8}})
    expect(readBench(table({...rows, 'Max request concurrency': 'not set'}), 'x')[0]!.workload.concurrency).toBe(100)
  })

  it("the table of TensorRT-LLM's client, told by its users' rate", () => {
    const printed = `Maximum request concurrency: 4\n${table({'Total requests': '100', ...TOTALS, 'User throughput (tok/s)': '55.20', ...LATENCIES})}`
    expect(readBench(printed, 'x')).toMatchObject([{format: 'tensorrt_llm benchmark_serving', scenario: {engine: 'trtllm'}, workload: {concurrency: 4}}])
  })

  it('vllm bench throughput, whose number of requests follows from its rates', () => {
    const printed = [
      "Namespace(subparser='bench', model='Qwen/Qwen3-8B', num_prompts=200)",
      'Throughput: 8.00 requests/s, 9216.00 total tokens/s, 1024.00 output tokens/s',
      'Total num prompt tokens:  204800',
      'Total num output tokens:  25600',
    ].join('\n')
    // 25,600 tokens at 1,024 a second are 25 s, in which 8 a second make 200 requests of 1,024 and 128 tokens.
    expect(readBench(printed, 'x')).toEqual([
      {
        ...{format: 'vllm bench throughput', place: 'x', scenario: {model: 'Qwen/Qwen3-8B', engine: 'vllm'}, requestCount: 200},
        workload: {inputTokens: 1024, outputTokens: 128, concurrency: 200},
        observed: {outputTokensPerSecond: 1024},
      },
    ])
  })

  it("SGLang's offline table, and a server that says that it runs on a CPU", () => {
    const printed = table({Backend: 'engine', ...TOTALS, 'Last generation throughput (tok/s)': '800.00'}).replace('= Serving', '= Offline Throughput')
    expect(readBench(printed, 'x')).toMatchObject([{format: 'sglang.bench_serving', scenario: {engine: 'sglang'}, workload: {concurrency: 100}}])
    const json = {output_throughput: 5, completed: 1, total_input_tokens: 5, total_output_tokens: 5, max_concurrency: 1, server_info: {device: 'cpu'}}
    expect(() => readBench(JSON.stringify(json), 'run.json')).toThrow(/run\.json was measured on a CPU/)
  })

  it("JSON behind the client's arguments", () => {
    const json = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'verify', 'vllm-bench-serve.json'), 'utf8')
    expect(readBench(`Namespace(backend='vllm')\n${JSON.stringify(JSON.parse(json))}`, 'x')).toMatchObject([
      {workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8}},
    ])
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
