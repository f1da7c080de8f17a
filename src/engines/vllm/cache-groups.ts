/**
 * vLLM's cache manager: how the layers' pages share one pool of equal blocks, and what it prints as capacity.
 *
 * Source: vllm/v1/core/kv_cache_utils.py and vllm/v1/kv_cache_interface.py of the releases named at each rule.
 */
import type {CachePart} from '../../core/kv-cache.ts'
import {isAtLeast} from '../versions.ts'
import type {StateBlocks} from './states.ts'

export interface GroupQuestion {
  version: string
  /** Cache parts of each layer of a stage, on one rank. */
  layers: readonly (readonly CachePart[])[]
  /** The same of a draft whose heads are not the model's: layers of another shape get a table of blocks of their own. */
  draftLayers?: readonly (readonly CachePart[])[]
  /** Tokens of a block before hybrid models raise it. */
  blockTokens: number
  /** Ranks that share the tokens of growing layers: a block holds this many times its tokens of a sequence (v1/kv_cache_interface.py max_num_blocks_per_req). Default: 1. */
  contextParallel?: number
  maxNumBatchedTokens: number
  /** Tokens drafted ahead. */
  speculativeTokens?: number
  pipelineStages: number
  /** Blocks that a request's recurrent states take. Default: one. */
  states?: StateBlocks
  /** What a block is a multiple of when it is raised to hold a state. Default: the block. */
  stateAlignmentTokens?: number
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
  /** Some layers keep a state for each request: it takes whole blocks. */
  hasStates: boolean
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
  if (part.growth === 'state') {
    const {perRequest, everyBlock} = question.states ?? {perRequest: 1, everyBlock: false}
    return perRequest + (everyBlock ? Math.ceil(tokens / blockTokens) : 0)
  }
  if (part.growth === 'growing') return Math.ceil(tokens / (blockTokens * (question.contextParallel ?? 1)))
  const inFlight = inFlightTokens(question)
  if (part.chunked) return Math.ceil(Math.min(part.windowTokens! + inFlight, tokens) / blockTokens)
  return Math.ceil(Math.min(part.windowTokens! - 1 + inFlight, tokens) / blockTokens) + 1
}

/**
 * Pools layers whose caches differ. Layers with no cache of their own are left out.
 * Versions before 0.10.0 had no hybrid manager: windows were kept in full.
 */
export function cachePool(question: GroupQuestion): CachePool {
  const drafted = (question.draftLayers ?? []).flat()
  const parts = [...question.layers.flat(), ...drafted]
  if (parts.some((part) => part.content === 'compressed')) return isPairwise(parts) ? packedPool(question, parts) : compressedPool(question, parts)
  const hybrid = isAtLeast(question.version, '0.10.0')
  const effective = hybrid ? parts : parts.map((part) => (part.growth === 'window' ? {...part, growth: 'growing' as const} : part))
  const own = effective.length - drafted.length
  const only = effective[0]
  if (!only) return {blockBytes: 1, blockTokens: question.blockTokens, groupCount: 1, hasStates: false, blocksPerRequest: () => 1}
  const isOneKind = effective.every(({growth, windowTokens}) => growth === only.growth && (growth !== 'window' || windowTokens === only.windowTokens))
  if (isOneKind && only.growth !== 'state') return uniformPool(question, effective)
  if (poolsKeys(effective)) return pooledKeyPool(question, effective)
  return hybridPool(question, effective, own)
}

/** One kind of layer, maybe of different widths: one group, each layer with its own page (UniformTypeKVCacheSpecs). */
function uniformPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const {blockTokens} = question
  const bytesPerToken = parts.reduce((sum, part) => sum + part.bytesPerToken, 0)
  const group: Group = {part: parts[0]!, blockTokens, layerCount: parts.length}
  return {
    blockBytes: bytesPerToken * blockTokens,
    blockTokens,
    groupCount: 1,
    hasStates: false,
    blocksPerRequest: (tokens) => groupBlocks(group, tokens, question),
  }
}

/** Pages of all layers are made equal, layers of a kind are cut into groups of one length, and a block serves one group. Parts from `ownCount` on are a draft's. */
function hybridPool(question: GroupQuestion, parts: readonly CachePart[], ownCount: number): CachePool {
  const states = parts.filter((part) => part.growth === 'state')
  const attention = parts.filter((part) => part.growth !== 'state')
  const statePage = Math.max(0, ...states.map((part) => part.stateBytes))
  const widest = Math.max(0, ...attention.map((part) => part.bytesPerToken))
  let {blockTokens} = question
  if (statePage > 0 && widest > 0) {
    // vllm/platforms/interface.py _align_hybrid_block_size: the attention page is raised to hold a state.
    const alignment = question.stateAlignmentTokens ?? blockTokens
    blockTokens = Math.max(blockTokens, alignment * Math.ceil(statePage / (alignment * widest)))
  }
  const page = Math.max(statePage, widest * blockTokens)
  const buckets = new Map<string, Group>()
  for (const [index, part] of parts.entries()) {
    // A narrower layer gets a block of more tokens where its page divides the widest, and a padded page otherwise.
    const own = part.bytesPerToken * blockTokens
    const tokens = part.growth !== 'state' && own > 0 && page % own === 0 ? blockTokens * (page / own) : blockTokens
    const key = `${part.growth} ${part.windowTokens ?? ''} ${tokens} ${index < ownCount ? '' : 'draft'}`
    const bucket = buckets.get(key)
    if (bucket) bucket.layerCount += 1
    else buckets.set(key, {part, blockTokens: tokens, layerCount: 1})
  }
  const counts = [...buckets.values()].map((bucket) => bucket.layerCount)
  const least = Math.min(...counts)
  const most = Math.max(...counts)
  // One kind hardly larger than another is padded to it rather than split (0.11.0 and later; by a quarter up to 0.17.1, by half from 0.18.0).
  const groupLength = most < least * (isAtLeast(question.version, '0.18.0') ? 1.5 : 1.25) ? most : least
  const groups = [...buckets.values()].flatMap((bucket) => Array.from({length: Math.ceil(bucket.layerCount / groupLength)}, () => bucket))
  return {
    blockBytes: groupLength * page,
    blockTokens,
    groupCount: groups.length,
    hasStates: states.length > 0,
    blocksPerRequest: (tokens) => groups.reduce((sum, group) => sum + groupBlocks(group, tokens, question), 0),
  }
}

/** Latent rows beside states, with one index key for several tokens (GLM-5.3-Flash). */
const poolsKeys = (parts: readonly CachePart[]): boolean =>
  parts.some(({content}) => content === 'latent') &&
  parts.some(({growth}) => growth === 'state') &&
  parts.some(({content, tokensPerRow}) => content === 'index-key' && tokensPerRow > 1)

/**
 * GLM-5.3-Flash: latent rows and index keys are one group, states lie in the pages of the latent rows, in as many groups as it takes, and a ring of the
 * keys that are not pooled yet takes one block of its own (_get_kv_cache_groups_glm5_next, 0.30.0 and 0.31.0; the same numbers come out of
 * _get_packed_kv_cache_groups in 0.32.0 and 0.33.0). A log of 0.31 on eight H100 says 2,618,281 tokens in 28.73 GiB: 4,145 blocks at 415 a request.
 */
function pooledKeyPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const states = parts.filter(({growth}) => growth === 'state')
  const latent = parts.filter(({content}) => content === 'latent')
  const statePage = Math.max(...states.map(({stateBytes}) => stateBytes))
  const rowBytes = Math.max(...latent.map(({bytesPerToken}) => bytesPerToken))
  const alignment = question.stateAlignmentTokens ?? question.blockTokens
  const blockTokens = Math.max(question.blockTokens, alignment * Math.ceil(statePage / (alignment * rowBytes)))
  const stateGroups = Math.ceil(states.length / latent.length)
  const perState = groupBlocks({part: states[0]!, blockTokens, layerCount: states.length}, 1, question)
  return {
    blockBytes: parts.reduce((sum, part) => sum + (part.growth === 'growing' ? part.bytesPerToken * blockTokens : 0), 0),
    blockTokens,
    groupCount: 2 + stateGroups,
    hasStates: true,
    blocksPerRequest: (tokens) => Math.ceil(tokens / (blockTokens * (question.contextParallel ?? 1))) + stateGroups * perState + 1,
  }
}

/** Pages of DeepSeek-V4 are padded to this many bytes with packed rows (vllm/models/deepseek_v4/attention.py). */
const COMPRESSED_ALIGNMENT = 576
const COMPRESSED_BLOCK_TOKENS = 256
const WINDOW_BLOCK_TOKENS = 64

/** Layers of one table of blocks: pages of each layer by size, and the blocks that a request takes. */
interface CompressedGroup {
  /** Layers by the size of their page. */
  layersByPage: Map<number, number>
  blocks(tokens: number): number
}

/**
 * DeepSeek-V4: rows of compressed layers and index keys in one group; windows and the compressors' states, declared as windows over
 * tiny blocks, in others. All groups lie over one another in one slab (_get_kv_cache_groups_uniform_groups, 0.20.0 on).
 *
 * Up to 0.26 states are padded to the pages of the first group, the slab holds for each page size as many layers as the group with
 * most, and a request is charged bytes of its pages in whole slabs. From 0.27 the slab is the widest group, and a request is charged
 * a slab for every block of every group.
 */
function compressedPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const padded = (bytes: number) => roundUp(bytes, COMPRESSED_ALIGNMENT)
  const dense = isAtLeast(question.version, '0.27.0')
  const inFlight = inFlightTokens(question)
  const windowBlocks = (window: number, block: number) => (tokens: number) => Math.ceil(Math.min(window - 1 + inFlight, tokens) / block) + 1
  const growing = parts.filter((part) => part.growth === 'growing')
  const windows = parts.filter((part) => part.growth === 'window')
  const first: CompressedGroup = {layersByPage: new Map(), blocks: (tokens) => Math.ceil(tokens / COMPRESSED_BLOCK_TOKENS)}
  for (const part of growing) addLayer(first, padded(part.bytesPerToken * COMPRESSED_BLOCK_TOKENS))
  const pages = [...first.layersByPage.keys()].sort((a, b) => a - b)
  const stored = (bytes: number) => (dense ? padded(bytes) : (pages.find((page) => page >= padded(bytes)) ?? padded(bytes)))
  const kinds: {group: CompressedGroup; count: number}[] = []
  const declare = (blocks: CompressedGroup['blocks'], pageBytes: readonly number[]) => {
    if (pageBytes.length === 0) return
    const group: CompressedGroup = {layersByPage: new Map(), blocks}
    for (const bytes of pageBytes) addLayer(group, stored(bytes))
    kinds.push({group, count: Math.max(...group.layersByPage.values())})
  }
  declare(
    windowBlocks(windows[0]?.windowTokens ?? 1, WINDOW_BLOCK_TOKENS),
    windows.map((part) => part.bytesPerToken * WINDOW_BLOCK_TOKENS),
  )
  // A ratio-4 compressor keeps a window of 8 tokens in blocks of 4, a ratio-128 one of 128 in blocks of 8; a page is that many slots.
  const slots = (ratio: number) => parts.filter((part) => part.growth === 'state' && part.tokensPerRow === ratio).map((part) => part.stateBytes)
  declare(
    windowBlocks(8, 4),
    slots(4).map((bytes) => (bytes / 8) * 4),
  )
  declare(
    windowBlocks(128, 8),
    slots(128).map((bytes) => (bytes / 128) * 8),
  )
  const tuples = closestMultiple([Math.max(1, ...first.layersByPage.values()), ...kinds.map(({count}) => count)])
  const groups = [first, ...kinds.flatMap(({group, count}) => cutGroup(group, count, tuples))]
  const bytesOf = ({layersByPage}: CompressedGroup) => [...layersByPage].reduce((sum, [page, count]) => sum + page * count, 0)
  const firstBytes = bytesOf(first)
  return {
    blockBytes: dense ? Math.max(...groups.map(bytesOf)) : overlaidBytes(groups),
    blockTokens: COMPRESSED_BLOCK_TOKENS,
    groupCount: groups.length,
    hasStates: false,
    blocksPerRequest: (tokens) =>
      dense
        ? groups.reduce((sum, group) => sum + group.blocks(tokens), 0)
        : Math.ceil(groups.reduce((sum, group) => sum + group.blocks(tokens) * bytesOf(group), 0) / firstBytes),
  }
}

/** DeepSeek-V4.1 compresses two tokens at most. */
const isPairwise = (parts: readonly CachePart[]): boolean => parts.some((part) => part.growth === 'growing' && part.tokensPerRow <= 2)

const PAIR_WINDOW_BLOCK_TOKENS = 32
/** Rows of a compressor's ring: a power of two that holds the drafts, the token behind them and the one before, eight at least (deepseek_v41/compressor.py). */
const ringRows = (speculativeTokens: number): number => Math.max(8, 2 ** Math.ceil(Math.log2(speculativeTokens + 2)))
/** Rows of 528 bytes are those of compute capability 10.x, whose pages end on 512 (deepseek_v41/attention.py kv_page_alignment). */
const pairAlignment = (rowBytes: number): number => (rowBytes % 16 === 0 ? 512 : COMPRESSED_ALIGNMENT)

/**
 * DeepSeek-V4.1: compressed rows and index keys, whose pages differ in size and number, are one group as a whole; windows, and the rings of open pairs, go
 * into as many groups as it takes for none to be wider than that (_get_packed_kv_cache_groups, 0.30.0 to 0.33.0). A log of 0.31 on eight H100 says
 * 9,092,347 tokens in 29.14 GiB.
 */
function packedPool(question: GroupQuestion, parts: readonly CachePart[]): CachePool {
  const {blockTokens} = question
  const windows = parts.filter((part) => part.growth === 'window')
  const rings = parts.filter((part) => part.growth === 'state')
  const alignment = pairAlignment(windows[0]?.bytesPerToken ?? 0)
  const firstBytes = parts.reduce((sum, part) => sum + (part.growth === 'growing' ? roundUp(part.bytesPerToken * blockTokens, alignment) : 0), 0)
  const windowPage = roundUp((windows[0]?.bytesPerToken ?? 0) * PAIR_WINDOW_BLOCK_TOKENS, alignment)
  const ringPage = Math.max(0, ...rings.map((part) => (part.stateBytes / part.tokensPerRow) * ringRows(question.speculativeTokens ?? 0)))
  const widest = Math.max(firstBytes, windowPage, ringPage)
  const groupsOf = (layers: number, page: number) => (layers === 0 ? 0 : Math.ceil(layers / Math.max(1, Math.floor(widest / page))))
  const windowGroups = groupsOf(windows.length, windowPage)
  const ringGroups = groupsOf(rings.length, ringPage)
  const held = (windows[0]?.windowTokens ?? 1) - 1 + inFlightTokens(question)
  return {
    blockBytes: Math.max(
      firstBytes,
      windowGroups > 0 ? Math.ceil(windows.length / windowGroups) * windowPage : 0,
      ringGroups > 0 ? Math.ceil(rings.length / ringGroups) * ringPage : 0,
    ),
    blockTokens,
    groupCount: 1 + windowGroups + ringGroups,
    hasStates: false,
    blocksPerRequest: (tokens) =>
      Math.ceil(tokens / blockTokens) + windowGroups * (Math.ceil(Math.min(held, tokens) / PAIR_WINDOW_BLOCK_TOKENS) + 1) + ringGroups,
  }
}

const addLayer = ({layersByPage}: CompressedGroup, page: number) => layersByPage.set(page, (layersByPage.get(page) ?? 0) + 1)

/** A group cut so that none has more layers of a size than `tuples`; the parts differ by one layer at most. */
function cutGroup(group: CompressedGroup, count: number, tuples: number): CompressedGroup[] {
  const parts = Math.ceil(count / tuples)
  return Array.from({length: parts}, (_, index) => ({
    ...group,
    layersByPage: new Map([...group.layersByPage].map(([page, layers]) => [page, Math.floor(layers / parts) + (index < layers % parts ? 1 : 0)])),
  }))
}

/** For each page size the layers of the group with most of it. */
function overlaidBytes(groups: readonly CompressedGroup[]): number {
  const most = new Map<number, number>()
  for (const {layersByPage} of groups) for (const [page, count] of layersByPage) most.set(page, Math.max(most.get(page) ?? 0, count))
  return [...most].reduce((sum, [page, count]) => sum + page * count, 0)
}

/** The length, not below the first count, that all counts are rounded up to multiples of with least padding; of equals the longest (_approximate_gcd). */
function closestMultiple(counts: readonly number[]): number {
  let best = counts[0]!
  let least = Number.POSITIVE_INFINITY
  for (let length = best; length <= Math.max(...counts); length++) {
    const padding = counts.reduce((sum, count) => sum + ((length - (count % length)) % length), 0)
    if (padding <= least) [best, least] = [length, padding]
  }
  return best
}

export interface Capacity {
  blocks: number
  tokens: number
  maxConcurrency: number
}

/**
 * What the start-up log says. From 0.20.1 tokens = concurrency x max_model_len; up to 0.20.0, blocks shared evenly among the groups
 * (_report_kv_cache_config, which multiplies by the ranks of decode context parallelism; get_kv_cache_capacity from 0.26.0).
 */
export function capacity(version: string, pool: CachePool, cacheBytes: number, maxModelLen: number, contextParallel = 1): Capacity {
  const blocks = Math.max(0, Math.floor(cacheBytes / pool.blockBytes))
  const maxConcurrency = blocks / pool.blocksPerRequest(maxModelLen)
  const tokens = isAtLeast(version, '0.20.1')
    ? Math.floor(maxConcurrency * maxModelLen)
    : Math.floor(blocks / pool.groupCount) * pool.blockTokens * contextParallel
  return {blocks, tokens, maxConcurrency}
}

/**
 * Blocks that a request may come to hold, of those that there are: one is never handed out (BlockPool's null block), and from 0.29.0 the check at
 * start leaves it out too (get_kv_cache_configs, "plan against usable blocks"; kv_cache_planning.py in 0.33.0).
 */
export const usableBlocks = (version: string, blocks: number): number => Math.max(0, blocks - (isAtLeast(version, '0.29.0') ? 1 : 0))

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
