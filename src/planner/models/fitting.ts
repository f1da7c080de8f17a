import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Model} from '../../core/model.ts'
import {bestLayout, diskBytes, isYes, poolingOf, preferredCheckpoints, taken, textsOf, withoutAssumedSpeed} from '../answer/index.ts'
import type {Reason} from '../../core/terms.ts'
import {ENGINES} from '../../engines/registry.ts'
import {buildRefusal, driverRefusal} from '../../engines/support.ts'
import {type Context, engineData, engineInRelease, engineOf, pacingAccelerator} from '../world/index.ts'
import {byRank, type FittingModel, inOrder, mostWorth, type Ranked, ranked, releaseDates, usableContext, userSpeed} from './rank.ts'

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

/** Models that fit, best first, and whether they are all: a search for the best few ends when nothing that is left can be among them. */
export interface Fitting {
  models: FittingModel[]
  complete: boolean
}

/**
 * Those of the models that fit a machine, best first (see `rank.ts`), each as `check` answers for it by its name. Where only the best `most` are asked
 * for, models are judged in the order of the most that each can be worth, until so many are worth more than any that is left.
 */
export function fittingModels(context: Context, models: Iterable<Model>, question: FitQuestion, most = Number.POSITIVE_INFINITY): Fitting {
  const all = [...models]
  const date = releaseDates(all)
  const judged = asChecked(context, question)
  if (most >= all.length) return {models: byRank(all.flatMap(judged), date), complete: true}
  const ahead = all.map((model) => ({model, most: mostWorth(model, date(model))})).sort((a, b) => b.most - a.most)
  const found: Ranked[] = []
  let next = 0
  for (; next < ahead.length; next++) {
    const quick = found.filter(({slow}) => slow === 0)
    if (quick.length >= most && quick.map(({worth}) => worth).sort((a, b) => b - a)[most - 1]! > ahead[next]!.most) break
    found.push(...judged(ahead[next]!.model).map((entry) => ranked(entry, date)))
  }
  return {models: inOrder(found).slice(0, most), complete: next === ahead.length && found.length <= most}
}

function roomBytesOf(machine: Machine, {cpuOffloadBytes = 0}: DeploymentRequest): number {
  return machine.nodeCount * machine.gpus.reduce((sum, {memoryBytes, freeBytes}) => sum + (freeBytes ?? memoryBytes) + cpuOffloadBytes, 0)
}

/** A model, where it fits, as `check` answers by its name. */
function asChecked(context: Context, {machine, request, workload}: FitQuestion): (model: Model) => FittingModel[] {
  const engine = engineInRelease(context, request.engine, request.engineVersion)
  const calibration = context.catalogue.speedCalibration
  const accelerator = pacingAccelerator(machine)
  const roomBytes = roomBytesOf(machine, request)
  return (model) => {
    // What is larger on disk than all memory needs no layout to be told so.
    const load = model.pooling ? (textsOf(model, workload) ?? workload) : workload
    const candidates = preferredCheckpoints(model, accelerator, {weights: request.weights})
      .filter((checkpoint) => diskBytes(model, checkpoint) <= roomBytes)
      .map((checkpoint) => ({checkpoint, judged: () => bestLayout({model, checkpoint, machine, engine, request, workload: load, calibration})}))
    const best = taken(model, candidates)?.best
    if (!best || !isYes(best)) return []
    const pooling = poolingOf(best, context.catalogue.speedCalibration)
    return [{model, evaluation: withoutAssumedSpeed(pooling ? {...best, pooling} : best)}]
  }
}

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
  /** Of an embedding model or a reranker, in full batches; it has no other speed. */
  textsPerSecond?: number
}

export function fitOf({model, evaluation}: FittingModel): Fit {
  const {
    deployment: {tp, pp, dp, maxModelLen},
    memory,
    performance,
    checkpoint,
    verdict,
    pooling,
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
    ...(pooling?.textsPerSecond && {textsPerSecond: Math.round(pooling.textsPerSecond.estimate * 10) / 10}),
    ...(performance &&
      !pooling && {
        outputTokensPerSecond: Math.round(performance.outputTokensPerSecond.estimate * 10) / 10,
        ttftMs: Math.round(performance.ttftMs.estimate * 10) / 10,
      }),
  }
}
