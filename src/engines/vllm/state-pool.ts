import type {Deployment, DeploymentRequest} from '../../core/deployment.ts'
import type {Mixer} from '../../core/architecture.ts'
import type {EngineData, Subject} from '../engine.ts'
import {isAtLeast} from '../versions.ts'
import {STATE_LIMIT_SINCE, vllmMemory} from './memory.ts'
import {resolveVllm} from './resolve.ts'

/** Of the blocks that are expected: what remains where the estimate is too high by as much as one in ten are. */
const SAFE_SHARE = 0.9

const RECURRENT = new Set<Mixer['kind']>(['gated-delta-net', 'kimi-delta', 'lightning', 'mamba2', 'mamba1', 'short-conv'])

/** Whether some layers keep a state for each request instead of a cache that grows. */
export const isRecurrent = ({model}: Subject): boolean => model.architecture.layerKinds.some(({mixers}) => mixers.some(({kind}) => RECURRENT.has(kind)))

/**
 * A model with recurrent layers takes a block of state for each request, and vLLM does not start with CUDA graphs when
 * `max_num_seqs` exceeds the blocks there are (vllm/config/compilation.py resolve_cudagraph_mode_and_sizes, 0.20.0 to 0.28.0).
 * Where its default would, fewer are asked for.
 */
export function withinStatePool(subject: Subject, request: DeploymentRequest, data: EngineData): Deployment {
  const deployment = resolveVllm(subject, request, data)
  if (request.maxNumSeqs !== undefined || deployment.enforceEager || !isAtLeast(deployment.engineVersion, STATE_LIMIT_SINCE) || !isRecurrent(subject))
    return deployment
  const {cacheBlocks = 0} = vllmMemory(subject, deployment, data)
  const safe = Math.floor(cacheBlocks * SAFE_SHARE)
  if (safe < 1 || deployment.maxNumSeqs <= safe) return deployment
  return resolveVllm(subject, {...request, maxNumSeqs: safe > 8 ? safe - (safe % 8) : safe}, data)
}
