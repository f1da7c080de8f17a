import type {Workload} from '../../core/deployment.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {countInWords, usersInWords} from '../../core/words.ts'
import {dividesHeads} from '../../engines/divisibility.ts'
import {hasLimits, isYes, largest, type Standing} from '../answer/index.ts'
import {isMixed, machineFromSpec, makersLike} from '../world/index.ts'
import {deploymentKey, plainLoad} from './found-loads.ts'
import {endToEndMs, excess, isOverloaded, reached} from './objectives.ts'
import {keepsAtPercentile} from './percentile.ts'
import {isFixedLoad, pointAt, type PlanQuestion, searchPlans} from './search.ts'
import type {PlanPoint} from './point.ts'

/** One change that was tried, with which the limits are kept. */
export interface Reach {
  change: 'layout' | 'looser-limits' | 'fewer-users' | 'lower-rate' | 'shorter-prompts' | 'shorter-answers' | 'machine'
  /** As flags of `plan`. */
  flags: string
  outcome: string
}

/** Deployments, nearest to the limits first, that changes of the load are tried on. */
const TRIED_DEPLOYMENTS = 4
const MACHINES_NAMED = 2
/** Points of a changed question that are simulated at most, where a percentile was asked for. */
const CONFIRMED = 3
const MACHINES_TRIED = 16

/** The least of each latency that any deployment reaches with one user: as expected, and at the slow end of the interval. */
export interface Floor {
  ttftMs: number
  tpotMs: number
  endToEndMs: number
  slow: {ttftMs: number; tpotMs: number; endToEndMs: number}
}

/** The different deployments of points, in their order. */
const deploymentsOf = (points: readonly PlanPoint[]): Standing[] => [...new Map(points.map((point) => [deploymentKey(point), point.standing])).values()]

export function floorOf(question: PlanQuestion, points: readonly PlanPoint[]): Floor | undefined {
  const deployments = deploymentsOf(points)
  if (deployments.length === 0) return undefined
  const alone = deployments.map((stood) => pointAt(stood, {...question.workload, requestRate: undefined, concurrency: 1}, question))
  const least = (of: (point: PlanPoint) => number) => Math.min(...alone.map(of))
  return {
    ttftMs: least(({performance}) => performance.ttftMs.estimate),
    tpotMs: least(({performance}) => performance.tpotMs.estimate),
    endToEndMs: least((point) => endToEndMs(point).estimate),
    slow: {
      ttftMs: least(({performance}) => performance.ttftMs.high),
      tpotMs: least(({performance}) => performance.tpotMs.high),
      endToEndMs: least((point) => endToEndMs(point).high),
    },
  }
}

/** Limits that are broken by more than this are a different wish, not looser limits: less load is named before them. */
const FAR = 4

/** What would make a question that no plan answers answerable: each single change that was tried and does, the smallest first; hardware last. */
export function reachOf(question: PlanQuestion, points: readonly PlanPoint[], catalogue: Catalogue): Reach[] {
  const nearest = points[0]
  const deployments = deploymentsOf(points).slice(0, TRIED_DEPLOYMENTS)
  const loads = deployments.length > 0 ? changedLoads(question, deployments) : []
  const looser = nearest ? [looserLimits(nearest, question)].filter(({flags}) => flags !== '') : []
  const near = nearest !== undefined && excess(nearest, question.objectives) <= FAR
  const layouts = changedLayouts(question)
  return [...layouts, ...(near ? [...looser, ...loads] : [...loads, ...looser]), ...machines(question, catalogue)]
}

/** The best point that keeps the limits, at a percentile too; undefined where none of the likely ones does. */
function kept(question: PlanQuestion): PlanPoint | undefined {
  const {points} = searchPlans(question)
  const {objectives, calibration} = question
  // Limits that nobody asked for choose a load and change no verdict.
  if (!hasLimits(objectives)) return points.find(({evaluation}) => isYes(evaluation))
  return points
    .filter(({meets}) => meets)
    .slice(0, CONFIRMED)
    .find((point) => keepsAtPercentile(point, objectives, calibration))
}

/** What a changed machine or layout comes to. */
function outcomeOf({concurrency, meets}: PlanPoint, {objectives, workload}: PlanQuestion): string {
  const load = concurrency === undefined || concurrency === 'max' ? '' : ` at ${usersInWords(concurrency)}`
  if (hasLimits(objectives)) return `keeps the limits${load}`
  if (isFixedLoad(workload)) return `keeps up${load}`
  return meets && typeof concurrency === 'number'
    ? `starts, and serves ${countInWords(concurrency)} ${concurrency === 1 ? 'user' : 'users'} interactively`
    : 'starts, but is slower than the interactive limits'
}

/** Where a layout was asked for and nothing starts with it: the nearest tensor parallel size, or an open layout. */
function changedLayouts(question: PlanQuestion): Reach[] {
  const {request, model, machine} = question
  const {tp, pp, dp, ep, dpAttention} = request
  if (tp === undefined && pp === undefined && dp === undefined && ep === undefined && !dpAttention) return []
  const tried = (changed: PlanQuestion['request'], flags: string): Reach[] => {
    const changedQuestion = {...question, request: {...request, ...changed}}
    const point = kept(changedQuestion)
    return point ? [{change: 'layout', flags, outcome: outcomeOf(point, question)}] : []
  }
  if (tp !== undefined) {
    const sizes = Array.from({length: machine.gpus.length}, (_, index) => index + 1).filter((size) => size !== tp && dividesHeads(model.architecture, size))
    // The next larger size before the next smaller one: it asks for nothing less.
    for (const size of sizes.sort((a, b) => Math.abs(a - tp) - Math.abs(b - tp) || b - a)) {
      const found = tried({tp: size}, `--tp ${size}`)
      if (found.length > 0) return found
    }
  }
  return tried({tp: undefined, pp: undefined, dp: undefined, ep: undefined, dpAttention: undefined}, 'without a fixed layout')
}

const FLAGS = {ttftMs: 'slo-ttft-ms', tpotMs: 'slo-tpot-ms', endToEndMs: 'slo-e2e-ms'}

/** Milliseconds rounded up to two digits: what one would type. */
export function roundedUp(ms: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 1)
  return Math.ceil(ms / unit) * unit
}

function looserLimits(nearest: PlanPoint, {objectives}: PlanQuestion): Reach {
  // No limit makes up for a queue that grows without end.
  const broken = isOverloaded(nearest) ? [] : reached(nearest, objectives).filter(({limit, estimate}) => estimate > limit)
  const {deployment} = nearest.evaluation
  const load = typeof nearest.concurrency === 'number' ? ` at ${usersInWords(nearest.concurrency)}` : ''
  return {
    change: 'looser-limits',
    flags: broken.map(({name, estimate}) => `--${FLAGS[name]} ${roundedUp(estimate)}`).join(' '),
    outcome: `${deployment.engine} tp ${deployment.tp}${deployment.pp > 1 ? ` pp ${deployment.pp}` : ''}${deployment.dp > 1 ? ` dp ${deployment.dp}` : ''}${load} is expected to keep this`,
  }
}

/** Whether any of the deployments keeps the limits at this load. */
const keeps = (question: PlanQuestion, evaluations: readonly Standing[], load: Workload): boolean =>
  evaluations.some((evaluation) => keepsAtPercentile(pointAt(evaluation, load, question), question.objectives, question.calibration))

/** Shorter than this share of what was asked for is another use, not a shorter request. */
const LEAST_KEPT = 0.1

/** Two digits, rounded down: a rate that one can type. */
const roundedDown = (rate: number): number => {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 1)
  return Number((Math.floor(rate / unit + 1e-9) * unit).toPrecision(2))
}

function changedLoads(question: PlanQuestion, evaluations: readonly Standing[]): Reach[] {
  const list: Reach[] = []
  const {workload, objectives} = question
  const outcome = (subject: string, many = true) =>
    hasLimits(objectives) ? `${subject} ${many ? 'keep' : 'keeps'} the limits` : `${subject} ${many ? 'are' : 'is'} kept up with`
  const load: Workload = workload.requestRate === undefined && workload.concurrency === undefined ? {...workload, concurrency: 1} : workload
  const {concurrency, requestRate} = load
  if (typeof concurrency === 'number' && concurrency > 1) {
    const users = plainLoad(largest(concurrency, (value) => keeps(question, evaluations, {...load, concurrency: value})))
    if (users > 0) list.push({change: 'fewer-users', flags: `--users ${users}`, outcome: outcome(usersInWords(users), users !== 1)})
  }
  if (requestRate !== undefined) {
    const steps = largest(1000, (value) => keeps(question, evaluations, {...load, requestRate: (requestRate * value) / 1000}))
    const rate = roundedDown((requestRate * steps) / 1000)
    if (rate > 0)
      list.push({change: 'lower-rate', flags: `--request-rate ${rate}`, outcome: outcome(`${rate} request${rate === 1 ? '' : 's'} a second`, rate !== 1)})
  }
  const shorter = (field: 'inputTokens' | 'outputTokens') => plainLoad(largest(load[field], (value) => keeps(question, evaluations, {...load, [field]: value})))
  const prompt = shorter('inputTokens')
  if (prompt > load.inputTokens * LEAST_KEPT)
    list.push({change: 'shorter-prompts', flags: `--input ${prompt}`, outcome: outcome(`prompts of ${countInWords(prompt)} tokens`)})
  const answer = shorter('outputTokens')
  if (answer > load.outputTokens * LEAST_KEPT)
    list.push({change: 'shorter-answers', flags: `--output ${answer}`, outcome: outcome(`answers of ${countInWords(answer)} tokens`)})
  return list
}

/** Numbers of one's own cards that are tried beyond those that are there. */
const USUAL_COUNTS = [2, 4, 8]

/** More of the same cards, and machines of the catalogue with as many or the usual eight of quicker kinds, that keep the limits; least memory first. */
function machines(question: PlanQuestion, catalogue: Catalogue): Reach[] {
  const own = question.machine.gpus[0]!.accelerator
  const bandwidth = own.memoryBandwidthBytesPerSecond ?? 0
  const total = question.machine.gpus.length * question.machine.nodeCount
  const sizes = new Map<string, number[]>()
  for (const {gpus, nodeCount} of catalogue.systems)
    if (gpus.length === 1 && nodeCount === 1) sizes.set(gpus[0]!.id, [...(sizes.get(gpus[0]!.id) ?? []), gpus[0]!.count])
  // A slice, or a card that the catalogue does not know, cannot be asked for by name.
  const named = !isMixed(question.machine) && question.machine.nodeCount === 1 && catalogue.gpus.some(({id}) => id === own.id)
  const more = named ? USUAL_COUNTS.filter((count) => count > total && count !== Math.max(0, ...(sizes.get(own.id) ?? []))) : []
  const makers = makersLike(own.vendor)
  const candidates = catalogue.gpus
    .filter(({id, vendor, memoryBandwidthBytesPerSecond}) => sizes.has(id) && makers.includes(vendor) && (memoryBandwidthBytesPerSecond ?? 0) >= bandwidth)
    .map((accelerator) => ({accelerator, count: Math.max(...sizes.get(accelerator.id)!)}))
    .filter(({accelerator, count}) => count > total || (accelerator.id !== own.id && count >= Math.min(total, 8)))
    .concat(more.map((count) => ({accelerator: own, count})))
    .sort((a, b) => a.accelerator.memoryBytes * a.count - b.accelerator.memoryBytes * b.count)
  const list: Reach[] = []
  for (const {accelerator, count} of candidates.slice(0, MACHINES_TRIED)) {
    const spec = `${count}x${accelerator.id}`
    const best = kept({...question, machine: machineFromSpec(catalogue, spec), engines: question.engines.slice(0, 1)})
    if (!best) continue
    list.push({change: 'machine', flags: `--gpu ${spec}`, outcome: outcomeOf(best, question)})
    if (list.length === MACHINES_NAMED) break
  }
  return list
}
