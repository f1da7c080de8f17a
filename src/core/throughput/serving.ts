import type {Admission, PerformanceInput} from './input.ts'
import {softMaximum, type StepModel, type StepState, type StepTime} from './step.ts'

/** Requests that a measured closed loop serves for each unit of concurrency; the first of them all arrive at once. */
const GENERATIONS = 10
/** Rounds that are looked at one by one: later ones are like the last. */
const MOST_ROUNDS = 50
/**
 * Width of the window over which one round of requests ends, relative to the length of a request: outputs that vary
 * evenly between 0.8 and 1.0 of a nominal length differ by a fifth of 0.9 of it.
 */
const LENGTH_SPREAD = 0.2 / 0.9
/** Steps before the first token is delivered are at most this share of the answer: a short one is delivered when it ends. */
const MOST_FIRST_TOKEN_SHARE = 0.15
/** Rounds in which the time per token, the queue and the wait are found: each rests on the others. */
const ROUNDS = 16
/** How sharply the front end's limit sets in. */
const FRONT_END_EXPONENT = 6
/**
 * Share of what a slow front end costs that shows before the first token: a backlog delays the first token as much as the last, and only its growth
 * shows between them. Taken from sweeps with 128 in flight under TensorRT-LLM on H100.
 */
const FRONT_END_FIRST = 0.7

/** What a load does to one replica, in seconds. */
export interface Serving {
  ttft: number
  tpot: number
  /** Requests in flight, and those among them that the cache or the limit admits. */
  inFlight: number
  admitted: number
  requestsPerSecond: number
  /** Parts of the time to the first token. */
  wait: {frontEnd: number; step: number; queue: number; prefill: number; firstToken: number; compiling: number; capacity: number; streaming: number}
  /** A decode step alone, and what prompts of others and the front end add to the time per token. */
  step: StepTime
  stepTokens: number
  interruption: number
  streamingPerToken: number
  prefillStep: StepTime
  prefillChunks: number
  capacityLimited: boolean
  /** Of an open loop: requests that arrive at this replica, and those that it could serve. */
  open?: {arrivalsPerSecond: number; mostPerSecond: number}
}

interface Lengths {
  prompt: number
  input: number
  output: number
}

const decodeState = (sequences: number, context: number): StepState => ({
  decodeSequences: sequences,
  contextTokens: context,
  promptTokens: 0,
  promptSequences: 0,
  promptContextTokens: 0,
})

/** Requests that the cache and the limit on sequences admit at once on one replica. */
export function admissionLimit(input: PerformanceInput, lengths: {input: number; output: number}, reservedShare: number): number {
  const tokens = lengths.input + lengths.output * reservedShare
  const byCache = input.kvCacheTokens === undefined ? Infinity : Math.max(1, input.kvCacheTokens / Math.max(1, tokens))
  return Math.max(1, Math.min(input.maxNumSeqs, byCache))
}

/**
 * Mean wait of a request whose round of `count` prompts, each `service` seconds of work, arrives over `window` seconds.
 * A wide window gives the M/D/1 wait, a narrow one half of the backlog.
 */
export function queueWait(count: number, service: number, window: number): number {
  const work = count * service
  const slack = window - work
  return (-slack + Math.sqrt(slack * slack + 4 * service * work)) / 4
}

/**
 * Wait in a closed loop of `count` requests that each need `service` seconds of the machine and then stay away for `away`:
 * mean value analysis with one queue, R = S (1 + (C - 1) R / (Z + R)) (Reiser and Lavenberg 1980), less the own service.
 */
export function saturatedWait(count: number, service: number, away: number): number {
  const excess = count * service - away
  return Math.max(0, (excess + Math.sqrt(excess * excess + 4 * service * away)) / 2 - service)
}

/** Steps until a scheduler that waits for company stops: with attention over `groups` of ranks no longer than until each has a new request. */
const companySteps = (waitSteps: number, arrivalsPerStep: number, groups: number): number =>
  groups > 1 ? Math.min(waitSteps, (groups - 1) / arrivalsPerStep) : waitSteps

/**
 * Decode steps that a new request waits until the scheduler looks at it, in the mean. `arrivalsPerStep`: new requests in one step.
 * Looking once in N steps: (N - 1) / 2. Waiting T steps after the first arrival: the first waits T, those that come meanwhile half of it. With attention
 * over `groups` of ranks it waits no longer than until each has a new request.
 */
export function admissionSteps({everySteps = 1, waitSteps = 0}: Admission, arrivalsPerStep: number, groups = 1): number {
  const wait = companySteps(waitSteps, arrivalsPerStep, groups)
  const met = arrivalsPerStep * wait
  return (everySteps - 1) / 2 + (wait * (1 + met / 2)) / (1 + met)
}

/**
 * Prompts that begin in one step, in the mean over steps in which any does: arrivals at random, a / (1 - e^-a), of as many steps as pass between two looks;
 * a scheduler that waits for company takes those that came meanwhile along with the first.
 */
export function promptsTogether(arrivalsPerStep: number, {everySteps = 1, waitSteps = 0}: Admission = {}, groups = 1): number {
  const arrivals = arrivalsPerStep * everySteps
  return (arrivals < 1e-6 ? 1 : arrivals / -Math.expm1(-arrivals)) + arrivalsPerStep * companySteps(waitSteps, arrivalsPerStep, groups)
}

/** How requests come: in a closed loop that starts with all at once, in one that has long run, or at random. */
export type Arrivals = 'together' | 'steady' | 'random'

/** What compiling costs once; the mean over all rounds shares it. */
const compileMilliseconds = ({engine, work}: StepModel): number =>
  work.experts.some(({format}) => format.computeType === 'fp4') ? engine.coldFp4Milliseconds : engine.coldMilliseconds

/** One replica with `inFlight` requests, which come as `arrivals` says. */
export function closedLoop(input: PerformanceInput, model: StepModel, inFlight: number, arrivals: Arrivals): Serving {
  const {workload} = input
  const {engine} = model
  const output = Math.max(1, workload.outputTokens)
  const lengths: Lengths = {input: workload.inputTokens, output, prompt: Math.max(1, workload.inputTokens * (1 - (workload.prefixHitRate ?? 0)))}
  const limit = admissionLimit(input, lengths, engine.reservedOutputShare)
  const admitted = Math.min(inFlight, limit)
  const context = lengths.input + output / 2
  const stages = model.stages

  const accepted = input.drafting?.tokensPerStep ?? 1
  const budget = Math.max(64, input.maxNumBatchedTokens)
  // With data-parallel attention each group has its own budget and its own prompts.
  const groups = model.attentionGroups
  const chunks = Math.ceil((lengths.prompt * groups) / budget - 1e-9)
  const coalesced = Math.max(1, Math.min(admitted, groups * Math.max(1, Math.floor(budget / groups / lengths.prompt))))
  const cached = lengths.input - lengths.prompt
  const promptState = (sequences: number, prompts: number): StepState => ({
    decodeSequences: sequences,
    contextTokens: context,
    promptTokens: (lengths.prompt / chunks) * prompts,
    promptSequences: prompts / chunks,
    promptContextTokens: cached + lengths.prompt / 2,
    promptGroups: Math.min(groups, prompts),
  })
  const {mixedSteps} = engine
  const spreadOfLengths = input.outputSpread ?? LENGTH_SPREAD
  // Answers of equal length end as regularly as their prompts were computed: nobody waits for others but in the first round and where there is too much to do.
  const variability = Math.min(1, spreadOfLengths / LENGTH_SPREAD)

  const outside = engine.requestMilliseconds * 1e-3 + lengths.input * engine.requestMicrosecondsPerInputToken * 1e-6
  const admission = input.admission ? admissionSteps(input.admission, admitted / output, groups) : 0
  const waited = admission + engine.firstTokenSteps * Math.max(1, admitted) ** engine.firstTokenGrowth + (groups > 1 ? engine.attentionGroupSteps : 0)
  const firstTokenSteps = Math.min(waited, MOST_FIRST_TOKEN_SHARE * output)
  // All that are admitted count as decoding beside each other, those whose prompts are due too: a longer prompt never makes a step shorter.
  const step = model.time(decodeState(admitted, context))
  const beside = admitted * mixedSteps
  const prefillStep = model.time(promptState(beside, 1))
  const alone = (chunks * (prefillStep.total - mixedSteps * step.total)) / stages
  const together = coalesced > 1 ? (model.time(promptState(beside, coalesced)).total - mixedSteps * step.total) / coalesced / stages : alone
  const single = Math.max(alone, 1e-6)
  const batched = Math.min(single, Math.max(together, 1e-6))
  const steps = Math.max(1, (output - 1) / accepted)
  // What a step of prompts costs however many they are is shared by those that came while one step ran.
  const fixed = coalesced > 1 ? ((single - batched) * coalesced) / (coalesced - 1) : 0
  const batchedWith = (arrivalsPerStep: number) => single - fixed + fixed / Math.min(coalesced, promptsTogether(arrivalsPerStep, input.admission, groups))
  const rounds = arrivals === 'together' ? Math.min(MOST_ROUNDS, Math.max(1, input.rounds ?? GENERATIONS)) : 1
  // A request decodes beside the prompts of its own round that came after it, and those of the next round that come before it ends. The last round has no next one.
  const followed = arrivals === 'together' ? 1 - 1 / (2 * rounds) : 1
  // Requests of equal length end one after the other, as their prompts were computed: the steps before and after a prompt are those with the prompts of its
  // neighbours. With lengths that vary they are like any other step.
  const besideNeighbours = mixedSteps * (1 - variability) * (1 - 1 / Math.max(1, admitted))
  const neighbouring = (tpot: number) => besideNeighbours * Math.max(tpot, prefillStep.total) + (1 - besideNeighbours) * tpot
  // What a step computed is read while the next one runs; the rest of the way is the same whatever the steps hold.
  const delivery = (tpot: number) => Math.min(1, firstTokenSteps) * neighbouring(tpot) + Math.max(0, firstTokenSteps - 1) * tpot
  let interruption = 0
  let queue = 0
  let prefill = 0
  let tpot = step.total
  for (let round = 0; round < ROUNDS; round++) {
    const decodeSeconds = Math.max(step.total, (output - 1) * tpot)

    // Rounds of requests: all at once, then spread further by their lengths and by the queue itself.
    let window = arrivals === 'together' ? 0 : Infinity
    let queueSum = 0
    let prefillSum = 0
    let workSum = 0
    const cycle = decodeSeconds + queue + prefill
    for (let g = 0; g < rounds; g++) {
      // A last round may be served in part.
      const share = Math.min(1, rounds - g)
      const spread = Math.min(window, cycle)
      const first = spread === 0
      const service = first ? batched : batchedWith(arrivals === 'random' ? (admitted * prefillStep.total) / cycle : admitted / steps)
      // Who comes meets the others (arrival theorem: Sevcik and Mitrani 1981; Lavenberg and Reiser 1980), and one alone meets nobody.
      const wait = queueWait(Math.max(0, admitted - 1), service, Math.max(spread, 0))
      queueSum +=
        share *
        (first
          ? Math.max(0, (admitted * batched - coalesced * batched) / 2)
          : Math.max(Math.min(variability * wait, ((admitted - 1) * service) / 2), saturatedWait(admitted, service, decodeSeconds)))
      prefillSum += share * (chunks * prefillStep.total + (first ? (coalesced - 1) * batched : 0))
      workSum += share * service
      // Where prompts and decoding share steps, the first to be served are also the first to end; where they take turns all decode in step.
      window = Math.sqrt(Math.max(spread, mixedSteps * admitted * service) ** 2 + (spreadOfLengths * decodeSeconds) ** 2)
    }
    queue = queueSum / rounds
    prefill = prefillSum / rounds
    const service = workSum / rounds
    const base = steps * step.total
    // While one request decodes, prompts of the others pass at the rate of one each in the time L of a whole request:
    // L - wait = base + prompts (L - wait) / L, solved for L.
    const wait = outside + neighbouring(step.total) / 2 + queue + prefill + delivery(tpot)
    const prompts = service * Math.max(0, admitted - 1) * followed
    const sum = wait + base + prompts
    const latency = (sum + Math.sqrt(sum * sum - 4 * prompts * wait)) / 2
    interruption = latency - wait - base
    tpot = output > 1 ? (base + interruption) / (output - 1) : step.total
  }

  const stepWait = neighbouring(step.total) / 2
  const firstToken = delivery(tpot)
  const compiling = input.cold && arrivals === 'together' && admitted * lengths.prompt >= budget ? (compileMilliseconds(model) * 1e-3) / rounds : 0
  let ttft = outside + stepWait + queue + prefill + firstToken + compiling
  const decodeSeconds = (output - 1) * tpot
  const latency = ttft + decodeSeconds
  const streamed = softMaximum(latency, (admitted * output) / model.frontEndTokensPerSecond, FRONT_END_EXPONENT)
  const streaming = streamed - latency
  const streamingPerToken = output > 1 ? ((1 - FRONT_END_FIRST) * streaming) / (output - 1) : 0
  const streamingWait = output > 1 ? FRONT_END_FIRST * streaming : streaming
  ttft += streamingWait
  tpot += streamingPerToken
  // Beyond the limit a request waits for a place, which others hold from their admission to their end; meanwhile it is accepted and tokenised. By Little's law
  // all in flight are waiting, being accepted or in a place; those that found a place when the run began never waited.
  const placed = Math.min(admitted / (streamed - outside), inFlight / streamed)
  const waiting = arrivals === 'together' ? 1 - admitted / (inFlight * rounds) : 1
  const capacity = inFlight > admitted ? Math.max(0, inFlight / placed - streamed) * waiting : 0
  const requestsPerSecond = inFlight / (streamed + capacity)
  return {
    ttft: ttft + capacity,
    tpot,
    inFlight,
    admitted,
    requestsPerSecond,
    wait: {frontEnd: outside, step: stepWait, queue, prefill, firstToken, compiling, capacity, streaming: streamingWait},
    step,
    stepTokens: accepted,
    interruption: output > 1 ? interruption / (output - 1) : 0,
    streamingPerToken,
    prefillStep,
    prefillChunks: chunks,
    capacityLimited: inFlight > limit,
  }
}

/** Sums, each times its share: what many requests meet in the mean. Parts keep adding up to their wholes. */
function mixed(parts: readonly {serving: Serving; share: number}[]): Serving {
  const first = parts[0]!.serving
  const mean = <T extends object>(of: (serving: Serving) => T): T =>
    Object.fromEntries(
      Object.entries(of(first)).map(([key, value]) => [
        key,
        typeof value === 'number' ? parts.reduce((sum, {serving, share}) => sum + share * (of(serving) as Record<string, number>)[key]!, 0) : value,
      ]),
    ) as T
  return {...mean((serving) => serving), wait: mean(({wait}) => wait), step: mean(({step}) => step), prefillStep: mean(({prefillStep}) => prefillStep)}
}

/** Requests in flight for which a replica is looked at; in between it is taken to be as far as they are. */
function lookedAt(most: number): number[] {
  const points = [1, 2, 3]
  for (let power = 4; power < most; power *= 2) points.push(power, 1.5 * power)
  return [...points.filter((point) => point < most), Math.max(1, most)]
}

/** Chances beyond that are left out. */
const NEGLIGIBLE = 1e-7

/**
 * One replica under `rate` requests a second that come at random. With n in flight it serves as many a second as a closed loop of n does: it is replaced by
 * one server of that speed (Chandy, Herzog and Woo 1975), whose chances of n in flight are as the product of rate over speed up to n. Who arrives while n
 * are there meets what a closed loop of n + 1 does; their mean latency is Little's. Most of the time that is more than the mean in flight: a request is
 * always beside itself, and those that come close together make each other slow.
 */
export function openLoop(input: PerformanceInput, model: StepModel, rate: number): Serving {
  const {workload} = input
  const limit = Math.min(
    admissionLimit(input, {input: workload.inputTokens, output: workload.outputTokens}, model.engine.reservedOutputShare),
    input.maxNumSeqs,
  )
  const most = closedLoop(input, model, limit, 'random')
  const open = {arrivalsPerSecond: rate, mostPerSecond: most.requestsPerSecond}
  // A run of ten requests for each that fits ends before the queue is as long as it would become: random arrivals drift by the root of their number.
  const mostWaiting = 2 * Math.sqrt(GENERATIONS * most.admitted)
  const grid = lookedAt(limit)
  const servings: Serving[] = []
  const shares: number[] = []
  const serve = (at: number) => {
    while (servings.length <= at) {
      const point = grid[servings.length]!
      servings.push(point === limit ? most : closedLoop(input, model, point, 'random'))
      shares.push(0)
    }
    return servings[at]!
  }
  const latency = (at: number) => grid[at]! / serve(at).requestsPerSecond
  let chance = 1
  let all = 0
  let waiting = 0
  let segment = 0
  // n: those that an arrival finds.
  for (let n = 0; n < limit + mostWaiting; n++) {
    const inFlight = Math.min(n + 1, limit)
    while (segment < grid.length - 1 && grid[segment + 1]! <= inFlight) segment++
    const next = Math.min(segment + 1, grid.length - 1)
    const upper = next === segment ? 0 : (inFlight - grid[segment]!) / (grid[next]! - grid[segment]!)
    const seconds = (1 - upper) * latency(segment) + (upper > 0 ? upper * latency(next) : 0)
    shares[segment]! += chance * (1 - upper)
    if (upper > 0) shares[next]! += chance * upper
    waiting += chance * Math.max(0, n + 1 - limit)
    all += chance
    const speed = inFlight / seconds
    chance *= rate / speed
    if (chance < NEGLIGIBLE * all) break
    // Sums stay small under overload, where later states are by far the likelier.
    if (chance > 1 / NEGLIGIBLE) {
      for (const i of shares.keys()) shares[i]! /= chance
      all /= chance
      waiting /= chance
      chance = 1
    }
  }
  const mean = mixed(servings.map((serving, at) => ({serving, share: shares[at]! / all})))
  // Overload: over the run the mean request waits half of the backlog at its end.
  const over = Math.max(0, (GENERATIONS * most.admitted * (1 / most.requestsPerSecond - 1 / rate)) / 2)
  const capacity = waiting / all / most.requestsPerSecond + over
  return {
    ...mean,
    ttft: mean.ttft + capacity,
    wait: {...mean.wait, capacity: mean.wait.capacity + capacity},
    requestsPerSecond: Math.min(rate, most.requestsPerSecond),
    capacityLimited: rate >= most.requestsPerSecond,
    open,
  }
}
