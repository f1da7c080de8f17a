import type {Calibration} from '../throughput/calibration.ts'
import {type PerformanceInput, replicaCount} from '../throughput/input.ts'
import {preparedModel} from '../throughput/performance.ts'
import {admissionLimit} from '../throughput/serving.ts'
import type {StepModel} from '../throughput/step.ts'
import {benchmarkLengths, type Load} from './load.ts'
import type {Delivery, Drafting, SchedulerRules} from './rules.ts'
import {type LatencyLimits, type SimulationQuestion, type SimulationResult, simulate} from './simulate.ts'
import {clockOf} from './step-clock.ts'

/** Requests of a measured closed loop for each one in flight, as InferenceX and the engines' own benchmarks run them. */
const GENERATIONS = 10
/** Requests of an open loop, where nobody says how many. */
const OPEN_REQUESTS = 2000
/** Steps of fewer tokens than this are not asked for: the speed model's own bound. */
const LEAST_BUDGET = 64
const BLOCK_TOKENS = 16
/** Steps until a first token is delivered, as a share of the answer at most: the speed model's own bound. */
const MOST_FIRST_TOKEN_SHARE = 0.15

/** What a person may ask of the simulation of a deployment; the rest follows from the deployment. */
export interface SimulationChoices {
  /** Load of the whole deployment. Absent: that of the workload, with lengths as benchmarks draw them. */
  load?: Load
  rules?: Partial<SchedulerRules>
  latencyLimits?: LatencyLimits
  stricterLimits?: LatencyLimits
  skipFirst?: number
  skipLast?: number
  seed?: number
  exact?: boolean
}

/**
 * Scheduler as the calibration describes it. There the share is that of the whole output that a running request holds or
 * has reserved on average; it holds half, and r of the other half is reserved: s = (1 + r) / 2.
 */
function rulesOf(model: StepModel): SchedulerRules {
  const {mixedSteps, reservedOutputShare} = model.engine
  return {
    mixedSteps: mixedSteps >= 0.5,
    chunkedPrefill: true,
    reservedOutputShare: Math.min(1, Math.max(0, 2 * reservedOutputShare - 1)),
    freeCacheShare: 0,
    blockTokens: BLOCK_TOKENS,
  }
}

function deliveryOf(model: StepModel): Delivery {
  const {engine} = model
  return {
    requestMs: engine.requestMilliseconds,
    requestMsPerInputToken: engine.requestMicrosecondsPerInputToken / 1000,
    firstTokenSteps: engine.firstTokenSteps,
    firstTokenGrowth: engine.firstTokenGrowth,
    furtherFirstTokenSteps: model.attentionGroups > 1 ? engine.attentionGroupSteps : 0,
    mostFirstTokenShare: MOST_FIRST_TOKEN_SHARE,
    tokensPerSecond: model.frontEndTokensPerSecond,
  }
}

const draftingOf = ({drafting}: PerformanceInput): Drafting => ({drafted: drafting?.tokens ?? 0, tokensPerStep: drafting?.tokensPerStep ?? 1})

/** Share of the output for which "max" expects room: half, which running requests hold on average, as the closed form does. */
const OFFLINE_SHARE = 0.5

/** Requests of the whole deployment that are in flight, in a closed loop. */
function inFlight(input: PerformanceInput, model: StepModel): number {
  const {inputTokens, outputTokens, concurrency} = input.workload
  if (concurrency !== 'max') return concurrency ?? 1
  return (
    replicaCount(input) *
    Math.floor(admissionLimit(input, {input: inputTokens, output: outputTokens}, Math.min(OFFLINE_SHARE, model.engine.reservedOutputShare)))
  )
}

/** The load that a workload states, of the whole deployment. */
function loadOf(input: PerformanceInput, model: StepModel): Load {
  const {inputTokens, outputTokens, concurrency, requestRate} = input.workload
  const drawn = {input: benchmarkLengths(inputTokens), output: benchmarkLengths(outputTokens)}
  if (requestRate !== undefined && concurrency === undefined) return {kind: 'poisson', requestsPerSecond: requestRate, requestCount: OPEN_REQUESTS, ...drawn}
  const sequences = inFlight(input, model)
  return {kind: 'closed-loop', concurrency: sequences, requestCount: GENERATIONS * sequences, ...drawn}
}

/** How many of the simulated replica the deployment is, by load: ten requests in flight over four replicas are simulated as three on each, and count as ten. */
function scaleOf(load: Load, replicas: number): number {
  const whole = load.kind === 'closed-loop' ? load.concurrency : load.kind === 'population' ? load.people : undefined
  return whole === undefined ? replicas : whole / Math.max(1, Math.round(whole / replicas))
}

/** The share of a load that one of `scale` equal replicas gets. Of a trace it is every n-th request, dealt out in turn. */
function shareOf(load: Load, scale: number): Load {
  if (load.kind === 'trace') return {...load, requests: load.requests.filter((_, index) => index % scale === 0)}
  const requestCount = Math.max(1, Math.round(load.requestCount / scale))
  switch (load.kind) {
    case 'closed-loop':
      return {...load, requestCount, concurrency: load.concurrency / scale}
    case 'population':
      return {...load, requestCount, people: load.people / scale}
    case 'poisson':
      return {...load, requestCount, requestsPerSecond: load.requestsPerSecond / scale}
    // A burst is spread over all.
    case 'bursts':
      return {...load, requestCount, requestsPerSecond: load.requestsPerSecond / scale, requestsPerBurst: Math.max(1, load.requestsPerBurst / scale)}
    case 'at-once':
      return {...load, requestCount}
  }
}

interface Prepared {
  question: SimulationQuestion
  scale: number
}

function prepared(input: PerformanceInput, calibration: Calibration, choices: SimulationChoices): Prepared {
  const model = preparedModel(input, calibration)
  const drafting = draftingOf(input)
  const whole = choices.load ?? loadOf(input, model)
  const scale = scaleOf(whole, replicaCount(input))
  const load = shareOf(whole, scale)
  const offline = choices.load === undefined && input.workload.concurrency === 'max' && load.kind === 'closed-loop'
  // "max" asks for the steady state: without the burst at the start and the end that runs empty.
  const skip = (requests: number | undefined) => (requests === undefined ? (offline ? load.concurrency : 0) : Math.ceil(requests / scale))
  return {
    question: {
      clock: clockOf(model, 1 + drafting.drafted),
      limits: {maxNumSeqs: input.maxNumSeqs, maxNumBatchedTokens: Math.max(LEAST_BUDGET, input.maxNumBatchedTokens), kvCacheTokens: input.kvCacheTokens},
      rules: {...rulesOf(model), ...choices.rules},
      delivery: deliveryOf(model),
      drafting,
      prefixHitRate: input.workload.prefixHitRate ?? 0,
      load,
      skipFirst: skip(choices.skipFirst),
      skipLast: skip(choices.skipLast),
      latencyLimits: choices.latencyLimits,
      stricterLimits: choices.stricterLimits,
      seed: choices.seed ?? 0,
      exact: choices.exact,
    },
    scale,
  }
}

/** What the simulator is asked about one replica of a deployment. */
export const simulationQuestion = (input: PerformanceInput, calibration: Calibration, choices: SimulationChoices = {}): SimulationQuestion =>
  prepared(input, calibration, choices).question

/**
 * Percentiles and rates of a whole deployment. One of its replicas is simulated with its share of the load; rates, counts and the queue are
 * those of all, `utilisation` is of one.
 */
export function simulateDeployment(input: PerformanceInput, calibration: Calibration, choices: SimulationChoices = {}): SimulationResult {
  const {question, scale} = prepared(input, calibration, choices)
  const result = simulate(question)
  if (scale === 1) return result
  const {queue} = result
  const whole = (count: number) => Math.round(count * scale)
  return {
    ...result,
    requestCount: whole(result.requestCount),
    refusedCount: whole(result.refusedCount),
    arrivalsPerSecond: result.arrivalsPerSecond === undefined ? undefined : result.arrivalsPerSecond * scale,
    requestsPerSecond: result.requestsPerSecond * scale,
    outputTokensPerSecond: result.outputTokensPerSecond * scale,
    inputTokensPerSecond: result.inputTokensPerSecond * scale,
    preemptionCount: whole(result.preemptionCount),
    recomputedTokens: whole(result.recomputedTokens),
    queue: {...queue, meanWaiting: queue.meanWaiting * scale, peakWaiting: whole(queue.peakWaiting), waitingAtLastArrival: whole(queue.waitingAtLastArrival)},
  }
}
