import type {Architecture, LayerKind, Mixer} from './architecture.ts'
import {compressorOverlap} from './tensors.ts'
import type {CacheFormat} from './formats.ts'

/**
 * What one layer keeps of a sequence on one rank, part by part. Engines lay these out in pages and pools; the sizes here are
 * of the content.
 */
export interface CachePart {
  content: 'key-value' | 'latent' | 'index-key' | 'compressed' | 'state'
  /** growing: with every token; window: with tokens up to a limit; state: the same for any length. */
  growth: 'growing' | 'window' | 'state'
  /** Bytes of a token (growing, window). A fraction where one row stands for several tokens. */
  bytesPerToken: number
  /** Tokens that one stored row stands for. */
  tokensPerRow: number
  /** Most tokens held (window). */
  windowTokens?: number
  chunked?: boolean
  /** Bytes of a sequence (state). */
  stateBytes: number
  /** Parts of `stateBytes`: the convolution's window and the recurrent matrix. */
  convolutionBytes?: number
  recurrentBytes?: number
}

export interface CacheLayout {
  attentionTp: number
  /** Ranks that divide the heads of a growing cache, where they are fewer: the others hold other tokens of the same heads. */
  growingTp?: number
  format: CacheFormat
  /** Bytes of one latent row (MLA) or one compressed row (DeepSeek-V4), where the engine packs them its own way. */
  latentRowBytes?: (elements: number) => number
  compressedRowBytes?: (headDim: number, ropeHeadDim: number) => number
  /** Bytes of one index key of this width. */
  indexKeyBytes?: (elements: number) => number
  /** Layers that reuse another layer's selection get a cache of index keys all the same. */
  keysForSharedIndexers?: boolean
  /** Element of the recurrent state where the model does not fix it, and of the convolution's window. */
  stateElementBytes: number
  /** Element of the recurrent state that was asked for, whatever the model says. */
  askedStateElementBytes?: number
  convolutionElementBytes: number
  /** Tokens drafted ahead: convolution windows are longer by these. */
  speculativeTokens: number
}

export const ceilShare = (heads: number, ranks: number): number => Math.max(1, Math.ceil(heads / ranks))

const growing = (content: CachePart['content'], bytesPerToken: number, tokensPerRow = 1): CachePart => ({
  content,
  growth: 'growing',
  bytesPerToken,
  tokensPerRow,
  stateBytes: 0,
})

const state = (convolutionBytes: number, recurrentBytes: number, tokensPerRow = 1): CachePart => ({
  content: 'state',
  growth: 'state',
  bytesPerToken: 0,
  tokensPerRow,
  stateBytes: convolutionBytes + recurrentBytes,
  convolutionBytes,
  recurrentBytes,
})

/** One fp8 key and an fp32 scale for each 128 elements: 132 bytes for 128 (vllm-project/vllm vllm/models/deepseek_v4/attention.py @ 0484480bc730). */
export const fp8IndexKeyBytes = (elements: number): number => elements + 4 * Math.ceil(elements / 128)

const stateElementBytes = ({askedStateElementBytes, stateElementBytes: usual}: CacheLayout, own?: number): number => askedStateElementBytes ?? own ?? usual

/** Parts of the cache of one mixer. Formulas and sources: docs/kv-cache.md. */
export function mixerCache(mixer: Mixer, layout: CacheLayout): CachePart[] {
  const tp = layout.attentionTp
  const element = layout.format.elementBytes
  switch (mixer.kind) {
    case 'full': {
      if (mixer.sharesKvCache) return []
      const heads = ceilShare(mixer.kvHeadCount, mixer.window ? tp : (layout.growingTp ?? tp))
      const bytesPerToken = heads * ((mixer.headDim + (mixer.valueHeadDim ?? mixer.headDim)) * element + layout.format.scaleBytesPerHead)
      const parts: CachePart[] = mixer.window
        ? [
            {
              content: 'key-value',
              growth: 'window',
              bytesPerToken,
              tokensPerRow: 1,
              windowTokens: mixer.window.tokens,
              chunked: mixer.window.kind === 'chunked',
              stateBytes: 0,
            },
          ]
        : [growing('key-value', bytesPerToken)]
      if (mixer.blockSparse) {
        const {indexHeadDim, tokensPerKey = 1} = mixer.blockSparse
        parts.push(growing('index-key', (indexHeadDim * element) / tokensPerKey, tokensPerKey))
      }
      return parts
    }
    case 'mla': {
      const elements = mixer.cachedElements ?? mixer.kvLoraRank + mixer.ropeHeadDim
      const rowBytes = layout.latentRowBytes?.(elements) ?? elements * element
      const parts: CachePart[] = mixer.window
        ? [{content: 'latent', growth: 'window', bytesPerToken: rowBytes, tokensPerRow: 1, windowTokens: mixer.window.tokens, stateBytes: 0}]
        : [growing('latent', rowBytes)]
      if (mixer.indexer && (!mixer.indexer.shared || layout.keysForSharedIndexers)) {
        const {headDim, tokensPerKey = 1} = mixer.indexer
        parts.push(growing('index-key', (layout.indexKeyBytes ?? fp8IndexKeyBytes)(headDim) / tokensPerKey, tokensPerKey))
      }
      return parts
    }
    case 'compressed': {
      const row = layout.compressedRowBytes?.(mixer.headDim, mixer.ropeHeadDim) ?? mixer.headDim * element
      const parts: CachePart[] = [
        {content: 'compressed', growth: 'window', bytesPerToken: row, tokensPerRow: 1, windowTokens: mixer.windowTokens, stateBytes: 0},
      ]
      const ratio = mixer.compressionRatio
      if (ratio > 0) {
        const wide = compressorOverlap(ratio)
        const open = (headDim: number) => state(0, ratio * wide * 2 * wide * headDim * 4, ratio)
        parts.push(growing('compressed', row / ratio, ratio))
        if (ratio > 1) parts.push(open(mixer.headDim))
        if (mixer.indexer) {
          parts.push(growing('index-key', (layout.indexKeyBytes ?? fp8IndexKeyBytes)(mixer.indexer.headDim) / ratio, ratio))
          // DeepSeek-V4.1 makes its index keys of the compressed rows (vllm/models/deepseek_v41/attention.py, 0.30.0).
          if (ratio > 2) parts.push(open(mixer.indexer.headDim))
        }
      }
      return parts
    }
    case 'gated-delta-net': {
      const valueHeads = ceilShare(mixer.valueHeadCount, tp)
      const width = (2 * mixer.keyHeadCount * mixer.keyHeadDim + mixer.valueHeadCount * mixer.valueHeadDim) / tp
      return [
        state(
          width * (mixer.convKernelTokens - 1 + layout.speculativeTokens) * layout.convolutionElementBytes,
          valueHeads * mixer.valueHeadDim * mixer.keyHeadDim * stateElementBytes(layout, mixer.stateElementBytes),
        ),
      ]
    }
    case 'kimi-delta': {
      const heads = ceilShare(mixer.headCount, tp)
      return [
        state(
          3 * heads * mixer.headDim * (mixer.convKernelTokens - 1 + layout.speculativeTokens) * layout.convolutionElementBytes,
          heads * mixer.headDim * mixer.headDim * 4,
        ),
      ]
    }
    case 'lightning':
      return [state(0, ceilShare(mixer.headCount, tp) * mixer.headDim * mixer.headDim * stateElementBytes(layout))]
    case 'mamba2': {
      const inner = (mixer.headCount * mixer.headDim) / tp
      // Groups that the ranks do not divide are repeated until they do (vllm-project/vllm vllm/model_executor/layers/mamba/mamba_utils.py @ 02d710837549).
      const groups = mixer.groupCount % tp === 0 ? mixer.groupCount / tp : 1
      return [
        state(
          (inner + 2 * groups * mixer.stateSize) * (mixer.convKernelTokens - 1 + layout.speculativeTokens) * layout.convolutionElementBytes,
          inner * mixer.stateSize * stateElementBytes(layout, mixer.stateElementBytes),
        ),
      ]
    }
    case 'mamba1':
      return [
        state(
          (mixer.innerSize / tp) * (mixer.convKernelTokens - 1) * layout.convolutionElementBytes,
          (mixer.innerSize / tp) * mixer.stateSize * stateElementBytes(layout),
        ),
      ]
    case 'short-conv':
      return [state((mixer.channelCount / tp) * (mixer.convKernelTokens - 1) * layout.convolutionElementBytes, 0)]
  }
}

export const layerCache = (kind: LayerKind, layout: CacheLayout): CachePart[] => kind.mixers.flatMap((mixer) => mixerCache(mixer, layout))

export interface CacheTotals {
  /** Bytes that one more token of a sequence adds, beyond every window. */
  growingBytesPerToken: number
  /** Bytes per token while within the windows, on top. */
  windowBytesPerToken: number
  stateBytesPerSequence: number
}

/** Sums over layers `first` to `last`: content of the cache on one rank, before any engine's paging. */
export function cacheTotals(architecture: Architecture, layout: CacheLayout, first = 0, last = architecture.layerSequence.length): CacheTotals {
  const totals: CacheTotals = {growingBytesPerToken: 0, windowBytesPerToken: 0, stateBytesPerSequence: 0}
  const parts = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  for (let layer = first; layer < last; layer++)
    for (const part of parts[architecture.layerSequence[layer]!]!) {
      if (part.growth === 'growing') totals.growingBytesPerToken += part.bytesPerToken
      else if (part.growth === 'window') totals.windowBytesPerToken += part.bytesPerToken
      totals.stateBytesPerSequence += part.stateBytes
    }
  return totals
}

/** Content of the cache of one sequence of `tokens`, in bytes on one rank. */
export function sequenceBytes(architecture: Architecture, layout: CacheLayout, tokens: number): number {
  const parts = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  let bytes = 0
  for (const index of architecture.layerSequence)
    for (const part of parts[index]!) bytes += part.bytesPerToken * Math.min(tokens, part.windowTokens ?? tokens) + part.stateBytes
  return bytes
}
