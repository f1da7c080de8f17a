import type {Workload} from '../../core/deployment.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {type Performance, performance, preparedModel} from '../../core/throughput/performance.ts'
import {type Evaluation, performanceInput} from '../answer/index.ts'
import {calibrationFor} from '../world/index.ts'

/** A deployment at one load. */
export interface LoadPoint {
  /** With the load and the performance. */
  evaluation: Evaluation
  performance: Performance
}

/** One deployment at any load of the same lengths: made ready once. */
export function pointsOf(
  evaluation: Evaluation,
  lengths: Workload,
  calibration: Calibration,
): (load: Pick<Workload, 'concurrency' | 'requestRate'>) => LoadPoint {
  const input = performanceInput(evaluation, lengths)
  const own = calibrationFor(calibration, input.engine, input.accelerator)
  const model = preparedModel(input, own)
  return (load) => {
    const workload = {...lengths, ...load}
    const predicted = performance({...input, workload}, own, model)
    return {evaluation: {...evaluation, workload, performance: predicted}, performance: predicted}
  }
}
