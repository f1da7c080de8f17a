/** A deployment made ready for stepping, and what a load does to one of its replicas. */
import type {Calibration, EngineCalibration} from './calibration.ts'
import {draftedModel} from './drafted-model.ts'
import type {Drafter} from './drafting.ts'
import {releaseYear} from './engine-version.ts'
import {type PerformanceInput, replicaCount} from './input.ts'
import {admissionLimit, closedLoop, openLoop, type Serving} from './serving.ts'
import {stepModel, type StepModel} from './step.ts'

export function engineCalibration(input: Pick<PerformanceInput, 'engine'>, calibration: Calibration): EngineCalibration {
  return calibration.engines[input.engine] ?? calibration.defaultEngine
}

/** The deployment made ready for stepping, with the engine's version taken into account. */
export function preparedModel(input: PerformanceInput, calibration: Calibration): StepModel {
  const engine = engineCalibration(input, calibration)
  const {measuredYears, referenceYear} = engine
  const year = releaseYear(input.engineVersion, engine)
  const years = measuredYears ? Math.min(measuredYears.newest, Math.max(measuredYears.oldest, year)) - referenceYear : 0
  const target = stepModel(input, calibration, engine, years)
  const {drafting} = input
  if (!drafting) return target
  const {drafter} = drafting
  if (!drafter) return draftedModel(target, drafting, undefined, 0)
  const drafterModel = stepModel(drafterInput(input, drafter), calibration, engine, years)
  const launched = drafter.hostKernels > 0 ? drafter.hostKernels + drafterModel.work.mixerKernelCount : 0
  return draftedModel(target, drafting, drafterModel, launched * target.hostSecondsPerKernel + (drafting.verification?.hostSecondsPerPass ?? 0))
}

/** The drafter as a model of its own on the ranks of the last stage. */
function drafterInput(input: PerformanceInput, {architecture, checkpoint}: Drafter): PerformanceInput {
  const stages = Math.max(1, input.pp)
  return {
    ...input,
    architecture,
    checkpoint,
    drafting: undefined,
    // Engines offload the target's layers.
    offload: undefined,
    pp: 1,
    gpuCount: Math.max(1, Math.round(input.gpuCount / stages)),
    nodes: Math.max(1, Math.ceil(input.nodes / stages)),
  }
}

/** Replicas that the load keeps busy: with fewer requests in flight than replicas, some stand idle. */
export function busyReplicas(input: PerformanceInput): number {
  const {concurrency} = input.workload
  const replicas = replicaCount(input)
  return typeof concurrency === 'number' ? Math.min(replicas, Math.max(1, concurrency)) : replicas
}

/** What the load does to one replica, without intervals and explanations: what a fit needs. `model`: made ready before, for another load. */
export function servingOf(input: PerformanceInput, calibration: Calibration, model = preparedModel(input, calibration)): Serving {
  const {workload} = input
  const replicas = busyReplicas(input)
  if (workload.requestRate !== undefined && workload.concurrency === undefined) return openLoop(input, model, workload.requestRate / replicas)
  if (workload.concurrency === 'max') {
    const limit = admissionLimit(input, {input: workload.inputTokens, output: workload.outputTokens}, Math.min(0.5, model.engine.reservedOutputShare))
    return closedLoop({...input, kvCacheTokens: undefined}, model, Math.min(limit, input.maxNumSeqs), 'steady')
  }
  return closedLoop(input, model, Math.max(1, (workload.concurrency ?? 1) / replicas), 'together')
}
