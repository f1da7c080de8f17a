/** Deployments as the flags that lead to exactly them. */
import type {Result} from '../../planner/answer/index.ts'

/** The flags of a deployment that was chosen, with its load. */
export function pinnedWords({model, deployment, workload}: Result): Record<string, string> {
  const {engine, tp, pp, dp, ep, dpAttention, kvCache, maxModelLen} = deployment
  return {
    ...(model.hfId !== '' && {model: model.hfId}),
    engine,
    weights: '',
    prefer: '',
    tp: String(tp),
    pp: pp > 1 ? String(pp) : '',
    dp: dp > 1 ? String(dp) : '',
    ep: ep > 1 ? String(ep) : '',
    'dp-attention': dpAttention ? 'yes' : '',
    'kv-cache': kvCache,
    'max-model-len': String(maxModelLen),
    ...(workload?.concurrency !== undefined && {concurrency: String(workload.concurrency), 'request-rate': ''}),
  }
}
