/**
 * SGLang's pools: how many tokens the memory left for caches holds.
 *
 * Source: python/sglang/srt/model_executor/pool_configurator.py and mem_cache/kv_cache_configurator.py (0.5.18); earlier releases
 * keep the same arithmetic in model_executor/model_runner_kv_cache_mixin.py.
 */
import type {CachePart} from '../../core/kv-cache.ts'
import {isAtLeast} from '../versions.ts'

/** --mamba-full-memory-ratio: state memory to KV memory. */
const STATE_TO_KV_RATIO = 0.9
/** --swa-full-tokens-ratio: tokens of the window pool to those of the full pool; 0.1 for DeepSeek-V4 (arg_groups/overrides.py). */
const WINDOW_TO_FULL_TOKENS = 0.8
const COMPRESSED_WINDOW_TO_FULL_TOKENS = 0.1
/** State slots that one running request can take: its own, the prefix tree's checkpoint and one in flight (MAMBA_CACHE_SIZE_MAX_RUNNING_REQUESTS_RATIO). */
export const STATE_SLOTS_PER_REQUEST = 3

export interface PoolQuestion {
  version: string
  /** Cache parts of every layer of a rank. */
  parts: readonly CachePart[]
  availableBytes: number
  pageTokens: number
  /** Requests to keep compressor states for (DeepSeek-V4). */
  maxNumSeqs: number
}

export interface Pools {
  tokens: number
  /** Bytes that one token of the reported capacity costs. */
  bytesPerToken: number
  windowTokens?: number
  stateSlots?: number
  stateBytes: number
  because: string
}

const sum = (parts: readonly CachePart[], growth: CachePart['growth']): number => parts.reduce((total, part) => total + (part.growth === growth ? part.bytesPerToken : 0), 0)
const toPages = (tokens: number, pageTokens: number): number => Math.max(0, Math.floor(tokens / pageTokens) * pageTokens)

export function sglangPools(question: PoolQuestion): Pools {
  const {parts, availableBytes, pageTokens} = question
  if (parts.some((part) => part.content === 'compressed')) return compressedPools(question)
  const slotBytes = parts.reduce((total, part) => total + part.stateBytes, 0)
  // The state pool has one slot beside the counted ones, for padding.
  const stateSlots = slotBytes > 0 ? Math.max(0, Math.floor((availableBytes * STATE_TO_KV_RATIO) / (1 + STATE_TO_KV_RATIO) / slotBytes) - 1) : undefined
  const stateBytes = stateSlots === undefined ? 0 : (stateSlots + 1) * slotBytes
  const full = sum(parts, 'growing')
  const window = sum(parts, 'window')
  const bytesPerToken = full > 0 ? full + WINDOW_TO_FULL_TOKENS * window : window
  const tokens = bytesPerToken > 0 ? toPages((availableBytes - stateBytes) / bytesPerToken, pageTokens) : Math.max(0, availableBytes)
  const words = [`${full + window} bytes for a token in all layers`]
  if (window > 0 && full > 0) words.push(`a window pool of ${WINDOW_TO_FULL_TOKENS} of the full pool's tokens`)
  if (stateSlots !== undefined) words.push(`${stateSlots} state slots of ${slotBytes} bytes first (${STATE_TO_KV_RATIO} of the KV memory)`)
  return {
    tokens,
    bytesPerToken,
    windowTokens: window > 0 && full > 0 ? toPages(tokens * WINDOW_TO_FULL_TOKENS, pageTokens) : undefined,
    stateSlots,
    stateBytes,
    because: words.join('; '),
  }
}

/**
 * DeepSeek-V4: one price for a token over all pools. States are rings of a slot for each page of the window pool; from 0.5.16 the
 * ratio-128 compressor's are kept for each request instead.
 */
function compressedPools({version, parts, availableBytes, pageTokens, maxNumSeqs}: PoolQuestion): Pools {
  const ratio = COMPRESSED_WINDOW_TO_FULL_TOKENS
  const windowTokens = parts.find((part) => part.windowTokens)?.windowTokens ?? 128
  const states = parts.filter((part) => part.growth === 'state')
  const perRequest = isAtLeast(version, '0.5.16')
  // The state of a ratio-128 compressor: 128 slots of K and score.
  const coarse = perRequest ? states.filter((part) => part.stateBytes >= 128 * 2 * 4 * 64) : []
  const ringed = states.filter((part) => !coarse.includes(part)).reduce((total, part) => total + part.stateBytes, 0)
  const bytesPerToken = ratio * sum(parts, 'window') + sum(parts, 'growing') + (ratio / windowTokens) * ringed
  const fixed = coarse.reduce((total, part) => total + part.stateBytes, 0) * (maxNumSeqs + 2)
  const tokens = toPages(Math.max(0, availableBytes - fixed) / bytesPerToken, pageTokens)
  return {tokens, bytesPerToken, windowTokens: toPages(tokens * ratio, pageTokens), stateBytes: fixed, because: `${bytesPerToken.toFixed(2)} bytes for a token over the full, window, index and state pools`}
}
