import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Model} from '../../core/model.ts'
import {bestLayout, diskBytes, evaluate, type Evaluation, isYes, type Place, placesFor, preferredCheckpoints, taken, VERDICT_ORDER} from '../answer/index.ts'
import type {Reason} from '../../core/terms.ts'
import {ENGINES} from '../../engines/registry.ts'
import {buildRefusal, driverRefusal} from '../../engines/support.ts'
import {type Context, engineData, engineInRelease, engineOf, pacingAccelerator} from '../world/index.ts'
import {byRank, type FittingModel, releaseDates, usableContext, userSpeed} from './rank.ts'

export interface FitQuestion {
  machine: Machine
  request: DeploymentRequest
  workload: Workload
}

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
  return {...reason, message: `none of the engines that servefit knows (${titles.join(', ')}) has a build for ${accelerator.name} that it models`}
}

/**
 * Those of the models that fit a machine, best first (see `rank.ts`). The first `exact` of them are as `check` answers for each by its name: its policy
 * looks at every layout and build. The others are judged by the first build and the layouts that can be the best, five times as quick, which is enough
 * to say that they fit and about where they stand.
 */
export function fittingModels(context: Context, models: Iterable<Model>, question: FitQuestion, exact = Number.POSITIVE_INFINITY): FittingModel[] {
  const all = [...models]
  const date = releaseDates(all)
  if (exact >= all.length) return byRank(asChecked(context, all, question), date)
  const quick = byRank(quicklyFitting(context, all, question), date)
  const first = asChecked(
    context,
    quick.slice(0, exact).map(({model}) => model),
    question,
  )
  return [...byRank(first, date), ...quick.slice(exact)]
}

function roomBytesOf(machine: Machine, {cpuOffloadBytes = 0}: DeploymentRequest): number {
  return machine.nodeCount * machine.gpus.reduce((sum, {memoryBytes, freeBytes}) => sum + (freeBytes ?? memoryBytes) + cpuOffloadBytes, 0)
}

/** Those that fit, each as `check` answers by its name. */
function asChecked(context: Context, models: readonly Model[], {machine, request, workload}: FitQuestion): FittingModel[] {
  const engine = engineInRelease(context, request.engine, request.engineVersion)
  const calibration = context.catalogue.speedCalibration
  const accelerator = pacingAccelerator(machine)
  const roomBytes = roomBytesOf(machine, request)
  return models.flatMap((model) => {
    // What is larger on disk than all memory needs no layout to be told so.
    const candidates = preferredCheckpoints(model, accelerator, {weights: request.weights})
      .filter((checkpoint) => diskBytes(model, checkpoint) <= roomBytes)
      .map((checkpoint) => ({checkpoint, judged: () => bestLayout({model, checkpoint, machine, engine, request, workload, calibration})}))
    const best = taken(model, candidates)?.best
    return best && isYes(best) ? [{model, evaluation: best}] : []
  })
}

function quicklyFitting(context: Context, models: readonly Model[], {machine, request, workload}: FitQuestion): FittingModel[] {
  const engine = engineInRelease(context, request.engine, request.engineVersion)
  const roomBytes = roomBytesOf(machine, request)
  const calibration = context.catalogue.speedCalibration
  const accelerator = pacingAccelerator(machine)
  const fitting: FittingModel[] = []
  for (const model of models) {
    const places = usefulPlaces(placesFor(model.architecture, machine, request), workload)
    let tight: Evaluation | undefined
    for (const checkpoint of preferredCheckpoints(model, accelerator, {weights: request.weights})) {
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
  return fitting
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

/** What `models --fits --json` says beside a model's summary. */
export interface Fit {
  verdict: 'fits' | 'tight'
  hfId: string
  /** Who put the checkpoint up: the model's maker, a publisher that stands behind it with its name, or anyone. */
  publisher: 'maker' | 'known' | 'community'
  weights: string
  tp: number
  pp: number
  dp: number
  /** Context that is served with this verdict, as `check` chooses it. */
  maxModelLen: number
  /** Longest request that would start on this machine, up to the model's own limit. */
  contextTokens: number
  kvCacheTokens: number
  outputTokensPerSecondPerUser?: number
  outputTokensPerSecond?: number
  ttftMs?: number
}

export function fitOf({model, evaluation}: FittingModel): Fit {
  const {
    deployment: {tp, pp, dp, maxModelLen},
    memory,
    performance,
    checkpoint,
    verdict,
  } = evaluation
  const speed = userSpeed(evaluation)
  return {
    verdict: verdict === 'tight' ? 'tight' : 'fits',
    hfId: checkpoint.hfId,
    publisher: checkpoint.publisher ?? 'maker',
    weights: checkpoint.weights,
    tp,
    pp,
    dp,
    maxModelLen,
    contextTokens: usableContext(model, evaluation),
    kvCacheTokens: memory.kvCacheTokens,
    ...(speed !== undefined && {outputTokensPerSecondPerUser: Math.round(speed * 10) / 10}),
    ...(performance && {
      outputTokensPerSecond: Math.round(performance.outputTokensPerSecond.estimate * 10) / 10,
      ttftMs: Math.round(performance.ttftMs.estimate * 10) / 10,
    }),
  }
}
