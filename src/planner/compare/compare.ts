import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {nearest} from '../../core/nearest.ts'
import type {Quality} from '../../core/quality.ts'
import {
  bestLayout,
  diskBytes,
  type Evaluation,
  isYes,
  knownByNameAnswer,
  preferredCheckpoints,
  requireNames,
  type PUBLISHERS,
  type Result,
  taken,
  toResult,
  VERDICT_ORDER,
  withoutAssumedSpeed,
} from '../answer/index.ts'
import {type QualityClass, qualityClass, withQuality} from '../quality/index.ts'
import {type Objectives, type Preference, requireLimits} from '../scenario/index.ts'
import {type Context, engineInRelease, pacingAccelerator} from '../world/index.ts'

/** How this card computes a checkpoint's dominant format. */
export type Computation = 'native' | 'weight-only' | 'emulated' | 'unsupported'

export interface ComparisonRow {
  model: string
  hfId: string
  publisher: keyof typeof PUBLISHERS
  weights: string
  kvCache: string
  gpu: string
  gpus: number
  /** Bytes of the files; computed where no source states them. */
  checkpointBytes: number
  computation: Computation
  /** What is known of the loss against the original, always with the level at which it is known. */
  quality: Quality & {kvCache?: Quality}
  /** What the choice makes of it: figures where they say enough, else bits. */
  loss: QualityClass
  /** Requests of the load that the cache holds at once, over all replicas. Absent: it does not start. */
  requestsHeld?: number
  result: Result
}

export interface ComparisonQuestion {
  models: {model: Model; checkpoint?: Checkpoint}[]
  machines: Machine[]
  engine?: string
  request: DeploymentRequest
  prefer?: Preference
  workload: Workload
  slo?: Objectives
}

/** One checkpoint with one cache format, judged. */
interface Compared {
  checkpoint: Checkpoint
  evaluation: Evaluation
  /** Place of its cache among those that are tried: the one that is used unasked first. */
  cachePlace: number
}

/**
 * A row for each published checkpoint and cache format, for each model on each machine. The first is what `check` would take, the next what it would
 * take without that, and so on; refusals last.
 */
export function compare(context: Context, question: ComparisonQuestion): ComparisonRow[] {
  if (question.slo) requireLimits(question.slo)
  // A format that a model is not published in is told with those that it has.
  for (const {model} of question.models) requireNames({...question.request, weights: undefined}, model)
  return question.machines.flatMap((machine) =>
    question.models.flatMap(({model, checkpoint}) => {
      const named = checkpoint && withQuality(context.catalogue, model, checkpoint)
      const checkpoints = named ? [named] : checkpointsOf(model, machine, question)
      // Of such a model there are sizes to compare and nothing else: one row for each build.
      if (model.knownByName)
        return checkpoints.map((one) => rowOf(knownByNameAnswer(withCaches(context, {model, checkpoint: one, machine}, question)[0]!.evaluation)))
      const compared = checkpoints.flatMap((one) => withCaches(context, {model, checkpoint: one, machine}, question))
      return inOrderOfChoice(model, checkpoints, compared, question.prefer).map(({evaluation}) => rowOf(withoutAssumedSpeed(evaluation, question.slo)))
    }),
  )
}

/** Published checkpoints in the order of preference, of one format where one is asked for. @throws InputError WEIGHTS_UNKNOWN with the formats there are. */
function checkpointsOf(model: Model, machine: Machine, {request: {weights}, prefer}: ComparisonQuestion): readonly Checkpoint[] {
  const found = preferredCheckpoints(model, pacingAccelerator(machine), {weights, prefer})
  if (found.length > 0 || weights === undefined) return found
  const formats = [...new Set(model.checkpoints.map((checkpoint) => checkpoint.weights))]
  throw new InputError('WEIGHTS_UNKNOWN', `${model.name} has no ${weights.slice(0, 60)} checkpoint in the catalogue: it has ${formats.join(', ')}`, {
    suggestions: nearest(weights, formats),
  })
}

function withCaches(
  context: Context,
  subject: {model: Model; checkpoint: Checkpoint; machine: Machine},
  {engine: name, request, workload, slo}: ComparisonQuestion,
): Compared[] {
  const seen = new Set<string>()
  const compared: Compared[] = []
  for (const [cachePlace, kvCache] of (request.kvCache === undefined ? ['auto', 'fp8'] : [request.kvCache]).entries()) {
    const evaluation = bestLayout({
      ...subject,
      engine: engineInRelease(context, name, request.engineVersion),
      request: {...request, weights: undefined, kvCache},
      workload,
      slo,
      calibration: context.catalogue.speedCalibration,
    })
    if (seen.has(evaluation.deployment.kvCache)) continue
    seen.add(evaluation.deployment.kvCache)
    compared.push({checkpoint: subject.checkpoint, evaluation, cachePlace})
  }
  return compared
}

/** What would be taken first, then what would be taken without it, and so on; with each checkpoint its other caches. */
function inOrderOfChoice(model: Model, preferred: readonly Checkpoint[], compared: readonly Compared[], prefer: Preference | undefined): Compared[] {
  let left = compared.filter(({cachePlace}) => cachePlace === 0)
  const places = new Map<Checkpoint, number>()
  while (left.length > 0) {
    const next = taken(
      model,
      left.map(({checkpoint, evaluation}) => ({checkpoint, judged: () => evaluation})),
      prefer,
    )!.best
    const chosen = left.find(({evaluation}) => evaluation === next)!
    places.set(chosen.checkpoint, places.size)
    left = left.filter((one) => one !== chosen)
  }
  const refusal = ({evaluation}: Compared) => (isYes(evaluation) ? 0 : VERDICT_ORDER[evaluation.verdict])
  return [...compared].sort(
    (a, b) =>
      refusal(a) - refusal(b) || (places.get(a.checkpoint) ?? preferred.length) - (places.get(b.checkpoint) ?? preferred.length) || a.cachePlace - b.cachePlace,
  )
}

const held = ({memory, deployment}: Evaluation, {inputTokens, outputTokens}: Workload): number =>
  Math.floor(Math.min(memory.requestsOfTokens(inputTokens + outputTokens), deployment.maxNumSeqs)) * deployment.dp

function rowOf(evaluation: Evaluation): ComparisonRow {
  const {model, checkpoint, deployment, machine} = evaluation
  const format = checkpoint.formats.default
  const dequantised = (isWeightFormat(format) && weightFormat(format).weightOnly) || evaluation.warnings.some(({code}) => code === 'weight-only-fallback')
  const emulated = evaluation.warnings.some(({code}) => /emulat/.test(code))
  const refused = evaluation.reasons.some(({code}) => code === 'quantization-unsupported')
  const result = toResult(evaluation)
  return {
    model: model.id,
    hfId: checkpoint.hfId,
    publisher: checkpoint.publisher ?? 'maker',
    weights: checkpoint.weights,
    kvCache: deployment.kvCache,
    gpu: machine.gpus[0]!.accelerator.id,
    gpus: machine.gpus.length * machine.nodeCount,
    checkpointBytes: diskBytes(model, checkpoint),
    computation: refused ? 'unsupported' : emulated ? 'emulated' : dequantised ? 'weight-only' : 'native',
    loss: qualityClass(model, checkpoint),
    quality: result.quality ?? {level: 'unknown', rows: 0, models: 0, sources: []},
    ...((evaluation.performance || isYes(evaluation)) && evaluation.workload && {requestsHeld: held(evaluation, evaluation.workload)}),
    result,
  }
}
