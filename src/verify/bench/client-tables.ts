/**
 * What the serving clients print when nobody asks them for a file: a table between two rules, often behind the client's arguments
 * (`Namespace(...)`) and a few lines of its own. Wordings of vllm/benchmarks/serve.py (0.10.2 to 0.33.0, and its Rust twin), sglang/bench_serving.py
 * (0.5.9; sglang/benchmark/serving.py and offline_throughput.py, 0.5.23) and tensorrt_llm/serve/scripts/benchmark_serving.py (1.0 to 1.3); and the
 * three lines of `vllm bench throughput` (vllm/benchmarks/throughput.py, 0.10.2 to 0.33.0).
 */
import {logLines} from '../log-lines.ts'
import {pythonCall} from '../python-values.ts'
import {type BenchPoint, defined, type JsonObject, positive, text as textOf, whole} from './bench-point.ts'
import {readServingResult} from './serving-clients.ts'
import {dictionary} from '../../core/dictionary.ts'

const OPENS = /={3,} (?:Serving|Offline Throughput) Benchmark Result ={3,}/
const CLOSES = /^={20,}$/

/** Lines of a table under the names that the same clients give them in JSON. What only one of them prints tells which it was. */
const FIELDS: [RegExp, string][] = [
  [/^Backend:\s+([\w-]+)/, 'backend'],
  [/^(?:Traffic request rate|Request rate configured \(RPS\)):\s+([\d.]+)\b/, 'request_rate'],
  [/^Max(?:imum)? request concurrency:\s+(\d+)\b/, 'max_concurrency'],
  [/^Successful requests:\s+([\d,]+)/, 'completed'],
  [/^Total input tokens:\s+([\d,]+)/, 'total_input_tokens'],
  [/^Total generated tokens:\s+([\d,]+)/, 'total_output_tokens'],
  [/^Total generated tokens \(retokenized\):\s+([\d,]+)/, 'total_output_tokens_retokenized'],
  [/^Output token throughput \(tok\/s\):\s+([\d,.]+)/, 'output_throughput'],
  [/^Last generation throughput \(tok\/s\):\s+([\d,.]+)/, 'last_gen_throughput'],
  [/^User throughput \(tok\/s\):\s+([\d,.]+)/, 'user_throughput'],
  [/^Mean TTFT \(ms\):\s+([\d,.]+)/, 'mean_ttft_ms'],
  [/^Median TTFT \(ms\):\s+([\d,.]+)/, 'median_ttft_ms'],
  [/^Mean TPOT \(ms\):\s+([\d,.]+)/, 'mean_tpot_ms'],
  [/^Median TPOT \(ms\):\s+([\d,.]+)/, 'median_tpot_ms'],
]

/** Arguments of the client that say what was measured; those of the load stand in for what its lines leave out. */
const ARGUMENTS = ['backend', 'endpoint_type', 'model', 'num_prompts', 'max_concurrency', 'request_rate', 'random_input_len', 'random_output_len'] as const

function fieldIn(text: string): JsonObject {
  for (const [find, name] of FIELDS) {
    const match = find.exec(text)
    if (match) return {[name]: name === 'backend' ? match[1] : Number(match[1]!.replaceAll(',', ''))}
  }
  return {}
}

function argumentsIn(text: string): JsonObject | undefined {
  const at = text.indexOf('Namespace(')
  if (at < 0) return undefined
  const values = pythonCall(text.slice(at + 'Namespace'.length))
  const named = Object.fromEntries(ARGUMENTS.flatMap((name) => (values[name] === undefined || values[name] === null ? [] : [[name, values[name]]])))
  // "inf" is a rate without a limit.
  return named.request_rate === 'inf' ? {...named, request_rate: undefined} : named
}

const THROUGHPUT = /^Throughput: ([\d.]+) requests\/s, ([\d.]+) total tokens\/s, ([\d.]+) output tokens\/s/
const TOTALS = /^Total num (prompt|output) tokens:\s+(\d+)/

/** `vllm bench throughput`: all requests at once. It prints rates and totals, from which the number of requests follows. */
function readThroughput(lines: readonly string[], file: string): BenchPoint[] {
  let named: JsonObject = {}
  let rates: RegExpExecArray | null = null
  const totals: Record<string, number> = dictionary()
  for (const text of lines) {
    named = argumentsIn(text) ?? named
    rates = THROUGHPUT.exec(text) ?? rates
    const [, kind, tokens] = TOTALS.exec(text) ?? []
    if (kind !== undefined) totals[kind] = Number(tokens)
  }
  const [requestsPerSecond, outputTokensPerSecond] = [positive(Number(rates?.[1])), positive(Number(rates?.[3]))]
  const {prompt, output} = totals
  if (requestsPerSecond === undefined || outputTokensPerSecond === undefined || prompt === undefined || output === undefined) return []
  const requests = whole((output / outputTokensPerSecond) * requestsPerSecond, 1_000_000)
  const [inputTokens, outputTokens] = [whole(prompt / (requests ?? 0)), whole(output / (requests ?? 0))]
  if (requests === undefined || inputTokens === undefined || outputTokens === undefined) return []
  return [
    {
      format: 'vllm bench throughput',
      place: file,
      scenario: defined({model: textOf(named.model), engine: 'vllm'}),
      workload: {inputTokens, outputTokens, concurrency: requests},
      requestCount: requests,
      observed: {outputTokensPerSecond},
    },
  ]
}

/** Every table of a text, each with what stands in front of it. */
export function readClientTables(content: string, file: string): BenchPoint[] {
  if (!OPENS.test(content))
    return /Throughput: [\d.]+ requests\/s/.test(content)
      ? readThroughput(
          logLines(content).map(({text}) => text),
          file,
        )
      : []
  const points: BenchPoint[] = []
  let before: JsonObject = {}
  let table: JsonObject | undefined
  const close = () => {
    const point = table && readServingResult({...before, ...table}, points.length === 0 ? file : `${file}, table ${points.length + 1}`)
    if (point) points.push(point)
    if (table) before = {}
    table = undefined
  }
  for (const {text} of logLines(content)) {
    if (OPENS.test(text)) {
      close()
      table = {}
    } else if (table && CLOSES.test(text)) close()
    else if (table) table = {...table, ...fieldIn(text)}
    else before = argumentsIn(text) ?? {...before, ...fieldIn(text)}
  }
  close()
  if (points.length > 1) points[0]!.place = `${file}, table 1`
  return points
}
