import {endToEndMs} from '../plan/index.ts'
import type {Objectives} from '../scenario/index.ts'
import type {LoadPoint} from './points.ts'

/** Which end of an interval is judged: the estimate decides, the slow end says how sure that is. */
export type End = 'estimate' | 'high'

/** A latency limit beside the mean that is expected, and the slow end of its interval. */
export interface LimitReached {
  name: 'ttftMs' | 'tpotMs' | 'endToEndMs'
  limit: number
  estimate: number
  high: number
}

/** Every limit that was asked for, with what a deployment reaches at a load. */
export function limitsReached(point: LoadPoint, {ttftMs, tpotMs, endToEndMs: endToEnd}: Objectives): LimitReached[] {
  const {performance} = point
  const list: LimitReached[] = []
  const add = (name: LimitReached['name'], limit: number | undefined, {estimate, high}: Record<End, number>) => {
    if (limit !== undefined) list.push({name, limit, estimate, high})
  }
  add('ttftMs', ttftMs, performance.ttftMs)
  add('tpotMs', tpotMs, performance.tpotMs)
  add('endToEndMs', endToEnd, endToEndMs(point))
  return list
}

export const keepsLimits = (point: LoadPoint, slo: Objectives, end: End): boolean => limitsReached(point, slo).every((reached) => reached[end] <= reached.limit)

/** The limit that is missed most at the estimate: times over it; 0 without limits. */
export const excess = (point: LoadPoint, slo: Objectives): number => Math.max(0, ...limitsReached(point, slo).map(({limit, estimate}) => estimate / limit))

export const hasLimits = ({ttftMs, tpotMs, endToEndMs: endToEnd}: Objectives): boolean => ttftMs !== undefined || tpotMs !== undefined || endToEnd !== undefined

/** Limits that bound how long a request may wait for its turn. */
export const boundsTheWait = ({ttftMs, endToEndMs: endToEnd}: Objectives): boolean => ttftMs !== undefined || endToEnd !== undefined
