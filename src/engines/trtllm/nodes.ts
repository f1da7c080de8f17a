import type {Deployment} from '../../core/deployment.ts'
import type {NodePlan, Subject} from '../engine.ts'
import {nodesNeeded} from '../launch/nodes.ts'

/**
 * TensorRT-LLM runs one MPI process for each GPU: rank 0 becomes the server, the others its workers
 * (tensorrt_llm/llmapi/trtllm-llmapi-launch at 020c89e64e49f24102f1b62be96a1a68283cdf7a).
 */
export function trtllmNodes(subject: Subject, {tp, pp}: Deployment): NodePlan | undefined {
  const group = nodesNeeded(subject, tp * pp)
  return group && {...group, mpi: {wrapper: 'trtllm-llmapi-launch'}}
}
