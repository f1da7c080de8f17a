/** Embedding models and rerankers: what serving them differs in. */
import type {Deployment} from '../core/deployment.ts'
import type {MemoryEstimate} from '../core/memory.ts'
import type {Model} from '../core/model.ts'
import {type Reason, sumBytes} from '../core/terms.ts'
import {longestStart} from './longest.ts'
import type {PartTerm} from './weight-terms.ts'

/** It reads every text whole, in one step, and keeps nothing of it (attention in both directions). */
export const isEncoder = ({pooling}: Pick<Model, 'pooling'>): boolean => pooling?.bidirectional === true

/** An embedding model is told its work where its class also writes (sglang `--is-embedding`, vLLM's pooling runner). */
export const alsoWrites = ({architecture, pooling}: Model): boolean =>
  pooling !== undefined && /For(?:CausalLM|ConditionalGeneration)$/.test(architecture.className ?? '')

/** Engines whose server is not known to embed or to rank. */
export function poolingReasons(id: string, title: string, {pooling, name}: Model): Reason[] {
  if (!pooling) return []
  const words = pooling.task === 'embed' ? 'an embedding model' : 'a reranker'
  if (id === 'trtllm')
    return [{code: 'pooling-unsupported', message: `${name} is ${words}, and ${title}'s server only generates text`, remedy: 'use --engine vllm'}]
  if (id === 'sglang' && (pooling.hfOverrides || pooling.trustRemoteCode))
    return [
      {
        code: 'pooling-unsupported',
        message: `${name} is ${words} whose class ${title} is not known to serve as its repository has it`,
        remedy: 'use --engine vllm',
      },
    ]
  return []
}

export interface EncoderQuestion {
  deployment: Deployment
  totalBytes: number
  budgetBytes: number
  /** Terms of the fullest stage. */
  terms: PartTerm[]
  /** Parts that stand beyond the budget. */
  outside: readonly string[]
  limitTokens: number
  /** Whether it starts with another length: tables of blocks and trials grow with it. */
  startsAt(maxModelLen: number): boolean
  startProblem?: Reason
}

/**
 * vLLM without a cache: layers that see in both directions declare none, so what the budget leaves stays free
 * (vllm/v1/worker/gpu_model_runner.py get_kv_cache_spec skips ENCODER_ONLY, v1/core/kv_cache_utils.py get_kv_cache_config_from_groups, 0.28.0).
 */
export function encoderEstimate({deployment, totalBytes, budgetBytes, terms, outside, limitTokens, startsAt, startProblem}: EncoderQuestion): MemoryEstimate {
  const room = budgetBytes - sumBytes(terms.filter(({part}) => !outside.includes(part)))
  const starts = room > 0 && startProblem === undefined
  let longest: number | undefined
  return {
    totalBytes,
    budgetBytes,
    terms,
    kvCacheBytes: Math.floor(room),
    kvBytesPerToken: 0,
    stateBytesPerSequence: 0,
    kvCacheTokens: 0,
    maxConcurrencyAtMaxModelLen: deployment.maxNumSeqs,
    get largestMaxModelLen() {
      longest ??= starts && deployment.maxModelLen >= limitTokens ? limitTokens : longestStart(limitTokens, limitTokens, startsAt)
      return longest
    },
    requestsOfTokens: () => deployment.maxNumSeqs,
    starts,
    ...(startProblem && {startProblem}),
  }
}
