import type {Deployment} from '../core/deployment.ts'

/** How a model is laid over GPUs, in a few letters: tp 4 dp 2. */
export function layoutLetters({tp, pp, dp, ep, dpAttention}: Pick<Deployment, 'tp' | 'pp' | 'dp' | 'ep' | 'dpAttention'>): string {
  const parts = [`tp ${tp}`]
  if (pp > 1) parts.push(`pp ${pp}`)
  if (dpAttention) parts.push(dp > 1 ? `attn-dp ${dp}` : 'attn-dp')
  else if (dp > 1) parts.push(`dp ${dp}`)
  if (ep > 1) parts.push(`ep ${ep}`)
  return parts.join(' ')
}
