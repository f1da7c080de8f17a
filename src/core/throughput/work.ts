import type {Accelerator, ComputeType} from '../accelerator.ts'
import {type Architecture, layerCounts, type Mixer, type MixtureOfExperts} from '../architecture.ts'
import {PairMemo} from '../bounded-map.ts'
import {type WeightFormat, weightFormat} from '../formats.ts'
import {type CacheLayout, ceilShare, mixerCache} from '../kv-cache.ts'
import type {Checkpoint} from '../model.ts'
import {layerTensors, outerTensors, type WeightTensor} from '../tensors.ts'
import {formatOf, type ShardLayout, shardOf, tensorBytes} from '../weights.ts'
import {dictionary} from '../dictionary.ts'

/** A matrix product on one rank, or several that engines fuse, repeated in `times` layers. */
export interface Product {
  name: string
  times: number
  /** Bytes of weights, scales included. */
  bytes: number
  /** Multiply-adds for one token. */
  macsPerToken: number
  format: WeightFormat
}

/** The experts of one layer on one rank. */
export interface ExpertWork {
  times: number
  expertCount: number
  expertsPerToken: number
  /** Ranks that divide the experts. */
  expertParallel: number
  /** Bytes and multiply-adds of one expert's share on this rank. */
  bytesPerExpert: number
  macsPerPair: number
  /** Elements read and written for each pair of token and expert. */
  activationElements: number
  format: WeightFormat
}

export type AttentionFamily = 'keyValue' | 'latent' | 'state'

/** Attention of one mixer on one rank, without its projections. */
export interface AttentionWork {
  times: number
  family: AttentionFamily
  /** Bytes of the cache for each token that is attended to. */
  bytesPerToken: number
  /** Rows attended to at most (window, top-k selection); Infinity otherwise. */
  tokenLimit: number
  /** Rows attended to beside those: the raw window of compressed attention. */
  furtherRows: number
  /** Context tokens that one cached row stands for. */
  tokensPerRow: number
  /** Operations for each pair of query and attended token, when decoding and in the prompt. */
  decodeOperationsPerPair: number
  prefillOperationsPerPair: number
  /** Selection over the whole context: bytes for each context token and operations for each pair. */
  indexBytesPerToken: number
  indexOperationsPerPair: number
  /** Recurrent state read and written in each step, and operations for each token. */
  stateBytes: number
  stateOperationsPerToken: number
}

/** What one rank of one replica does in a step, free of engine and hardware. */
export interface Work {
  products: Product[]
  head: Product
  experts: ExpertWork[]
  attention: AttentionWork[]
  /** Layers with a mixer, with a feed-forward, and all. */
  mixerLayers: number
  /** Small sums over the ranks besides those of partial results: norms over all heads of a layer. */
  normCollectives: number
  feedForwardLayers: number
  layerCount: number
  /** Kernels of a step: dense products, and what stands between them. */
  productKernelCount: number
  smallKernelCount: number
  /** Those of the latter that belong to attention and states. */
  mixerKernelCount: number
  /** Launches that prompts need on top of these. */
  promptKernelCount: number
  hiddenSize: number
  vocabularySize: number
  /** Elements of activations read and written for one token in all layers. */
  activationElementsPerToken: number
  /** Kinds of layers and formats that occur, for saying what a calibration has not seen. */
  features: string[]
  parameterBytes: number
}

/** Tensors that engines compute in one kernel. */
const FUSED: Record<string, string> = dictionary({
  'attention.query': 'qkv',
  'attention.key': 'qkv',
  'attention.value': 'qkv',
  'attention.gate': 'qkv',
  'attention.query-a': 'down',
  'attention.kv-a': 'down',
})

const dominant = (current: Product | undefined, bytes: number, format: WeightFormat): WeightFormat =>
  current && current.bytes >= bytes ? current.format : format

function addProduct(products: Map<string, Product>, key: string, name: string, times: number, bytes: number, macs: number, format: WeightFormat) {
  const current = products.get(key)
  products.set(key, {
    name,
    times,
    bytes: (current?.bytes ?? 0) + bytes,
    macsPerToken: (current?.macsPerToken ?? 0) + macs,
    format: dominant(current, bytes, format),
  })
}

function attentionOf(mixer: Mixer, times: number, cache: CacheLayout, attentionTp: number): AttentionWork | undefined {
  const parts = mixerCache(mixer, cache)
  const of = (content: string) => parts.filter((part) => part.content === content)
  const bytesOf = (content: string) => of(content).reduce((sum, part) => sum + part.bytesPerToken, 0)
  const stateBytes = parts.reduce((sum, part) => sum + part.stateBytes, 0)
  const base = {
    times,
    tokenLimit: Infinity,
    furtherRows: 0,
    tokensPerRow: 1,
    indexBytesPerToken: 0,
    indexOperationsPerPair: 0,
    stateBytes: 0,
    stateOperationsPerToken: 0,
  }
  switch (mixer.kind) {
    case 'full': {
      const heads = ceilShare(mixer.queryHeadCount, attentionTp)
      const operations = 2 * heads * (mixer.headDim + (mixer.valueHeadDim ?? mixer.headDim))
      const sparse = mixer.blockSparse
      const shared = mixer.sharesKvCache ? mixerCache({...mixer, sharesKvCache: false}, cache) : parts
      return {
        ...base,
        family: 'keyValue',
        bytesPerToken: shared.filter((part) => part.content === 'key-value').reduce((sum, part) => sum + part.bytesPerToken, 0),
        tokenLimit: mixer.window?.tokens ?? (sparse ? sparse.topKBlockCount * sparse.blockTokens : Infinity),
        decodeOperationsPerPair: operations,
        prefillOperationsPerPair: operations,
        indexBytesPerToken: bytesOf('index-key'),
        indexOperationsPerPair: sparse ? (2 * sparse.indexHeadCount * sparse.indexHeadDim) / (sparse.tokensPerKey ?? 1) : 0,
      }
    }
    case 'mla': {
      const heads = ceilShare(mixer.queryHeadCount, attentionTp)
      return {
        ...base,
        family: 'latent',
        bytesPerToken: bytesOf('latent'),
        tokenLimit: mixer.window?.tokens ?? mixer.indexer?.topKTokens ?? Infinity,
        decodeOperationsPerPair: 2 * heads * (2 * mixer.kvLoraRank + mixer.ropeHeadDim),
        // Sparse attention computes prompts in the absorbed form too: each query has its own set of keys.
        prefillOperationsPerPair:
          2 * heads * (mixer.indexer ? 2 * mixer.kvLoraRank + mixer.ropeHeadDim : mixer.nopeHeadDim + mixer.ropeHeadDim + mixer.valueHeadDim),
        indexBytesPerToken: bytesOf('index-key'),
        indexOperationsPerPair:
          mixer.indexer && !mixer.indexer.shared ? (2 * mixer.indexer.headCount * mixer.indexer.headDim) / (mixer.indexer.tokensPerKey ?? 1) : 0,
      }
    }
    case 'compressed': {
      const heads = ceilShare(mixer.queryHeadCount, attentionTp)
      const row = of('compressed')[0]?.bytesPerToken ?? 0
      const operations = 4 * heads * mixer.headDim
      const ratio = mixer.compressionRatio
      return {
        ...base,
        family: 'latent',
        bytesPerToken: row,
        tokensPerRow: Math.max(1, ratio),
        tokenLimit: ratio === 0 ? mixer.windowTokens : (mixer.indexer?.topKTokens ?? Infinity),
        furtherRows: ratio === 0 ? 0 : mixer.windowTokens,
        decodeOperationsPerPair: operations,
        prefillOperationsPerPair: operations,
        indexBytesPerToken: bytesOf('index-key'),
        indexOperationsPerPair: mixer.indexer ? (2 * mixer.indexer.headCount * mixer.indexer.headDim) / Math.max(1, ratio) : 0,
      }
    }
    default: {
      // A recurrent layer: the state is read and written in each step; a token costs about three products with the recurrent matrix.
      const elements = parts.reduce((sum, part) => sum + (part.recurrentBytes ?? 0), 0) / cache.stateElementBytes
      return {
        ...base,
        family: 'state',
        bytesPerToken: 0,
        tokenLimit: 0,
        decodeOperationsPerPair: 0,
        prefillOperationsPerPair: 0,
        stateBytes,
        stateOperationsPerToken: 8 * elements,
      }
    }
  }
}

function expertWork(
  moe: MixtureOfExperts,
  tensors: readonly WeightTensor[],
  times: number,
  hidden: number,
  checkpoint: Checkpoint,
  layout: ShardLayout,
): ExpertWork {
  const mine = tensors.filter((tensor) => tensor.class === 'experts.in' || tensor.class === 'experts.out')
  let bytes = 0
  let macs = 0
  for (const tensor of mine) {
    const shard = shardOf(tensor, layout)
    bytes += tensorBytes(tensor, formatOf(checkpoint.formats, tensor.class), layout) / shard.count
    macs += shard.rows * shard.columns
  }
  const width = moe.latentSize ?? hidden
  return {
    times,
    expertCount: moe.expertCount,
    expertsPerToken: moe.expertsPerToken,
    expertParallel: layout.expertParallel,
    bytesPerExpert: bytes,
    macsPerPair: macs,
    activationElements: 3 * width + (4 * moe.expertIntermediateSize) / layout.expertTp,
    format: weightFormat(formatOf(checkpoint.formats, 'experts.in')),
  }
}

/** Kernels of a mixer besides its projections when decoding: norm, rotation and cache write, attention with its reduction, and the like. */
const SMALL_KERNELS: Record<Mixer['kind'], number> = {
  full: 4,
  mla: 8,
  compressed: 10,
  'gated-delta-net': 9,
  'kimi-delta': 10,
  lightning: 4,
  mamba2: 7,
  mamba1: 7,
  'short-conv': 3,
}

/** Of norms of queries and keys: one for heads, which engines fuse with the rotation; over all heads squares, their sums and the scaling of each. */
const QUERY_KEY_NORM_KERNELS = {head: 1, layer: 4}

/**
 * Further kernels that a prompt needs in layers with a recurrent state, in launches from PyTorch: the chunked form has sums of gates, products of keys,
 * a triangular solve, its application, states by chunk, outputs, norms of queries and keys, and the gathering and storing of states, some 15 in all
 * (chunk_gated_delta_rule_fwd in SGLang 0.5.9, python/sglang/srt/layers/attention/fla/chunk.py), nearly all in Triton, whose launch from Python costs about three.
 */
const CHUNKED_STATE_KERNELS: Partial<Record<Mixer['kind'], number>> = {'gated-delta-net': 45, 'kimi-delta': 45, lightning: 15, mamba2: 25, mamba1: 10}

/** Kernels of a mixer besides its projections. */
function mixerKernels(mixer: Mixer): number {
  let count = SMALL_KERNELS[mixer.kind]
  if ('indexer' in mixer && mixer.indexer && !mixer.indexer.shared) count += 4
  if (mixer.kind === 'full') {
    if (mixer.queryKeyNorm) count += QUERY_KEY_NORM_KERNELS[mixer.queryKeyNorm]
    if (mixer.outputGate) count += 1
  }
  return count
}

/**
 * Small kernels beside the experts of a layer: activation and sum of shared experts with their gate, and a router in 32 bits where scores are corrected by
 * a bias (a cast before the product and the choice in an own kernel: vLLM 0.19.0, vllm/model_executor/models/minimax_m2.py). A bias of the router alone
 * comes with experts that have one (gpt-oss) and corrects nothing.
 */
function besideExperts(moe: MixtureOfExperts): number {
  const shared = moe.sharedIntermediateSize || moe.parallelDenseIntermediateSize ? 2 + (moe.sharedGate ? 2 : 0) : 0
  return shared + (moe.routerBias && !moe.expertBias ? 2 : 0)
}

/** The activations of such products get a scale for each block or group, by a kernel of its own before the product. */
export const dynamicScales = (format: WeightFormat): boolean => !format.weightOnly && (format.scale?.per === 'block' || format.scale?.per === 'group')

/** The work of one rank of a replica: whole model, all pipeline stages together. */
export function workOf(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout, cache: CacheLayout): Work {
  const counts = layerCounts(architecture)
  const hidden = architecture.hiddenSize
  const products: Product[] = []
  const experts: ExpertWork[] = []
  const attention: AttentionWork[] = []
  const features = new Set<string>()
  let mixerLayers = 0
  let normCollectives = 0
  let feedForwardLayers = 0
  let small = 0
  let ofMixers = 0
  let chunked = 0
  let activation = 0
  let parameterBytes = 0
  architecture.layerKinds.forEach((kind, index) => {
    const times = counts[index]!
    if (times === 0) return
    const tensors = layerTensors(architecture, kind)
    const fused = new Map<string, Product>()
    for (const tensor of tensors) {
      const format = weightFormat(formatOf(checkpoint.formats, tensor.class))
      const bytes = tensorBytes(tensor, format.id, layout)
      parameterBytes += times * bytes
      if (tensor.class.startsWith('experts.') || tensor.unquantised || tensor.lookup) continue
      const {rows, columns} = shardOf(tensor, layout)
      const name = FUSED[tensor.class] ?? tensor.class
      addProduct(fused, name, name, times, bytes, rows * columns, format)
    }
    products.push(...fused.values())
    if (kind.mixers.length > 0) mixerLayers += times
    for (const mixer of kind.mixers) {
      const work = attentionOf(mixer, times, cache, layout.attentionTp)
      if (work) attention.push(work)
      const kernels = times * mixerKernels(mixer)
      small += kernels
      ofMixers += kernels
      chunked += times * (CHUNKED_STATE_KERNELS[mixer.kind] ?? 0)
      if (mixer.kind === 'full' && mixer.queryKeyNorm === 'layer' && layout.attentionTp > 1) normCollectives += times
      features.add('window' in mixer && mixer.window ? 'window' : 'indexer' in mixer && mixer.indexer ? `${mixer.kind}-sparse` : mixer.kind)
    }
    activation += times * (8 * hidden)
    if (kind.feedForward) {
      feedForwardLayers += times
      features.add(kind.feedForward.kind)
      if (kind.feedForward.kind === 'moe') {
        experts.push(expertWork(kind.feedForward, tensors, times, hidden, checkpoint, layout))
        small += times * besideExperts(kind.feedForward)
      } else {
        small += times * 2
        activation += (times * 3 * kind.feedForward.intermediateSize) / layout.denseTp
      }
    }
  })
  let head: Product | undefined
  for (const tensor of outerTensors(architecture)) {
    const format = weightFormat(formatOf(checkpoint.formats, tensor.class))
    parameterBytes += tensorBytes(tensor, format.id, layout)
    if (tensor.class !== 'head' && !(tensor.class === 'embedding' && architecture.tiedEmbeddings)) continue
    const {rows, columns} = shardOf(tensor, layout)
    head = {name: 'head', times: 1, bytes: tensorBytes(tensor, format.id, layout), macsPerToken: rows * columns, format}
  }
  return {
    products,
    head: head!,
    experts,
    attention,
    mixerLayers,
    normCollectives,
    feedForwardLayers,
    layerCount: architecture.layerSequence.length,
    smallKernelCount: small,
    mixerKernelCount: ofMixers,
    promptKernelCount: chunked,
    productKernelCount: products.reduce((sum, product) => sum + product.times, 0),
    hiddenSize: hidden,
    vocabularySize: architecture.vocabularySize,
    activationElementsPerToken: activation,
    features: [...features].sort(),
    parameterBytes,
  }
}

/** Work by architecture and checkpoint: the same objects give the same work. A plan over hundreds of cards asks for some hundred layouts. */
const KNOWN = new PairMemo<Architecture, Checkpoint, Work>(2000)

/** As `workOf`, remembered as long as architecture and checkpoint live and not too much is. */
export function rememberedWork(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout, cache: CacheLayout): Work {
  const key = `${layout.attentionTp} ${layout.denseTp} ${layout.vocabularyTp} ${layout.expertTp} ${layout.expertParallel} ${cache.format.id} ${cache.latentRowBytes?.(576) ?? ''} ${cache.compressedRowBytes?.(512, 64) ?? ''} ${cache.indexKeyBytes?.(128) ?? ''} ${cache.stateElementBytes} ${cache.convolutionElementBytes} ${cache.speculativeTokens} ${cache.keysForSharedIndexers ?? ''}`
  return KNOWN.once(architecture, checkpoint, key, () => workOf(architecture, checkpoint, layout, cache))
}

/** What the matrix units are fed: the format's own type where the hardware takes it, 16 bits otherwise. */
export function computeTypeOf(format: WeightFormat, accelerator: Accelerator): {type: ComputeType; dequantised: boolean} {
  if (format.elementBits >= 16) return {type: 'bf16', dequantised: false}
  const type = format.computeType
  const native = accelerator.native
  const taken = type === 'fp4' ? native.includes(format.id) || native.includes('fp4') : native.includes(type)
  if (format.weightOnly || !taken) return {type: 'bf16', dequantised: true}
  return {type, dequantised: false}
}
