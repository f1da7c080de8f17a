import type {Deployment} from '../../core/deployment.ts'
import {contextOverride, exceedsPositions, overrideJson} from '../context.ts'
import type {Launch, Subject} from '../engine.ts'
import {FlagList} from '../launch/flag-list.ts'
import {isGguf, modelArgument} from '../launch/model-argument.ts'
import type {ModelNeed, NeedsTable} from '../launch/needs-table.ts'
import {modelNeed} from '../launch/needs.ts'
import {counted, fraction, gib, sameFraction, wholeGib} from '../launch/numbers.ts'
import {sglangLoraTargets} from '../lora.ts'
import {alsoWrites} from '../pooling.ts'
import {isAtLeast} from '../versions.ts'
import {attentionRanks, chunkedPrefillTokens} from './asked.ts'
import {memFractionStatic} from './defaults.ts'
import {sglangNodes} from './nodes.ts'
import {addOptionFlags} from './option-flags.ts'
import {filledRequests, OWN_RUNNING_REQUESTS, sglangQuestion, subjectKinds} from './question.ts'
import {automaticCache} from './resolve.ts'
import {sglangAlgorithm} from './speculation.ts'
import {dictionary} from '../../core/dictionary.ts'

/** How SGLang spells a cache format; 16 bits are what `auto` gives. */
const CACHE_VALUES: Record<string, string> = dictionary({fp8: 'fp8_e4m3', mxfp4: 'fp4_mx_block16', bf16: 'bf16'})

/**
 * `sglang serve` (the module before 0.5.6). An option is written only where it differs from what this version
 * does by itself on this GPU, or where the model wants it.
 */
export function sglangLaunch(subject: Subject, deployment: Deployment, needs?: NeedsTable): Launch {
  const {model, checkpoint} = subject
  const {engineVersion: version} = deployment
  const need = modelNeed(needs, 'sglang', version, subject)
  const list = new FlagList()
  list.add('--model-path', modelArgument(checkpoint.hfId), `the ${checkpoint.weights} checkpoint of ${model.name}`)
  addLayout(list, deployment)
  addLimits(list, subject, deployment)
  addMemory(list, subject, deployment)
  addOptionFlags(list, deployment)
  addWeights(list, subject)
  addSpeculation(list, deployment)
  addAdapters(list, deployment)
  list.addIf(alsoWrites(model), '--is-embedding', true, 'it embeds, though its class could write')
  addNeeds(list, need)
  const program = isAtLeast(version, '0.5.6') ? ['sglang', 'serve'] : ['python3', '-m', 'sglang.launch_server']
  const environment = [
    ...Object.entries(need.environment ?? {}).map(([name, value]) => ({name, value, because: `${model.name} is run with it`})),
    ...longerContext(subject, deployment),
    ...unequalMemory(subject, deployment),
  ]
  const nodes = sglangNodes(subject, deployment)
  return {program, flags: list.flags, environment, ...(nodes && {nodes})}
}

/** Share of a card's free memory that the least of the others must have, or the start ends with "The memory capacity is unbalanced". */
const BALANCED = 0.9

/**
 * Unequal cards in one tensor-parallel group are refused unless the check is switched off (srt/distributed/bootstrap.py _check_tp_memory_balance,
 * 0.5.18; model_executor/model_runner.py before). The variable had another name and sense up to 0.5.3; 0.5.7 is the next release read.
 */
function unequalMemory({machine}: Subject, {engineVersion, tp}: Deployment): Launch['environment'] {
  const sizes = machine.gpus.map(({memoryBytes, freeBytes}) => freeBytes ?? memoryBytes)
  if (tp === 1 || Math.min(...sizes) >= BALANCED * Math.max(...sizes)) return []
  const because = 'the cards have unequal memory, which is refused otherwise'
  return isAtLeast(engineVersion, '0.5.7')
    ? [{name: 'SGLANG_ENABLE_TP_MEMORY_INBALANCE_CHECK', value: 'false', because}]
    : [{name: 'SGL_DISABLE_TP_MEMORY_INBALANCE_CHECK', value: '1', because}]
}

/** Adapters that one batch can hold by default (server_args.py max_loras_per_batch). */
const LORA_SLOTS = 8

function addAdapters(list: FlagList, {lora, engineVersion}: Deployment): void {
  if (!lora) return
  list.addIf(isAtLeast(engineVersion, '0.4.10'), '--enable-lora', true, 'LoRA adapters are served beside the model')
  list.addIf(lora.count !== LORA_SLOTS, '--max-loras-per-batch', lora.count, `adapters in one batch; ${LORA_SLOTS} by default`)
  if (!isAtLeast(engineVersion, '0.4.10')) return
  list.add('--max-lora-rank', lora.maxRank, 'the largest rank among them')
  list.add('--lora-target-modules', sglangLoraTargets(lora), 'modules that adapters may be on')
}

/** First release with `--attn-dp-size`; the switch beside `--dp-size` is deprecated from it on (arg_groups/fields/parallel.py, 0.5.22). */
const ATTENTION_RANKS_SINCE = '0.5.22'

function addLayout(list: FlagList, {engineVersion, tp, pp, dp, ep, dpAttention}: Deployment): void {
  list.addIf(tp > 1, '--tp-size', tp, dpAttention ? `the group has ${tp} GPUs` : `each layer is split over ${tp} GPUs`)
  list.addIf(pp > 1, '--pp-size', pp, `the layers are split into ${pp} stages`)
  const ranks = `attention runs on ${dp} ranks of the ${tp} GPUs, each with its own cache`
  if (dpAttention && isAtLeast(engineVersion, ATTENTION_RANKS_SINCE)) list.addIf(dp > 1, '--attn-dp-size', dp, ranks)
  else {
    list.addIf(dp > 1, '--dp-size', dp, dpAttention ? ranks : `${dp} replicas`)
    list.addIf(dpAttention && dp > 1, '--enable-dp-attention', true, 'requests are spread over the ranks instead of splitting attention')
  }
  // Before 0.5.1 a switch makes the expert groups as large as tp; the size alone does nothing.
  if (isAtLeast(engineVersion, '0.5.1')) list.addIf(ep > 1, '--ep-size', ep, `experts are kept whole, spread over ${ep} GPUs`)
  else list.addIf(ep > 1, '--enable-ep-moe', true, `experts are kept whole, spread over ${tp} GPUs`)
}

function addLimits(list: FlagList, subject: Subject, deployment: Deployment): void {
  const {maxModelLen, maxNumSeqs, maxNumBatchedTokens, speculative} = deployment
  // The engine deals both numbers out to the ranks of data-parallel attention.
  const ranks = attentionRanks(deployment)
  const dealt = ranks > 1 ? `, for all ${ranks} ranks together` : ''
  const {contextTokens, positionTokens = contextTokens} = subject.model.architecture
  const override = contextOverride(subject, deployment)
  list.addIf(
    maxModelLen !== positionTokens,
    '--context-length',
    maxModelLen,
    maxModelLen < positionTokens
      ? `instead of the model's ${counted(positionTokens)} tokens`
      : `beyond the ${counted(positionTokens)} ${maxModelLen > contextTokens ? "tokens of the model's configuration" : 'positions of the configuration, whose scaling reaches further'}`,
  )
  if (override) list.add('--json-model-override-args', overrideJson(override.fields), override.because)
  // The default lies between 2,048 and 4,096 as the pool allows, or is filled by speculation and DeepSeek-V4 (defaults.ts).
  const filled = filledRequests(subjectKinds(subject).compressed, speculative !== undefined)
  const isDefault =
    filled === undefined ? maxNumSeqs >= OWN_RUNNING_REQUESTS && maxNumSeqs <= 2 * OWN_RUNNING_REQUESTS : maxNumSeqs === Math.max(1, Math.floor(filled / ranks))
  list.addIf(!isDefault, '--max-running-requests', maxNumSeqs * ranks, `requests at once${dealt}; ${filled ?? '2,048 or more'} by default`)
  const chunk = chunkedPrefillTokens({version: deployment.engineVersion, gpu: subject.gpu, dp: deployment.dp, dpAttention: deployment.dpAttention})
  list.addIf(
    maxNumBatchedTokens !== chunk,
    '--chunked-prefill-size',
    maxNumBatchedTokens * ranks,
    `tokens of one prefill step${dealt}; ${counted(chunk * ranks)} by default`,
  )
}

/**
 * From 0.5.1 a context beyond the derived one needs a word: the variable's default changed between 0.4.10 and that
 * (srt/configs/model_config.py). YaRN does not move what is derived; a raised limit does.
 */
function longerContext(subject: Subject, deployment: Deployment): Launch['environment'] {
  if (!isAtLeast(deployment.engineVersion, '0.5.1') || !exceedsPositions(subject, deployment)) return []
  const raised = deployment.maxModelLen > subject.model.architecture.contextTokens && subject.model.extendedContext?.raisedLimit
  if (raised) return []
  return [{name: 'SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN', value: '1', because: 'the context is longer than what is derived from the positions'}]
}

function addMemory(list: FlagList, subject: Subject, deployment: Deployment): void {
  const {gpuMemoryUtilization: share, kvCache, cpuOffloadBytes, enforceEager} = deployment
  const question = sglangQuestion(subject, deployment)
  const chunk = chunkedPrefillTokens(question)
  // A chunk that is the default is not written, and the formula starts from the one before it is divided among the ranks.
  const usual = memFractionStatic({...question, chunkedPrefillTokens: deployment.maxNumBatchedTokens === chunk ? undefined : deployment.maxNumBatchedTokens})
  list.addIf(
    !sameFraction(share, usual),
    '--mem-fraction-static',
    fraction(share),
    `${gib(share * subject.gpu.memoryBytes)} of ${gib(subject.gpu.memoryBytes)} for weights and cache; ${usual.toFixed(3)} by default`,
  )
  const automatic = subject.checkpoint.kvCache ?? automaticCache(subject)
  const is16Bit = (format: string): boolean => format === 'bf16' || format === 'fp16'
  const same = kvCache === automatic || (is16Bit(kvCache) && is16Bit(automatic))
  list.addIf(!same, '--kv-cache-dtype', CACHE_VALUES[kvCache] ?? kvCache, `the cache is kept as ${kvCache}`)
  list.addIf(cpuOffloadBytes > 0, '--cpu-offload-gb', wholeGib(cpuOffloadBytes), `${gib(cpuOffloadBytes)} of weights for each GPU stay in host memory`)
  if (!enforceEager) return
  const because = 'no CUDA graphs: their memory goes to the cache'
  // One switch for both phases until 0.5.14, which deprecates it: a configuration file does not take it any more.
  if (!isAtLeast(deployment.engineVersion, '0.5.14')) list.add('--disable-cuda-graph', true, because)
  else for (const phase of ['decode', 'prefill']) list.add(`--cuda-graph-backend-${phase}`, 'disabled', because)
}

/** Formats that SGLang does not recognise by itself (python/sglang/srt/layers/quantization/gguf.py, bitsandbytes.py). */
function addWeights(list: FlagList, {checkpoint}: Subject): void {
  const format = isGguf(checkpoint.weights) ? 'gguf' : checkpoint.weights === 'nf4' ? 'bitsandbytes' : undefined
  if (format === undefined) return
  list.add('--load-format', format, `the weights are ${checkpoint.weights}`)
  list.add('--quantization', format, 'not recognised from the files')
}

function addSpeculation(list: FlagList, {speculative}: Deployment): void {
  if (!speculative) return
  const {method, tokens, draft} = speculative
  const algorithm = sglangAlgorithm(method)
  const ownLayers = method === 'mtp' && draft === undefined
  list.add('--speculative-algorithm', algorithm, ownLayers ? "the model's own draft layers run as an EAGLE draft" : `drafts by ${method}`)
  if (draft !== undefined) list.add('--speculative-draft-model-path', modelArgument(draft), 'the checkpoint that drafts')
  if (algorithm === 'NGRAM') {
    list.add('--speculative-num-draft-tokens', tokens, `${tokens} draft tokens a step`)
    return
  }
  // A block is drafted at once: its length is all there is to say (arg_groups/speculative_hook.py _handle_dflash, _handle_dspark).
  if (algorithm === 'DFLASH' || algorithm === 'DSPARK') {
    list.add('--speculative-num-draft-tokens', tokens + 1, `a block of ${tokens} draft tokens and the token it starts from`)
    return
  }
  list.add('--speculative-num-steps', tokens, `${tokens} draft token${tokens === 1 ? '' : 's'} a step, in a chain`)
  list.add('--speculative-eagle-topk', 1, 'a chain, no tree')
  list.add('--speculative-num-draft-tokens', tokens + 1, 'the drafts and the token they start from')
}

function addNeeds(list: FlagList, need: ModelNeed): void {
  list.addIf(need.trustRemoteCode === true, '--trust-remote-code', true, 'the repository brings code of its own')
  list.addIf(need.reasoningParser !== undefined, '--reasoning-parser', need.reasoningParser ?? '', 'reasoning comes apart from the answer')
  list.addIf(need.toolCallParser !== undefined, '--tool-call-parser', need.toolCallParser ?? '', "the model's form of tool calls")
  for (const {flag, value, because} of need.options ?? []) list.add(flag, value, because)
}
