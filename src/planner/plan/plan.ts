import type {Machine} from '../../core/accelerator.ts'
import type {Model} from '../../core/model.ts'
import {DEFAULT_ENGINE, ENGINES} from '../../engines/registry.ts'
import {
  bestLayout,
  hasLimits,
  isYes,
  knownByNameAnswer,
  requireNames,
  requireSpeed,
  requireWriting,
  type Result,
  SCHEMA_VERSION,
  toResult,
} from '../answer/index.ts'
import {type Objective, type Objectives, requireLimits, type Scenario} from '../scenario/index.ts'
import {type Context, engineInRelease, modelOf, pacingAccelerator} from '../world/index.ts'
import {pause} from './pause.ts'
import {paretoFront} from './front.ts'
import {type DraftingOption, draftingOptions} from './drafting.ts'
import {endToEndMs, excess, preferenceTier, reached, score} from './objectives.ts'
import {confirmed} from './percentile.ts'
import {type RankedPlan, rankedPlans} from './ranking.ts'
import {type Floor, floorOf, type Reach, reachOf} from './reach.ts'
import type {PlanPoint} from './point.ts'
import {type PlanQuestion, type PlanSearch, type Refusal, searchPlans} from './search.ts'

export interface PlanAsked {
  scenario: Scenario & {workload: NonNullable<Scenario['workload']>}
  machine: Machine
  objectives: Objectives
  objective: Objective
}

/** A plan as a result of `check`, with how it stands to the limits. */
export interface PlannedResult extends Result {
  /** How far beyond the limits, where it does not keep them: 1.2 is a fifth too slow. */
  excess?: number
  /** Mean time to the last token. */
  endToEndMs?: {estimate: number; high: number}
  /** Cache formats with which it is as quick. */
  alsoKvCache?: string[]
  /** Repositories in the same format with which it is as quick. */
  alsoCheckpoints?: string[]
}

/** `plan --json`. */
export interface PlanReport {
  schemaVersion: typeof SCHEMA_VERSION
  /** A plan keeps the limits (or there were none). */
  met: boolean
  objective: Objective
  slo?: Objectives
  /** Neither a load nor limits were given: the usual limits by which loads were chosen. They change no verdict. */
  interactive?: Objectives
  considered: number
  /** The best load of each deployment, best first; with the load that it is for. */
  plans: PlannedResult[]
  /** Ways to draft in the best plan, weighed against none at its load; best first. */
  drafting?: DraftingOption[]
  /** Where the usual limits chose: the most that any deployment gives without them. */
  mostThroughput?: PlannedResult
  /** The best by the objective alone, where its build loses more than the best plan's: what `--prefer speed` would put first. */
  passedOver?: PlannedResult
  /** Points that no other beats in both throughput for each GPU and speed for each user. */
  front: {
    outputTokensPerSecondPerUser: number
    outputTokensPerSecondPerGpu: number
    engine: string
    weights: string
    kvCache: string
    tp: number
    pp: number
    dp: number
    ep: number
    dpAttention: boolean
    concurrency?: number | 'max'
  }[]
  /** Where no plan keeps the limits: single changes that were tried and do. */
  reach?: Reach[]
  /** Where no plan keeps the limits: the least of each that is reached here with one user. */
  floor?: Floor
  refusals: Refusal[]
}

/** What a plan came to: as data for programs (`report`), and as what is drawn for people. */
export interface Plan {
  model: Model
  question: PlanQuestion
  met: boolean
  interactive?: Objectives
  ranking: RankedPlan[]
  mostThroughput?: PlanPoint
  passedOver?: PlanPoint
  drafting: DraftingOption[]
  front: PlanPoint[]
  reach: Reach[]
  floor?: Floor
  refusals: Refusal[]
  considered: number
  report(): PlanReport
}

/** How many plans are listed. */
const LISTED = 20

/** The question that a scenario asks of the search. */
export async function planQuestion(context: Context, {scenario, machine, objectives, objective}: PlanAsked): Promise<PlanQuestion> {
  const {model, checkpoint} = await modelOf(context, scenario.model)
  requireWriting(model)
  requireSpeed(pacingAccelerator(machine), 'plan')
  const {model: _model, gpu: _gpu, machine: _machine, nodes: _nodes, link: _link, id: _id, prefer, slo: _slo, workload: load, engine, ...request} = scenario
  requireLimits(objectives)
  requireNames(request, model)
  // As many as memory and limits allow: with limits that is the load to be found.
  const {concurrency, ...open} = load
  const workload = concurrency === 'max' && hasLimits(objectives) ? open : load
  const names = engine === undefined ? [DEFAULT_ENGINE, ...Object.keys(ENGINES).filter((name) => name !== DEFAULT_ENGINE)] : [engine]
  return {
    model,
    checkpoint,
    machine,
    // A version without an engine is one of the default engine's.
    engines: names.map((name) => engineInRelease(context, name, engine === undefined && name !== DEFAULT_ENGINE ? undefined : request.engineVersion)),
    request,
    ...(prefer && {prefer}),
    workload,
    objectives,
    objective,
    calibration: context.catalogue.speedCalibration,
  }
}

/** Searches engines, checkpoints, cache formats, layouts and loads. */
export async function plan(context: Context, asked: PlanAsked): Promise<Plan> {
  const {objectives, objective} = asked
  const question = await planQuestion(context, asked)
  const found = question.model.knownByName ? nothingKnown(question) : searchPlans(question)
  const {interactive, refusals, considered} = found
  const front = paretoFront(interactive ? found.points : found.points.filter(({meets}) => meets))
  const points = objectives.percentile !== undefined && hasLimits(objectives) ? await confirmed(found.points, objectives, question.calibration) : found.points
  const ranking = rankedPlans(points, objective)
  const [best] = ranking
  const met = best !== undefined && isYes(best.evaluation)
  if (!met) await pause()
  // At a percentile only a few are simulated: changes are tried on the others too.
  const reach = met ? [] : reachOf(question, [...ranking, ...found.points], context.catalogue)
  const floor = met || !hasLimits(objectives) ? undefined : floorOf(question, found.points)
  const drafting = best && met ? draftingOptions(best, question) : []
  const mostThroughput = best && interactive && throughputEnd(found.points, best)
  const passedOver = best && met && question.prefer === undefined ? losingMore(points, best, objective) : undefined
  return {
    model: question.model,
    question,
    met,
    ...(interactive && {interactive}),
    ranking,
    ...(mostThroughput && {mostThroughput}),
    ...(passedOver && {passedOver}),
    drafting,
    front,
    reach,
    ...(floor && {floor}),
    refusals,
    considered,
    report: () => ({
      schemaVersion: SCHEMA_VERSION,
      met,
      objective,
      ...(hasLimits(objectives) && {slo: objectives}),
      ...(interactive && {interactive}),
      considered,
      plans: ranking.slice(0, LISTED).map((point) => plannedResult(point, question)),
      ...(mostThroughput && {mostThroughput: plannedResult(mostThroughput, question)}),
      ...(passedOver && {passedOver: plannedResult(passedOver, question)}),
      ...(drafting.length > 0 && {drafting}),
      front: front.map(frontEntry),
      ...(reach.length > 0 && {reach}),
      ...(floor && {floor}),
      refusals,
    }),
  }
}

/** There is nothing to search where only the size of a model is known: each engine with each build is refused for it. */
function nothingKnown({model, checkpoint, machine, engines, request, workload, calibration}: PlanQuestion): PlanSearch {
  const builds = checkpoint ? [checkpoint] : model.checkpoints
  const {reasons} = knownByNameAnswer(bestLayout({model, checkpoint: builds[0]!, machine, engine: engines[0]!, request, workload, calibration}))
  const considered = engines.length * builds.length
  return {points: [], considered, refusals: reasons.map((reason) => ({...reason, examples: [builds[0]!.hfId], count: considered}))}
}

/** More throughput than the best plan's is worth telling from here on. */
const WORTH_TELLING = 1.1

/** The most that any point gives, whatever its latency; undefined where the best plan gives about as much. */
function throughputEnd(points: readonly PlanPoint[], best: PlanPoint): PlanPoint | undefined {
  const low = ({performance}: PlanPoint) => performance.outputTokensPerSecond.low
  const most = points.reduce((a, b) => (low(b) > low(a) ? b : a), best)
  return low(most) > WORTH_TELLING * low(best) ? most : undefined
}

/** The best by the objective of those that keep the limits as well, where its build loses more and it gives clearly more. */
function losingMore(points: readonly PlanPoint[], best: PlanPoint, objective: Objective): PlanPoint | undefined {
  const low = ({performance}: PlanPoint) => performance.outputTokensPerSecond.low
  const first = points
    .filter(({meets, sure}) => meets === best.meets && sure === best.sure)
    .reduce((a, b) => (score(b, objective) > score(a, objective) ? b : a), best)
  return preferenceTier(first, undefined) > preferenceTier(best, undefined) && low(first) > WORTH_TELLING * low(best) ? first : undefined
}

function plannedResult(point: PlanPoint & Partial<RankedPlan>, {objectives}: PlanQuestion): PlannedResult {
  const {alsoKvCache, alsoCheckpoints, evaluation, meets} = point
  return {
    ...toResult(evaluation),
    ...(objectives.endToEndMs !== undefined && {endToEndMs: endToEndMs(point)}),
    ...(alsoKvCache && {alsoKvCache}),
    ...(alsoCheckpoints && {alsoCheckpoints}),
    ...(!meets && reached(point, objectives).length > 0 && {excess: excess(point, objectives)}),
  }
}

function frontEntry({performance: {tpotMs, outputTokensPerSecondPerGpu}, evaluation, concurrency}: PlanPoint): PlanReport['front'][number] {
  const {engine, weights, kvCache, tp, pp, dp, ep, dpAttention} = evaluation.deployment
  return {
    outputTokensPerSecondPerUser: 1000 / tpotMs.estimate,
    outputTokensPerSecondPerGpu,
    engine,
    weights,
    kvCache,
    tp,
    pp,
    dp,
    ep,
    dpAttention,
    ...(concurrency !== undefined && {concurrency}),
  }
}
