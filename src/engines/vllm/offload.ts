/**
 * Weights in host memory. `--cpu-offload-gb` moves parameters of the layers, the first ones first, until so many bytes are there, into pinned memory that kernels
 * read in place (vllm/model_executor/models/utils.py maybe_offload_to_cpu up to 0.16; vllm/model_executor/offloader/uva.py from 0.17).
 */
import type {Deployment} from '../../core/deployment.ts'
import type {OffloadUse, Subject} from '../engine.ts'
import {sharedMemory} from '../offload.ts'
import {isAtLeast} from '../versions.ts'
import {usesSecondRunner} from './runner.ts'

/** The second runner's __init__ sets the offloader (vllm/v1/worker/gpu/model_runner.py); from 0.17 to 0.27 only the first runner's did. */
const SECOND_RUNNER_OFFLOADS_SINCE = '0.28.0'

/** vllm-project/vllm#56283 (2026-09, open): no cause was found in the thread, and the source reads as if it worked. */
const REPORTED_WITHOUT_EFFECT =
  'one report has --cpu-offload-gb without effect under the second model runner (vllm-project/vllm#56283): look for "Total CPU offloaded parameters" in the log'

export function vllmOffload(subject: Subject, deployment: Pick<Deployment, 'engineVersion' | 'speculative' | 'pp'>): OffloadUse {
  const version = deployment.engineVersion
  const shared = sharedMemory(subject)
  if (shared) return shared
  if (!usesSecondRunner(subject, deployment)) return {reading: 'in-place'}
  if (isAtLeast(version, SECOND_RUNNER_OFFLOADS_SINCE)) return {reading: 'in-place', caution: REPORTED_WITHOUT_EFFECT}
  return {
    ignored: `vLLM ${version} silently ignores --cpu-offload-gb for this model: its second model runner, which serves it, offloads nothing before ${SECOND_RUNNER_OFFLOADS_SINCE}; VLLM_USE_V2_MODEL_RUNNER=0 chooses the first`,
  }
}
