/**
 * SGLang's start-up log. Wordings of the releases 0.4.6 to 0.5.23, from their sources: sglang/srt/model_executor/model_runner.py
 * (load_model, init_memory_pool), sglang/srt/mem_cache/memory_pool.py (KV and Mamba pools),
 * sglang/srt/mem_cache/kv_cache_configurator.py, sglang/srt/model_executor/model_runner_components/cuda_graph_setup.py and
 * sglang/srt/managers/scheduler.py. What it calls GB are GiB.
 */
import type {DeploymentRequest, Speculation} from '../core/deployment.ts'
import type {LogLine} from './log-lines.ts'
import {
  cacheOfTorchType,
  cacheWord,
  countOf,
  deviceNameIn,
  gibBytes,
  known,
  type LogOutcome,
  type LogReport,
  numberOf,
  OutcomeOf,
  RankTable,
  type Refusal,
  repositoryIn,
  shareOf,
  sizeFromRanks,
  unsupportedIn,
  wordOf,
} from './log-report.ts'
import {pythonCall, pythonDict, type PythonValue} from './python-values.ts'
import {capacityBytes, triedBytes} from './vllm-log.ts'
import {dictionary} from '../core/dictionary.ts'

/** A line that only SGLang writes. */
export const isSglangLine = (text: string): boolean =>
  /server_args=(?:ServerArgs\(|\{')|Load weight (begin|end)\. |KV Cache is allocated|Mamba Cache is allocated|max_total_num_tokens=\d|Memory pool end\. avail mem|sglang\.launch_server|sglang\/srt\/|Init torch distributed (begin|ends)/.test(
    text,
  )

const GB = '(-?\\d+(?:\\.\\d+)?) ?GB'

/** Pools that a process prints one line for each: growing caches, windows, index keys, recurrent states. */
function poolBytes(text: string): number | undefined {
  const pool = /KV Cache is allocated|KV cache allocated/.test(text)
  const state = /Mamba Cache is allocated/.test(text)
  if (!pool && !state) return undefined
  const sizes = state
    ? [...text.matchAll(new RegExp(`(?:conv_state|ssm_state|intermediate_ssm_state_cache|intermediate_conv_window_cache|conv_window) size: ${GB}`, 'g'))]
    : [...text.matchAll(new RegExp(`(?:K|V|KV|index_k|Index) size: ${GB}`, 'g'))]
  const bytes = sizes.map((match) => gibBytes(match[1])).filter((value) => value !== undefined)
  return bytes.length === 0 ? undefined : bytes.reduce((sum, value) => sum + value, 0)
}

const poolTokens = (text: string): number | undefined => numberOf(/#tokens: (\d+)/.exec(text)?.[1])

const FURTHER = [
  'max_total_tokens',
  'page_size',
  'disable_radix_cache',
  'max_mamba_cache_size',
  'mamba_full_memory_ratio',
  'swa_full_tokens_ratio',
  'cuda_graph_max_bs',
  'cuda_graph_bs',
  'enable_lora',
  'enable_hierarchical_cache',
  'disaggregation_mode',
  'speculative_draft_model_path',
  'moe_a2a_backend',
  'enable_unified_memory',
]
/** Values that say "not set". */
const UNSET: PythonValue[] = [undefined, null, false, 'null', 'none', 1]

function speculationOf(values: Record<string, PythonValue>): Speculation | undefined {
  const algorithm = wordOf(values.speculative_algorithm)?.toLowerCase()
  if (algorithm === undefined) return undefined
  const tokens = countOf(values.speculative_num_steps, 64) ?? (countOf(values.speculative_num_draft_tokens, 65) ?? 2) - 1
  const ownDraft = wordOf(values.speculative_draft_model_path) !== undefined && values.speculative_draft_model_path !== values.model_path
  return {method: algorithm === 'nextn' || (algorithm === 'eagle' && !ownDraft) ? 'mtp' : algorithm, tokens: Math.max(1, tokens)}
}

/** Arguments as the engine prints them: an object up to 0.5.18, from 0.5.19 a mapping (entrypoints/engine.py). */
function printedArguments(text: string): Record<string, PythonValue> | undefined {
  const object = text.indexOf('server_args=ServerArgs(')
  if (object >= 0) return pythonCall(text.slice(object))
  const mapping = text.indexOf("server_args={'")
  return mapping >= 0 ? pythonDict(text.slice(mapping)) : undefined
}

/** ServerArgs are printed after the engine has filled in what it chose. */
function fromArguments(values: Record<string, PythonValue>): DeploymentRequest {
  const offloadGib = typeof values.cpu_offload_gb === 'number' ? values.cpu_offload_gb : 0
  // From 0.5.22 attention's ranks have a field of their own (arg_groups/fields/parallel.py).
  const attentionRanks = countOf(values.attn_dp_size, 4096) ?? 1
  const dpAttention = values.enable_dp_attention === true || attentionRanks > 1
  const dp = Math.max(attentionRanks, countOf(values.dp_size, 4096) ?? 1)
  const requests = countOf(values.max_running_requests, 1_000_000)
  return known({
    tp: countOf(values.tp_size, 4096) ?? 1,
    pp: countOf(values.pp_size, 4096) ?? 1,
    dp,
    ep: countOf(values.ep_size, 4096) ?? 1,
    dpAttention: dpAttention ? true : undefined,
    maxModelLen: countOf(values.context_length),
    maxNumSeqs: dpAttention && requests !== undefined ? Math.max(1, Math.floor(requests / dp)) : requests,
    // Printed already divided among data-parallel ranks (server_args.py); a scenario's limit is that of one rank too.
    maxNumBatchedTokens: countOf(values.chunked_prefill_size),
    gpuMemoryUtilization: shareOf(values.mem_fraction_static),
    kvCache: cacheWord(values.kv_cache_dtype),
    enforceEager: values.disable_cuda_graph === true ? true : undefined,
    speculative: speculationOf(values),
    cpuOffloadBytes: offloadGib > 0 && offloadGib < 2 ** 20 ? Math.round(offloadGib * 1024 ** 3) : undefined,
  })
}

/** How a start ends that has no room for its pools (pool_configurator.py, kv_cache_configurator.py, 0.4.6 to 0.5.23). */
const CACHE_REFUSALS =
  /Not enough memory\. Please try to increase --mem-fraction-static|Loaded weights? leave no (?:GPU )?memory for the (?:KV )?cache|Not enough GPU memory for hybrid|state cache is too small to serve any requests|SWA pool \(\d+ tokens\) cannot hold even one request|SWA pool cap \(\d+ tokens/

function refusalIn(text: string): {outcome: LogOutcome; refusal: Refusal} | undefined {
  const message = text.slice(0, 600)
  if (CACHE_REFUSALS.test(text)) return {outcome: 'kv-too-small', refusal: {message}}
  if (/Capture .{0,40}graph failed/i.test(text) && /out of memory/i.test(text))
    return {outcome: 'out-of-memory', refusal: known({message, neededBytes: triedBytes(text)})}
  if (/out of memory/i.test(text) && /CUDA|HIP|OutOfMemoryError|torch/.test(text))
    return {outcome: 'out-of-memory', refusal: known({message, neededBytes: triedBytes(text)})}
  const unsupported = unsupportedIn(text)
  return unsupported && {outcome: 'unsupported', refusal: unsupported}
}

export function readSglang(lines: readonly LogLine[]): LogReport {
  const ranks = new RankTable()
  let settings: DeploymentRequest = {}
  let argumentsPrinted = false
  let further: string[] = []
  let version: string | undefined
  let model: string | undefined
  let printed: Record<string, PythonValue> = dictionary()
  let deviceName: string | undefined
  const outcome = new OutcomeOf('sglang')
  let pool: string | undefined
  const pools = new Map<string, {bytes: number; tokens: number}>()
  const fullTokens = new Map<string, number>()
  const read = (text: string, find: string) => gibBytes(new RegExp(find.replaceAll('#', GB)).exec(text)?.[1])
  for (const {text, rank} of lines) {
    if (/Load weight begin/.test(text) && ranks.get(rank).freeBeforeBytes === undefined) ranks.set(rank, {freeBeforeBytes: read(text, 'avail mem=#')})
    // The draft is loaded after the model and counts with it.
    if (/Load weight end/.test(text)) {
      const left = read(text, 'avail mem=#')
      const before = ranks.get(rank).freeBeforeBytes
      // Up to 0.4.2 what was used follows from what was free before.
      const used = read(text, 'mem usage=#') ?? (left !== undefined && before !== undefined ? before - left : undefined)
      ranks.add(rank, 'weightsBytes', used)
      if (before === undefined && used !== undefined && left !== undefined) ranks.set(rank, {freeBeforeBytes: left + used})
    }
    const bytes = poolBytes(text)
    if (bytes !== undefined)
      pools.set(rank, {bytes: (pools.get(rank)?.bytes ?? 0) + bytes, tokens: Math.max(pools.get(rank)?.tokens ?? 0, poolTokens(text) ?? 0)})
    // Layers with a window have a smaller pool beside that of the others, which decides: pool_configurator.py.
    const full = countOf(/Use sliding window memory pool.{0,40}?full_layer_tokens=(\d+)/.exec(text)?.[1])
    if (full !== undefined) {
      fullTokens.set(rank, full)
      ranks.set(rank, {kvCacheTokens: full})
    }
    // The first pool is the model's own, a draft's follows.
    pool ??= cacheOfTorchType(text)
    if (/Capture .{0,60}graph end/i.test(text)) ranks.add(rank, 'cudaGraphBytes', read(text, 'mem usage=#'))
    if (/Memory pool end/.test(text)) ranks.set(rank, {freeAfterBytes: read(text, 'avail mem=#')})
    const tokens = /(?:^|[^_\w])max_total_num_tokens=(\d+)/.exec(text)
    if (tokens) {
      ranks.set(
        rank,
        known({
          kvCacheTokens: numberOf(tokens[1]),
          maxNumSeqs: countOf(/max_running_requests=(\d+)/.exec(text)?.[1], 1_000_000),
          freeAfterBytes: read(text, 'available_gpu_mem=#'),
        }),
      )
      settings.maxModelLen ??= countOf(/context_len=(\d+)/.exec(text)?.[1])
      settings.maxNumBatchedTokens ??= countOf(/chunked_prefill_size=(\d+)/.exec(text)?.[1])
    } else if (/KV Cache is allocated/.test(text) && ranks.get(rank).kvCacheTokens === undefined) ranks.set(rank, {kvCacheTokens: poolTokens(text)})
    ranks.set(rank, known({totalBytes: capacityBytes(text)}))
    version ??= /sglang(?: version|==|-v| v)[:= ]?\s?v?(\d+\.\d+\.\d+(?:\.post\d+|rc\d+)?)/i.exec(text)?.[1]
    const values = printedArguments(text)
    if (values) {
      settings = {...settings, ...fromArguments(values)}
      printed = {...printed, ...values}
      argumentsPrinted = true
      further = FURTHER.filter(
        (name) => !UNSET.includes(values[name]) && !(Array.isArray(values[name]) && values[name].length === 0) && !DEFAULTS[name]?.includes(values[name]),
      ).map((name) => `--${name.replaceAll('_', '-')}`)
      model ??= wordOf(values.model_path)
    }
    deviceName ??= deviceNameIn(text)
    outcome.read(text, refusalIn(text), tokens !== null)
  }
  // A pasted part that ends between the two pools does not tell what both hold.
  for (const [rank, {bytes, tokens}] of pools) if (tokens >= (fullTokens.get(rank) ?? 0)) ranks.set(rank, {kvCacheBytes: bytes})
  const names = lines.map(({rank}) => rank)
  return known({
    engine: 'sglang' as const,
    engineVersion: version,
    day: lines.find(({day}) => day !== undefined)?.day,
    model: model === undefined ? undefined : repositoryIn(model),
    settings: pool === undefined || settings.kvCache !== undefined ? settings : {...settings, kvCache: pool},
    seen: known({tp: sizeFromRanks(names, 'TP'), pp: sizeFromRanks(names, 'PP'), ep: sizeFromRanks(names, 'EP')}),
    printed,
    // Printed before the checkpoint is looked into: None says nothing of it (server_args.py).
    quantization: wordOf(printed.quantization)?.toLowerCase(),
    device: wordOf(printed.device),
    deviceName,
    argumentsPrinted,
    further,
    ranks: ranks.entries(),
    figures: ranks.worst(),
    ...outcome.result(),
  })
}

/** What ServerArgs print when nobody set them. */
const DEFAULTS: Record<string, PythonValue[]> = dictionary({
  mamba_full_memory_ratio: [0.9],
  swa_full_tokens_ratio: [0.8, 0.1],
  page_size: [1, 64],
  cuda_graph_max_bs: [8, 24, 32, 48, 80, 160, 256, 512],
})
