import type {Machine} from '../../core/accelerator.ts'
import type {Deployment, DeploymentRequest, Workload} from '../../core/deployment.ts'
import {BoundedMap} from '../../core/bounded-map.ts'
import {asConfigured} from '../../core/configured.ts'
import {requestBytes} from '../../core/memory.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {ObjectNumbers} from '../../core/object-numbers.ts'
import {type Reason, sumBytes, type Warning} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Performance} from '../../core/throughput/input.ts'
import {bytesInWords, countInWords, figureInWords} from '../../core/words.ts'
import {expertCounts, NO_EXPERTS} from '../../engines/divisibility.ts'
import {contextNote, contextReason} from '../../engines/context.ts'
import {draftWarnings, knownDraft} from '../../engines/drafts.ts'
import type {Engine, Subject, Support} from '../../engines/engine.ts'
import {isVersion} from '../../engines/versions.ts'
import type {Objectives} from '../scenario/index.ts'
import {calibrationFor, isMixed, kindsOf, pacingAccelerator, tightestGpu} from '../world/index.ts'
import {admissionWarnings, admittedLoad, uncountedOptions} from './admission.ts'
import {cardWarnings, replicaWarnings, sliceReasons} from './cards.ts'
import {displayWarnings} from './display.ts'
import {type Evaluation, isYes, type Standing} from './evaluation.ts'
import {hostMemoryWarnings} from './host-memory.ts'
import {largest} from './largest.ts'
import {hasLimits, keepsLimits, reachedInWords, reachedLimits, type Tail} from './limits.ts'
import {marginOf} from './margin.ts'
import {neededContext, type Replaced, requestTokens, sequencesFor, SETTING_FLAGS, type Settled, settle} from './settle.ts'
import {speculationWarnings} from './speculation.ts'
import {offloadReasons, offloadWarnings, pinnedBytes} from './offload.ts'
import {performanceInput, speedUnder, subjectOf} from './speed-input.ts'
import {tailOf} from './tail.ts'

export interface Question {
  model: Model
  checkpoint: Checkpoint
  /** A group of GPUs that serve together. */
  machine: Machine
  engine: Engine
  request: DeploymentRequest
  workload?: Workload
  /** Latency limits that an answer must keep. */
  slo?: Objectives
  /** A question about what ran: what is not fixed is what the engine chose, and nothing is replaced. */
  asRan?: boolean
  calibration: Calibration
}

/** Judges one deployment: what the engine would say at start, and whether it keeps the load and the limits. */
export function evaluate(question: Question): Evaluation {
  const stood = standing(question)
  const judged = judge(stood, question)
  return question.workload?.concurrency === 'max' && judged.verdict === 'too-slow' ? (mostWithinLimits(stood, question, question.workload) ?? judged) : judged
}

/** As many users as the limits allow, where memory would allow more; undefined where not even one keeps them. */
function mostWithinLimits(stood: Standing, question: Question, workload: Workload): Evaluation | undefined {
  const at = (concurrency: number) => judge(stood, {...question, workload: {...workload, concurrency}})
  const users = largest(Math.max(1, heldOf(stood, workload).requests), (concurrency) => isYes(at(concurrency)), true)
  if (users === 0) return undefined
  const judged = at(users)
  const message = `the limits allow at most ${countInWords(users)} ${users === 1 ? 'user' : 'users'}, though memory has room for more`
  return {...judged, warnings: [...judged.warnings, {code: 'limits-decide', message}]}
}

/** Requests of the load that run at once, over all replicas, and whether the cache or the engine's setting ends them. */
function heldOf({memory, deployment}: Pick<Standing, 'memory' | 'deployment'>, workload: Workload): {requests: number; byCache: boolean} {
  const ranks = deployment.dp
  const [cache, allowed] = [Math.floor(memory.requestsOfTokens(requestTokens(workload))), deployment.maxNumSeqs]
  return {requests: Math.min(cache, allowed) * ranks, byCache: cache <= allowed}
}

type Starting = Omit<Question, 'slo' | 'calibration'>

/** Settles what nobody fixed and judges the start. The load's lengths and concurrency count; its speed does not. */
export function standing(question: Starting): Standing {
  const {request, workload} = question
  const {stood, settled} = startOf(question)
  if (stood.verdict !== 'fits') return stood
  const shortage = shortageOf(settled, request, workload) ?? requestShortage(stood, workload)
  return shortage ? {...stood, verdict: 'does-not-fit', reasons: [shortage]} : stood
}

/** A start before the lengths of a load are held against it: the same for all loads that need as long a context, and as many sequences where those count. */
interface Start {
  stood: Standing
  settled: Settled
}

/** Starts that are kept for an engine: those of a few models on a few machines with all their layouts. */
const MOST_STARTS = 1000
const STARTS = new WeakMap<Engine, BoundedMap<string, Start>>()
const NUMBERS = new ObjectNumbers()

/** The start of a question, made once: a file of questions or a fleet asks for the same deployments under many loads. */
function startOf(question: Starting): Start {
  const {engine, model: named, checkpoint, machine, request, workload, asRan = false} = question
  const model = asConfigured(named, checkpoint)
  const starts = STARTS.get(engine) ?? new BoundedMap<string, Start>(MOST_STARTS)
  STARTS.set(engine, starts)
  const about = `${NUMBERS.of(model)} ${NUMBERS.of(checkpoint)} ${NUMBERS.of(machine)} ${asRan}`
  const key = `${about} ${neededContext(model, request, workload)} ${JSON.stringify(request)}`
  const make = () => startAnew(question, model)
  const known = starts.once(key, make)
  const sequences = sequencesFor(workload)
  return [undefined, sequences].includes(known.settled.sequences) ? known : starts.once(`${key} ${sequences}`, make)
}

function startAnew({engine, checkpoint, machine, request, workload, asRan}: Starting, model: Model): Start {
  const subject = subjectOf({model, checkpoint, machine})
  const settled = settle(engine, subject, request, workload, asRan)
  const {deployment, memory, replaced} = settled
  const told = supportOf(engine, subject, deployment)
  const support = asRan ? withoutOfficialBuild(told) : told
  const refused = withNearestSize(support.reasons, {engine, subject, machine, request})
  const reasons = [
    ...refused,
    ...withoutExperts(model, request, support.reasons),
    ...machineReasons(engine, deployment, machine),
    ...sliceReasons({engine, deployment, model, machine}),
    ...offloadReasons({engine, deployment, memory, subject}, request),
  ]
  const warnings = [
    ...replacedWarnings(replaced),
    ...support.warnings,
    ...uncountedOptions(settled),
    ...[contextNote(subject, deployment)].filter((note) => note !== undefined),
    ...draftWarnings(model.architecture, deployment.speculative, knownDraft(model, deployment.speculative)),
    ...offloadWarnings({engine, deployment, memory, subject}, request),
    ...hostMemoryWarnings(machine, engine.gpuCount(deployment), pinnedBytes({engine, deployment, memory, subject})),
    ...displayWarnings(machine, engine, deployment),
    ...unequalWarnings(machine),
    ...cardWarnings(machine, deployment),
    ...replicaWarnings(engine, machine, deployment),
  ]
  const tooLong = reasons.length > 0 ? undefined : contextReason(subject, deployment)
  const stood: Standing = {
    model,
    checkpoint,
    machine,
    engine,
    deployment,
    replaced,
    memory,
    verdict: reasons.length > 0 ? 'unsupported' : tooLong ? 'does-not-fit' : 'fits',
    reasons: tooLong ? [tooLong] : reasons,
    warnings,
    ...(request.acceptance !== undefined && {givenAcceptance: request.acceptance}),
    ...(request.engineVersion !== undefined && !isVersion(request.engineVersion) && {unnamedBuild: request.engineVersion}),
  }
  return {stood, settled}
}

/** How a standing is asked about: under which load, within which limits. */
export interface Asked {
  workload?: Workload
  slo?: Objectives
  calibration: Calibration
}

/** The verdict on a deployment that starts, under a load. `known`: its speed and latencies, where they were reckoned before. */
export function judge(stood: Standing, {workload, slo = {}, calibration}: Asked, known: {performance?: Performance; tail?: Tail} = {}): Evaluation {
  const evaluation: Evaluation = {...stood, ...(workload && {workload, warnings: [...admissionWarnings(stood, workload), ...stood.warnings]})}
  if (stood.verdict !== 'fits') return evaluation
  const tooLong = requestShortage(stood, workload)
  if (tooLong) return {...evaluation, verdict: 'does-not-fit', reasons: [tooLong]}
  const speed =
    known.performance ?? (workload && stood.deployment.runner !== 'pooling' ? speedUnder(stood, admittedLoad(stood, workload), calibration) : undefined)
  const judged: Evaluation = {...evaluation, ...(speed && {performance: speed})}
  if (workload && speed && stood.deployment.speculative) {
    const own = calibrationFor(calibration, stood.engine.id, pacingAccelerator(stood.machine))
    judged.warnings = [...judged.warnings, ...speculationWarnings(stood.deployment, stood.givenAcceptance, performanceInput(stood, workload), speed, own)]
  }
  if (speed && hasLimits(slo) && slo.percentile !== undefined) judged.tail = known.tail ?? tailOf(judged, slo, calibration)
  const slow = slowness(judged, slo)
  if (slow.reasons.length > 0) return {...judged, verdict: 'too-slow', reasons: slow.reasons}
  const tight = [...tightness(judged), ...slow.warnings]
  const reported = judged.warnings.some(({code}) => code === 'offload-reported')
  return tight.length > 0 || reported ? {...judged, verdict: 'tight', warnings: [...tight, ...judged.warnings]} : judged
}

/** What an engine says of a deployment; over unequal cards, what it says of each kind. */
function supportOf(engine: Engine, subject: Subject, deployment: Deployment): Support {
  if (!isMixed(subject.machine)) return engine.support(subject, deployment)
  const all = kindsOf(subject.machine).map(([gpu]) => engine.support({...subject, gpu: gpu!}, deployment))
  const distinct = <T extends Warning>(list: readonly T[]): T[] => [...new Map(list.map((entry) => [`${entry.code} ${entry.message}`, entry])).values()]
  return {reasons: distinct(all.flatMap(({reasons}) => reasons)), warnings: distinct(all.flatMap(({warnings}) => warnings))}
}

/** What only official builds refuse. */
const OF_OFFICIAL_BUILDS: ReadonlySet<string> = new Set(['build-unsupported', 'driver-too-old', 'attention-unsupported'])

/** What ran was started from some build, official or not: that the official ones would not have is said, and refuses nothing. */
function withoutOfficialBuild({reasons, warnings}: Support): Support {
  const ofBuilds = reasons.filter(({code}) => OF_OFFICIAL_BUILDS.has(code)).map(({code, message}) => ({code, message}))
  return {reasons: reasons.filter(({code}) => !OF_OFFICIAL_BUILDS.has(code)), warnings: [...ofBuilds, ...warnings]}
}

/** Sizes of a tensor parallel group, the nearest first; of two as near the larger one, which asks for nothing less. */
export const nearestSizes = (tp: number, most: number): number[] =>
  Array.from({length: most}, (_, index) => index + 1)
    .filter((size) => size !== tp)
    .sort((a, b) => Math.abs(a - tp) - Math.abs(b - tp) || b - a)

/** An engine knows what divides, and not how many GPUs there are: the remedy is the nearest size that this machine has. */
function withNearestSize(reasons: readonly Reason[], at: {engine: Engine; subject: Subject; machine: Machine; request: DeploymentRequest}): Reason[] {
  const {engine, subject, machine, request} = at
  if (reasons.every(({code}) => code !== 'tp-not-divisible')) return [...reasons]
  const size = nearestSizes(request.tp ?? 1, machine.gpus.length).find(
    (tp) => supportOf(engine, subject, engine.resolve(subject, {...request, tp})).reasons.length === 0,
  )
  return reasons.map((reason) => (reason.code === 'tp-not-divisible' && size !== undefined ? {...reason, remedy: `use --tp ${size}`} : reason))
}

/** Replaced settings in words. The context has a line of its own in every answer. */
const replacedWarnings = (replaced: readonly Replaced[]): Warning[] =>
  replaced
    .filter(({field}) => field !== 'maxModelLen')
    .map(({field, value, because}) => ({code: 'setting-replaced', message: `started with ${SETTING_FLAGS[field]} ${value}: ${because}`}))

function unequalWarnings(machine: Machine): Warning[] {
  if (!isMixed(machine)) return []
  const names = kindsOf(machine).map((gpus) => gpus[0]!.accelerator.name)
  const smallest = tightestGpu(machine).accelerator.name
  return [
    {
      code: 'unequal-gpus',
      message: `${names.join(' and ')} share the model: each takes as much of it as ${smallest} has room for, and ${pacingAccelerator(machine).name} sets the pace`,
    },
  ]
}

/** Expert parallelism that was asked for and came to nothing: an engine that resolves it to one GPU has nothing to refuse. */
const withoutExperts = ({architecture}: Model, {ep = 1}: DeploymentRequest, told: readonly Reason[]): Reason[] =>
  ep > 1 && expertCounts(architecture).length === 0 && !told.some(({code}) => code === NO_EXPERTS.code) ? [NO_EXPERTS] : []

/** The deployment needs more GPUs than there are, or more of one node than it has. */
function machineReasons(engine: Engine, deployment: Deployment, machine: Machine): Reason[] {
  const there = machine.gpus.length * machine.nodeCount
  const needed = engine.gpuCount(deployment)
  if (needed > there) {
    const sizes = `tp ${deployment.tp} x pp ${deployment.pp}${deployment.dp > 1 && !deployment.dpAttention ? ` x dp ${deployment.dp}` : ''}`
    return [
      {
        code: 'not-enough-gpus',
        message: `${sizes} needs ${needed} GPUs, but there ${there === 1 ? 'is 1' : `are ${there}`}`,
        remedy: there === 1 ? 'use --tp 1' : `use at most ${there} ${there === 1 ? 'GPU' : 'GPUs'} in total`,
      },
    ]
  }
  if (isMixed(machine) && engine.id === 'trtllm')
    return [{code: 'unequal-gpus-unsupported', message: `${engine.title} is not known to run one model over unequal cards`, remedy: 'use --engine vllm'}]
  return []
}

/** Why it would not start, or not with the context that is needed. */
function shortageOf({deployment, memory, neededTokens, roomiest}: Settled, asked: DeploymentRequest, workload: Workload | undefined): Reason | undefined {
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  if (weights > memory.budgetBytes) {
    const short = weights - memory.budgetBytes
    return {
      code: 'weights-exceed-memory',
      message: `the weights need ${bytesInWords(weights)} per GPU, but only ${bytesInWords(memory.budgetBytes)} can be used: ${bytesInWords(short)} short`,
    }
  }
  if (memory.startProblem) return memory.startProblem
  if (memory.kvCacheBytes <= 0) {
    const others = sumBytes(memory.terms.filter(({part}) => part !== 'weights' && part !== 'kv-cache' && part !== 'state'))
    return {
      code: 'kv-cache-too-small',
      message: `the weights (${bytesInWords(weights)}) and the engine itself (${bytesInWords(others)}) leave no room for a cache in the ${bytesInWords(memory.budgetBytes)} of each GPU: ${bytesInWords(Math.max(1, -memory.kvCacheBytes))} short`,
    }
  }
  const wanted = asked.maxModelLen ?? Math.min(deployment.maxModelLen, neededTokens)
  // With a context of its own it holds one request of it; what starts with any context is judged by what was asked for.
  if (memory.starts && (!memory.startsBeyond || asked.maxModelLen !== undefined || memory.largestMaxModelLen >= wanted)) return undefined
  return {
    code: 'kv-cache-too-small',
    message: `the cache of ${bytesInWords(memory.kvCacheBytes)} per GPU holds one request of ${countInWords(memory.largestMaxModelLen)} tokens${roomiest ? ` (${countInWords(roomiest.tokens)} with ${roomiest.flags})` : ''}, but ${countInWords(Math.max(wanted, neededTokens, requestTokens(workload)))} are needed`,
  }
}

/** A request of the load does not enter: it is longer than the context that is served. */
function requestShortage(
  stood: Pick<Standing, 'model' | 'checkpoint' | 'machine' | 'deployment' | 'memory'>,
  workload: Workload | undefined,
): Reason | undefined {
  const {model, deployment, memory} = stood
  const tokens = requestTokens(workload)
  if (tokens <= deployment.maxModelLen && memory.startsBeyond && tokens > memory.largestMaxModelLen)
    return {
      code: 'kv-cache-too-small',
      message: `the cache holds one request of ${countInWords(memory.largestMaxModelLen)} tokens at most: requests of ${countInWords(tokens)} are refused`,
    }
  if (tokens <= deployment.maxModelLen) return undefined
  const limit = model.architecture.contextTokens
  const readable = contextReason(subjectOf(stood), {...deployment, maxModelLen: tokens}) === undefined
  return {
    code: 'request-exceeds-context',
    message: `a request is ${countInWords(tokens)} tokens long, prompt and answer together, but the context is only ${countInWords(deployment.maxModelLen)}${deployment.maxModelLen === limit ? ", the model's own limit" : ''}`,
    remedy: readable ? `use --max-model-len ${tokens}` : 'shorten the requests, or choose a model with a longer context',
  }
}

/** It does not keep up with what arrives, or breaks a limit: reasons as expected, warnings where only the slow end of an interval does. */
function slowness({workload, performance: speed, tail}: Evaluation, slo: Objectives): {reasons: Reason[]; warnings: Warning[]} {
  if (!workload || !speed) return {reasons: [], warnings: []}
  const reasons: Reason[] = []
  const warnings: Warning[] = []
  const {requestRate} = workload
  if (requestRate !== undefined && workload.concurrency === undefined) {
    const {estimate, low} = speed.outputTokensPerSecond
    const served = estimate / workload.outputTokens
    const atLeast = low / workload.outputTokens
    const arrive = `${figureInWords(requestRate)} ${requestRate === 1 ? 'request/s arrives' : 'requests/s arrive'}`
    if (served < KEPT_UP * requestRate)
      reasons.push({
        code: 'overloaded',
        message: `${arrive}, but only about ${figureInWords(served)} can be served: the queue grows without end, and the wait for the first token with it`,
        remedy: `use --request-rate ${plainRate(atLeast)}, or more replicas`,
      })
    else if (atLeast < KEPT_UP * requestRate)
      warnings.push({
        code: 'overload-possible',
        message: `${arrive}, and about ${figureInWords(served)} can be served, but only ${figureInWords(atLeast)} at the slow end of the estimate: then the queue grows`,
      })
  }
  const kept = keepsLimits(speed, workload, slo, tail)
  const reached = reachedLimits(speed, workload, slo, tail)
  const at = slo.percentile === undefined ? '' : ` for ${slo.percentile}% of requests`
  if (!kept.estimate) {
    const missed = reached.filter(({estimate, limit}) => estimate > limit)
    for (const one of missed.length > 0 ? missed : reached) reasons.push({code: 'slo-missed', message: `${reachedInWords(one)}${at}`})
  } else if (!kept.slow) {
    const far = reached.filter(({high, limit}) => high > limit)
    for (const one of far.length > 0 ? far : reached) warnings.push({code: 'slo-uncertain', message: `${reachedInWords(one)}${at}`})
  }
  return {reasons, warnings}
}

/** Of what arrives: less than this share served is a queue that grows. */
const KEPT_UP = 0.999

/** Two digits, rounded down: a rate that one can type. */
export function plainRate(rate: number): number {
  if (!(rate > 0)) return 0
  const unit = 10 ** (Math.floor(Math.log10(rate)) - 1)
  return Number((Math.floor(rate / unit) * unit).toPrecision(2))
}

/** It starts, but within the error of the estimate, or without room for the whole load. */
function tightness(evaluation: Evaluation): Warning[] {
  const {engine, deployment, memory, workload} = evaluation
  const list: Warning[] = memory.withinError ? [{code: memory.withinError.code, message: memory.withinError.message}] : []
  const room = requestBytes(memory)
  const margin = marginOf(subjectOf(evaluation), deployment, memory, engine)
  const share = memory.maxConcurrencyAtMaxModelLen > 0 ? 1 / memory.maxConcurrencyAtMaxModelLen : 1
  if (room - margin.bytes < room * Math.min(1, share))
    list.push({
      code: 'memory-tight',
      message: `a request of ${countInWords(deployment.maxModelLen)} tokens takes ${bytesInWords(room * Math.min(1, share))} of the ${bytesInWords(room)} of cache per GPU, and the estimate may be off by ${bytesInWords(margin.bytes)} (${margin.because})`,
    })
  if (memory.startsBeyond && memory.largestMaxModelLen < deployment.maxModelLen)
    list.push({
      code: 'context-exceeds-cache',
      message: `the cache holds one request of ${countInWords(memory.largestMaxModelLen)} tokens: longer ones are refused, though the context is ${countInWords(deployment.maxModelLen)}`,
    })
  if (workload && typeof workload.concurrency === 'number') {
    const {requests: held, byCache} = heldOf(evaluation, workload)
    if (held < workload.concurrency && byCache)
      list.push({
        code: 'concurrency-exceeds-cache',
        message: `the cache holds ${countInWords(held)} ${held === 1 ? 'request' : 'requests'} of this size at once, and ${countInWords(workload.concurrency)} are in flight: the others wait`,
      })
    else if (held < workload.concurrency)
      list.push({
        code: 'concurrency-exceeds-sequences',
        message: `${SETTING_FLAGS.maxNumSeqs} ${deployment.maxNumSeqs} lets ${countInWords(held)} ${held === 1 ? 'request' : 'requests'} run at once, and ${countInWords(workload.concurrency)} are in flight: the others wait`,
      })
  }
  return list
}
