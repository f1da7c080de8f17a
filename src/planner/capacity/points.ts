import type {Calibration} from '../../core/throughput/calibration.ts'
import {type Performance, performance, preparedModel} from '../../core/throughput/performance.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {type Evaluation, performanceInput, type Standing} from '../answer/index.ts'
import {settledFor} from '../plan/index.ts'
import {calibrationFor} from '../world/index.ts'

/** A deployment at one load. */
export interface LoadPoint {
  /** With the load and the performance. */
  evaluation: Evaluation
  performance: Performance
}

/** One deployment at any load of the same lengths: made ready once, and again where a load wants other settings (`settledFor`). */
export function pointsOf(
  stood: Standing,
  lengths: Workload,
  calibration: Calibration,
  request: DeploymentRequest,
): (load: Pick<Workload, 'concurrency' | 'requestRate'>) => LoadPoint {
  const ready = (own: Standing) => {
    const input = performanceInput(own, lengths)
    const calibrated = calibrationFor(calibration, input.engine, input.accelerator)
    return {own, input, calibrated, model: preparedModel(input, calibrated)}
  }
  let last = ready(stood)
  return (load) => {
    const workload = {...lengths, ...load}
    const own = settledFor(stood, workload, request)
    if (own !== last.own) last = ready(own)
    const predicted = performance({...last.input, workload}, last.calibrated, last.model)
    return {evaluation: {...own, workload, performance: predicted}, performance: predicted}
  }
}
