import {type Deployment, STATE_FORMATS} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {CacheLayout} from '../../core/kv-cache.ts'
import type {Architecture} from '../../core/architecture.ts'
import type {ShardLayout} from '../../core/weights.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {subjectKinds} from './question.ts'

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

/**
 * The same with the image tower of Kimi, of which only the attention is divided: MLPs and projector are whole on every rank (MLP2 and ReplicatedLinear in
 * models/kimi_vl_moonvit.py and kimi_k25.py, 0.5.10 to 0.5.19). Given as ranks that would divide the whole tower.
 */
export function sglangWeightLayout({className = '', encoders = []}: Architecture, deployment: Deployment): ShardLayout {
  const layout = sglangLayout(deployment)
  const [tower] = encoders
  if (!/^Kimi(?:K25|VL)/.test(className) || encoders.length !== 1 || !tower?.layerCount || !tower.hiddenSize) return layout
  const attention = 4 * tower.hiddenSize ** 2 * tower.layerCount
  return {...layout, encoderTp: tower.parameterCount / (tower.parameterCount - attention * (1 - 1 / deployment.tp))}
}

/**
 * How sparse MLA's fp8 rows lie: packed with their scales and positions of 16 bits, 656 bytes for 576 elements, or plain (memory_pool.py
 * NSATokenToKVPool; from 0.5.9 calculate_mla_kv_cache_dim). Plain from 0.5.10 on compute capability 10.x and 12.x, whose backend is
 * TensorRT-LLM's (_set_default_nsa_backends), and on AMD with TileLang; GLM on 12.x is packed again from 0.5.17, by FlashInfer.
 */
export function packsSparseRows({gpu: {accelerator}, model}: Subject, engineVersion: string): boolean {
  const {vendor, computeCapability = 0} = accelerator
  if (!isAtLeast(engineVersion, '0.5.10')) return true
  if (vendor !== 'nvidia') return false
  const isGlmOn12 = model.architecture.className === 'GlmMoeDsaForCausalLM' && Math.floor(computeCapability) === 12
  return computeCapability < 10 || (isGlmOn12 && isAtLeast(engineVersion, '0.5.17'))
}

const packedRow = (elements: number): number => elements - 64 + 16 + 128

/** Rows of DeepSeek-V4 are packed in every case (deepseek_v4_memory_pool.py). */
export function sglangCacheLayout(subject: Subject, deployment: Deployment): CacheLayout {
  const {engineVersion, stateFormat, decodeContextParallel: contextParallel = 1} = deployment
  const named = cacheFormat(deployment.kvCache)
  // Its 4-bit cache has a scale byte for 16 elements, not for 32 (pool_configurator.py _compute_cell_size).
  const format = named.id === 'mxfp4' ? {...named, elementBytes: 0.5625} : named
  const isPacked = format.elementBytes === 1 && subjectKinds(subject).sparse && packsSparseRows(subject, engineVersion)
  return {
    attentionTp: sglangLayout(deployment).attentionTp,
    // Ranks that share tokens hold the same heads (configs/model_config.py get_num_kv_heads, 0.5.18).
    ...(contextParallel > 1 && {growingTp: Math.max(1, Math.floor(sglangLayout(deployment).attentionTp / contextParallel))}),
    format,
    latentRowBytes: isPacked ? packedRow : undefined,
    compressedRowBytes: (headDim, ropeHeadDim) => headDim - ropeHeadDim + 2 * ropeHeadDim + 8,
    // Before 0.5.18 every layer has index keys (mem_cache/memory_pool.py; 0.5.18 kv_cache_configurator.py _should_elide_dsa_index_k).
    keysForSharedIndexers: !isAtLeast(engineVersion, '0.5.18'),
    // --mamba-ssm-dtype: float32 unless given.
    stateElementBytes: 4,
    ...(stateFormat !== undefined && {askedStateElementBytes: STATE_FORMATS[stateFormat]}),
    convolutionElementBytes: 2,
    // The convolution's window is lengthened only in the buffers of a verification step.
    speculativeTokens: 0,
  }
}

/**
 * The layout by which the price of a token is reckoned, where it is not that of the rows: up to 0.5.16 packed rows are priced as if they
 * were plain, and in 0.5.3 index keys are not priced at all (get_cell_size_per_token; from 0.5.11 pool_configurator.py _compute_cell_size).
 */
export function sglangPriceLayout(subject: Subject, deployment: Deployment): CacheLayout {
  const {engineVersion} = deployment
  const layout = sglangCacheLayout(subject, deployment)
  return {
    ...layout,
    ...(!isAtLeast(engineVersion, '0.5.17') && {latentRowBytes: undefined}),
    ...(!isAtLeast(engineVersion, '0.5.3.post1') && {indexKeyBytes: () => 0}),
  }
}
