/**
 * vLLM's start-up log. Wordings of the releases 0.8 to 0.33, from their sources: vllm/v1/worker/gpu_worker.py
 * (determine_available_memory, compile_or_warm_up_model), vllm/v1/worker/gpu_model_runner.py (load_model, capture_model),
 * vllm/v1/core/kv_cache_utils.py (and kv_cache_planning.py, 0.33), vllm/v1/worker/utils.py (request_memory), vllm/utils/mem_utils.py, vllm/v1/engine/core.py,
 * vllm/entrypoints/utils.py; and of the engine before V1, vllm/worker/worker.py.
 */
import type {DeploymentRequest, Speculation} from '../core/deployment.ts'
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
  type RankFigures,
  RankTable,
  type Refusal,
  repositoryIn,
  shareOf,
  sizeFromRanks,
  unsupportedIn,
  wordOf,
} from './log-report.ts'
import {type SourceLine, sourceLineIn} from './release-lines.ts'
import {pythonDict, pythonPairs, type PythonValue} from './python-values.ts'
import {dictionary} from '../core/dictionary.ts'

const NUMBER = '(-?[\\d,]*\\.?\\d+)'

/** A line that only vLLM writes. */
export const isVllmLine = (text: string): boolean =>
  /Initializing an? (V\d )?LLM engine \(v|vLLM (API )?server version|# (GPU|CUDA|cuda) blocks:|(?:GPU|[A-Z]{3,4})(?: \+ host)? KV cache size:|Model loading took|Graph capturing finished in|Maximum concurrency for [\d,]+ tokens per request|Available KV cache memory:|non-default args:|vllm[./]v1|\bvllm serve\b|the current vLLM instance|is less than desired GPU memory utilization|To serve at least one request with the model|Loading model weights took|larger than the maximum number of tokens that can be stored in KV cache|exceeds available Mamba cache blocks|No available memory for the cache blocks/.test(
    text,
  )

interface Pattern {
  find: RegExp
  figures(match: RegExpExecArray): RankFigures
}

const pattern = (find: string, figures: Pattern['figures']): Pattern => ({find: new RegExp(find.replaceAll('#', NUMBER)), figures})

/** Blocks of 16 tokens, the default of every release. */
function tokensOfBlocks(text: string | undefined): number | undefined {
  const blocks = countOf(text)
  return blocks === undefined ? undefined : blocks * 16
}

const PATTERNS: Pattern[] = [
  // 0.8 to 0.9 "took # GB"/"GiB and # seconds", from 0.11.1 "took # GiB memory and"; before 0.8 "Loading model weights took".
  pattern('(?:Model loading|Loading model weights) took # (?:GB|GiB)', ([, weights]) => ({weightsBytes: gibBytes(weights)})),
  pattern('Available KV cache memory: # GiB', ([, cache]) => ({kvCacheBytes: gibBytes(cache)})),
  // Newer releases print the line before only for one rank, this one for each.
  pattern('Current kv cache memory in use is # GiB', ([, cache]) => ({kvCacheBytes: gibBytes(cache)})),
  pattern('Current kv cache memory in use is # bytes', ([, bytes]) => ({kvCacheBytes: countOf(bytes, 2 ** 50)})),
  // Before V1, in blocks of the usual size.
  pattern('\\x23 (?:GPU|cuda|CUDA) blocks: (\\d+), \\x23 CPU blocks', ([, blocks]) => ({kvCacheTokens: tokensOfBlocks(blocks)})),
  // The device by its name, GPU for CUDA and ROCm (0.28.0: kv_cache_utils.py _kv_cache_device_name); `+ host` where a part lies there (0.33.0).
  pattern('\\b[A-Z]{3,4}(?: \\+ host)? KV cache size: # tokens', ([, tokens]) => ({kvCacheTokens: numberOf(tokens)})),
  pattern('Maximum concurrency for # tokens per request: #x', ([, , times]) => ({maxConcurrency: numberOf(times)})),
  pattern('Graph capturing finished in # secs, took # GiB', ([, , graphs]) => ({cudaGraphBytes: gibBytes(graphs)})),
  pattern('Estimated CUDA graph memory: # GiB total', ([, graphs]) => ({cudaGraphEstimateBytes: gibBytes(graphs)})),
  pattern('CUDA graph pool memory: # GiB \\(actual\\), # GiB \\(estimated\\)', ([, actual, estimated]) => ({
    cudaGraphBytes: gibBytes(actual),
    cudaGraphEstimateBytes: gibBytes(estimated),
  })),
  pattern('Free memory on device (?:\\S+ )?\\(#/# GiB\\) on startup', ([, free, total]) => ({freeBeforeBytes: gibBytes(free), totalBytes: gibBytes(total)})),
  pattern('Initial free memory:? # GiB', ([, free]) => ({freeBeforeBytes: gibBytes(free)})),
  pattern(
    'Actual usage is # GiB for weight, # GiB for peak activation, # GiB for non-torch memory, and # GiB for CUDAGraph memory',
    ([, weights, activation, runtime, graphs]) => ({
      weightsBytes: gibBytes(weights),
      activationBytes: gibBytes(activation),
      runtimeBytes: gibBytes(runtime),
      cudaGraphBytes: gibBytes(graphs),
    }),
  ),
  // From 0.27.0 on weights and what lies outside torch are one figure, and the peak holds the graphs that were reckoned with.
  pattern(
    'Actual usage is # GiB for consumed memory \\(weights \\+ non-torch\\), # GiB for peak activation, and # GiB for CUDAGraph memory',
    ([, consumed, activation, graphs]) => ({
      consumedBytes: gibBytes(consumed),
      peakBytes: gibBytes(activation),
      cudaGraphBytes: gibBytes(graphs),
    }),
  ),
  pattern('torch peak memory increase: #GiB; non-torch forward increase memory: #GiB; weights memory: #GiB', ([, activation, runtime, weights]) => ({
    activationBytes: gibBytes(activation),
    runtimeBytes: gibBytes(runtime),
    weightsBytes: gibBytes(weights),
  })),
  pattern('torch peak memory increase: #GiB; total consumed \\(from mem_get_info\\): #GiB; weights memory: #GiB', ([, activation, consumed, weights]) => ({
    activationBytes: gibBytes(activation),
    consumedBytes: gibBytes(consumed),
    weightsBytes: gibBytes(weights),
  })),
  pattern('total_gpu_memory \\(#GiB\\) x gpu_memory_utilization', ([, total]) => ({totalBytes: gibBytes(total)})),
  pattern(
    'model weights take #GiB; non_torch_memory takes #GiB; PyTorch activation peak memory takes #GiB; the rest of the memory reserved for KV Cache is #GiB',
    ([, weights, runtime, activation, cache]) => ({
      weightsBytes: gibBytes(weights),
      runtimeBytes: gibBytes(runtime),
      activationBytes: gibBytes(activation),
      kvCacheBytes: gibBytes(cache),
    }),
  ),
]

/** The engine refused, or ran out of memory on the way; `text` is the whole message. */
function refusalIn(text: string): {outcome: LogOutcome; refusal: Refusal; figures?: RankFigures} | undefined {
  const message = text.slice(0, 600)
  const serve = new RegExp(
    `To serve at least one request with the models?'?s max seq len \\(${NUMBER}\\), \\(?${NUMBER} GiB KV cache is needed, which is larger than the available KV cache memory \\(${NUMBER} GiB\\)`,
  ).exec(text)
  if (serve) {
    const availableBytes = gibBytes(serve[3])
    return {
      outcome: 'kv-too-small',
      refusal: known({
        message,
        maxModelLen: countOf(serve[1]),
        neededBytes: gibBytes(serve[2]),
        availableBytes,
        estimatedMaxModelLen: countOf(/estimated maximum model length is (\d+)/.exec(text)?.[1]),
      }),
      figures: {kvCacheBytes: availableBytes},
    }
  }
  const longer = /The model's max seq len \((\d+)\) is larger than the maximum number of tokens that can be stored in KV cache \((\d+)\)/.exec(text)
  if (longer)
    return {
      outcome: 'kv-too-small',
      refusal: known({message, maxModelLen: countOf(longer[1]), estimatedMaxModelLen: countOf(longer[2])}),
      figures: known({kvCacheTokens: countOf(longer[2])}),
    }
  // vllm/config/compilation.py adjust_cudagraph_sizes_for_mamba_cache, from 0.20.0 (a block for each sequence that decodes).
  const states = /max_num_seqs \((\d+)\) exceeds available Mamba cache blocks \((\d+)\)/.exec(text)
  if (states)
    return {
      outcome: 'kv-too-small',
      refusal: known({message, maxNumSeqs: countOf(states[1]), availableBlocks: countOf(states[2])}),
    }
  if (/No available memory for the cache blocks/.test(text)) return {outcome: 'kv-too-small', refusal: {message}}
  if (/is less than desired GPU memory utilization|is less than the engine's budget after excluding/.test(text))
    return {outcome: 'memory-taken', refusal: {message}}
  if (/out of memory/i.test(text) && /CUDA|HIP|OutOfMemoryError|torch/.test(text))
    return {outcome: 'out-of-memory', refusal: known({message, neededBytes: triedBytes(text)}), figures: known({totalBytes: capacityBytes(text)})}
  const unsupported = unsupportedIn(text)
  return unsupported && {outcome: 'unsupported', refusal: unsupported}
}

/** torch.OutOfMemoryError: "Tried to allocate 448.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which 201.06 MiB is free." */
export function triedBytes(text: string): number | undefined {
  const match = /Tried to allocate (-?[\d.]+) (MiB|GiB)/.exec(text)
  return match?.[2] === 'GiB' ? gibBytes(match[1]) : mibBytes(match?.[1])
}

export function capacityBytes(text: string): number | undefined {
  return gibBytes(/total capacity of (-?[\d.]+) GiB/.exec(text)?.[1])
}

function speculationOf(value: PythonValue): Speculation | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const method = wordOf(value.method)?.toLowerCase()
  const tokens = countOf(value.num_speculative_tokens, 64)
  const draft = method?.includes('mtp') || method === 'ngram' ? undefined : wordOf(value.model)
  return method === undefined || tokens === undefined
    ? undefined
    : known({method: method.includes('mtp') ? 'mtp' : method, tokens, draft: draft === undefined ? undefined : repositoryIn(draft)})
}

/** Arguments that move memory and that no field of a scenario stands for. */
const FURTHER = [
  'decode_context_parallel_size',
  'prefill_context_parallel_size',
  'kv_cache_memory_bytes',
  'num_gpu_blocks_override',
  'kv_transfer_config',
  'block_size',
  'swap_space',
  'limit_mm_per_prompt',
  'language_model_only',
  'compilation_config',
  'cuda_graph_sizes',
  'enable_lora',
  'max_loras',
  'kv_offloading_size',
  'mamba_ssm_cache_dtype',
  'mamba_cache_mode',
]

/** `non-default args: {...}`, all releases. */
function fromArguments(values: Record<string, PythonValue>): DeploymentRequest {
  const tp = countOf(values.tensor_parallel_size, 4096) ?? 1
  const dp = countOf(values.data_parallel_size, 4096) ?? 1
  const offloadGib = typeof values.cpu_offload_gb === 'number' ? values.cpu_offload_gb : undefined
  return known({
    tp,
    dp,
    pp: countOf(values.pipeline_parallel_size, 4096) ?? 1,
    ep: values.enable_expert_parallel === true ? tp * dp : 1,
    maxModelLen: countOf(values.max_model_len),
    maxNumSeqs: countOf(values.max_num_seqs, 1_000_000),
    maxNumBatchedTokens: countOf(values.max_num_batched_tokens),
    gpuMemoryUtilization: shareOf(values.gpu_memory_utilization),
    kvCache: cacheWord(values.kv_cache_dtype),
    enforceEager: values.enforce_eager === true ? true : undefined,
    speculative: speculationOf(values.speculative_config),
    cpuOffloadBytes: offloadGib !== undefined && offloadGib > 0 && offloadGib < 2 ** 20 ? Math.round(offloadGib * 1024 ** 3) : undefined,
  })
}

/** `Initializing a V1 LLM engine (v0.11.1) with config: model='...', ...`: resolved values, so that they outdo the arguments. */
function fromConfig(values: Record<string, PythonValue>): DeploymentRequest {
  return known({
    tp: countOf(values.tensor_parallel_size, 4096),
    pp: countOf(values.pipeline_parallel_size, 4096),
    dp: countOf(values.data_parallel_size, 4096),
    maxModelLen: countOf(values.max_seq_len),
    kvCache: cacheWord(values.kv_cache_dtype),
    enforceEager: values.enforce_eager === true ? true : undefined,
    // Absent for what writes: vllm/config/vllm.py __str__ prints the pooler of the model alone.
    runner: values.runner_type === 'pooling' || (values.pooler_config !== undefined && values.pooler_config !== null) ? 'pooling' : undefined,
  })
}

/** The method as the configuration names it, else as it was asked for; null: none, and 16 bits. A value that is no word says nothing. */
function quantizationIn(values: Record<string, PythonValue>): string | null | undefined {
  const {quantization, dtype} = values
  if (quantization === null && dtype === 'torch.float32') return 'float32'
  return quantization === null ? null : wordOf(quantization)?.toLowerCase()
}

const versionIn = (text: string): string | undefined =>
  /vLLM (?:API )?server version (\S+?),?(?:\s|$)/.exec(text)?.[1] ??
  /Initializing an? (?:V\d )?LLM engine \(v([^)\s]+)\)/.exec(text)?.[1] ??
  /[█▀▄]\s+version (\d\S*)/.exec(text)?.[1]

/**
 * The release of a build's version: 0.10.1rc2.dev189+ge2db1164a is 0.10.1rc2.dev189. How far main was says the count of its commits, which
 * stays; where it was built does not.
 */
const releaseOf = (version: string): string => /^v?(\d+\.\d+(?:\.\d+)?(?:rc\d+|\.post\d+)?(?:\.dev\d+)?)/.exec(version)?.[1] ?? version

/** `enable_chunked_prefill` and the like beside what the engine resolved: only a plain word names a device. */
const deviceOf = (value: PythonValue): string | undefined => /^[a-z]{3,8}$/.exec(wordOf(value) ?? '')?.[0]

/** The worker that printed a line, by its file, its cache or its build: it is what ran, whatever the configuration calls the device. */
const workerDevice = (text: string): string | undefined =>
  (
    /\b(XPU|CPU|HPU|NPU|TPU) KV cache size:/.exec(text)?.[1] ??
    /\[(xpu|cpu|hpu|tpu)_(?:worker|model_runner)\.py:\d+\]/.exec(text)?.[1] ??
    /version v?\d[\w.]*\+(cpu|xpu)\b|LLM engine \(v\d[\w.]*\+(cpu|xpu)\b/.exec(text)?.slice(1).find(Boolean)
  )?.toLowerCase()

/** Starts print fewer; what a server that runs prints says no more. */
const MOST_SOURCE_LINES = 500

export function readVllm(lines: readonly LogLine[]): LogReport {
  const ranks = new RankTable()
  const outcome = new OutcomeOf()
  let settings: DeploymentRequest = {}
  let config: DeploymentRequest = {}
  let printed: Record<string, PythonValue> = dictionary()
  let argumentsPrinted = false
  let further: string[] = []
  let version: string | undefined
  let model: string | undefined
  let device: string | undefined
  let worker: string | undefined
  const sourceLines = new Map<string, SourceLine>()
  let deviceName: string | undefined
  let quantization: {asked?: string | null; resolved?: string | null} = {}
  for (const {text, rank} of lines) {
    for (const {find, figures} of PATTERNS) {
      const match = find.exec(text)
      if (match) ranks.set(rank, figures(match))
    }
    version ??= versionIn(text)
    const place = sourceLines.size < MOST_SOURCE_LINES ? sourceLineIn(text) : undefined
    if (place && !sourceLines.has(`${place.file} ${place.line}`)) sourceLines.set(`${place.file} ${place.line}`, place)
    worker ??= workerDevice(text)
    device ??= /Automatically detected platform ([a-z]{3,8})\b/.exec(text)?.[1]
    deviceName ??= deviceNameIn(text)
    const argumentsAt = text.indexOf('non-default args: {')
    if (argumentsAt >= 0) {
      const values = pythonDict(text.slice(argumentsAt))
      settings = {...settings, ...fromArguments(values)}
      printed = {...printed, ...values}
      argumentsPrinted = true
      further = FURTHER.filter((name) => values[name] !== undefined && values[name] !== null && values[name] !== false).map(
        (name) => `--${name.replaceAll('_', '-')}`,
      )
      quantization = known({...quantization, asked: quantizationIn(values)})
      model ??= wordOf(values.model) ?? wordOf(values.model_tag)
    }
    const configAt = /Initializing an? (?:V\d )?LLM engine \(v[^)]*\) with config:? /.exec(text)
    if (configAt) {
      const values = pythonPairs(text.slice(configAt.index + configAt[0].length))
      config = {...config, ...fromConfig(values)}
      quantization = known({...quantization, resolved: quantizationIn(values)})
      device ??= deviceOf(values.device_config)
      model ??= wordOf(values.model)
    }
    if (/Loading weights with BitsAndBytes quantization/.test(text)) quantization.resolved ??= 'bitsandbytes'
    if (/Supported_?\s?tasks: \[/i.test(text) && !/generate|transcription|render/.test(text)) config.runner = 'pooling'
    model ??= /serving model (\S+)/.exec(text)?.[1] ?? /[█▀]\s+model {3}(\S+)/.exec(text)?.[1]
    const length = countOf(/Using max model len (\d+)/.exec(text)?.[1])
    if (length !== undefined) config.maxModelLen = length
    // Before V1: "... x gpu_memory_utilization (0.70)"; since: "Desired GPU memory utilization is (0.88, 84.12 GiB)", and in the refusal.
    const share = /(?:x gpu_memory_utilization \(|[Dd]esired GPU memory utilization (?:is )?\()(\d?\.\d+|1(?:\.0+)?)[,)]/.exec(text)?.[1]
    if (share !== undefined) config.gpuMemoryUtilization ??= shareOf(Number(share))
    // What it reckons its concurrency with is the length that it runs with.
    const reckoned = countOf(/Maximum concurrency for ([\d,]+) tokens per request/.exec(text)?.[1])
    if (reckoned !== undefined) config.maxModelLen ??= reckoned
    const fitted = countOf(/Auto-fit max_model_len: reduced from \d+ to (\d+)/.exec(text)?.[1])
    if (fitted !== undefined) config.maxModelLen = fitted
    const refused = refusalIn(text)
    outcome.read(text, refused, /Starting vLLM (API )?server|Graph capturing finished|[A-Z] KV cache size:/.test(text))
    if (refused?.figures && outcome.refusal === refused.refusal) ranks.set(rank, refused.figures)
  }
  for (const {rank, figures} of ranks.entries()) ranks.set(rank, takenApart(figures))
  const names = lines.map(({rank}) => rank)
  return known({
    engine: 'vllm' as const,
    engineVersion: version === undefined ? undefined : releaseOf(version),
    model: model === undefined ? undefined : repositoryIn(model),
    settings: {...settings, ...config, ...(settings.gpuMemoryUtilization !== undefined && {gpuMemoryUtilization: settings.gpuMemoryUtilization})},
    seen: known({tp: sizeFromRanks(names, 'TP') ?? plainRanks(names), pp: sizeFromRanks(names, 'PP'), dp: sizeFromRanks(names, 'DP')}),
    printed,
    quantization: quantization.resolved === undefined ? quantization.asked : quantization.resolved,
    device: worker ?? device,
    deviceName,
    ...(sourceLines.size > 0 && {sourceLines: [...sourceLines.values()]}),
    argumentsPrinted,
    further,
    ranks: ranks.entries(),
    figures: ranks.worst(),
    ...outcome.result(),
  })
}

/** Sums that releases from 0.27.0 print, where the parts follow from other lines. */
function takenApart({weightsBytes, consumedBytes, peakBytes, cudaGraphEstimateBytes, cudaGraphBytes}: RankFigures): RankFigures {
  const graphs = cudaGraphEstimateBytes ?? (cudaGraphBytes === 0 ? 0 : undefined)
  return known({
    runtimeBytes: consumedBytes !== undefined && weightsBytes !== undefined && consumedBytes >= weightsBytes ? consumedBytes - weightsBytes : undefined,
    activationBytes: peakBytes !== undefined && graphs !== undefined && peakBytes >= graphs ? peakBytes - graphs : undefined,
  })
}

/** `VllmWorker 3`: ranks of one group, of releases that printed a bare number. */
function plainRanks(names: readonly string[]): number | undefined {
  const numbers = names
    .map((name) => /^VllmWorker (\d{1,4})$/.exec(name)?.[1])
    .filter((number) => number !== undefined)
    .map(Number)
  return numbers.length === 0 ? undefined : Math.max(...numbers) + 1
}
