/** From a log's figures to a correction: bytes that the engine takes beyond the prediction. */
import {requestBytes} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import {ENGINES} from '../../engines/registry.ts'
import type {LogReport, RankFigures} from '../../verify/log-report.ts'
import {type Context, type Correction, engineData, nameOfCheckpoint, withMoreRuntime} from '../world/index.ts'
import {type Evaluation, subjectOf} from '../answer/index.ts'

/** A step to find out how the cache shrinks with what is taken: all engines are linear in it. */
const PROBE_BYTES = 2 ** 28

/** Room for the cache that the log reports, from tokens where bytes were not printed. */
export function reportedCacheBytes({memory}: Evaluation, {kvCacheBytes, kvCacheTokens}: RankFigures): number | undefined {
  if (kvCacheBytes !== undefined) return kvCacheBytes
  return kvCacheTokens !== undefined && memory.kvCacheTokens > 0 ? Math.round((kvCacheTokens / memory.kvCacheTokens) * requestBytes(memory)) : undefined
}

/**
 * The correction that makes a prediction say what the log said. The evaluation must be a plain one, without corrections.
 * Undefined where the log says nothing of the cache, or nothing that the cache depends on.
 */
export function differenceOf(context: Context, plain: Evaluation, {figures, outcome, build}: LogReport, today: string): Correction | undefined {
  const {engine, deployment, memory, checkpoint, machine} = plain
  const reported = reportedCacheBytes(plain, figures)
  if (reported === undefined) return undefined
  const probed = ENGINES[engine.id]!(withMoreRuntime(engineData(context, engine.id), PROBE_BYTES)).memory(subjectOf(plain), deployment)
  // How much of the cache a byte more outside of it costs: 1 where the cache is what is left, a share where it is a share of that.
  const slope = (requestBytes(memory) - requestBytes(probed)) / PROBE_BYTES
  if (!(slope > 0.01)) return undefined
  const missing = Math.round((requestBytes(memory) - reported) / slope)
  const weights = figures.weightsBytes === undefined ? 0 : figures.weightsBytes - sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  // TensorRT-LLM gives a share of what weights leave; SGLang pays them in full out of its share.
  const weightsBytes = Math.round(engine.id === 'trtllm' ? weights : weights / slope)
  const {tp, pp, dp, kvCache, maxModelLen, gpuMemoryUtilization} = deployment
  return {
    gpu: machine.gpus[0]!.accelerator.id,
    engine: engine.id,
    engineVersion: deployment.engineVersion,
    date: today,
    overheadBytes: missing - weightsBytes,
    ...(weightsBytes !== 0 && {weightsBytes}),
    from: {
      ...{hfId: nameOfCheckpoint(plain), weights: checkpoint.weights, tp, pp, dp, kvCache, maxModelLen, gpuMemoryUtilization, outcome},
      ...(build !== undefined && {build}),
      predictedCacheBytes: Math.round(requestBytes(memory)),
      reportedCacheBytes: reported,
    },
  }
}
