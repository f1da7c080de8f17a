/**
 * What SGLang's start-up log will say: cache = free after loading - (1 - mem_fraction_static) x free before loading, weights of the
 * draft included (python/sglang/srt/mem_cache/kv_cache_configurator.py _profile_available_bytes, 0.5.18). Activations and graphs
 * live in the share that is left out.
 */
import type {Deployment} from '../../core/deployment.ts'
import {type CachePart, cacheTotals, layerCache} from '../../core/kv-cache.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import {type Reason, sumBytes} from '../../core/terms.ts'
import {bytesInWords, countInWords} from '../../core/words.ts'
import type {Stage} from '../../core/weights.ts'
import {cutTo, tight} from '../beside-cache.ts'
import {contextLimit} from '../context.ts'
import type {EngineData, Subject} from '../engine.ts'
import {draftLayerCount, draftsBlocks, knownDraft, ownDraftLayers, usesDraftLayers} from '../drafts.ts'
import {sglangExpertTile} from '../expert-padding.ts'
import {longestStart} from '../longest.ts'
import {sglangLoraTerms} from '../lora.ts'
import {activationPeak, freeBeforeBytes, graphBytes, type OverheadParameters, runtimeBytes, runtimeWords, visibleBytes} from '../overheads.ts'
import {withRemedy, workingRemedy} from '../remedies.ts'
import {stagesOf} from '../stages.ts'
import {isAtLeast} from '../versions.ts'
import {type PartTerm, weightTerms} from '../weight-terms.ts'
import {isLargeHopperQwen3Vl, type SglangQuestion} from './asked.ts'
import {attentionBackend, dropsPrefillGraphs, pageSizeTokens} from './attention.ts'
import {fractionFactor, memFractionStatic} from './defaults.ts'
import {decodeGraphSizes, prefillGraphCount} from './graphs.ts'
import {offloadAsked} from '../offload.ts'
import {sglangOffload} from './offload.ts'
import {sglangCacheLayout, sglangLayout, sglangPriceLayout, sglangWeightLayout} from './layout.ts'
import {type DraftPool, type Pools, sglangPools, stateSlotsPerRequest} from './pools.ts'
import {filledRequests, hasWindowPool, OWN_RUNNING_REQUESTS, seesOrHears, sglangQuestion, subjectKinds} from './question.ts'

function stageParts(subject: Subject, deployment: Deployment, stage: Stage): CachePart[] {
  const {architecture} = subject.model
  const kinds = subjectKinds(subject)
  const layout = sglangPriceLayout(subject, deployment)
  const byKind = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  const parts = architecture.layerSequence.slice(stage.first, stage.last).flatMap((index) => byKind[index]!)
  // DeepSeek-V4's pools count the draft's entry whether it drafts or not, until 0.5.13; elsewhere a draft's cache is reckoned by the pools.
  if (architecture.draft && stage.head && kinds.compressed && !isAtLeast(deployment.engineVersion, '0.5.13'))
    parts.push(...layerCache(architecture.draft.kind, layout))
  return parts
}

/** Layers that a draft adds to the pools, and the tokens that one step verifies: those drafted and the one before. */
function draftPool({model}: Subject, {speculative}: Deployment): DraftPool | undefined {
  if (!speculative) return undefined
  const layerCount = usesDraftLayers(model.architecture, speculative)
    ? draftLayerCount(model.architecture, speculative)
    : ownDraftLayers(model.architecture, speculative, knownDraft(model, speculative))
  return {layerCount, tokens: speculative.tokens, block: draftsBlocks(model.architecture, speculative)}
}

/**
 * Share of what is expected beside the fraction that may be missing before a start is refused. Logs of graphs say 0.8 to 1.1 times the
 * estimate (DeepSeek-R1 on eight B200: 6.4 GiB for 5.9; GLM-5 on eight RTX PRO 6000 started with 7.4 GiB left for 8.3), and the rest of
 * the formula is not fitted to logs of this engine.
 */
const BESIDE_ERROR = 0.25

interface Beside {
  activationBytes: number
  graphBytes: number
  /** Tables of requests and of free pages. */
  tableBytes: number
  /** What the fraction leaves out, of what is there for this process. */
  roomBytes: number
}

/**
 * Graphs and the activations of a chunk both live in what the fraction leaves out; nobody tries a chunk before the cache is sized. Graphs
 * without room end the start ("Capture cuda graph failed", model_executor/runner/decode_cuda_graph_runner.py 0.5.18), and so does the
 * largest prefill graph from 0.5.10 on; before, the first long prompt ends the server.
 */
function besideShortage({activationBytes, graphBytes: graphs, tableBytes, roomBytes}: Beside, deployment: Deployment, {spreadBytes}: OverheadParameters) {
  const {maxNumSeqs, maxModelLen, maxNumBatchedTokens} = deployment
  const need = activationBytes + graphs + tableBytes
  if (need - roomBytes <= Math.max(spreadBytes, BESIDE_ERROR * need)) return undefined
  const room = `${bytesInWords(Math.max(0, roomBytes))} is left beside weights and cache`
  if (tableBytes > roomBytes)
    return {
      code: 'request-table-exceeds-memory',
      message: `the table of ${countInWords(maxNumSeqs)} requests of ${countInWords(maxModelLen)} tokens needs ${bytesInWords(tableBytes)}, ${room}`,
    }
  return graphs > roomBytes
    ? {code: 'cuda-graphs-exceed-memory', message: `CUDA graphs need ${bytesInWords(graphs)}, ${room}`}
    : {
        code: 'activations-exceed-memory',
        message: `a prefill chunk of ${countInWords(maxNumBatchedTokens)} tokens needs ${bytesInWords(activationBytes)}${graphs > 0 ? `, and CUDA graphs ${bytesInWords(graphs)}` : ''}: ${room}`,
      }
}

function besideTightness({activationBytes, graphBytes: graphs, tableBytes, roomBytes}: Beside): Reason | undefined {
  const need = activationBytes + graphs + tableBytes
  if (need <= roomBytes) return undefined
  return tight(
    `activations${graphs > 0 ? ' and CUDA graphs' : ''} are expected to need ${bytesInWords(need)} beside weights and cache, and ${bytesInWords(Math.max(0, roomBytes))} is left: the shortage is within the margin of error`,
  )
}

/** The automatic share is nothing: the formula keeps back more than the GPU has. */
const noShare = ({gpuMemoryUtilization, maxNumBatchedTokens}: Deployment): Omit<Reason, 'remedy'> | undefined =>
  gpuMemoryUtilization > 0
    ? undefined
    : {
        code: 'memory-share-too-small',
        message: `SGLang's own choice of --mem-fraction-static reserves more than the GPU has, for chunks of ${countInWords(maxNumBatchedTokens)} tokens: nothing is left for weights and cache`,
      }

/** Shares that a remedy proposes where the engine's own is nothing are below this. */
const MOST_SHARE = 0.95

/** Whether the share is the one that the engine chooses by itself: it follows the other settings then. */
const isAutomatic = (question: SglangQuestion, share: number): boolean =>
  share === memFractionStatic(question) || share === memFractionStatic({...question, chunkedPrefillTokens: undefined})

/** Settings with which it starts. A share that nobody fixed is chosen anew for each. */
function remedyFor(subject: Subject, deployment: Deployment, again: (changed: Deployment) => MemoryEstimate): string | undefined {
  const {gpuMemoryUtilization: share} = deployment
  const follows = isAutomatic(sglangQuestion(subject, deployment), share)
  const estimate = (changed: Deployment) =>
    again(follows && changed.gpuMemoryUtilization === share ? {...changed, gpuMemoryUtilization: memFractionStatic(sglangQuestion(subject, changed))} : changed)
  return workingRemedy(deployment, estimate, share > 0 ? share : MOST_SHARE)
}

/**
 * Slots of states that are fixed: those given, dealt out to the ranks of data-parallel attention; without a prefix tree as many as
 * requests that were given may run (mem_cache/kv_cache_configurator.py _handle_max_mamba_cache, 0.5.18).
 */
function fixedStateSlots({stateSlots, prefixCaching, maxNumSeqs, dp, dpAttention}: Deployment, probing: boolean): number | undefined {
  if (stateSlots !== undefined) return Math.floor(stateSlots / (dpAttention ? dp : 1))
  return prefixCaching === false && !probing && maxNumSeqs < OWN_RUNNING_REQUESTS ? maxNumSeqs : undefined
}

const MIB = 1024 ** 2

/**
 * Memory that is kept out of the cache for images from 0.5.18 on: 100 MiB for embeddings that are used again (mm_runtime_reservation_gb,
 * SGLANG_VLM_CACHE_SIZE_MB). Qwen3-VL on large Hopper cards keeps none from 0.5.20 on, but 1 GiB for features on their way to the GPU,
 * 3 GiB from 400 requests on (model_overrides/qwen3_vl.py).
 */
function reservedForSeeing(subject: Subject, deployment: Deployment, question: SglangQuestion): number {
  const {engineVersion: version} = deployment
  if (!seesOrHears(subject, deployment) || !isAtLeast(version, '0.5.18')) return 0
  if (!isLargeHopperQwen3Vl(question)) return 100 * MIB
  return ((question.requestsAsked ?? 0) >= 400 ? 3 : 1) * 1024 * MIB
}

/** Bytes of a token that are allocated beside those it is priced by. */
function unpricedBytes(subject: Subject, deployment: Deployment, stage: Stage, priced: readonly CachePart[]): number {
  if (!subjectKinds(subject).sparse) return 0
  const {growingBytesPerToken} = cacheTotals(subject.model.architecture, sglangCacheLayout(subject, deployment), stage.first, stage.last)
  return Math.max(0, growingBytesPerToken - priced.reduce((total, part) => total + (part.growth === 'growing' ? part.bytesPerToken : 0), 0))
}

/** One token more of context, in the table of every request that may run. */
const tableRowBytes = ({maxNumSeqs}: Pick<Deployment, 'maxNumSeqs'>): number => (maxNumSeqs + 1) * 4

const outsideBytes = ({activationBytes, graphBytes: graphs}: Beside): number => activationBytes + graphs

/**
 * The table of every running request's tokens, 4 bytes for each that the context allows, and the list of free pages (mem_cache/memory_pool.py
 * ReqToTokenPool; mem_cache/allocator). Both are made behind the pools, out of the share that the fraction leaves.
 */
const requestTableBytes = ({maxNumSeqs, maxModelLen, speculative}: Deployment, pageTokens: number, poolTokens: number): number =>
  tableRowBytes({maxNumSeqs}) * (maxModelLen + 4 + (speculative ? speculative.tokens + 1 : 0)) + Math.floor(poolTokens / pageTokens) * 8

const windowProblem = ({windowShortage}: Pools): Omit<Reason, 'remedy'> | undefined =>
  windowShortage && {
    code: 'kv-cache-too-small',
    message: `the pool of windows holds ${countInWords(windowShortage.tokens)} tokens, but a request needs ${countInWords(windowShortage.neededTokens)}: SGLang refuses to start`,
  }

/** @param probing the requests that may run are not known yet: they follow from what this finds. */
export function sglangMemory(subject: Subject, deployment: Deployment, data: EngineData, probing = false): MemoryEstimate {
  const {architecture} = subject.model
  const kinds = subjectKinds(subject)
  const version = deployment.engineVersion
  const question = sglangQuestion(subject, deployment)
  const totalBytes = visibleBytes(subject.gpu)
  const world = deployment.tp * deployment.pp
  const runtime = Math.round(runtimeBytes(subject.gpu, subject.machine, world, data.overheads))
  const freeBefore = freeBeforeBytes(subject.gpu, data.overheads) - deployment.reservedBytesPerGpu - runtime
  const pageTokens = deployment.blockTokens ?? pageSizeTokens(attentionBackend(question), kinds.sparse)
  const contextParallel = deployment.decodeContextParallel ?? 1
  const decodeSizes = decodeGraphSizes({...question, maxRunningRequests: deployment.maxNumSeqs}).length
  const prefillSizes = dropsPrefillGraphs(question) ? 0 : prefillGraphCount(question)
  const peak = activationPeak({
    architecture,
    layout: sglangLayout(deployment),
    tokens: deployment.maxNumBatchedTokens,
    sequences: 0,
    logitBytes: 0,
    parameters: data.overheads,
  })
  const fraction = deployment.gpuMemoryUtilization * fractionFactor(question)
  const seeingBytes = reservedForSeeing(subject, deployment, question)
  const stages = stagesOf(architecture, deployment.pp, 'last-stages-first').map((stage) => {
    const weights = [
      ...weightTerms({
        architecture: deployment.multimodal?.languageOnly ? {...architecture, encoders: []} : architecture,
        checkpoint: subject.checkpoint,
        layout: sglangWeightLayout(architecture, deployment),
        stage,
        stageCount: deployment.pp,
        speculative: deployment.speculative,
        draft: knownDraft(subject.model, deployment.speculative),
        ...offloadAsked(deployment, sglangOffload(subject)),
        expertTile: sglangExpertTile(subject.gpu.accelerator, kinds.compressed, version),
      }),
      ...sglangLoraTerms({architecture, deployment, layout: sglangLayout(deployment), stage}),
    ]
    const cacheBytes = freeBefore * fraction - sumBytes(weights) - seeingBytes
    const parts = stageParts(subject, deployment, stage)
    const pools = sglangPools({
      version,
      className: architecture.className,
      stateStrategy: stateStrategy(deployment),
      parts,
      availableBytes: Math.max(0, cacheBytes),
      pageTokens,
      maxNumSeqs: deployment.maxNumSeqs,
      requestsKnown: question.requestsAsked !== undefined || filledRequests(kinds.compressed, deployment.speculative !== undefined) !== undefined,
      chunkTokens: deployment.maxNumBatchedTokens,
      draft: draftPool(subject, deployment),
      windowPool: hasWindowPool(subject, version),
      windowPoolRatio: deployment.windowPoolRatio,
      statePoolRatio: deployment.statePoolRatio,
      fixedStateSlots: fixedStateSlots(deployment, probing),
      prefixCaching: deployment.prefixCaching,
      mostTokens: deployment.kvCacheTokens,
    })
    const layers = stage.last - stage.first
    const unpriced = Math.round(pools.tokens * unpricedBytes(subject, deployment, stage, parts))
    // A prefill graph's collectives are too large for the all-reduce that keeps buffers for its peers: the engine's own reserve is 8 MiB
    // for each size whatever the group (server_args.py reserve_for_graph_mb, 0.5.18).
    const graphs = graphBytes(decodeSizes, layers, deployment.tp, data.overheads) + graphBytes(prefillSizes, layers, 1, data.overheads)
    const beside: Beside = {
      activationBytes: peak.bytes,
      graphBytes: graphs,
      tableBytes: requestTableBytes(deployment, pageTokens, pools.tokens),
      roomBytes: Math.floor(freeBefore - sumBytes(weights) - Math.max(0, Math.floor(cacheBytes))) - unpriced - seeingBytes,
    }
    return {stage, weights, cacheBytes, unpriced, pools, beside}
  })
  const worst = stages.reduce((a, b) => (b.pools.tokens < a.pools.tokens ? b : a))
  const {stage, pools, cacheBytes, unpriced, beside} = worst
  const again = (changed: Deployment) => sglangMemory(subject, changed, data)
  const shortBeside = stages.flatMap((one) => besideShortage(one.beside, deployment, data.overheads) ?? [])[0]
  const problem =
    noShare(deployment) ?? windowProblem(pools) ?? (cacheBytes > 0 ? (stateProblem(pools, deployment, architecture.className) ?? shortBeside) : undefined)
  const startProblem = problem && withRemedy(problem, () => remedyFor(subject, deployment, again))
  const withinError = startProblem || cacheBytes <= 0 ? undefined : stages.flatMap((one) => besideTightness(one.beside) ?? [])[0]
  const outside: PartTerm[] = [{name: 'activations', bytes: peak.bytes, kind: 'measured', part: 'activation', because: `one prefill chunk: ${peak.because}`}]
  if (beside.graphBytes > 0)
    outside.push({
      name: 'CUDA graphs',
      bytes: beside.graphBytes,
      kind: 'measured',
      part: 'cuda-graph',
      because: `${decodeSizes} batch sizes${prefillSizes > 0 ? ` and ${prefillSizes} prefill sizes` : ''}`,
    })
  if (beside.tableBytes > 0)
    outside.push({
      name: 'request table',
      bytes: beside.tableBytes,
      kind: 'derived',
      part: 'activation',
      because: `${countInWords(deployment.maxNumSeqs)} requests x ${countInWords(deployment.maxModelLen)} tokens x 4 bytes, and 8 bytes for each page of the cache`,
    })
  const terms: PartTerm[] = [
    ...worst.weights,
    {name: 'runtime', bytes: runtime, kind: 'measured', part: 'runtime', because: runtimeWords(world)},
    ...(withinError ? cutTo(outside, ['activation', 'cuda-graph'], beside.roomBytes, 'there is no more beside weights and cache') : outside),
  ]
  // Never more than there is: a pool that is refused for want of room is none.
  const statePoolBytes = Math.min(Math.max(0, Math.floor(cacheBytes)), Math.floor(pools.stateBytes))
  if (statePoolBytes > 0) terms.push({name: 'state pool', bytes: statePoolBytes, kind: 'derived', part: 'state', because: pools.stateBecause})
  terms.push({
    name: 'KV cache',
    bytes: Math.max(0, Math.floor(cacheBytes) - statePoolBytes) + unpriced,
    kind: 'derived',
    part: 'kv-cache',
    because: `${fraction} of what is free before loading, less the weights: ${pools.because}${unpriced > 0 ? '; its rows are longer than those it is sized by' : ''}`,
  })
  if (seeingBytes > 0)
    terms.push({
      name: 'embeddings of images',
      bytes: seeingBytes,
      kind: 'exact',
      part: 'activation',
      because: 'kept out of the cache for embeddings that are used again and features on their way',
    })
  const slots = slotsOf(pools, deployment, architecture.className)
  const holdsOne = cacheBytes > 0 && pools.tokens > 0 && slots >= 1
  const starts = holdsOne && !startProblem
  // Each rank holds other tokens of a sequence: the server has room for all of them (managers/scheduler.py, 0.5.18).
  const servedTokens = pools.tokens * contextParallel
  const limit = contextLimit(subject, deployment)
  // Whether the pool's length is served as it is, can be with a smaller table of requests, or nothing can.
  const outlook = (): Outlook => {
    const atMost = Math.min(limit, servedTokens) - deployment.maxModelLen
    const need = outsideBytes(beside) + beside.tableBytes + tableRowBytes(deployment) * atMost
    if (starts) return need <= beside.roomBytes ? 'served' : 'table'
    const otherProblem = noShare(deployment) ?? windowProblem(pools) ?? besideShortage({...beside, tableBytes: 0}, deployment, data.overheads)
    return holdsOne && !otherProblem ? 'table' : 'none'
  }
  let longest: number | undefined
  const content = cacheTotals(architecture, sglangCacheLayout(subject, deployment), stage.first, stage.last)
  return {
    totalBytes,
    budgetBytes: Math.max(0, Math.round(freeBefore + runtime)),
    terms,
    kvCacheBytes: Math.floor(cacheBytes) - statePoolBytes + unpriced,
    ...(statePoolBytes > 0 && {statePoolBytes}),
    kvBytesPerToken: content.growingBytesPerToken / contextParallel,
    stateBytesPerSequence: content.stateBytesPerSequence,
    kvCacheTokens: servedTokens,
    maxConcurrencyAtMaxModelLen: Math.min(servedTokens / deployment.maxModelLen, slots),
    get largestMaxModelLen() {
      longest ??= longestServed({deployment, question, again, limit, poolTokens: servedTokens, outlook: outlook()})
      return longest
    },
    startsBeyond: true,
    requestsOfTokens: (tokens) => Math.min(servedTokens / Math.max(1, tokens), slots),
    // The server starts with any pool that is not empty and, for recurrent models, holds the states of one request; a request longer
    // than the pool is refused later.
    starts,
    ...(startProblem && {startProblem}),
    ...(withinError && {withinError}),
  }
}

/** Fewer slots than one request can take: "state cache is too small to serve any requests" (mem_cache/kv_cache_configurator.py resolve_max_num_reqs, 0.5.18; an assertion before). */
function stateProblem(pools: Pools, deployment: Deployment, className: string | undefined): Omit<Reason, 'remedy'> | undefined {
  if (slotsOf(pools, deployment, className) >= 1) return undefined
  const {engineVersion: version, prefixCaching} = deployment
  const needed = stateSlotsPerRequest({version, prefixCaching, className, stateStrategy: stateStrategy(deployment)})
  const slots = pools.stateSlots ?? 0
  return {
    code: 'kv-cache-too-small',
    message: `the pool of states has ${slots} ${slots === 1 ? 'slot' : 'slots'}, but one request takes ${needed}: SGLang refuses to start`,
  }
}

/** Requests that the states are kept for. */
function slotsOf({stateSlots}: Pools, deployment: Deployment, className: string | undefined): number {
  const {engineVersion: version, prefixCaching} = deployment
  if (stateSlots === undefined) return Number.POSITIVE_INFINITY
  return Math.floor(stateSlots / stateSlotsPerRequest({version, prefixCaching, className, stateStrategy: stateStrategy(deployment)}))
}

/** The strategy for recurrent states among the flags that are passed on. */
function stateStrategy({engineFlags}: Deployment): string | undefined {
  const given = engineFlags?.['--mamba-radix-cache-strategy'] ?? engineFlags?.['--mamba-scheduler-strategy']
  return typeof given === 'string' ? given : undefined
}

type Outlook = 'served' | 'table' | 'none'

interface LongestQuestion {
  deployment: Deployment
  question: SglangQuestion
  again: (changed: Deployment) => MemoryEstimate
  limit: number
  poolTokens: number
  outlook: Outlook
}

/**
 * The longest request that the pool holds. AMD's backend has a smaller share with long contexts, and the table of requests grows with
 * the context: where that matters the border is looked for.
 */
function longestServed({deployment, question, again, limit, poolTokens, outlook}: LongestQuestion): number {
  const guess = outlook === 'none' ? 0 : Math.min(limit, poolTokens)
  const mostTokens = Math.max(limit, deployment.maxModelLen)
  const sameShare = fractionFactor({...question, contextTokens: 1}) === fractionFactor({...question, contextTokens: mostTokens})
  if (sameShare && outlook !== 'table') return guess
  return longestStart(guess, limit, (maxModelLen) => {
    const {starts, kvCacheTokens} = again({...deployment, maxModelLen})
    return starts && kvCacheTokens >= maxModelLen
  })
}
