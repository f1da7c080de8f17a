import type {Deployment} from '../../core/deployment.ts'
import {contextOverride, overrideJson} from '../context.ts'
import type {Launch, Subject} from '../engine.ts'
import {FlagList} from '../launch/flag-list.ts'
import {ggufTag, isGguf, modelArgument} from '../launch/model-argument.ts'
import type {ModelNeed, NeedsTable} from '../launch/needs-table.ts'
import {modelNeed} from '../launch/needs.ts'
import {counted, fraction, gib, sameFraction} from '../launch/numbers.ts'
import {vllmLoraRank, vllmLoraTargets} from '../lora.ts'
import {wantsHalf} from '../platforms.ts'
import {isEncoder} from '../pooling.ts'
import {isAtLeast} from '../versions.ts'
import {gpuMemoryUtilization, schedulerDefaults, unsplittableItemTokens} from './defaults.ts'
import {hasSparseLatent} from './sparse.ts'
import {vllmNodes} from './nodes.ts'
import {addOptionFlags} from './option-flags.ts'
import {isRecurrent} from './recurrent.ts'
import {dictionary} from '../../core/dictionary.ts'

const GIB = 1024 ** 3

/** How vLLM spells a cache format (vllm/config/cache.py CacheDType); anything else is passed as it is. */
const CACHE_VALUES: Record<string, string> = dictionary({bf16: 'bfloat16', fp16: 'float16', int8: 'int8_per_token_head', int4: 'int4_per_token_head'})

/**
 * `vllm serve`. An option is written only where it differs from what this version does by itself on this GPU,
 * or where the model wants it.
 */
export function vllmLaunch(subject: Subject, deployment: Deployment, needs?: NeedsTable): Launch {
  const {model, checkpoint} = subject
  const need = modelNeed(needs, 'vllm', deployment.engineVersion, subject)
  const list = new FlagList()
  addLayout(list, deployment)
  addLimits(list, subject, deployment)
  addMemory(list, subject, deployment, need)
  addOptionFlags(list, deployment)
  addSpeculation(list, deployment)
  addAdapters(list, deployment)
  addPooling(list, subject)
  addNeeds(list, deployment, need)
  const gguf = isGguf(checkpoint.weights)
  list.addIf(gguf && model.hfId !== '' && !model.hfId.startsWith('local/'), '--tokenizer', model.hfId, 'a GGUF file carries no tokenizer that vLLM reads')
  const name = gguf && !checkpoint.hfId.endsWith('.gguf') ? `${checkpoint.hfId}:${ggufTag(checkpoint.weights)}` : checkpoint.hfId
  const environment = Object.entries(need.environment ?? {}).map(([variable, value]) => ({name: variable, value, because: `${model.name} is run with it`}))
  const nodes = vllmNodes(subject, deployment)
  const inImage = (need.options ?? []).filter((option) => option.inImage === subject.gpu.accelerator.vendor)
  return {
    program: ['vllm', 'serve', modelArgument(name)],
    flags: list.flags,
    environment,
    ...(inImage.length > 0 && {inImage: inImage.map(({flag, value, because}) => ({flag, value, because}))}),
    ...(nodes && {nodes}),
  }
}

function addLayout(list: FlagList, {tp, pp, dp, ep, dpAttention}: Deployment): void {
  list.addIf(tp > 1, '--tensor-parallel-size', tp, `each layer is split over ${tp} GPUs`)
  list.addIf(pp > 1, '--pipeline-parallel-size', pp, `the layers are split into ${pp} stages`)
  const replicas = dpAttention ? `attention runs on ${dp} ranks, each with its own cache` : `${dp} replicas of the attention layers, each with its own cache`
  list.addIf(dp > 1, '--data-parallel-size', dp, replicas)
  list.addIf(ep > 1, '--enable-expert-parallel', true, `experts are kept whole, spread over ${tp * dp} GPUs`)
}

function addLimits(list: FlagList, subject: Subject, deployment: Deployment): void {
  const {engineVersion: version, maxModelLen, maxNumSeqs, maxNumBatchedTokens} = deployment
  const {contextTokens} = subject.model.architecture
  list.addIf(
    maxModelLen !== contextTokens,
    '--max-model-len',
    maxModelLen,
    maxModelLen < contextTokens
      ? `instead of the model's ${counted(contextTokens)} tokens`
      : `beyond the ${counted(contextTokens)} tokens of the model's configuration`,
  )
  const override = contextOverride(subject, deployment)
  if (override) list.add('--hf-overrides', overrideJson(override.fields), override.because)
  const question = {
    version,
    gpu: subject.gpu,
    ranks: deployment.tp * deployment.pp,
    maxModelLen,
    chunkedPrefill: !isEncoder(subject.model),
    unsplittableItemTokens: unsplittableItemTokens(subject.model, deployment.multimodal),
  }
  const unset = schedulerDefaults(question)
  // A number that is written moves the default of the other one, so each is judged with the other as it will be written.
  const tokensDiffer = maxNumBatchedTokens !== schedulerDefaults({...question, ...(maxNumSeqs !== unset.maxNumSeqs && {maxNumSeqs})}).maxNumBatchedTokens
  const seqsDefault = schedulerDefaults({...question, ...(tokensDiffer && {maxNumBatchedTokens})}).maxNumSeqs
  list.addIf(
    maxNumSeqs !== seqsDefault,
    '--max-num-seqs',
    maxNumSeqs,
    `requests at once; ${counted(seqsDefault)} by default${isRecurrent(subject) ? ', and each takes a block of the state pool' : ''}`,
  )
  const tokensDefault = schedulerDefaults({...question, ...(maxNumSeqs !== seqsDefault && {maxNumSeqs})}).maxNumBatchedTokens
  list.addIf(maxNumBatchedTokens !== tokensDefault, '--max-num-batched-tokens', maxNumBatchedTokens, `tokens of one step; ${counted(tokensDefault)} by default`)
}

function addMemory(list: FlagList, subject: Subject, deployment: Deployment, need: ModelNeed): void {
  const {engineVersion: version, gpuMemoryUtilization: share, cpuOffloadBytes, enforceEager} = deployment
  const usual = gpuMemoryUtilization(version)
  list.addIf(
    !sameFraction(share, usual),
    '--gpu-memory-utilization',
    fraction(share),
    `${gib(share * subject.gpu.memoryBytes)} of ${gib(subject.gpu.memoryBytes)}; ${usual} by default`,
  )
  list.addIf(wantsHalf(subject.gpu.accelerator), '--dtype', 'half', 'bfloat16 is refused on an Arc A770')
  const cache = cacheValue(subject, deployment, need)
  list.addIf(cache !== undefined, '--kv-cache-dtype', cache ?? '', `the cache is kept as ${deployment.kvCache}`)
  list.addIf(
    need.blockSize !== undefined && deployment.blockTokens === undefined,
    '--block-size',
    need.blockSize ?? 0,
    `${subject.model.name} is run with blocks of ${need.blockSize} tokens`,
  )
  list.addIf(
    cpuOffloadBytes > 0,
    '--cpu-offload-gb',
    Math.ceil((cpuOffloadBytes / GIB) * 10) / 10,
    `${gib(cpuOffloadBytes)} of weights for each GPU stay in host memory`,
  )
  const usualEager = subject.gpu.accelerator.vendor === 'intel'
  list.addIf(
    enforceEager,
    '--enforce-eager',
    true,
    usualEager ? 'without graphs, as the recipes for Intel GPUs start it' : 'no CUDA graphs: their memory goes to the cache',
  )
}

/** The value to write, or undefined where `auto` gives the same. */
function cacheValue(subject: Subject, {kvCache, engineVersion}: Deployment, need: ModelNeed): string | undefined {
  const {checkpoint} = subject
  const automatic = checkpoint.kvCache ?? 'bf16'
  if (need.kvCacheDtype !== undefined && (kvCache === need.kvCacheDtype || kvCache === automatic)) return need.kvCacheDtype
  if (kvCache === automatic) return undefined
  // 16 bits by name came with 0.11.0 (bfloat16) and 0.18.0 (float16); before, only `auto` gives them.
  if (kvCache === 'bf16' && !isAtLeast(engineVersion, '0.11.0')) return undefined
  if (kvCache === 'fp16' && (automatic === 'bf16' || !isAtLeast(engineVersion, '0.18.0'))) return undefined
  if (kvCache === 'nvfp4' && hasSparseLatent(subject)) return 'nvfp4_ds_mla'
  return CACHE_VALUES[kvCache] ?? kvCache
}

/** Longest text that n-gram lookup compares, which vLLM wants to be told (docs/features/speculative_decoding/n_gram.md). */
const NGRAM_LOOKUP_TOKENS = 4

function addSpeculation(list: FlagList, {speculative, engineVersion}: Deployment): void {
  if (!speculative) return
  const {tokens, draft} = speculative
  const config = {
    method: methodValue(speculative.method, engineVersion),
    ...(draft !== undefined && {model: draft}),
    num_speculative_tokens: tokens,
    ...(speculative.method === 'pard' && {parallel_drafting: true}),
    ...(speculative.method === 'ngram' && {prompt_lookup_max: NGRAM_LOOKUP_TOKENS}),
  }
  list.add(
    '--speculative-config',
    JSON.stringify(config),
    `${tokens} draft token${tokens === 1 ? '' : 's'} a step${draft === undefined ? '' : `, drafted by ${draft}`}`,
  )
}

/** The engine finds out by itself that a model embeds or ranks, once it knows the class. */
function addPooling(list: FlagList, {model: {pooling}}: Subject): void {
  list.addIf(pooling?.hfOverrides !== undefined, '--hf-overrides', JSON.stringify(pooling?.hfOverrides ?? {}), 'the class that serves it here')
}

/** Ranks and slots that the engine allocates by itself (vllm/config/lora.py). */
const LORA_DEFAULTS = {rank: 16, count: 1}

function addAdapters(list: FlagList, deployment: Deployment): void {
  const {lora, engineVersion} = deployment
  if (!lora) return
  const rank = vllmLoraRank(engineVersion, lora.maxRank) ?? lora.maxRank
  list.add('--enable-lora', true, 'LoRA adapters are served beside the model')
  list.addIf(lora.count !== LORA_DEFAULTS.count, '--max-loras', lora.count, `adapters in one batch; ${LORA_DEFAULTS.count} by default`)
  list.addIf(
    rank !== LORA_DEFAULTS.rank,
    '--max-lora-rank',
    rank,
    rank === lora.maxRank ? `the largest rank; ${LORA_DEFAULTS.rank} by default` : `the next rank that the engine takes above ${lora.maxRank}`,
  )
  const targets = vllmLoraTargets(deployment)
  list.addIf(targets !== undefined, '--lora-target-modules', targets ?? [], 'the adapters are on these modules only: no room is taken for others')
}

/** How a release spells a method. */
function methodValue(method: string, engineVersion: string): string {
  // `mtp` is one name for every model's draft layers from 0.11.0; before, each family had its own and DeepSeek's came first.
  if (method === 'mtp' && !isAtLeast(engineVersion, '0.11.0')) return 'deepseek_mtp'
  // A draft model that drafts all its tokens in one pass.
  return method === 'pard' ? 'draft_model' : method
}

function addNeeds(list: FlagList, {engineVersion}: Deployment, need: ModelNeed): void {
  list.addIf(need.trustRemoteCode === true, '--trust-remote-code', true, 'the repository brings code of its own')
  list.addIf(need.tokenizerMode !== undefined, '--tokenizer-mode', need.tokenizerMode ?? '', "the model's own tokenizer")
  list.addIf(need.configFormat !== undefined, '--config-format', need.configFormat ?? '', "the configuration is in the publisher's format")
  list.addIf(need.loadFormat !== undefined, '--load-format', need.loadFormat ?? '', "the weights are in the publisher's format")
  list.addIf(need.reasoningParser !== undefined && !isAtLeast(engineVersion, '0.9.0'), '--enable-reasoning', true, 'needed by the parser before 0.9.0')
  list.addIf(need.reasoningParser !== undefined, '--reasoning-parser', need.reasoningParser ?? '', 'reasoning comes apart from the answer')
  list.addIf(need.toolCallParser !== undefined, '--enable-auto-tool-choice', true, 'the model may call tools by itself')
  list.addIf(need.toolCallParser !== undefined, '--tool-call-parser', need.toolCallParser ?? '', "the model's form of tool calls")
  for (const {flag, value, because, inImage} of need.options ?? []) {
    if (inImage !== undefined) continue
    // A key set by its dotted name is lost beside the whole object.
    const [whole, ...keys] = flag.split('.')
    if (keys.length === 0 || !list.has(whole!)) list.add(flag, value, because)
  }
}
