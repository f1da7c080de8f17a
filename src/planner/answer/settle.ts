/**
 * The one policy for what nobody fixed: the engine's own choice where it starts, else the nearest setting that does, named as replaced.
 * Every command takes its deployments from here.
 */
import type {MachineGpu} from '../../core/accelerator.ts'
import type {Deployment, DeploymentRequest, Workload} from '../../core/deployment.ts'
import {type MemoryEstimate, requestBytes} from '../../core/memory.ts'
import type {Model} from '../../core/model.ts'
import {sumBytes} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import type {Engine, Subject} from '../../engines/engine.ts'
import {marginOf} from './margin.ts'

/** A setting that the engine would choose differently by itself. */
export interface Replaced {
  field: 'maxNumSeqs' | 'gpuMemoryUtilization' | 'maxModelLen'
  engineDefault: number
  value: number
  because: string
}

/** A deployment with nothing left open, and the memory that it takes. */
export interface Settled {
  deployment: Deployment
  memory: MemoryEstimate
  replaced: Replaced[]
  /** Shortest context that counts as fitting. */
  neededTokens: number
  /** Where no setting makes room for it: the longest request that the roomiest of them holds. */
  roomiest?: {tokens: number; flags: string}
  /** Present where settings were tried that rest on how many requests the load has at once: `sequencesFor` it. */
  sequences?: number
}

/** Context that an answer must reach when nobody asked for one: 8,192 tokens, or the model's limit. */
const UNASKED_CONTEXT_TOKENS = 8192
/** Contexts that are chosen are whole multiples of this. */
const CONTEXT_STEP_TOKENS = 256
/** Fewest sequences that a start command is given: room for a few more than one person. */
const FEW_SEQUENCES = 32
/** Of the state blocks that are expected: what remains where the estimate is too high by as much as one in ten are. */
const SAFE_STATES = 0.9

/** Tokens of one request of the load; 0 where there is none. */
export const requestTokens = (workload: Pick<Workload, 'inputTokens' | 'outputTokens'> | undefined): number =>
  workload === undefined ? 0 : workload.inputTokens + workload.outputTokens

/** What is asked for; unasked, 8,192 tokens and a request of the load, as far as the model reaches. */
export function neededContext(model: Model, request: Pick<DeploymentRequest, 'maxModelLen'>, workload: Workload | undefined): number {
  const limit = model.architecture.contextTokens
  return request.maxModelLen ?? Math.max(Math.min(UNASKED_CONTEXT_TOKENS, limit), Math.min(limit, requestTokens(workload)))
}

/** Fewest sequences that a start command is given for a load. */
export const sequencesFor = (workload: Pick<Workload, 'concurrency'> | undefined): number =>
  typeof workload?.concurrency === 'number' ? Math.max(FEW_SEQUENCES, workload.concurrency) : FEW_SEQUENCES

/** It comes up, and takes a request as long as is needed; where a context was asked for and the engine starts with any, it need only come up. */
const enters = (memory: MemoryEstimate, {maxModelLen}: Deployment, needed: number, asked: boolean): boolean =>
  memory.startProblem === undefined && (served(memory, maxModelLen, needed) || (asked && memory.starts && memory.startsBeyond === true))

/** Whether a request so long is served. What starts with a longer context serves it: the longest need not be looked for then. */
const served = (memory: MemoryEstimate, maxModelLen: number, tokens: number): boolean =>
  (memory.starts && !memory.startsBeyond && tokens <= maxModelLen) || memory.largestMaxModelLen >= tokens

/**
 * @param workload its lengths say how long a request is, its concurrency how many must run at once at least.
 * @param asRan what is not fixed is what the engine chose: nothing is replaced. For logs of what ran.
 */
export function settle(engine: Engine, subject: Subject, asked: DeploymentRequest, workload: Workload | undefined, asRan = false): Settled {
  const needed = neededContext(subject.model, asked, workload)
  const first = engine.resolve(subject, asked)
  let request = asked
  let deployment = first
  const firstMemory = engine.memory(subject, first)
  let memory = firstMemory
  // An engine that does not start with less than its context needs all of it.
  if (asRan) return {deployment, memory, neededTokens: memory.startsBeyond ? needed : Math.max(needed, deployment.maxModelLen), replaced: []}
  const limit = settledSequences(engine, subject, asked, safeSequences(memory, deployment))
  const fixed = asked.maxModelLen !== undefined
  // Weights that the card cannot hold leave room for no setting.
  let roomiest: Settled['roomiest']
  let sequences: number | undefined
  const hopeless = sumBytes(memory.terms.filter(({part}) => part === 'weights')) > memory.totalBytes
  if ((!hopeless && !enters(memory, deployment, needed, fixed)) || (asked.maxNumSeqs === undefined && limit !== undefined)) {
    sequences = sequencesFor(workload)
    for (const roomier of roomierRequests(asked, {sequences, deployment, limit, share: freeShare(subject.gpu, engine.mostMemoryShare)})) {
      const tried = engine.resolve(subject, roomier)
      const estimate = engine.memory(subject, tried)
      if (!enters(estimate, tried, needed, fixed) || safeSequences(estimate, tried) !== undefined) {
        const tokens = estimate.startProblem === undefined ? estimate.largestMaxModelLen : 0
        if (tokens > Math.max(memory.largestMaxModelLen, roomiest?.tokens ?? 0)) roomiest = {tokens, flags: flagsOf(asked, roomier)}
        continue
      }
      roomiest = undefined
      request = roomier
      deployment = tried
      memory = estimate
      break
    }
  }
  if (asked.maxModelLen === undefined && !hopeless && enters(memory, deployment, needed, false)) {
    const chosen = contextOf(subject, engine, deployment, memory, needed)
    if (chosen !== deployment.maxModelLen) {
      request = {...request, maxModelLen: chosen}
      deployment = engine.resolve(subject, request)
      memory = engine.memory(subject, deployment)
    }
  }
  return {
    deployment,
    memory,
    neededTokens: needed,
    replaced: replacedIn(engine, subject, asked, request, {deployment: first, memory: firstMemory}),
    ...(roomiest && {roomiest}),
    ...(sequences !== undefined && {sequences}),
  }
}

/** Flags of the settings that replace what an engine would choose. */
export const SETTING_FLAGS = {maxNumSeqs: '--max-num-seqs', gpuMemoryUtilization: '--gpu-memory-utilization', maxModelLen: '--max-model-len'} as const

const flagsOf = (asked: DeploymentRequest, roomier: DeploymentRequest): string =>
  (['maxNumSeqs', 'gpuMemoryUtilization'] as const)
    .filter((field) => roomier[field] !== undefined && roomier[field] !== asked[field])
    .map((field) => `${SETTING_FLAGS[field]} ${roomier[field]}`)
    .join(' ')

/** Fewer sequences than are set, where the engine wants a block of state for each and may not have as many; undefined where it has. */
function safeSequences({largestMaxNumSeqs}: Pick<MemoryEstimate, 'largestMaxNumSeqs'>, {maxNumSeqs}: Pick<Deployment, 'maxNumSeqs'>): number | undefined {
  if (largestMaxNumSeqs === undefined) return undefined
  const safe = Math.floor(largestMaxNumSeqs * SAFE_STATES)
  if (safe < 1 || maxNumSeqs <= safe) return undefined
  return safe > 8 ? safe - (safe % 8) : safe
}

/** Fewer sequences leave more blocks of state, which allow more of them: asked twice, the second answer is safe, as it is no more than the first allows. */
function settledSequences(engine: Engine, subject: Subject, asked: DeploymentRequest, limit: number | undefined): number | undefined {
  if (limit === undefined || asked.maxNumSeqs !== undefined) return limit
  let most = limit
  for (let round = 0; round < 2; round++) {
    const tried = engine.resolve(subject, {...asked, maxNumSeqs: most})
    const {largestMaxNumSeqs = 0} = engine.memory(subject, tried)
    most = safeSequences({largestMaxNumSeqs}, {maxNumSeqs: Number.POSITIVE_INFINITY}) ?? limit
  }
  return Math.max(limit, most)
}

interface Roomier {
  /** Sequences that the load needs. */
  sequences: number
  deployment: Deployment
  /** Sequences that the pool of states allows. */
  limit: number | undefined
  /** Largest share of memory that may be asked for. */
  share: number
}

/** Requests with more room for the cache, the gentlest change first: fewer sequences at once, then the largest share of memory. What was asked for stays. */
function roomierRequests(asked: DeploymentRequest, {sequences, deployment, limit, share}: Roomier): DeploymentRequest[] {
  const counts = asked.maxNumSeqs === undefined ? [limit, sequences].filter((count) => count !== undefined && count < deployment.maxNumSeqs) : []
  const fewer = [...new Set(counts)].sort((a, b) => b! - a!).map((maxNumSeqs) => ({...asked, maxNumSeqs}))
  const larger = (from: DeploymentRequest) => ({...from, gpuMemoryUtilization: share})
  const open = asked.gpuMemoryUtilization === undefined && share > deployment.gpuMemoryUtilization
  return [...fewer, ...(open ? [...fewer.slice(-1), ...(fewer.length === 0 ? [asked] : [])].map(larger) : [])]
}

/** The largest share of memory that may be asked for, but never more than is free now: engines refuse to start on memory that others hold. */
const freeShare = ({freeBytes, memoryBytes}: MachineGpu, most: number): number =>
  freeBytes === undefined ? most : Math.min(most, Math.max(0.01, Math.floor((100 * freeBytes) / memoryBytes) / 100))

/**
 * A context that nobody asked for: the engine's own where even the low end of the estimate holds it, else the longest that the low end
 * does, but never less than is needed.
 */
function contextOf(subject: Subject, engine: Engine, deployment: Deployment, memory: MemoryEstimate, needed: number): number {
  const room = requestBytes(memory)
  const spreadBytes = marginOf(subject, deployment, memory, engine).bytes
  const holds = (tokens: number) => room / memory.requestsOfTokens(tokens) <= room - spreadBytes
  if (served(memory, deployment.maxModelLen, deployment.maxModelLen) && holds(deployment.maxModelLen)) return deployment.maxModelLen
  // What an answer must reach is never cut short: where only the estimate holds it, and not its low end, the answer is tight.
  if (!holds(needed)) return Math.min(needed, memory.largestMaxModelLen)
  let [low, high] = [needed, Math.min(deployment.maxModelLen, memory.largestMaxModelLen)]
  while (high - low >= CONTEXT_STEP_TOKENS) {
    const middle = Math.floor((low + high) / 2)
    if (holds(middle)) low = middle
    else high = middle
  }
  return Math.max(needed, Math.floor(low / CONTEXT_STEP_TOKENS) * CONTEXT_STEP_TOKENS)
}

/** Why the model's whole context is not taken: an engine that does not start beyond its cache would refuse, or may. `held`: what it had with its own settings. */
function contextWords(tokens: number, {startsBeyond, startProblem, largestMaxModelLen}: MemoryEstimate): string {
  const words = `a request of the model's ${countInWords(tokens)} tokens`
  if (startsBeyond || startProblem || largestMaxModelLen <= 0 || largestMaxModelLen >= tokens) return `${words} may not have room`
  return `${words} has no room, and with its own settings the engine refuses to start: its cache holds one of ${countInWords(largestMaxModelLen)}`
}

const threeDigits = (share: number): number => Number(share.toFixed(3))

/** What is set otherwise than the engine would by itself, with why. */
function replacedIn(
  engine: Engine,
  subject: Subject,
  asked: DeploymentRequest,
  request: DeploymentRequest,
  {deployment: first, memory: held}: Pick<Settled, 'deployment' | 'memory'>,
): Replaced[] {
  const list: Replaced[] = []
  const add = (field: Replaced['field'], engineDefault: number, value: number | undefined, because: () => string) => {
    if (asked[field] !== undefined || value === undefined || value === engineDefault) return
    let words: string | undefined
    // In words only when asked for: a search settles thousands, and some words rest on the longest context.
    list.push({
      field,
      engineDefault,
      value,
      get because() {
        words ??= because()
        return words
      },
    })
  }
  add('maxNumSeqs', first.maxNumSeqs, request.maxNumSeqs, () => {
    const own = `the engine's default of ${countInWords(first.maxNumSeqs)}`
    return held.startsBeyond && held.starts && !held.startProblem ? `${own} leaves too little room for the cache` : `${own} does not start here`
  })
  const taken = asked.gpuMemoryUtilization === undefined && (subject.gpu.freeBytes !== undefined || (asked.reservedBytesPerGpu ?? 0) > 0)
  const own = taken ? engine.resolve(withAllFree(subject), {...asked, reservedBytesPerGpu: 0}).gpuMemoryUtilization : first.gpuMemoryUtilization
  const share = request.gpuMemoryUtilization ?? first.gpuMemoryUtilization
  add('gpuMemoryUtilization', own, share, () =>
    share < own
      ? `the engine's default of ${threeDigits(own)} is more than other programs leave free`
      : `the engine's default of ${threeDigits(own)} leaves too little room for the cache`,
  )
  add('maxModelLen', first.maxModelLen, request.maxModelLen, () => contextWords(first.maxModelLen, held))
  return list
}

const withAllFree = (subject: Subject): Subject => ({...subject, gpu: {...subject.gpu, freeBytes: undefined}})
