import type {Workload} from '../../core/deployment.ts'
import {type SimulationChoices, simulateDeployment} from '../../core/simulator/deployment.ts'
import type {Distribution} from '../../core/simulator/distribution.ts'
import type {SimulationResult} from '../../core/simulator/simulate.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Evaluation} from './evaluation.ts'
import {performanceInput} from './speed-input.ts'
import {calibrationFor, pacingAccelerator} from '../world/index.ts'

/** Runs one deployment under its load, step by step. */
export const simulateEvaluation = (evaluation: Evaluation, workload: Workload, calibration: Calibration, choices: SimulationChoices = {}): SimulationResult =>
  simulateDeployment(performanceInput(evaluation, workload), calibrationFor(calibration, evaluation.engine.id, pacingAccelerator(evaluation.machine)), choices)

/** What `check --simulate` adds to a result. Times are milliseconds, rates are of the whole deployment. */
export interface Simulation {
  seed: number
  requests: number
  refused: number
  ttftMs?: Distribution
  tpotMs?: Distribution
  endToEndMs?: Distribution
  outputTokensPerSecond: number
  requestsPerSecond: number
  /** Shares of the time in which a step ran, and of the cache in use. */
  busyShare: number
  meanCacheShare?: number
  peakCacheShare?: number
  meanRunning: number
  meanWaiting: number
  /** Still waiting when the last request arrived: many say that the load is too high. */
  waitingAtLastArrival: number
  preemptions: number
}

/** @throws Error where the evaluation has no load. */
export function simulationOf(evaluation: Evaluation, calibration: Calibration, seed = 0): Simulation {
  const {workload} = evaluation
  if (!workload) throw new Error('a simulation needs a load')
  const result = simulateEvaluation(evaluation, workload, calibration, {seed})
  const {utilisation, queue} = result
  return {
    seed: result.seed,
    requests: result.requestCount,
    refused: result.refusedCount,
    ...(result.ttftMs && {ttftMs: result.ttftMs}),
    ...(result.tpotMs && {tpotMs: result.tpotMs}),
    ...(result.endToEndMs && {endToEndMs: result.endToEndMs}),
    outputTokensPerSecond: result.outputTokensPerSecond,
    requestsPerSecond: result.requestsPerSecond,
    busyShare: utilisation.busyShare,
    ...(utilisation.meanCacheShare !== undefined && {meanCacheShare: utilisation.meanCacheShare}),
    ...(utilisation.peakCacheShare !== undefined && {peakCacheShare: utilisation.peakCacheShare}),
    meanRunning: utilisation.meanRunning,
    meanWaiting: queue.meanWaiting,
    waitingAtLastArrival: queue.waitingAtLastArrival,
    preemptions: result.preemptionCount,
  }
}
