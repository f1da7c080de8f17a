import type {DraftingOption} from '../planner/plan/index.ts'
import {usersInWords} from '../core/words.ts'
import {harmless} from './style.ts'

/** Drafting beside none: mtp:1 brings 35% at this load, and pays up to 40 in flight. */
export function draftingWords({speculative: {method, tokens, draft}, gain, acceptance, paysUntilConcurrency: until}: DraftingOption): string {
  const name = `--speculative ${method}:${tokens}${draft === undefined ? '' : ` (${harmless(draft)})`}`
  const change = `${Math.round(Math.abs(gain - 1) * 100)}%`
  const reached = Math.abs(gain - 1) < 0.005 ? `${name} would change throughput at this load by less than 1%` : undefined
  const share = `${Math.round(acceptance * 100)}% of drafted tokens accepted`
  if (gain <= 1)
    return `${reached ?? `${name} would cost ${change} of throughput at this load`}${until ? `; it pays off up to ${usersInWords(until)}` : ''} (${share}).`
  const reach = until === undefined ? ', and pays off at every load that fits at once' : until > 0 ? `, and pays off up to ${usersInWords(until)}` : ''
  return `${reached ?? `${name} would bring ${change} more throughput at this load`}${reach} (${share}).`
}
