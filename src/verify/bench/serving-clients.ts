/**
 * Results of the serving clients, which share an ancestor: `vllm bench serve --save-result` (vllm/benchmarks/serve.py, 0.28;
 * older benchmarks/benchmark_serving.py), `python -m sglang.bench_serving --output-file` (sglang/bench_serving.py, 0.5.18) and TensorRT-LLM's
 * `python -m tensorrt_llm.serve.scripts.benchmark_serving --save-result` (1.0 to 1.3).
 */
import type {Workload} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import {type BenchPoint, defined, isObject, type JsonObject, positive, text, whole} from './bench-point.ts'
import {dictionary} from '../../core/dictionary.ts'

export const isServingResult = (value: JsonObject): boolean =>
  'output_throughput' in value && ('total_output_tokens' in value || 'mean_ttft_ms' in value || 'median_ttft_ms' in value)

/** Its JSON and its table hold a user's rate. */
const isTrtllm = (value: JsonObject): boolean => 'user_throughput' in value

const isSglang = (value: JsonObject): boolean =>
  'total_output_tokens_retokenized' in value || 'mean_e2e_latency_ms' in value || 'random_range_ratio' in value || 'last_gen_throughput' in value

/** Mean lengths over the requests that came back; what was asked for where nothing was counted. */
function lengths(value: JsonObject): {inputTokens: number; outputTokens: number} | undefined {
  const completed = positive(value.completed)
  const mean = (total: unknown) => (completed === undefined ? undefined : whole((positive(total) ?? 0) / completed))
  const inputTokens = mean(value.total_input_tokens) ?? whole(value.random_input_len)
  const outputTokens = mean(value.total_output_tokens) ?? whole(value.random_output_len)
  return inputTokens === undefined || outputTokens === undefined ? undefined : {inputTokens, outputTokens}
}

/** A limit of requests in flight makes it a closed loop; without one requests arrive at a rate, or all at once. */
function loadOf(value: JsonObject): Pick<Workload, 'concurrency' | 'requestRate'> | undefined {
  const limit = whole(value.max_concurrency, 1_000_000)
  const rate = positive(typeof value.request_rate === 'string' ? Number(value.request_rate) : value.request_rate, 1e6)
  if (limit !== undefined) return {concurrency: limit}
  if (rate !== undefined) return {requestRate: rate}
  const prompts = whole(value.num_prompts ?? value.completed, 1_000_000)
  return prompts === undefined ? undefined : {concurrency: prompts}
}

const ENGINES: Record<string, string> = dictionary({
  vllm: 'vllm',
  'vllm-chat': 'vllm',
  sglang: 'sglang',
  'sglang-native': 'sglang',
  'sglang-oai': 'sglang',
  'sglang-oai-chat': 'sglang',
  'sglang-embedding': 'sglang',
  trt: 'trtllm',
  'tensorrt-llm': 'trtllm',
})

export function readServingResult(value: JsonObject, place: string): BenchPoint | undefined {
  const size = lengths(value)
  const load = loadOf(value)
  if (!size || !load) return undefined
  const sglang = isSglang(value)
  const trtllm = isTrtllm(value)
  // SGLang's client may store what the server says of itself.
  const server = isObject(value.server_info) ? value.server_info : {}
  if (server.device === 'cpu')
    throw new InputError('BENCH_OF_CPU', `${place} was measured on a CPU, which says nothing of a GPU: expected a run on the GPU that is asked about`)
  const backend = text(value.backend) ?? text(value.endpoint_type)
  return {
    format: trtllm ? 'tensorrt_llm benchmark_serving' : sglang ? 'sglang.bench_serving' : 'vllm bench serve',
    place,
    scenario: defined({
      model: text(value.model_id) ?? text(value.model) ?? text(server.model_path),
      engine:
        (backend !== undefined && Object.hasOwn(ENGINES, backend) ? ENGINES[backend] : undefined) ??
        (trtllm ? 'trtllm' : 'last_gen_throughput' in value ? 'sglang' : undefined),
      engineVersion: text(server.version),
      tp: whole(server.tp_size, 4096),
    }),
    workload: {...size, ...load},
    requestCount: whole(value.completed ?? value.num_prompts, 100_000_000),
    observed: defined({
      ttftMs: positive(value.mean_ttft_ms) ?? positive(value.median_ttft_ms),
      tpotMs: positive(value.mean_tpot_ms) ?? positive(value.median_tpot_ms),
      outputTokensPerSecond: positive(value.output_throughput),
    }),
  }
}
