import type {DeploymentRequest, Workload} from '../../core/deployment.ts'

/** Which tool wrote a result. */
export type BenchFormat =
  | 'vllm bench serve'
  | 'vllm bench throughput'
  | 'sglang.bench_serving'
  | 'tensorrt_llm benchmark_serving'
  | 'trtllm-bench'
  | 'llama-bench'
  | 'scenario'

/** One measured load, as far as the file says: times in milliseconds, rates of the whole deployment. */
export interface BenchPoint {
  format: BenchFormat
  /** Where it stands, in words: `results.jsonl, line 3`. */
  place: string
  /** What the file says of the question; the rest comes from flags. */
  scenario: DeploymentRequest & {id?: string; model?: string; gpu?: string; machine?: string; nodes?: number}
  workload: Workload
  /** Requests that were served in all. */
  requestCount?: number
  observed: Observed
}

export interface Observed {
  ttftMs?: number
  tpotMs?: number
  outputTokensPerSecond?: number
}

export type JsonObject = Record<string, unknown>

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A number above zero, and no more than anything measured can be; results hold 0 and NaN where nothing was measured. */
export const positive = (value: unknown, max = 1e12): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 && value <= max ? value : undefined

/** A whole number of tokens or requests from one that may be a mean. */
export function whole(value: unknown, max = 1_000_000_000): number | undefined {
  const number = positive(value, max)
  return number === undefined ? undefined : Math.max(1, Math.round(number))
}

export const text = (value: unknown): string | undefined => (typeof value === 'string' && value.length > 0 && value.length <= 4096 ? value : undefined)

export function defined<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T
}

export const hasObservation = ({observed}: BenchPoint): boolean => Object.keys(observed).length > 0
