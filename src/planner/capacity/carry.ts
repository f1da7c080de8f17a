import {bestLayout, diskBytes, distinctCheckpoints, keepsQuality, type Standing} from '../answer/index.ts'
import {legalDeployments, type PlanQuestion, preferenceTier} from '../plan/index.ts'
import {highestRate} from './arrivals.ts'
import {Candidate, workloadOf} from './candidate.ts'
import {excess, limitsReached} from './limits.ts'
import {unitsFor} from './fleet.ts'
import type {Carried, CarriesNothing, CarryQuestion} from './question.ts'
import {askedShare} from './simulated.ts'
import {mostUsers} from './users.ts'

/**
 * The deployment that carries most of a demand on a machine within the limits, by the estimate; and what it carries at the slow end. Builds that
 * lose quality only where the others would take more machines.
 */
export function carriedBy(question: CarryQuestion): Carried | CarriesNothing {
  const {evaluations, refusals} = legalDeployments(planQuestionOf(question))
  if (evaluations.length === 0) return nothingStarts(question, refusals[0])
  const candidates = evaluations.map((evaluation) => new Candidate(evaluation, question))
  if (question.demand.prefer !== undefined) return byPreference(candidates, evaluations, question) ?? limitsMissed(candidates, question)
  const keeping = candidates.filter((_, index) => keepsQuality(evaluations[index]!.model, evaluations[index]!.checkpoint))
  const most = (some: readonly Candidate[]) => mostOf(some, question)
  const kept = keeping.length > 0 ? most(keeping) : undefined
  if (kept && (keeping.length === candidates.length || unitsOf(kept, question).every((units) => units === 1))) return kept
  const found = keeping.length === candidates.length ? kept : most(candidates)
  if (!found) return limitsMissed(candidates, question)
  return kept && isAsGood(kept, found, question) ? kept : found
}

const mostOf = (some: readonly Candidate[], question: CarryQuestion): Carried | undefined =>
  question.demand.unit === 'users' ? mostUsers(some, question) : highestRate(some, question)

/** Of the builds that are preferred most, and carry anything within the limits, the one that carries most; undefined where none does. */
function byPreference(candidates: readonly Candidate[], evaluations: readonly Standing[], question: CarryQuestion): Carried | undefined {
  const {prefer} = question.demand
  const tiers = evaluations.map((evaluation) => preferenceTier({evaluation}, prefer))
  for (const tier of [...new Set(tiers)].sort((a, b) => a - b)) {
    const found = mostOf(
      candidates.filter((_, index) => tiers[index] === tier),
      question,
    )
    if (found) return found
  }
  return undefined
}

/** Units that each of the loads takes that are looked at. */
const unitsOf = ({amount}: Carried, {amounts}: CarryQuestion): number[] => amounts.map((load) => unitsFor(load, amount))

/** Whether no load takes more units with the first. */
const isAsGood = (first: Carried, second: Carried, question: CarryQuestion): boolean => {
  const other = unitsOf(second, question)
  return unitsOf(first, question).every((units, index) => units <= other[index]!)
}

export const isCarried = (found: Carried | CarriesNothing): found is Carried => 'amount' in found

function planQuestionOf({demand, machine, engines, calibration}: CarryQuestion): PlanQuestion {
  const {model, checkpoint, request} = demand
  return {model, checkpoint, machine, engines, request, workload: workloadOf(demand), objectives: {}, objective: 'throughput', calibration}
}

/** No deployment keeps the limits: the one that comes nearest with one request alone says by how much. */
function limitsMissed(candidates: readonly Candidate[], {demand}: CarryQuestion): CarriesNothing {
  const {slo} = demand
  const nearest = candidates.reduce((a, b) => (excess(b.at(1), slo) < excess(a.at(1), slo) ? b : a))
  const point = nearest.at(1)
  const limits = limitsReached(point, slo)
  if (excess(point, slo) > 1) return {code: 'slo-missed', because: 'one request alone misses the limits', nearest: {point, limits}}
  if (askedShare(demand) === undefined) return {code: 'slo-missed', because: 'no rate of arrivals keeps the limits', nearest: {point, limits}}
  return {
    code: 'slo-missed',
    because: `no load keeps the limits for ${slo.percentile}% of simulated requests`,
    nearest: {point, limits, shareWithinLimits: nearest.share(1, 'estimate')},
  }
}

/** Nothing starts: what the layout lacks that comes nearest, of the smallest checkpoint. */
function nothingStarts(
  {demand, machine, engines, calibration}: CarryQuestion,
  common: {code: string; message: string; remedy?: string} | undefined,
): CarriesNothing {
  const {model, request} = demand
  const checkpoints = demand.checkpoint ? [demand.checkpoint] : distinctCheckpoints(model, request.weights)
  const smallest = checkpoints.reduce<(typeof checkpoints)[number] | undefined>((a, b) => (a && diskBytes(model, a) <= diskBytes(model, b) ? a : b), undefined)
  const tried = smallest
    ? engines.map((engine) =>
        bestLayout({model, checkpoint: smallest, machine, engine, request, workload: {...workloadOf(demand), concurrency: 1}, calibration}),
      )
    : []
  const reason = (tried.find(({verdict}) => verdict === 'does-not-fit') ?? tried.find(({reasons}) => reasons.length > 0))?.reasons[0] ?? common
  return reason
    ? {code: reason.code, because: reason.message, ...(reason.remedy !== undefined && {remedy: reason.remedy})}
    : {code: 'unsupported', because: 'no engine can start this model here'}
}
