import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {nearest} from '../../core/nearest.ts'
import {bestLayout, type ChoiceQuestion, diskBytes, distinctCheckpoints, type Evaluation, type Result, toResult, VERDICT_ORDER} from '../answer/index.ts'
import {type Objectives, requireLimits} from '../scenario/index.ts'
import {type Context, engineOf} from '../world/index.ts'

/** How this card computes a checkpoint's dominant format. */
export type Computation = 'native' | 'weight-only' | 'emulated' | 'unsupported'

export interface ComparisonRow {
  model: string
  hfId: string
  weights: string
  kvCache: string
  gpu: string
  gpus: number
  /** Bytes of the files; computed where no source states them. */
  checkpointBytes: number
  computation: Computation
  /** What is known of the loss against the original; nothing is catalogued yet. */
  quality: 'original' | 'not measured'
  /** Requests of the load that the cache holds at once, over all replicas. Absent: it does not start. */
  requestsHeld?: number
  result: Result
}

export interface ComparisonQuestion {
  models: {model: Model; checkpoint?: Checkpoint}[]
  machines: Machine[]
  engine?: string
  request: DeploymentRequest
  workload: Workload
  slo?: Objectives
}

/** Published checkpoints, of one format where one is asked for. @throws InputError WEIGHTS_UNKNOWN with the formats that there are. */
function checkpointsOf(model: Model, weights: string | undefined): Checkpoint[] {
  const found = distinctCheckpoints(model, weights)
  if (found.length > 0 || weights === undefined) return found
  const formats = [...new Set(model.checkpoints.map((checkpoint) => checkpoint.weights))]
  throw new InputError('WEIGHTS_UNKNOWN', `${model.name} has no ${weights.slice(0, 60)} checkpoint in the catalogue: it has ${formats.join(', ')}`, {
    suggestions: nearest(weights, formats),
  })
}

/** A row for each published checkpoint and cache format, on each machine; best first, refusals last. */
export function compare(context: Context, {models, machines, engine: name, request, workload, slo}: ComparisonQuestion): ComparisonRow[] {
  if (slo) requireLimits(slo)
  const engine = engineOf(context, name)
  const rows: {row: ComparisonRow; evaluation: Evaluation}[] = []
  for (const machine of machines)
    for (const {model, checkpoint: named} of models)
      for (const checkpoint of named ? [named] : checkpointsOf(model, request.weights)) {
        const seen = new Set<string>()
        for (const kvCache of request.kvCache === undefined ? ['auto', 'fp8'] : [request.kvCache]) {
          const question: ChoiceQuestion & {checkpoint: Checkpoint} = {
            model,
            checkpoint,
            machine,
            engine,
            request: {...request, weights: undefined, kvCache},
            workload,
            slo,
            calibration: context.catalogue.speedCalibration,
          }
          const evaluation = bestLayout(question)
          if (seen.has(evaluation.deployment.kvCache)) continue
          seen.add(evaluation.deployment.kvCache)
          rows.push({row: rowOf(evaluation), evaluation})
        }
      }
  return rows.sort((a, b) => rank(a.evaluation) - rank(b.evaluation) || speed(b.evaluation) - speed(a.evaluation)).map(({row}) => row)
}

const rank = ({verdict}: Evaluation): number => VERDICT_ORDER[verdict]
const speed = ({performance}: Evaluation): number => performance?.outputTokensPerSecond.low ?? 0

const held = ({memory, deployment}: Evaluation, {inputTokens, outputTokens}: Workload): number =>
  Math.floor(Math.min(memory.requestsOfTokens(inputTokens + outputTokens), deployment.maxNumSeqs)) * deployment.dp

function rowOf(evaluation: Evaluation): ComparisonRow {
  const {model, checkpoint, deployment, machine} = evaluation
  const format = checkpoint.formats.default
  const dequantised = (isWeightFormat(format) && weightFormat(format).weightOnly) || evaluation.warnings.some(({code}) => code === 'weight-only-fallback')
  const emulated = evaluation.warnings.some(({code}) => /emulat/.test(code))
  const refused = evaluation.reasons.some(({code}) => code === 'quantization-unsupported')
  return {
    model: model.id,
    hfId: checkpoint.hfId,
    weights: checkpoint.weights,
    kvCache: deployment.kvCache,
    gpu: machine.gpus[0]!.accelerator.id,
    gpus: machine.gpus.length * machine.nodeCount,
    checkpointBytes: diskBytes(model, checkpoint),
    computation: refused ? 'unsupported' : emulated ? 'emulated' : dequantised ? 'weight-only' : 'native',
    quality: checkpoint.hfId.toLowerCase() === model.hfId.toLowerCase() ? 'original' : 'not measured',
    ...(evaluation.performance && evaluation.workload && {requestsHeld: held(evaluation, evaluation.workload)}),
    result: toResult(evaluation),
  }
}
