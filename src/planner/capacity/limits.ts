import {type Reached, reachedLimits} from '../answer/index.ts'
import type {Objectives} from '../scenario/index.ts'
import type {LoadPoint} from './points.ts'

/** Which end of an interval is judged: the estimate decides, the slow end says how sure that is. */
export type End = 'estimate' | 'high'

/** Every limit that was asked for, with what a deployment reaches at a load: its mean as expected, and at the slow end of the interval. */
export const limitsReached = ({performance, evaluation: {workload}}: LoadPoint, slo: Objectives): Reached[] => reachedLimits(performance, workload, slo)

export const keepsLimits = (point: LoadPoint, slo: Objectives, end: End): boolean => limitsReached(point, slo).every((reached) => reached[end] <= reached.limit)

/** The limit that is missed most at the estimate: times over it; 0 without limits. */
export const excess = (point: LoadPoint, slo: Objectives): number => Math.max(0, ...limitsReached(point, slo).map(({limit, estimate}) => estimate / limit))

/** Limits that bound how long a request may wait for its turn. */
export const boundsTheWait = ({ttftMs, endToEndMs: endToEnd}: Objectives): boolean => ttftMs !== undefined || endToEnd !== undefined
