import {join} from 'node:path'
import {openCatalogue} from '../../../src/catalogue/catalogue.ts'
import type {Accelerator} from '../../../src/core/accelerator.ts'
import {cacheFormat} from '../../../src/core/formats.ts'
import type {PerformanceInput} from '../../../src/core/throughput/input.ts'

export const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', '..', 'dist', 'data'))
export const calibration = catalogue.speedCalibration

export function gpu(id: string): Accelerator {
  const found = catalogue.gpus.find((one) => one.id === id)
  if (!found) throw new Error(`no ${id}`)
  return found
}

/** A deployment on cards of one node, tensor parallel throughout. */
export function question({
  model = 'llama-3.3-70b',
  weights = 'fp8',
  card = 'h200-sxm',
  tp = 4,
  engine = 'vllm',
  engineVersion = '0.18.0',
  ...rest
}: Partial<PerformanceInput> & {model?: string; weights?: string; card?: string}): PerformanceInput {
  const {architecture, checkpoints} = catalogue.model(model)
  const checkpoint = checkpoints.find((one) => one.weights === weights)
  if (!checkpoint) throw new Error(`${model} has no ${weights}`)
  return {
    architecture,
    checkpoint,
    accelerator: gpu(card),
    engine,
    engineVersion,
    tp,
    pp: 1,
    dp: 1,
    ep: 1,
    dpAttention: false,
    gpuCount: tp,
    nodes: 1,
    enforceEager: false,
    layout: {attentionTp: tp, denseTp: tp, vocabularyTp: tp, expertTp: tp, expertParallel: 1, encoderTp: tp},
    cacheLayout: {attentionTp: tp, format: cacheFormat('fp8'), stateElementBytes: 4, convolutionElementBytes: 2, speculativeTokens: 0},
    link: {kind: 'nvlink', bytesPerSecondPerDirection: 450e9},
    maxNumSeqs: 1024,
    maxNumBatchedTokens: 8192,
    workload: {inputTokens: 1024, outputTokens: 1024, concurrency: 16},
    ...rest,
  }
}
