/** What vLLM's trial run does by rules of its own: kernels of experts that copy what they route, and towers that look at their batch in parts. */
import type {Architecture} from '../../core/architecture.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import type {ActivationQuestion, TowerTrial} from '../overheads.ts'
import {isAtLeast} from '../versions.ts'
import {towerTrial} from './tower-trial.ts'

const isGemma4 = ({className = ''}: Architecture): boolean => /^Gemma4For/.test(className)

/**
 * Copies of the routed tokens' rows beside the workspaces of experts in NVFP4: tokens in their experts' order, results back in the tokens' order, and
 * these times their weights (fused_moe/experts/cutlass_moe.py run_cutlass_moe_fp4: two shuffle_rows and the product, 0.20.2; fused_moe/cutlass_moe.py,
 * 0.19.0). The other kernels fuse them.
 */
const SHUFFLED_ROWS = 3
/** Gemma 4's experts use GELU, which FlashInfer's NVFP4 kernels take on 10.x from 0.21.0 (experts/trtllm_nvfp4_moe.py) and on 12.x from 0.24.0 (flashinfer_cutlass_moe.py). */
const FUSED_GELU_SINCE = {dataCentre: '0.21.0', others: '0.24.0'}

function shuffledRows({model, checkpoint, gpu}: Subject, {engineVersion}: Deployment): number {
  const {architecture} = model
  const {formats} = checkpoint
  const {computeCapability = 0, native} = gpu.accelerator
  const experts = formats.experts ?? formats.default
  if (
    !isGemma4(architecture) ||
    experts !== 'nvfp4' ||
    !native.includes('nvfp4') ||
    !architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')
  )
    return 0
  const since = computeCapability >= 10 && computeCapability < 11 ? FUSED_GELU_SINCE.dataCentre : FUSED_GELU_SINCE.others
  return isAtLeast(engineVersion, since) ? 0 : SHUFFLED_ROWS
}

/**
 * Gemma 4's processor (models/gemma4_mm.py, 0.20.2 to 0.33.0): a video of 32 frames with 70 embeddings each, 78 with the words around them, an image of
 * 280; each embedding stands for 3 x 3 patches.
 */
const VIDEO = {frames: 32, patches: 70 * 9, tokens: 32 * 78}
const IMAGE = {frames: 1, patches: 280 * 9, tokens: 280}
/**
 * First release that looks at several frames at once, as many as a tenth of the memory takes by its own reckoning, which is of one-hot rows of their
 * places (models/gemma4_mm.py _encoder_chunk, 0.22.0); before, one by one (_process_image_input and _process_video_input, 0.20.2 and 0.21.0). Half of
 * what is free counts where that is less: it never was in the logs seen. Seen: a peak of 0.22 GiB where 12 frames of 32 go at once (0.27.1, 23.6 GiB).
 */
const BATCHED_SINCE = '0.22.0'
const CHUNK_SHARE = 0.1
/** `position_embedding_size` of every Gemma 4 with a tower (config.json, vision_config), and bytes for each patch and place. */
const POSITIONS = 10240
const RECKONED_BYTES = 4 * 8

export function gemma4Patches(subject: Subject, {engineVersion, maxNumBatchedTokens, multimodal}: Deployment): number {
  const {frames, patches, tokens} = multimodal?.limits?.video === 0 ? IMAGE : VIDEO
  if (!isAtLeast(engineVersion, BATCHED_SINCE)) return patches
  const all = frames * Math.max(1, Math.floor(maxNumBatchedTokens / tokens))
  const atOnce = Math.max(1, Math.floor((CHUNK_SHARE * subject.gpu.memoryBytes) / (patches * POSITIONS * RECKONED_BYTES)))
  return Math.min(all, atOnce) * patches
}

/** The trial's own rules for this question; nothing where the general ones hold. */
export function trialRules(subject: Subject, deployment: Deployment): Pick<ActivationQuestion, 'routedRowCopies'> {
  const copies = shuffledRows(subject, deployment)
  return copies > 0 ? {routedRowCopies: copies} : {}
}

/** The image tower's part of the trial over `tp` ranks. `fed`: with the towers that the trial feeds. */
export const trialTower = (subject: Subject, deployment: Deployment, fed: Architecture, tp: number): TowerTrial | undefined =>
  towerTrial(subject, deployment, fed, tp, isGemma4(fed) ? gemma4Patches(subject, deployment) : undefined)
