import {countInWords} from '../../core/words.ts'
import type {FlagReport, VariableReport} from '../../engines/launch/read/read-command.ts'
import {type Evaluation, isYes} from '../answer/index.ts'
import {dictionary} from '../../core/dictionary.ts'

/** What became of a command: every flag accounted for, and what the engine will say. */
export interface CommandReport {
  engine: string
  engineVersion: string
  /** What it runs in. */
  image?: string
  flags: FlagReport[]
  environment: VariableReport[]
  /** Fields that were given beside the command and take the place of what it says. */
  replaced: {field: string; command: unknown; given: unknown}[]
  /** Lines of the engine's own log, where it starts. */
  prints: string[]
  /** What may go wrong though it starts. */
  risks: string[]
  /** The smallest change with which the answer is yes, as flags of the engine. */
  change?: {flags: string; outcome: string}
}

const GIB = 2 ** 30

/** What the engine's log will say of the cache. */
export function printsOf(evaluation: Evaluation): string[] {
  if (evaluation.verdict === 'unsupported' || evaluation.verdict === 'does-not-fit') return []
  const {engine, deployment, memory} = evaluation
  const {maxModelLen, maxNumBatchedTokens, maxNumSeqs, decodeContextParallel = 1} = deployment
  switch (engine.id) {
    case 'vllm':
      return [
        `GPU KV cache size: ${countInWords(memory.kvCacheTokens)} tokens`,
        `Maximum concurrency for ${countInWords(maxModelLen)} tokens per request: ${memory.maxConcurrencyAtMaxModelLen.toFixed(2)}x`,
      ]
    case 'sglang':
      // Of the tokens that ranks share each names its own (managers/scheduler.py, 0.5.18).
      return [
        `max_total_num_tokens=${Math.floor(memory.kvCacheTokens / decodeContextParallel)}, chunked_prefill_size=${maxNumBatchedTokens}, max_running_requests=${maxNumSeqs}, context_len=${maxModelLen}`,
      ]
    default:
      return [`Allocated ${(memory.kvCacheBytes / GIB).toFixed(2)} GiB for max tokens in paged KV cache (${memory.kvCacheTokens})`]
  }
}

/** Flags that servefit proposes, in the words of each engine. */
const SPELLINGS: Record<string, Record<string, string>> = dictionary<Record<string, string>>({
  vllm: dictionary({
    '--tp': '--tensor-parallel-size',
    '--pp': '--pipeline-parallel-size',
    '--dp': '--data-parallel-size',
    '--kv-cache': '--kv-cache-dtype',
  }),
  sglang: dictionary({
    '--tp': '--tp-size',
    '--pp': '--pp-size',
    '--dp': '--dp-size',
    '--ep': '--ep-size',
    '--kv-cache': '--kv-cache-dtype',
    '--max-model-len': '--context-length',
    '--max-num-seqs': '--max-running-requests',
    '--max-num-batched-tokens': '--chunked-prefill-size',
    '--gpu-memory-utilization': '--mem-fraction-static',
    '--enforce-eager': '--disable-cuda-graph',
  }),
  trtllm: dictionary({
    '--tp': '--tp_size',
    '--pp': '--pp_size',
    '--ep': '--ep_size',
    '--kv-cache': 'kv_cache_config.dtype',
    '--max-model-len': '--max_seq_len',
    '--max-num-seqs': '--max_batch_size',
    '--max-num-batched-tokens': '--max_num_tokens',
    '--gpu-memory-utilization': '--kv_cache_free_gpu_memory_fraction',
    '--enforce-eager': 'cuda_graph_config: null',
  }),
})

/** A change as the engine's own flags; what is no flag of an engine (another card, another checkpoint) stays as it is. */
export function inEngineWords(engine: string, flags: string): string {
  const own = SPELLINGS[engine] ?? {}
  return flags
    .split(' ')
    .map((word) => (Object.hasOwn(own, word) ? own[word]! : word))
    .join(' ')
}

/** What stands against a start that is expected to go well. */
export function risksOf(evaluation: Evaluation, flags: readonly FlagReport[], environment: readonly VariableReport[]): string[] {
  const risks: string[] = []
  if (evaluation.verdict === 'tight') risks.push('memory is within the margin of error: it may run out at start or under full load')
  const uncounted = [...flags, ...environment.map(({name, uncounted: is}) => ({flag: name, uncounted: is}))]
    .filter(({uncounted: is}) => is)
    .map(({flag}) => flag)
  if (isYes(evaluation) && uncounted.length > 0) risks.push(`not modelled: ${[...new Set(uncounted)].slice(0, 12).join(', ')}`)
  return risks
}
