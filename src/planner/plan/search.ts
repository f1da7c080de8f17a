import type {Machine} from '../../core/accelerator.ts'
import type {Deployment, DeploymentRequest, Workload} from '../../core/deployment.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {performance, preparedModel} from '../../core/throughput/performance.ts'
import type {Engine} from '../../engines/engine.ts'
import {distinctCheckpoints, evaluate, type Evaluation, layoutsFor, performanceInput} from '../answer/index.ts'
import {calibrationFor} from '../world/index.ts'
import {type Probe, pointsThatMatter} from './loads.ts'
import type {PlanPoint} from './point.ts'
import {excess, ranked} from './objectives.ts'
import type {Objective, Objectives} from '../scenario/index.ts'

export interface PlanQuestion {
  model: Model
  /** Set where a repository was named. */
  checkpoint?: Checkpoint
  machine: Machine
  engines: Engine[]
  request: DeploymentRequest
  /** Lengths of the requests; its concurrency or rate, where given, is the only load tried. */
  workload: Workload
  objectives: Objectives
  objective: Objective
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
  /** Best first: those that meet the objectives, then the rest by how near they come. */
  points: PlanPoint[]
  refusals: Refusal[]
  considered: number
}

/** Loads that are tried where none is given. */
export const CONCURRENCIES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

const CACHE_FORMATS = ['auto', 'fp8']

/** The deployments that a question allows, each judged once: those that start, and why the others do not. */
export function legalDeployments(question: PlanQuestion): {evaluations: Evaluation[]; refusals: Refusal[]; considered: number} {
  const {model, machine, request, workload, calibration} = question
  const evaluations: Evaluation[] = []
  const refusals = new Map<string, Refusal>()
  let considered = 0
  const layouts = layoutsFor(model.architecture, machine, request, typeof workload.concurrency === 'number' ? workload.concurrency : undefined)
  const neededContextTokens = workload.inputTokens + workload.outputTokens
  for (const engine of question.engines)
    for (const checkpoint of question.checkpoint ? [question.checkpoint] : distinctCheckpoints(model, request.weights)) {
      const seen = new Set<string>()
      const hopeless = new Map<DeploymentRequest, Evaluation>()
      for (const kvCache of request.kvCache === undefined ? CACHE_FORMATS : [request.kvCache])
        for (const layout of layouts) {
          const without = hopeless.get(layout)
          if (without) {
            considered += 1
            refuse(refusals, without)
            continue
          }
          const evaluation = evaluate({model, checkpoint, machine, engine, request: {...layout, kvCache}, neededContextTokens, calibration})
          const key = sameStart(evaluation.deployment)
          if (seen.has(key)) continue
          seen.add(key)
          considered += 1
          if (evaluation.verdict === 'fits' || evaluation.verdict === 'tight') evaluations.push(evaluation)
          else {
            refuse(refusals, evaluation)
            // No cache format makes room for weights.
            if (evaluation.reasons.some(({code}) => code === 'weights-exceed-memory')) hopeless.set(layout, evaluation)
          }
        }
    }
  return {evaluations, refusals: [...refusals.values()].sort((a, b) => b.count - a.count), considered}
}

/** What makes two deployments of one checkpoint on one engine the same start. */
const sameStart = ({kvCache, tp, pp, dp, ep, dpAttention}: Deployment): string => `${kvCache} ${tp} ${pp} ${dp} ${ep} ${dpAttention}`

/**
 * Every legal deployment at every load, judged and ranked. Without limits at a percentile, loads that cannot matter are left out (`plan-loads.ts`).
 */
export function searchPlans(question: PlanQuestion): PlanSearch {
  const {workload, objectives, objective} = question
  const {evaluations, refusals, considered} = legalDeployments(question)
  const fixedLoad = workload.concurrency !== undefined || workload.requestRate !== undefined
  const loads = fixedLoad ? [workload] : CONCURRENCIES.map((concurrency) => ({...workload, concurrency}))
  const probes = evaluations.map((evaluation) => probeOf(evaluation, loads, question))
  const points = objectives.percentile === undefined ? pointsThatMatter(probes, loads) : probes.flatMap((probe) => loads.map((_, index) => probe(index)))
  return {points: ranked(points, objectives, objective), refusals, considered}
}

/** One deployment at the loads of a list, by index: made ready once, each load reckoned once. */
function probeOf(evaluation: Evaluation, loads: readonly Workload[], {calibration, objectives}: Pick<PlanQuestion, 'calibration' | 'objectives'>): Probe {
  const input = performanceInput(evaluation, loads[0]!)
  const own = calibrationFor(calibration, input.engine, input.accelerator)
  const model = preparedModel(input, own)
  const known: PlanPoint[] = []
  return (index) => {
    const load = loads[index]!
    const before = known[index]
    if (before) return before
    const predicted = performance({...input, workload: load}, own, model)
    const point = judged(
      {evaluation: {...evaluation, workload: load, performance: predicted}, concurrency: load.concurrency, performance: predicted, meets: true},
      objectives,
    )
    known[index] = point
    return point
  }
}

function judged(point: PlanPoint, objectives: Objectives): PlanPoint {
  point.meets = excess(point, objectives) <= 1
  return point
}

/** One deployment at one load. */
export const pointAt = (evaluation: Evaluation, load: Workload, question: Pick<PlanQuestion, 'calibration' | 'objectives'>): PlanPoint =>
  probeOf(evaluation, [load], question)(0)

function refuse(refusals: Map<string, Refusal>, evaluation: Evaluation): void {
  for (const {code, message, remedy} of evaluation.reasons) {
    const known = refusals.get(code) ?? {code, message, ...(remedy !== undefined && {remedy}), examples: [], count: 0}
    known.count += 1
    const {tp, pp, dp, weights, engine} = evaluation.deployment
    const example = `${engine} ${weights} tp ${tp}${pp > 1 ? ` pp ${pp}` : ''}${dp > 1 ? ` dp ${dp}` : ''}`
    if (known.examples.length < 3 && !known.examples.includes(example)) known.examples.push(example)
    refusals.set(code, known)
  }
}
