import type {Deployment, Workload} from '../../core/deployment.ts'
import type {PerformanceInput} from '../../core/throughput/input.ts'
import type {Subject} from '../../engines/engine.ts'
import {expertKernels} from '../../engines/expert-kernels.ts'
import {isEncoder} from '../../engines/pooling.ts'
import {linkWithin, pacingAccelerator, tightestGpu} from '../world/index.ts'
import type {Evaluation, Standing} from './evaluation.ts'
import {offloadOf} from './offload.ts'
import {requestTokens} from './settle.ts'

export function subjectOf(question: Pick<Evaluation, 'model' | 'checkpoint' | 'machine' | 'workload'>): Subject {
  const {model, checkpoint, machine, workload} = question
  return {model, checkpoint, machine, gpu: tightestGpu(machine), requestTokens: workload && requestTokens(workload)}
}

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
export function performanceInput(evaluation: Standing & {workload?: Workload}, workload: Workload): PerformanceInput {
  const {engine, deployment, machine, memory, model} = evaluation
  const subject = subjectOf({...evaluation, workload})
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
    // Without a prefix cache nothing is found in it.
    workload: deployment.prefixCaching === false && workload.prefixHitRate ? {...workload, prefixHitRate: 0} : workload,
  }
}
