/** Memory of attention's kernels that is taken when graphs are tried, before the cache is sized. */
import type {Deployment} from '../../core/deployment.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {graphsInsideBudget} from './runner.ts'

/** VLLM_FLASHINFER_WORKSPACE_BUFFER_SIZE (vllm/envs.py, 0.19.0 to 0.33.0). */
const WORKSPACE_BYTES = 394 * 1024 ** 2
/** Widths of a head that FlashInfer takes (v1/attention/backends/flashinfer.py get_supported_head_sizes, 0.24.0). */
const HEAD_DIMS = [64, 128, 256]
/** Its attention is Triton's, whatever the card (models/config.py Gemma4Config, 0.20.2: heads of two widths). */
const TRITON_ONLY = /^Gemma4/

/**
 * FlashInfer is the first choice on compute capability 10.x, and elsewhere the first that reads an 8-bit cache, which FlashAttention does on 9.0 alone
 * (platforms/cuda.py _get_backend_priorities, backends/fa_utils.py flash_attn_supports_fp8; 0.20.2 to 0.28.0). Sinks it takes on 10.x alone (supports_sink).
 */
function takesFlashInfer({model, gpu}: Subject, {kvCache}: Pick<Deployment, 'kvCache'>): boolean {
  const {vendor, computeCapability = 0} = gpu.accelerator
  const {className = '', layerKinds} = model.architecture
  const attention = layerKinds.flatMap(({mixers}) => mixers).filter((mixer) => mixer.kind === 'full')
  if (vendor !== 'nvidia' || computeCapability < 8 || TRITON_ONLY.test(className) || attention.length === 0) return false
  if (!attention.every(({headDim}) => HEAD_DIMS.includes(headDim))) return false
  const family = Math.floor(computeCapability)
  if (family === 10) return true
  return family !== 9 && cacheFormat(kvCache).elementBytes === 1 && !attention.some(({sinks}) => sinks)
}

/**
 * Graphs of parts of a step came with 0.8, those of whole decode steps beside them with 0.11.0 (config/__init__.py: FULL_AND_PIECEWISE, in 0.10.2 PIECEWISE). The engine
 * of before 0.8 captured whole decode steps.
 */
const PARTS_SINCE = '0.8.0'
const WHOLE_STEPS_SINCE = '0.11.0'

/** Whether attention is launched outside of graphs in every step, where nobody chose. */
export const piecewiseByDefault = (engineVersion: string): boolean => isAtLeast(engineVersion, PARTS_SINCE) && !isAtLeast(engineVersion, WHOLE_STEPS_SINCE)

/**
 * Whether decode steps are captured whole. Where drafts are verified FlashInfer cannot but on 10.x (get_cudagraph_support: UNIFORM_SINGLE_TOKEN_DECODE;
 * config/compilation.py resolve_cudagraph_mode_and_sizes falls back to PIECEWISE, logged so by 0.24.0).
 */
export function capturesWholeSteps(subject: Subject, deployment: Deployment): boolean {
  const {graphs, speculative, engineVersion} = deployment
  if (graphs?.mode === 'piecewise') return false
  if (graphs?.mode === undefined && !isAtLeast(engineVersion, WHOLE_STEPS_SINCE)) return false
  return !speculative || !takesFlashInfer(subject, deployment) || Math.floor(subject.gpu.accelerator.computeCapability ?? 0) === 10
}

/** Its workspace, allocated when the first step is planned: with the first graph, where those are tried inside the budget (_get_workspace_buffer); else beyond it. */
export const attentionWorkspaceBytes = (subject: Subject, deployment: Deployment, graphCount: number): number =>
  graphCount > 0 && capturesWholeSteps(subject, deployment) && graphsInsideBudget(subject, deployment) && takesFlashInfer(subject, deployment)
    ? WORKSPACE_BYTES
    : 0
