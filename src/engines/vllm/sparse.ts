/** Sparse attention under vLLM: rows of its cache and what the engine keeps beside them. */
import type {Architecture} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import {type CacheFormat, cacheFormat} from '../../core/formats.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'

type Asked = Pick<Deployment, 'engineVersion' | 'kvCache' | 'tp'>

/** Packed rows: 512 fp8, 4 scales of 32 bits and 64 elements of 16 bits (kv_cache_interface.py, 0.12.0 to 0.33.0). */
const packedRow = (elements: number): number => elements - 64 + 16 + 128

/** Local heads up to which FlashInfer's kernel comes first on 10.x in 0.18 and 0.19. */
const FEW_HEADS = 16

/**
 * Whether an fp8 cache of latent rows is kept as plain fp8, one byte for each element. FlashInfer's kernel for compute capability 10.x does so
 * (v1/attention/backends/mla/flashinfer_mla_sparse.py): up to 0.17.1 every fp8 cache of DeepSeek-V3.2 is packed (models/config.py), in 0.18 and 0.19
 * FlashInfer comes first with 16 heads or fewer on a rank, from 0.20.0 with every fp8 cache (platforms/cuda.py _get_backend_priorities). FlashMLA (9.x)
 * and FlashInfer on 12.x take packed rows only (model_executor/layers/attention/mla_attention.py). AMD's kernel takes plain ones from 0.18.0 on.
 */
export function keepsPlainRows({gpu, model}: Subject, {engineVersion, tp}: Pick<Deployment, 'engineVersion' | 'tp'>): boolean {
  const {vendor, computeCapability = 0} = gpu.accelerator
  if (!isAtLeast(engineVersion, '0.18.0')) return false
  if (vendor !== 'nvidia') return vendor === 'amd'
  if (Math.floor(computeCapability) !== 10) return false
  if (isAtLeast(engineVersion, '0.20.0')) return true
  const heads = model.architecture.layerKinds.flatMap(({mixers}) => mixers.flatMap((mixer) => (mixer.kind === 'mla' ? [mixer.queryHeadCount] : [])))
  return Math.max(...heads) / tp <= FEW_HEADS
}

/** Bytes of a latent row where it is not one element after the other. `nvfp4_ds_mla`: 512 of 4 bits, a scale byte for 16 of them, 64 fp8 (mla_attention.py, 352 bytes, 0.30.0). */
export function sparseRowBytes(subject: Subject, deployment: Asked): ((elements: number) => number) | undefined {
  const {id, elementBytes}: CacheFormat = cacheFormat(deployment.kvCache)
  if (id === 'nvfp4') return (elements) => (elements - 64) * elementBytes + 64
  return elementBytes === 1 && !keepsPlainRows(subject, deployment) ? packedRow : undefined
}

export const hasSparseLatent = ({model}: Pick<Subject, 'model'>): boolean =>
  model.architecture.layerKinds.some((kind) => kind.mixers.some((mixer) => mixer.kind === 'mla' && mixer.indexer))

/** VLLM_SPARSE_INDEXER_MAX_LOGITS_MB: scores of the indexer, allocated in the trial run from 0.19.0 (model_executor/layers/sparse_attn_indexer.py). */
const INDEXER_LOGIT_BYTES = 512 * 1024 ** 2
/** One index key, and those that take the room of one gathered row of 576 elements (576 x 2 / 132; v1/attention/backends/mla/indexer.py get_max_prefill_buffer_size). */
const INDEX_KEY_BYTES = 132
const INDEX_KEYS_PER_ROW = 8
/**
 * Rows gathered for each token of the longest request (v1/attention/backends/mla/flashmla_sparse.py get_prefill_workspace_size): five; from 0.32.0 two where
 * it is longer than 256k (config/vllm.py sparse_mla_prefill_workspace_factor).
 */
const sparseRowsFactor = ({engineVersion, maxModelLen}: Pick<Deployment, 'engineVersion' | 'maxModelLen'>): number =>
  isAtLeast(engineVersion, '0.32.0') && maxModelLen > 256 * 1024 ? 2 : 5
/** Requests whose rows are gathered at once, as 16 bits (models/deepseek_v4/attention.py PREFILL_CHUNK_SIZE). FlashInfer reads the cache itself. */
const COMPRESSED_REQUESTS = 4

/** AMD's indexer reserves its scores for decode steps, of 32 bits, in the trial run (v1/attention/ops/rocm_aiter_mla_sparse.py). */
const DECODE_SCORES_SINCE = '0.23.0'
/** Rows are those that requests can have in a step, no longer all tokens of one (_max_decode_logits_rows). */
const FEWER_ROWS_SINCE = '0.30.0'
/** Here one row holds all heads' scores; on other targets each head has its own. */
const SUMMED_HEADS = /^gfx9(?:42|50)/

/** Bytes of the scores that AMD's indexer reserves for decode steps over so many index keys. */
function decodeScoreBytes({gpu}: Subject, deployment: Deployment, keys: number, headCount: number): number {
  const {vendor, gfxTarget = ''} = gpu.accelerator
  const {engineVersion, maxNumSeqs, maxNumBatchedTokens, speculative} = deployment
  if (vendor !== 'amd' || !isAtLeast(engineVersion, DECODE_SCORES_SINCE)) return 0
  const rows = isAtLeast(engineVersion, FEWER_ROWS_SINCE) ? Math.min(maxNumBatchedTokens, maxNumSeqs * (1 + (speculative?.tokens ?? 0))) : maxNumBatchedTokens
  return rows * keys * 4 * (SUMMED_HEADS.test(gfxTarget) ? 1 : headCount)
}

export interface SparseWorkspace {
  /** One workspace as large as the largest that any layer asks for. */
  gatheredBytes: number
  /** The indexer's scores. */
  scoreBytes: number
}

/** Buffers of sparse attention in the trial run; nothing where there is none. */
export function sparseWorkspace(subject: Subject, deployment: Deployment): SparseWorkspace {
  const {engineVersion, maxModelLen, maxNumBatchedTokens} = deployment
  const factor = sparseRowsFactor(deployment)
  const {architecture} = subject.model
  const gathersWindows = Math.floor(subject.gpu.accelerator.computeCapability ?? 0) !== 12
  const mixers = architecture.layerKinds.flatMap((kind) => kind.mixers)
  const needs = mixers.flatMap((mixer) => {
    if (mixer.kind === 'compressed' && mixer.compressionRatio > 0) {
      const rows = Math.ceil(maxModelLen / mixer.compressionRatio)
      return [
        gathersWindows ? COMPRESSED_REQUESTS * (rows + mixer.windowTokens + maxNumBatchedTokens) * mixer.headDim * 2 : 0,
        mixer.indexer ? INDEX_KEYS_PER_ROW * factor * rows * INDEX_KEY_BYTES : 0,
        mixer.indexer ? decodeScoreBytes(subject, deployment, Math.floor(maxModelLen / mixer.compressionRatio), mixer.indexer.headCount) : 0,
      ]
    }
    if (mixer.kind !== 'mla' || !mixer.indexer) return []
    // Packed rows are gathered as 16 bits for FlashMLA; others are read where they lie.
    const isPacked = gathersWindows && cacheFormat(deployment.kvCache).elementBytes < 2 && !keepsPlainRows(subject, deployment)
    const rows = isPacked ? factor * maxModelLen * (mixer.kvLoraRank + mixer.ropeHeadDim) * 2 : 0
    return [rows, INDEX_KEYS_PER_ROW * factor * maxModelLen * INDEX_KEY_BYTES, decodeScoreBytes(subject, deployment, maxModelLen, mixer.indexer.headCount)]
  })
  if (needs.length === 0) return {gatheredBytes: 0, scoreBytes: 0}
  return {gatheredBytes: Math.max(...needs), scoreBytes: isAtLeast(engineVersion, '0.19.0') ? INDEXER_LOGIT_BYTES : 0}
}

export const hasCompressedAttention = (architecture: Architecture): boolean =>
  architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => kind === 'compressed'))
