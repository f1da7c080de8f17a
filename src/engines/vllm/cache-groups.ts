/**
 * vLLM's cache manager: how the layers' pages share one pool of equal blocks, and what it prints as capacity.
 *
 * Source: vllm/v1/core/kv_cache_utils.py and vllm/v1/kv_cache_interface.py of the releases named at each rule.
 */
import type {CachePart} from '../../core/kv-cache.ts'
import {isAtLeast} from '../versions.ts'

export interface GroupQuestion {
  version: string
  /** Cache parts of each layer of a stage, on one rank. */
  layers: readonly (readonly CachePart[])[]
  /** Tokens of a block before hybrid models raise it. */
  blockTokens: number
  maxNumBatchedTokens: number
  pipelineStages: number
  /** Draft tokens for each step: recurrent layers keep one more page for each. */
  speculativeTokens: number
  /** Hybrid models with prefix caching keep two state pages for each request ("align" mode). */
  prefixCaching: boolean
}

/** Layers with one table of blocks. */
interface Group {
  part: CachePart
  blockTokens: number
  layerCount: number
}

export interface CachePool {
  /** Bytes that one block takes over all layers of the stage. */
  blockBytes: number
  /** Tokens of a block of the layers that grow. */
  blockTokens: number
  groupCount: number
  /** Blocks that a request of this many tokens can come to hold. */
  blocksPerRequest(tokens: number): number
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/**
 * Tokens that may be scheduled and not yet settled. From 0.26.0 one batch for each concurrent step: two under asynchronous
 * scheduling, which is on without pipeline stages (VllmConfig.max_in_flight_tokens); before, one batch.
 */
const inFlightTokens = ({version, maxNumBatchedTokens, pipelineStages}: GroupQuestion): number =>
  maxNumBatchedTokens * (isAtLeast(version, '0.26.0') ? Math.max(2, pipelineStages) : 1)

/** Blocks of one group for a request. A window may start inside a block, hence one more. */
function groupBlocks(group: Group, tokens: number, question: GroupQuestion): number {
  const {part, blockTokens} = group
  if (part.growth === 'state') return (question.prefixCaching ? 2 : 1) + question.speculativeTokens
  if (part.growth === 'growing') return Math.ceil(tokens / blockTokens)
  const inFlight = inFlightTokens(question)
  if (part.chunked) return Math.ceil(Math.min(part.windowTokens! + inFlight, tokens) / blockTokens)
  return Math.ceil(Math.min(part.windowTokens! - 1 + inFlight, tokens) / blockTokens) + 1
}

/**
 * Pools layers whose caches differ. Layers with no cache of their own are left out.
 * Versions before 0.10.0 had no hybrid manager: windows were kept in full.
 */
export function cachePool(question: GroupQuestion): CachePool {
  const parts = question.layers.flat()
  if (parts.some((part) => part.content === 'compressed')) return compressedPool(question, parts)
  const hybrid = isAtLeast(question.version, '0.10.0')
  const effective = hybrid ? parts : parts.map((part) => (part.growth === 'window' ? {...part, growth: 'growing' as const} : part))
  const kinds = new Set(effective.map((part) => (part.growth === 'window' ? `window ${part.windowTokens}` : part.growth)))
  const only = effective[0]
  if (!only) return {blockBytes: 1, blockTokens: question.blockTokens, groupCount: 1, blocksPerRequest: () => 1}
  if (kinds.size === 1 && only.growth !== 'state') return uniformPool(question, effective)
  return hybridPool(question, effective)
}

/** One kind of layer, maybe of different widths: one group, each layer with its own page (UniformTypeKVCacheSpecs). */
function uniformPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const {blockTokens} = question
  const bytesPerToken = parts.reduce((sum, part) => sum + part.bytesPerToken, 0)
  const group: Group = {part: parts[0]!, blockTokens, layerCount: parts.length}
  return {blockBytes: bytesPerToken * blockTokens, blockTokens, groupCount: 1, blocksPerRequest: (tokens) => groupBlocks(group, tokens, question)}
}

/** Pages of all layers are made equal, layers of a kind are cut into groups of one length, and a block serves one group. */
function hybridPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const states = parts.filter((part) => part.growth === 'state')
  const attention = parts.filter((part) => part.growth !== 'state')
  const statePage = Math.max(0, ...states.map((part) => part.stateBytes))
  const widest = Math.max(0, ...attention.map((part) => part.bytesPerToken))
  let {blockTokens} = question
  if (statePage > 0 && widest > 0) {
    // vllm/platforms/interface.py _align_hybrid_block_size: the attention page is raised to hold a state; MLA in steps of 128 tokens.
    const alignment = attention.some((part) => part.content === 'latent') ? 128 : Math.max(16, blockTokens)
    blockTokens = Math.max(blockTokens, alignment * Math.ceil(statePage / (alignment * widest)))
  }
  const page = Math.max(statePage, widest * blockTokens)
  const buckets = new Map<string, Group>()
  for (const part of parts) {
    // A narrower layer gets a block of more tokens where its page divides the widest, and a padded page otherwise.
    const own = part.bytesPerToken * blockTokens
    const tokens = part.growth === 'state' ? 0 : own > 0 && page % own === 0 ? blockTokens * (page / own) : blockTokens
    const key = `${part.growth} ${part.windowTokens ?? ''} ${tokens}`
    const bucket = buckets.get(key)
    if (bucket) bucket.layerCount += 1
    else buckets.set(key, {part, blockTokens: tokens, layerCount: 1})
  }
  const counts = [...buckets.values()].map((bucket) => bucket.layerCount)
  const least = Math.min(...counts)
  const most = Math.max(...counts)
  // One kind hardly larger than another is padded to it rather than split (0.11.0 and later; factor 1.25 before 0.13).
  const groupLength = most < least * (isAtLeast(question.version, '0.13.0') ? 1.5 : 1.25) ? most : least
  const groups = [...buckets.values()].flatMap((bucket) => Array.from({length: Math.ceil(bucket.layerCount / groupLength)}, () => bucket))
  return {
    blockBytes: groupLength * page,
    blockTokens,
    groupCount: groups.length,
    blocksPerRequest: (tokens) => groups.reduce((sum, group) => sum + groupBlocks(group, tokens, question), 0),
  }
}

/** Pages of DeepSeek-V4 are padded to this many bytes with packed rows (vllm/models/deepseek_v4/attention.py). */
const COMPRESSED_ALIGNMENT = 576
const COMPRESSED_BLOCK_TOKENS = 256
const WINDOW_BLOCK_TOKENS = 64

/**
 * DeepSeek-V4: rows of compressed layers and index keys in one group, windows and the compressors' states (declared as windows
 * over tiny blocks) in others, laid over one another in a slab as wide as the widest (from 0.20.0).
 */
function compressedPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const padded = (bytes: number) => roundUp(bytes, COMPRESSED_ALIGNMENT)
  const growing = parts.filter((part) => part.growth === 'growing')
  const windows = parts.filter((part) => part.growth === 'window')
  const states = parts.filter((part) => part.growth === 'state')
  const slab = growing.reduce((sum, part) => sum + padded(part.bytesPerToken * COMPRESSED_BLOCK_TOKENS), 0)
  const tuples = mostAlike(growing)
  const windowGroups = Math.ceil(windows.length / tuples)
  const inFlight = inFlightTokens(question)
  const windowBlocks = (window: number, block: number, tokens: number) => Math.ceil(Math.min(window - 1 + inFlight, tokens) / block) + 1
  // A ratio-4 compressor keeps a window of 8 tokens in blocks of 4, a ratio-128 one of 128 in blocks of 8.
  const hasIndexed = growing.some((part) => part.content === 'index-key')
  const hasCoarse = states.length > 0 && growing.some((part) => part.content === 'compressed' && part.tokensPerRow > 4)
  return {
    blockBytes: slab,
    blockTokens: COMPRESSED_BLOCK_TOKENS,
    groupCount: 1 + windowGroups + (hasIndexed ? 1 : 0) + (hasCoarse ? 1 : 0),
    blocksPerRequest: (tokens) =>
      Math.ceil(tokens / COMPRESSED_BLOCK_TOKENS) + windowGroups * windowBlocks(windows[0]?.windowTokens ?? 1, WINDOW_BLOCK_TOKENS, tokens) +
      (hasIndexed ? windowBlocks(8, 4, tokens) : 0) + (hasCoarse ? windowBlocks(128, 8, tokens) : 0),
  }
}

/** Layers of the most frequent growing kind: other groups are cut to this length. */
function mostAlike(growing: readonly CachePart[]): number {
  const counts = new Map<string, number>()
  for (const part of growing) counts.set(`${part.content} ${part.tokensPerRow}`, (counts.get(`${part.content} ${part.tokensPerRow}`) ?? 0) + 1)
  return Math.max(1, ...counts.values())
}

export interface Capacity {
  blocks: number
  tokens: number
  maxConcurrency: number
}

/**
 * What the start-up log says. From 0.21.0 tokens = concurrency x max_model_len; before, blocks shared evenly among the groups
 * (get_kv_cache_capacity, _report_kv_cache_config).
 */
export function capacity(version: string, pool: CachePool, cacheBytes: number, maxModelLen: number): Capacity {
  const blocks = Math.max(0, Math.floor(cacheBytes / pool.blockBytes))
  const maxConcurrency = blocks / pool.blocksPerRequest(maxModelLen)
  const tokens = isAtLeast(version, '0.21.0') ? Math.floor(maxConcurrency * maxModelLen) : Math.floor(blocks / pool.groupCount) * pool.blockTokens
  return {blocks, tokens, maxConcurrency}
}

/** Longest request that the blocks hold, up to `limit` tokens; 0 when not even one token fits. */
export function longestRequest(pool: CachePool, blocks: number, limit: number): number {
  if (pool.blocksPerRequest(limit) <= blocks) return limit
  let low = 0
  let high = limit
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (pool.blocksPerRequest(middle) <= blocks) low = middle
    else high = middle
  }
  return low
}
