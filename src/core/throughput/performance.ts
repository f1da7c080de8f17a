import type {Architecture} from '../architecture.ts'
import {classModifiers, hardwareClass, ratesOf} from './hardware.ts'
import type {Calibration, Spread} from './calibration.ts'
import {paysUntil} from './drafting-pays.ts'
import {isLater, releaseYear} from './engine-version.ts'
import type {BoundBy, Performance, PerformanceInput, TimeTerm} from './input.ts'
import {HOST_LINK_TERM, leastHostLinkSeconds} from './offload.ts'
import type {Interval} from '../terms.ts'
import {busyReplicas, engineCalibration, preparedModel, servingOf} from './prepared.ts'
import type {Serving} from './serving.ts'

export type {Calibration} from './calibration.ts'
export type {Performance, PerformanceInput} from './input.ts'
export {busyReplicas, preparedModel, servingOf} from './prepared.ts'

/** Standard normal deviate that leaves a tenth on either side. */
const DEVIATE_80 = 1.2816

/** Steps whose kernels the host launches one by one follow the host: those of two RTX 3090 (noonghunna/club-3090) took 1.7 times the estimate. */
const OUTSIDE_GRAPHS_SPREAD = 0.4

const ms = (seconds: number): number => seconds * 1000
const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2))

function boundBy(serving: Serving): BoundBy {
  if (serving.capacityLimited) return 'kv-capacity'
  const {step} = serving
  const overhead = step.launches + step.host + serving.streamingPerToken
  const device = step.products + step.experts + step.attention + step.head + step.drafts
  if (step.collectives + step.hostLink >= Math.max(overhead, device)) return 'interconnect'
  if (overhead >= device) return 'overhead'
  const prefillShare = serving.interruption > step.total ? serving.prefillStep.compute >= serving.prefillStep.memory : step.compute >= step.memory
  return prefillShare ? 'compute' : 'memory-bandwidth'
}

function decodeTerms(input: PerformanceInput, serving: Serving): TimeTerm[] {
  const {step, stepTokens} = serving
  const gbs = (input.accelerator.memoryBandwidthBytesPerSecond ?? 0) / 1e9
  const sequences = shown(serving.admitted)
  const term = (name: string, seconds: number, because: string): TimeTerm => ({phase: 'decode', name, ms: ms(seconds / stepTokens), because})
  const device = step.products + step.experts + step.attention + step.head
  // The step is never shorter than the sum of the parts; what the bound adds goes to the largest.
  const stretch = device > 0 ? Math.max(1, (step.total - step.collectives - step.launches - step.host - step.hostLink - step.drafts) / device) : 1
  const terms = [
    term(
      'dense weights',
      (step.products + step.head) * stretch,
      `matrices of attention, dense layers and head for ${sequences} sequences, at ${gbs.toFixed(0)} GB/s and the dense rate times their efficiencies`,
    ),
    term('experts', step.experts * stretch, `the distinct experts that ${sequences} tokens touch are read once`),
    term(
      'attention',
      step.attention * stretch,
      `cache or state of ${sequences} sequences of ${shown(input.workload.inputTokens + input.workload.outputTokens / 2)} tokens on average`,
    ),
    term('collectives', step.collectives, `two sums over ${input.tp} ranks in each layer over ${input.link.kind}`),
    term('kernel launches', step.launches, input.enforceEager ? 'launched one by one' : 'latency of kernels within captured graphs'),
    term('host', step.host, `scheduling, sampling and bookkeeping for ${sequences} sequences`),
    term(HOST_LINK_TERM, step.hostLink, hostLinkWords(input)),
    term('drafting', step.drafts, draftingWords(input)),
    term(
      'prompts of others',
      serving.interruption * stepTokens,
      `${shown(serving.admitted)} requests in flight each add one prompt of ${shown(input.workload.inputTokens)} tokens while one decodes`,
    ),
    term('streaming', serving.streamingPerToken * stepTokens, 'the front end cannot deliver more tokens a second'),
  ]
  return terms.filter((t) => t.ms > 0)
}

/** Where they are and how they are read. */
function hostLinkWords({offload}: PerformanceInput): string {
  if (!offload) return ''
  const how = {'in-place': 'read in place', copied: 'copied in each step', ahead: 'copied ahead in each step'}[offload.reading]
  return `${(offload.bytes / 1e9).toFixed(1)} GB of each GPU, ${how} at ${shown(offload.bytesPerSecond / 1e9)} GB/s`
}

/** What making drafts costs, with the steps that are saved in the same line: all parts of a phase are shown for each token. */
function draftingWords({drafting}: PerformanceInput): string {
  const passes = drafting?.drafter?.passes ?? 0
  return `${passes} pass${passes === 1 ? '' : 'es'} of the drafter for ${drafting?.tokens ?? 0} tokens, of which a step keeps ${shown((drafting?.tokensPerStep ?? 1) - 1)}`
}

function prefillTerms(input: PerformanceInput, serving: Serving, groups: number): TimeTerm[] {
  const {wait} = serving
  // A mean over prompts that share steps is no whole number, and a mean of one is often one but for its last digit.
  const chunks = Number(serving.prefillChunks.toPrecision(3))
  const term = (name: string, seconds: number, because: string): TimeTerm => ({phase: 'prefill', name, ms: ms(seconds), because})
  const terms = [
    term('front end', wait.frontEnd, `accepting and tokenising a request of ${shown(input.workload.inputTokens)} tokens`),
    term('running step', wait.step, 'half a step passes before a new request is noticed'),
    term(
      'queue',
      wait.queue,
      input.workload.requestRate === undefined ? `prompts ahead of it; the first ${shown(serving.admitted)} requests arrive together` : 'prompts ahead of it',
    ),
    term('prompt', wait.prefill, `${chunks} step${chunks === 1 ? '' : 's'} of at most ${Math.round(input.maxNumBatchedTokens / groups)} tokens`),
    term('first token', wait.firstToken, 'steps until the first token is delivered'),
    term('compiling', wait.compiling, 'kernels are compiled for shapes that nobody sent before'),
    term('waiting for cache', wait.capacity, `${shown(serving.admitted)} of ${shown(serving.inFlight)} requests fit at once`),
    term('streaming', wait.streaming, 'the front end cannot deliver more tokens a second'),
  ]
  return terms.filter((t) => t.ms > 0)
}

const interval = (estimate: number, deviation: number) => ({
  estimate,
  low: estimate * Math.exp(-DEVIATE_80 * deviation),
  high: estimate * Math.exp(DEVIATE_80 * deviation),
})

const notBelow = (times: Interval, least: number): Interval => (times.low >= least ? times : {...times, low: Math.min(times.estimate, least)})

/** What the host's link takes at its rated speed: the fast ends of intervals stop there. */
function leastTimes({offload}: PerformanceInput, {step, stepTokens, prefillStep, prefillChunks}: Serving): {ttftMs: number; tpotMs: number} {
  if (!offload) return {ttftMs: 0, tpotMs: 0}
  return {
    ttftMs: ms(prefillChunks * leastHostLinkSeconds(offload, prefillStep)),
    tpotMs: ms(leastHostLinkSeconds(offload, step) / stepTokens),
  }
}

/** What leaves an open loop is what arrives, as long as that is served: the interval of the rate is that of what can be served, cut at the arrivals. */
function servedOf(rate: Interval, {arrivalsPerSecond, mostPerSecond}: NonNullable<Serving['open']>, tokens: number): Interval {
  const most = mostPerSecond / Math.min(arrivalsPerSecond, mostPerSecond)
  const cut = (edge: number) => Math.min(arrivalsPerSecond * tokens, edge * most)
  return {estimate: rate.estimate, low: Math.min(rate.estimate, cut(rate.low)), high: Math.max(rate.estimate, cut(rate.high))}
}

/** A closed loop gives as much as its times say (Little's law): the rate is no less certain than both at their edges. */
function withinTimes(rate: Interval, ttftMs: Interval, tpotMs: Interval, output: number): Interval {
  const latency = (edge: keyof Interval) => ttftMs[edge] + tpotMs[edge] * (output - 1)
  const at = (edge: 'low' | 'high') => rate.estimate * (latency('estimate') / latency(edge))
  return {estimate: rate.estimate, low: Math.max(rate.low, at('high')), high: Math.min(rate.high, at('low'))}
}

/** What makes a model as fast as another of the same kind: fine-tunes share it, other sizes do not. */
export const shapeOf = ({className, hiddenSize, layerSequence}: Architecture): string => `${className ?? ''} ${hiddenSize} ${layerSequence.length}`

/** What of the question lies outside what was measured. */
function extrapolations(input: PerformanceInput, calibration: Calibration, features: readonly string[]): (keyof Calibration['spread']['extrapolated'])[] {
  const {seen} = calibration
  const engine = engineCalibration(input, calibration)
  const result: (keyof Calibration['spread']['extrapolated'])[] = []
  if (!seen.hardware.includes(hardwareClass(input.accelerator)) || ratesOf(input.accelerator).guessed) result.push('hardware')
  else if (!seen.cards.includes(input.accelerator.id)) result.push('card')
  if (features.some((feature) => !seen.features.includes(feature))) result.push('model')
  else if (!seen.shapes.includes(shapeOf(input.architecture))) result.push('shape')
  const older = engine.measuredYears !== undefined && releaseYear(input.engineVersion, engine) < engine.measuredYears.oldest
  const {[input.accelerator.vendor]: onMaker} = seen.enginesOf ?? {}
  if (!seen.engines.includes(input.engine) || older || (onMaker && !onMaker.includes(input.engine))) result.push('engine')
  else if (engine.newestMeasured !== undefined && isLater(input.engineVersion, engine.newestMeasured)) result.push('release')
  return result
}

function speculationOf(input: PerformanceInput, calibration: Calibration): NonNullable<Performance['speculation']> {
  const {tokens, tokensPerStep, source, published} = input.drafting!
  let pays: number | undefined
  return {
    acceptance: Number(((tokensPerStep - 1) / tokens).toFixed(4)),
    source: published.length === 0 ? source : `${source} (${published.join('; ')})`,
    // Only when asked for: it tries a dozen loads.
    get paysUntilConcurrency() {
      pays ??= paysUntil(input, calibration)
      return pays
    },
  }
}

/**
 * Speed of a deployment under its load: mean time to first token and time per further token, output rate of the whole
 * deployment, each with a central 80% interval, and what the time goes into. Means over a closed loop of ten requests for
 * each unit of concurrency whose first requests arrive together; over the steady state for an open loop or "max".
 */
export function performance(input: PerformanceInput, calibration: Calibration, model = preparedModel(input, calibration)): Performance {
  const serving = servingOf(input, calibration, model)
  const replicas = busyReplicas(input)
  const output = input.workload.outputTokens
  const outputRate = serving.requestsPerSecond * replicas * output
  const extrapolated = extrapolations(input, calibration, model.work.features)
  const base = calibration.spread.byEngine[input.engine] ?? calibration.spread.base
  let terms: TimeTerm[] | undefined
  // An accepted length that is assumed makes everything that comes after the first token less certain.
  const assumed = (extrapolated.includes('hardware') && classModifiers(input.accelerator, calibration).deviation) || 0
  const drafted = Math.hypot(input.drafting?.spread ?? 0, input.drafting?.verification?.outsideGraphs === undefined ? 0 : OUTSIDE_GRAPHS_SPREAD)
  const offloaded = input.offload?.spread ?? 0
  const deviation = (of: keyof Spread) =>
    Math.sqrt(
      extrapolated.reduce((sum, what) => sum + calibration.spread.extrapolated[what][of] ** 2, base[of] ** 2 + assumed ** 2 + offloaded ** 2) +
        (of === 'ttft' ? 0 : drafted ** 2),
    )
  const least = leastTimes(input, serving)
  const ttftMs = notBelow(interval(ms(serving.ttft), deviation('ttft')), least.ttftMs)
  const tpotMs = notBelow(interval(ms(serving.tpot), deviation('tpot')), least.tpotMs)
  const open = interval(outputRate, deviation('throughput'))
  const rate = least.tpotMs > 0 ? {...open, high: Math.min(open.high, (outputRate * tpotMs.estimate) / tpotMs.low)} : open
  const {concurrency} = input.workload
  return {
    ttftMs,
    tpotMs,
    outputTokensPerSecond: serving.open
      ? servedOf(rate, serving.open, replicas * output)
      : typeof concurrency === 'number'
        ? withinTimes(rate, ttftMs, tpotMs, output)
        : rate,
    outputTokensPerSecondPerUser: 1 / serving.tpot,
    outputTokensPerSecondPerGpu: outputRate / Math.max(1, input.gpuCount),
    totalTokensPerSecond: (outputRate * (output + input.workload.inputTokens)) / Math.max(1, output),
    boundBy: boundBy(serving),
    // In words only when asked for: a search looks at hundreds.
    get breakdown() {
      terms ??= [...prefillTerms(input, serving, model.attentionGroups), ...decodeTerms(input, serving)]
      return terms
    },
    basis: {
      calibration: calibration.name,
      ...(calibration.ownRuns !== undefined && {ownRuns: calibration.ownRuns}),
      extrapolated: extrapolated.flatMap((what) => (what === 'release' ? 'engine' : what === 'shape' || what === 'card' ? [] : what)),
    },
    ...(input.drafting && {speculation: speculationOf(input, calibration)}),
  }
}
