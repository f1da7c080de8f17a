/**
 * Weights in host memory. `--cpu-offload-gb` moves parameters of the layers, the first ones first, until so many bytes are there, into pinned memory that kernels
 * read in place (vllm/model_executor/models/utils.py maybe_offload_to_cpu up to 0.16; vllm/model_executor/offloader/uva.py from 0.17). From 0.17
 * `--cpu-offload-params` names those that may move, and `--offload-group-size` keeps whole layers there that are copied ahead (offloader/prefetch.py), the
 * choice of both where both are given (offloader/base.py create_offloader).
 */
import type {Deployment} from '../../core/deployment.ts'
import type {OffloadedLayers, OffloadUse, Subject} from '../engine.ts'
import {sharedMemory} from '../offload.ts'
import {isAtLeast} from '../versions.ts'
import {usesSecondRunner} from './runner.ts'

/** The second runner's __init__ sets the offloader (vllm/v1/worker/gpu/model_runner.py); from 0.17 to 0.27 only the first runner's did. */
const SECOND_RUNNER_OFFLOADS_SINCE = '0.28.0'
/** vllm-project/vllm#56283 (2026-09, open): no cause was found in the thread, and the source reads as if it worked. */
const REPORTED_WITHOUT_EFFECT =
  'one report has weight offloading without effect under the second model runner (vllm-project/vllm#56283), and then this would not start: look for "Total CPU offloaded parameters" in the log'

type Asked = Pick<Deployment, 'engineVersion' | 'speculative' | 'pp' | 'engineFlags' | 'cpuOffloadBytes'>

export function vllmOffload(subject: Subject, deployment: Asked): OffloadUse {
  const version = deployment.engineVersion
  const shared = sharedMemory(subject)
  if (shared) return shared
  const second = usesSecondRunner(subject, deployment)
  if (second && !isAtLeast(version, SECOND_RUNNER_OFFLOADS_SINCE))
    return {
      ignored: `vLLM ${version} silently ignores weight offloading for this model: its second model runner, which serves it, offloads nothing before ${SECOND_RUNNER_OFFLOADS_SINCE}; VLLM_USE_V2_MODEL_RUNNER=0 chooses the first`,
    }
  const caution = second ? {caution: REPORTED_WITHOUT_EFFECT} : {}
  const layers = layersAhead(deployment)
  if (layers) return {reading: 'ahead', layers, ...caution}
  return {reading: 'in-place', ...(onlyExperts(deployment) && {of: 'experts' as const}), ...caution}
}

const numberOf = (value: unknown): number | undefined => {
  const number = Number(value)
  return value === undefined || !Number.isInteger(number) || number < 0 ? undefined : number
}

function layersAhead({engineFlags = {}}: Asked): OffloadedLayers | undefined {
  const groupSize = numberOf(engineFlags['--offload-group-size']) ?? 0
  if (groupSize === 0 || engineFlags['--offload-backend'] === 'uva') return undefined
  return {
    groupSize,
    inGroup: Math.min(groupSize, numberOf(engineFlags['--offload-num-in-group']) ?? 1),
    buffers: Math.max(1, numberOf(engineFlags['--offload-prefetch-step']) ?? 1),
  }
}

/** Names of experts' parameters alone, as segments of full names: experts, w13_weight, mlp.experts.w2_weight. */
function onlyExperts({engineFlags = {}}: Asked): boolean {
  const given = engineFlags['--cpu-offload-params']
  const names = Array.isArray(given) ? given : typeof given === 'string' ? given.split(/[\s,]+/) : []
  return names.length > 0 && names.every((name) => /(?:^|\.)(?:experts|w13_weight|w2_weight)(?:\.|$)/.test(name))
}
