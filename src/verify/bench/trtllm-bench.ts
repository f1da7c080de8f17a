/** `trtllm-bench ... --report_json`: tensorrt_llm/bench/dataclasses/reporting.py get_statistics_dict, 1.0 to 1.3. */
import {type BenchPoint, defined, isObject, type JsonObject, positive, text, whole} from './bench-point.ts'

export const isTrtllmReport = (value: JsonObject): boolean =>
  isObject(value.performance) && isObject(value.request_info) && 'system_output_throughput_tok_s' in value.performance

const named = (value: unknown): JsonObject => (isObject(value) ? value : {})

export function readTrtllmReport(value: JsonObject, place: string): BenchPoint | undefined {
  const engine = named(value.engine)
  const world = named(value.world_info)
  const requests = named(value.request_info)
  const performance = named(value.performance)
  const streaming = named(value.streaming_metrics)
  const inputTokens = whole(requests.avg_input_length)
  const outputTokens = whole(requests.avg_output_length)
  const concurrency = whole(requests.avg_num_concurrent_requests, 1_000_000) ?? whole(requests.num_requests, 1_000_000)
  if (inputTokens === undefined || outputTokens === undefined || concurrency === undefined) return undefined
  const share = positive(world.kv_cache_percentage, 1)
  return {
    format: 'trtllm-bench',
    place,
    scenario: defined({
      model: text(engine.model),
      engine: 'trtllm',
      engineVersion: text(engine.version),
      tp: whole(world.tp_size, 4096),
      pp: whole(world.pp_size, 4096),
      ep: whole(world.ep_size, 4096),
      maxNumSeqs: whole(world.max_batch_size, 1_000_000),
      maxNumBatchedTokens: whole(world.max_num_tokens),
      gpuMemoryUtilization: share !== undefined && share >= 0.01 ? share : undefined,
    }),
    workload: {inputTokens, outputTokens, concurrency},
    observed: defined({
      ttftMs: positive(streaming.avg_ttft_ms),
      tpotMs: positive(streaming.avg_tpot_ms),
      outputTokensPerSecond: positive(performance.system_output_throughput_tok_s),
    }),
  }
}
