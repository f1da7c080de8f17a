import type {Workload} from '../core/deployment.ts'
import {type SimulationChoices, simulateDeployment} from '../core/simulator/deployment.ts'
import type {SimulationResult} from '../core/simulator/simulate.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import {type Evaluation, performanceInput} from './evaluate.ts'

/** Runs one deployment under its load, step by step. */
export const simulateEvaluation = (evaluation: Evaluation, workload: Workload, calibration: Calibration, choices: SimulationChoices = {}): SimulationResult =>
  simulateDeployment(performanceInput(evaluation, workload), calibration, choices)
