import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Engine} from '../../engines/engine.ts'
import {distinctCheckpoints, hasLimits, holdingContext, judge, keepsLimits, placesFor, speedUnder, type Standing, standing} from '../answer/index.ts'
import {INTERACTIVE_LIMITS, type Objective, type Objectives, type Preference} from '../scenario/index.ts'
import {foundLoads} from './found-loads.ts'
import {type Probe, pointsThatMatter} from './loads.ts'
import {preferenceTier, ranked} from './objectives.ts'
import type {PlanPoint} from './point.ts'

export interface PlanQuestion {
  model: Model
  /** Set where a repository was named. */
  checkpoint?: Checkpoint
  /** The whole machine: which of its cards serve is part of a layout. */
  machine: Machine
  engines: Engine[]
  request: DeploymentRequest
  /** Lengths of the requests; its concurrency or rate, where given, is the only load tried. */
  workload: Workload
  /** Limits that were asked for: they make the verdict. */
  objectives: Objectives
  objective: Objective
  /** What the checkpoint is chosen for, where none was named. */
  prefer?: Preference
  calibration: Calibration
}

export interface Refusal {
  code: string
  message: string
  remedy?: string
  /** Deployments that were refused so, in words. */
  examples: string[]
  count: number
}

export interface PlanSearch {
  /** Best first: those that keep the limits, then the rest by how near they come. */
  points: PlanPoint[]
  /** Where nobody gave a load or limits: the usual limits by which loads were chosen. */
  interactive?: Objectives
  refusals: Refusal[]
  considered: number
}

/** Loads that are looked at first where none is given. */
export const CONCURRENCIES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

const CACHE_FORMATS = ['auto', 'fp8']

/** Whether the load was given, so that none is to be found. */
export const isFixedLoad = ({concurrency, requestRate}: Workload): boolean => concurrency !== undefined || requestRate !== undefined

/** The limits that choose among loads and deployments: those asked for, or the usual ones where neither load nor limits were given. */
export const choosingLimits = ({workload, objectives}: Pick<PlanQuestion, 'workload' | 'objectives'>): Objectives =>
  hasLimits(objectives) || isFixedLoad(workload) ? objectives : INTERACTIVE_LIMITS

/** The deployments that a question allows, each settled once: those that start, and why the others do not. */
export function legalDeployments(question: PlanQuestion): {evaluations: Standing[]; refusals: Refusal[]; considered: number} {
  const {model, machine, request, workload} = question
  const evaluations: Standing[] = []
  const refusals = new Map<string, Refusal>()
  let considered = 0
  const places = placesFor(model.architecture, machine, request, typeof workload.concurrency === 'number' ? workload.concurrency : undefined)
  for (const engine of question.engines)
    for (const checkpoint of question.checkpoint ? [question.checkpoint] : distinctCheckpoints(model, request.weights)) {
      const seen = new Set<string>()
      const hopeless = new Map<DeploymentRequest, Standing>()
      // Layouts that the engine takes as they were asked for.
      const supported = new Set<string>()
      for (const kvCache of request.kvCache === undefined ? CACHE_FORMATS : [request.kvCache])
        for (const {machine: group, request: layout, fallback} of places) {
          if (fallback && supported.has(`${group.gpus[0]!.index} ${layout.tp} ${layout.pp} ${layout.dp}`)) continue
          const without = hopeless.get(layout)
          if (without) {
            considered += 1
            refuse(refusals, without)
            continue
          }
          const stood = standing({model, checkpoint, machine: group, engine, request: {...layout, kvCache}, workload})
          const key = sameStart(stood)
          if (seen.has(key)) continue
          seen.add(key)
          considered += 1
          if (!fallback && stood.verdict !== 'unsupported') supported.add(`${group.gpus[0]!.index} ${layout.tp} ${layout.pp} ${layout.dp}`)
          if (stood.verdict === 'fits') evaluations.push(stood)
          else {
            refuse(refusals, stood)
            // No cache format makes room for weights.
            if (stood.reasons.some(({code}) => code === 'weights-exceed-memory')) hopeless.set(layout, stood)
          }
        }
    }
  return {evaluations: holdingPerLayout(evaluations), refusals: [...refusals.values()].sort((a, b) => b.count - a.count), considered}
}

/** The same layout of the same build on several sets of unequal cards: those that hold the context, as `check` takes them. */
function holdingPerLayout(evaluations: readonly Standing[]): Standing[] {
  const sets = new Map<string, Standing[]>()
  for (const one of evaluations) {
    const {kvCache, tp, pp, dp, ep, dpAttention} = one.deployment
    const key = `${one.engine.id} ${one.checkpoint.hfId} ${kvCache} ${tp} ${pp} ${dp} ${ep} ${dpAttention}`
    sets.set(key, [...(sets.get(key) ?? []), one])
  }
  const kept = new Set([...sets.values()].flatMap((alike) => (alike.length > 1 ? holdingContext(alike) : alike)))
  return evaluations.filter((one) => kept.has(one))
}

/** What makes two deployments of one checkpoint on one engine the same start. */
const sameStart = ({deployment: {kvCache, tp, pp, dp, ep, dpAttention}, machine}: Standing): string =>
  `${kvCache} ${tp} ${pp} ${dp} ${ep} ${dpAttention} ${machine.gpus.map(({index}) => index).join()}`

/**
 * Every legal deployment at every load, judged and ranked. Without limits at a percentile, loads that cannot matter are left out (`loads.ts`).
 * Where no load is given those of the best deployments are then found between the ones that were looked at (`found-loads.ts`).
 */
export function searchPlans(question: PlanQuestion): PlanSearch {
  const {workload, objectives, objective, prefer} = question
  const {evaluations, refusals, considered} = legalDeployments(question)
  const fixedLoad = isFixedLoad(workload)
  const choosing = choosingLimits(question)
  const loads = fixedLoad ? [workload] : CONCURRENCIES.map((concurrency) => ({...workload, concurrency}))
  const probes = evaluations.map((stood) => probeOf(stood, loads, question))
  const points =
    objectives.percentile === undefined
      ? pointsThatMatter(probes, loads, (point) => preferenceTier(point, prefer))
      : probes.flatMap((probe) => loads.map((_, index) => probe(index)))
  const order = ranked(points, choosing, objective, prefer)
  // The best by the objective alone is told beside the best, so its load is looked for too.
  const found = fixedLoad
    ? []
    : foundLoads([...order.slice(0, 1), ...ranked(points, choosing, objective, 'speed').slice(0, 1), ...order.slice(1)], points, (point, concurrency) =>
        pointAt(point.standing, {...workload, concurrency}, question),
      )
  return {
    points: ranked([...points, ...found], choosing, objective, prefer),
    ...(choosing !== objectives && {interactive: choosing}),
    refusals,
    considered,
  }
}

/** One deployment at the loads of a list, by index: made ready once, each load reckoned once. */
function probeOf(stood: Standing, loads: readonly Workload[], question: ProbeQuestion): Probe {
  const {calibration, objectives, request} = question
  const choosing = question.choosing ?? choosingLimits({workload: question.workload ?? loads[0]!, objectives})
  const {percentile: _percentile, ...means} = objectives
  const known: PlanPoint[] = []
  return (index) => {
    const load = loads[index]!
    const before = known[index]
    if (before) return before
    const own = settledFor(stood, load, request)
    const predicted = speedUnder(own, load, calibration)
    const evaluation = judge(own, {workload: load, slo: means, calibration}, {performance: predicted})
    const kept = keepsLimits(predicted, load, {...choosing, percentile: undefined})
    const keepsUp = evaluation.reasons.every(({code}) => code !== 'overloaded')
    const point: PlanPoint = {
      evaluation,
      standing: own,
      concurrency: load.concurrency,
      performance: predicted,
      meets: keepsUp && kept.estimate,
      sure: keepsUp && kept.slow,
    }
    known[index] = point
    return point
  }
}

type ProbeQuestion = Pick<PlanQuestion, 'calibration' | 'objectives'> & {request?: DeploymentRequest; workload?: Workload; choosing?: Objectives}

/** Where few sequences were set because more do not start, a load beyond them is settled anew, as `check` does with that load. */
export function settledFor(stood: Standing, load: Workload, asked: DeploymentRequest | undefined): Standing {
  const replaced = stood.replaced.some(({field}) => field === 'maxNumSeqs')
  if (!replaced || typeof load.concurrency !== 'number' || load.concurrency <= stood.deployment.maxNumSeqs) return stood
  const {model, checkpoint, machine, engine, deployment} = stood
  const {tp, pp, dp, ep, dpAttention, kvCache} = deployment
  const again = standing({model, checkpoint, machine, engine, request: {...asked, weights: undefined, tp, pp, dp, ep, dpAttention, kvCache}, workload: load})
  return again.verdict === 'fits' ? again : stood
}

/** One deployment at one load. */
export const pointAt = (stood: Standing, load: Workload, question: ProbeQuestion): PlanPoint => probeOf(stood, [load], question)(0)

/** Each deployment is counted once, under the first of its reasons: the numbers add up to those that were refused. */
function refuse(refusals: Map<string, Refusal>, evaluation: Standing): void {
  for (const {code, message, remedy} of evaluation.reasons.slice(0, 1)) {
    const known = refusals.get(code) ?? {code, message, ...(remedy !== undefined && {remedy}), examples: [], count: 0}
    known.count += 1
    const {tp, pp, dp, weights, engine} = evaluation.deployment
    const example = `${engine} ${weights} tp ${tp}${pp > 1 ? ` pp ${pp}` : ''}${dp > 1 ? ` dp ${dp}` : ''}`
    if (known.examples.length < 3 && !known.examples.includes(example)) known.examples.push(example)
    refusals.set(code, known)
  }
}
