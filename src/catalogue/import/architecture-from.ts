import type {Architecture, DraftLayers} from '../../core/architecture.ts'
import {countParameters} from '../../core/tensors.ts'
import {contextOf} from './context.ts'
import {encodersOf} from './encoders.ts'
import {Fields, invalid, isRecord, type Json} from './fields.ts'
import {groupLayers} from './layer-names.ts'
import {draftBlockPlan, type LayerPlan, layerPlans} from './layers.ts'
import {compressedAttention, tidy} from './mixers.ts'
import {type Traits, traitsOf} from './traits.ts'

/** Where multimodal files keep the language model. */
const TEXT_PATHS = [
  ['text_config'],
  ['llm_config'],
  ['language_config'],
  ['thinker_config', 'text_config'],
  ['language_model_config'],
  ['text_model_config'],
  ['decoder'],
]

/** The language model's part of a file: at the top, or under one of the known names. */
export function textPart(config: Json): {text: Fields; whole: Fields} {
  const whole = new Fields(config)
  for (const path of TEXT_PATHS) {
    let part: unknown = config
    for (const step of path) part = isRecord(part) && Object.hasOwn(part, step) ? part[step] : undefined
    if (isRecord(part)) {
      const text = new Fields(part, path.join('.'))
      if (text.has('hidden_size', 'num_hidden_layers', 'd_model') || !whole.has('hidden_size')) return {text, whole}
    }
  }
  return {text: whole, whole}
}

/**
 * The architecture that a configuration describes.
 *
 * @throws InputError MODEL_CONFIG_INVALID naming the field that is missing, of the wrong type or out of range.
 */
export function architectureFrom(config: Json, warnings: string[]): {architecture: Architecture; modelType: string} {
  const {text, whole} = textPart(config)
  const modelType = (text.string('model_type') ?? whole.string('model_type') ?? '').toLowerCase()
  const className = classNameOf(whole) ?? classNameOf(text)
  const {traits, known} = traitsOf(modelType === '' ? typeFromClass(className) : modelType)
  if (!known) {
    const what =
      modelType === '' && className === undefined ? 'the file names no model_type' : `"${modelType || className}" is not a family this importer knows`
    warnings.push(`${what}: layers were read from the fields; biases and norms (well under 1% of the weights) may be missing`)
  }
  const plans = layerPlans(text, traits)
  if (plans.length === 0) throw text.missing(['num_hidden_layers'])
  const hiddenSize = text.integer(['hidden_size', 'd_model', 'n_embd'], {max: 2 ** 20})
  const layers = groupLayers(plans)
  const encoders = encodersOf(encoderHome(config, whole), hiddenSize, warnings)
  const architecture: Architecture = tidy({
    className,
    vocabularySize: text.integer('vocab_size', {max: 2 ** 25}),
    hiddenSize,
    tiedEmbeddings: tied(text, whole, traits),
    headBias: text.boolean('lm_head_bias'),
    ...contextOf(text, modelType, warnings),
    ...layers,
    draft: draftOf(text, traits, plans),
    encoders: encoders.length > 0 ? encoders : undefined,
    perLayerEmbedding: perLayerEmbeddingOf(text),
    extraElementCount: outerElements(text, traits),
  })
  architecture.tiedEmbeddings ??= false
  if (!Number.isSafeInteger(countParameters(architecture).total))
    throw invalid(
      `${text.name('hidden_size')} and ${text.name('num_hidden_layers')} describe more parameters than can be counted; expected a model that exists`,
    )
  return {architecture, modelType}
}

/** Qwen-Omni keeps its towers beside the text, under `thinker_config`. */
function encoderHome(config: Json, whole: Fields): Fields {
  const thinker = config.thinker_config
  return isRecord(thinker) ? new Fields(thinker, 'thinker_config') : whole
}

function classNameOf(part: Fields): string | undefined {
  const names = part.raw('architectures')
  return Array.isArray(names) && typeof names[0] === 'string' ? names[0] : undefined
}

/** `Qwen3MoeForCausalLM` gives `qwen3_moe`: for files without `model_type`. */
function typeFromClass(className: string | undefined): string {
  return (className ?? '')
    .replace(/For[A-Z].*$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
}

/** The outer flag counts only where the inner one is absent. */
function tied(text: Fields, whole: Fields, traits: Traits): boolean {
  return text.boolean('tie_word_embeddings') ?? whole.boolean('tie_word_embeddings') ?? traits.tiedEmbeddings ?? false
}

function perLayerEmbeddingOf(text: Fields): Architecture['perLayerEmbedding'] {
  const width = text.optionalInteger('hidden_size_per_layer_input', {min: 0})
  if (!width) return undefined
  return {vocabularySize: text.integer('vocab_size_per_layer_input', {max: 2 ** 25}), width}
}

/** What stands outside the layers beside embeddings and final norm. */
function outerElements(text: Fields, traits: Traits): number | undefined {
  if (traits.normBias) return text.integer('hidden_size')
  const altup = text.optionalInteger('altup_num_inputs', {max: 64})
  if (altup !== undefined) return 2 * (altup - 1) * text.integer('hidden_size') ** 2
  const streams = text.optionalInteger('hc_mult', {max: 64})
  if (streams !== undefined) return streams * text.integer('hidden_size') * streams + streams + 1
  return undefined
}

/** Draft layers: one more layer of the model's full-attention kind behind a projection of hidden state and embedding. */
function draftOf(text: Fields, traits: Traits, plans: LayerPlan[]): DraftLayers | undefined {
  if (traits.draftNotPublished) return undefined
  const layerCount =
    text.optionalInteger(['num_nextn_predict_layers', 'mtp_num_hidden_layers', 'num_mtp_layers', 'num_mtp_modules'], {min: 0, max: 64}) ??
    traits.draftLayerCount ??
    0
  if (layerCount === 0) return undefined
  const plan = draftBlockPlan(text, traits) ?? draftLayerPlan(text, plans)
  if (!plan) return undefined
  const hidden = text.integer('hidden_size')
  return tidy({
    layerCount,
    kind: {name: 'draft', ...plan},
    extraElementCount: 2 * hidden ** 2 + 3 * hidden,
    storesEmbeddings: traits.draftStoresEmbeddings,
  })
}

function draftLayerPlan(text: Fields, plans: LayerPlan[]): LayerPlan | undefined {
  const ratios = text.integers('compress_ratios')
  const last = plans.at(-1)!
  if (ratios) return {...last, mixers: [compressedAttention(text, ratios[plans.length] ?? 0)]}
  const plan = plans.findLast(
    ({mixers}) => mixers.length === 1 && ((mixers[0]!.kind === 'full' && mixers[0]!.window === undefined) || mixers[0]!.kind === 'mla'),
  )
  if (!plan) return undefined
  const [mixer] = plan.mixers
  if (mixer?.kind === 'mla' && mixer.indexer?.shared) return {...plan, mixers: [{...mixer, indexer: {...mixer.indexer, shared: undefined}}]}
  return plan
}
