import type {
  CompressedAttention,
  FullAttention,
  GatedDeltaNet,
  KimiDelta,
  LatentAttention,
  LightningAttention,
  Mamba1,
  Mamba2,
  ShortConvolution,
  SparseIndexer,
} from '../../core/architecture.ts'
import {Fields, invalid, isRecord} from './fields.ts'
import type {Traits} from './traits.ts'
import {dictionary} from '../../core/dictionary.ts'

const STATE_BYTES: Record<string, number> = dictionary({float32: 4, float: 4, bfloat16: 2, float16: 2, half: 2, bf16: 2, fp16: 2, fp32: 4})

/** Bytes of a recurrent state's element where the configuration names its type. */
function stateElementBytes(config: Fields, ...spellings: string[]): number | undefined {
  const name = config.string(...spellings)
  return name === undefined ? undefined : STATE_BYTES[name.replace('torch.', '')]
}

/** Drops what is undefined or false, so that equal layers compare equal and nothing absent is written. */
export function tidy<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined && field !== false)) as T
}

const headDimOf = (config: Fields, queryHeadCount: number): number => {
  const given = config.optionalInteger(['head_dim', 'attention_head_dim', 'kv_channels'], {max: 4096})
  if (given !== undefined) return given
  const hidden = config.integer('hidden_size')
  if (hidden % queryHeadCount !== 0)
    throw invalid(`${config.name('head_dim')} is missing and hidden_size ${hidden} is not a multiple of num_attention_heads ${queryHeadCount}`)
  return hidden / queryHeadCount
}

export const queryHeads = (config: Fields): number => config.integer(['num_attention_heads', 'n_head', 'n_heads', 'num_heads'], {max: 4096})

/** Query heads of each layer where a list gives them (Laguna); undefined where all layers have the same. */
export function queryHeadsPerLayer(config: Fields, layerCount: number): number[] | undefined {
  const list = config.integers('num_attention_heads_per_layer')
  if (!list) return undefined
  if (list.length < layerCount)
    throw invalid(`${config.name('num_attention_heads_per_layer')} has ${list.length} entries; expected ${layerCount}, one for each layer`)
  const wrong = list.findIndex((heads) => heads < 1 || heads > 4096)
  if (wrong >= 0) throw invalid(`${config.name('num_attention_heads_per_layer')}[${wrong}] is ${list[wrong]}; expected a whole number from 1 to 4096`)
  return list
}

/** Key and value heads: as many as query heads where the field is absent, one where `multi_query` says so. */
const kvHeads = (config: Fields, queryHeadCount: number): number => {
  const given = config.optionalInteger(['num_key_value_heads', 'num_attention_groups', 'multi_query_group_num', 'num_kv_heads', 'n_head_kv'], {max: 4096})
  if (given !== undefined) return given
  return config.boolean('multi_query') ? 1 : queryHeadCount
}

function queryKeyNormOf(config: Fields, traits: Traits): 'head' | 'layer' | undefined {
  const type = config.string('qk_norm_type')
  const used = config.boolean('use_qk_norm', 'qk_layernorm', 'qk_norm', 'use_qk_layernorm')
  if (used === false) return undefined
  if (type !== undefined) return type.includes('layer') ? 'layer' : 'head'
  // Llama 4 normalises without weights.
  if (used === true) return traits.sharedLikeRouted ? undefined : (traits.queryKeyNorm ?? 'head')
  return traits.queryKeyNorm
}

function outputGateOf(config: Fields, traits: Traits): 'element' | 'head' | undefined {
  if (config.boolean('attn_output_gate', 'attention_output_gate')) return 'element'
  if (config.boolean('use_head_wise_attn_gate', 'head_wise_attn_gate')) return 'head'
  const gating = config.raw('gating')
  if (gating === 'per-head' || gating === 'per_head') return 'head'
  if (gating === 'per-element' || gating === 'per_element' || gating === true) return 'element'
  return traits.outputGate ? 'element' : undefined
}

/** Biases of q, k, v and of the output projection. */
function biasesOf(config: Fields, traits: Traits): {queryKeyValueBias?: boolean; outputBias?: boolean} {
  const all = config.boolean('attention_bias', 'use_bias', 'bias')
  const queryKeyValue = config.boolean('qkv_bias', 'use_qkv_bias', 'add_qkv_bias', 'attention_qkv_bias') ?? all ?? traits.queryKeyValueBias
  const output = config.boolean('attention_out_bias', 'o_bias', 'attention_output_bias') ?? (traits.attentionBiasWithoutOutput ? false : all)
  return {queryKeyValueBias: queryKeyValue || undefined, outputBias: output || undefined}
}

/** Grouped-query attention of layers that see everything. */
export function fullAttention(config: Fields, traits: Traits, ownQueryHeads?: number): FullAttention {
  const queryHeadCount = ownQueryHeads ?? queryHeads(config)
  const headDim = config.optionalInteger('global_head_dim', {max: 4096}) ?? headDimOf(config, queryHeads(config))
  const kvHeadCount = config.optionalInteger('num_global_key_value_heads', {max: 4096}) ?? kvHeads(config, queryHeadCount)
  const valueHeadDim = config.optionalInteger('v_head_dim', {max: 4096})
  return attentionOf(config, traits, {
    queryHeadCount,
    kvHeadCount,
    headDim,
    valueHeadDim,
    sinks: config.boolean('add_full_attention_sink_bias'),
    valueFromKey: config.boolean('attention_k_eq_v'),
  })
}

/** Layers that see the last tokens only; their heads may differ from the full layers' (MiMo-V2, Gemma 4, Step 3.5). */
export function windowAttention(config: Fields, traits: Traits, window: FullAttention['window'], ownQueryHeads?: number): FullAttention {
  const other = config.child('attention_other_setting')
  const queryHeadCount =
    ownQueryHeads ??
    other?.optionalInteger('num_attention_heads', {max: 4096}) ??
    config.optionalInteger('swa_num_attention_heads', {max: 4096}) ??
    queryHeads(config)
  const headDim =
    other?.optionalInteger('head_dim', {max: 4096}) ?? config.optionalInteger('swa_head_dim', {max: 4096}) ?? headDimOf(config, queryHeads(config))
  const kvHeadCount =
    other?.optionalInteger('num_attention_groups', {max: 4096}) ??
    config.optionalInteger('swa_num_key_value_heads', {max: 4096}) ??
    kvHeads(config, queryHeadCount)
  const valueHeadDim = config.optionalInteger(['swa_v_head_dim', 'v_head_dim'], {max: 4096})
  const sinks = config.boolean('add_swa_attention_sink_bias')
  return attentionOf(config, traits, {queryHeadCount, kvHeadCount, headDim, valueHeadDim, window, sinks})
}

/** Heads as a kind of layer has them, with what is said for all kinds. */
function attentionOf(
  config: Fields,
  traits: Traits,
  own: Pick<FullAttention, 'queryHeadCount' | 'kvHeadCount' | 'headDim' | 'valueHeadDim' | 'window' | 'sinks' | 'valueFromKey'>,
): FullAttention {
  const {queryHeadCount, kvHeadCount, headDim, valueHeadDim, window, sinks, valueFromKey} = own
  if (queryHeadCount % kvHeadCount !== 0)
    throw invalid(`${config.name('num_key_value_heads')} ${kvHeadCount} does not divide num_attention_heads ${queryHeadCount}`)
  return tidy({
    kind: 'full' as const,
    queryHeadCount,
    kvHeadCount,
    headDim,
    valueHeadDim: valueHeadDim === headDim ? undefined : valueHeadDim,
    window,
    ...biasesOf(config, traits),
    queryKeyNorm: queryKeyNormOf(config, traits),
    outputGate: outputGateOf(config, traits),
    sinks: sinks ?? traits.sinks,
    valueFromKey,
  })
}

function indexerOf(config: Fields): SparseIndexer | undefined {
  if (!config.has('index_topk', 'index_n_heads')) return undefined
  return {
    headCount: config.integer('index_n_heads', {max: 4096}),
    headDim: config.integer('index_head_dim', {max: 4096}),
    topKTokens: config.integer('index_topk'),
    ...tidy({tokensPerKey: config.optionalInteger('index_kpool', {max: 4096})}),
  }
}

/** Ling names the width of the gate on the attention's output. */
function latentGateOf(config: Fields): boolean | 'head' | undefined {
  const granularity = config.string('gated_attention_proj_granularity_type')
  return granularity === undefined ? undefined : granularity.startsWith('head') ? 'head' : true
}

/** Multi-head latent attention; `head_dim` and `num_key_value_heads` of these files mean nothing for the cache. */
export function latentAttention(config: Fields): LatentAttention {
  return tidy({
    kind: 'mla' as const,
    queryHeadCount: queryHeads(config),
    queryLoraRank: config.optionalInteger('q_lora_rank'),
    kvLoraRank: config.integer('kv_lora_rank', {max: 65_536}),
    nopeHeadDim: config.integer('qk_nope_head_dim', {max: 4096}),
    ropeHeadDim: config.integer('qk_rope_head_dim', {min: 0, max: 4096}),
    valueHeadDim: config.integer('v_head_dim', {max: 4096}),
    outputGate: config.boolean('mla_use_output_gate') || latentGateOf(config),
    indexer: indexerOf(config),
  })
}

/** Latent attention over a window, with ranks and heads of its own (dots3-note: the fields that begin with `swa_`). */
export function latentWindow(config: Fields): LatentAttention {
  const {indexer: _indexer, ...latent} = latentAttention(config)
  return {
    ...latent,
    ...tidy({
      queryHeadCount: config.optionalInteger('swa_num_attention_heads', {max: 4096}) ?? latent.queryHeadCount,
      queryLoraRank: config.optionalInteger('swa_q_lora_rank') ?? latent.queryLoraRank,
      kvLoraRank: config.optionalInteger('swa_kv_lora_rank', {max: 65_536}) ?? latent.kvLoraRank,
      nopeHeadDim: config.optionalInteger('swa_qk_nope_head_dim', {max: 4096}) ?? latent.nopeHeadDim,
      ropeHeadDim: config.optionalInteger('swa_qk_rope_head_dim', {min: 0, max: 4096}) ?? latent.ropeHeadDim,
      valueHeadDim: config.optionalInteger('swa_v_head_dim', {max: 4096}) ?? latent.valueHeadDim,
    }),
    window: {tokens: config.integer(['sliding_window', 'sliding_window_size', 'window_size'])},
  }
}

/** DeepSeek-V4: `compress_ratios` names the kind of each layer; the indexer belongs to ratio 4. */
export function compressedAttention(config: Fields, compressionRatio: number): CompressedAttention {
  return tidy({
    kind: 'compressed' as const,
    queryHeadCount: queryHeads(config),
    headDim: config.integer('head_dim', {max: 4096}),
    ropeHeadDim: config.integer('qk_rope_head_dim', {max: 4096}),
    queryLoraRank: config.integer('q_lora_rank'),
    outputLoraRank: config.integer('o_lora_rank'),
    outputGroupCount: config.integer('o_groups', {max: 4096}),
    windowTokens: config.integer('sliding_window'),
    compressionRatio,
    indexer: compressionRatio === 4 ? indexerOf(config) : undefined,
  })
}

export function gatedDeltaNet(config: Fields): GatedDeltaNet {
  return tidy({
    kind: 'gated-delta-net' as const,
    keyHeadCount: config.integer('linear_num_key_heads', {max: 4096}),
    keyHeadDim: config.integer('linear_key_head_dim', {max: 4096}),
    valueHeadCount: config.integer('linear_num_value_heads', {max: 4096}),
    valueHeadDim: config.integer('linear_value_head_dim', {max: 4096}),
    convKernelTokens: config.integer('linear_conv_kernel_dim', {max: 256}),
    stateElementBytes: stateElementBytes(config, 'mamba_ssm_dtype', 'mamba_ssm_cache_dtype'),
  })
}

/** `linear`: the `linear_attn_config` object of Kimi; Ling 3.0 keeps the same fields beside the others. */
export function kimiDelta(config: Fields, linear: Fields): KimiDelta {
  const fullRank = linear.boolean('no_kda_lora')
  return tidy({
    kind: 'kimi-delta' as const,
    headCount: linear.optionalInteger(['num_heads', 'linear_num_heads'], {max: 4096}) ?? queryHeads(config),
    headDim: linear.integer(['linear_head_dim', 'head_dim'], {max: 4096}),
    convKernelTokens: linear.integer(['short_conv_kernel_size', 'linear_conv_kernel_dim'], {max: 256}),
    fullRankGate: linear.boolean('use_full_rank_gate') || fullRank,
    fullRankForgetGate: fullRank,
  })
}

export function lightning(config: Fields): LightningAttention {
  const headCount = queryHeads(config)
  return {kind: 'lightning', headCount, headDim: headDimOf(config, headCount)}
}

/** Mamba 2 in three spellings: Nemotron-H, Granite 4 / Bamba / Falcon-H1, and Zamba 2. */
export function mamba2(config: Fields): Mamba2 {
  const hidden = config.integer('hidden_size')
  const expand = config.number(['mamba_expand', 'expand']) ?? 2
  let headDim = config.optionalInteger(['mamba_head_dim', 'mamba_d_head', 'mamba_headdim'], {max: 4096})
  let headCount = config.optionalInteger(['mamba_num_heads', 'mamba_n_heads', 'n_mamba_heads'], {max: 65_536})
  const inner = config.optionalInteger(['mamba_d_ssm', 'mamba_intermediate_size']) ?? Math.floor(expand * hidden)
  if (headCount === undefined && headDim === undefined) throw config.missing(['mamba_num_heads', 'mamba_n_heads'])
  headCount ??= Math.floor(inner / headDim!)
  headDim ??= Math.floor(inner / headCount)
  if (headCount < 1 || headDim < 1) throw invalid(`${config.name('mamba_n_heads')} ${headCount} heads of ${headDim} do not make up the inner width ${inner}`)
  return tidy({
    kind: 'mamba2' as const,
    headCount,
    headDim,
    groupCount: config.optionalInteger(['n_groups', 'mamba_n_groups', 'mamba_ngroups'], {max: 4096}) ?? 1,
    stateSize: config.integer(['ssm_state_size', 'mamba_d_state'], {max: 65_536}),
    convKernelTokens: config.integer(['conv_kernel', 'mamba_d_conv'], {max: 256}),
    convBias: config.boolean('use_conv_bias', 'mamba_conv_bias') ?? true,
    projectionBias: config.boolean('mamba_proj_bias', 'add_bias_linear'),
    gatedNorm: config.boolean('mamba_rms_norm') ?? true,
    stateElementBytes: stateElementBytes(config, 'mamba_ssm_cache_dtype', 'mamba_ssm_dtype'),
  })
}

export function mamba1(config: Fields): Mamba1 {
  const hidden = config.integer('hidden_size')
  const innerSize = config.optionalInteger('mamba_intermediate_size') ?? Math.floor((config.number('mamba_expand') ?? 2) * hidden)
  const rank = config.raw('mamba_dt_rank')
  return tidy({
    kind: 'mamba1' as const,
    innerSize,
    stateSize: config.integer('mamba_d_state', {max: 65_536}),
    convKernelTokens: config.integer('mamba_d_conv', {max: 256}),
    timeStepRank: rank === 'auto' ? Math.ceil(hidden / 16) : config.integer('mamba_dt_rank', {max: 65_536}),
    convBias: config.boolean('mamba_conv_bias') ?? true,
    projectionBias: config.boolean('mamba_proj_bias'),
    innerNorms: true,
  })
}

/** LFM2: `conv_L_cache` taps over hidden width. */
export function shortConvolution(config: Fields): ShortConvolution {
  return tidy({
    kind: 'short-conv' as const,
    channelCount: config.optionalInteger('conv_dim') ?? config.integer('hidden_size'),
    convKernelTokens: config.integer(['conv_L_cache', 'conv_l_cache'], {max: 256}),
    bias: config.boolean('conv_bias'),
  })
}

/** MiniMax-M3: the index head that chooses blocks of keys in the layers that `sparse_attention_freq` marks. */
export function blockSparseOf(config: Fields): {settings: NonNullable<FullAttention['blockSparse']>; inLayer: (layer: number) => boolean} | undefined {
  const sparse = config.child('sparse_attention_config')
  if (!sparse || sparse.boolean('use_sparse_attention') === false) return undefined
  const marks = sparse.integers('sparse_attention_freq')
  return {
    settings: {
      indexHeadCount: sparse.integer('sparse_num_index_heads', {max: 4096}),
      indexHeadDim: sparse.integer('sparse_index_dim', {max: 4096}),
      blockTokens: sparse.integer('sparse_block_size'),
      topKBlockCount: sparse.integer('sparse_topk_blocks'),
    },
    inLayer: (layer) => (marks ? marks[layer] === 1 : true),
  }
}

/** Puzzle-searched models (Nemotron NAS): heads and widths of each block; undefined where there is no such list. */
export function puzzleBlocks(config: Fields): Array<{attention: Fields; feedForward: Fields}> | undefined {
  return config.list('block_configs')?.map((block, index) => {
    if (!isRecord(block)) throw invalid(`${config.name('block_configs')}[${index}] is not an object`)
    const fields = new Fields(block, config.name(`block_configs[${index}]`))
    const attention = fields.child('attention')
    const feedForward = fields.child('ffn')
    if (!attention || !feedForward) throw invalid(`${fields.path} has no attention or no ffn`)
    return {attention, feedForward}
  })
}
