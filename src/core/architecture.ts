/**
 * What a model is, free of any precision: the vocabulary every other part of the project is made of.
 *
 * Sizes are counts of elements, never bytes. A field that does not apply is absent.
 */

/** Grouped-query attention; multi-head (kvHeadCount = queryHeadCount) and multi-query (1) are its ends. */
export interface FullAttention {
  kind: 'full'
  queryHeadCount: number
  kvHeadCount: number
  headDim: number
  /** Width of a value head where it differs from `headDim` (MiMo-V2: 192 and 128). */
  valueHeadDim?: number
  /** Only the last tokens are attended: a sliding window, or the tokens of the own chunk (Llama 4). */
  window?: {kind: 'sliding' | 'chunked'; tokens: number}
  /** Blocks of keys are chosen by an index head (MiniMax-M3); the index keys are a cache of their own, one for `tokensPerKey` tokens (Qwen3.8-Flash-Next: 4). */
  blockSparse?: {indexHeadCount: number; indexHeadDim: number; blockTokens: number; topKBlockCount: number; tokensPerKey?: number}
  queryKeyValueBias?: boolean
  outputBias?: boolean
  /** `head`: one vector of headDim for q and one for k. `layer`: one over all heads of each (MiniMax-M2). */
  queryKeyNorm?: 'head' | 'layer'
  /** `element`: the query projection is twice as wide (Qwen3-Next); `head`: one gate value for each query head. */
  outputGate?: 'element' | 'head'
  /** The gate of `element` is a matrix of its own, which recipes may leave alone (Muse Glimmer). */
  gateApart?: boolean
  /** One learned logit for each query head (gpt-oss). */
  sinks?: boolean
  /** The layer reads another layer's cache and has neither K/V weights nor a cache (Gemma 3n, Gemma 4 E). */
  sharesKvCache?: boolean
  /** No value projection: values are the un-rotated keys (Gemma 4). Both are still cached. */
  valueFromKey?: boolean
}

export interface SparseIndexer {
  headCount: number
  headDim: number
  /** Tokens each query attends to. */
  topKTokens: number
  /** The layer reuses the selection of an earlier one and has no indexer weights (GLM-5.2). */
  shared?: boolean
  /** Tokens that one stored index key stands for, where keys are pooled (GLM-5.3-Flash: 16). */
  tokensPerKey?: number
}

/** Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434 section 2.1); with an indexer, DeepSeek sparse attention. */
export interface LatentAttention {
  kind: 'mla'
  queryHeadCount: number
  /** Absent: queries are projected without a low-rank step. */
  queryLoraRank?: number
  kvLoraRank: number
  nopeHeadDim: number
  ropeHeadDim: number
  valueHeadDim: number
  /** One gate value for each element of the output, or (`head`) for each query head (Ling 3.0). */
  outputGate?: boolean | 'head'
  indexer?: SparseIndexer
  /** Only the last tokens are attended and kept (dots3-note). */
  window?: {tokens: number}
  /** Elements of a cached row where engines pad it to the rows of other layers (dots3-note). */
  cachedElements?: number
}

/** DeepSeek-V4: a window of raw rows, and beyond it one row for every `compressionRatio` tokens (0: window only). */
export interface CompressedAttention {
  kind: 'compressed'
  queryHeadCount: number
  headDim: number
  ropeHeadDim: number
  queryLoraRank: number
  outputLoraRank: number
  outputGroupCount: number
  windowTokens: number
  compressionRatio: number
  indexer?: SparseIndexer
}

/** Gated delta net (Qwen3-Next, Qwen3.5 and later), arXiv 2412.06464. */
export interface GatedDeltaNet {
  kind: 'gated-delta-net'
  keyHeadCount: number
  keyHeadDim: number
  valueHeadCount: number
  valueHeadDim: number
  convKernelTokens: number
  /** Bytes of a state element where the configuration fixes it; absent: the engine's default. */
  stateElementBytes?: number
}

/** Kimi delta attention (Kimi-Linear, Kimi K3), arXiv 2510.26692. */
export interface KimiDelta {
  kind: 'kimi-delta'
  headCount: number
  headDim: number
  convKernelTokens: number
  fullRankGate?: boolean
  /** The forget gate is one matrix, not two of low rank (Ling 3.0, `no_kda_lora`). */
  fullRankForgetGate?: boolean
}

/** Lightning attention (MiniMax-Text-01), arXiv 2501.08313. */
export interface LightningAttention {
  kind: 'lightning'
  headCount: number
  headDim: number
}

/** Mamba 2 (arXiv 2405.21060). */
export interface Mamba2 {
  kind: 'mamba2'
  headCount: number
  headDim: number
  groupCount: number
  stateSize: number
  convKernelTokens: number
  convBias?: boolean
  projectionBias?: boolean
  /** A norm of the inner width before the output projection. */
  gatedNorm?: boolean
  stateElementBytes?: number
}

/** Mamba 1 (Jamba), arXiv 2312.00752. */
export interface Mamba1 {
  kind: 'mamba1'
  innerSize: number
  stateSize: number
  convKernelTokens: number
  timeStepRank: number
  convBias?: boolean
  projectionBias?: boolean
  /** Norms on B, C and the time step (Jamba, Falcon-Mamba). */
  innerNorms?: boolean
}

/** Gated short convolution (LFM2). */
export interface ShortConvolution {
  kind: 'short-conv'
  channelCount: number
  convKernelTokens: number
  bias?: boolean
}

export type Mixer = FullAttention | LatentAttention | CompressedAttention | GatedDeltaNet | KimiDelta | LightningAttention | Mamba2 | Mamba1 | ShortConvolution

export interface DenseFeedForward {
  kind: 'dense'
  intermediateSize: number
  /** Gate, up and down (3 matrices) or up and down (2). */
  gated: boolean
  bias?: boolean
}

export interface MixtureOfExperts {
  kind: 'moe'
  expertCount: number
  expertsPerToken: number
  expertIntermediateSize: number
  gated: boolean
  expertBias?: boolean
  /** Width of all shared experts together. */
  sharedIntermediateSize?: number
  /** A learned gate on the shared expert's output (Qwen). */
  sharedGate?: boolean
  /** Experts of these work in this width, between two projections (Nemotron 3 Super, Kimi K3). */
  latentSize?: number
  latentNorm?: boolean
  /** A bias or a correction bias on the router logits. */
  routerBias?: boolean
  /** Experts chosen by a hash of the token: no router is evaluated (first layers of DeepSeek-V4). */
  hashRouting?: boolean
  /** A dense gated MLP of this width runs beside the experts (Gemma 4). */
  parallelDenseIntermediateSize?: number
  /** Further small vectors of the block, in elements (per-expert scales, extra norms). */
  extraElementCount?: number
}

export type FeedForward = DenseFeedForward | MixtureOfExperts

/** One kind of layer; layers of a kind are equal in every figure. */
export interface LayerKind {
  name: string
  /** Usually one; two where attention and SSM run in parallel (Falcon-H1); none for a feed-forward-only block. */
  mixers: Mixer[]
  feedForward?: FeedForward
  /** Norm vectors of hidden width. */
  normCount: number
  /** Elements of further small tensors (layer scalars, hyper-connections, per-layer embedding gates). */
  extraElementCount?: number
}

/** A tower in front of the language model. Its tensors are given as counts: it costs weights, and tokens in the cache. */
export interface Encoder {
  modality: 'vision' | 'audio' | 'video'
  parameterCount: number
  layerCount?: number
  hiddenSize?: number
  /** Most embeddings one image (or clip) can take, where known: sizes the encoder's share of the profile run. */
  maxTokensPerItem?: number
  /** Tokens of the largest item, frames of a video with their marks, where attention reads an item in both directions and no step may split it. */
  unsplitItemTokens?: number
}

/** Multi-token-prediction layers stored with the checkpoint: weights and a cache only when speculation is on. */
export interface DraftLayers {
  layerCount: number
  kind: LayerKind
  /** Layers among them that attend otherwise, by their place (Inkling: two over the whole context); their weights are counted like the rest. */
  others?: {places: number[]; kind: LayerKind}
  /** Engines build no more of them than tokens are drafted, each token by a layer of its own (Inkling). */
  builtAsDrafted?: boolean
  /** Elements outside the layer itself, for each layer (projection of hidden + embedding, norms). */
  extraElementCount: number
  /** The checkpoint stores copies of embedding and head inside the draft (DeepSeek-V3, GLM-4.5). */
  storesEmbeddings?: boolean
}

export interface Architecture {
  /** The class name in `architectures`, which the engines' registries are keyed by. */
  className?: string
  vocabularySize: number
  hiddenSize: number
  tiedEmbeddings: boolean
  /** Tied, yet the checkpoint stores the head as well (Qwen3-0.6B). */
  headStoredTwice?: boolean
  headBias?: boolean
  /** Longest sequence that the configuration allows, with the scaling that stands in it. */
  contextTokens: number
  /** `max_position_embeddings`, where the scaling that stands in the configuration reaches further. */
  positionTokens?: number
  layerKinds: LayerKind[]
  /** Index into `layerKinds` of each layer, first to last. */
  layerSequence: number[]
  draft?: DraftLayers
  encoders?: Encoder[]
  /** A second embedding table read one row a token in every layer (Gemma 3n, Gemma 4 E). */
  perLayerEmbedding?: {vocabularySize: number; width: number}
  /** Tables of which a token reads a few rows (n-gram embeddings): memory, and no work to speak of. */
  lookupTables?: Array<{rowCount: number; width: number}>
  /** Elements outside layers, embeddings and the final norm. */
  extraElementCount?: number
}

/** Layers of each kind, in the order of `layerKinds`. */
export function layerCounts(architecture: Architecture): number[] {
  const counts = architecture.layerKinds.map(() => 0)
  for (const index of architecture.layerSequence) counts[index] = (counts[index] ?? 0) + 1
  return counts
}
