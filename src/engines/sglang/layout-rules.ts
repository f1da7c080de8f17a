import type {Deployment} from '../../core/deployment.ts'
import type {Reason} from '../../core/terms.ts'
import type {Subject} from '../engine.ts'
import {expertGroupReasons} from '../expert-groups.ts'
import {nodesNeeded} from '../launch/nodes.ts'
import {isAtLeast} from '../versions.ts'
import {dictionary} from '../../core/dictionary.ts'

const TITLE = 'SGLang'

/** First release with `--pp-size` (server_args.py). */
const STAGES_SINCE = '0.4.6.post2'

/** Attention data parallelism: "assert self.tp_size % self.dp_size == 0" (server_args.py, 0.4.6 to 0.5.18). */
function attentionReasons({tp, dp, dpAttention}: Deployment): Reason[] {
  if (!dpAttention || tp % dp === 0) return []
  let size = Math.min(tp, dp)
  while (tp % size !== 0) size--
  return [
    {
      code: 'dp-not-divisible',
      message: `attention over ${dp} data-parallel ranks does not divide the ${tp} tensor-parallel ranks`,
      remedy: size > 1 ? `use --dp ${size}` : `leave --dp out: it is ${tp} then`,
    },
  ]
}

/** Replicas stay on one node without attention data parallelism, and ranks spread evenly over nodes (server_args.py check_server_args, 0.4.6 to 0.5.18). */
function nodeReasons(subject: Subject, {tp, pp, dp, dpAttention}: Deployment): Reason[] {
  const replicas = dpAttention ? 1 : dp
  const group = nodesNeeded(subject, tp * pp * replicas)
  if (!group) return []
  if (replicas > 1)
    return [
      {
        code: 'dp-over-nodes',
        message: `${replicas} replicas of ${tp * pp} GPUs need ${group.count} nodes, but ${TITLE} keeps the replicas of one server on one node`,
        remedy: 'start one server on each node, or use --dp-attention',
      },
    ]
  return (tp * pp) % group.count === 0
    ? []
    : [
        {
          code: 'nodes-uneven',
          message: `${tp * pp} ranks cannot be spread evenly over ${group.count} nodes`,
          remedy: `use a multiple of ${group.count} GPUs in total`,
        },
      ]
}

/** Pipeline stages: not before they came, and not with speculation (server_args.py check_server_args, 0.4.10 to 0.5.18). */
function stageReasons({engineVersion, pp, speculative}: Deployment): Reason[] {
  if (pp === 1) return []
  if (!isAtLeast(engineVersion, STAGES_SINCE))
    return [
      {
        code: 'engine-too-old',
        message: `${TITLE} ${engineVersion} has no pipeline stages: they came with ${STAGES_SINCE}`,
        remedy: `use --engine-version ${STAGES_SINCE} or later, or --pp 1`,
      },
    ]
  return speculative
    ? [
        {
          code: 'speculation-unavailable',
          message: `${TITLE} does not support drafts with pipeline stages`,
          remedy: 'leave --speculative out, or use --pp 1',
        },
      ]
    : []
}

/** Decode context parallelism shares out the ranks of attention (distributed/parallel_state.py, 0.5.18: tp groups of dcp ranks). */
function contextReasons({tp, decodeContextParallel = 1}: Deployment): Reason[] {
  return tp % decodeContextParallel === 0
    ? []
    : [
        {
          code: 'dcp-not-divisible',
          message: `decode context parallel ${decodeContextParallel} does not divide the ${tp} tensor-parallel ranks`,
          remedy: `use a --decode-context-parallel that divides ${tp}`,
        },
      ]
}

/** Classes that can be served without their towers, with their first release (server_args.py LANGUAGE_MODEL_ONLY_ARCHITECTURES). */
const LANGUAGE_ONLY: Record<string, string> = dictionary({
  Cosmos3EdgeForConditionalGeneration: '0.5.20',
  Cosmos3ForConditionalGeneration: '0.5.20',
  DeepseekV4ForCausalLM: '0.5.22',
  MuseGlimmerForConditionalGeneration: '0.5.18',
})

function towerReasons({model}: Subject, {engineVersion, multimodal}: Deployment): Reason[] {
  const {className = ''} = model.architecture
  const since = LANGUAGE_ONLY[className]
  if (!multimodal?.languageOnly || (since !== undefined && isAtLeast(engineVersion, since))) return []
  const served = Object.keys(LANGUAGE_ONLY).filter((name) => isAtLeast(engineVersion, LANGUAGE_ONLY[name]!))
  return [
    {
      code: 'option-unavailable',
      message:
        served.length > 0
          ? `${TITLE} ${engineVersion} serves the language model alone (--language-model-only) of ${served.join(', ')} only, not of ${className || model.name}`
          : `${TITLE} ${engineVersion} serves no language model alone (--language-model-only)`,
      remedy: since === undefined ? 'leave it out, or use --engine vllm' : `use --engine-version ${since} or later, or leave it out`,
    },
  ]
}

/**
 * Layouts that SGLang refuses. Experts: groups of `--ep-size` inside the tensor-parallel ranks (distributed/parallel_state.py
 * initialize_model_parallel, tp // ep), with as many experts on each ("assert num_experts % self.moe_ep_size == 0",
 * layers/moe/fused_moe_triton/layer.py, 0.4.10 to 0.5.18; layers/moe/ep_moe/layer.py, 0.4.6).
 */
export const sglangLayoutReasons = (subject: Subject, deployment: Deployment): Reason[] => [
  ...attentionReasons(deployment),
  ...expertGroupReasons(subject.model.architecture, deployment, TITLE),
  ...nodeReasons(subject, deployment),
  ...stageReasons(deployment),
  ...contextReasons(deployment),
  ...towerReasons(subject, deployment),
]
