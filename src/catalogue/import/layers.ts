import type {FullAttention, LayerKind, Mixer} from '../../core/architecture.ts'
import {denseFeedForward, expertLayers, feedForwardOf, mixtureOfExperts} from './feed-forward.ts'
import {type Fields, invalid, MAX_LAYERS} from './fields.ts'
import {type MixerKind, mixerKinds} from './layer-kinds.ts'
import {
  blockSparseOf,
  compressedAttention,
  fullAttention,
  gatedDeltaNet,
  kimiDelta,
  latentAttention,
  latentWindow,
  lightning,
  mamba1,
  mamba2,
  puzzleBlocks,
  queryHeadsPerLayer,
  shortConvolution,
  tidy,
  windowAttention,
} from './mixers.ts'
import type {Traits} from './traits.ts'
import {dictionary} from '../../core/dictionary.ts'

export type LayerPlan = Omit<LayerKind, 'name'>

/** Letters of `hybrid_override_pattern` and words of `layers_block_type` where a layer is one block (Nemotron-H). */
const BLOCKS: Record<string, 'mamba' | 'attention' | 'mlp' | 'moe'> = dictionary({
  M: 'mamba',
  '*': 'attention',
  '-': 'mlp',
  E: 'moe',
  mamba: 'mamba',
  attention: 'attention',
  mlp: 'mlp',
  moe: 'moe',
})

/** One entry for each layer of the language model. */
export function layerPlans(config: Fields, traits: Traits): LayerPlan[] {
  const blocks = singleBlocks(config, 'hybrid_override_pattern', 'layers_block_type')
  if (blocks) return blocks.map((block) => singleBlockPlan(config, traits, block))
  const layerCount = config.integer(['num_hidden_layers', 'n_layer', 'n_layers', 'num_layers'], {max: MAX_LAYERS})
  const puzzle = puzzleBlocks(config)
  if (puzzle) return puzzlePlans(config, traits, puzzle, layerCount)
  const mixers = mixersOf(config, traits, layerCount)
  const experts = expertLayers(config, layerCount)
  const hyper = hyperConnectionElements(config)
  const owners = layerCount - (config.optionalInteger('num_kv_shared_layers', {min: 0}) ?? 0)
  const scalars = /^gemma4/.test(config.string('model_type') ?? '') ? 1 : undefined
  const extra = (gemma3nElements(config) ?? 0) + (hyper ?? 0) + (scalars ?? 0)
  return Array.from({length: layerCount}, (_, layer) => {
    const shares = layer >= owners
    const feedForward = feedForwardOf(config, traits, layer, experts(layer))
    if (shares && feedForward.kind === 'dense' && config.boolean('use_double_wide_mlp')) feedForward.intermediateSize *= 2
    return tidy({
      mixers: mixers(layer).map((mixer) => (shares && mixer.kind === 'full' ? {...mixer, sharesKvCache: true} : mixer)),
      feedForward,
      normCount: normCountOf(config, traits),
      extraElementCount: extra || undefined,
    })
  })
}

/** Norm vectors of hidden width in a layer. */
function normCountOf(config: Fields, traits: Traits): number {
  const norms = config.boolean('use_parallel_residual', 'parallel_attn') ? 1 : (traits.normCount ?? 2)
  return traits.normBias ? 2 * norms : norms
}

/** DeepSeek-V4 keeps `hc_mult` residual streams and mixes them before attention and before the experts. */
function hyperConnectionElements(config: Fields): number | undefined {
  const streams = config.optionalInteger('hc_mult', {max: 64})
  if (streams === undefined) return undefined
  const mixes = (2 + streams) * streams
  return 2 * (streams * config.integer('hidden_size') * mixes + mixes + 3)
}

/** Gemma 3n: alternating updates and the learned augmented residual (huggingface/transformers models/gemma3n). */
function gemma3nElements(config: Fields): number | undefined {
  const rank = config.optionalInteger('laurel_rank')
  const streams = config.optionalInteger('altup_num_inputs', {max: 64})
  if (rank === undefined || streams === undefined) return undefined
  const hidden = config.integer('hidden_size')
  return 2 * hidden * rank + hidden + (hidden + streams ** 2 + streams ** 3 + hidden * streams + hidden)
}

function mixersOf(config: Fields, traits: Traits, layerCount: number): (layer: number) => Mixer[] {
  const ratios = config.integers('compress_ratios')
  if (ratios) {
    if (ratios.length < layerCount)
      throw invalid(`${config.name('compress_ratios')} has ${ratios.length} entries; expected at least ${layerCount}, one for each layer`)
    return (layer) => [compressedAttention(config, ratios[layer]!)]
  }
  const kinds = mixerKinds(config, traits, layerCount)
  const heads = queryHeadsPerLayer(config, layerCount)
  const attention = attentionOf(config, traits, heads)
  return (layer) => mixersOfKind(config, traits, kinds[layer]!, layer, attention, heads)
}

/** The attention of layers that see everything: latent where a latent rank is given, grouped-query otherwise. */
function attentionOf(config: Fields, traits: Traits, heads: number[] | undefined): (layer: number) => Mixer {
  if (config.has('kv_lora_rank')) {
    const latent = latentAttention(config)
    const indexers = config.strings('indexer_types')
    return (layer) => (latent.indexer && indexers?.[layer] === 'shared' ? {...latent, indexer: {...latent.indexer, shared: true}} : latent)
  }
  if (heads) return (layer) => fullAttention(config, traits, heads[layer])
  const full = fullAttention(config, traits)
  const sparse = blockSparseOf(config)
  return (layer) => (sparse?.inLayer(layer) ? {...full, blockSparse: sparse.settings} : full)
}

function mixersOfKind(
  config: Fields,
  traits: Traits,
  kind: MixerKind,
  layer: number,
  attention: (layer: number) => Mixer,
  heads: number[] | undefined,
): Mixer[] {
  switch (kind) {
    case 'full':
      return [attention(layer)]
    case 'sliding':
      if (config.has('kv_lora_rank')) return [latentWindow(config)]
      return [windowAttention(config, traits, windowOf(config, 'sliding'), heads?.[layer])]
    case 'chunked':
      return [windowAttention(config, traits, windowOf(config, 'chunked'), heads?.[layer])]
    case 'gated-delta-net':
      return [gatedDeltaNet(config)]
    case 'kimi-delta':
      return [kimiDelta(config, config.child('linear_attn_config') ?? config)]
    case 'lightning':
      return [lightning(config)]
    case 'mamba2':
      return [mamba2(config)]
    case 'mamba1':
      return [mamba1(config)]
    case 'conv':
      return [shortConvolution(config)]
    case 'full+mamba2':
      return [attention(layer), mamba2(config)]
    case 'none':
      return []
  }
}

function windowOf(config: Fields, kind: 'sliding' | 'chunked'): FullAttention['window'] {
  const spellings = kind === 'sliding' ? ['sliding_window', 'sliding_window_size', 'window_size'] : ['attention_chunk_size']
  return {kind, tokens: config.integer(spellings)}
}

/** The blocks of a model whose layers are one block each; undefined for any other. */
function singleBlocks(config: Fields, pattern: string, list: string): Array<'mamba' | 'attention' | 'mlp' | 'moe'> | undefined {
  const letters = config.string(pattern)
  const words = letters === undefined ? config.strings(list) : [...letters]
  if (!words) return undefined
  // Jamba and Zamba use the same field for layers that also have a feed-forward block.
  if (letters === undefined && !words.some((word) => word === 'moe' || word === 'mlp')) return undefined
  if (words.length > MAX_LAYERS)
    throw invalid(`${config.name(letters === undefined ? list : pattern)} has ${words.length} entries; expected at most ${MAX_LAYERS}`)
  return words.map((word, layer) => {
    const block = BLOCKS[word]
    if (!block) throw invalid(`${config.name(letters === undefined ? list : pattern)}[${layer}] is "${word}"; expected one of ${Object.keys(BLOCKS).join(' ')}`)
    return block
  })
}

function singleBlockPlan(config: Fields, traits: Traits, block: 'mamba' | 'attention' | 'mlp' | 'moe'): LayerPlan {
  const normCount = 1
  switch (block) {
    case 'mamba':
      return {mixers: [mamba2(config)], normCount}
    case 'attention':
      return {mixers: [fullAttention(config, traits)], normCount}
    case 'mlp':
      return {mixers: [], feedForward: denseFeedForward(config, traits, 0), normCount}
    case 'moe':
      return {mixers: [], feedForward: mixtureOfExperts(config, traits, 0), normCount}
  }
}

/** Blocks of the draft module of Nemotron 3 (`mtp_hybrid_override_pattern`, `mtp_layers_block_type`), as one layer. */
export function draftBlockPlan(config: Fields, traits: Traits): LayerPlan | undefined {
  const blocks = singleBlocks(config, 'mtp_hybrid_override_pattern', 'mtp_layers_block_type')
  if (!blocks) return undefined
  const plans = blocks.map((block) => singleBlockPlan(config, traits, block))
  return {
    mixers: plans.flatMap((plan) => plan.mixers),
    feedForward: plans.find((plan) => plan.feedForward)?.feedForward,
    normCount: plans.reduce((sum, plan) => sum + plan.normCount, 0),
  }
}

/** Nemotron NAS: attention and feed-forward of each block chosen by search; either may be missing or one plain matrix. */
function puzzlePlans(config: Fields, traits: Traits, blocks: Array<{attention: Fields; feedForward: Fields}>, layerCount: number): LayerPlan[] {
  if (blocks.length < layerCount) throw invalid(`${config.name('block_configs')} has ${blocks.length} entries; expected ${layerCount}, one for each layer`)
  const hidden = config.integer('hidden_size')
  const queryHeadCount = config.integer('num_attention_heads', {max: 4096})
  const headDim = config.optionalInteger('head_dim', {max: 4096}) ?? Math.floor(hidden / queryHeadCount)
  return blocks.slice(0, layerCount).map(({attention, feedForward}) => {
    let [normCount, linearMatrices] = [0, 0]
    const mixers: Mixer[] = []
    if (attention.boolean('replace_with_linear')) linearMatrices++
    else if (!attention.boolean('no_op')) {
      const group = attention.integer('n_heads_in_group', {max: 4096})
      mixers.push({kind: 'full', queryHeadCount, kvHeadCount: Math.max(1, Math.floor(queryHeadCount / group)), headDim})
    }
    if (!attention.boolean('no_op')) normCount++
    const plan: LayerPlan = {mixers, normCount}
    if (feedForward.boolean('replace_with_linear')) linearMatrices++
    else if (!feedForward.boolean('no_op')) {
      const width = feedForward.optionalInteger('intermediate_size') ?? puzzleWidth(feedForward, hidden)
      plan.feedForward = {kind: 'dense', intermediateSize: width, gated: !traits.ungated}
    }
    if (!feedForward.boolean('no_op')) plan.normCount++
    if (linearMatrices > 0) plan.extraElementCount = linearMatrices * hidden ** 2
    return plan
  })
}

/** Two thirds of `ffn_mult` times the hidden size, rounded up to 256 (nvidia/Llama-3_3-Nemotron-Super-49B-v1, modeling_decilm.py). */
function puzzleWidth(feedForward: Fields, hidden: number): number {
  const multiple = feedForward.number('ffn_mult')
  if (multiple === undefined || multiple <= 0 || multiple > 1024) throw feedForward.missing(['ffn_mult'])
  return Math.ceil(Math.floor((2 * multiple * hidden) / 3) / 256) * 256
}
