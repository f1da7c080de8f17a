import type {Deployment, Speculation} from '../../core/deployment.ts'
import type {Reason} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'

const reason = (code: string, message: string, remedy: string): Reason => ({code, message, remedy})

/**
 * Decode context parallelism: it divides the tensor-parallel ranks (config/parallel.py, 0.28.0); with heads of K and V only among ranks
 * that hold the same heads (config/model.py verify_with_parallel_config); not with windows or chunks
 * (v1/core/single_type_kv_cache_manager.py: "DCP not support sliding window attn now"; from 0.31.0 v1/kv_cache_interface.py dcp_sharded, which only a
 * draft's layers and GLM-5.3-Flash's own leave off: the same at 0.33.0).
 */
function contextReasons({model}: Subject, {tp, decodeContextParallel: ranks = 1}: Deployment): Reason[] {
  if (ranks === 1) return []
  if (tp % ranks !== 0)
    return [reason('dcp-not-divisible', `decode context parallel ${ranks} does not divide the ${tp} tensor-parallel ranks`, `use one that divides ${tp}`)]
  const mixers = model.architecture.layerKinds.flatMap((kind) => kind.mixers)
  if (mixers.some((mixer) => mixer.kind === 'full' && mixer.window))
    return [
      reason(
        'dcp-unavailable',
        `vLLM has no decode context parallelism for ${model.name}: some of its layers read a window only`,
        'leave --decode-context-parallel out',
      ),
    ]
  const heads = Math.max(0, ...mixers.map((mixer) => (mixer.kind === 'full' ? mixer.kvHeadCount : 0)))
  const most = heads === 0 ? ranks : Math.floor(tp / heads)
  return ranks <= most
    ? []
    : [
        reason(
          'dcp-not-divisible',
          `decode context parallel ${ranks} needs ranks that hold the same heads: ${heads} KV heads over ${tp} ranks leave ${most > 1 ? `groups of ${most}` : 'none'}`,
          most > 1 ? `use --decode-context-parallel ${most}` : `leave it out, or use a --tp above ${heads}`,
        ),
      ]
}

/** "max_num_batched_tokens must be greater than or equal to max_num_seqs" (config/scheduler.py verify_max_model_len, 0.28.0; in every release that was read). */
const batchReasons = ({maxNumBatchedTokens, maxNumSeqs}: Deployment): Reason[] =>
  maxNumBatchedTokens >= maxNumSeqs
    ? []
    : [
        reason(
          'batch-too-small',
          `a step of ${countInWords(maxNumBatchedTokens)} tokens is less than one for each of ${countInWords(maxNumSeqs)} requests: vLLM refuses to start`,
          `use --max-num-seqs ${maxNumBatchedTokens}, or --max-num-batched-tokens ${maxNumSeqs}`,
        ),
      ]

/** Places of a batch that a draft adds for each request: a block's masked tokens but one, or one of a draft model (config/speculative.py max_num_new_slots_for_drafting, 0.17.0 to 0.27.1). */
const draftSlots = ({method, tokens}: Speculation): number => (['dflash', 'dspark'].includes(method) ? tokens - 1 : method === 'draft_model' ? 1 : 0)
const SLOTS_COUNTED = {since: '0.17.0', until: '0.28.0'}

/** "does not allow any tokens to be scheduled": what drafts may add for all requests must leave room in a batch (config/vllm.py _set_max_num_scheduled_tokens). */
function draftReasons({engineVersion: version, speculative, maxNumBatchedTokens, maxNumSeqs}: Deployment): Reason[] {
  if (!speculative || !isAtLeast(version, SLOTS_COUNTED.since) || isAtLeast(version, SLOTS_COUNTED.until)) return []
  const slots = draftSlots(speculative)
  if (slots * maxNumSeqs < maxNumBatchedTokens) return []
  return [
    reason(
      'batch-too-small',
      `${speculative.tokens} tokens drafted for each of ${countInWords(maxNumSeqs)} requests fill a step of ${countInWords(maxNumBatchedTokens)} tokens: vLLM ${version} refuses to start`,
      `use --max-num-seqs ${Math.floor((maxNumBatchedTokens - 1) / slots)}, or --max-num-batched-tokens ${2 * slots * maxNumSeqs}`,
    ),
  ]
}

/**
 * "DSpark requires num_speculative_tokens >= dspark_block_size ... Smaller values produce incorrect output" (config/speculative.py, 0.26.0 to 0.27.1):
 * DeepSeek's drafters were trained for blocks of five (dspark_block_size of V4 and V4.1).
 */
const WHOLE_BLOCKS = {since: '0.26.0', until: '0.28.0', tokens: 5}

function blockReasons({model, checkpoint}: Subject, {engineVersion: version, speculative}: Deployment): Reason[] {
  if (speculative?.method !== 'dspark' || checkpoint.draftMethod !== 'dspark' || model.family !== 'deepseek-v4') return []
  if (speculative.tokens >= WHOLE_BLOCKS.tokens || !isAtLeast(version, WHOLE_BLOCKS.since) || isAtLeast(version, WHOLE_BLOCKS.until)) return []
  return [
    reason(
      'speculation-unavailable',
      `vLLM ${version} drafts no fewer than ${WHOLE_BLOCKS.tokens} tokens with the drafter of ${checkpoint.hfId}`,
      `use --speculative dspark:${WHOLE_BLOCKS.tokens}, or --engine-version ${WHOLE_BLOCKS.until} or later`,
    ),
  ]
}

/** "Inkling MTP currently supports exactly one speculative token" (config/speculative.py, 0.26.0 to 0.27.1; not in 0.28.0). */
const INKLING_DRAFTS_MORE = '0.28.0'

function inklingReasons({model}: Subject, {engineVersion: version, speculative}: Deployment): Reason[] {
  const isInkling = model.architecture.className === 'InklingForConditionalGeneration'
  if (!isInkling || speculative?.method !== 'mtp' || speculative.tokens === 1 || isAtLeast(version, INKLING_DRAFTS_MORE)) return []
  return [
    reason(
      'speculation-unavailable',
      `vLLM ${version} drafts one token with the layers of Inkling, not ${speculative.tokens}`,
      `use --engine-version ${INKLING_DRAFTS_MORE} or later, or --speculative mtp:1`,
    ),
  ]
}

/** Sizes that contradict each other: "customized max_cudagraph_capture_size should be consistent" (config/vllm.py _set_cudagraph_sizes, 0.28.0). */
function graphReasons({graphs, maxNumBatchedTokens}: Deployment): Reason[] {
  if (!graphs?.sizes || graphs.maxBatch === undefined) return []
  const largest = Math.max(0, ...graphs.sizes.filter((size) => size <= maxNumBatchedTokens))
  return largest === graphs.maxBatch
    ? []
    : [
        reason(
          'graphs-contradict',
          `the largest batch with a CUDA graph is given as ${graphs.maxBatch}, but the list of batches ends at ${largest}`,
          'give one of the two',
        ),
      ]
}

/** First release that keeps rows of sparse attention in four bits (config/cache.py CacheDType `nvfp4_ds_mla`; v1/attention/backends/mla/flashmla_sparse.py). */
const SPARSE_FOUR_BITS_SINCE = '0.30.0'

function sparseCacheReasons({model}: Subject, {kvCache, engineVersion}: Deployment): Reason[] {
  const mixers = model.architecture.layerKinds.flatMap((kind) => kind.mixers)
  const isSparse = mixers.some((mixer) => mixer.kind === 'mla' && mixer.indexer)
  if (kvCache !== 'nvfp4' || !isSparse || isAtLeast(engineVersion, SPARSE_FOUR_BITS_SINCE)) return []
  return [
    reason(
      'kv-cache-unsupported',
      `vLLM ${engineVersion} cannot keep the rows of sparse attention in four bits`,
      `use --engine-version ${SPARSE_FOUR_BITS_SINCE} or later, or --kv-cache fp8`,
    ),
  ]
}

/** Settings that vLLM refuses together. */
export const vllmLayoutReasons = (subject: Subject, deployment: Deployment): Reason[] => [
  ...sparseCacheReasons(subject, deployment),
  ...contextReasons(subject, deployment),
  ...batchReasons(deployment),
  ...draftReasons(deployment),
  ...blockReasons(subject, deployment),
  ...inklingReasons(subject, deployment),
  ...graphReasons(deployment),
]
