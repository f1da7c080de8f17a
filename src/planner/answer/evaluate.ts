import type {Machine, MachineGpu} from '../../core/accelerator.ts'
import type {Deployment, DeploymentRequest, Workload} from '../../core/deployment.ts'
import {type MemoryEstimate, requestBytes} from '../../core/memory.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {type Reason, sumBytes, type Warning} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Performance, PerformanceInput} from '../../core/throughput/input.ts'
import {performance} from '../../core/throughput/performance.ts'
import type {Engine, Subject} from '../../engines/engine.ts'
import {isVersion} from '../../engines/versions.ts'
import {calibrationFor, tightestGpu} from '../world/index.ts'
import {bytesInWords, countInWords} from '../../core/words.ts'
import {hostMemoryWarnings} from './host-memory.ts'
import {marginOf} from './margin.ts'
import {draftWarnings, knownDraft} from '../../engines/drafts.ts'
import {speculationWarnings} from './speculation.ts'

export type Verdict = 'fits' | 'tight' | 'does-not-fit' | 'unsupported'

/** One deployment, judged. The one path that every command takes. */
export interface Evaluation {
  model: Model
  checkpoint: Checkpoint
  machine: Machine
  engine: Engine
  deployment: Deployment
  memory: MemoryEstimate
  verdict: Verdict
  reasons: Reason[]
  warnings: Warning[]
  /** A build that names no release (a nightly, an empty string): its rules are taken to be the newest, its speed is not. */
  unnamedBuild?: string
  workload?: Workload
  performance?: Performance
}

export interface Question {
  model: Model
  checkpoint: Checkpoint
  /** A group of equal GPUs, or one limited by its smallest. */
  machine: Machine
  engine: Engine
  request: DeploymentRequest
  workload?: Workload
  /** Shortest context that counts as fitting, where the request fixes none. */
  neededContextTokens?: number
  calibration: Calibration
}

/** Context that an answer must reach when nobody asked for one (what "fits" means): 8,192 tokens, or the model's limit. */
export const UNASKED_CONTEXT_TOKENS = 8192

const requestTokens = (workload: Workload | undefined): number | undefined => workload && workload.inputTokens + workload.outputTokens

export function subjectOf(question: Pick<Question, 'model' | 'checkpoint' | 'machine' | 'workload'>): Subject {
  const {model, checkpoint, machine} = question
  return {model, checkpoint, machine, gpu: tightestGpu(machine), requestTokens: requestTokens(question.workload)}
}

/** Judges one deployment: what the engine would say at start, and how fast it would be. */
export function evaluate(question: Question): Evaluation {
  const {engine, model, machine} = question
  const subject = subjectOf(question)
  const limit = model.architecture.contextTokens
  const needed =
    question.request.maxModelLen ??
    question.neededContextTokens ??
    Math.max(Math.min(UNASKED_CONTEXT_TOKENS, limit), Math.min(limit, requestTokens(question.workload) ?? 0))
  let request = question.request
  let deployment = engine.resolve(subject, request)
  let memory = engine.memory(subject, deployment)
  const enters = (estimate: MemoryEstimate) => estimate.starts || estimate.largestMaxModelLen >= needed
  if (!enters(memory) && question.workload) {
    // Left to itself the engine would not start. What nobody fixed is set as people set it by hand: as many requests at once as
    // the load needs, and then the largest share of memory.
    for (const roomier of roomierRequests(request, sequencesFor(question.workload), deployment.maxNumSeqs, freeShare(subject.gpu, engine.mostMemoryShare))) {
      const tried = engine.resolve(subject, roomier)
      const estimate = engine.memory(subject, tried)
      if (!enters(estimate)) continue
      request = roomier
      deployment = tried
      memory = estimate
      break
    }
  }
  // Nobody asked for a context: the model's own if it starts, else as much as there is room for.
  if (request.maxModelLen === undefined && memory.largestMaxModelLen < deployment.maxModelLen && memory.largestMaxModelLen >= needed) {
    deployment = engine.resolve(subject, {...request, maxModelLen: trustedContext(memory, marginOf(subject, deployment, memory, engine).bytes, needed)})
    memory = engine.memory(subject, deployment)
  }
  const support = engine.support(subject, deployment)
  const reasons = [...support.reasons, ...machineReasons(engine, deployment, machine)]
  const warnings = [
    ...support.warnings,
    ...contextWarnings(model, needed),
    ...draftWarnings(model.architecture, deployment.speculative, knownDraft(model, deployment.speculative)),
    ...hostMemoryWarnings(machine, deployment, engine.gpuCount(deployment)),
  ]
  const evaluation: Evaluation = {
    model,
    checkpoint: question.checkpoint,
    machine,
    engine,
    deployment,
    memory,
    verdict: 'unsupported',
    reasons,
    warnings,
    workload: question.workload,
    ...(request.engineVersion !== undefined && !isVersion(request.engineVersion) && {unnamedBuild: request.engineVersion}),
  }
  if (reasons.length > 0) return evaluation
  const shortage = shortageOf(subject, deployment, memory, needed, question.request.maxModelLen !== undefined)
  if (shortage) return {...evaluation, verdict: 'does-not-fit', reasons: [shortage]}
  const tight = tightness(subject, engine, deployment, memory, question.workload)
  const calibration = calibrationFor(question.calibration, engine.id, subject.gpu.accelerator)
  const input = question.workload && performanceInput(evaluation, question.workload)
  const speed = input && performance(input, calibration)
  return {
    ...evaluation,
    verdict: tight ? 'tight' : 'fits',
    warnings: [
      ...warnings,
      ...(tight ? [tight] : []),
      ...overloadWarnings(question.workload, speed),
      ...(input && speed ? speculationWarnings(deployment, request.acceptance, input, speed, calibration) : []),
    ],
    performance: speed,
  }
}

/** Arrivals beyond what is served: the queue grows for as long as they last. */
function overloadWarnings(workload: Workload | undefined, speed: Performance | undefined): Warning[] {
  if (!workload || workload.requestRate === undefined || !speed) return []
  const served = speed.outputTokensPerSecond.estimate / workload.outputTokens
  if (served >= 0.999 * workload.requestRate) return []
  return [
    {
      code: 'overloaded',
      message: `${plain(workload.requestRate)} requests/s arrive, about ${plain(served)} are served: the queue grows without end, and the wait for the first token with it`,
    },
  ]
}

const plain = (rate: number): string => String(Number(rate.toPrecision(3)))

/** The largest share of memory that may be asked for, but never more than is free now: engines refuse to start on memory that others hold. */
const freeShare = ({freeBytes, memoryBytes}: MachineGpu, most: number): number =>
  freeBytes === undefined ? most : Math.min(most, Math.max(0.01, Math.floor((100 * freeBytes) / memoryBytes) / 100))

/** Requests with more room for the cache, the gentlest change first. */
function roomierRequests(request: DeploymentRequest, enough: number | undefined, maxNumSeqs: number, mostMemoryShare: number): DeploymentRequest[] {
  const fewer = request.maxNumSeqs === undefined && enough !== undefined && enough < maxNumSeqs ? {...request, maxNumSeqs: enough} : undefined
  const larger = (from: DeploymentRequest) => ({...from, gpuMemoryUtilization: mostMemoryShare})
  const requests: DeploymentRequest[] = fewer ? [fewer] : []
  if (request.gpuMemoryUtilization === undefined) requests.push(larger(fewer ?? request))
  return requests
}

/** Contexts that are chosen are whole multiples of this. */
const CONTEXT_STEP_TOKENS = 256

/** The longest request that still fits when the estimate errs by its spread; at least what is needed. */
function trustedContext(memory: MemoryEstimate, spreadBytes: number, needed: number): number {
  const room = requestBytes(memory)
  let low = needed
  let high = memory.largestMaxModelLen
  while (high - low >= CONTEXT_STEP_TOKENS) {
    const middle = Math.floor((low + high) / 2)
    if (room / memory.requestsOfTokens(middle) <= room - spreadBytes) low = middle
    else high = middle
  }
  return Math.max(needed, Math.floor(low / CONTEXT_STEP_TOKENS) * CONTEXT_STEP_TOKENS)
}

/** Fewest sequences that a start command is given: room for a few more than one person. */
const FEW_SEQUENCES = 32

/** Sequences that a closed loop keeps in flight at most; undefined where the load does not say. */
const sequencesFor = (workload: Workload | undefined): number | undefined =>
  typeof workload?.concurrency === 'number' ? Math.max(FEW_SEQUENCES, workload.concurrency) : undefined

/** The deployment needs more GPUs than there are, or more of one node than it has. */
function machineReasons(engine: Engine, deployment: Deployment, machine: Machine): Reason[] {
  const there = machine.gpus.length * machine.nodeCount
  const needed = engine.gpuCount(deployment)
  if (needed > there) {
    const sizes = `tp ${deployment.tp} x pp ${deployment.pp}${deployment.dp > 1 && !deployment.dpAttention ? ` x dp ${deployment.dp}` : ''}`
    return [{code: 'not-enough-gpus', message: `${sizes} needs ${needed} GPUs, there are ${there}`, remedy: `use at most ${there} GPUs in all`}]
  }
  return []
}

function contextWarnings(model: Model, needed: number): Warning[] {
  const limit = model.architecture.contextTokens
  if (needed <= limit) return []
  const scaled = model.extendedContextTokens && needed <= model.extendedContextTokens ? ' (documented with rope scaling)' : ''
  return [{code: 'context-beyond-model', message: `${countInWords(needed)} tokens are asked for, the model's own limit is ${countInWords(limit)}${scaled}`}]
}

/** Why it would not start, if it would not. */
function shortageOf(subject: Subject, deployment: Deployment, memory: MemoryEstimate, needed: number, asked: boolean): Reason | undefined {
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  if (weights > memory.budgetBytes) {
    const short = weights - memory.budgetBytes
    return {
      code: 'weights-exceed-memory',
      message: `weights need ${bytesInWords(weights)} per GPU, ${bytesInWords(memory.budgetBytes)} may be used: ${bytesInWords(short)} short`,
    }
  }
  if (memory.kvCacheBytes <= 0) {
    const others = sumBytes(memory.terms.filter(({part}) => part !== 'weights' && part !== 'kv-cache' && part !== 'state'))
    return {
      code: 'kv-cache-too-small',
      message: `weights of ${bytesInWords(weights)} and ${bytesInWords(others)} for the engine itself leave no room for a cache in ${bytesInWords(memory.budgetBytes)} per GPU: ${bytesInWords(Math.max(1, -memory.kvCacheBytes))} short`,
    }
  }
  if (memory.startProblem) return memory.startProblem
  // An engine that was told its context and comes up with a smaller cache refuses single requests, not to start.
  if (memory.starts && asked) return undefined
  const wanted = Math.min(deployment.maxModelLen, needed)
  if (!memory.starts || memory.largestMaxModelLen < Math.min(wanted, subject.model.architecture.contextTokens)) {
    return {
      code: 'kv-cache-too-small',
      message: `the cache of ${bytesInWords(memory.kvCacheBytes)} per GPU holds one request of ${countInWords(memory.largestMaxModelLen)} tokens, ${countInWords(Math.max(wanted, Math.min(deployment.maxModelLen, needed)))} are needed`,
    }
  }
  return undefined
}

/** It starts, but within the error of the estimate, or without room for the whole load. */
function tightness(subject: Subject, engine: Engine, deployment: Deployment, memory: MemoryEstimate, workload: Workload | undefined): Warning | undefined {
  const room = requestBytes(memory)
  const margin = marginOf(subject, deployment, memory, engine)
  const share = memory.maxConcurrencyAtMaxModelLen > 0 ? 1 / memory.maxConcurrencyAtMaxModelLen : 1
  if (room - margin.bytes < room * Math.min(1, share))
    return {
      code: 'memory-tight',
      message: `it starts with ${bytesInWords(memory.kvCacheBytes)} of cache per GPU, within the error of the estimate (${bytesInWords(margin.bytes)}: ${margin.because})`,
    }
  if (memory.largestMaxModelLen < Math.min(deployment.maxModelLen, subject.model.architecture.contextTokens))
    return {
      code: 'context-exceeds-cache',
      message: `the cache holds one request of ${countInWords(memory.largestMaxModelLen)} tokens: longer ones are refused, though the context is ${countInWords(deployment.maxModelLen)}`,
    }
  if (workload && typeof workload.concurrency === 'number') {
    const replicas = deployment.dpAttention ? 1 : deployment.dp
    const held = Math.floor(memory.requestsOfTokens(workload.inputTokens + workload.outputTokens)) * (deployment.dpAttention ? deployment.dp : 1) * replicas
    if (held < workload.concurrency)
      return {
        code: 'concurrency-exceeds-cache',
        message: `the cache holds ${held} requests of this size at once, ${workload.concurrency} are asked for: the others wait`,
      }
  }
  return undefined
}

/** Replicas whose experts lie spread over all their GPUs work as one group, whatever the engine calls them (vLLM's data parallelism). */
function sharesExperts({engine, deployment, model}: Pick<Evaluation, 'engine' | 'deployment' | 'model'>): boolean {
  if (deployment.dp <= 1 || !model.architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')) return false
  const {expertTp, expertParallel} = engine.shardLayout(deployment)
  return expertTp * expertParallel > deployment.tp
}

/** What the speed model is asked: one replica as the engine divides it. */
export function performanceInput(evaluation: Evaluation, workload: Workload): PerformanceInput {
  const {engine, deployment, machine, memory, model, checkpoint} = evaluation
  const subject = subjectOf({...evaluation, workload})
  const nodes = Math.max(1, Math.ceil(engine.gpuCount(deployment) / machine.gpus.length))
  const dpAttention = deployment.dpAttention || sharesExperts(evaluation)
  return {
    architecture: model.architecture,
    checkpoint,
    layout: engine.shardLayout(deployment),
    cacheLayout: engine.cacheLayout(subject, deployment),
    accelerator: subject.gpu.accelerator,
    link: machine.link,
    networkBytesPerSecondPerGpu: machine.networkBytesPerSecondPerGpu,
    nodes,
    engine: engine.id,
    engineVersion: evaluation.unnamedBuild ?? deployment.engineVersion,
    tp: deployment.tp,
    pp: deployment.pp,
    dp: deployment.dp,
    ep: deployment.ep,
    dpAttention,
    enforceEager: deployment.enforceEager,
    gpuCount: engine.gpuCount(deployment),
    // Limits are those of one data-parallel rank.
    maxNumSeqs: deployment.maxNumSeqs * (dpAttention ? deployment.dp : 1),
    maxNumBatchedTokens: deployment.maxNumBatchedTokens,
    kvCacheTokens: memory.kvCacheTokens * (dpAttention ? deployment.dp : 1),
    drafting: engine.drafting(subject, deployment),
    workload,
  }
}
