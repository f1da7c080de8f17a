import {type Fields, invalid} from './fields.ts'
import {queryHeads} from './mixers.ts'
import type {Traits} from './traits.ts'
import {dictionary} from '../../core/dictionary.ts'

/** What mixes tokens in a layer. `attention+mamba2` runs both side by side; `none` is a feed-forward block alone. */
export type MixerKind = 'full' | 'sliding' | 'chunked' | 'gated-delta-net' | 'kimi-delta' | 'lightning' | 'mamba2' | 'mamba1' | 'conv' | 'full+mamba2' | 'none'

/** Words of `layer_types` and its relatives. Which linear attention is meant follows from the other fields. */
const WORDS: Record<string, MixerKind | 'linear' | 'mamba'> = dictionary({
  full_attention: 'full',
  attention: 'full',
  full: 'full',
  global: 'full',
  global_attention: 'full',
  '*': 'full',
  hybrid: 'full',
  deepseek_sparse_attention: 'full',
  indexed_attention: 'full',
  minimax_m3_sparse: 'full',
  sparse: 'full',
  sliding_attention: 'sliding',
  sliding: 'sliding',
  local: 'sliding',
  local_attention: 'sliding',
  sliding_window: 'sliding',
  swa: 'sliding',
  hybrid_sliding: 'sliding',
  chunked_attention: 'chunked',
  chunked: 'chunked',
  linear_attention: 'linear',
  linear: 'linear',
  kda: 'kimi-delta',
  gated_deltanet: 'gated-delta-net',
  lightning: 'lightning',
  lightning_attention: 'lightning',
  mamba: 'mamba',
  mamba2: 'mamba2',
  m: 'mamba',
  conv: 'conv',
  short_conv: 'conv',
})

const fill = (count: number, kind: (layer: number) => MixerKind): MixerKind[] => Array.from({length: count}, (_, layer) => kind(layer))

/**
 * The mixer of each layer, from whichever of the known spellings the file uses; undefined words and lists of the wrong
 * length are refused, because the cache of every layer hangs on them.
 */
export function mixerKinds(config: Fields, traits: Traits, layerCount: number): MixerKind[] {
  const linear = config.child('linear_attn_config')
  if (linear) return fromLayerNumbers(linear, layerCount)
  const words = config.strings('layer_types', 'layers_block_type', 'layer_type_list')
  if (words) return fromWords(config, words, layerCount)
  const types = config.raw('attn_type_list') === undefined ? undefined : config.integers('attn_type_list')
  if (types) return fromMarks(config, 'attn_type_list', types, layerCount, {0: 'lightning', 1: 'full'})
  const hybrid = config.raw('hybrid_layer_pattern') === undefined ? undefined : config.integers('hybrid_layer_pattern')
  if (hybrid) return fromMarks(config, 'hybrid_layer_pattern', hybrid, layerCount, {0: 'full', 1: 'sliding'})
  if (config.has('linear_num_value_heads')) {
    const every = config.optionalInteger('full_attention_interval') ?? 4
    return fill(layerCount, (layer) => ((layer + 1) % every === 0 ? 'full' : 'gated-delta-net'))
  }
  const attentionLayers = config.integers('full_attn_idxs', 'attn_layer_indices')
  if (attentionLayers && config.has('conv_L_cache')) return fill(layerCount, (layer) => (attentionLayers.includes(layer) ? 'full' : 'conv'))
  if (config.has('attn_layer_period')) {
    const [period, offset] = [config.integer('attn_layer_period'), config.integer('attn_layer_offset', {min: 0})]
    return fill(layerCount, (layer) => (layer % period === offset ? 'full' : mambaKind(config)))
  }
  if (config.has('layer_group_size') && !config.has('sliding_window')) {
    const size = config.integer('layer_group_size')
    const linear = config.has('short_conv_kernel_size') ? 'kimi-delta' : 'lightning'
    return fill(layerCount, (layer) => ((layer + 1) % size === 0 || layer >= Math.floor(layerCount / size) * size ? 'full' : linear))
  }
  if (config.has('mamba_d_state', 'ssm_state_size')) {
    if (attentionLayers) return fill(layerCount, (layer) => (attentionLayers.includes(layer) ? 'full' : mambaKind(config)))
    if (config.has('mamba_d_ssm') || config.string('model_type')?.startsWith('falcon_h1')) return fill(layerCount, () => 'full+mamba2')
    throw invalid(`${config.name('layer_types')} is missing; expected which layers are attention and which are Mamba, since the cache depends on it`)
  }
  return windowed(config, traits, layerCount)
}

/** Plain attention models: which layers have a window or a chunk. */
function windowed(config: Fields, traits: Traits, layerCount: number): MixerKind[] {
  if (config.has('attention_chunk_size') && !config.has('sliding_window')) {
    const noRope = config.integers('no_rope_layers')
    const step = config.optionalInteger('no_rope_layer_interval') ?? 4
    // A zero marks a layer without positions, which sees everything; the empty list means the default interval.
    return fill(layerCount, (layer) => ((noRope && noRope.length === layerCount ? noRope[layer] === 0 : (layer + 1) % step === 0) ? 'full' : 'chunked'))
  }
  if (!config.has('sliding_window') || config.boolean('use_sliding_window') === false) return fill(layerCount, () => 'full')
  const pattern = config.raw('sliding_window_pattern', '_sliding_window_pattern') ?? traits.slidingPattern
  if (typeof pattern === 'string')
    return fill(layerCount, (layer) => (layer === layerCount - 1 || pattern[layer % pattern.length] === 'G' ? 'full' : 'sliding'))
  if (typeof pattern === 'number' && Number.isInteger(pattern) && pattern > 1)
    return fill(layerCount, (layer) => ((layer + 1) % pattern === 0 ? 'full' : 'sliding'))
  if (pattern !== undefined && pattern !== 1)
    throw invalid(`${config.name('sliding_window_pattern')} is ${JSON.stringify(pattern)}; expected a whole number or letters L and G`)
  if (config.boolean('use_sliding_window') === true) {
    const full = config.optionalInteger('max_window_layers', {min: 0}) ?? 0
    return fill(layerCount, (layer) => (layer < full ? 'full' : 'sliding'))
  }
  return fill(layerCount, () => 'sliding')
}

/** Kimi: layers counted from 1. */
function fromLayerNumbers(linear: Fields, layerCount: number): MixerKind[] {
  const full = new Set(linear.integers('full_attn_layers'))
  const delta = new Set(linear.integers('kda_layers'))
  return fill(layerCount, (layer) => {
    if (full.has(layer + 1)) return 'full'
    if (delta.has(layer + 1)) return 'kimi-delta'
    throw invalid(`${linear.path}: layer ${layer + 1} is neither in full_attn_layers nor in kda_layers`)
  })
}

function fromMarks(config: Fields, field: string, marks: number[], layerCount: number, meaning: Record<number, MixerKind>): MixerKind[] {
  if (marks.length < layerCount) throw invalid(`${config.name(field)} has ${marks.length} entries; expected ${layerCount}, one for each layer`)
  return marks.slice(0, layerCount).map((mark, layer) => {
    const kind = meaning[mark]
    if (!kind) throw invalid(`${config.name(field)}[${layer}] is ${mark}; expected ${Object.keys(meaning).join(' or ')}`)
    return kind
  })
}

function fromWords(config: Fields, words: string[], layerCount: number): MixerKind[] {
  if (words.length < layerCount) throw invalid(`${config.name('layer_types')} has ${words.length} entries; expected ${layerCount}, one for each layer`)
  return words.slice(0, layerCount).map((word, layer) => {
    const kind = WORDS[word.toLowerCase()]
    if (kind === undefined) throw invalid(`${config.name('layer_types')}[${layer}] is "${word}"; expected one of ${Object.keys(WORDS).join(', ')}`)
    if (kind === 'linear') return linearKind(config)
    return kind === 'mamba' ? mambaKind(config) : kind
  })
}

function linearKind(config: Fields): MixerKind {
  if (config.has('linear_num_value_heads')) return 'gated-delta-net'
  if (config.has('linear_num_heads')) return 'kimi-delta'
  if (queryHeads(config) > 0 && !config.has('linear_conv_kernel_dim')) return 'lightning'
  throw config.missing(['linear_num_value_heads'])
}

/** Mamba 2 has heads; Mamba 1 has a time-step rank. */
function mambaKind(config: Fields): MixerKind {
  if (config.has('mamba_num_heads', 'mamba_n_heads', 'mamba_d_head', 'n_mamba_heads')) return 'mamba2'
  if (config.has('mamba_dt_rank')) return 'mamba1'
  throw config.missing(['mamba_n_heads', 'mamba_num_heads', 'mamba_dt_rank'])
}
