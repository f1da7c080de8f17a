/**
 * SGLang's pools: how many tokens the memory left for caches holds.
 *
 * Source: python/sglang/srt/model_executor/pool_configurator.py (from 0.5.11) and model_executor/model_runner_kv_cache_mixin.py, from 0.5.16
 * mem_cache/kv_cache_configurator.py; earlier releases keep the same arithmetic in model_runner.py. Read in every release up to 0.5.23.
 */
import type {CachePart} from '../../core/kv-cache.ts'
import {isAtLeast} from '../versions.ts'
import {dictionary} from '../../core/dictionary.ts'

/** --mamba-full-memory-ratio: state memory to KV memory. */
const STATE_TO_KV_RATIO = 0.9
/** --swa-full-tokens-ratio: tokens of the window pool to those of the full pool; less for DeepSeek-V4 and Inkling (arg_groups/overrides.py, from 0.5.19 model_overrides). */
const WINDOW_TO_FULL_TOKENS = 0.8
const SMALL_WINDOW_TO_FULL_TOKENS = 0.1

const windowRatio = ({className = '', windowPoolRatio}: PoolQuestion): number =>
  windowPoolRatio ?? (className.startsWith('Inkling') ? SMALL_WINDOW_TO_FULL_TOKENS : WINDOW_TO_FULL_TOKENS)

/** Slots of a ratio-128 compressor's ring; twice as many under speculation. */
const COARSE_RING = 128

/**
 * Classes whose prefix tree keeps recurrent states in a buffer of two for each request, with their first release
 * (_support_mamba_cache_extra_buffer, from 0.5.15 arg_groups/overrides.py _MAMBA_EXTRA_BUFFER_ARCHS); the others keep none.
 */
const BUFFERED_STATES: Record<string, string> = dictionary({
  BailingMoeV2_5ForCausalLM: '0.5.14',
  FalconH1ForCausalLM: '0.5.14',
  GraniteMoeHybridForCausalLM: '0.5.14',
  KimiK3ForConditionalGeneration: '0.5.17',
  KimiLinearForCausalLM: '0.5.16',
  NemotronHForCausalLM: '0.5.14',
  NemotronHPuzzleForCausalLM: '0.5.14',
  Qwen3NextForCausalLM: '0.5.14',
  Qwen3_5ForConditionalGeneration: '0.5.14',
  Qwen3_5MoeForConditionalGeneration: '0.5.14',
})

/** The same where the strategy is given (--mamba-radix-cache-strategy, before 0.5.14 --mamba-scheduler-strategy). */
const SLOTS_BY_STRATEGY: Record<string, number> = dictionary({no_buffer: 3, extra_buffer: 5, extra_buffer_lazy: 4})

/**
 * State slots that one running request can take: its own, the prefix tree's checkpoint and one in flight; two more for the
 * ping-pong buffer of the classes above (_calculate_mamba_ratio). Without the prefix tree only its own.
 */
export function stateSlotsPerRequest({
  version,
  prefixCaching = true,
  className = '',
  stateStrategy = '',
}: Pick<PoolQuestion, 'version' | 'prefixCaching' | 'className' | 'stateStrategy'>): number {
  if (!prefixCaching) return 1
  const asked = SLOTS_BY_STRATEGY[stateStrategy]
  if (asked !== undefined) return asked
  const since = BUFFERED_STATES[className]
  return since !== undefined && isAtLeast(version, since) ? 5 : 3
}

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
  className?: string
  /** How the prefix tree keeps recurrent states, where it is given. */
  stateStrategy?: string
  /** Cache parts of every layer of a rank, drafts left out. */
  parts: readonly CachePart[]
  availableBytes: number
  pageTokens: number
  /** Requests that run at once on this rank: states for them are kept by DeepSeek-V4, and for drafts of recurrent models. */
  maxNumSeqs: number
  /** They were asked for, or filled in by the engine before the pools are sized; else they follow from the pool. */
  requestsKnown?: boolean
  /** Tokens of a prefill step of this rank. */
  chunkTokens?: number
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
  /** The pool of windows cannot hold one request: the server does not start. */
  windowShortage?: {tokens: number; neededTokens: number}
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
 * Price of a token of the full pool where windows have their own. Before 0.5.9 all layers count at the full layers' width, windows of
 * another width once more, and the sum is shared out by layers (set_num_tokens_hybrid_swa).
 */
function windowPrice(question: PoolQuestion, fullLayerBytes: number): number {
  const {version, parts} = question
  const ratio = windowRatio(question)
  const windows = parts.filter((part) => part.growth === 'window')
  const window = sum(parts, 'window')
  const full = sum(parts, 'growing')
  if (isAtLeast(version, '0.5.9')) return full + ratio * window
  const fullLayers = growingLayers(parts, true)
  const layers = fullLayers + windows.length
  const cell = layers * fullLayerBytes + (window === windows.length * fullLayerBytes ? 0 : window)
  return (cell * (ratio * windows.length + fullLayers)) / layers
}

/** Tokens between two evictions out of the windows (SGLANG_SWA_EVICTION_INTERVAL). */
const EVICTION_TOKENS = 128

/** Tokens of the window pool that the requests which may run can hold at once (0.5.14 SWAChunkCapPoolConfigurator, 0.5.21 compute_swa_request_cap). */
function windowTokensHeld({pageTokens, maxNumSeqs, draft, chunkTokens = 0}: PoolQuestion, windowTokens: number): number {
  const verified = draft?.tokens ?? 1
  const eachRequest = windowTokens + EVICTION_TOKENS * verified + pageTokens + (draft ? 2 * verified : pageTokens)
  return eachRequest * maxNumSeqs + 2 * chunkTokens + pageTokens
}

const upToPages = (tokens: number, pageTokens: number): number => Math.ceil(tokens / pageTokens) * pageTokens

const largestWindow = (parts: readonly CachePart[]): number => Math.max(0, ...parts.map(({windowTokens}) => windowTokens ?? 0))

/** A window pool that holds no more than the window and a page admits no request, and from 0.5.20 ends the start (validate_swa_pool_size). */
function windowShortage({version, parts, pageTokens}: PoolQuestion, tokens: number): Pools['windowShortage'] {
  const neededTokens = largestWindow(parts) + pageTokens + 1
  return isAtLeast(version, '0.5.20') && tokens < neededTokens ? {tokens, neededTokens} : undefined
}

/**
 * Layers of a draft are priced like the model's own full layers; from 0.5.18 each has an index key where the model's may share theirs
 * (pool_configurator.py _compute_dsa_indexer_cell_size).
 */
function draftPrice({version, parts}: PoolQuestion, draft: DraftPool, fullBytes: number, layers: number): number {
  const keys = parts.filter(({content}) => content === 'index-key')
  if (keys.length === 0 || !isAtLeast(version, '0.5.18')) return (fullBytes / layers) * draft.layerCount
  const keyBytes = keys.reduce((total, part) => total + part.bytesPerToken, 0)
  return ((fullBytes - keyBytes) / layers + Math.max(...keys.map((part) => part.bytesPerToken))) * draft.layerCount
}

export function sglangPools(question: PoolQuestion): Pools {
  const {parts, availableBytes, pageTokens, draft, mostTokens = Number.POSITIVE_INFINITY} = question
  const windowPoolRatio = windowRatio(question)
  if (parts.some((part) => part.content === 'compressed')) return compressedPools(question)
  const slotBytes = parts.reduce((total, part) => total + part.stateBytes, 0)
  const states = slotBytes > 0 ? statePool(question, slotBytes) : undefined
  const stateBytes = states?.bytes ?? 0
  const window = question.windowPool ? sum(parts, 'window') : 0
  const full = sum(parts, 'growing') + (question.windowPool ? 0 : sum(parts, 'window'))
  const layers = growingLayers(parts, question.windowPool)
  const drafted = draft && layers > 0 && countsDraft(question.version, draft, window > 0) ? draftPrice(question, draft, full, layers) : 0
  const hasWindows = window > 0 && full > 0
  // Without a prefix tree the windows are as many as the requests that may run can hold, and the rest is for the full layers.
  const held =
    hasWindows && isAtLeast(question.version, '0.5.14') && question.prefixCaching === false && question.requestsKnown
      ? upToPages(windowTokensHeld(question, largestWindow(parts)), pageTokens)
      : undefined
  const bytesPerToken = full > 0 ? drafted + (hasWindows && held === undefined ? windowPrice(question, full / layers) : full) : window
  const forTokens = availableBytes - stateBytes - (held ?? 0) * window
  const tokens = bytesPerToken > 0 ? toPages(Math.min(forTokens / bytesPerToken, mostTokens), pageTokens) : Math.max(0, availableBytes)
  const windowTokens = hasWindows ? (held ?? toPages(tokens * windowPoolRatio, pageTokens)) : undefined
  const words = [`${full + window} bytes for a token in all layers`]
  if (drafted > 0) words.push(`${Math.round(drafted)} more in the draft`)
  if (held !== undefined) words.push(`windows of ${held} tokens for ${question.maxNumSeqs} requests`)
  else if (hasWindows) words.push(`a window pool of ${windowPoolRatio} of the full pool's tokens`)
  if (states) words.push('what the state pool leaves')
  return {
    tokens,
    bytesPerToken,
    windowTokens,
    ...(windowTokens !== undefined && held === undefined && tokens > 0 && {windowShortage: windowShortage(question, windowTokens)}),
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
 * covers both, a verification buffer for each request that can run. From 0.5.17 a slot and a buffer for padding are paid for too.
 */
function statePool(question: PoolQuestion, slotBytes: number): {slots: number; buffered: number; bytes: number; because: string} {
  const {version, availableBytes, draft, maxNumSeqs, statePoolRatio: ratio = STATE_TO_KV_RATIO, fixedStateSlots} = question
  const budget = (Math.max(0, availableBytes) * ratio) / (1 + ratio)
  const perRequest = stateSlotsPerRequest(question)
  const verified = draft?.tokens ?? 0
  const padding = isAtLeast(version, '0.5.17') ? 1 : 0
  if (fixedStateSlots !== undefined) {
    // As many as were asked for and one for padding, whatever they leave to the cache (_handle_max_mamba_cache, 0.5.18).
    const fixedBuffered = verified > 0 ? (Math.min(maxNumSeqs, Math.floor(fixedStateSlots / perRequest)) + padding) * verified : 0
    return {
      slots: fixedStateSlots,
      buffered: fixedBuffered,
      bytes: (fixedStateSlots + padding + fixedBuffered) * slotBytes,
      because: 'as many as are asked for',
    }
  }
  const slots = Math.max(0, Math.floor((budget - padding * slotBytes * (1 + verified)) / (slotBytes * (1 + verified / perRequest))))
  const buffered = verified > 0 ? (Math.min(maxNumSeqs, Math.floor(slots / perRequest)) + padding) * verified : 0
  return {slots, buffered, bytes: (slots + padding + buffered) * slotBytes, because: `${ratio} of the KV memory`}
}

/** Bytes of a row of DeepSeek-V4's cache in a page of as many rows: pages are filled up to whole rows of 576 bytes (0.5.21 KVLayout.page_bytes). */
const pagedRow = (rowBytes: number, rows: number): number => (Math.ceil((rowBytes * rows) / 576) * 576) / rows

/** Bytes of a token with the padding of its page, which is priced from 0.5.21 on. */
function pricedBytes({version, pageTokens}: PoolQuestion, {content, bytesPerToken, tokensPerRow}: CachePart): number {
  if (content !== 'compressed' || !isAtLeast(version, '0.5.21')) return bytesPerToken
  return pagedRow(bytesPerToken * tokensPerRow, pageTokens / tokensPerRow) / tokensPerRow
}

/**
 * DeepSeek-V4: one price for a token over all pools. States are rings of slots for each window, from 0.5.21 for each page, of the window
 * pool; from 0.5.15 the ratio-128 compressor's are kept for each request instead. A draft raises the price by one layer's share and
 * doubles the rings.
 *
 * From 0.5.21 the window pool is as large as the requests that may run can hold, with the ends of four cached prompts for each, unless
 * its ratio is given (_resolve_swa_cap_tokens): a fixed part of memory, and no part of the price.
 */
function compressedPools(question: PoolQuestion): Pools {
  const {version, parts, availableBytes, pageTokens, maxNumSeqs, draft, windowPoolRatio, mostTokens} = question
  const ratio = windowPoolRatio ?? SMALL_WINDOW_TO_FULL_TOKENS
  const rings = draft ? 2 : 1
  const windowTokens = parts.find((part) => part.windowTokens)?.windowTokens ?? 128
  const states = parts.filter((part) => part.growth === 'state')
  const isCoarse = (part: CachePart) => part.tokensPerRow >= COARSE_RING
  const perRequest = isAtLeast(version, '0.5.15')
  const byRequests = isAtLeast(version, '0.5.21')
  const priced = (growth: CachePart['growth']) => parts.reduce((total, part) => total + (part.growth === growth ? pricedBytes(question, part) : 0), 0)
  const ringed = states.filter((part) => !perRequest || !isCoarse(part)).reduce((total, part) => total + part.stateBytes * rings, 0)
  const layers = parts.filter((part) => part.growth === 'window').length
  const raised = draft && layers > 0 ? (layers + 1) / layers : 1
  const windowBytes = (priced('window') + ringed / (byRequests ? pageTokens : windowTokens)) * raised
  const tails = question.prefixCaching === false ? 0 : 4 * maxNumSeqs * (windowTokens + pageTokens)
  const held = byRequests && windowPoolRatio === undefined ? upToPages(windowTokensHeld(question, windowTokens) + tails, pageTokens) : undefined
  const bytesPerToken = priced('growing') * raised + (held === undefined ? ratio * windowBytes : 0)
  // (requests + 1) rings, one ring more and a row, in rows of 128.
  const rows = Math.ceil(((maxNumSeqs + 2) * COARSE_RING * rings + 1) / 128) * 128
  const coarse = perRequest ? states.filter(isCoarse).reduce((total, part) => total + part.stateBytes / COARSE_RING, 0) * rows : 0
  const fixed = coarse + (held ?? 0) * windowBytes
  const tokens = toPages(Math.min(Math.max(0, availableBytes - fixed) / bytesPerToken, mostTokens ?? Number.POSITIVE_INFINITY), pageTokens)
  const poolTokens = held ?? toPages(tokens * ratio, pageTokens)
  return {
    tokens,
    bytesPerToken,
    windowTokens: poolTokens,
    ...(held === undefined && tokens > 0 && {windowShortage: windowShortage(question, poolTokens)}),
    stateBytes: fixed,
    stateBecause: `rings of ${rows} rows of the coarse compressors${held === undefined ? '' : ` and windows of ${held} tokens`} for ${maxNumSeqs} requests`,
    because: `${bytesPerToken.toFixed(2)} bytes for a token over the ${held === undefined ? 'full, window, index and state' : 'full and index'} pools`,
  }
}
