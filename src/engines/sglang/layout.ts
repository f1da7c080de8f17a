import {type Deployment, STATE_FORMATS} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {CacheLayout} from '../../core/kv-cache.ts'
import type {ShardLayout} from '../../core/weights.ts'
import {isAtLeast} from '../versions.ts'

/**
 * SGLang's sharding: data-parallel attention divides tp among dp groups and keeps the whole input embedding on every rank
 * (models/deepseek_v2.py, qwen3_moe.py: VocabParallelEmbedding is switched off then); experts by ep inside tp (server_args.py).
 */
export function sglangLayout({tp, dp, ep, dpAttention}: Deployment): ShardLayout {
  return {
    attentionTp: dpAttention ? Math.max(1, Math.floor(tp / dp)) : tp,
    denseTp: tp,
    vocabularyTp: tp,
    ...(dpAttention && {embeddingTp: 1}),
    expertTp: Math.max(1, Math.floor(tp / ep)),
    expertParallel: ep,
    encoderTp: tp,
  }
}

/** Sparse MLA under fp8 packs 512 fp8, 4 fp32 scales and 64 bf16; DeepSeek-V4 rows are packed in every case (deepseek_v4_memory_pool.py). */
export function sglangCacheLayout(deployment: Deployment, sparse: boolean): CacheLayout {
  const named = cacheFormat(deployment.kvCache)
  const {decodeContextParallel: contextParallel = 1, stateFormat} = deployment
  // Its 4-bit cache has a scale byte for 16 elements, not for 32 (pool_configurator.py _compute_cell_size).
  const format = named.id === 'mxfp4' ? {...named, elementBytes: 0.5625} : named
  return {
    attentionTp: sglangLayout(deployment).attentionTp,
    // Ranks that share tokens hold the same heads (configs/model_config.py get_num_kv_heads, 0.5.18).
    ...(contextParallel > 1 && {growingTp: Math.max(1, Math.floor(sglangLayout(deployment).attentionTp / contextParallel))}),
    format,
    latentRowBytes: format.elementBytes === 1 && sparse ? (elements) => elements - 64 + 16 + 128 : undefined,
    compressedRowBytes: (headDim, ropeHeadDim) => headDim - ropeHeadDim + 2 * ropeHeadDim + 8,
    // Before 0.5.18 the price of a token counts an index key for every layer (model_executor/pool_configurator.py _compute_cell_size).
    keysForSharedIndexers: !isAtLeast(deployment.engineVersion, '0.5.18'),
    // --mamba-ssm-dtype: float32 unless given.
    stateElementBytes: 4,
    ...(stateFormat !== undefined && {askedStateElementBytes: STATE_FORMATS[stateFormat]}),
    convolutionElementBytes: 2,
    // The convolution's window is lengthened only in the buffers of a verification step.
    speculativeTokens: 0,
  }
}
