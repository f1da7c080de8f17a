import type {Encoder} from '../../core/architecture.ts'
import {type Fields, invalid} from './fields.ts'

/** A tower and the words to say about how its size was found. */
interface Tower {
  parameterCount: number
  maxTokensPerItem?: number
  unsplitItemTokens?: number
  /** No published layout was at hand: attention, feed-forward and norms of a plain transformer were counted. */
  estimated?: boolean
}

const size = (tower: Fields, ...spellings: string[]): number => tower.integer(spellings, {max: 2 ** 20})

/** Blocks with biases everywhere and two layer norms: 4 H^2 + 2 H I, 4 H + I + H biases, 4 H norms. */
const biasedBlock = (hidden: number, intermediate: number): number => 4 * hidden ** 2 + 2 * hidden * intermediate + 9 * hidden + intermediate

/** Qwen3-VL and Qwen3.5: patch convolution over two frames, learned positions, merger of 2 x 2 patches, and one more for each tapped layer. */
function qwen3Vision(tower: Fields): Tower {
  const hidden = size(tower, 'hidden_size')
  const intermediate = size(tower, 'intermediate_size')
  const out = size(tower, 'out_hidden_size')
  const merge = tower.integer('spatial_merge_size', {max: 16}) ** 2 * hidden
  const taps = tower.list('deepstack_visual_indexes')?.length ?? 0
  const patch = tower.integer('in_channels', {max: 64}) * tower.integer('temporal_patch_size', {max: 64}) * tower.integer('patch_size', {max: 256}) ** 2
  const merger = (norm: number) => norm + merge ** 2 + merge + merge * out + out
  return {
    parameterCount:
      tower.integer('depth', {max: 1000}) * biasedBlock(hidden, intermediate) +
      patch * hidden +
      hidden +
      tower.integer('num_position_embeddings', {max: 2 ** 20}) * hidden +
      merger(2 * hidden) +
      taps * merger(2 * merge),
  }
}

/** Qwen2.5-VL: gated blocks with biases and two RMS norms, patches without bias or positions. */
function qwen25Vision(tower: Fields): Tower {
  const hidden = size(tower, 'hidden_size')
  const intermediate = size(tower, 'intermediate_size')
  const out = size(tower, 'out_hidden_size')
  const merge = (tower.optionalInteger('spatial_merge_size', {max: 16}) ?? 2) ** 2 * hidden
  const patch =
    (tower.optionalInteger(['in_channels', 'in_chans'], {max: 64}) ?? 3) *
    (tower.optionalInteger('temporal_patch_size', {max: 64}) ?? 2) *
    tower.integer(['patch_size', 'spatial_patch_size'], {max: 256}) ** 2
  const block = 4 * hidden ** 2 + 4 * hidden + 3 * hidden * intermediate + 2 * intermediate + hidden + 2 * hidden
  return {parameterCount: tower.integer('depth', {max: 1000}) * block + patch * hidden + hidden + merge ** 2 + merge + merge * out + out}
}

/** Frames of a video and the tokens of each with its marks (vLLM 0.33.0 models/gemma4_mm.py get_mm_max_tokens_per_item). */
const GEMMA4_VIDEO = 32 * (70 + 2 + 6)

/** Gemma 4: gated blocks without biases, four norms and head norms; two tables of positions; one projection. */
function gemma4Vision(tower: Fields, textHidden: number, whole: Fields): Tower {
  const hidden = size(tower, 'hidden_size')
  const headDim = tower.integer('head_dim', {max: 4096})
  const patch = 3 * tower.integer('patch_size', {max: 256}) ** 2
  const layers = tower.integer('num_hidden_layers', {max: 1000})
  const clips = tower.boolean('use_clipped_linears') ? 28 : 0
  const block = 4 * hidden ** 2 + 3 * hidden * size(tower, 'intermediate_size') + 4 * hidden + 2 * headDim + clips
  const standardised = tower.boolean('standardize') ? 2 * hidden : 0
  return {
    parameterCount:
      layers * block + 2 * tower.integer('position_embedding_size', {max: 2 ** 20}) * hidden + patch * hidden + standardised + hidden * textHidden,
    maxTokensPerItem: tower.optionalInteger('default_output_length', {max: 2 ** 20}),
    ...(whole.child('text_config')?.string('use_bidirectional_attention') === 'vision' && {unsplitItemTokens: GEMMA4_VIDEO}),
  }
}

/** SigLIP in Gemma 3, with the norm and the projection to the language model. */
function siglip(tower: Fields, textHidden: number, whole: Fields): Tower {
  const hidden = size(tower, 'hidden_size')
  const patches = Math.floor(tower.integer('image_size', {max: 2 ** 16}) / tower.integer('patch_size', {max: 256})) ** 2
  const patch = 3 * tower.integer('patch_size', {max: 256}) ** 2
  return {
    parameterCount:
      tower.integer('num_hidden_layers', {max: 1000}) * biasedBlock(hidden, size(tower, 'intermediate_size')) +
      patch * hidden +
      hidden +
      patches * hidden +
      2 * hidden +
      hidden +
      hidden * textHidden,
    maxTokensPerItem: whole.optionalInteger('mm_tokens_per_image', {max: 2 ** 20}),
  }
}

/** Pixtral in Mistral 3: gated blocks without biases, norm, merger of patches and two projections. */
function pixtral(tower: Fields, textHidden: number, whole: Fields): Tower {
  const hidden = size(tower, 'hidden_size')
  const merge = whole.optionalInteger('spatial_merge_size', {max: 16}) ?? 1
  const block = 4 * hidden ** 2 + 3 * hidden * size(tower, 'intermediate_size') + 2 * hidden
  const merger = merge > 1 ? merge ** 2 * hidden ** 2 + hidden : 0
  const biases = whole.boolean('multimodal_projector_bias') ? 2 * textHidden : 0
  const side = tower.optionalInteger('image_size', {max: 2 ** 16})
  const step = tower.integer('patch_size', {max: 256}) * merge
  return {
    parameterCount:
      tower.integer('num_hidden_layers', {max: 1000}) * block +
      3 * tower.integer('patch_size', {max: 256}) ** 2 * hidden +
      hidden +
      merger +
      hidden * textHidden +
      textHidden ** 2 +
      biases,
    maxTokensPerItem: side === undefined ? undefined : Math.floor(side / step) ** 2,
  }
}

/** Tiles of the largest image that Llama 4's processor cuts: 16 and the whole (preprocessor_config.json max_patches). */
const LLAMA4_TILES = 17

/** Llama 4: biased blocks, class token, positions, norms before and after, a pixel-shuffle adapter and one projection. */
function llama4Vision(tower: Fields, textHidden: number): Tower {
  const hidden = size(tower, 'hidden_size')
  const patches = Math.floor(tower.integer('image_size', {max: 2 ** 16}) / tower.integer('patch_size', {max: 256})) ** 2
  const [into, out] = [size(tower, 'projector_input_dim'), size(tower, 'projector_output_dim')]
  return {
    parameterCount:
      tower.integer('num_hidden_layers', {max: 1000}) * biasedBlock(hidden, size(tower, 'intermediate_size')) +
      3 * tower.integer('patch_size', {max: 256}) ** 2 * hidden +
      (patches + 2) * hidden +
      4 * hidden +
      size(tower, 'intermediate_size') * into +
      into * out +
      size(tower, 'vision_output_dim') * textHidden,
    // Pixel shuffle leaves a quarter of the patches of each tile.
    maxTokensPerItem: LLAMA4_TILES * Math.floor(patches / 4),
  }
}

/** MoonViT in Kimi K2.5: biased blocks, positions in a grid, norm, and a projector over 2 x 2 patches. */
function moonVit(tower: Fields): Tower {
  const hidden = size(tower, 'vt_hidden_size')
  const merge = 4 * hidden
  const positions = tower.integer('init_pos_emb_height', {max: 4096}) * tower.integer('init_pos_emb_width', {max: 4096})
  const out = size(tower, 'text_hidden_size')
  const wide = tower.optionalInteger('qkv_hidden_size')
  const attention = wide === undefined ? 4 * hidden ** 2 + 4 * hidden : 4 * hidden * wide
  const matrices = 2 * hidden * size(tower, 'vt_intermediate_size')
  const small = wide === undefined ? size(tower, 'vt_intermediate_size') + 5 * hidden : 2 * hidden
  return {
    parameterCount:
      tower.integer('vt_num_hidden_layers', {max: 1000}) * (attention + matrices + small) +
      3 * tower.integer('patch_size', {max: 256}) ** 2 * hidden +
      hidden +
      positions * hidden +
      2 * hidden +
      2 * hidden +
      merge ** 2 +
      merge +
      merge * out +
      out,
    estimated: true,
  }
}

/** Any other tower: a plain transformer with its patches and one projection. */
function plain(tower: Fields, textHidden: number): Tower {
  const hidden = size(tower, 'hidden_size', 'embed_dim', 'width', 'd_model')
  const layers = tower.integer(['num_hidden_layers', 'depth', 'layers', 'encoder_layers', 'num_layers'], {max: 1000})
  const intermediate = tower.optionalInteger(['intermediate_size', 'encoder_ffn_dim'], {max: 2 ** 20}) ?? Math.round((tower.number('mlp_ratio') ?? 4) * hidden)
  const patch = tower.optionalInteger(['patch_size', 'spatial_patch_size'], {max: 256}) ?? 14
  return {parameterCount: layers * biasedBlock(hidden, intermediate) + 3 * patch ** 2 * hidden + hidden * textHidden + textHidden ** 2, estimated: true}
}

function visionTower(tower: Fields, textHidden: number, whole: Fields): Tower {
  const type = tower.string('model_type') ?? ''
  if (tower.has('vt_hidden_size')) return moonVit(tower)
  if (tower.has('num_position_embeddings', 'deepstack_visual_indexes') && tower.has('out_hidden_size', 'depth')) return qwen3Vision(tower)
  if (tower.has('out_hidden_size', 'depth', 'fullatt_block_indexes') && tower.has('intermediate_size')) return qwen25Vision(tower)
  if (type.startsWith('gemma4')) return gemma4Vision(tower, textHidden, whole)
  if (type === 'pixtral') return pixtral(tower, textHidden, whole)
  if (tower.has('projector_input_dim')) return llama4Vision(tower, textHidden)
  if (type.startsWith('siglip')) return siglip(tower, textHidden, whole)
  return plain(tower, textHidden)
}

const layersOf = (tower: Fields): number | undefined =>
  tower.optionalInteger(['num_hidden_layers', 'depth', 'vt_num_hidden_layers', 'encoder_layers', 'num_layers'], {max: 1000})

/**
 * The towers of a multimodal file with their parameter counts, projectors included. Where no rule is known for a tower
 * its size is estimated and a warning says so; a tower that cannot be sized at all is left out with a warning.
 */
export function encodersOf(whole: Fields, textHidden: number, warnings: string[]): Encoder[] {
  const encoders: Encoder[] = []
  const add = (modality: Encoder['modality'], tower: Fields | undefined, count: (tower: Fields) => Tower) => {
    if (!tower) return
    try {
      const {parameterCount, maxTokensPerItem, unsplitItemTokens, estimated} = count(tower)
      if (!Number.isSafeInteger(parameterCount)) throw invalid(`${tower.path} is too large`)
      if (estimated)
        warnings.push(`${tower.path}: the layout of this ${modality} tower is not known; its ${(parameterCount / 1e6).toFixed(0)} M parameters are an estimate`)
      encoders.push({
        modality,
        parameterCount,
        ...optional('layerCount', layersOf(tower)),
        ...optional('hiddenSize', tower.optionalInteger(['hidden_size', 'vt_hidden_size', 'd_model'], {max: 2 ** 20})),
        ...optional('maxTokensPerItem', maxTokensPerItem),
        ...optional('unsplitItemTokens', unsplitItemTokens),
      })
    } catch (error) {
      warnings.push(`${tower.path}: the ${modality} tower is not counted: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  add('vision', whole.child('vision_config', 'vision_tower_config', 'visual', 'vit_config', 'vision_encoder'), (tower) => visionTower(tower, textHidden, whole))
  add('audio', whole.child('audio_config', 'audio_encoder_config', 'sound_config', 'speech_config'), (tower) => plain(tower, textHidden))
  return encoders
}

const optional = <K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> =>
  value === undefined ? {} : ({[key]: value} as Partial<Record<K, number>>)
