import type {Machine} from '../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../core/deployment.ts'
import type {Checkpoint, Model} from '../core/model.ts'
import type {Performance} from '../core/throughput/input.ts'
import {performance} from '../core/throughput/performance.ts'
import type {Engine} from '../engines/engine.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import {distinctCheckpoints} from './choose.ts'
import {type Evaluation, evaluate, performanceInput} from './evaluate.ts'
import {layoutsFor} from './layouts.ts'
import type {Objectives} from './scenario.ts'

export type Objective = 'throughput' | 'latency' | 'per-user' | 'memory' | 'quality'

export interface PlanQuestion {
  model: Model
  /** Set where a repository was named. */
  checkpoint?: Checkpoint
  machine: Machine
  engines: Engine[]
  request: DeploymentRequest
  /** Lengths of the requests; its concurrency, where given, is the only one tried. */
  workload: Workload
  objectives: Objectives
  objective: Objective
  calibration: Calibration
}

/** A deployment at one load. */
export interface PlanPoint {
  evaluation: Evaluation
  concurrency: number | 'max' | undefined
  performance: Performance
  /** Latency limits that even the cautious end of the interval keeps. */
  meets: boolean
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

/** Every legal deployment at every load, judged and ranked. */
export function searchPlans(question: PlanQuestion): PlanSearch {
  const {model, machine, request, workload, calibration} = question
  const points: PlanPoint[] = []
  const refusals = new Map<string, Refusal>()
  let considered = 0
  const fixedLoad = workload.concurrency !== undefined || workload.requestRate !== undefined
  const loads = fixedLoad ? [workload] : CONCURRENCIES.map((concurrency) => ({...workload, concurrency}))
  const layouts = layoutsFor(model.architecture, machine, request)
  for (const engine of question.engines)
    for (const checkpoint of question.checkpoint ? [question.checkpoint] : distinctCheckpoints(model, request.weights)) {
      const caches = new Set<string>()
      for (const kvCache of request.kvCache === undefined ? CACHE_FORMATS : [request.kvCache])
        for (const layout of layouts) {
          const evaluation = evaluate({model, checkpoint, machine, engine, request: {...layout, kvCache}, neededContextTokens: workload.inputTokens + workload.outputTokens, calibration})
          const key = `${evaluation.deployment.kvCache} ${JSON.stringify(layout)}`
          if (caches.has(key)) continue
          caches.add(key)
          considered += 1
          if (evaluation.verdict === 'fits' || evaluation.verdict === 'tight') points.push(...loads.map((load) => pointOf(evaluation, load, question)))
          else refuse(refusals, evaluation)
        }
    }
  return {points: points.sort((a, b) => compare(a, b, question)), refusals: [...refusals.values()].sort((a, b) => b.count - a.count), considered}
}

function pointOf(evaluation: Evaluation, load: Workload, {calibration, objectives}: PlanQuestion): PlanPoint {
  const predicted = performance(performanceInput(evaluation, load), calibration)
  const {ttftMs, tpotMs} = predicted
  const meets = ttftMs.high <= (objectives.ttftMs ?? Number.POSITIVE_INFINITY) && tpotMs.high <= (objectives.tpotMs ?? Number.POSITIVE_INFINITY)
  return {evaluation: {...evaluation, workload: load, performance: predicted}, concurrency: load.concurrency, performance: predicted, meets}
}

function refuse(refusals: Map<string, Refusal>, evaluation: Evaluation): void {
  for (const {code, message, remedy} of evaluation.reasons) {
    const known = refusals.get(code) ?? {code, message, remedy, examples: [], count: 0}
    known.count += 1
    const {tp, pp, dp, weights, engine} = evaluation.deployment
    if (known.examples.length < 3) known.examples.push(`${engine} ${weights} tp ${tp}${pp > 1 ? ` pp ${pp}` : ''}${dp > 1 ? ` dp ${dp}` : ''}`)
    refusals.set(code, known)
  }
}

/** How far a point is beyond the limits: 1 is at the limit. The cautious end counts. */
export function excess({performance: {ttftMs, tpotMs}}: PlanPoint, {ttftMs: ttftLimit, tpotMs: tpotLimit}: Objectives): number {
  return Math.max(ttftLimit === undefined ? 0 : ttftMs.high / ttftLimit, tpotLimit === undefined ? 0 : tpotMs.high / tpotLimit)
}

function compare(a: PlanPoint, b: PlanPoint, {objectives, objective}: PlanQuestion): number {
  if (a.meets !== b.meets) return a.meets ? -1 : 1
  if (!a.meets) return excess(a, objectives) - excess(b, objectives)
  return score(b, objective) - score(a, objective)
}

/** Higher is better. Ranked by the cautious end: the best-looking corner is where a model errs. */
function score({performance: {ttftMs, tpotMs, outputTokensPerSecond}, evaluation}: PlanPoint, objective: Objective): number {
  switch (objective) {
    case 'throughput': return outputTokensPerSecond.low
    case 'latency': return -ttftMs.high
    case 'per-user': return -tpotMs.high
    case 'memory': return -(evaluation.memory.totalBytes - evaluation.memory.kvCacheBytes) + outputTokensPerSecond.low * 1e-9
    case 'quality': return QUALITY(evaluation) * 1e9 + outputTokensPerSecond.low
  }
}

const QUALITY = ({checkpoint, deployment}: Evaluation): number => (checkpoint.weights === 'bf16' || checkpoint.weights === 'native' ? 2 : checkpoint.weights.startsWith('fp8') ? 1 : 0) + (deployment.kvCache === 'bf16' ? 0.5 : 0)

/** Points that no other beats in both throughput for each GPU and speed for each user, quickest user first. */
export function paretoFront(points: readonly PlanPoint[]): PlanPoint[] {
  const user = ({performance: {tpotMs}}: PlanPoint) => 1000 / tpotMs.estimate
  const gpu = ({performance: {outputTokensPerSecondPerGpu}}: PlanPoint) => outputTokensPerSecondPerGpu
  const front: PlanPoint[] = []
  let best = 0
  for (const point of [...points].sort((a, b) => user(b) - user(a) || gpu(b) - gpu(a))) {
    if (gpu(point) <= best) continue
    best = gpu(point)
    front.push(point)
  }
  return front
}
