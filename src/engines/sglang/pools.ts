/**
 * SGLang's pools: how many tokens the memory left for caches holds.
 *
 * Source: python/sglang/srt/model_executor/pool_configurator.py and model_executor/model_runner_kv_cache_mixin.py (0.5.15),
 * mem_cache/kv_cache_configurator.py (0.5.18); earlier releases keep the same arithmetic in the mixin.
 */
import type {CachePart} from '../../core/kv-cache.ts'
import {isAtLeast} from '../versions.ts'

/** --mamba-full-memory-ratio: state memory to KV memory. */
const STATE_TO_KV_RATIO = 0.9
/** --swa-full-tokens-ratio: tokens of the window pool to those of the full pool; 0.1 for DeepSeek-V4 (arg_groups/overrides.py). */
const WINDOW_TO_FULL_TOKENS = 0.8
const COMPRESSED_WINDOW_TO_FULL_TOKENS = 0.1
/** Slots of a ratio-128 compressor's ring; twice as many under speculation. */
const COARSE_RING = 128

/**
 * State slots that one running request can take: its own, the prefix tree's checkpoint and one in flight; two more for the
 * ping-pong buffer that the overlap schedule gets from 0.5.14 on (_calculate_mamba_ratio, mamba_radix_cache_strategy "auto"). Without
 * the prefix tree only its own.
 */
export const stateSlotsPerRequest = (version: string, prefixCaching = true): number => (!prefixCaching ? 1 : isAtLeast(version, '0.5.14') ? 5 : 3)

/** Layers whose cache a draft adds, each as wide as one of the model's (eagle_draft_num_layers). */
export interface DraftPool {
  layerCount: number
  /** It drafts a block at once and is a model of its own (DFlash). */
  block?: boolean
  /** Tokens verified at once: recurrent layers keep a state for each. */
  tokens: number
}

export interface PoolQuestion {
  version: string
  /** Cache parts of every layer of a rank, drafts left out. */
  parts: readonly CachePart[]
  availableBytes: number
  pageTokens: number
  /** Requests that run at once: states for them are kept by DeepSeek-V4, and for drafts of recurrent models. */
  maxNumSeqs: number
  draft?: DraftPool
  /** Window layers have a pool of their own; else they keep every token. */
  windowPool: boolean
  /** `--swa-full-tokens-ratio`, where it is given. */
  windowPoolRatio?: number
  /** `--mamba-full-memory-ratio`, where it is given. */
  statePoolRatio?: number
  /** Slots of states that are fixed: `--max-mamba-cache-size`, or without a prefix tree the requests that may run. */
  fixedStateSlots?: number
  /** false: `--disable-radix-cache`. Default: true. */
  prefixCaching?: boolean
  /** `--max-total-tokens`: never more than these (_apply_token_constraints, 0.5.18). */
  mostTokens?: number
}

export interface Pools {
  tokens: number
  /** Bytes that one token of the reported capacity costs. */
  bytesPerToken: number
  windowTokens?: number
  stateSlots?: number
  /** All pools that hold a fixed number of states. */
  stateBytes: number
  stateBecause: string
  because: string
}

const sum = (parts: readonly CachePart[], growth: CachePart['growth']): number =>
  parts.reduce((total, part) => total + (part.growth === growth ? part.bytesPerToken : 0), 0)
const toPages = (tokens: number, pageTokens: number): number => Math.max(0, Math.floor(tokens / pageTokens) * pageTokens)

/** Layers that own a growing cache: an index key belongs to the layer of its latent row. */
const growingLayers = (parts: readonly CachePart[], windowPool: boolean): number =>
  parts.filter((part) => (part.growth === 'growing' || (!windowPool && part.growth === 'window')) && part.content !== 'index-key').length

/** Releases whose price of a token knows a draft: a block drafter from 0.5.11, beside window pools from 0.5.18; others from 0.5.14. */
function countsDraft(version: string, {block}: DraftPool, windows: boolean): boolean {
  if (!block) return isAtLeast(version, '0.5.14')
  return isAtLeast(version, windows ? '0.5.18' : '0.5.11')
}

/**
 * Price of a token of the full pool where windows have their own. Before 0.5.11 all layers count at the full layers' width, windows of
 * another width once more, and the sum is shared out by layers (set_num_tokens_hybrid_swa).
 */
function windowPrice({version, parts, windowPoolRatio: ratio = WINDOW_TO_FULL_TOKENS}: PoolQuestion, fullLayerBytes: number): number {
  const windows = parts.filter((part) => part.growth === 'window')
  const window = sum(parts, 'window')
  const full = sum(parts, 'growing')
  if (isAtLeast(version, '0.5.11')) return full + ratio * window
  const fullLayers = growingLayers(parts, true)
  const layers = fullLayers + windows.length
  const cell = layers * fullLayerBytes + (window === windows.length * fullLayerBytes ? 0 : window)
  return (cell * (ratio * windows.length + fullLayers)) / layers
}

export function sglangPools(question: PoolQuestion): Pools {
  const {parts, availableBytes, pageTokens, draft, mostTokens = Number.POSITIVE_INFINITY, windowPoolRatio = WINDOW_TO_FULL_TOKENS} = question
  if (parts.some((part) => part.content === 'compressed')) return compressedPools(question)
  const slotBytes = parts.reduce((total, part) => total + part.stateBytes, 0)
  const states = slotBytes > 0 ? statePool(question, slotBytes) : undefined
  const stateBytes = states?.bytes ?? 0
  const window = question.windowPool ? sum(parts, 'window') : 0
  const full = sum(parts, 'growing') + (question.windowPool ? 0 : sum(parts, 'window'))
  const layers = growingLayers(parts, question.windowPool)
  // A draft's layers are priced like the model's own full layers.
  const drafted = draft && layers > 0 && countsDraft(question.version, draft, window > 0) ? (full / layers) * draft.layerCount : 0
  const bytesPerToken = full > 0 ? drafted + (window > 0 ? windowPrice(question, full / layers) : full) : window
  const tokens = bytesPerToken > 0 ? toPages(Math.min((availableBytes - stateBytes) / bytesPerToken, mostTokens), pageTokens) : Math.max(0, availableBytes)
  const words = [`${full + window} bytes for a token in all layers`]
  if (drafted > 0) words.push(`${Math.round(drafted)} more in the draft`)
  if (window > 0 && full > 0) words.push(`a window pool of ${windowPoolRatio} of the full pool's tokens`)
  if (states) words.push('what the state pool leaves')
  return {
    tokens,
    bytesPerToken,
    windowTokens: window > 0 && full > 0 ? toPages(tokens * windowPoolRatio, pageTokens) : undefined,
    stateSlots: states?.slots,
    stateBytes,
    stateBecause: states
      ? `${states.slots} slots of ${slotBytes} bytes${states.buffered > 0 ? ` and ${states.buffered} for drafted tokens` : ''}: ${states.because}`
      : '',
    because: words.join('; '),
  }
}

/**
 * Slots of recurrent states and what they take with the states of a draft's tokens (handle_max_mamba_cache): the share of the ratio
 * covers both, a verification buffer for each request that can run.
 */
function statePool(
  {version, availableBytes, draft, maxNumSeqs, statePoolRatio: ratio = STATE_TO_KV_RATIO, fixedStateSlots, prefixCaching}: PoolQuestion,
  slotBytes: number,
): {slots: number; buffered: number; bytes: number; because: string} {
  const budget = (Math.max(0, availableBytes) * ratio) / (1 + ratio)
  const perRequest = stateSlotsPerRequest(version, prefixCaching)
  const verified = draft?.tokens ?? 0
  if (fixedStateSlots !== undefined) {
    // As many as were asked for and one for padding, whatever they leave to the cache (_handle_max_mamba_cache, 0.5.18).
    const fixedBuffered = verified > 0 ? (Math.min(maxNumSeqs, Math.floor(fixedStateSlots / perRequest)) + 1) * verified : 0
    return {slots: fixedStateSlots, buffered: fixedBuffered, bytes: (fixedStateSlots + 1 + fixedBuffered) * slotBytes, because: 'as many as are asked for'}
  }
  const slots = Math.floor(budget / (slotBytes * (1 + verified / perRequest)))
  const buffered = verified > 0 ? Math.min(maxNumSeqs, Math.floor(slots / perRequest)) * verified : 0
  // One slot is kept for padding.
  return {slots: Math.max(0, slots - 1), buffered, bytes: (slots + buffered) * slotBytes, because: `${ratio} of the KV memory`}
}

/**
 * DeepSeek-V4: one price for a token over all pools. States are rings of slots for each page of the window pool; from 0.5.15 the
 * ratio-128 compressor's are kept for each request instead. A draft raises the price by one layer's share and doubles the rings.
 */
function compressedPools({version, parts, availableBytes, pageTokens, maxNumSeqs, draft, windowPoolRatio, mostTokens}: PoolQuestion): Pools {
  const ratio = windowPoolRatio ?? COMPRESSED_WINDOW_TO_FULL_TOKENS
  const rings = draft ? 2 : 1
  const windowTokens = parts.find((part) => part.windowTokens)?.windowTokens ?? 128
  const states = parts.filter((part) => part.growth === 'state')
  const isCoarse = (part: CachePart) => part.tokensPerRow >= COARSE_RING
  const perRequest = isAtLeast(version, '0.5.15')
  const ringed = states.filter((part) => !perRequest || !isCoarse(part)).reduce((total, part) => total + part.stateBytes * rings, 0)
  const layers = parts.filter((part) => part.growth === 'window').length
  const bytesPerToken =
    (ratio * sum(parts, 'window') + sum(parts, 'growing') + (ratio / windowTokens) * ringed) * (draft && layers > 0 ? (layers + 1) / layers : 1)
  // (requests + 1) rings, one ring more and a row, in rows of 128.
  const rows = Math.ceil(((maxNumSeqs + 2) * COARSE_RING * rings + 1) / 128) * 128
  const fixed = perRequest ? states.filter(isCoarse).reduce((total, part) => total + part.stateBytes / COARSE_RING, 0) * rows : 0
  const tokens = toPages(Math.min(Math.max(0, availableBytes - fixed) / bytesPerToken, mostTokens ?? Number.POSITIVE_INFINITY), pageTokens)
  return {
    tokens,
    bytesPerToken,
    windowTokens: toPages(tokens * ratio, pageTokens),
    stateBytes: fixed,
    stateBecause: `rings of ${rows} rows of the coarse compressors for ${maxNumSeqs} requests`,
    because: `${bytesPerToken.toFixed(2)} bytes for a token over the full, window, index and state pools`,
  }
}
