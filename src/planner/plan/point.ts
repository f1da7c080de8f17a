import type {Performance} from '../../core/throughput/input.ts'
import type {Evaluation, Standing, Tail} from '../answer/index.ts'

/** A deployment at one load. */
export interface PlanPoint {
  /** With the verdict on this load and the limits that were asked for. */
  evaluation: Evaluation
  /** The same deployment before it met a load. */
  standing: Standing
  concurrency: number | 'max' | undefined
  performance: Performance
  /** The limits that choose, those asked for or the usual ones, are kept as expected. */
  meets: boolean
  /** And at the slow end of the intervals. */
  sure: boolean
  /** Where a percentile was asked for: it, from the simulator. Absent: not simulated. */
  tail?: Tail
}
