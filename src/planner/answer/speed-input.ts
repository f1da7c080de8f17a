import type {Deployment, Workload} from '../../core/deployment.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Performance, PerformanceInput} from '../../core/throughput/input.ts'
import {performance, preparedModel} from '../../core/throughput/performance.ts'
import type {StepModel} from '../../core/throughput/step.ts'
import type {Subject} from '../../engines/engine.ts'
import {expertKernels} from '../../engines/expert-kernels.ts'
import {isEncoder} from '../../engines/pooling.ts'
import {calibrationFor, linkWithin, pacingAccelerator, tightestGpu} from '../world/index.ts'
import type {Evaluation, Standing} from './evaluation.ts'
import {offloadOf} from './offload.ts'

export const subjectOf = ({model, checkpoint, machine}: Pick<Evaluation, 'model' | 'checkpoint' | 'machine'>): Subject => ({
  model,
  checkpoint,
  machine,
  gpu: tightestGpu(machine),
})

/** Replicas whose experts lie spread over all their GPUs work as one group, whatever the engine calls them (vLLM's data parallelism). */
export function sharesExperts({engine, deployment, model}: Pick<Evaluation, 'engine' | 'deployment' | 'model'>): boolean {
  if (deployment.dp <= 1 || !model.architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')) return false
  const {expertTp, expertParallel} = engine.shardLayout(deployment)
  return expertTp * expertParallel > deployment.tp
}

/** How the scheduler waits, where it was told to. */
function scheduling({admission: {everySteps, waitSteps} = {}}: Deployment): Pick<PerformanceInput, 'admission'> {
  return everySteps === undefined && waitSteps === undefined ? {} : {admission: {everySteps, waitSteps}}
}

/** What the speed model is asked: one replica as the engine divides it. */
export function performanceInput(evaluation: Standing, workload: Workload): PerformanceInput {
  const {engine, deployment, machine, memory, model} = evaluation
  const subject = subjectOf(evaluation)
  const nodes = Math.max(1, Math.ceil(engine.gpuCount(deployment) / machine.gpus.length))
  const dpAttention = deployment.dpAttention || sharesExperts(evaluation)
  const layout = engine.shardLayout(deployment)
  // Limits and cache are those of one rank of data-parallel attention; TensorRT-LLM does not count its ranks as replicas.
  const ranks = dpAttention ? Math.max(deployment.dp, Math.round(engine.gpuCount(deployment) / deployment.pp / layout.attentionTp)) : 1
  const accelerator = pacingAccelerator(machine)
  const kernels = expertKernels(engine.id, deployment.engineVersion, accelerator)
  return {
    architecture: model.architecture,
    checkpoint: engine.asLoaded?.(subject, deployment) ?? evaluation.checkpoint,
    layout,
    cacheLayout: engine.cacheLayout(subject, deployment),
    accelerator,
    // Sums are made within a tensor parallel group; with attention data parallel or experts shared, over all ranks.
    link: dpAttention ? machine.link : linkWithin(machine, deployment.tp),
    networkBytesPerSecondPerGpu: machine.networkBytesPerSecondPerGpu,
    nodes,
    engine: engine.id,
    engineVersion: evaluation.unnamedBuild ?? deployment.engineVersion,
    tp: deployment.tp,
    pp: deployment.pp,
    dp: deployment.dp,
    ep: deployment.ep,
    dpAttention,
    enforceEager: deployment.enforceEager || deployment.graphs?.mode === 'none',
    gpuCount: engine.gpuCount(deployment),
    maxNumSeqs: deployment.maxNumSeqs * ranks,
    maxNumBatchedTokens: deployment.maxNumBatchedTokens * ranks,
    // Without a cache nothing but the batch is in the way.
    kvCacheTokens: (isEncoder(model) ? Math.max(memory.kvCacheTokens, deployment.maxNumSeqs * deployment.maxModelLen) : memory.kvCacheTokens) * ranks,
    drafting: engine.drafting(subject, deployment),
    offload: offloadOf({engine, deployment, memory, subject}),
    ...scheduling(deployment),
    ...(deployment.graphs?.maxBatch !== undefined && {graphMaxBatch: deployment.graphs.maxBatch}),
    ...((deployment.graphs?.mode === undefined ? engine.piecewiseByDefault?.(deployment.engineVersion) : deployment.graphs.mode === 'piecewise') && {
      piecewiseGraphs: true,
    }),
    ...(kernels && {expertKernels: kernels}),
    workload: loadOf(deployment, workload),
  }
}

/** Without a prefix cache nothing is found in it. */
const loadOf = ({prefixCaching}: Deployment, workload: Workload): Workload =>
  prefixCaching === false && workload.prefixHitRate ? {...workload, prefixHitRate: 0} : workload

/** A deployment made ready for stepping. */
interface Ready {
  /** The calibration that was asked with; `own` is the one of its card and engine. */
  asked: Calibration
  own: Calibration
  input: PerformanceInput
  model: StepModel
}

/** Made once for a deployment: nothing of it but the load differs from one load to the next. */
const READY = new WeakMap<Standing, Ready>()

function readyFor(stood: Standing, load: Workload, calibration: Calibration): Ready {
  const known = READY.get(stood)
  if (known?.asked === calibration) return known
  const input = performanceInput(stood, load)
  const own = calibrationFor(calibration, input.engine, input.accelerator)
  const ready = {asked: calibration, own, input, model: preparedModel(input, own)}
  READY.set(stood, ready)
  return ready
}

/** The speed of a deployment under a load. */
export function speedUnder(stood: Standing, load: Workload, calibration: Calibration): Performance {
  const {input, own, model} = readyFor(stood, load, calibration)
  return performance({...input, workload: loadOf(stood.deployment, load)}, own, model)
}
