/** Groups that experts are dealt out to, where an engine lets their size be chosen inside the tensor-parallel ranks. */
import type {Architecture} from '../core/architecture.ts'
import type {Deployment} from '../core/deployment.ts'
import type {Reason} from '../core/terms.ts'
import {expertCounts} from './divisibility.ts'

/** The largest size up to `most` that divides the ranks and every layer's experts; 1 where there is no other. */
function nearestSize(ranks: number, counts: readonly number[], most: number): number {
  for (let size = Math.min(ranks, most); size > 1; size--) if (ranks % size === 0 && counts.every((count) => count % size === 0)) return size
  return 1
}

/** Refusals of an expert-parallel size: it must divide the tensor-parallel ranks, and the experts. */
export function expertGroupReasons(architecture: Architecture, {tp, ep}: Deployment, title: string): Reason[] {
  const counts = expertCounts(architecture)
  if (ep <= 1 || counts.length === 0) return []
  const size = nearestSize(tp, counts, ep)
  const use = size > 1 ? `use --ep ${size}` : 'leave --ep out'
  if (tp % ep !== 0) {
    const wider = ep > tp && counts.every((count) => count % ep === 0) ? `, or --tp ${ep}` : ''
    return [
      {
        code: 'ep-not-divisible',
        message: `expert parallelism over ${ep} GPUs does not divide ${tp} tensor-parallel ranks: ${title} spreads experts within them`,
        remedy: `${use}${wider}`,
      },
    ]
  }
  const uneven = counts.find((count) => count >= ep && count % ep !== 0)
  if (uneven === undefined) return []
  return [{code: 'ep-not-divisible', message: `${uneven} experts cannot be spread evenly over ${ep} GPUs, and ${title} needs that`, remedy: use}]
}
