import type {Accelerator, Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {countParameters} from '../../core/tensors.ts'
import {byPreference, checkpointsOfWeights, diskBytes, evaluate, type Evaluation, isYes, type Place, placesFor, VERDICT_ORDER} from '../answer/index.ts'
import type {Reason} from '../../core/terms.ts'
import {ENGINES} from '../../engines/registry.ts'
import {buildRefusal, driverRefusal} from '../../engines/support.ts'
import {type Context, engineData, engineOf, pacingAccelerator} from '../world/index.ts'

export interface FitQuestion {
  machine: Machine
  request: DeploymentRequest
  workload: Workload
}

/** A model that fits, as the checkpoint that `check` would take by its name. */
export interface FittingModel {
  model: Model
  evaluation: Evaluation
}

/** Decoding slower than this is reading aloud at most: such models come after the others. Tokens a second for one user. */
const PATIENCE_TOKENS_PER_SECOND = 8

/**
 * Why no model can be served there, whatever its size: the engine has no build for these cards, or none that the driver runs. The remedy is another engine that has one;
 * where none has and no engine was named, all that are known are meant. Undefined where there is a build.
 */
export function withoutBuild(context: Context, {gpus}: Machine, request: DeploymentRequest): Reason | undefined {
  const {accelerator} = gpus[0]!
  const refusal = (id: string) => buildRefusal(id, accelerator, engineData(context, id), request.engineVersion)
  const own = engineOf(context, request.engine).id
  const reason = refusal(own)
  if (!reason) return driverRefusal(own, gpus[0]!, engineData(context, own), request.engineVersion)
  const others = Object.keys(ENGINES).filter((id) => id !== own && !buildRefusal(id, accelerator, engineData(context, id), undefined))
  if (others.length > 0) return {...reason, remedy: `${reason.code === 'build-unsupported' ? `${reason.remedy}; or ` : ''}use --engine ${others[0]}`}
  if (request.engine !== undefined || request.engineVersion !== undefined) return reason
  // An older release that has one is the way out, and the remedy names it.
  if (engineData(context, own).versions.some((version) => !buildRefusal(own, accelerator, engineData(context, own), version))) return reason
  const titles = Object.keys(ENGINES).map((id) => engineData(context, id).title)
  return {code: reason.code, message: `none of the engines that servefit knows (${titles.join(', ')}) has a build for ${accelerator.name}`}
}

/**
 * Those of the models that fit a machine, best first: quick enough before slow, then by `worth`, then by speed.
 */
export function fittingModels(context: Context, models: Iterable<Model>, {machine, request, workload}: FitQuestion): FittingModel[] {
  const engine = engineOf(context, request.engine)
  const roomBytes =
    machine.nodeCount * machine.gpus.reduce((sum, {memoryBytes, freeBytes}) => sum + (freeBytes ?? memoryBytes) + (request.cpuOffloadBytes ?? 0), 0)
  const calibration = context.catalogue.speedCalibration
  const accelerator = pacingAccelerator(machine)
  const fitting: FittingModel[] = []
  for (const model of models) {
    const places = usefulPlaces(placesFor(model.architecture, machine, request), workload)
    let tight: Evaluation | undefined
    for (const checkpoint of candidates(model, accelerator, request.weights)) {
      // What is larger on disk than all memory needs no layout to be told so.
      if (diskBytes(model, checkpoint) > roomBytes) continue
      const evaluations = places.map((place) => evaluate({model, checkpoint, engine, ...place, workload, calibration})).filter(isYes)
      if (evaluations.length === 0) continue
      const best = evaluations.reduce((a, b) => (isBetter(b, a) ? b : a))
      if (best.verdict === 'tight') {
        tight ??= best
        continue
      }
      fitting.push({model, evaluation: best})
      tight = undefined
      break
    }
    if (tight) fitting.push({model, evaluation: tight})
  }
  const keys = new Map(fitting.map((entry) => [entry, orderOf(entry)]))
  return fitting.sort((a, b) => keys.get(a)!.slow - keys.get(b)!.slow || keys.get(b)!.worth - keys.get(a)!.worth || keys.get(b)!.speed - keys.get(a)!.speed)
}

/** Published checkpoints in the order in which they are preferred; of equal ones the first. */
function candidates(model: Model, accelerator: Accelerator, weights: string | undefined): Checkpoint[] {
  const seen = new Set<string>()
  return byPreference(model, weights === undefined ? model.checkpoints : checkpointsOfWeights(model, weights), accelerator).filter((checkpoint) => {
    const key = `${checkpoint.weights} ${JSON.stringify(checkpoint.formats)}`
    return !seen.has(key) && seen.add(key)
  })
}

/**
 * Layouts that can be the best for this load: replicas beyond the requests in flight serve nobody, and pipeline stages make
 * no request quicker than splitting every layer does. Ten layouts of eight GPUs become one or two.
 */
function usefulPlaces(places: readonly Place[], {concurrency}: Workload): readonly Place[] {
  if (typeof concurrency !== 'number') return places
  const served = places.filter(({request: {dp}}) => (dp ?? 1) <= concurrency)
  const left = served.length > 0 ? served : places
  const fewest = Math.min(...left.map(({request: {pp}}) => pp ?? 1))
  return left.filter(({request: {pp}}) => (pp ?? 1) === fewest)
}

const isBetter = (a: Evaluation, b: Evaluation): boolean =>
  a.verdict === b.verdict
    ? (a.performance?.outputTokensPerSecond.low ?? 0) > (b.performance?.outputTokensPerSecond.low ?? 0)
    : VERDICT_ORDER[a.verdict] < VERDICT_ORDER[b.verdict]

function orderOf({model, evaluation}: FittingModel): {slow: number; worth: number; speed: number} {
  const speed = userSpeed(evaluation) ?? 0
  return {slow: speed < PATIENCE_TOKENS_PER_SECOND ? 1 : 0, worth: worthOf(model), speed}
}

/** Models whose date is not known are ranked as if they were of this year. */
const MIDDLE_YEAR = 2024.5

/**
 * A rule of thumb for what is worth trying first, no measure of quality: the geometric mean of total and active parameters, which
 * is what a mixture of experts is roughly worth beside a dense model, doubled for every year of release. (The parameters that a
 * given capability takes halve in less: every 3.3 months by arXiv 2412.04315. A year is the cautious choice.)
 */
function worthOf(model: Model): number {
  const {total, active} = countParameters(model.architecture)
  const [year, month] = (model.released ?? '').split('-').map(Number)
  return Math.sqrt(total * active) * 2 ** ((year ? year + ((month ?? 6) - 1) / 12 : MIDDLE_YEAR) - 2020)
}

/** Tokens a second that one user sees after the first. */
export const userSpeed = ({performance}: Evaluation): number | undefined => (performance ? 1000 / performance.tpotMs.estimate : undefined)

/** What `models --fits --json` says beside a model's summary. */
export interface Fit {
  verdict: 'fits' | 'tight'
  hfId: string
  weights: string
  tp: number
  pp: number
  dp: number
  /** Longest request that would start on this machine, up to the model's own limit. */
  contextTokens: number
  kvCacheTokens: number
  outputTokensPerSecondPerUser?: number
  outputTokensPerSecond?: number
  ttftMs?: number
}

export function fitOf({model, evaluation}: FittingModel): Fit {
  const {
    deployment: {tp, pp, dp},
    memory,
    performance,
    checkpoint,
    verdict,
  } = evaluation
  const speed = userSpeed(evaluation)
  return {
    verdict: verdict === 'tight' ? 'tight' : 'fits',
    hfId: checkpoint.hfId,
    weights: checkpoint.weights,
    tp,
    pp,
    dp,
    contextTokens: Math.min(model.architecture.contextTokens, memory.largestMaxModelLen),
    kvCacheTokens: memory.kvCacheTokens,
    ...(speed !== undefined && {outputTokensPerSecondPerUser: Math.round(speed * 10) / 10}),
    ...(performance && {
      outputTokensPerSecond: Math.round(performance.outputTokensPerSecond.estimate * 10) / 10,
      ttftMs: Math.round(performance.ttftMs.estimate * 10) / 10,
    }),
  }
}
