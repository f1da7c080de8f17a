import type {DenseFeedForward, FeedForward, MixtureOfExperts} from '../../core/architecture.ts'
import {type Fields, invalid} from './fields.ts'
import {tidy} from './mixers.ts'
import type {Traits} from './traits.ts'

const EXPERT_COUNT = ['n_routed_experts', 'num_local_experts', 'num_experts', 'moe_num_experts', 'num_moe_experts']
const EXPERTS_PER_TOKEN = [
  'num_experts_per_tok',
  'num_experts_per_token',
  'experts_per_token',
  'top_k_experts',
  'moe_topk',
  'moe_top_k',
  'moe_k',
  'num_selected_experts',
]

/** Some publishers give one number for each layer; the layers that matter are equal. */
function perLayer(config: Fields, layer: number, spellings: string[], range?: {min?: number; max?: number}): number | undefined {
  const value = config.raw(...spellings)
  if (!Array.isArray(value)) return config.optionalInteger(spellings, range)
  const entry = value[Math.min(layer, value.length - 1)]
  if (typeof entry !== 'number' || !Number.isInteger(entry) || entry < (range?.min ?? 1) || entry > (range?.max ?? 2 ** 28)) {
    throw invalid(`${config.name(spellings[0]!)}[${layer}] is not a whole number from ${range?.min ?? 1}`)
  }
  return entry
}

const isGated = (config: Fields, traits: Traits): boolean => {
  if (traits.ungated) return false
  const activation = config.string('mlp_hidden_act', 'hidden_act', 'hidden_activation', 'activation_function')
  return activation !== 'relu2' && activation !== 'xielu'
}

export const hasExperts = (config: Fields): boolean => {
  const count = config.raw(...EXPERT_COUNT)
  return Array.isArray(count) || (typeof count === 'number' && count > 1) || (count !== undefined && typeof count !== 'number')
}

/** Width of a dense layer. Llama 4 and MiniMax-M3 use `intermediate_size` for the experts and name the dense one apart. */
export function denseFeedForward(config: Fields, traits: Traits, layer: number): DenseFeedForward {
  const intermediateSize =
    config.optionalInteger(['intermediate_size_mlp', 'dense_intermediate_size', 'ffn_hidden_size']) ??
    perLayer(config, layer, ['intermediate_size', 'n_inner', 'block_ff_dim'])
  if (intermediateSize === undefined) throw config.missing(['intermediate_size'])
  return {
    ...tidy({kind: 'dense' as const, intermediateSize: adjusted(config, intermediateSize), bias: config.boolean('mlp_bias')}),
    gated: isGated(config, traits),
  }
}

/** LFM2 states a width that its implementation shrinks to two thirds and rounds up (huggingface/transformers models/lfm2). */
function adjusted(config: Fields, width: number): number {
  if (config.boolean('block_auto_adjust_ff_dim') !== true) return width
  const multiple = config.optionalInteger('block_multiple_of') ?? 256
  const factor = config.number('block_ffn_dim_multiplier') ?? 1
  return multiple * Math.ceil(Math.floor(factor * Math.floor((2 * width) / 3)) / multiple)
}

/** Width of all shared experts together; undefined where there are none. */
function sharedSize(config: Fields, traits: Traits, layer: number, expertIntermediateSize: number): number | undefined {
  const stated = config.raw('shared_expert_intermediate_size', 'moe_shared_expert_intermediate_size', 'share_expert_dim', 'shared_intermediate_size')
  const count = perLayer(config, layer, ['n_shared_experts', 'num_shared_experts', 'moe_num_shared_experts', 'num_shared_expert'], {min: 0, max: 1024})
  if (stated !== undefined && !Array.isArray(stated)) {
    const width = config.integer(['shared_expert_intermediate_size', 'moe_shared_expert_intermediate_size', 'share_expert_dim', 'shared_intermediate_size'], {
      min: 0,
    })
    return count === 0 || width === 0 ? undefined : width
  }
  if (count !== undefined) return count === 0 ? undefined : count * expertIntermediateSize
  return traits.sharedLikeRouted ? expertIntermediateSize : undefined
}

/** A correction bias on the router's logits, by whichever name. */
function hasRouterBias(config: Fields, traits: Traits): boolean {
  const stated = config.boolean(
    'use_routing_bias',
    'moe_router_enable_expert_bias',
    'use_moe_router_bias',
    'use_expert_bias',
    'moe_use_aux_free',
    'e_score_correction_bias',
    'moe_router_use_expert_bias',
  )
  return stated ?? (config.raw('topk_method') === 'noaux_tc' || traits.routerBias === true)
}

export function mixtureOfExperts(config: Fields, traits: Traits, layer: number): MixtureOfExperts {
  const expertCount = perLayer(config, layer, EXPERT_COUNT, {max: 65_536})
  const expertsPerToken = perLayer(config, layer, EXPERTS_PER_TOKEN, {max: 65_536})
  if (expertCount === undefined) throw config.missing(EXPERT_COUNT)
  if (expertsPerToken === undefined) throw config.missing(EXPERTS_PER_TOKEN)
  if (expertsPerToken > expertCount) throw invalid(`${config.name('num_experts_per_tok')} ${expertsPerToken} is more than the ${expertCount} experts there are`)
  const expertIntermediateSize = perLayer(config, layer, [
    'moe_intermediate_size',
    'expert_intermediate_size',
    'expert_ffn_hidden_size',
    'moe_ffn_hidden_size',
    'intermediate_size',
    'ffn_hidden_size',
  ])
  if (expertIntermediateSize === undefined) throw config.missing(['moe_intermediate_size', 'intermediate_size'])
  const hashLayers = config.optionalInteger('num_hash_layers', {min: 0}) ?? 0
  const hashRouting = layer < hashLayers
  const parallel = config.boolean('enable_moe_block') ? config.integer('intermediate_size') : undefined
  const latentSize = config.optionalInteger(['moe_latent_size', 'routed_expert_hidden_size', 'moe_hidden_size'])
  const hidden = config.integer('hidden_size')
  const experts = {kind: 'moe' as const, expertCount, expertsPerToken, expertIntermediateSize, gated: isGated(config, traits)}
  return {
    ...experts,
    ...tidy({
      expertBias: traits.expertBias,
      sharedIntermediateSize: sharedSize(config, traits, layer, expertIntermediateSize),
      sharedGate: (config.optionalInteger('shared_expert_intermediate_size', {min: 0}) ?? 0) > 0,
      latentSize: latentSize === hidden ? undefined : latentSize,
      latentNorm: latentSize !== undefined && config.boolean('latent_moe_use_norm'),
      routerBias: hasRouterBias(config, traits) && !hashRouting,
      hashRouting,
      parallelDenseIntermediateSize: parallel,
      // Gemma 4: a scale for each expert, one vector in the router, and three norms more than the dense layer has.
      extraElementCount: parallel === undefined ? undefined : expertCount + 4 * hidden,
    }),
  }
}

/** Which layers have experts, from whichever of the known spellings. */
export function expertLayers(config: Fields, layerCount: number): (layer: number) => boolean {
  if (!hasExperts(config)) return () => false
  const types = config.strings('mlp_layer_types', 'moe_layer_types')
  if (types) return (layer) => types[layer] === 'sparse' || types[layer] === 'moe'
  const frequencies = config.raw('moe_layer_freq')
  if (Array.isArray(frequencies)) {
    const marks = config.integers('moe_layer_freq')!
    if (marks.length < layerCount) throw invalid(`${config.name('moe_layer_freq')} has ${marks.length} entries; expected ${layerCount}, one for each layer`)
    return (layer) => marks[layer] === 1
  }
  const enumeration = config.raw('moe_layers_enum')
  if (typeof enumeration === 'string') {
    const chosen = new Set(
      enumeration
        .split(',')
        .slice(0, 4096)
        .map((part) => Number(part.trim())),
    )
    return (layer) => chosen.has(layer)
  }
  const moeLayers = config.integers('moe_layers')
  if (moeLayers && moeLayers.length > 0) return (layer) => moeLayers.includes(layer)
  const dense = new Set(config.integers('mlp_only_layers'))
  const first = config.optionalInteger(['first_k_dense_replace', 'num_dense_layers', 'moe_layer_start_index', 'first_dense_layers'], {min: 0}) ?? 0
  const last = config.optionalInteger('moe_layer_end_index', {min: -1}) ?? -1
  const step =
    config.optionalInteger([
      'interleave_moe_layer_step',
      'decoder_sparse_step',
      'moe_layer_freq',
      'expert_layer_period',
      'moe_every_n_layers',
      'moe_layer_interval',
    ]) ?? 1
  const offset = config.optionalInteger('expert_layer_offset', {min: 0})
  return (layer) => {
    if (layer < first || dense.has(layer) || (last >= 0 && layer > last)) return false
    return offset === undefined ? (layer + 1) % step === 0 || (step > 1 && config.has('moe_layer_freq') && layer % step === 0) : layer % step === offset
  }
}

export function feedForwardOf(config: Fields, traits: Traits, layer: number, experts: boolean): FeedForward {
  return experts ? mixtureOfExperts(config, traits, layer) : denseFeedForward(config, traits, layer)
}
