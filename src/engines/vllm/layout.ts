import type {LoadedDeployment} from '../../core/deployment.ts'
import type {ShardLayout} from '../../core/weights.ts'

/**
 * vLLM's sharding: attention and dense layers over tp; experts whole over tp x dp ranks with expert parallelism, else their
 * matrices over the same ranks (docs/serving/expert_parallel_deployment.md).
 */
export function vllmLayout(deployment: LoadedDeployment): ShardLayout {
  const {tp, dp, ep} = deployment
  const ranks = tp * dp
  return {
    attentionTp: tp,
    denseTp: tp,
    vocabularyTp: tp,
    expertTp: ep > 1 ? 1 : ranks,
    expertParallel: ep > 1 ? ranks : 1,
    encoderTp: tp,
  }
}
