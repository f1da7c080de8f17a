/**
 * MXFP4 experts are stored wider than they are: kernels take only whole tiles (gpt-oss: 2,880 wide). Which kernel, and so which
 * tile, depends on the engine, its version and the GPU.
 */
import type {Accelerator} from '../core/accelerator.ts'
import type {Architecture} from '../core/architecture.ts'
import {matrixBytes, weightFormat} from '../core/formats.ts'
import type {Checkpoint} from '../core/model.ts'
import {formatOf, type ShardLayout, type Stage} from '../core/weights.ts'
import {isAtLeast} from './versions.ts'

export interface ExpertTile {
  /** Multiples that a rank's part of the expert's width and the model's width are rounded up to. */
  intermediate: number
  hidden: number
  /** Only the inputs of each matrix are rounded (swizzled Triton layouts). */
  inputsOnly?: boolean
  /** Bytes of a scale where the loader does not keep it at one. */
  scaleBytes?: number
  because: string
}

/** Experts with the activation SiTU, for which AMD's kernels take narrower tiles. */
const SITU = /^KimiK3/

const MARLIN: ExpertTile = {intermediate: 128, hidden: 256, because: 'Marlin tiles of 128 x 256'}
const TRITON: ExpertTile = {intermediate: 256, hidden: 256, inputsOnly: true, because: 'swizzled Triton tiles of 256 inputs'}

/**
 * vLLM (vllm/model_executor/layers/quantization/mxfp4.py, 0.11.1 to 0.18; fused_moe/oracle/mxfp4.py
 * mxfp4_round_up_hidden_size_and_intermediate_size, from 0.19): FlashInfer on compute capability 10, Triton kernels on 9 from
 * 0.11.0 (not for DeepSeek-V4), Marlin elsewhere; on AMD 128, on gfx950 256, from 0.28 256 on all, but 128 where experts end in SiTU (Kimi K3). Nothing is rounded for XPU and CPU
 * (a B60 loads the 12.8 GiB of gpt-oss-20b as 12.87).
 */
export function vllmExpertTile(accelerator: Accelerator, version: string, compressedAttention: boolean, className = ''): ExpertTile | undefined {
  if (accelerator.vendor === 'intel' || accelerator.vendor === 'cpu') return undefined
  if (accelerator.vendor === 'amd') {
    const wide = accelerator.gfxTarget?.startsWith('gfx95') || isAtLeast(version, '0.28.0')
    const multiple = wide && !SITU.test(className) ? 256 : 128
    return {intermediate: multiple, hidden: multiple, because: `tiles of ${multiple} on AMD`}
  }
  const family = Math.floor(accelerator.computeCapability ?? 0)
  if (family === 10) return {intermediate: isAtLeast(version, '0.28.0') ? 128 : 256, hidden: 256, because: 'FlashInfer tiles'}
  if (family === 9 && isAtLeast(version, '0.11.0') && !compressedAttention) return TRITON
  return MARLIN
}

const BYTE_SCALES_SINCE = '0.5.16'

/**
 * SGLang (python/sglang/srt/layers/quantization/mxfp4.py, arg_groups/overrides.py, 0.5.15): FlashInfer on compute capability 10, Marlin
 * on 12, Triton kernels on 9. DeepSeek-V4 takes Marlin on 9 too, with scales loaded at 32 bits (mxfp4_marlin_moe.py, 0.5.15.post1), from 0.5.16 at 8 (E8M0).
 */
export function sglangExpertTile(accelerator: Accelerator, compressedAttention: boolean, version: string): ExpertTile {
  if (accelerator.vendor === 'amd') return {intermediate: 256, hidden: 256, because: 'tiles of 256 on AMD'}
  if (Math.floor(accelerator.computeCapability ?? 0) === 10) return {intermediate: 256, hidden: 256, because: 'FlashInfer tiles of 256'}
  if (compressedAttention)
    return isAtLeast(version, BYTE_SCALES_SINCE) ? MARLIN : {...MARLIN, scaleBytes: 4, because: `${MARLIN.because}, scales loaded at 32 bits`}
  return Math.floor(accelerator.computeCapability ?? 0) === 9 ? TRITON : MARLIN
}

const up = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/** Bytes that a stage's MXFP4 experts take beyond their content on one rank; 0 where there are none. */
export function expertPaddingBytes(
  architecture: Architecture,
  checkpoint: Checkpoint,
  layout: ShardLayout,
  stage: Stage,
  tile: ExpertTile | undefined,
): number {
  if (!tile || formatOf(checkpoint.formats, 'experts.in') !== 'mxfp4') return 0
  const format = weightFormat('mxfp4')
  const scaled = tile.scaleBytes === undefined ? format : {...format, scale: {...format.scale!, bits: tile.scaleBytes * 8}}
  let bytes = 0
  for (let layer = stage.first; layer < stage.last; layer++) {
    const {feedForward} = architecture.layerKinds[architecture.layerSequence[layer]!]!
    if (feedForward?.kind !== 'moe') continue
    const hidden = feedForward.latentSize ?? architecture.hiddenSize
    const width = feedForward.expertIntermediateSize / layout.expertTp
    const gates = feedForward.gated ? 2 : 1
    const wide = up(width, tile.intermediate)
    const tall = up(hidden, tile.hidden)
    const stored = matrixBytes(scaled, gates * (tile.inputsOnly ? width : wide), tall) + matrixBytes(scaled, tile.inputsOnly ? hidden : tall, wide)
    bytes +=
      Math.ceil(feedForward.expertCount / layout.expertParallel) * (stored - matrixBytes(format, gates * width, hidden) - matrixBytes(format, hidden, width))
  }
  return bytes
}
