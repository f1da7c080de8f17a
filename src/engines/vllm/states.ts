/** How many blocks of recurrent state a request can come to hold, and how wide blocks of tokens must be beside them. */
import type {Mixer} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {isRecurrentMixer} from './recurrent.ts'

/** A prompt that begins like an earlier one shares its cache, unasked: hybrid models too from 0.26.0 (config/model.py is_prefix_caching_supported). */
const HYBRID_PREFIXES_SINCE = '0.26.0'
/** Modes `none`, `align` and `all` (config/cache.py mamba_cache_mode): in 0.16.0, not in 0.14.1. Before, models that cannot keep a state for each block have no prefix cache at all. */
const MODES_SINCE = '0.16.0'
/** `align` for every model (models/config.py MambaModelConfig, 0.28.0); from 0.16.0 to 0.27.1 `all` for those that can; `all` is gone in 0.32.0. */
const ALIGN_FOR_ALL_SINCE = '0.28.0'
/** Classes that can keep a state at every block (SupportsMambaPrefixCaching, 0.20.0 to 0.27.1). */
const KEEPS_EVERY_BLOCK = /^(?:Bamba|FalconH1|GraniteMoeHybrid|Jamba|Mamba|Mamba2|NemotronH|Zamba2)(?:For|_)/

type Asked = Pick<Deployment, 'engineVersion' | 'prefixCaching' | 'speculative'>

const mixersOf = ({model}: Subject): Mixer[] => model.architecture.layerKinds.flatMap(({mixers}) => mixers)
const sharesPrefixes = ({prefixCaching, engineVersion}: Pick<Asked, 'prefixCaching' | 'engineVersion'>): boolean =>
  prefixCaching ?? isAtLeast(engineVersion, HYBRID_PREFIXES_SINCE)
/** The state of a prompt's beginning is kept at the ends of blocks (mode `align`), not nowhere and not at every block. */
export const alignsStates = (subject: Subject, deployment: Asked): boolean =>
  sharesPrefixes(deployment) && isAtLeast(deployment.engineVersion, MODES_SINCE) && !keepsEvery(subject, deployment.engineVersion)
const keepsEvery = ({model}: Subject, version: string): boolean =>
  !isAtLeast(version, ALIGN_FOR_ALL_SINCE) && KEEPS_EVERY_BLOCK.test(model.architecture.className ?? '')

/** Tokens that a checkpoint of a state within a prompt lies on a multiple of; undefined where the layer exports none. */
function checkpointAlignment(subject: Subject, mixer: Mixer, version: string): number | undefined {
  const {vendor, computeCapability = 0} = subject.gpu.accelerator
  const family = Math.floor(computeCapability)
  const {className = ''} = subject.model.architecture
  const hasKernels = vendor === 'nvidia' && [9, 10, 12].includes(family)
  if (mixer.kind === 'mamba2') return isAtLeast(version, '0.32.0') ? 1 : undefined
  // Hopper as it is; Blackwell with keys of 128 and CUDA 13, which its wheels bring.
  if (mixer.kind === 'gated-delta-net')
    return isAtLeast(version, '0.33.0') && hasKernels && className.startsWith('Qwen') && (family === 9 || mixer.keyHeadDim === 128) ? 64 : undefined
  if (mixer.kind === 'kimi-delta') return isAtLeast(version, '0.29.0') && hasKernels && /^(?:KimiK3|Glm5Next)/i.test(className) ? 16 : undefined
  return undefined
}

export interface StateBlocks {
  /** Blocks whatever the length. */
  perRequest: number
  /** One more for every block of tokens. */
  everyBlock: boolean
}

/**
 * MambaSpec.max_memory_usage_bytes (v1/kv_cache_interface.py): one block, and one for each draft token; where prompts share their beginning, two
 * (`align`), and from 0.29.0 a third for layers that write a checkpoint inside a prompt: Kimi-K3's from 0.29.0 (models/kimi_k3/nvidia/kda.py,
 * FlashKDA), Mamba-2 from 0.32.0 (layers/mamba/mamba_mixer2.py), Qwen's gated delta nets from 0.33.0 with FlashInfer's prefill
 * (layers/mamba/gdn/qwen_gdn_linear_attn.py); or a state at every block (`all`).
 */
export function stateBlocks(subject: Subject, deployment: Asked): StateBlocks {
  const {engineVersion: version, speculative} = deployment
  const drafts = speculative?.tokens ?? 0
  if (!sharesPrefixes(deployment)) return {perRequest: 1 + drafts, everyBlock: false}
  if (keepsEvery(subject, version)) return {perRequest: drafts, everyBlock: true}
  if (!isAtLeast(version, MODES_SINCE)) return {perRequest: 1 + drafts, everyBlock: false}
  const exports = mixersOf(subject).some((mixer) => checkpointAlignment(subject, mixer, version) !== undefined)
  return {perRequest: 2 + drafts + (exports ? 1 : 0), everyBlock: false}
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
const commonMultiple = (a: number, b: number): number => (a / gcd(a, b)) * b

/**
 * Tokens that a block of a hybrid model is a multiple of when it is raised to hold a state.
 *
 * - Latent attention: 128 with CUTLASS MLA (compute capability 10.0), 64 else, up to 0.19.1 (models/config.py HybridAttentionMambaModelConfig); the
 *   block itself in 0.20.0 to 0.26.0 (platforms/interface.py _align_hybrid_block_size, earlier update_block_size_for_backend); at least 128 from 0.27.0.
 * - Attention: 16, or the block that was asked for; 32 for heads of 256 on compute capability 10.x from 0.11.2 to 0.18.1 (FlashInfer).
 * - With a state at every block also a multiple of the model's chunk, which no catalogue entry holds: blocks are up to a chunk longer then.
 * - From 0.33.0 a multiple of where checkpoints may lie, unless some recurrent layer exports none (mamba/abstract.py
 *   get_mamba_prefill_checkpoint_alignment, which Qwen's gated delta nets alone answer).
 */
export function stateAlignmentTokens(subject: Subject, deployment: Asked, blockTokens: number): number {
  const {engineVersion: version} = deployment
  const mixers = mixersOf(subject)
  const {vendor, computeCapability = 0} = subject.gpu.accelerator
  const isFamilyTen = vendor === 'nvidia' && Math.floor(computeCapability) === 10
  const base = mixers.some(({kind}) => kind === 'mla')
    ? isAtLeast(version, '0.27.0')
      ? Math.max(128, blockTokens)
      : isAtLeast(version, '0.20.0')
        ? blockTokens
        : isFamilyTen
          ? 128
          : 64
    : Math.max(isFamilyTen && isAtLeast(version, '0.11.2') && !isAtLeast(version, '0.19.0') && hasWideHeads(mixers) ? 32 : 16, blockTokens)
  if (!isAtLeast(version, '0.33.0') || !sharesPrefixes(deployment)) return base
  const recurrent = mixers.filter(isRecurrentMixer)
  const alignments = recurrent.map((mixer) => (mixer.kind === 'gated-delta-net' ? checkpointAlignment(subject, mixer, version) : undefined))
  return alignments.length > 0 && alignments.every((alignment) => alignment !== undefined) ? alignments.reduce(commonMultiple, base) : base
}

const hasWideHeads = (mixers: readonly Mixer[]): boolean => mixers.some((mixer) => mixer.kind === 'full' && mixer.headDim === 256)
