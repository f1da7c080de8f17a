import type {Deployment, Speculation} from '../../core/deployment.ts'
import {contextOverride} from '../context.ts'
import type {Launch, Subject} from '../engine.ts'
import {setField} from '../launch/fields.ts'
import {FlagList} from '../launch/flag-list.ts'
import {modelArgument} from '../launch/model-argument.ts'
import type {ModelNeed, NeedsTable} from '../launch/needs-table.ts'
import {modelNeed} from '../launch/needs.ts'
import {counted, fraction, sameFraction} from '../launch/numbers.ts'
import {trtllmLoraModules} from '../lora.ts'
import {isAtLeast} from '../versions.ts'
import {FREE_GPU_MEMORY_FRACTION, MAX_BATCH_SIZE, MAX_NUM_TOKENS, TOKENS_PER_BLOCK} from './defaults.ts'
import {trtllmNodes} from './nodes.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Name of the configuration file beside the command; it is written where the command is run. */
const FILE_NAME = 'servefit-trtllm.yaml'

/** `--config` is a newer spelling of the same option. */
const fileFlag = (version: string): string => (isAtLeast(version, '1.3.0rc0') ? '--config' : '--extra_llm_api_options')

/**
 * `trtllm-serve`, PyTorch backend. What the command line takes stands there, in the spellings that every release
 * has; the rest in a file of LlmArgs fields. Both only where they differ from the defaults or the model wants them.
 */
export function trtllmLaunch(subject: Subject, deployment: Deployment, needs?: NeedsTable): Launch {
  const {model, checkpoint} = subject
  const need = modelNeed(needs, 'trtllm', deployment.engineVersion, subject)
  const list = new FlagList()
  const {engineVersion: version} = deployment
  list.addIf(!isAtLeast(version, '1.0.0rc0'), '--backend', 'pytorch', 'before 1.0 the default is another one')
  addLayout(list, deployment)
  addLimits(list, subject, deployment)
  addNeeds(list, version, need)
  const file = new FileFields()
  addFields(file, subject, deployment, need)
  const environment = Object.entries(need.environment ?? {}).map(([name, value]) => ({name, value, because: `${model.name} is run with it`}))
  const nodes = trtllmNodes(subject, deployment)
  return {
    program: ['trtllm-serve', modelArgument(checkpoint.hfId)],
    flags: list.flags,
    environment,
    ...(nodes && {nodes}),
    ...(file.isEmpty() ? {} : {file: {flag: fileFlag(version), name: FILE_NAME, content: file.content, because: file.because}}),
  }
}

function addLayout(list: FlagList, {tp, pp, ep}: Deployment): void {
  list.addIf(tp > 1, '--tp_size', tp, `each layer is split over ${tp} GPUs`)
  list.addIf(pp > 1, '--pp_size', pp, `the layers are split into ${pp} stages`)
  list.addIf(
    ep > 1,
    '--ep_size',
    ep,
    ep === tp ? `experts are kept whole, spread over ${ep} GPUs` : `experts are spread over ${ep} groups, each split over ${tp / ep} GPUs`,
  )
}

function addLimits(list: FlagList, subject: Subject, deployment: Deployment): void {
  const {maxModelLen, maxNumSeqs, maxNumBatchedTokens, gpuMemoryUtilization: share} = deployment
  const {contextTokens, positionTokens = contextTokens} = subject.model.architecture
  list.addIf(
    maxModelLen !== positionTokens,
    '--max_seq_len',
    maxModelLen,
    `${maxModelLen < positionTokens ? 'instead of' : 'beyond'} the model's ${counted(positionTokens)} tokens`,
  )
  list.addIf(maxNumSeqs !== MAX_BATCH_SIZE, '--max_batch_size', maxNumSeqs, `requests at once; ${counted(MAX_BATCH_SIZE)} by default`)
  list.addIf(maxNumBatchedTokens !== MAX_NUM_TOKENS, '--max_num_tokens', maxNumBatchedTokens, `tokens of one step; ${counted(MAX_NUM_TOKENS)} by default`)
  list.addIf(
    !sameFraction(share, FREE_GPU_MEMORY_FRACTION),
    '--kv_cache_free_gpu_memory_fraction',
    fraction(share),
    `share of what is free after loading; ${FREE_GPU_MEMORY_FRACTION} by default`,
  )
}

function addNeeds(list: FlagList, version: string, need: ModelNeed): void {
  list.addIf(need.trustRemoteCode === true, '--trust_remote_code', true, 'the repository brings code of its own')
  list.addIf(
    need.customTokenizer !== undefined && isAtLeast(version, '1.3.0rc0'),
    '--custom_tokenizer',
    need.customTokenizer ?? '',
    "the model's own tokenizer",
  )
  list.addIf(need.reasoningParser !== undefined, '--reasoning_parser', need.reasoningParser ?? '', 'reasoning comes apart from the answer')
  list.addIf(need.toolCallParser !== undefined, '--tool_parser', need.toolCallParser ?? '', "the model's form of tool calls")
  for (const {flag, value, because} of need.options ?? []) list.add(flag, value, because)
}

/**
 * Whether prompts can be prefilled in chunks: dense latent attention (DeepSeek-V3) only on 10.x
 * (docs/source/models/supported-models.md). Elsewhere a prompt must fit into the tokens of a step.
 */
function takesChunks({model, gpu}: Subject): boolean {
  const isDenseLatent = model.architecture.layerKinds.some((kind) => kind.mixers.some((mixer) => mixer.kind === 'mla' && !mixer.indexer))
  return !isDenseLatent || Math.floor(gpu.accelerator.computeCapability ?? 0) === 10
}

/** Fields of the file, by dotted path, with their reasons. */
class FileFields {
  readonly content: Record<string, unknown> = dictionary()
  readonly because: Record<string, string> = dictionary()

  set(path: string, value: unknown, because: string): void {
    setField(this.content, path, value)
    this.because[path] = because
  }

  isEmpty(): boolean {
    return Object.keys(this.content).length === 0
  }
}

function addFields(file: FileFields, subject: Subject, deployment: Deployment, need: ModelNeed): void {
  const {engineVersion: version, dpAttention, maxModelLen, maxNumBatchedTokens, enforceEager, kvCache, speculative} = deployment
  // The fields are those of the PyTorch backend's configuration from 1.0 on; what 0.x called them is not known here.
  if (!isAtLeast(version, '1.0.0rc0')) return
  const override = contextOverride(subject, deployment)
  if (override) file.set('model_kwargs', override.fields, override.because)
  if (dpAttention) file.set('enable_attention_dp', true, `attention runs on ${deployment.tp} ranks, each with its own cache`)
  if (maxModelLen > maxNumBatchedTokens && takesChunks(subject)) {
    file.set('enable_chunked_prefill', true, `off by default: a prompt longer than the ${counted(maxNumBatchedTokens)} tokens of a step would be refused`)
  }
  const automatic = subject.checkpoint.kvCache ?? 'bf16'
  const is16Bit = (format: string): boolean => format === 'bf16' || format === 'fp16'
  if (kvCache !== automatic && !(is16Bit(kvCache) && is16Bit(automatic))) {
    file.set('kv_cache_config.dtype', is16Bit(kvCache) ? (kvCache === 'bf16' ? 'bfloat16' : 'float16') : kvCache, `the cache is kept as ${kvCache}`)
  }
  if (deployment.blockTokens === undefined && need.tokensPerBlock !== undefined && need.tokensPerBlock !== TOKENS_PER_BLOCK) {
    file.set('kv_cache_config.tokens_per_block', need.tokensPerBlock, `${subject.model.name} is run with it; ${TOKENS_PER_BLOCK} by default`)
  }
  addOptionFields(file, deployment)
  if (enforceEager) file.set('cuda_graph_config', null, 'no CUDA graphs: their memory goes to the cache')
  const capability = subject.gpu.accelerator.computeCapability ?? 0
  const hasExperts = subject.model.architecture.layerKinds.some((kind) => kind.feedForward?.kind === 'moe')
  if (hasExperts && subject.checkpoint.weights === 'mxfp4' && Math.floor(capability) === 9) {
    file.set('moe_config.backend', 'TRITON', 'the backend with MXFP4 experts on Hopper')
  }
  if (speculative) addSpeculation(file, version, speculative)
  if (deployment.lora) {
    const {lora} = deployment
    file.set('lora_config.max_lora_rank', lora.maxRank, 'the largest rank of the adapters')
    file.set('lora_config.max_loras', lora.count, 'adapters that the GPU keeps')
    file.set('lora_config.lora_target_modules', trtllmLoraModules(lora), 'modules that adapters may be on')
  }
}

/** Fields of settings that nobody has to choose. */
function addOptionFields(
  file: FileFields,
  {enforceEager, graphs, prefixCaching, blockTokens, kvCacheBytes, kvCacheTokens, stateFormat, admission}: Deployment,
): void {
  if (!enforceEager && graphs?.maxBatch !== undefined) file.set('cuda_graph_config.max_batch_size', graphs.maxBatch, 'the largest batch with a CUDA graph')
  if (!enforceEager && graphs?.sizes) file.set('cuda_graph_config.batch_sizes', graphs.sizes, 'batches with a CUDA graph')
  if (prefixCaching === false) file.set('kv_cache_config.enable_block_reuse', false, 'no cache is kept for prompts that begin alike')
  if (admission?.waitSteps !== undefined) file.set('batch_wait_timeout_iters', admission.waitSteps, 'decode steps that a new request waits for others')
  if (blockTokens !== undefined) file.set('kv_cache_config.tokens_per_block', blockTokens, `blocks of ${blockTokens} tokens`)
  if (kvCacheBytes !== undefined) file.set('kv_cache_config.max_gpu_total_bytes', kvCacheBytes, 'most bytes of cache on each GPU')
  if (kvCacheTokens !== undefined) file.set('kv_cache_config.max_tokens', kvCacheTokens, 'most tokens in the cache')
  if (stateFormat !== undefined) file.set('kv_cache_config.mamba_ssm_cache_dtype', STATE_VALUES[stateFormat] ?? stateFormat, 'format of recurrent states')
}

const STATE_VALUES: Record<string, string> = dictionary({fp32: 'float32', bf16: 'bfloat16', fp16: 'float16'})

/** What TensorRT-LLM calls the methods (tensorrt_llm/llmapi/llm_args.py, decoding_type). */
const DECODING_TYPES: Record<string, string> = dictionary({
  mtp: 'MTP',
  eagle3: 'Eagle3',
  ngram: 'NGram',
  suffix: 'SA',
  draft_model: 'Draft_Target',
  pard: 'PARD',
  dflash: 'DFlash',
  medusa: 'Medusa',
})

function addSpeculation(file: FileFields, version: string, {method, tokens, draft}: Speculation): void {
  const drafts = `${tokens} draft token${tokens === 1 ? '' : 's'} a step`
  file.set('speculative_config.decoding_type', Object.hasOwn(DECODING_TYPES, method) ? DECODING_TYPES[method] : method, drafts)
  // MTP's own name for the number is deprecated in the 1.3 line, which maps it to the common one.
  file.set(
    method === 'mtp' && !isAtLeast(version, '1.3.0rc0') ? 'speculative_config.num_nextn_predict_layers' : 'speculative_config.max_draft_len',
    tokens,
    drafts,
  )
  if (draft === undefined) return
  // `speculative_model` is a newer spelling of the same field.
  file.set(
    isAtLeast(version, '1.3.0rc0') ? 'speculative_config.speculative_model' : 'speculative_config.speculative_model_dir',
    draft,
    'the checkpoint that drafts',
  )
}
