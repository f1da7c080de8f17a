/** What the options of `trtllm-serve` and the fields of its file mean. */
import {
  cacheFormatMeaning,
  dtypeMeaning,
  finishAdapters,
  graphLimitMeaning,
  overridesMeaning,
  queueMeaning,
  sizesMeaning,
  stateFormatMeaning,
} from './common.ts'
import {peftName, trtllmLoraModules} from '../../lora.ts'
import {beside, count, counted, flagOf, ignored, type Meaning, type Reading, share, textOf, wholeNumber} from './reading.ts'
import {dictionary} from '../../../core/dictionary.ts'

const pytorch: Meaning = (value) =>
  textOf(value) === 'pytorch' ? counted('the backend that the answer is for') : ignored('the answer is for the PyTorch backend', true)

const blockReuse: Meaning = (value, {request}) => {
  if (value === true || textOf(value) === 'true') return ignored('as by default')
  request.prefixCaching = false
  return counted('prefixCaching false')
}

const attention: Meaning = (value, reading) => (value === false || textOf(value) === 'false' ? ignored('as by default') : flagOf('dpAttention')(true, reading))

export const TRTLLM_MEANINGS: Record<string, Meaning> = dictionary({
  '--tensor_parallel_size': count('tp'),
  '--pipeline_parallel_size': count('pp'),
  '--moe_expert_parallel_size': count('ep'),
  '--enable_attention_dp': attention,
  '--max_batch_size': count('maxNumSeqs'),
  '--max_num_tokens': count('maxNumBatchedTokens'),
  '--max_seq_len': count('maxModelLen'),
  '--free_gpu_memory_fraction': share('gpuMemoryUtilization'),
  '--kv_cache_dtype': cacheFormatMeaning,
  '--backend': pytorch,
  '--enable_chunked_prefill': (value) => (value === false ? ignored('as by default') : ignored('so that prompts longer than a step are accepted')),
  tensor_parallel_size: count('tp'),
  pipeline_parallel_size: count('pp'),
  moe_expert_parallel_size: count('ep'),
  enable_attention_dp: attention,
  max_batch_size: count('maxNumSeqs'),
  max_num_tokens: count('maxNumBatchedTokens'),
  max_seq_len: count('maxModelLen'),
  backend: pytorch,
  dtype: dtypeMeaning,
  enable_chunked_prefill: () => ignored('so that prompts longer than a step are accepted'),
  'kv_cache_config.free_gpu_memory_fraction': share('gpuMemoryUtilization'),
  'kv_cache_config.dtype': cacheFormatMeaning,
  'kv_cache_config.enable_block_reuse': blockReuse,
  'kv_cache_config.tokens_per_block': count('blockTokens'),
  'kv_cache_config.max_tokens': count('kvCacheTokens'),
  'kv_cache_config.max_gpu_total_bytes': count('kvCacheBytes', {least: 0}),
  'kv_cache_config.mamba_ssm_cache_dtype': stateFormatMeaning,
  'cuda_graph_config.max_batch_size': (value, reading) => (textOf(value) === '0' ? ignored('as by default') : graphLimitMeaning(value, reading)),
  'cuda_graph_config.batch_sizes': sizesMeaning,
  'cuda_graph_config.enable_padding': () => ignored('padding of batches is not modelled', true),
  'speculative_config.decoding_type': beside('speculation'),
  'speculative_config.max_draft_len': beside('speculation'),
  'speculative_config.num_nextn_predict_layers': beside('speculation'),
  'speculative_config.speculative_model': beside('speculation'),
  batch_wait_timeout_iters: queueMeaning('waitSteps'),
  enable_lora: (value) => (value === true || textOf(value) === 'true' ? counted('adapters') : ignored('as by default')),
  lora_config: beside('adapters'),
  'lora_config.max_loras': beside('adapters'),
  'lora_config.max_lora_rank': beside('adapters'),
  'lora_config.lora_target_modules': beside('adapters'),
  model_kwargs: overridesMeaning,
})

/** What TensorRT-LLM calls the methods, the other way round (llmapi/llm_args.py decoding_type). */
const METHODS: Record<string, string> = dictionary({
  mtp: 'mtp',
  eagle3: 'eagle3',
  eagle: 'eagle3',
  ngram: 'ngram',
  sa: 'suffix',
  draft_target: 'draft_model',
  pard: 'pard',
  dflash: 'dflash',
  medusa: 'medusa',
})

/** What words mean together. */
export function finishTrtllm(reading: Reading): void {
  const {request, words} = reading
  const type = textOf(words.get('speculative_config.decoding_type'))?.toLowerCase()
  if (type !== undefined) {
    const tokens = ['speculative_config.max_draft_len', 'speculative_config.num_nextn_predict_layers']
      .map((name) => wholeNumber(words.get(name) ?? false, false))
      .find((number) => number !== undefined)
    const draft = textOf(words.get('speculative_config.speculative_model'))
    request.speculative = {method: METHODS[type] ?? type, tokens: Math.max(1, tokens ?? 1), ...(draft !== undefined && {draft})}
  }
  if (request.kvCacheBytes === 0) delete request.kvCacheBytes
  // `enable_lora` is not needed where `lora_config` is given (llm_args.py).
  if (textOf(words.get('enable_lora')) === 'true' || [...words.keys()].some((name) => name.startsWith('lora_config.'))) words.set('enable_lora', true)
  const targets = words.get('lora_config.lora_target_modules')
  if (Array.isArray(targets)) words.set('lora_config.lora_target_modules', targets.map(peftName))
  // lora_manager.py LoraConfig: ranks up to 64. How many is not said without max_loras: one is taken.
  finishAdapters(
    reading,
    {count: 1, maxRank: 64, targets: trtllmLoraModules({}).map(peftName)},
    {on: 'enable_lora', count: 'lora_config.max_loras', rank: 'lora_config.max_lora_rank', targets: 'lora_config.lora_target_modules'},
  )
}
