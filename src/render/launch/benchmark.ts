import type {Workload} from '../../core/deployment.ts'
import type {LaunchFlag} from '../../engines/engine.ts'
import {isAtLeast} from '../../engines/versions.ts'
import {commandText} from './shell.ts'
import {keyVariable, type Startable} from './startable.ts'
import {flagWords} from './words.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Requests of a benchmark: ten rounds of those in flight, so that filling and draining weigh little. */
const ROUNDS = 10
const FEWEST_REQUESTS = 20

/** Requests in flight, where the load says a number; for as many as fit, what the server takes at once. */
function concurrencyOf({concurrency}: Workload, startable: Startable): number | undefined {
  if (concurrency !== 'max') return concurrency
  const limit = startable.launch.flags.find(({flag}) => /^--max[-_](?:num[-_]seqs|running-requests|batch_size)$/.test(flag))?.value
  return typeof limit === 'number' ? limit : 256
}

/**
 * The engine's own benchmark at the planned load, against the server that was started; undefined where the release has none
 * that is known. vllm/benchmarks/serve.py of 0.8.5 to 0.33.0; sglang/bench_serving.py of 0.4.10 to 0.5.23;
 * tensorrt_llm/serve/scripts/benchmark_serving.py at 0228a71223416496ff056a157936bad2e42c762f.
 */
export function benchmarkCommand(startable: Startable): string | undefined {
  const {engine, workload, model, servedName, port} = startable
  // Its texts and answers are those of models that write.
  if (!workload || startable.task !== undefined) return undefined
  const program = programOf(engine)
  if (!program) return undefined
  const concurrency = concurrencyOf(workload, startable)
  const requests = Math.max(FEWEST_REQUESTS, Math.ceil(ROUNDS * (concurrency ?? (workload.requestRate ?? 1) * 6)))
  const because = ''
  const flags: LaunchFlag[] = [
    ...(engine.id === 'sglang' ? [{flag: '--backend', value: 'sglang', because}] : []),
    {flag: '--host', value: '127.0.0.1', because},
    {flag: '--port', value: port, because},
    {flag: '--model', value: model, because},
    ...(servedName !== model ? served(engine, servedName) : []),
    // Random token ids of exactly these lengths; nothing is downloaded for them.
    {flag: '--dataset-name', value: engine.id === 'sglang' ? 'random-ids' : 'random', because},
    ...(engine.id === 'trtllm' ? [{flag: '--random-ids', value: true as const, because}] : []),
    {flag: '--random-input-len', value: workload.inputTokens, because},
    {flag: '--random-output-len', value: workload.outputTokens, because},
    // SGLang draws lengths from [ratio, 1] of the given one, the others from 1 -/+ ratio, which is 0 by default.
    ...(engine.id === 'sglang' ? [{flag: '--random-range-ratio', value: 1, because}] : []),
    {flag: '--num-prompts', value: requests, because},
    ...(concurrency !== undefined ? [{flag: '--max-concurrency', value: concurrency, because}] : []),
    ...(workload.requestRate !== undefined ? [{flag: '--request-rate', value: workload.requestRate, because}] : []),
    ...(engine.id === 'sglang'
      ? []
      : [
          {flag: '--ignore-eos', value: true as const, because},
          {flag: '--percentile-metrics', value: 'ttft,tpot,itl,e2el', because},
        ]),
    ...(engine.id === 'sglang'
      ? [{flag: '--output-file', value: benchmarkFile(startable), because}]
      : [
          {flag: '--save-result', value: true as const, because},
          {flag: '--result-filename', value: benchmarkFile(startable), because},
        ]),
    ...(startable.launch.flags.some(({flag}) => /^--trust[-_]remote[-_]code$/.test(flag)) && engine.id !== 'sglang'
      ? [{flag: '--trust-remote-code', value: true as const, because}]
      : []),
  ]
  const key = keyVariable(startable)
  // SGLang's client adds a line to what is there.
  const before = engine.id === 'sglang' ? `rm -f ${benchmarkFile(startable)}\n` : ''
  return `${before}${commandText(
    // All three clients send this as the API key.
    [...(key === undefined ? [] : [`OPENAI_API_KEY="\${${key}:?no API key}"`]), program],
    flags.map((flag) => ({words: flagWords(flag)})),
  )}`
}

const BENCHMARK_FILE: Record<string, string> = dictionary({sglang: 'benchmark.jsonl'})

/** What the client writes its result to, beside the script. */
export const benchmarkFile = ({engine}: Pick<Startable, 'engine'>): string => BENCHMARK_FILE[engine.id] ?? 'benchmark.json'

function programOf({id, version}: Startable['engine']): string | undefined {
  if (id === 'vllm') return isAtLeast(version, '0.8.5') ? 'vllm bench serve' : undefined
  if (id === 'sglang') return 'python3 -m sglang.bench_serving'
  return isAtLeast(version, '1.0.0rc0') ? 'python3 -m tensorrt_llm.serve.scripts.benchmark_serving' : undefined
}

function served({id, version}: Startable['engine'], name: string): LaunchFlag[] {
  if (id === 'sglang' && !isAtLeast(version, '0.5.10')) return []
  return [{flag: '--served-model-name', value: name, because: ''}]
}
