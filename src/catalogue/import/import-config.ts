import type {Architecture} from '../../core/architecture.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {architectureFrom, textPart} from './architecture-from.ts'
import {formatsUnder, plainCheckpoint, weightsName} from './checkpoint-from.ts'
import {Fields, invalid, isRecord, type Json} from './fields.ts'
import {cacheFormatOf} from './number-formats.ts'
import {displayName, familyOf, modelId, isRepositoryName} from './model-names.ts'
import {poolingOf} from './pooling.ts'
import {type Recipe, recipeOf} from './recipe.ts'

export interface ImportInput {
  /** Content of `config.json`, read with `parseTolerantJson`. */
  config: unknown
  /** Content of `hf_quant_config.json`. */
  quantConfig?: unknown
  /** Content of `generation_config.json`; nothing in it bears on memory or speed, so it is not read. */
  generation?: unknown
  /** Content of `model.safetensors.index.json`: byte total and names of the stored tensors. */
  index?: unknown
  /** Repository, where it is known. */
  hfId?: string
}

export interface Imported {
  model: Model
  warnings: string[]
}

/**
 * The model that a Hugging Face repository's configuration files describe. Fields decide, not class names: an
 * architecture nobody has heard of is accepted with a warning as long as its cache layout can be told.
 *
 * @throws InputError MODEL_CONFIG_INVALID naming the field and what was expected of it.
 */
export function importConfig({config, quantConfig, index, hfId}: ImportInput): Imported {
  if (!isRecord(config)) throw invalid('the configuration is not an object; expected the content of a config.json')
  const warnings: string[] = []
  const {architecture, modelType} = architectureFrom(config, warnings)
  const {text, whole} = textPart(config)
  const id = hfId ?? whole.string('_name_or_path') ?? text.string('_name_or_path') ?? ''
  const repository = isRepositoryName(id) ? id : (hfId ?? '')
  const quantisation = quantisationOf(config, text, quantConfig)
  const recipe = quantisation?.section && recipeOf(quantisation.section, text.string('expert_dtype') ?? whole.string('expert_dtype'), warnings)
  if (recipe && quantisation) recipe.kvCache ??= quantisation.kvCache
  const stored = storedTensors(index)
  if (stored) applyStored(architecture, stored)
  const checkpoint = checkpointFrom(architecture, recipe, repository, dataType(text, whole), stored)
  const name = repository === '' ? modelType || 'model' : repository
  const pooling = poolingOf(architecture.className, modelType)
  return {
    model: {
      id: modelId(name),
      hfId: repository,
      name: displayName(name),
      family: familyOf(modelType),
      ...modalityOf(architecture),
      ...(pooling && {pooling}),
      architecture,
      checkpoints: [checkpoint],
    },
    warnings,
  }
}

function modalityOf(architecture: Architecture): {modality: string[]} {
  return {modality: ['text', ...new Set((architecture.encoders ?? []).map((encoder) => encoder.modality))]}
}

/** The quantisation section: at the top, beside the text, or in ModelOpt's own file; the cache format from either. */
function quantisationOf(config: Json, text: Fields, quantConfig: unknown): {section: Fields | undefined; kvCache: string | undefined} | undefined {
  const own =
    isRecord(quantConfig) && isRecord(quantConfig.quantization) ? new Fields(quantConfig.quantization, 'hf_quant_config.json: quantization') : undefined
  const whole = new Fields(config)
  const section = whole.child('quantization_config', 'compression_config') ?? text.child('quantization_config', 'compression_config')
  if (!section) return {section: own, kvCache: undefined}
  const complete = section.has('quantized_layers') || section.raw('quant_algo') !== 'MIXED_PRECISION'
  const kvCache = (own && cacheFormatOf(own)) ?? cacheFormatOf(section)
  return {section: own && (!complete || !section.has('quant_method')) ? own : section, kvCache}
}

function dataType(text: Fields, whole: Fields): 'bf16' | 'fp16' | 'fp32' {
  const type = (text.string('torch_dtype', 'dtype') ?? whole.string('torch_dtype', 'dtype') ?? 'bfloat16').replace('torch.', '')
  return type === 'float16' || type === 'half' ? 'fp16' : type === 'float32' ? 'fp32' : 'bf16'
}

function checkpointFrom(
  architecture: Architecture,
  recipe: Recipe | undefined,
  hfId: string,
  type: 'bf16' | 'fp16' | 'fp32',
  stored: Stored | undefined,
): Checkpoint {
  const checkpoint: Checkpoint = recipe
    ? {hfId, weights: '', ...formatsUnder(recipe, architecture), quantMethod: recipe.quantMethod}
    : plainCheckpoint(hfId, type)
  if (recipe) checkpoint.weights = weightsName(checkpoint.formats, recipe, hfId)
  if (recipe?.kvCache) checkpoint.kvCache = recipe.kvCache
  if (stored?.bytes !== undefined) checkpoint.bytes = stored.bytes
  if (architecture.draft && stored?.names && !stored.hasDraft(architecture.layerSequence.length)) checkpoint.draftIncluded = false
  if (architecture.encoders && stored?.names && !stored.hasEncoder) checkpoint.encodersIncluded = false
  return checkpoint
}

interface Stored {
  bytes?: number
  names: boolean
  hasHead: boolean
  hasEncoder: boolean
  hasDraft: (layerCount: number) => boolean
}

const MAX_STORED_NAMES = 2_000_000

/** What the index of the weight files tells. */
function storedTensors(index: unknown): Stored | undefined {
  if (!isRecord(index)) return undefined
  const metadata = isRecord(index.metadata) ? index.metadata : {}
  const size = metadata.total_size
  const map = isRecord(index.weight_map) ? index.weight_map : {}
  const names = Object.keys(map)
  if (names.length > MAX_STORED_NAMES) throw invalid(`model.safetensors.index.json names ${names.length} tensors; expected at most ${MAX_STORED_NAMES}`)
  const some = (test: (name: string) => boolean) => names.some(test)
  return {
    ...(typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? {bytes: size} : {}),
    names: names.length > 0,
    hasHead: some((name) => /(^|\.)lm_head\.weight$/.test(name)),
    hasEncoder: some((name) => /vision|visual|audio/.test(name)),
    hasDraft: (layerCount) => some((name) => /(^|\.)mtp(\.|_)/.test(name) || name.includes(`layers.${layerCount}.`)),
  }
}

/** A tied model whose files hold the head all the same. */
function applyStored(architecture: Architecture, stored: Stored): void {
  if (architecture.tiedEmbeddings && stored.hasHead) architecture.headStoredTwice = true
}
