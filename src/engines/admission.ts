/** Requests that an engine lets in where what may wait is limited. */
import type {Deployment} from '../core/deployment.ts'

/**
 * Requests that are in the server at once at most; undefined where nothing limits them.
 * vLLM counts those that run and those that wait (v1/engine/async_llm.py, 0.29.0: "current + n > max_num_reqs", HTTP 503); SGLang those that
 * wait alone, beside `running` (managers/scheduler.py _abort_on_queued_limit, 0.5.18).
 */
export function admittedRequests({engine, admission, dp}: Deployment, running: number): number | undefined {
  const most = admission?.maxQueuedRequests
  if (most === undefined) return undefined
  // SGLang's ranks wait each in a line of their own; vLLM's server counts over all of them.
  return engine === 'sglang' ? Math.max(1, Math.floor(running) + most * dp) : Math.max(1, most)
}
