/**
 * TensorRT-LLM's start-up log (PyTorch backend, 1.0 to 1.3; and what the older runtime printed). Wordings from
 * tensorrt_llm/_torch/pyexecutor/_util.py (configure_kv_cache_capacity), tensorrt_llm/_torch/pyexecutor/py_executor_creator.py,
 * cpp/tensorrt_llm/batch_manager/kvCacheManager.cpp and tensorrt_llm/commands/serve.py.
 */
import type {DeploymentRequest} from '../core/deployment.ts'
import type {LogLine} from './log-lines.ts'
import {
  cacheWord,
  countOf,
  deviceNameIn,
  gibBytes,
  known,
  type LogOutcome,
  type LogReport,
  mibBytes,
  numberOf,
  OutcomeOf,
  RankTable,
  type Refusal,
  repositoryIn,
  shareOf,
  unsupportedIn,
  wordOf,
} from './log-report.ts'
import {pythonCall, pythonDict, pythonPairs, type PythonValue} from './python-values.ts'
import {capacityBytes, triedBytes} from './vllm-log.ts'
import {dictionary} from '../core/dictionary.ts'

/** A line that only TensorRT-LLM writes. */
export const isTrtllmLine = (text: string): boolean =>
  /\[TRT-LLM\]|\[TensorRT-LLM\]|TensorRT[- ]LLM (engine|version|LLM)|trtllm-serve|tensorrt_llm\//.test(text)

const GIB_FIGURE = '(-?\\d+(?:\\.\\d+)?) GiB'

/** The arguments under their names of llm_args.py. */
function fromArguments(values: Record<string, PythonValue>): DeploymentRequest {
  const cache = values.kv_cache_config
  const cacheValues = typeof cache === 'object' && cache !== null && !Array.isArray(cache) ? cache : {}
  return known({
    tp: countOf(values.tensor_parallel_size ?? values.tp_size, 4096),
    pp: countOf(values.pipeline_parallel_size ?? values.pp_size, 4096),
    ep: countOf(values.moe_expert_parallel_size ?? values.ep_size, 4096),
    dpAttention: values.enable_attention_dp === true ? true : undefined,
    maxModelLen: countOf(values.max_seq_len),
    maxNumSeqs: countOf(values.max_batch_size, 1_000_000),
    maxNumBatchedTokens: countOf(values.max_num_tokens),
    gpuMemoryUtilization: shareOf(cacheValues.free_gpu_memory_fraction ?? values.kv_cache_free_gpu_memory_fraction ?? values.free_gpu_memory_fraction),
    kvCache: cacheWord(cacheValues.dtype ?? values.kv_cache_dtype),
  })
}

function refusalIn(text: string): {outcome: LogOutcome; refusal: Refusal} | undefined {
  const message = text.slice(0, 600)
  if (
    /Impossible to fit any sequence in kvCache|The max KV cache length|Executor creation failed due to insufficient GPU memory|Maximum (KV )?cache .* not enough/i.test(
      text,
    )
  )
    return {outcome: 'kv-too-small', refusal: {message}}
  if (/out of memory/i.test(text) && /CUDA|OutOfMemoryError|torch/i.test(text))
    return {outcome: 'out-of-memory', refusal: known({message, neededBytes: triedBytes(text)})}
  const unsupported = unsupportedIn(text)
  return unsupported && {outcome: 'unsupported', refusal: unsupported}
}

const rounded = (share: number | undefined): number | undefined => (share === undefined ? undefined : Math.round(share * 1e4) / 1e4)

export function readTrtllm(lines: readonly LogLine[]): LogReport {
  const ranks = new RankTable()
  let settings: DeploymentRequest = {}
  let argumentsPrinted = false
  let version: string | undefined
  let model: string | undefined
  let printed: Record<string, PythonValue> = dictionary()
  let deviceName: string | undefined
  const outcome = new OutcomeOf()
  const gib = (text: string, before: string, after = '') => gibBytes(new RegExp(`${before}${GIB_FIGURE}${after}`).exec(text)?.[1])
  for (const {text, rank} of lines) {
    ranks.set(
      rank,
      known({
        weightsBytes: gib(text, 'Memory used after loading model weights \\(inside torch\\) in memory usage profiling: '),
        activationBytes: gib(text, 'Memory dynamically allocated during inference \\(inside torch\\) in memory usage profiling: '),
        runtimeBytes: gib(text, 'Memory used outside torch \\(e\\.g\\., NCCL and CUDA graphs\\) in memory usage profiling: '),
        totalBytes: gib(text, 'device total memory ') ?? capacityBytes(text),
        kvCacheBytes: gib(text, 'Estimated max memory in KV cache ?: ?'),
      }),
    )
    const allocated = new RegExp(`\\[MemUsageChange\\] Allocated ${GIB_FIGURE} for max tokens in paged KV cache \\((\\d+)\\)`).exec(text)
    // The first, small cache of the trial run is replaced by the second.
    if (allocated) {
      ranks.set(rank, known({kvCacheBytes: gibBytes(allocated[1]), kvCacheTokens: numberOf(allocated[2])}))
    }
    const engineSize = mibBytes(/(?:Total engine size per GPU is|Loaded engine size:) ([\d.]+) MiB/.exec(text)?.[1])
    if (engineSize !== undefined) ranks.set(rank, {weightsBytes: engineSize})
    const limits = /max_seq_len=(\d+), max_num_requests=(\d+), max_num_tokens=(\d+)(?:, max_batch_size=(\d+))?/.exec(text)
    if (limits) settings = {...settings, ...known({maxNumSeqs: countOf(limits[4] ?? limits[2], 1_000_000), maxNumBatchedTokens: countOf(limits[3])})}
    const inferred = countOf(/max_seq_len is not specified, using inferred value (\d+)/.exec(text)?.[1])
    if (inferred !== undefined) settings.maxModelLen ??= inferred
    const fraction = shareOf(numberOf(/fraction is set (\d?\.\d+|1(?:\.0+)?)/.exec(text)?.[1]))
    if (fraction !== undefined) settings.gpuMemoryUtilization = rounded(fraction)
    version ??= /TensorRT[- ]LLM version: (\S+)/.exec(text)?.[1]
    model ??=
      /(?:Starting trtllm-serve for model|trtllm-serve (?:serve )?)\s*([\w.-]+\/[\w.-]+)/.exec(text)?.[1] ??
      /(\S*models--[^\s/]+\/snapshots\/\S*)/.exec(text)?.[1]
    const values = argumentsIn(text)
    if (values) {
      settings = {...settings, ...fromArguments(values)}
      printed = {...printed, ...values}
      argumentsPrinted = true
      model ??= wordOf(values.model)
    }
    deviceName ??= deviceNameIn(text)
    outcome.read(text, refusalIn(text), allocated !== null)
  }
  if (argumentsPrinted) settings = {tp: 1, pp: 1, ...settings}
  return known({
    engine: 'trtllm' as const,
    engineVersion: version,
    model: model === undefined ? undefined : repositoryIn(model),
    settings,
    seen: {},
    printed,
    deviceName,
    argumentsPrinted,
    further: [],
    ranks: ranks.entries(),
    figures: ranks.worst(),
    ...outcome.result(),
  })
}

/** `LLM Args: model='...' tensor_parallel_size=1 ...` (pydantic's blanks between fields), or a dict of engine arguments. */
function argumentsIn(text: string): Record<string, PythonValue> | undefined {
  if (/engine args: \{/i.test(text)) return pythonDict(text.slice(text.indexOf('{')))
  const at = text.indexOf('LLM Args:')
  if (at < 0) return undefined
  const rest = text.slice(at + 'LLM Args:'.length).trim()
  // Blanks separate the fields: a comma in front of each name makes them a call's.
  return /^\w+Args\(/.test(rest) ? pythonCall(rest) : pythonPairs(rest.replaceAll(/ (?=[a-z_]+=)/g, ', '))
}
