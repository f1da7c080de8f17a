/** What FlashInfer's all-reduce holds beyond the workspace of the fused one, which is in the fitted collectives. */
import type {Deployment} from '../../core/deployment.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'

interface Tuned {
  computeCapability: number
  ranks: number
  since: string
  /** Largest message of the fused all-reduce, which the workspace is made for in any case. */
  fusedMiB: number
  /** Largest message that goes through FlashInfer by itself. */
  aloneMiB: number
}

/**
 * VLLM_ALLREDUCE_USE_FLASHINFER is on from 0.29.0 (vllm/envs.py), and raises the workspace where a size was tuned: FI_MNNVL_ALLREDUCE_MAX_SIZE_MB
 * (distributed/device_communicators/all_reduce_utils.py, 0.29.0 and 0.33.0) beside FI_ALLREDUCE_FUSION_MAX_SIZE_MB
 * (compilation/passes/fusion/allreduce_rms_fusion.py, 0.33.0). The last that fits is meant.
 */
const TUNED: Tuned[] = [
  {computeCapability: 10.3, ranks: 4, since: '0.29.0', fusedMiB: 64, aloneMiB: 80},
  {computeCapability: 10.3, ranks: 8, since: '0.29.0', fusedMiB: 4, aloneMiB: 64},
  {computeCapability: 10.3, ranks: 8, since: '0.33.0', fusedMiB: 4, aloneMiB: 128},
  {computeCapability: 10, ranks: 8, since: '0.33.0', fusedMiB: 1, aloneMiB: 128},
]

/** Three buffers in turn, two stages each, of whole slices of tokens (flashinfer/comm/trtllm_mnnvl_ar.py MNNVLAllReduceFusionWorkspace, 0.7.2.post1). */
function workspaceBytes(messageMiB: number, ranks: number, hiddenSize: number): number {
  const tokenBytes = 2 * hiddenSize
  const tokens = Math.floor((messageMiB * 2 ** 20) / tokenBytes)
  return 3 * 2 * Math.ceil(tokens / ranks) * ranks * tokenBytes
}

/** Bytes on each rank of a tensor-parallel group that is joined by NVLink; 0 elsewhere. */
export function allReduceBytes({model, gpu, machine}: Subject, {engineVersion, tp}: Pick<Deployment, 'engineVersion' | 'tp'>): number {
  const {vendor, computeCapability} = gpu.accelerator
  if (vendor !== 'nvidia' || machine.link.kind !== 'nvlink') return 0
  const tuned = TUNED.findLast((row) => row.computeCapability === computeCapability && row.ranks === tp && isAtLeast(engineVersion, row.since))
  if (!tuned) return 0
  const {hiddenSize} = model.architecture
  return workspaceBytes(tuned.aloneMiB, tp, hiddenSize) - workspaceBytes(tuned.fusedMiB, tp, hiddenSize)
}
