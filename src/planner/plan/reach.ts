import type {Workload} from '../../core/deployment.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {countInWords} from '../../core/words.ts'
import {excessOf, largest, type Standing} from '../answer/index.ts'
import {machineFromSpec} from '../world/index.ts'
import {deploymentKey, plainLoad} from './found-loads.ts'
import {endToEndMs, reached} from './objectives.ts'
import {pointAt, type PlanQuestion, searchPlans} from './search.ts'
import type {PlanPoint} from './point.ts'

/** One change that was tried, with which the limits are kept. */
export interface Reach {
  change: 'looser-limits' | 'fewer-users' | 'lower-rate' | 'shorter-prompts' | 'shorter-answers' | 'machine'
  /** As flags of `plan`. */
  flags: string
  outcome: string
}

/** Deployments, nearest to the limits first, that changes of the load are tried on. */
const TRIED_DEPLOYMENTS = 4
const MACHINES_NAMED = 2
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

/** Limits that are broken by more than this are a different wish, not looser limits: they are named last. */
const FAR = 4

/** What would make a question that no plan answers answerable: each single change that was tried and does, the smallest first. */
export function reachOf(question: PlanQuestion, points: readonly PlanPoint[], catalogue: Catalogue): Reach[] {
  const nearest = points[0]
  const deployments = deploymentsOf(points).slice(0, TRIED_DEPLOYMENTS)
  const loads = deployments.length > 0 ? changedLoads(question, deployments) : []
  const looser = nearest ? [looserLimits(nearest, question)].filter(({flags}) => flags !== '') : []
  const near = nearest !== undefined && excessOf(nearest.performance, nearest.evaluation.workload, question.objectives, nearest.tail).estimate <= FAR
  return near ? [...looser, ...loads, ...machines(question, catalogue)] : [...loads, ...machines(question, catalogue), ...looser]
}

const FLAGS = {ttftMs: 'slo-ttft-ms', tpotMs: 'slo-tpot-ms', endToEndMs: 'slo-e2e-ms'}

/** Milliseconds rounded up to two digits: what one would type. */
export function roundedUp(ms: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, ms))) - 1)
  return Math.ceil(ms / unit) * unit
}

function looserLimits(nearest: PlanPoint, {objectives}: PlanQuestion): Reach {
  const broken = reached(nearest, objectives).filter(({limit, estimate}) => estimate > limit)
  const {deployment} = nearest.evaluation
  const load = nearest.concurrency === undefined ? '' : ` with ${nearest.concurrency} in flight`
  return {
    change: 'looser-limits',
    flags: broken.map(({name, estimate}) => `--${FLAGS[name]} ${roundedUp(estimate)}`).join(' '),
    outcome: `${deployment.engine} tp ${deployment.tp}${deployment.dp > 1 ? ` dp ${deployment.dp}` : ''}${load} is expected to keep this`,
  }
}

/** Whether any of the deployments keeps the limits at this load. */
const keeps = (question: PlanQuestion, evaluations: readonly Standing[], load: Workload): boolean =>
  evaluations.some((evaluation) => pointAt(evaluation, load, question).meets)

/** Two digits, rounded down: a rate that one can type. */
const roundedDown = (rate: number): number => {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 1)
  return Number((Math.floor(rate / unit + 1e-9) * unit).toPrecision(2))
}

function changedLoads(question: PlanQuestion, evaluations: readonly Standing[]): Reach[] {
  const list: Reach[] = []
  const {workload} = question
  const load: Workload = workload.requestRate === undefined && workload.concurrency === undefined ? {...workload, concurrency: 1} : workload
  const {concurrency, requestRate} = load
  if (typeof concurrency === 'number' && concurrency > 1) {
    const users = plainLoad(largest(concurrency, (value) => keeps(question, evaluations, {...load, concurrency: value})))
    if (users > 0) list.push({change: 'fewer-users', flags: `--users ${users}`, outcome: `${countInWords(users)} in flight keep the limits`})
  }
  if (requestRate !== undefined) {
    const steps = largest(1000, (value) => keeps(question, evaluations, {...load, requestRate: (requestRate * value) / 1000}))
    const rate = roundedDown((requestRate * steps) / 1000)
    if (rate > 0) list.push({change: 'lower-rate', flags: `--request-rate ${rate}`, outcome: `${rate} requests a second keep the limits`})
  }
  const shorter = (field: 'inputTokens' | 'outputTokens') => plainLoad(largest(load[field], (value) => keeps(question, evaluations, {...load, [field]: value})))
  const prompt = shorter('inputTokens')
  if (prompt > 0) list.push({change: 'shorter-prompts', flags: `--input ${prompt}`, outcome: `prompts of ${countInWords(prompt)} tokens keep the limits`})
  const answer = shorter('outputTokens')
  if (answer > 1) list.push({change: 'shorter-answers', flags: `--output ${answer}`, outcome: `answers of ${countInWords(answer)} tokens keep the limits`})
  return list
}

/** Machines of the catalogue with as many cards or the usual eight, of quicker kinds, that keep the limits; least memory first. */
function machines(question: PlanQuestion, catalogue: Catalogue): Reach[] {
  const own = question.machine.gpus[0]!.accelerator
  const bandwidth = own.memoryBandwidthBytesPerSecond ?? 0
  const total = question.machine.gpus.length * question.machine.nodeCount
  const sizes = new Map<string, number[]>()
  for (const {gpus, nodeCount} of catalogue.systems)
    if (gpus.length === 1 && nodeCount === 1) sizes.set(gpus[0]!.id, [...(sizes.get(gpus[0]!.id) ?? []), gpus[0]!.count])
  const candidates = catalogue.gpus
    .filter(
      ({id, vendor, memoryBandwidthBytesPerSecond}) =>
        sizes.has(id) && (vendor === 'nvidia' || vendor === 'amd') && (memoryBandwidthBytesPerSecond ?? 0) >= bandwidth,
    )
    .map((accelerator) => ({accelerator, count: Math.max(...sizes.get(accelerator.id)!)}))
    .filter(({accelerator, count}) => count > total || (accelerator.id !== own.id && count >= Math.min(total, 8)))
    .sort((a, b) => a.accelerator.memoryBytes * a.count - b.accelerator.memoryBytes * b.count)
  const list: Reach[] = []
  for (const {accelerator, count} of candidates.slice(0, MACHINES_TRIED)) {
    const spec = `${count}x${accelerator.id}`
    const found = searchPlans({...question, machine: machineFromSpec(catalogue, spec), engines: question.engines.slice(0, 1)})
    const [best] = found.points
    if (!best?.meets) continue
    list.push({
      change: 'machine',
      flags: `--gpu ${spec}`,
      outcome: `keeps the limits${best.concurrency === undefined ? '' : ` with ${best.concurrency} in flight`}`,
    })
    if (list.length === MACHINES_NAMED) break
  }
  return list
}
