/**
 * What vLLM allocates for DeepSeek-V4 beside weights and cache: buffers that loading makes and what attention holds in the trial run. Neither follows the
 * general rules: heads are padded to what the kernels take, and the model runs uncompiled, so that callers still hold what a layer was given.
 *
 * Read in vllm/models/deepseek_v4/** (up to 0.21.0 model_executor/models/deepseek_v4.py and layers/deepseek_v4_attention.py) of 0.20.0 to 0.33.0.
 */
import type {Architecture, CompressedAttention} from '../../core/architecture.ts'
import type {Deployment, LoadedDeployment} from '../../core/deployment.ts'
import {compressorOverlap} from '../../core/tensors.ts'
import {type Stage, weightBytes} from '../../core/weights.ts'
import {bytesInWords} from '../../core/words.ts'
import {draftKind} from '../drafts.ts'
import type {Subject} from '../engine.ts'
import {type ActivationPeak, COMPRESSED_STREAMS} from '../overheads.ts'
import {isAtLeast} from '../versions.ts'
import type {PartTerm} from '../weight-terms.ts'
import {vllmLayout} from './layout.ts'
import type {SparseWorkspace} from './sparse.ts'

const HALF = 2
const WORD = 4

/** DeepSeek-V4.1 has files of its own (models/deepseek_v41), whose buffers are not those of V4. */
export const isV41 = ({className = ''}: Architecture): boolean => className.startsWith('DeepseekV41')

const isFamily = ({accelerator}: Subject['gpu'], family: number): boolean => Math.floor(accelerator.computeCapability ?? 0) === family

/** Tokens of a block of V4.1 (deepseek_v41/sparse_mla.py get_supported_kernel_block_sizes, 0.30.0 to 0.33.0). */
export const pairBlockTokens = (gpu: Subject['gpu']): number => (isFamily(gpu, 9) ? 64 : 128)

/** Packed rows: 448 fp8, 64 elements of 16 bits and 8 scale bytes (deepseek_v4/attention.py); V4.1 on 10.x 512 fp8 and 16 scales (deepseek_v41/attention.py swa_bytes_per_token). */
export const compressedRow =
  ({gpu, model}: Subject) =>
  (headDim: number, ropeHeadDim: number): number =>
    isV41(model.architecture) && isFamily(gpu, 10) ? headDim + headDim / 32 : headDim - ropeHeadDim + 2 * ropeHeadDim + 8

/** Classes whose tables of n-grams stay in the host's pinned memory unless `--engram-config` says otherwise (config/engram.py cpu_offload, 0.30.0 to 0.33.0). */
const HOST_TABLES = /^(?:DeepseekV41|Qwen4Exp)For/
const HOST_TABLES_SINCE = '0.30.0'

/** What such tables would take of a GPU and do not. Where memory is shared with the system they take it all the same. */
export function hostTableTerms({model, checkpoint, gpu}: Subject, deployment: LoadedDeployment, stage: Stage): PartTerm[] {
  const {architecture} = model
  const {vendor, unifiedMemory} = gpu.accelerator
  const {className = '', lookupTables = []} = architecture
  if (!stage.embedding || lookupTables.length === 0 || unifiedMemory || !['nvidia', 'amd'].includes(vendor)) return []
  if (!HOST_TABLES.test(className) || !isAtLeast(deployment.engineVersion, HOST_TABLES_SINCE)) return []
  const bytes = Math.round(weightBytes(architecture, checkpoint, vllmLayout(deployment), stage).get('embedding.per-layer') ?? 0)
  return [
    {
      name: 'weights: tables kept in host memory',
      bytes: -bytes,
      kind: 'exact',
      part: 'weights',
      because: `n-gram tables stay in pinned host memory: ${bytesInWords(bytes)} for each GPU`,
    },
  ]
}

const compressedMixers = ({layerKinds}: Architecture): CompressedAttention[] =>
  layerKinds.flatMap(({mixers}) => mixers.flatMap((mixer) => (mixer.kind === 'compressed' ? [mixer] : [])))

/** Heads that FlashMLA takes on a rank (get_padded_num_q_heads), and FlashInfer on 12.x, which takes 8 as well from 0.27.0. */
const FLASHMLA_HEADS = [64, 128]
const FLASHINFER_HEADS = [16, 32, 64, 128]
const FEWER_HEADS_SINCE = '0.27.0'

/** Heads that queries and outputs are padded to on one rank. AMD and Intel pad none. */
export function paddedHeads({gpu}: Pick<Subject, 'gpu'>, version: string, heads: number): number {
  const {vendor, computeCapability = 0} = gpu.accelerator
  if (vendor !== 'nvidia') return heads
  const isSmall = Math.floor(computeCapability) === 12
  const taken = isSmall ? [...(isAtLeast(version, FEWER_HEADS_SINCE) ? [8] : []), ...FLASHINFER_HEADS] : FLASHMLA_HEADS
  return taken.find((count) => count >= heads) ?? heads
}

/** The residual streams of the layer before are held by the model while a layer runs, where nothing is compiled (VLLM_USE_BREAKABLE_CUDAGRAPH, set for this class from 0.23.0). */
const UNCOMPILED_SINCE = '0.23.0'
/** The indexer looks after the queries are projected, no longer before (attention.py _sparse_indexer_and_attn). */
const INDEXER_LAST_SINCE = '0.28.0'

/**
 * Most that attention holds in the trial run, in bytes for a token: residual streams and the layer's input; the padded output; the projections and the
 * compressors' scores, 32 bits; and then either queries beside their padded copy, or the index queries beside the indexer's scores.
 */
export function attentionPeak(subject: Subject, deployment: Deployment, {gatheredBytes, scoreBytes}: SparseWorkspace): ActivationPeak | undefined {
  const {hiddenSize} = subject.model.architecture
  const {engineVersion: version, tp, enforceEager, maxNumBatchedTokens: tokens} = deployment
  const mixers = compressedMixers(subject.model.architecture)
  if (mixers.length === 0) return undefined
  const layers = enforceEager || isAtLeast(version, UNCOMPILED_SINCE) ? 2 : 1
  const held = layers * (COMPRESSED_STREAMS + 1) * hiddenSize * HALF
  const peaks = mixers.map((mixer) => {
    const heads = Math.ceil(mixer.queryHeadCount / tp)
    const padded = paddedHeads(subject, version, heads)
    const output = padded * mixer.headDim * HALF
    const queries = heads * mixer.headDim * HALF
    const paddedQueries = padded > heads ? output : 0
    const wide = compressorOverlap(mixer.compressionRatio)
    const scored = (headDim: number) => 2 * wide * headDim * WORD
    const projections = 2 * (mixer.queryLoraRank + mixer.headDim) * HALF + (mixer.compressionRatio > 0 ? scored(mixer.headDim) : 0)
    const {indexer} = mixer
    const base = held + output + projections + (indexer ? scored(indexer.headDim) + indexer.headCount * HALF : 0)
    const projecting = (base + queries + paddedQueries) * tokens
    if (!indexer) return projecting + gatheredBytes
    // Index queries of 8 bits and their weights of 32.
    const index = indexer.headCount * (indexer.headDim + WORD)
    const looking = isAtLeast(version, INDEXER_LAST_SINCE) ? base + index + (paddedQueries || queries) : base + index
    return Math.max(projecting, looking * tokens + scoreBytes) + gatheredBytes
  })
  const heads = Math.ceil(mixers[0]!.queryHeadCount / tp)
  const padded = paddedHeads(subject, version, heads)
  return {
    bytes: Math.max(...peaks),
    because: `attention over ${tokens} tokens: ${heads} heads${padded > heads ? ` padded to ${padded}` : ''} of ${mixers[0]!.headDim} elements, residual streams, compressors and the indexer`,
  }
}

/** The hidden states that a draft starts from are kept always up to 0.26, and only where something drafts from 0.27.0 (nvidia/model.py needs_mtp_hidden_states). */
const HIDDEN_ONLY_DRAFTING_SINCE = '0.27.0'
/** Queries, index queries and compressor rows had a pool of their own in 0.27 and 0.28 (eager_scratch.py). */
const SCRATCH = {since: '0.27.0', until: '0.29.0'}

function scratchBytes(
  subject: Subject,
  {engineVersion: version, tp, maxNumBatchedTokens: tokens}: LoadedDeployment,
  mixers: readonly CompressedAttention[],
): number {
  if (subject.gpu.accelerator.vendor !== 'nvidia' || !isAtLeast(version, SCRATCH.since) || isAtLeast(version, SCRATCH.until)) return 0
  const [{queryHeadCount, headDim}] = mixers as [CompressedAttention]
  const indexer = mixers.find((mixer) => mixer.indexer)?.indexer
  // Index queries of 4 bits with a scale byte for 32 and a weight of 32 bits; positions chosen and how many; a compressor's row of 32 bits.
  const index = indexer ? indexer.headCount * (indexer.headDim / 2 + indexer.headDim / 32 + WORD) : 0
  const chosen = indexer ? (indexer.topKTokens + 1) * WORD : 0
  return tokens * (paddedHeads(subject, version, Math.ceil(queryHeadCount / tp)) * headDim * HALF + Math.max(index, chosen, headDim * WORD))
}

/**
 * Buffers that loading makes, which the engine reports among the weights: tables of positions of 32 bits, one for windows and one for compressed layers
 * (common/rope.py, rotary_embedding/deepseek_scaling_rope.py); hidden states for a draft and the indexer's choice for every token of a batch (nvidia/model.py
 * _mtp_hidden_buffer, topk_indices_buffer); hyper-connections of 32 bits, not 16 (hc_attn_fn, hc_ffn_fn), and the experts that a word is sent to, 32 bits
 * each (tid2eid).
 */
export function loadedBufferTerms(subject: Subject, deployment: LoadedDeployment, stage: Stage): PartTerm[] {
  const {architecture} = subject.model
  const mixers = compressedMixers(architecture)
  if (mixers.length === 0 || isV41(architecture)) return []
  const {engineVersion: version, maxNumBatchedTokens: tokens, speculative} = deployment
  const drafts = draftKind(architecture, speculative) !== 'none'
  const tables = new Set(mixers.map(({compressionRatio}) => compressionRatio > 0)).size
  const positions = tables * architecture.contextTokens * mixers[0]!.ropeHeadDim * WORD
  const keepsHidden = stage.head && (drafts || !isAtLeast(version, HIDDEN_ONLY_DRAFTING_SINCE))
  const hidden = keepsHidden ? tokens * COMPRESSED_STREAMS * architecture.hiddenSize * HALF : 0
  const chosen = tokens * Math.max(0, ...mixers.map(({indexer}) => indexer?.topKTokens ?? 0)) * WORD
  let wider = 0
  for (let layer = stage.first; layer < stage.last; layer++) {
    const {extraElementCount = 0, feedForward} = architecture.layerKinds[architecture.layerSequence[layer]!]!
    const isHashed = feedForward?.kind === 'moe' && feedForward.hashRouting
    wider += extraElementCount * (WORD - HALF) + (isHashed ? architecture.vocabularySize * feedForward.expertsPerToken * WORD : 0)
  }
  return [
    {
      name: 'weights: tables and buffers',
      bytes: Math.round(positions + hidden + chosen + wider + scratchBytes(subject, deployment, mixers)),
      kind: 'derived',
      part: 'weights',
      because: `positions of ${architecture.contextTokens} tokens at 32 bits, ${tables === 1 ? 'once' : 'twice'}; for each of ${tokens} tokens of a batch ${keepsHidden ? 'its hidden states and ' : ''}what the indexer chose; hyper-connections at 32 bits`,
    },
  ]
}

/**
 * One captured graph of one layer. The model is captured in segments around its attention (breakable_cudagraph.py), whose collectives keep no buffers for
 * peers: a log of 0.25 on two RTX PRO 6000 with a draft layer says 1.58 GiB for 43 sizes, one of 0.31 on eight H100 leaves 1.4 for graphs and collectives.
 */
const GRAPH_BYTES_PER_LAYER = 0.85 * 1024 ** 2

/** Bytes of CUDA graphs of DeepSeek-V4 on one rank; undefined for other models. */
export const compressedGraphBytes = (architecture: Architecture, sizes: number, layers: number): number | undefined =>
  compressedMixers(architecture).length === 0 ? undefined : Math.round(sizes * layers * GRAPH_BYTES_PER_LAYER)
