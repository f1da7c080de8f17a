/**
 * Memory of LoRA adapters: every engine allocates room for the most adapters of the largest rank at start, whatever is loaded later.
 *
 * An adapter of rank r on a matrix of `out` x `in` is r x in and out x r. On a rank of a tensor-parallel group the first factor of a matrix
 * split by rows is whole and the second is split; of a matrix split by columns it is the other way round. Projections that an engine merges
 * (q, k, v; gate and up) keep a first factor each, and all of them are allocated where one of them is a target.
 */
import type {Architecture, FeedForward, LayerKind, Mixer} from '../core/architecture.ts'
import type {Deployment, LoadedDeployment, Lora} from '../core/deployment.ts'
import type {TensorClass} from '../core/model.ts'
import {feedForwardTensors, mixerTensors, type WeightTensor} from '../core/tensors.ts'
import type {Reason, Warning} from '../core/terms.ts'
import {type ShardLayout, shardOf, type Stage, WHOLE} from '../core/weights.ts'
import type {LoraTable} from './lora-table.ts'
import {isAtLeast} from './versions.ts'
import type {PartTerm} from './weight-terms.ts'
import {dictionary} from '../core/dictionary.ts'

/** A projection that carries adapters, as one GPU holds it. */
interface LoraModule {
  /** What an engine merges into one: all of a group or none. */
  group: string
  /** What adapters call it (PEFT's `target_modules`). */
  names: readonly string[]
  isExpert: boolean
  /** First factors: one for each part that is merged. */
  parts: number
  /** Inputs and outputs on this rank. */
  inputs: number
  outputs: number
  count: number
}

/** Numbers of adapters are 16-bit (`lora_dtype: auto` follows the model). */
const ELEMENT_BYTES = 2

const QKV = 'qkv'
const NAMES: Partial<Record<TensorClass, {group: string; names: string[]}>> = {
  'attention.query': {group: QKV, names: ['q_proj', 'qkv_proj']},
  'attention.key': {group: QKV, names: ['k_proj', 'qkv_proj']},
  'attention.value': {group: QKV, names: ['v_proj', 'qkv_proj']},
  'attention.output': {group: 'o', names: ['o_proj']},
  'attention.gate': {group: 'g', names: ['g_proj']},
  'attention.query-a': {group: 'qkv-a', names: ['q_a_proj']},
  'attention.kv-a': {group: 'qkv-a', names: ['kv_a_proj_with_mqa']},
  'attention.query-b': {group: 'q-b', names: ['q_b_proj']},
  'attention.kv-b': {group: 'kv-b', names: ['kv_b_proj']},
  'linear.in': {group: 'in', names: ['in_proj', 'in_proj_qkv', 'in_proj_z', 'in_proj_qkvz']},
  'linear.small': {group: 'in-small', names: ['in_proj_a', 'in_proj_b', 'in_proj_ba']},
  'linear.gate': {group: 'linear-gate', names: []},
  'linear.out': {group: 'out', names: ['out_proj']},
  'mlp.in': {group: 'gate-up', names: ['gate_proj', 'up_proj', 'gate_up_proj']},
  'mlp.out': {group: 'down', names: ['down_proj']},
  'shared-experts.in': {group: 'shared-gate-up', names: ['gate_proj', 'up_proj', 'gate_up_proj']},
  'shared-experts.out': {group: 'shared-down', names: ['down_proj']},
  'experts.in': {group: 'experts', names: ['gate_proj', 'up_proj', 'gate_up_proj', 'experts']},
  'experts.out': {group: 'experts', names: ['down_proj', 'experts']},
  router: {group: 'router', names: ['gate']},
  latent: {group: 'latent', names: []},
  indexer: {group: 'indexer', names: []},
}

/** Parts of the input projection of a linear mixer, as the engines merge them. */
const LINEAR_PARTS: Partial<Record<Mixer['kind'], number>> = {'gated-delta-net': 4, 'kimi-delta': 3, lightning: 3, mamba2: 5, mamba1: 2, 'short-conv': 3}

const isMatrix = ({columns, unquantised, lookup}: WeightTensor): boolean => columns > 1 && !unquantised && !lookup

function moduleOf(tensor: WeightTensor, parts: number, layout: ShardLayout): LoraModule[] {
  const name = NAMES[tensor.class]
  if (!name) return []
  const {rows, columns, count} = shardOf(tensor, layout)
  return [{...name, isExpert: tensor.class.startsWith('experts.'), parts, inputs: columns, outputs: rows, count}]
}

function mixerModules(mixer: Mixer, hidden: number, layout: ShardLayout): LoraModule[] {
  return mixerTensors(mixer, hidden)
    .filter(isMatrix)
    .flatMap((tensor) => {
      const parts = tensor.class === 'linear.in' ? (LINEAR_PARTS[mixer.kind] ?? 1) : tensor.class === 'linear.small' && mixer.kind === 'gated-delta-net' ? 2 : 1
      return moduleOf(tensor, parts, layout)
    })
}

function feedForwardModules(feedForward: FeedForward, hidden: number, layout: ShardLayout, fusedExperts: boolean): LoraModule[] {
  return feedForwardTensors(feedForward, hidden)
    .filter(isMatrix)
    .flatMap((tensor) => {
      const merged = tensor.class.endsWith('.in') && feedForward.gated && !(fusedExperts && tensor.class === 'experts.in')
      return moduleOf(tensor, merged ? 2 : 1, layout)
    })
}

const layerModules = (kind: LayerKind, hidden: number, layout: ShardLayout, fusedExperts: boolean): LoraModule[] => [
  ...kind.mixers.flatMap((mixer) => mixerModules(mixer, hidden, layout)),
  ...(kind.feedForward ? feedForwardModules(kind.feedForward, hidden, layout, fusedExperts) : []),
]

/** Modules of a group of which one is a target; all of them where nothing is said. */
function targeted(modules: readonly LoraModule[], targets: readonly string[] | undefined): LoraModule[] {
  if (targets === undefined || targets.length === 0 || targets.some((name) => /^all/.test(name))) return [...modules]
  const groups = new Set(modules.filter(({names}) => names.some((name) => targets.includes(name))).map(({group}) => group))
  return modules.filter(({group}) => groups.has(group))
}

/** Elements that one adapter of rank 1 takes. */
const elementsOf = (modules: readonly LoraModule[]): number =>
  modules.reduce((sum, {parts, inputs, outputs, count}) => sum + count * (parts * inputs + outputs), 0)

const layersOf = (architecture: Architecture, first: number, last: number): LayerKind[] =>
  architecture.layerSequence.slice(first, last).map((index) => architecture.layerKinds[index]!)

export interface LoraQuestion {
  architecture: Architecture
  deployment: LoadedDeployment
  layout: ShardLayout
  stage: Stage
}

function term(bytes: number, because: string): PartTerm[] {
  return bytes > 0 ? [{name: 'weights: LoRA adapters', bytes: Math.round(bytes), kind: 'derived', part: 'weights', because}] : []
}

const adapterWords = ({count}: Lora, rank: number): string => `room for ${count} adapter${count === 1 ? '' : 's'} of rank ${rank}, 16-bit`
const targetWords = (targets: readonly string[] | undefined): string => (targets?.length ? `on ${targets.join(', ')}` : 'on every linear layer')

/** Ranks that vLLM takes for --max-lora-rank (vllm/config/lora.py MaxLoRARanks, 0.12.0 and 0.28.0; 1 is not among them in 0.10.2). */
const vllmRanks = (version: string): number[] => [...(isAtLeast(version, '0.11.1') ? [1] : []), 8, 16, 32, 64, 128, 256, 320, 512]

/** The rank that the engine is told: the next that it takes; undefined where none is large enough. */
export const vllmLoraRank = (version: string, rank: number): number | undefined => vllmRanks(version).find((allowed) => allowed >= rank)

/** First release with --lora-target-modules; before, adapters get room on every linear layer. */
const VLLM_TARGETS_SINCE = '0.19.0'

/** Targets that vLLM is told, where the release has an option for them. */
export const vllmLoraTargets = ({engineVersion, lora}: LoadedDeployment): string[] | undefined =>
  lora?.targets?.length && !lora.targets.some((name) => /^all/.test(name)) && isAtLeast(engineVersion, VLLM_TARGETS_SINCE) ? lora.targets : undefined

/** First release that puts adapters on experts (vllm/lora/layers/fused_moe.py: not in 0.11.0, there in 0.11.1). */
const VLLM_EXPERTS_SINCE = '0.11.1'
/** First release without rows for tokens that adapters add (`lora_extra_vocab_size`, 256 by default). */
const VLLM_EXTRA_VOCABULARY_GONE = '0.12.0'
const EXTRA_VOCABULARY = 256

/**
 * vLLM: `max_loras` slots of `max_lora_rank` for each linear layer of a stage, allocated while the model loads
 * (vllm/lora/layers/base_linear.py, column_parallel_linear.py and row_parallel_linear.py create_lora_weights, fused_moe.py _create_lora_a_weights;
 * 0.10.2, 0.28.0). Factors are split as their layer is, without --fully-sharded-loras. The head's and the embedding's are whole on every rank
 * (logits_processor.py, vocal_parallel_embedding.py), for the models whose class lists `embedding_modules`.
 */
export function vllmLoraTerms({architecture, deployment, layout, stage}: LoraQuestion, table: LoraTable): PartTerm[] {
  const {lora, engineVersion: version} = deployment
  if (!lora) return []
  const rank = vllmLoraRank(version, lora.maxRank) ?? lora.maxRank
  const targets = vllmLoraTargets(deployment)
  const {className = ''} = architecture
  const hasExperts = isAtLeast(version, VLLM_EXPERTS_SINCE)
  const fused = table.vllm.fusedExperts.includes(className)
  let elements = 0
  for (const kind of layersOf(architecture, stage.first, stage.last)) {
    const modules = layerModules(kind, architecture.hiddenSize, layout, fused).filter(({isExpert}) => hasExperts || !isExpert)
    elements += elementsOf(targeted(modules, targets))
  }
  let outer = 0
  if (table.vllm.embeddings.includes(className)) {
    const {vocabularySize, hiddenSize} = architecture
    const wanted = (name: string): boolean => targets === undefined || targets.includes(name)
    if (stage.embedding && wanted('embed_tokens')) outer += vocabularySize + hiddenSize
    if (stage.head && wanted('lm_head')) outer += vocabularySize + hiddenSize
  }
  const extra =
    outer > 0 && !isAtLeast(version, VLLM_EXTRA_VOCABULARY_GONE)
      ? ((stage.embedding ? 1 : 0) + (stage.head ? 1 : 0)) * EXTRA_VOCABULARY * architecture.hiddenSize + (stage.embedding ? EXTRA_VOCABULARY * rank : 0)
      : 0
  const bytes = lora.count * (rank * (elements + outer) + extra) * ELEMENT_BYTES
  return term(bytes, `${adapterWords(lora, rank)}, ${targetWords(targets)}${outer > 0 ? '; on embedding and head whole on every GPU' : ''}`)
}

/** What SGLang is told to make room for where nothing is said: the usual projections. It wants to be told them, or adapters to read them from. */
export const SGLANG_USUAL_TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']
export const sglangLoraTargets = ({targets}: Lora): string[] => (targets?.length ? targets : SGLANG_USUAL_TARGETS)

/** First release seen that puts adapters on experts (its `--experts-shared-outer-loras`, 0.5.10). */
const SGLANG_EXPERTS_SINCE = '0.5.10'

/**
 * SGLang: `max_loras_per_batch` slots of `max_lora_rank` for each target, in all layers of the model on every pipeline stage
 * (python/sglang/srt/lora/mem_pool.py init_buffers, get_lora_A_shape, get_lora_B_shape, 0.5.18). The embedding's factors are whole on
 * every rank, the head's second is split.
 */
export function sglangLoraTerms({architecture, deployment, layout}: LoraQuestion): PartTerm[] {
  const {lora, engineVersion: version} = deployment
  if (!lora) return []
  const targets = sglangLoraTargets(lora)
  const hasExperts = isAtLeast(version, SGLANG_EXPERTS_SINCE)
  let elements = 0
  for (const kind of layersOf(architecture, 0, architecture.layerSequence.length))
    elements += elementsOf(
      targeted(
        layerModules(kind, architecture.hiddenSize, layout, false).filter(({isExpert, group}) => (hasExperts || !isExpert) && group !== 'router'),
        targets,
      ),
    )
  const {vocabularySize, hiddenSize} = architecture
  const wanted = (name: string): boolean => targets.includes(name) || targets.includes('all')
  if (wanted('embed_tokens')) elements += vocabularySize + hiddenSize
  if (wanted('lm_head')) elements += Math.ceil(vocabularySize / layout.vocabularyTp) + hiddenSize
  return term(lora.count * lora.maxRank * elements * ELEMENT_BYTES, `${adapterWords(lora, lora.maxRank)}, ${targetWords(targets)}, in all layers`)
}

/** TensorRT-LLM's own names of the modules (tensorrt_llm/lora_helper.py get_default_trtllm_modules_to_hf_modules). */
const TRTLLM_MODULES: Record<string, string> = dictionary({
  q_proj: 'attn_q',
  k_proj: 'attn_k',
  v_proj: 'attn_v',
  o_proj: 'attn_dense',
  gate_proj: 'mlp_h_to_4h',
  up_proj: 'mlp_gate',
  down_proj: 'mlp_4h_to_h',
})

/** PEFT's name of a module that TensorRT-LLM names; another name as it is. */
export const peftName = (module: string): string => Object.entries(TRTLLM_MODULES).find(([, own]) => own === module)?.[0] ?? module

/** Modules that the engine is told; of query, key and value all where one is a target (its `missing_qkv_modules`). */
export function trtllmLoraModules({targets}: Pick<Lora, 'targets'>): string[] {
  const asked = targets?.length && !targets.some((name) => /^all/.test(name)) ? targets : Object.keys(TRTLLM_MODULES)
  return asked.flatMap((name) => (Object.hasOwn(TRTLLM_MODULES, name) ? [TRTLLM_MODULES[name]!] : []))
}

/** Rank for which pages of the cache are laid out (PeftCacheConfig.optimal_adapter_size). */
const TRTLLM_OPTIMAL_RANK = 8

/**
 * TensorRT-LLM: a cache of pages. Slots are as wide as the smallest module's two factors at rank 1; for every layer and module of every
 * adapter the largest module's slots are reserved (pyexecutor/_util.py num_device_module_layer; batch_manager/peftCacheManager.cpp
 * getPageManagerConfig, getMaxNumSlots), and whole pages of a rank-8 adapter are taken.
 */
export function trtllmLoraTerms({architecture, deployment, layout, stage}: LoraQuestion): PartTerm[] {
  const {lora} = deployment
  if (!lora) return []
  const names = new Set(trtllmLoraModules(lora))
  if (['attn_q', 'attn_k', 'attn_v'].some((name) => names.has(name))) for (const name of ['attn_q', 'attn_k', 'attn_v']) names.add(name)
  const kind =
    architecture.layerKinds.find(({mixers, feedForward}) => mixers.some((mixer) => mixer.kind === 'full') && feedForward) ?? architecture.layerKinds[0]!
  const sizes = layerModules(kind, architecture.hiddenSize, layout, false)
    .filter(({isExpert}) => !isExpert)
    .flatMap(({names: own, parts, inputs, outputs}) => {
      // Gate and up are modules of their own here.
      const modules = own.flatMap((name) => (Object.hasOwn(TRTLLM_MODULES, name) && names.has(TRTLLM_MODULES[name]!) ? [name] : []))
      return modules.map(() => inputs + outputs / parts)
    })
  if (sizes.length === 0) return []
  const layers = architecture.layerSequence.length
  const width = Math.min(...sizes)
  const slotsOf = (size: number): number => Math.ceil(size / width)
  const slots = lora.maxRank * layers * sizes.length * lora.count * slotsOf(Math.max(...sizes))
  const page = Math.max(
    TRTLLM_OPTIMAL_RANK * (stage.last - stage.first) * sizes.reduce((sum, size) => sum + slotsOf(size), 0),
    slotsOf(lora.maxRank * Math.max(...sizes)),
  )
  const bytes = Math.ceil(slots / page) * page * width * ELEMENT_BYTES
  return term(bytes, `${adapterWords(lora, lora.maxRank)}: ${sizes.length} modules of ${layers} layers, each in slots of the largest`)
}

const OUTER_NAMES = ['embed_tokens', 'lm_head']

/** Modules that adapters are said to be on and that no layer has by that name. */
function unknownTargets(architecture: Architecture, {targets = []}: Lora): string[] {
  const names = new Set(architecture.layerKinds.flatMap((kind) => layerModules(kind, architecture.hiddenSize, WHOLE, false).flatMap((module) => module.names)))
  return targets.filter((name) => !/^all/.test(name) && !OUTER_NAMES.includes(name) && !names.has(name))
}

/** What an engine refuses of adapters, and what is not counted. */
export function loraSupport(
  id: string,
  title: string,
  architecture: Architecture,
  deployment: Deployment,
  table: LoraTable,
): {reasons: Reason[]; warnings: Warning[]} {
  const {lora, engineVersion: version} = deployment
  if (!lora) return {reasons: [], warnings: []}
  const reasons: Reason[] = []
  const {className} = architecture
  if (id === 'vllm' && className !== undefined && table.vllm.without.includes(className))
    reasons.push({
      code: 'lora-unsupported',
      message: `${title} supports no LoRA adapters on ${className} (as of ${table.vllm.release})`,
      remedy: 'merge the adapter into the weights, or use another engine',
    })
  if (id === 'vllm' && vllmLoraRank(version, lora.maxRank) === undefined)
    reasons.push({
      code: 'lora-unsupported',
      message: `${title} takes adapters up to rank ${vllmRanks(version).at(-1)}, but ${lora.maxRank} was asked for`,
      remedy: 'use --engine sglang, or merge the adapter into the weights',
    })
  const {vocabularySize} = architecture
  if (
    id === 'vllm' &&
    vocabularySize > VLLM_MOST_VOCABULARY &&
    className !== undefined &&
    table.vllm.embeddings.includes(className) &&
    (vllmLoraTargets(deployment) ?? ['lm_head']).includes('lm_head')
  )
    reasons.push({
      code: 'lora-unsupported',
      message: `${title} supports adapters on heads of up to ${VLLM_MOST_VOCABULARY.toLocaleString('en-US')} tokens, but this one has ${vocabularySize.toLocaleString('en-US')}`,
      remedy: 'name the modules that the adapters change: --lora FOLDER reads them',
    })
  const strange = unknownTargets(architecture, lora)
  const warnings: Warning[] =
    strange.length > 0
      ? [
          {
            code: 'not-counted',
            message: `no known layer is called ${strange.join(', ')}: the memory of adapters on ${strange.length === 1 ? 'it' : 'them'} is not counted`,
          },
        ]
      : []
  return {
    reasons,
    warnings: [
      ...warnings,
      {code: 'not-counted', message: 'adapters take memory and slow down each step: the memory is counted, but the speed is that of the model without them'},
    ],
  }
}

/** LogitsProcessorWithLoRA refuses larger ones (vllm/lora/layers/logits_processor.py, 0.28.0). */
const VLLM_MOST_VOCABULARY = 258_048
