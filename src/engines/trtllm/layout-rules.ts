import type {Deployment} from '../../core/deployment.ts'
import type {Reason} from '../../core/terms.ts'
import type {Subject} from '../engine.ts'
import {expertGroupReasons} from '../expert-groups.ts'

/** Attention data parallelism is a switch over all tensor-parallel ranks (llm_args.py enable_attention_dp): it has no size of its own. */
function attentionReasons({tp, dp, dpAttention}: Deployment): Reason[] {
  if (!dpAttention || dp === 1 || dp === tp) return []
  return [
    {
      code: 'dp-not-divisible',
      message: `attention data parallelism of TensorRT-LLM runs on all ${tp} tensor-parallel ranks, not on ${dp}`,
      remedy: 'leave --dp out',
    },
  ]
}

/**
 * Layouts that TensorRT-LLM refuses. Experts: "tp_size must equal to moe_tp_size * moe_ep_size" (tensorrt_llm/mapping.py, with a
 * cluster size of 1), and each rank owns experts / ep of them, the rest nobody (mapping.py ep_experts, at
 * 05ebebb2c1d34320db9019f2b7ace6009a67e997).
 */
export const trtllmLayoutReasons = (subject: Subject, deployment: Deployment): Reason[] => [
  ...attentionReasons(deployment),
  ...expertGroupReasons(subject.model.architecture, deployment, 'TensorRT-LLM'),
]
