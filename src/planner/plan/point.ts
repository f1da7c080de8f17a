import type {Performance} from '../../core/throughput/input.ts'
import type {Evaluation} from '../answer/index.ts'

/** A deployment at one load. */
export interface PlanPoint {
  evaluation: Evaluation
  concurrency: number | 'max' | undefined
  performance: Performance
  /** Latency limits that even the cautious end of the interval keeps. */
  meets: boolean
  /** Where a percentile was asked for: it, from the simulator, at the cautious end. Absent: not simulated. */
  tail?: {ttftMs: number; tpotMs: number; endToEndMs: number; shareWithinLimits: number}
}
