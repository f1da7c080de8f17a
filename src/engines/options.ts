/** Settings that nobody has to choose: which engine has which, from which release, and what to say where it has not. */
import type {Deployment, EngineId, EngineOptions} from '../core/deployment.ts'
import type {Reason} from '../core/terms.ts'
import {isAtLeast} from './versions.ts'
import {dictionary} from '../core/dictionary.ts'

/** Where the engine takes a setting. */
export interface OptionPlace {
  /** Its flag, or the field of its file. */
  flag: string
  /** First release that has it; absent: all that are known. */
  since?: string
}

/** Settings by the path that scenarios use. Words for messages. */
const WORDS: Record<string, string> = dictionary({
  'multimodal.languageOnly': 'serving the language model alone',
  'multimodal.limits': 'a limit of images or sounds in a prompt',
  decodeContextParallel: 'decode context parallelism',
  'graphs.maxBatch': 'a largest batch with a CUDA graph',
  'graphs.sizes': 'a list of batches with a CUDA graph',
  'graphs.mode': 'a mode of CUDA graphs',
  prefixCaching: 'a switch for the prefix cache',
  blockTokens: 'a size of cache blocks',
  kvCacheBytes: 'a cache of a given number of bytes',
  kvCacheTokens: 'a limit of tokens in the cache',
  kvCacheBlocks: 'a number of cache blocks',
  windowPoolRatio: 'a size of the pool of windows',
  statePoolRatio: 'a share of memory for recurrent states',
  stateSlots: 'a number of recurrent states',
  stateFormat: 'a format of recurrent states',
  runner: 'a kind of runner',
  'admission.maxQueuedRequests': 'a limit of waiting requests',
  'admission.maxQueuedTokens': 'a limit of waiting tokens',
  'admission.everySteps': 'a number of steps between looks for new requests',
  'admission.waitSteps': 'a number of steps to wait for more requests',
  lora: 'LoRA adapters',
  'lora.targets': 'a list of modules that adapters change',
})

/**
 * Releases are those of data/engines/*-flags.yaml; a test holds them to it. vLLM before 0.11.1 takes graph sizes inside
 * --compilation-config and their limit as --cuda-graph-sizes. TensorRT-LLM's are fields of its file.
 */
export const OPTION_PLACES: Record<EngineId, Record<string, OptionPlace>> = {
  vllm: dictionary({
    'multimodal.languageOnly': {flag: '--language-model-only', since: '0.17.0'},
    'multimodal.limits': {flag: '--limit-mm-per-prompt'},
    decodeContextParallel: {flag: '--decode-context-parallel-size', since: '0.10.2'},
    'graphs.maxBatch': {flag: '--max-cudagraph-capture-size', since: '0.9.0'},
    'graphs.sizes': {flag: '--compilation-config'},
    'graphs.mode': {flag: '--compilation-config', since: '0.11.0'},
    prefixCaching: {flag: '--enable-prefix-caching'},
    blockTokens: {flag: '--block-size'},
    kvCacheBytes: {flag: '--kv-cache-memory-bytes', since: '0.10.2'},
    kvCacheBlocks: {flag: '--num-gpu-blocks-override'},
    stateFormat: {flag: '--mamba-ssm-cache-dtype', since: '0.10.1.1'},
    runner: {flag: '--runner', since: '0.10.1.1'},
    'admission.maxQueuedRequests': {flag: '--max-num-queued-reqs', since: '0.29.0'},
    'admission.maxQueuedTokens': {flag: '--max-num-queued-tokens', since: '0.29.0'},
    lora: {flag: '--enable-lora'},
    'lora.targets': {flag: '--lora-target-modules', since: '0.19.0'},
  }),
  sglang: dictionary({
    'multimodal.languageOnly': {flag: '--language-model-only', since: '0.5.18'},
    'multimodal.limits': {flag: '--limit-mm-data-per-request', since: '0.5.7'},
    decodeContextParallel: {flag: '--dcp-size', since: '0.5.15'},
    'graphs.maxBatch': {flag: '--cuda-graph-max-bs'},
    'graphs.sizes': {flag: '--cuda-graph-bs'},
    prefixCaching: {flag: '--disable-radix-cache'},
    blockTokens: {flag: '--page-size'},
    kvCacheTokens: {flag: '--max-total-tokens'},
    windowPoolRatio: {flag: '--swa-full-tokens-ratio', since: '0.4.10'},
    statePoolRatio: {flag: '--mamba-full-memory-ratio', since: '0.5.3.post2'},
    stateSlots: {flag: '--max-mamba-cache-size', since: '0.5.2'},
    stateFormat: {flag: '--mamba-ssm-dtype', since: '0.5.2'},
    runner: {flag: '--is-embedding'},
    'admission.maxQueuedRequests': {flag: '--max-queued-requests', since: '0.4.10'},
    'admission.everySteps': {flag: '--scheduler-recv-interval', since: '0.5.1'},
    lora: {flag: '--enable-lora', since: '0.4.10'},
    'lora.targets': {flag: '--lora-target-modules', since: '0.4.10'},
  }),
  trtllm: dictionary({
    'graphs.maxBatch': {flag: 'cuda_graph_config.max_batch_size', since: '1.0.0rc0'},
    'graphs.sizes': {flag: 'cuda_graph_config.batch_sizes', since: '1.0.0rc0'},
    prefixCaching: {flag: 'kv_cache_config.enable_block_reuse', since: '1.0.0rc0'},
    blockTokens: {flag: 'kv_cache_config.tokens_per_block', since: '1.0.0rc0'},
    kvCacheBytes: {flag: 'kv_cache_config.max_gpu_total_bytes', since: '1.0.0rc0'},
    'admission.waitSteps': {flag: 'batch_wait_timeout_iters', since: '1.0.0rc0'},
    kvCacheTokens: {flag: 'kv_cache_config.max_tokens', since: '1.0.0rc0'},
    stateFormat: {flag: 'kv_cache_config.mamba_ssm_cache_dtype', since: '1.0.0rc0'},
    lora: {flag: 'enable_lora', since: '1.0.0rc0'},
    'lora.targets': {flag: 'lora_config', since: '1.0.0rc0'},
  }),
}

/** Values that ask for nothing: what every engine does by itself. */
const isDefault = (path: string, value: unknown): boolean => (path === 'decodeContextParallel' && value === 1) || (path === 'runner' && value === 'generate')

const valueAt = (options: EngineOptions, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], options)

/** Refusals of settings that this engine, or this release of it, does not have. */
export function optionReasons(id: EngineId, title: string, deployment: Deployment): Reason[] {
  const places = OPTION_PLACES[id] ?? {}
  const reasons: Reason[] = []
  for (const [path, words] of Object.entries(WORDS)) {
    const value = valueAt(deployment, path)
    if (value === undefined || value === false || isDefault(path, value)) continue
    const place = places[path]
    if (!place) reasons.push({code: 'option-unavailable', message: `${title} has no option for ${words}`, remedy: otherEngine(path, id)})
    else if (place.since !== undefined && !isAtLeast(deployment.engineVersion, place.since))
      reasons.push({
        code: 'engine-too-old',
        message: `${title} ${deployment.engineVersion} has no option for ${words}: ${place.flag} came with ${place.since}`,
        remedy: `use --engine-version ${place.since} or later`,
      })
  }
  return reasons
}

function otherEngine(path: string, own: EngineId): string {
  const others = Object.keys(OPTION_PLACES).filter((id) => id !== own && OPTION_PLACES[id]![path] !== undefined)
  return others.length > 0 ? `leave it out, or use --engine ${others.join(' or --engine ')}` : 'leave it out'
}
