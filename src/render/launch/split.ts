/** How planned copies are shared out where prompts are read by some servers and answers written by others. */
import type {Startable} from './startable.ts'

export interface SplitReplicas {
  prefill: number
  decode: number
  because: string
}

/** The same in words, before a noun. */
export const splitWords = ({prefill, decode}: SplitReplicas, noun: string): string =>
  decode === 1 && prefill === 1 ? `One prefill and one decode ${noun}` : `${prefill} prefill and ${decode} decode ${noun}${decode === 1 ? '' : 's'}`

/** Of so many copies as were planned, those that read prompts get the share of time that prompts take in one that does both; at least one each. */
export function splitReplicas({replicas = 1, prefillShare}: Startable): SplitReplicas {
  if (replicas < 2) return {prefill: 1, decode: 1, because: 'Two, since one does only half of the work.'}
  const share = prefillShare ?? 1 / 2
  const prefill = Math.min(replicas - 1, Math.max(1, Math.round(replicas * share)))
  const because =
    prefillShare === undefined
      ? `${replicas} copies were planned; how much of their time prompts take is not known, so half of them read.`
      : `${replicas} copies were planned, and prompts take ${Math.round(100 * prefillShare)}% of the time of each at the planned load.`
  return {prefill, decode: replicas - prefill, because}
}
