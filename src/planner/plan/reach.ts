import type {Workload} from '../../core/deployment.ts'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {countInWords} from '../../core/words.ts'
import type {Evaluation} from '../answer/index.ts'
import {machineFromSpec} from '../world/index.ts'
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

/** The least of each latency that any deployment reaches with one user, at the cautious end. */
export interface Floor {
  ttftMs: number
  tpotMs: number
  endToEndMs: number
}

export function floorOf(question: PlanQuestion, points: readonly PlanPoint[]): Floor | undefined {
  const evaluations = [...new Map(points.map(({evaluation}) => [evaluation.memory, evaluation])).values()]
  if (evaluations.length === 0) return undefined
  const alone = evaluations.map((evaluation) => pointAt(evaluation, {...question.workload, requestRate: undefined, concurrency: 1}, question))
  return {
    ttftMs: Math.min(...alone.map(({performance}) => performance.ttftMs.high)),
    tpotMs: Math.min(...alone.map(({performance}) => performance.tpotMs.high)),
    endToEndMs: Math.min(...alone.map((point) => endToEndMs(point).high)),
  }
}

/** What would make a question that no plan answers answerable: the nearest limits, and each single change that reaches them. */
export function reachOf(question: PlanQuestion, points: readonly PlanPoint[], catalogue: Catalogue): Reach[] {
  const list: Reach[] = []
  const nearest = points[0]
  if (nearest) list.push(looserLimits(nearest, question))
  const evaluations = [...new Map(points.map(({evaluation}) => [evaluation.memory, evaluation])).values()].slice(0, TRIED_DEPLOYMENTS)
  if (evaluations.length > 0) list.push(...changedLoads(question, evaluations))
  list.push(...machines(question, catalogue))
  return list
}

const FLAGS = {ttftMs: 'slo-ttft-ms', tpotMs: 'slo-tpot-ms', endToEndMs: 'slo-e2e-ms'}

/** Milliseconds rounded up to what one would type. */
const roundedUp = (ms: number): number => (ms >= 100 ? Math.ceil(ms / 10) * 10 : Math.ceil(ms))

function looserLimits(nearest: PlanPoint, {objectives}: PlanQuestion): Reach {
  const broken = reached(nearest, objectives).filter(({limit, cautious}) => cautious > limit)
  const {deployment} = nearest.evaluation
  const load = nearest.concurrency === undefined ? '' : ` with ${nearest.concurrency} in flight`
  return {
    change: 'looser-limits',
    flags: broken.map(({name, cautious}) => `--${FLAGS[name]} ${roundedUp(cautious)}`).join(' '),
    outcome: `${deployment.engine} tp ${deployment.tp}${deployment.dp > 1 ? ` dp ${deployment.dp}` : ''}${load} keeps this`,
  }
}

/** Whether any of the deployments keeps the limits at this load. */
const keeps = (question: PlanQuestion, evaluations: readonly Evaluation[], load: Workload): boolean =>
  evaluations.some((evaluation) => pointAt(evaluation, load, question).meets)

/** The largest whole number from 1 to `most` for which it holds, within 2%, where it holds for all smaller ones; 0 for none. */
export function largest(most: number, holds: (value: number) => boolean, mayBeAll = false): number {
  if (!holds(1)) return 0
  if (mayBeAll && holds(most)) return most
  let [low, high] = [1, most]
  while (high - low > 1 && high / low > 1.02) {
    const middle = Math.round(Math.sqrt(low * high))
    const at = Math.min(high - 1, Math.max(low + 1, middle))
    if (holds(at)) low = at
    else high = at
  }
  return low
}

function changedLoads(question: PlanQuestion, evaluations: readonly Evaluation[]): Reach[] {
  const list: Reach[] = []
  const {workload} = question
  const load: Workload = workload.requestRate === undefined && workload.concurrency === undefined ? {...workload, concurrency: 1} : workload
  const {concurrency, requestRate} = load
  if (typeof concurrency === 'number' && concurrency > 1) {
    const users = largest(concurrency, (value) => keeps(question, evaluations, {...load, concurrency: value}))
    if (users > 0) list.push({change: 'fewer-users', flags: `--users ${users}`, outcome: `${countInWords(users)} in flight keep the limits`})
  }
  if (requestRate !== undefined) {
    const steps = largest(1000, (value) => keeps(question, evaluations, {...load, requestRate: (requestRate * value) / 1000}))
    const rate = Number(((requestRate * steps) / 1000).toPrecision(3))
    if (steps > 0) list.push({change: 'lower-rate', flags: `--request-rate ${rate}`, outcome: `${rate} requests a second keep the limits`})
  }
  const shorter = (field: 'inputTokens' | 'outputTokens') => largest(load[field], (value) => keeps(question, evaluations, {...load, [field]: value}))
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
