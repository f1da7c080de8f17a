import {tidy} from '../../catalogue/import/mixers.ts'
import type {
  CompressedAttention,
  FullAttention,
  GatedDeltaNet,
  KimiDelta,
  LatentAttention,
  Mamba1,
  Mamba2,
  Mixer,
  ShortConvolution,
  SparseIndexer,
} from '../../core/architecture.ts'
import type {Family} from './families.ts'
import type {Block, GgufFile} from './metadata.ts'

const has = (block: Block, ...names: string[]): boolean => names.some((name) => block.has(name))
/** Outputs of a matrix: its second dimension. */
const rowsOf = (block: Block, name: string): number | undefined => block.get(name)?.shape[1]
const elementsOf = (block: Block, name: string): number | undefined => block.get(name)?.elements

/** What mixes tokens in a block, told by the tensors that are there; sizes come from them and from the keys. */
export function mixersOf(file: GgufFile, block: Block, layer: number, family: Family | undefined, warnings: string[]): Mixer[] {
  if (file.list('attention.compress_ratios')) return [compressed(file, layer)]
  if (has(block, 'attn_kv_a_mqa.weight')) return [latent(file, block, layer)]
  if (has(block, 'ssm_conv1d_q.weight')) return [kimiDelta(file, block)]
  if (has(block, 'ssm_ba.weight', 'ssm_beta.weight', 'ssm_alpha.weight') || (has(block, 'attn_qkv.weight') && has(block, 'ssm_conv1d.weight')))
    return [gatedDeltaNet(file, block)]
  if (has(block, 'shortconv.in_proj.weight')) return [shortConvolution(file, block)]
  const mixers: Mixer[] = []
  if (has(block, 'attn_q.weight', 'attn_qkv.weight')) mixers.push(attention(file, block, layer, family, warnings))
  if (has(block, 'ssm_x.weight')) mixers.push(mamba1(file, block))
  else if (has(block, 'ssm_in.weight')) mixers.push(mamba2(file, block))
  return mixers
}

function attention(file: GgufFile, block: Block, layer: number, family: Family | undefined, warnings: string[]): FullAttention {
  const window = windowOf(file, layer, family, warnings)
  const queryHeadCount = file.count('attention.head_count', layer)
  const own = window?.kind === 'sliding' ? file.optional('attention.key_length_swa', layer) : undefined
  const headDim = own ?? file.optional('attention.key_length', layer) ?? Math.floor(file.count('embedding_length') / queryHeadCount)
  const valueOwn = window?.kind === 'sliding' ? file.optional('attention.value_length_swa', layer) : undefined
  const valueHeadDim = valueOwn ?? file.optional('attention.value_length', layer) ?? headDim
  if (headDim < 1) throw file.invalid(`layer ${layer}: heads of ${headDim}`)
  const queryRows = rowsOf(block, 'attn_q.weight')
  const keyRows = rowsOf(block, 'attn_k.weight')
  const sharesKvCache = queryRows !== undefined && (keyRows === undefined || layer >= ownersOf(file, family))
  const kvHeadCount = keyRows !== undefined ? Math.round(keyRows / headDim) : file.optional('attention.head_count_kv', layer) || queryHeadCount
  if (kvHeadCount < 1 || queryHeadCount % kvHeadCount !== 0) throw file.invalid(`layer ${layer}: ${kvHeadCount} KV heads do not divide ${queryHeadCount} heads`)
  const norm = elementsOf(block, 'attn_q_norm.weight')
  return tidy({
    kind: 'full' as const,
    queryHeadCount,
    kvHeadCount,
    headDim,
    valueHeadDim: valueHeadDim === headDim ? undefined : valueHeadDim,
    window,
    queryKeyValueBias: has(block, 'attn_q.bias', 'attn_qkv.bias'),
    outputBias: has(block, 'attn_output.bias'),
    queryKeyNorm: norm === undefined ? undefined : norm === headDim ? ('head' as const) : ('layer' as const),
    outputGate:
      (queryRows ?? fusedQueryRows(block, kvHeadCount * (headDim + valueHeadDim))) === 2 * queryHeadCount * headDim
        ? ('element' as const)
        : rowsOf(block, 'attn_gate.weight') === queryHeadCount
          ? ('head' as const)
          : undefined,
    sinks: has(block, 'attn_sinks.weight'),
    sharesKvCache,
    valueFromKey: keyRows !== undefined && !has(block, 'attn_v.weight'),
  })
}

/** Query rows where all three projections are one matrix. */
function fusedQueryRows(block: Block, keyValueRows: number): number | undefined {
  const rows = rowsOf(block, 'attn_qkv.weight')
  return rows === undefined ? undefined : rows - keyValueRows
}

/** Layers that have a cache of their own: the last `shared_kv_layers` read an earlier one's. */
function ownersOf(file: GgufFile, family: Family | undefined): number {
  const shared = file.optional('attention.shared_kv_layers')
  return shared === undefined ? (family?.ownCacheLayers ?? Number.POSITIVE_INFINITY) : file.count('block_count') - shared
}

function windowOf(file: GgufFile, layer: number, family: Family | undefined, warnings: string[]): FullAttention['window'] {
  const tokens = file.optional('attention.sliding_window')
  const period = family?.windowPeriod
  const chunked = family?.chunkTokens
  if ((!tokens && chunked === undefined) || family?.windowUnused) return undefined
  const window: FullAttention['window'] = chunked === undefined ? {kind: 'sliding', tokens: tokens!} : {kind: 'chunked', tokens: chunked}
  const marks = file.list('attention.sliding_window_pattern')
  if (marks) return marks[Math.min(layer, marks.length - 1)] ? window : undefined
  const every = file.optional('attention.sliding_window_pattern') ?? period
  if (every === undefined || every === 0) {
    const warning = `${file.name('attention.sliding_window')} is ${tokens}, but not which layers it is for; all are taken to see everything, which needs more cache`
    if (!warnings.includes(warning)) warnings.push(warning)
    return undefined
  }
  const full = family?.fullFirst ? layer % every === 0 : (layer + 1) % every === 0
  return full ? undefined : window
}

/** Old files state the heads as attended (192), new ones the latent row (576) and the heads apart (`key_length_mla`). */
function latent(file: GgufFile, block: Block, layer: number): LatentAttention {
  const ropeHeadDim = file.count('rope.dimension_count')
  const keyDim = file.optional('attention.key_length_mla') ?? file.count('attention.key_length')
  const valueHeadDim = file.optional('attention.value_length_mla') ?? file.count('attention.value_length')
  if (keyDim <= ropeHeadDim) throw file.invalid(`${file.name('attention.key_length')} ${keyDim} is not more than the ${ropeHeadDim} that carry positions`)
  const queryLoraRank = has(block, 'attn_q_a.weight') ? (rowsOf(block, 'attn_q_a.weight') ?? file.count('attention.q_lora_rank')) : undefined
  return tidy({
    kind: 'mla' as const,
    queryHeadCount: file.count('attention.head_count', layer),
    queryLoraRank,
    kvLoraRank: file.count('attention.kv_lora_rank'),
    nopeHeadDim: keyDim - ropeHeadDim,
    ropeHeadDim,
    valueHeadDim,
    indexer: has(block, 'indexer.attn_k.weight') ? indexer(file) : undefined,
  })
}

const indexer = (file: GgufFile): SparseIndexer => ({
  headCount: file.count('attention.indexer.head_count'),
  headDim: file.count('attention.indexer.key_length'),
  topKTokens: file.count('attention.indexer.top_k'),
})

function compressed(file: GgufFile, layer: number): CompressedAttention {
  const ratios = file.list('attention.compress_ratios')!
  const compressionRatio = file.optional('attention.compress_ratios', layer) ?? ratios.at(-1)!
  return tidy({
    kind: 'compressed' as const,
    queryHeadCount: file.count('attention.head_count', layer),
    headDim: file.count('attention.key_length'),
    ropeHeadDim: file.count('rope.dimension_count'),
    queryLoraRank: file.count('attention.q_lora_rank'),
    outputLoraRank: file.count('attention.output_lora_rank'),
    outputGroupCount: file.count('attention.output_group_count'),
    windowTokens: file.count('attention.sliding_window'),
    compressionRatio,
    indexer: compressionRatio === 4 ? indexer(file) : undefined,
  })
}

/** Key heads are the groups, value heads the time-step rank, the state size a key head's width (convert_hf_to_gguf.py, Qwen3-Next). */
function gatedDeltaNet(file: GgufFile, _block: Block): GatedDeltaNet {
  const valueHeadCount = file.count('ssm.time_step_rank')
  return {
    kind: 'gated-delta-net',
    keyHeadCount: file.count('ssm.group_count'),
    keyHeadDim: file.count('ssm.state_size'),
    valueHeadCount,
    valueHeadDim: whole(file, file.count('ssm.inner_size') / valueHeadCount, 'ssm.inner_size'),
    convKernelTokens: file.count('ssm.conv_kernel'),
  }
}

function kimiDelta(file: GgufFile, block: Block): KimiDelta {
  const headDim = file.count('kda.head_dim')
  const inner = rowsOf(block, 'attn_q.weight') ?? headDim * file.count('attention.head_count')
  return tidy({
    kind: 'kimi-delta' as const,
    headCount: whole(file, inner / headDim, 'kda.head_dim'),
    headDim,
    convKernelTokens: file.count('ssm.conv_kernel'),
    fullRankGate: !has(block, 'ssm_g_a.weight'),
  })
}

function mamba2(file: GgufFile, block: Block): Mamba2 {
  const headCount = file.count('ssm.time_step_rank')
  return tidy({
    kind: 'mamba2' as const,
    headCount,
    headDim: whole(file, file.count('ssm.inner_size') / headCount, 'ssm.inner_size'),
    groupCount: file.optional('ssm.group_count') || 1,
    stateSize: file.count('ssm.state_size'),
    convKernelTokens: file.count('ssm.conv_kernel'),
    convBias: has(block, 'ssm_conv1d.bias'),
    projectionBias: has(block, 'ssm_in.bias'),
    gatedNorm: has(block, 'ssm_norm.weight'),
  })
}

function mamba1(file: GgufFile, block: Block): Mamba1 {
  return tidy({
    kind: 'mamba1' as const,
    innerSize: file.count('ssm.inner_size'),
    stateSize: file.count('ssm.state_size'),
    convKernelTokens: file.count('ssm.conv_kernel'),
    timeStepRank: file.count('ssm.time_step_rank'),
    convBias: has(block, 'ssm_conv1d.bias'),
    projectionBias: has(block, 'ssm_in.bias'),
    innerNorms: has(block, 'ssm_dt_norm.weight'),
  })
}

const shortConvolution = (file: GgufFile, block: Block): ShortConvolution =>
  tidy({
    kind: 'short-conv' as const,
    channelCount: rowsOf(block, 'shortconv.out_proj.weight') ?? file.count('embedding_length'),
    convKernelTokens: file.count('shortconv.l_cache'),
    bias: has(block, 'shortconv.conv.bias'),
  })

function whole(file: GgufFile, value: number, key: string): number {
  if (!Number.isInteger(value) || value < 1) throw file.invalid(`${file.name(key)} does not divide into whole heads`)
  return value
}
