import {type Deployment, STATE_FORMATS} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {CacheLayout} from '../../core/kv-cache.ts'
import type {ShardLayout} from '../../core/weights.ts'

/** TensorRT-LLM: attention data parallelism runs over the tensor-parallel ranks; moe tp x moe ep = tp (docs/source/features/parallel-strategy.md). */
export function trtllmLayout({tp, ep, dpAttention}: Deployment): ShardLayout {
  return {
    attentionTp: dpAttention ? 1 : tp,
    denseTp: tp,
    vocabularyTp: tp,
    expertTp: Math.max(1, Math.floor(tp / ep)),
    expertParallel: ep,
    encoderTp: 1,
  }
}

export function trtllmCacheLayout(deployment: Deployment): CacheLayout {
  return {
    attentionTp: trtllmLayout(deployment).attentionTp,
    format: cacheFormat(deployment.kvCache),
    stateElementBytes: 2,
    ...(deployment.stateFormat !== undefined && {askedStateElementBytes: STATE_FORMATS[deployment.stateFormat]}),
    convolutionElementBytes: 2,
    speculativeTokens: deployment.speculative?.tokens ?? 0,
  }
}
