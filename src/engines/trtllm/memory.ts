/**
 * TensorRT-LLM: cache = (total - peak of a trial run) x free_gpu_memory_fraction, where the peak holds weights, activations of
 * max_num_tokens, graphs and everything the process took (tensorrt_llm/_torch/pyexecutor/_util.py _cal_max_memory).
 */
import type {Deployment} from '../../core/deployment.ts'
import {type CachePart, cacheTotals, layerCache} from '../../core/kv-cache.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import {contextLimit} from '../context.ts'
import type {EngineData, Subject} from '../engine.ts'
import {trtllmLoraTerms} from '../lora.ts'
import {knownDraft, ownDraftLayers, shapeLayer, usesDraftLayers} from '../drafts.ts'
import {activationPeak, freeBeforeBytes, graphBytes, runtimeBytes, runtimeWords, visibleBytes} from '../overheads.ts'
import {stagesOf} from '../stages.ts'
import {type PartTerm, weightTerms} from '../weight-terms.ts'
import {cudaGraphSizes, TOKENS_PER_BLOCK} from './defaults.ts'
import {trtllmCacheLayout, trtllmLayout} from './layout.ts'

/** Bytes of a sequence of `tokens`: windows are capped, one pool for each window size (kv_cache_manager v2). */
const sequenceBytes = (parts: readonly CachePart[], tokens: number, blockTokens: number): number =>
  parts.reduce(
    (sum, part) => sum + part.bytesPerToken * Math.ceil(Math.min(tokens, part.windowTokens ?? tokens) / blockTokens) * blockTokens + part.stateBytes,
    0,
  )

export function trtllmMemory(subject: Subject, deployment: Deployment, data: EngineData): MemoryEstimate {
  const {architecture} = subject.model
  const totalBytes = visibleBytes(subject.gpu)
  const takenBytes = deployment.reservedBytesPerGpu + Math.max(0, totalBytes - freeBeforeBytes(subject.gpu, data.overheads))
  const world = deployment.tp * deployment.pp
  const layout = trtllmLayout(deployment)
  const cacheLayout = trtllmCacheLayout(deployment)
  const kinds = architecture.layerKinds.map((kind) => layerCache(kind, cacheLayout))
  const draft = knownDraft(subject.model, deployment.speculative)
  const {blockTokens = TOKENS_PER_BLOCK, kvCacheBytes: mostBytes = Number.POSITIVE_INFINITY, kvCacheTokens: mostTokens, graphs} = deployment
  const sizes = cudaGraphSizes({
    version: deployment.engineVersion,
    maxBatchSize: deployment.maxNumSeqs,
    enforceEager: deployment.enforceEager,
    graphMaxBatchSize: graphs?.maxBatch,
    sizes: graphs?.sizes,
  })
  const stages = stagesOf(architecture, deployment.pp, 'first-stages-first').map((stage) => {
    const peak = activationPeak({architecture, layout, tokens: deployment.maxNumBatchedTokens, sequences: 0, logitBytes: 0, parameters: data.overheads})
    const terms: PartTerm[] = [
      ...weightTerms({
        architecture,
        checkpoint: subject.checkpoint,
        layout,
        stage,
        stageCount: deployment.pp,
        speculative: deployment.speculative,
        draft,
      }),
      ...trtllmLoraTerms({architecture, deployment, layout, stage}),
      {name: 'activations', bytes: peak.bytes, kind: 'measured', part: 'activation', because: `trial run: ${peak.because}`},
      {
        name: 'runtime',
        bytes: Math.round(runtimeBytes(subject.gpu, subject.machine, world, data.overheads)),
        kind: 'measured',
        part: 'runtime',
        because: runtimeWords(world),
      },
    ]
    const captured = graphBytes(sizes.length, stage.last - stage.first, 1, data.overheads)
    if (captured > 0)
      terms.push({name: 'CUDA graphs', bytes: captured, kind: 'measured', part: 'cuda-graph', because: `${sizes.length} batch sizes up to ${sizes.at(-1)}`})
    const free = (totalBytes - takenBytes - sumBytes(terms)) * deployment.gpuMemoryUtilization
    const parts = architecture.layerSequence.slice(stage.first, stage.last).flatMap((index) => kinds[index]!)
    if (stage.head && architecture.draft && usesDraftLayers(architecture, deployment.speculative))
      parts.push(...layerCache(architecture.draft.kind, cacheLayout))
    // A draft of its own keeps whole layers: of its own shape where that is known, else like the model's; with attention data parallelism it has no cache of its own.
    const whole = draft?.shape
      ? layerCache(shapeLayer(draft.shape), cacheLayout)
      : kinds.find((kindParts) => kindParts.some((part) => part.growth === 'growing'))
    if (stage.head && whole && !deployment.dpAttention)
      for (let i = 0; i < ownDraftLayers(architecture, deployment.speculative, draft); i++) parts.push(...whole)
    const perToken = parts.reduce((sum, part) => sum + part.bytesPerToken, 0)
    // A stage without a cache that grows holds any length, as long as it has room at all.
    // What is given in bytes or tokens is a limit beside the share: the least of them is taken (llmapi/llm_args.py KvCacheConfig).
    const cacheBytes = Math.min(free, mostBytes, mostTokens !== undefined && perToken > 0 ? mostTokens * perToken : Number.POSITIVE_INFINITY)
    const growing = perToken > 0 ? Math.floor(cacheBytes / perToken / blockTokens) * blockTokens : cacheBytes
    return {stage, terms, cacheBytes, parts, perToken, tokens: Math.max(0, Math.floor(growing))}
  })
  const worst = stages.reduce((a, b) => (b.tokens < a.tokens || (b.tokens === a.tokens && b.cacheBytes < a.cacheBytes) ? b : a))
  const {cacheBytes, parts, tokens, stage} = worst
  const limit = contextLimit(subject, deployment)
  const content = cacheTotals(architecture, cacheLayout, stage.first, stage.last)
  const requests = (length: number) => {
    const bytes = sequenceBytes(parts, Math.max(1, length), blockTokens)
    return bytes > 0 ? Math.max(0, cacheBytes) / bytes : deployment.maxNumSeqs
  }
  let longestTokens: number | undefined
  return {
    totalBytes,
    budgetBytes: Math.max(0, totalBytes - takenBytes),
    terms: [
      ...worst.terms,
      {
        name: 'KV cache',
        bytes: Math.max(0, Math.floor(cacheBytes)),
        kind: 'derived',
        part: 'kv-cache',
        because: `${deployment.gpuMemoryUtilization} of what is free after loading and the trial run: ${worst.perToken} bytes for a token in all layers`,
      },
    ],
    kvCacheBytes: Math.floor(cacheBytes),
    kvBytesPerToken: content.growingBytesPerToken,
    stateBytesPerSequence: content.stateBytesPerSequence,
    kvCacheTokens: tokens,
    maxConcurrencyAtMaxModelLen: requests(deployment.maxModelLen),
    get largestMaxModelLen() {
      longestTokens ??= cacheBytes > 0 && tokens > 0 ? longest(parts, cacheBytes, limit, blockTokens) : 0
      return longestTokens
    },
    requestsOfTokens: requests,
    starts: cacheBytes > 0 && tokens > 0 && requests(deployment.maxModelLen) >= 1,
  }
}

function longest(parts: readonly CachePart[], cacheBytes: number, limit: number, blockTokens: number): number {
  let low = 0
  let high = limit + 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (sequenceBytes(parts, middle, blockTokens) <= cacheBytes) low = middle
    else high = middle
  }
  return low
}
