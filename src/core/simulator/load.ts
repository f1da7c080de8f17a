import {type Random, randomOf} from './random.ts'

/** How many tokens a prompt or an answer has. */
export type LengthLaw =
  | {kind: 'fixed'; tokens: number}
  /** Every whole number from `low` to `high` is as likely. */
  | {kind: 'uniform'; low: number; high: number}
  /** Logarithm normally distributed with this standard deviation, scaled to the mean; never above `most`. */
  | {kind: 'lognormal'; mean: number; deviation: number; most?: number}
  /** Drawn from observed lengths, each as likely. */
  | {kind: 'observed'; tokens: readonly number[]}

export interface TraceRequest {
  arrivalMs: number
  inputTokens: number
  outputTokens: number
}

interface Drawn {
  requestCount: number
  input: LengthLaw
  output: LengthLaw
}

/** What arrives, and when. */
export type Load =
  /** `concurrency` in flight: they start together, and whoever ends is replaced after `thinkMs`. */
  | ({kind: 'closed-loop'; concurrency: number; thinkMs?: number} & Drawn)
  /** So many people, each with a pause (of this mean, exponential) between an answer and the next request. All begin with a pause. */
  | ({kind: 'population'; people: number; meanPauseMs: number} & Drawn)
  /** Independent arrivals at a mean rate. */
  | ({kind: 'poisson'; requestsPerSecond: number} & Drawn)
  /** Groups that arrive together; the groups are independent of each other, the mean rate is that of requests. */
  | ({kind: 'bursts'; requestsPerSecond: number; requestsPerBurst: number} & Drawn)
  /** All at time zero: offline work. */
  | ({kind: 'at-once'} & Drawn)
  | {kind: 'trace'; requests: readonly TraceRequest[]}

/** The requests of a load in order of arrival. Those of a closed loop beyond the first, and of people who pause, depend on when others end: NaN. */
export interface Requests {
  count: number
  arrivalMs: Float64Array
  /** Of people who pause: how long each request lets itself be waited for, in mean pauses of one person. */
  gaps?: Float64Array
  inputTokens: Int32Array
  outputTokens: Int32Array
}

function draw(law: LengthLaw, random: Random): number {
  switch (law.kind) {
    case 'fixed':
      return law.tokens
    case 'uniform': {
      const low = Math.ceil(law.low)
      return low + Math.floor(random.uniform() * Math.max(1, Math.floor(law.high) - low + 1))
    }
    // exp(m + s z) has the mean exp(m + s^2 / 2).
    case 'lognormal':
      return Math.min(law.most ?? Infinity, law.mean * Math.exp(law.deviation * random.normal() - law.deviation ** 2 / 2))
    case 'observed':
      return law.tokens[Math.floor(random.uniform() * law.tokens.length)] ?? 1
  }
}

const atLeastOne = (tokens: number): number => Math.max(1, Math.round(tokens))

/** Lengths that vary as benchmarks draw them: evenly between 0.8 and 1.0 of a nominal length, whose mean is given. */
export const benchmarkLengths = (mean: number): LengthLaw => ({kind: 'uniform', low: (mean * 0.8) / 0.9, high: mean / 0.9})

/**
 * The requests of a load. Lengths and arrivals come from streams of their own and gaps are scaled by the rate, so the same
 * seed at another rate is the same requests closer together or further apart.
 */
export function requestsOf(load: Load, seed: number): Requests {
  if (load.kind === 'trace') {
    const sorted = load.requests.map((request, index) => ({request, index})).sort((a, b) => a.request.arrivalMs - b.request.arrivalMs || a.index - b.index)
    return {
      count: sorted.length,
      arrivalMs: Float64Array.from(sorted, ({request}) => request.arrivalMs),
      inputTokens: Int32Array.from(sorted, ({request}) => atLeastOne(request.inputTokens)),
      outputTokens: Int32Array.from(sorted, ({request}) => atLeastOne(request.outputTokens)),
    }
  }
  const count = Math.max(0, Math.round(load.requestCount))
  const inputs = randomOf(seed, 0)
  const outputs = randomOf(seed, 1)
  const inputTokens = new Int32Array(count)
  const outputTokens = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    inputTokens[i] = atLeastOne(draw(load.input, inputs))
    outputTokens[i] = atLeastOne(draw(load.output, outputs))
  }
  if (load.kind === 'population') {
    const random = randomOf(seed, 2)
    return {count, arrivalMs: new Float64Array(count).fill(NaN), gaps: new Float64Array(count).map(() => random.exponential()), inputTokens, outputTokens}
  }
  return {count, arrivalMs: arrivals(load, count, randomOf(seed, 2)), inputTokens, outputTokens}
}

function arrivals(load: Exclude<Load, {kind: 'trace' | 'population'}>, count: number, random: Random): Float64Array {
  const times = new Float64Array(count)
  if (load.kind === 'closed-loop') return times.fill(NaN, Math.max(1, Math.round(load.concurrency)))
  if (load.kind === 'at-once') return times
  const group = load.kind === 'bursts' ? Math.max(1, Math.round(load.requestsPerBurst)) : 1
  const gapMs = (1000 * group) / load.requestsPerSecond
  let now = 0
  for (let i = 0; i < count; i++) {
    if (i % group === 0) now += random.exponential() * gapMs
    times[i] = now
  }
  return times
}
