import type {Machine} from '../core/accelerator.ts'
import type {Model} from '../core/model.ts'
import {DEFAULT_ENGINE, ENGINES} from '../engines/registry.ts'
import {type Context, engineOf} from './context.ts'
import {servingGroup} from './machines.ts'
import {modelOf} from './models.ts'
import {type Result, toResult} from './result.ts'
import type {Objectives, Scenario} from './scenario.ts'
import {excess, type Objective, paretoFront, type PlanPoint, type Refusal, searchPlans} from './search.ts'

export interface PlanAsked {
  scenario: Scenario & {workload: NonNullable<Scenario['workload']>}
  machine: Machine
  objectives: Objectives
  objective: Objective
}

/** `plan --json`. */
export interface PlanReport {
  /** A plan keeps the limits (or there were none). */
  met: boolean
  considered: number
  /** The best load of each deployment, best first; with the load that it is for. */
  plans: (Result & {excess?: number})[]
  /** Points that no other beats in both throughput for each GPU and speed for each user. */
  front: {outputTokensPerSecondPerUser: number; outputTokensPerSecondPerGpu: number; engine: string; weights: string; concurrency?: number | 'max'}[]
  refusals: Refusal[]
}

/** How many plans are listed. */
const LISTED = 20

/** Searches engines, checkpoints, cache formats, layouts and loads. */
export async function plan(context: Context, {scenario, machine, objectives, objective}: PlanAsked): Promise<{report: PlanReport; picture: {model: Model; ranking: PlanPoint[]; front: PlanPoint[]; refusals: Refusal[]; considered: number}}> {
  const {model, checkpoint} = await modelOf(context, scenario.model)
  const {model: _model, gpu: _gpu, machine: _machine, nodes: _nodes, id: _id, slo: _slo, workload, engine, ...request} = scenario
  const names = engine === undefined ? [DEFAULT_ENGINE, ...Object.keys(ENGINES).filter((name) => name !== DEFAULT_ENGINE)] : [engine]
  const found = searchPlans({
    model, checkpoint, machine: servingGroup(machine).machine, engines: names.map((name) => engineOf(context, name)), request, workload, objectives, objective, calibration: context.catalogue.speedCalibration,
  })
  const ranking = bestLoads(found.points)
  const front = paretoFront(found.points.filter(({meets}) => meets))
  const met = ranking[0]?.meets ?? false
  return {
    report: {
      met,
      considered: found.considered,
      plans: ranking.slice(0, LISTED).map((point) => ({...toResult(point.evaluation), ...(!point.meets && {excess: excess(point, objectives)})})),
      front: front.map(({performance: {tpotMs, outputTokensPerSecondPerGpu}, evaluation, concurrency}) => ({
        outputTokensPerSecondPerUser: 1000 / tpotMs.estimate, outputTokensPerSecondPerGpu, engine: evaluation.engine.id, weights: evaluation.checkpoint.weights, ...(concurrency !== undefined && {concurrency}),
      })),
      refusals: found.refusals,
    },
    picture: {model, ranking, front, refusals: found.refusals, considered: found.considered},
  }
}

/** The first point of each deployment: its best load, as the points are ranked. */
function bestLoads(points: readonly PlanPoint[]): PlanPoint[] {
  const seen = new Set<unknown>()
  return points.filter(({evaluation: {memory}}) => !seen.has(memory) && seen.add(memory))
}
