import type {DeploymentRequest} from '../../core/deployment.ts'
import type {LengthLaw} from '../../core/simulator/load.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {hasLimits, requireNames} from '../answer/index.ts'
import type {Objectives, Preference} from '../scenario/index.ts'
import type {Trace} from './trace.ts'

/** Tokens of a prompt or an answer: a mean, or how they spread. */
export type Lengths = number | {mean: number; deviation: number} | {low: number; high: number} | {p50: number; p95: number}

/** What arrives for one model, as it is asked. */
export interface DemandAsked {
  name?: string
  model: string
  engine?: string
  /** What the checkpoint is chosen for. */
  prefer?: Preference
  request: DeploymentRequest
  inputTokens: Lengths
  outputTokens: Lengths
  prefixHitRate?: number
  /** Requests a second; or people, each with one request in flight, or with a pause between an answer and the next request. */
  requestRate?: number
  users?: number
  thinkSeconds?: number
  trace?: Trace
  slo: Objectives
  /** Nobody gave limits: these are the usual ones. */
  sloAssumed?: boolean
  /** Factor of a month. */
  growth?: number
}

/** The same with means for the closed form, laws for the simulator, and the model itself. */
export interface Demand {
  name: string
  model: Model
  checkpoint?: Checkpoint
  engine?: string
  prefer?: Preference
  request: DeploymentRequest
  inputTokens: number
  outputTokens: number
  prefixHitRate?: number
  laws?: {input: LengthLaw; output: LengthLaw}
  /** What is counted: requests a second, or people. */
  unit: 'requestsPerSecond' | 'users'
  amount: number
  thinkSeconds?: number
  trace?: Trace
  /** With the percentile that is checked by the simulator; absent: means are. */
  slo: Objectives
  sloAssumed?: boolean
  growth: number
}

/** Normal deviate that 95 of 100 stay below. */
const DEVIATE_95 = 1.6449
/** Where lengths spread, means say little: limits are then kept for this share of requests unless another is asked for. */
const USUAL_PERCENTILE = 95

export function lawOf(lengths: Lengths, most: number): LengthLaw {
  if (typeof lengths === 'number') return {kind: 'fixed', tokens: lengths}
  if ('low' in lengths) return {kind: 'uniform', low: lengths.low, high: lengths.high}
  if ('mean' in lengths) return {kind: 'lognormal', mean: lengths.mean, deviation: Math.sqrt(Math.log(1 + (lengths.deviation / lengths.mean) ** 2)), most}
  const deviation = Math.log(lengths.p95 / lengths.p50) / DEVIATE_95
  return {kind: 'lognormal', mean: lengths.p50 * Math.exp(deviation ** 2 / 2), deviation, most}
}

/** Mean tokens of a law, whole. */
function meanOf(law: LengthLaw): number {
  switch (law.kind) {
    case 'fixed':
      return Math.max(1, Math.round(law.tokens))
    case 'uniform':
      return Math.max(1, Math.round((law.low + law.high) / 2))
    case 'lognormal':
      return Math.max(1, Math.round(law.mean))
    case 'observed':
      return Math.max(1, Math.round(law.tokens.reduce((sum, tokens) => sum + tokens, 0) / Math.max(1, law.tokens.length)))
  }
}

export function demandOf(asked: DemandAsked, model: Model, checkpoint: Checkpoint | undefined): Demand {
  const {name, engine, prefer, request, prefixHitRate, requestRate, users, thinkSeconds, trace, slo, sloAssumed, growth = 1} = asked
  requireNames(request, model)
  const summary = trace?.summary
  const most = model.architecture.contextTokens
  const [input, output] = [lawOf(asked.inputTokens, most), lawOf(asked.outputTokens, most)]
  const spread = typeof asked.inputTokens !== 'number' || typeof asked.outputTokens !== 'number'
  return {
    name: name ?? model.id,
    model,
    ...(checkpoint && {checkpoint}),
    ...(engine !== undefined && {engine}),
    ...(prefer && {prefer}),
    request,
    inputTokens: summary?.inputTokens ?? meanOf(input),
    outputTokens: summary?.outputTokens ?? meanOf(output),
    ...(prefixHitRate !== undefined && {prefixHitRate}),
    ...(spread && !trace && {laws: {input, output}}),
    unit: users !== undefined ? 'users' : 'requestsPerSecond',
    amount: users ?? requestRate ?? summary?.peakRequestsPerSecond ?? 0,
    ...(thinkSeconds !== undefined && {thinkSeconds}),
    ...(trace && {trace}),
    slo: hasLimits(slo) && slo.percentile === undefined && (spread || trace) ? {...slo, percentile: USUAL_PERCENTILE} : slo,
    ...(sloAssumed && {sloAssumed}),
    growth,
  }
}
