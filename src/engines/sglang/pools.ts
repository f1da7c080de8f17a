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
 * ping-pong buffer that the overlap schedule gets from 0.5.14 on (_calculate_mamba_ratio, mamba_radix_cache_strategy "auto").
 */
export const stateSlotsPerRequest = (version: string): number => (isAtLeast(version, '0.5.14') ? 5 : 3)

/** Layers whose cache a draft adds, each as wide as one of the model's (eagle_draft_num_layers). */
export interface DraftPool {
  layerCount: number
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
}

export interface Pools {
  tokens: number
  /** Bytes that one token of the reported capacity costs. */
  bytesPerToken: number
  windowTokens?: number
  stateSlots?: number
  /** All pools that hold a fixed number of states. */
  stateBytes: number
  because: string
}

const sum = (parts: readonly CachePart[], growth: CachePart['growth']): number => parts.reduce((total, part) => total + (part.growth === growth ? part.bytesPerToken : 0), 0)
const toPages = (tokens: number, pageTokens: number): number => Math.max(0, Math.floor(tokens / pageTokens) * pageTokens)

/** Layers that own a growing cache: an index key belongs to the layer of its latent row. */
const growingLayers = (parts: readonly CachePart[]): number => parts.filter((part) => part.growth === 'growing' && part.content !== 'index-key').length

export function sglangPools(question: PoolQuestion): Pools {
  const {parts, availableBytes, pageTokens, draft} = question
  if (parts.some((part) => part.content === 'compressed')) return compressedPools(question)
  const slotBytes = parts.reduce((total, part) => total + part.stateBytes, 0)
  const states = slotBytes > 0 ? statePool(question, slotBytes) : undefined
  const stateBytes = states?.bytes ?? 0
  const full = sum(parts, 'growing')
  const window = sum(parts, 'window')
  const layers = growingLayers(parts)
  // A draft's layers are priced like the model's own full layers.
  const drafted = draft && layers > 0 ? (full / layers) * draft.layerCount : 0
  const bytesPerToken = full > 0 ? full + drafted + WINDOW_TO_FULL_TOKENS * window : window
  const tokens = bytesPerToken > 0 ? toPages((availableBytes - stateBytes) / bytesPerToken, pageTokens) : Math.max(0, availableBytes)
  const words = [`${full + window} bytes for a token in all layers`]
  if (drafted > 0) words.push(`${Math.round(drafted)} more in the draft`)
  if (window > 0 && full > 0) words.push(`a window pool of ${WINDOW_TO_FULL_TOKENS} of the full pool's tokens`)
  if (states) words.push(`${states.slots} state slots of ${slotBytes} bytes first (${STATE_TO_KV_RATIO} of the KV memory)`)
  return {
    tokens,
    bytesPerToken,
    windowTokens: window > 0 && full > 0 ? toPages(tokens * WINDOW_TO_FULL_TOKENS, pageTokens) : undefined,
    stateSlots: states?.slots,
    stateBytes,
    because: words.join('; '),
  }
}

/**
 * Slots of recurrent states and what they take with the states of a draft's tokens (handle_max_mamba_cache): the share of the ratio
 * covers both, a verification buffer for each request that can run.
 */
function statePool({version, availableBytes, draft, maxNumSeqs}: PoolQuestion, slotBytes: number): {slots: number; bytes: number} {
  const budget = (Math.max(0, availableBytes) * STATE_TO_KV_RATIO) / (1 + STATE_TO_KV_RATIO)
  const perRequest = stateSlotsPerRequest(version)
  const verified = draft?.tokens ?? 0
  const slots = Math.floor(budget / (slotBytes * (1 + verified / perRequest)))
  const buffered = verified > 0 ? Math.min(maxNumSeqs, Math.floor(slots / perRequest)) * verified : 0
  // One slot is kept for padding.
  return {slots: Math.max(0, slots - 1), bytes: (slots + buffered) * slotBytes}
}

/**
 * DeepSeek-V4: one price for a token over all pools. States are rings of slots for each page of the window pool; from 0.5.15 the
 * ratio-128 compressor's are kept for each request instead. A draft raises the price by one layer's share and doubles the rings.
 */
function compressedPools({version, parts, availableBytes, pageTokens, maxNumSeqs, draft}: PoolQuestion): Pools {
  const ratio = COMPRESSED_WINDOW_TO_FULL_TOKENS
  const rings = draft ? 2 : 1
  const windowTokens = parts.find((part) => part.windowTokens)?.windowTokens ?? 128
  const states = parts.filter((part) => part.growth === 'state')
  const isCoarse = (part: CachePart) => part.tokensPerRow >= COARSE_RING
  const perRequest = isAtLeast(version, '0.5.15')
  const ringed = states.filter((part) => !perRequest || !isCoarse(part)).reduce((total, part) => total + part.stateBytes * rings, 0)
  const layers = parts.filter((part) => part.growth === 'window').length
  const bytesPerToken = (ratio * sum(parts, 'window') + sum(parts, 'growing') + (ratio / windowTokens) * ringed) * (draft && layers > 0 ? (layers + 1) / layers : 1)
  // (requests + 1) rings, one ring more and a row, in rows of 128.
  const rows = Math.ceil(((maxNumSeqs + 2) * COARSE_RING * rings + 1) / 128) * 128
  const fixed = perRequest ? states.filter(isCoarse).reduce((total, part) => total + part.stateBytes / COARSE_RING, 0) * rows : 0
  const tokens = toPages(Math.max(0, availableBytes - fixed) / bytesPerToken, pageTokens)
  return {tokens, bytesPerToken, windowTokens: toPages(tokens * ratio, pageTokens), stateBytes: fixed, because: `${bytesPerToken.toFixed(2)} bytes for a token over the full, window, index and state pools`}
}
