import {type Architecture, layerCounts, type Mixer} from '../../core/architecture.ts'
import {cacheFormat} from '../../core/formats.ts'
import {type CacheLayout, cacheTotals, sequenceBytes} from '../../core/kv-cache.ts'
import type {Model} from '../../core/model.ts'
import type {Quality} from '../../core/quality.ts'
import {countParameters} from '../../core/tensors.ts'

/** A row of `models --json`. */
export interface ModelSummary {
  id: string
  hfId: string
  name: string
  family: string
  totalParams: number
  activeParams: number
  /** Absent where only name and size of a model are known. */
  contextTokens?: number
  licence?: string
  checkpoints: {hfId: string; weights: string; bytes?: number}[]
}

/** `models show --json`. */
export interface ModelDetails extends ModelSummary {
  /** With what is known of each one's loss against the original. */
  /** A checkpoint's own context is told where it is not the model's. */
  checkpoints: (ModelSummary['checkpoints'][number] & {contextTokens?: number; quality?: Quality})[]
  layers: {count: number; name: string; attention: string; feedForward: string}[]
  draftParams?: number
  encoderParams?: number
  /** Whole model on one GPU, the part that grows with every token, before any engine's paging. */
  kvBytesPerToken: {bf16: number; fp8: number}
  /** Of one sequence, in 16-bit cache format: windows full, states as the model fixes them or at 16 bits. */
  sequenceBytes: {tokens: number; bf16: number}[]
  stateBytesPerSequence?: number
  aliases?: string[]
  released?: string
  modality?: string[]
  extendedContextTokens?: number
  published?: Model['published']
}

export function summaryOf(model: Model): ModelSummary {
  const counted = countParameters(model.architecture)
  // Of a model that is known by name the layers are a stand-in: what its maker states is what is known.
  const total = model.knownByName ? model.published!.totalParams! : counted.total
  const active = model.knownByName ? (model.published!.activeParams ?? total) : counted.active
  return {
    id: model.id,
    hfId: model.hfId,
    name: model.name,
    family: model.family,
    totalParams: total,
    activeParams: active,
    ...((!model.knownByName || model.knownByName.contextTokens !== undefined) && {contextTokens: model.architecture.contextTokens}),
    ...(model.licence && {licence: model.licence}),
    checkpoints: model.checkpoints.map(({hfId, weights, bytes}) => ({hfId, weights, ...(bytes !== undefined && {bytes})})),
  }
}

/**
 * The cache as engines' kernels store it: in fp8, rows of sparse latent attention are 512 fp8, 4 fp32 scales and 64 bf16, DeepSeek-V4's
 * are packed with 8 scale bytes; index keys are fp8 with a scale, but 16-bit beside DeepSeek-V4's 16-bit rows (vllm/v1/kv_cache_interface.py,
 * vllm/models/deepseek_v4/attention.py).
 */
function layoutOf(format: 'bf16' | 'fp8', {layerKinds}: Architecture): CacheLayout {
  const mixers = layerKinds.flatMap((kind) => kind.mixers)
  const sparse = mixers.some((mixer) => mixer.kind === 'mla' && mixer.indexer)
  const compressed = mixers.some(({kind}) => kind === 'compressed')
  return {
    attentionTp: 1,
    format: cacheFormat(format),
    stateElementBytes: 2,
    convolutionElementBytes: 2,
    speculativeTokens: 0,
    ...(format === 'fp8' && sparse && {latentRowBytes: (elements: number) => elements - 64 + 16 + 128}),
    ...(format === 'fp8' && compressed && {compressedRowBytes: (headDim: number, ropeHeadDim: number) => headDim + ropeHeadDim + 8}),
    ...(format === 'bf16' && compressed && {indexKeyBytes: (elements: number) => 2 * elements}),
  }
}

/** An attention kind in words, with its figures. */
export function mixerWords(mixer: Mixer): string {
  switch (mixer.kind) {
    case 'full': {
      const heads =
        mixer.kvHeadCount === mixer.queryHeadCount ? `${mixer.queryHeadCount} heads` : `${mixer.queryHeadCount} query and ${mixer.kvHeadCount} KV heads`
      const window = mixer.window ? `, ${mixer.window.kind === 'chunked' ? 'chunks' : 'window'} of ${mixer.window.tokens}` : ''
      return `${heads} of ${mixer.headDim}${mixer.valueHeadDim && mixer.valueHeadDim !== mixer.headDim ? ` (values ${mixer.valueHeadDim})` : ''}${window}${mixer.blockSparse ? ', block-sparse' : ''}${mixer.sharesKvCache ? ', shared KV' : ''}`
    }
    case 'mla':
      return `latent (MLA): rank ${mixer.kvLoraRank} + ${mixer.ropeHeadDim}, ${mixer.queryHeadCount} heads${mixer.indexer ? `, sparse over ${mixer.indexer.topKTokens} tokens${mixer.indexer.shared ? ' (shared index)' : ''}` : ''}`
    case 'compressed':
      return mixer.compressionRatio === 0
        ? `window of ${mixer.windowTokens}`
        : `compressed ${mixer.compressionRatio}:1, window of ${mixer.windowTokens}, ${mixer.queryHeadCount} heads of ${mixer.headDim}`
    case 'gated-delta-net':
      return `gated delta net: ${mixer.keyHeadCount} key and ${mixer.valueHeadCount} value heads of ${mixer.valueHeadDim}`
    case 'kimi-delta':
      return `Kimi delta attention: ${mixer.headCount} heads of ${mixer.headDim}`
    case 'lightning':
      return `lightning attention: ${mixer.headCount} heads of ${mixer.headDim}`
    case 'mamba2':
      return `Mamba 2: ${mixer.headCount} heads of ${mixer.headDim}, state ${mixer.stateSize}`
    case 'mamba1':
      return `Mamba: width ${mixer.innerSize}, state ${mixer.stateSize}`
    case 'short-conv':
      return `short convolution over ${mixer.convKernelTokens} tokens`
  }
}

/** Everything about a model that a person or a program may ask. */
export function detailsOf(model: Model): ModelDetails {
  const {architecture} = model
  if (model.knownByName) return {...summaryOf(model), layers: [], kvBytesPerToken: {bf16: 0, fp8: 0}, sequenceBytes: [], published: model.published}
  const counts = layerCounts(architecture)
  const {draft, encoders} = countParameters(architecture)
  const bf16 = cacheTotals(architecture, layoutOf('bf16', architecture))
  return {
    ...summaryOf(model),
    checkpoints: model.checkpoints.map(({hfId, weights, bytes, contextTokens, quality}) => ({
      hfId,
      weights,
      ...(bytes !== undefined && {bytes}),
      ...(contextTokens !== undefined && {contextTokens}),
      ...(quality && {quality}),
    })),
    layers: architecture.layerKinds.map(({name, mixers, feedForward}, index) => ({
      count: counts[index]!,
      name,
      attention: mixers.length === 0 ? 'none' : mixers.map(mixerWords).join(' and '),
      feedForward:
        feedForward === undefined
          ? 'none'
          : feedForward.kind === 'dense'
            ? `dense ${feedForward.intermediateSize}`
            : `${feedForward.expertsPerToken} of ${feedForward.expertCount} experts of ${feedForward.expertIntermediateSize}${feedForward.sharedIntermediateSize ? `, shared ${feedForward.sharedIntermediateSize}` : ''}`,
    })),
    ...(draft > 0 && {draftParams: draft}),
    ...(encoders > 0 && {encoderParams: encoders}),
    kvBytesPerToken: {
      bf16: Math.round(bf16.growingBytesPerToken),
      fp8: Math.round(cacheTotals(architecture, layoutOf('fp8', architecture)).growingBytesPerToken),
    },
    sequenceBytes: [8192, 131_072, 1_048_576]
      .filter((tokens) => tokens <= architecture.contextTokens)
      .map((tokens) => ({tokens, bf16: Math.round(sequenceBytes(architecture, layoutOf('bf16', architecture), tokens))})),
    ...(bf16.stateBytesPerSequence > 0 && {stateBytesPerSequence: Math.round(bf16.stateBytesPerSequence)}),
    ...(model.aliases && {aliases: model.aliases}),
    ...(model.released && {released: model.released}),
    ...(model.modality && {modality: model.modality}),
    ...(model.extendedContext && {extendedContextTokens: model.extendedContext.tokens}),
    ...(model.published && {published: model.published}),
  }
}
