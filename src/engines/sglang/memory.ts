/**
 * What SGLang's start-up log will say: cache = free after loading - (1 - mem_fraction_static) x free before loading, weights of the
 * draft included (python/sglang/srt/mem_cache/kv_cache_configurator.py _profile_available_bytes, 0.5.18). Activations and graphs
 * live in the share that is left out.
 */
import type {Deployment} from '../../core/deployment.ts'
import {type CachePart, cacheTotals, layerCache} from '../../core/kv-cache.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import type {Stage} from '../../core/weights.ts'
import type {EngineData, Subject} from '../engine.ts'
import {draftKind, knownDraft, ownDraftLayers, usesDraftLayers} from '../drafts.ts'
import {sglangExpertTile} from '../expert-padding.ts'
import {activationPeak, freeBeforeBytes, graphBytes, runtimeBytes, runtimeWords, visibleBytes} from '../overheads.ts'
import {stagesOf} from '../stages.ts'
import {type PartTerm, weightTerms} from '../weight-terms.ts'
import {attentionBackend, decodeGraphSizes, fractionFactor, pageSizeTokens, prefillGraphSizes} from './defaults.ts'
import {sglangCacheLayout, sglangLayout} from './layout.ts'
import {type DraftPool, sglangPools, stateSlotsPerRequest} from './pools.ts'
import {hasWindowPool, sglangQuestion, subjectKinds} from './question.ts'

function stageParts(subject: Subject, deployment: Deployment, stage: Stage): CachePart[] {
  const {architecture} = subject.model
  const kinds = subjectKinds(subject)
  const layout = sglangCacheLayout(deployment, kinds.sparse)
  const byKind = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  const parts = architecture.layerSequence.slice(stage.first, stage.last).flatMap((index) => byKind[index]!)
  // DeepSeek-V4's pools always count the draft entry; elsewhere a draft's cache is reckoned by the pools.
  if (architecture.draft && stage.head && kinds.compressed) parts.push(...layerCache(architecture.draft.kind, layout))
  return parts
}

/** Layers that a draft adds to the pools, and the tokens that one step verifies: those drafted and the one before. */
function draftPool({model}: Subject, {speculative}: Deployment): DraftPool | undefined {
  if (!speculative) return undefined
  const layerCount = usesDraftLayers(model.architecture, speculative)
    ? model.architecture.draft!.layerCount
    : ownDraftLayers(model.architecture, speculative, knownDraft(model, speculative))
  return {layerCount, tokens: speculative.tokens, block: draftKind(model.architecture, speculative) === 'block'}
}

export function sglangMemory(subject: Subject, deployment: Deployment, data: EngineData): MemoryEstimate {
  const {architecture} = subject.model
  const kinds = subjectKinds(subject)
  const version = deployment.engineVersion
  const question = sglangQuestion(subject, deployment)
  const totalBytes = visibleBytes(subject.gpu)
  const world = deployment.tp * deployment.pp
  const runtime = Math.round(runtimeBytes(subject.gpu, subject.machine, world, data.overheads))
  const freeBefore = freeBeforeBytes(subject.gpu, data.overheads) - deployment.reservedBytesPerGpu - runtime
  const pageTokens = pageSizeTokens(attentionBackend(question), kinds.sparse)
  const graphs = decodeGraphSizes(question).length + prefillGraphSizes(question).length
  const fraction = deployment.gpuMemoryUtilization * fractionFactor(question)
  const stages = stagesOf(architecture, deployment.pp, 'last-stages-first').map((stage) => {
    const weights = weightTerms({
      architecture,
      checkpoint: subject.checkpoint,
      layout: sglangLayout(deployment),
      stage,
      stageCount: deployment.pp,
      speculative: deployment.speculative,
      draft: knownDraft(subject.model, deployment.speculative),
      offloadedBytes: deployment.cpuOffloadBytes,
      expertTile: sglangExpertTile(subject.gpu.accelerator, kinds.compressed),
    })
    const cacheBytes = freeBefore * fraction - sumBytes(weights)
    const pools = sglangPools({
      version,
      parts: stageParts(subject, deployment, stage),
      availableBytes: Math.max(0, cacheBytes),
      pageTokens,
      maxNumSeqs: deployment.maxNumSeqs,
      draft: draftPool(subject, deployment),
      windowPool: hasWindowPool(subject, version),
    })
    return {stage, weights, cacheBytes, pools}
  })
  const worst = stages.reduce((a, b) => (b.pools.tokens < a.pools.tokens ? b : a))
  const {stage, pools, cacheBytes} = worst
  const peak = activationPeak({
    architecture,
    layout: sglangLayout(deployment),
    tokens: deployment.maxNumBatchedTokens,
    sequences: 0,
    logitBytes: 0,
    parameters: data.overheads,
  })
  const terms: PartTerm[] = [
    ...worst.weights,
    {name: 'runtime', bytes: runtime, kind: 'measured', part: 'runtime', because: runtimeWords(world)},
    {name: 'activations', bytes: peak.bytes, kind: 'measured', part: 'activation', because: `one prefill chunk: ${peak.because}`},
  ]
  const graph = graphBytes(graphs, stage.last - stage.first, deployment.tp, data.overheads)
  if (graph > 0) terms.push({name: 'CUDA graphs', bytes: graph, kind: 'measured', part: 'cuda-graph', because: `${graphs} sizes`})
  // Never more than there is: a pool that is refused for want of room is none.
  const statePoolBytes = Math.min(Math.max(0, Math.floor(cacheBytes)), Math.floor(pools.stateBytes))
  if (statePoolBytes > 0) terms.push({name: 'state pool', bytes: statePoolBytes, kind: 'derived', part: 'state', because: pools.stateBecause})
  terms.push({
    name: 'KV cache',
    bytes: Math.max(0, Math.floor(cacheBytes) - statePoolBytes),
    kind: 'derived',
    part: 'kv-cache',
    because: `${fraction} of what is free before loading, less the weights: ${pools.because}`,
  })
  const content = cacheTotals(architecture, sglangCacheLayout(deployment, kinds.sparse), stage.first, stage.last)
  const slots = pools.stateSlots === undefined ? Number.POSITIVE_INFINITY : Math.floor(pools.stateSlots / stateSlotsPerRequest(version))
  return {
    totalBytes,
    budgetBytes: Math.max(0, Math.round(freeBefore + runtime)),
    terms,
    kvCacheBytes: Math.floor(cacheBytes) - statePoolBytes,
    ...(statePoolBytes > 0 && {statePoolBytes}),
    kvBytesPerToken: content.growingBytesPerToken,
    stateBytesPerSequence: content.stateBytesPerSequence,
    kvCacheTokens: pools.tokens,
    maxConcurrencyAtMaxModelLen: Math.min(pools.tokens / deployment.maxModelLen, slots),
    largestMaxModelLen: Math.min(architecture.contextTokens, pools.tokens),
    requestsOfTokens: (tokens) => Math.min(pools.tokens / Math.max(1, tokens), slots),
    // The server starts with any pool that is not empty and, for recurrent models, holds the states of one request; a request longer
    // than the pool is refused later.
    starts: cacheBytes > 0 && pools.tokens > 0 && slots >= 1,
  }
}
