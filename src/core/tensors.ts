import type {
  Architecture,
  CompressedAttention,
  FeedForward,
  FullAttention,
  GatedDeltaNet,
  KimiDelta,
  LatentAttention,
  LayerKind,
  LightningAttention,
  Mamba1,
  Mamba2,
  Mixer,
  MixtureOfExperts,
  ShortConvolution,
  SparseIndexer,
} from './architecture.ts'
import type {TensorClass} from './model.ts'

/**
 * How ranks of a tensor-parallel group hold a tensor. `rows`: the outputs are split; `columns`: the inputs; `kv`: as rows,
 * but whole heads, repeated when there are fewer heads than ranks; `vocabulary`: rows padded to 64 and split; `none`: every
 * rank has all of it. `experts` tensors are split by expert or like rows and columns, by the layout.
 */
export interface Shard {
  axis: 'rows' | 'columns' | 'kv' | 'vocabulary' | 'none'
  /** Which parallel size splits it. */
  domain: 'attention' | 'dense' | 'experts' | 'vocabulary'
}

/** A weight tensor, or `count` equal ones. The one description that parameters, bytes, sharding and step time come from. */
export interface WeightTensor {
  class: TensorClass
  count: number
  /** How many of `count` a token uses. */
  activeCount: number
  /** Outputs. */
  rows: number
  /** Inputs; 1 for a vector. */
  columns: number
  shard: Shard
  /** Heads that `kv` sharding keeps whole. */
  kvHeadCount?: number
  /** Norms, biases, convolutions, state constants: kept at 16 or 32 bits in every checkpoint. */
  unquantised?: boolean
  /** A table of which single rows are read (embeddings), not a matrix that is multiplied. */
  lookup?: boolean
}

const ATTENTION_ROWS: Shard = {axis: 'rows', domain: 'attention'}
const ATTENTION_COLUMNS: Shard = {axis: 'columns', domain: 'attention'}
const ATTENTION_KV: Shard = {axis: 'kv', domain: 'attention'}
const REPLICATED: Shard = {axis: 'none', domain: 'attention'}
const DENSE_ROWS: Shard = {axis: 'rows', domain: 'dense'}
const DENSE_COLUMNS: Shard = {axis: 'columns', domain: 'dense'}
const EXPERT_ROWS: Shard = {axis: 'rows', domain: 'experts'}
const EXPERT_COLUMNS: Shard = {axis: 'columns', domain: 'experts'}
const VOCABULARY: Shard = {axis: 'vocabulary', domain: 'vocabulary'}

const matrix = (tensorClass: TensorClass, rows: number, columns: number, shard: Shard): WeightTensor => ({
  class: tensorClass,
  count: 1,
  activeCount: 1,
  rows,
  columns,
  shard,
})

const vector = (elements: number, shard: Shard = REPLICATED, tensorClass: TensorClass = 'norm'): WeightTensor => ({
  class: tensorClass,
  count: 1,
  activeCount: 1,
  rows: elements,
  columns: 1,
  shard,
  unquantised: true,
})

/** q, k, v, output projections; biases; norms; sinks; the index head of block-sparse attention. */
function fullAttention(a: FullAttention, hidden: number): WeightTensor[] {
  const valueDim = a.valueHeadDim ?? a.headDim
  const queryRows = a.queryHeadCount * a.headDim
  const tensors = [
    matrix('attention.query', queryRows * (a.outputGate === 'element' && !a.gateApart ? 2 : 1), hidden, ATTENTION_ROWS),
    ...(a.outputGate === 'element' && a.gateApart ? [matrix('attention.gate', queryRows, hidden, ATTENTION_ROWS)] : []),
    matrix('attention.output', hidden, a.queryHeadCount * valueDim, ATTENTION_COLUMNS),
  ]
  const ownsKv = !a.sharesKvCache
  if (ownsKv) {
    tensors.push({...matrix('attention.key', a.kvHeadCount * a.headDim, hidden, ATTENTION_KV), kvHeadCount: a.kvHeadCount})
    if (!a.valueFromKey) tensors.push({...matrix('attention.value', a.kvHeadCount * valueDim, hidden, ATTENTION_KV), kvHeadCount: a.kvHeadCount})
  }
  if (a.queryKeyValueBias) {
    tensors.push(vector(queryRows, ATTENTION_ROWS))
    if (ownsKv) tensors.push({...vector(a.kvHeadCount * (a.headDim + valueDim), ATTENTION_KV), kvHeadCount: a.kvHeadCount})
  }
  if (a.outputBias) tensors.push(vector(hidden))
  if (a.queryKeyNorm === 'head') tensors.push(vector(a.headDim * (ownsKv ? 2 : 1)))
  if (a.queryKeyNorm === 'layer') tensors.push(vector((a.queryHeadCount + (ownsKv ? a.kvHeadCount : 0)) * a.headDim))
  if (a.outputGate === 'head') tensors.push(matrix('attention.gate', a.queryHeadCount, hidden, ATTENTION_ROWS))
  if (a.sinks) tensors.push(vector(a.queryHeadCount, ATTENTION_ROWS))
  if (a.blockSparse) {
    const {indexHeadCount, indexHeadDim} = a.blockSparse
    tensors.push(
      matrix('indexer', indexHeadCount * indexHeadDim, hidden, REPLICATED),
      matrix('indexer', indexHeadDim, hidden, REPLICATED),
      vector(2 * indexHeadDim),
    )
  }
  return tensors
}

function indexerTensors(indexer: SparseIndexer, hidden: number, queryRank: number): WeightTensor[] {
  if (indexer.shared) return []
  return [
    matrix('indexer', indexer.headCount * indexer.headDim, queryRank, REPLICATED),
    matrix('indexer', indexer.headDim, hidden, REPLICATED),
    vector(2 * indexer.headDim),
    matrix('indexer', indexer.headCount, hidden, REPLICATED),
  ]
}

function latentAttention(a: LatentAttention, hidden: number): WeightTensor[] {
  const queryRows = a.queryHeadCount * (a.nopeHeadDim + a.ropeHeadDim)
  const tensors = [
    matrix('attention.kv-a', a.kvLoraRank + a.ropeHeadDim, hidden, REPLICATED),
    vector(a.kvLoraRank),
    matrix('attention.kv-b', a.queryHeadCount * (a.nopeHeadDim + a.valueHeadDim), a.kvLoraRank, ATTENTION_ROWS),
    matrix('attention.output', hidden, a.queryHeadCount * a.valueHeadDim, ATTENTION_COLUMNS),
  ]
  if (a.queryLoraRank === undefined) tensors.push(matrix('attention.query', queryRows, hidden, ATTENTION_ROWS))
  else
    tensors.push(
      matrix('attention.query-a', a.queryLoraRank, hidden, REPLICATED),
      vector(a.queryLoraRank),
      matrix('attention.query-b', queryRows, a.queryLoraRank, ATTENTION_ROWS),
    )
  if (a.outputGate) tensors.push(matrix('attention.gate', a.queryHeadCount * (a.outputGate === 'head' ? 1 : a.valueHeadDim), hidden, ATTENTION_ROWS))
  if (a.indexer) tensors.push(...indexerTensors(a.indexer, hidden, a.queryLoraRank ?? hidden))
  return tensors
}

/** Ratio 4 compresses overlapping spans, so its projections are twice as wide (vllm-project/vllm vllm/models/deepseek_v4/compressor.py @ 01cc1d3e7640). */
export const compressorOverlap = (ratio: number): number => (ratio === 4 ? 2 : 1)

function compressorTensors(ratio: number, width: number, hidden: number, tensorClass: TensorClass): WeightTensor[] {
  const wide = compressorOverlap(ratio) * width
  return [vector(ratio * wide), matrix(tensorClass, 2 * wide, hidden, REPLICATED), vector(width)]
}

function compressedAttention(a: CompressedAttention, hidden: number): WeightTensor[] {
  const queryRows = a.queryHeadCount * a.headDim
  const tensors = [
    matrix('attention.query-a', a.queryLoraRank, hidden, REPLICATED),
    vector(a.queryLoraRank),
    matrix('attention.query-b', queryRows, a.queryLoraRank, ATTENTION_ROWS),
    matrix('attention.kv-a', a.headDim, hidden, REPLICATED),
    vector(a.headDim),
    matrix('attention.output-a', a.outputGroupCount * a.outputLoraRank, queryRows / a.outputGroupCount, ATTENTION_ROWS),
    matrix('attention.output', hidden, a.outputGroupCount * a.outputLoraRank, ATTENTION_COLUMNS),
    vector(a.queryHeadCount, ATTENTION_ROWS),
  ]
  if (a.compressionRatio > 0) tensors.push(...compressorTensors(a.compressionRatio, a.headDim, hidden, 'attention.compressor'))
  if (a.indexer)
    tensors.push(
      matrix('indexer', a.indexer.headCount * a.indexer.headDim, a.queryLoraRank, REPLICATED),
      matrix('indexer', a.indexer.headCount, hidden, REPLICATED),
      ...compressorTensors(a.compressionRatio, a.indexer.headDim, hidden, 'indexer'),
    )
  return tensors
}

function gatedDeltaNet(a: GatedDeltaNet, hidden: number): WeightTensor[] {
  const keyDim = a.keyHeadCount * a.keyHeadDim
  const valueDim = a.valueHeadCount * a.valueHeadDim
  return [
    matrix('linear.in', 2 * keyDim + 2 * valueDim, hidden, ATTENTION_ROWS),
    matrix('linear.small', 2 * a.valueHeadCount, hidden, ATTENTION_ROWS),
    vector((2 * keyDim + valueDim) * a.convKernelTokens, ATTENTION_ROWS, 'linear.small'),
    vector(2 * a.valueHeadCount, ATTENTION_ROWS),
    vector(a.valueHeadDim),
    matrix('linear.out', hidden, valueDim, ATTENTION_COLUMNS),
  ]
}

function kimiDelta(a: KimiDelta, hidden: number): WeightTensor[] {
  const inner = a.headCount * a.headDim
  const tensors = [
    matrix('linear.in', 3 * inner, hidden, ATTENTION_ROWS),
    vector(3 * inner * a.convKernelTokens, ATTENTION_ROWS, 'linear.small'),
    matrix('linear.small', a.headCount, hidden, ATTENTION_ROWS),
    vector(a.headCount + inner, ATTENTION_ROWS),
    vector(a.headDim),
    matrix('linear.out', hidden, inner, ATTENTION_COLUMNS),
  ]
  if (a.fullRankForgetGate) tensors.push(matrix('linear.gate', inner, hidden, ATTENTION_ROWS))
  else tensors.push(matrix('linear.gate', a.headDim, hidden, REPLICATED), matrix('linear.gate', inner, a.headDim, ATTENTION_ROWS))
  if (a.fullRankGate) tensors.push(matrix('linear.gate', inner, hidden, ATTENTION_ROWS))
  else tensors.push(matrix('linear.gate', a.headDim, hidden, REPLICATED), matrix('linear.gate', inner, a.headDim, ATTENTION_ROWS))
  return tensors
}

function lightning(a: LightningAttention, hidden: number): WeightTensor[] {
  const inner = a.headCount * a.headDim
  return [
    matrix('linear.in', 3 * inner, hidden, ATTENTION_ROWS),
    matrix('linear.gate', inner, hidden, ATTENTION_ROWS),
    matrix('linear.out', hidden, inner, ATTENTION_COLUMNS),
    vector(inner, ATTENTION_ROWS),
  ]
}

function mamba2(a: Mamba2, hidden: number): WeightTensor[] {
  const inner = a.headCount * a.headDim
  const convWidth = inner + 2 * a.groupCount * a.stateSize
  const tensors = [
    matrix('linear.in', 2 * inner + 2 * a.groupCount * a.stateSize + a.headCount, hidden, ATTENTION_ROWS),
    vector(convWidth * (a.convKernelTokens + (a.convBias ? 1 : 0)), ATTENTION_ROWS, 'linear.small'),
    vector(3 * a.headCount, ATTENTION_ROWS),
    matrix('linear.out', hidden, inner, ATTENTION_COLUMNS),
  ]
  if (a.gatedNorm) tensors.push(vector(inner, ATTENTION_ROWS))
  if (a.projectionBias) tensors.push(vector(2 * inner + 2 * a.groupCount * a.stateSize + a.headCount, ATTENTION_ROWS), vector(hidden))
  return tensors
}

function mamba1(a: Mamba1, hidden: number): WeightTensor[] {
  const tensors = [
    matrix('linear.in', 2 * a.innerSize, hidden, ATTENTION_ROWS),
    vector(a.innerSize * (a.convKernelTokens + (a.convBias ? 1 : 0)), ATTENTION_ROWS, 'linear.small'),
    matrix('linear.small', a.timeStepRank + 2 * a.stateSize, a.innerSize, ATTENTION_COLUMNS),
    matrix('linear.small', a.innerSize, a.timeStepRank, ATTENTION_ROWS),
    vector(a.innerSize * (a.stateSize + 2), ATTENTION_ROWS),
    matrix('linear.out', hidden, a.innerSize, ATTENTION_COLUMNS),
  ]
  if (a.projectionBias) tensors.push(vector(2 * a.innerSize, ATTENTION_ROWS), vector(hidden))
  if (a.innerNorms) tensors.push(vector(a.timeStepRank + 2 * a.stateSize))
  return tensors
}

function shortConvolution(a: ShortConvolution, hidden: number): WeightTensor[] {
  const tensors = [
    matrix('linear.in', 3 * a.channelCount, hidden, ATTENTION_ROWS),
    vector(a.channelCount * a.convKernelTokens, ATTENTION_ROWS, 'linear.small'),
    matrix('linear.out', hidden, a.channelCount, ATTENTION_COLUMNS),
  ]
  if (a.bias) tensors.push(vector(3 * a.channelCount + a.channelCount, ATTENTION_ROWS), vector(hidden))
  return tensors
}

export function mixerTensors(mixer: Mixer, hidden: number): WeightTensor[] {
  switch (mixer.kind) {
    case 'full':
      return fullAttention(mixer, hidden)
    case 'mla':
      return latentAttention(mixer, hidden)
    case 'compressed':
      return compressedAttention(mixer, hidden)
    case 'gated-delta-net':
      return gatedDeltaNet(mixer, hidden)
    case 'kimi-delta':
      return kimiDelta(mixer, hidden)
    case 'lightning':
      return lightning(mixer, hidden)
    case 'mamba2':
      return mamba2(mixer, hidden)
    case 'mamba1':
      return mamba1(mixer, hidden)
    case 'short-conv':
      return shortConvolution(mixer, hidden)
  }
}

function denseMatrices(prefix: 'mlp' | 'shared-experts', intermediate: number, hidden: number, gated: boolean): WeightTensor[] {
  return [matrix(`${prefix}.in`, intermediate * (gated ? 2 : 1), hidden, DENSE_ROWS), matrix(`${prefix}.out`, hidden, intermediate, DENSE_COLUMNS)]
}

function mixtureOfExperts(m: MixtureOfExperts, hidden: number): WeightTensor[] {
  const width = m.latentSize ?? hidden
  const upRows = m.expertIntermediateSize * (m.gated ? 2 : 1)
  const tensors: WeightTensor[] = [
    {...matrix('experts.in', upRows, width, EXPERT_ROWS), count: m.expertCount, activeCount: m.expertsPerToken},
    {...matrix('experts.out', width, m.expertIntermediateSize, EXPERT_COLUMNS), count: m.expertCount, activeCount: m.expertsPerToken},
    matrix('router', m.expertCount, hidden, REPLICATED),
  ]
  if (m.expertBias) tensors.push({...vector(upRows + width, EXPERT_ROWS), count: m.expertCount, activeCount: m.expertsPerToken})
  if (m.routerBias) tensors.push(vector(m.expertCount))
  if (m.latentSize) tensors.push(matrix('latent', m.latentSize, hidden, REPLICATED), matrix('latent', hidden, m.latentSize, REPLICATED))
  if (m.latentNorm) tensors.push(vector(m.latentSize!))
  if (m.sharedIntermediateSize) tensors.push(...denseMatrices('shared-experts', m.sharedIntermediateSize, hidden, m.gated))
  if (m.sharedGate) tensors.push(matrix('router', 1, hidden, REPLICATED))
  if (m.parallelDenseIntermediateSize) tensors.push(...denseMatrices('mlp', m.parallelDenseIntermediateSize, hidden, m.gated))
  if (m.extraElementCount) tensors.push(vector(m.extraElementCount))
  return tensors
}

export function feedForwardTensors(feedForward: FeedForward, hidden: number): WeightTensor[] {
  if (feedForward.kind === 'moe') return mixtureOfExperts(feedForward, hidden)
  const tensors = denseMatrices('mlp', feedForward.intermediateSize, hidden, feedForward.gated)
  if (feedForward.bias) tensors.push(vector(feedForward.intermediateSize * (feedForward.gated ? 2 : 1), DENSE_ROWS), vector(hidden))
  return tensors
}

/** Lists that were made already: every estimate asks for the same ones again. */
const LAYER_TENSORS = new WeakMap<LayerKind, {hidden: number; width: number | undefined; tensors: readonly WeightTensor[]}>()

/** Tensors of one layer of a kind. */
export function layerTensors(architecture: Architecture, kind: LayerKind): readonly WeightTensor[] {
  const hidden = architecture.hiddenSize
  const width = architecture.perLayerEmbedding?.width
  const known = LAYER_TENSORS.get(kind)
  if (known && known.hidden === hidden && known.width === width) return known.tensors
  const tensors = tensorsOfKind(architecture, kind)
  LAYER_TENSORS.set(kind, {hidden, width, tensors})
  return tensors
}

function tensorsOfKind(architecture: Architecture, kind: LayerKind): WeightTensor[] {
  const hidden = architecture.hiddenSize
  const tensors = kind.mixers.flatMap((mixer) => mixerTensors(mixer, hidden))
  if (kind.feedForward) tensors.push(...feedForwardTensors(kind.feedForward, hidden))
  if (kind.normCount > 0) tensors.push(vector(kind.normCount * hidden))
  if (kind.extraElementCount) tensors.push(vector(kind.extraElementCount, REPLICATED, 'extra'))
  if (architecture.perLayerEmbedding) {
    const {width} = architecture.perLayerEmbedding
    tensors.push(matrix('extra', width, hidden, REPLICATED), matrix('extra', hidden, width, REPLICATED), vector(hidden))
  }
  return tensors
}

/** Embedding, head, final norm, and what else stands outside the layers. */
export function outerTensors(architecture: Architecture): WeightTensor[] {
  const {vocabularySize, hiddenSize, perLayerEmbedding} = architecture
  const layers = architecture.layerSequence.length
  const tensors: WeightTensor[] = [
    {...matrix('embedding', vocabularySize, hiddenSize, VOCABULARY), lookup: true, activeCount: architecture.tiedEmbeddings ? 1 : 0},
    vector(hiddenSize),
  ]
  if (!architecture.tiedEmbeddings) tensors.push(matrix('head', vocabularySize, hiddenSize, VOCABULARY))
  if (architecture.headBias) tensors.push(vector(vocabularySize, VOCABULARY))
  if (perLayerEmbedding) {
    const width = layers * perLayerEmbedding.width
    tensors.push(
      {...matrix('embedding.per-layer', perLayerEmbedding.vocabularySize, width, VOCABULARY), lookup: true, activeCount: 0},
      matrix('extra', width, hiddenSize, REPLICATED),
      vector(perLayerEmbedding.width),
    )
  }
  for (const {rowCount, width} of architecture.lookupTables ?? [])
    tensors.push({...matrix('embedding.per-layer', rowCount, width, VOCABULARY), lookup: true, activeCount: 0})
  if (architecture.extraElementCount) tensors.push(vector(architecture.extraElementCount, REPLICATED, 'extra'))
  return tensors
}

/** Tensors of one draft layer, beyond the layers of the model proper. */
export function draftTensors(architecture: Architecture): WeightTensor[] {
  const {draft} = architecture
  if (!draft) return []
  const tensors = [...layerTensors(architecture, draft.kind)]
  if (draft.extraElementCount) {
    const projection = 2 * architecture.hiddenSize * architecture.hiddenSize
    if (draft.extraElementCount >= projection) tensors.push(matrix('extra', architecture.hiddenSize, 2 * architecture.hiddenSize, REPLICATED))
    const rest = draft.extraElementCount >= projection ? draft.extraElementCount - projection : draft.extraElementCount
    if (rest > 0) tensors.push(vector(rest))
  }
  if (draft.storesEmbeddings)
    tensors.push(
      {...matrix('embedding', architecture.vocabularySize, architecture.hiddenSize, VOCABULARY), lookup: true, activeCount: 0},
      matrix('head', architecture.vocabularySize, architecture.hiddenSize, VOCABULARY),
    )
  return tensors
}

export const elementCount = (tensor: WeightTensor): number => tensor.count * tensor.rows * tensor.columns

export interface ParameterCounts {
  /** Language model and encoders, without draft layers. */
  total: number
  /** Language model alone. */
  language: number
  encoders: number
  draft: number
  /** Weights that one decoded token reads: no input embedding, the head once. */
  active: number
  /** The same with the input embedding (Qwen's way of counting). */
  activeWithEmbedding: number
}

/** Counted once for a model: every answer tells them. */
const COUNTED = new WeakMap<Architecture, ParameterCounts>()

/** Parameters by the rules that the weight tensors are laid out by. */
export function countParameters(architecture: Architecture): ParameterCounts {
  const known = COUNTED.get(architecture) ?? countAnew(architecture)
  COUNTED.set(architecture, known)
  return known
}

function countAnew(architecture: Architecture): ParameterCounts {
  let language = 0
  let active = 0
  const add = (tensor: WeightTensor, times: number) => {
    language += times * elementCount(tensor)
    active += times * tensor.activeCount * tensor.rows * tensor.columns
  }
  const counts = new Map<number, number>()
  for (const index of architecture.layerSequence) counts.set(index, (counts.get(index) ?? 0) + 1)
  for (const [index, times] of counts) for (const tensor of layerTensors(architecture, architecture.layerKinds[index]!)) add(tensor, times)
  for (const tensor of outerTensors(architecture)) add(tensor, 1)
  if (architecture.headStoredTwice) language += architecture.vocabularySize * architecture.hiddenSize
  const encoders = (architecture.encoders ?? []).reduce((sum, encoder) => sum + encoder.parameterCount, 0)
  const draft = (architecture.draft?.layerCount ?? 0) * draftTensors(architecture).reduce((sum, tensor) => sum + elementCount(tensor), 0)
  const inputEmbedding = architecture.tiedEmbeddings ? 0 : architecture.vocabularySize * architecture.hiddenSize
  return {total: language + encoders, language, encoders, draft, active, activeWithEmbedding: active + inputEmbedding}
}
