import type {Machine} from '../../core/accelerator.ts'
import type {Deployment, Workload} from '../../core/deployment.ts'
import {PairMemo} from '../../core/bounded-map.ts'
import {cacheFormat} from '../../core/formats.ts'
import type {MemoryEstimate, MemoryPart} from '../../core/memory.ts'
import type {Quality} from '../../core/quality.ts'
import {countParameters} from '../../core/tensors.ts'
import {sumBytes, type Reason, type Term, type Warning} from '../../core/terms.ts'
import type {Performance} from '../../core/throughput/input.ts'
import {contextLimit} from '../../engines/context.ts'
import type {Engine} from '../../engines/engine.ts'
import {longestStart} from '../../engines/longest.ts'
import {LIMITS} from '../scenario/index.ts'
import {isMixed, kindsOf, pacingAccelerator} from '../world/index.ts'
import type {Evaluation, Verdict} from './evaluation.ts'
import type {Tail} from './limits.ts'
import {memoryInterval, type MemoryInterval} from './memory-interval.ts'
import {pinnedBytes} from './offload.ts'
import type {PoolingAnswer} from './pooling-answer.ts'
import type {Replaced} from './settle.ts'
import {sound, soundPart} from './sound.ts'
import {subjectOf} from './speed-input.ts'

export const SCHEMA_VERSION = 2

/** The answer to one question, as the machine-readable contract has it. */
export interface Result {
  schemaVersion: typeof SCHEMA_VERSION
  id?: string
  model: {id: string; hfId: string; totalParams: number; activeParams: number; publisher: 'maker' | 'known' | 'community'}
  /** `gpu`: the card that sets the pace; `cards`: what serves, where cards are unequal. */
  hardware: {gpu: string; gpus: number; nodes: number; cards?: {gpu: string; count: number}[]}
  /** `replaced`: settings that the engine would choose differently by itself. */
  deployment: Omit<Deployment, 'gpuMemoryUtilization'> & {gpuMemoryUtilization?: number; replaced?: Replaced[]}
  workload?: Workload
  /** What is known of the checkpoint's loss against the original, and of the cache format's where it is not 16 bits. */
  quality?: Quality & {kvCache?: Quality}
  /** `fits`, or `tight` (within the error of the estimate, or requests wait): yes. `too-slow`, `does-not-fit`, `unsupported`: no, with reasons. */
  verdict: Verdict
  /** Why it is a no, each with what would do. */
  reasons: Reason[]
  memory: {
    /** Of the fullest GPU. */
    perGpu: {
      totalBytes: number
      /** What the engine may take. */
      budgetBytes: number
      weightsBytes: number
      activationBytes: number
      cudaGraphBytes: number
      runtimeBytes: number
      kvCacheBytes: number
      /** A pool of recurrent or compressor states beside the cache (SGLang). */
      stateBytes?: number
      freeBytes: number
    }
    /** Of one sequence, on one GPU. */
    kvBytesPerToken: number
    /** Recurrent or convolution state, where there is any. */
    stateBytesPerSequence?: number
    /** Of a replica, as the engine reports it at its start. */
    kvCacheTokens: number
    /** Requests of the whole `deployment.maxModelLen` that the cache holds. */
    maxConcurrencyAtMaxModelLen: number
    /** The longest context in tokens with which it would still start, on this hardware with these settings. */
    largestMaxModelLen: number
    /** Most requests that may run at once for it to start, where the engine refuses more. */
    largestMaxNumSeqs?: number
    /** What the cache and the longest context may come to, about four times in five; absent where there is no cache. */
    interval?: MemoryInterval
    /** Of one node's host, for weights that stay there, as the engine pins them. */
    hostBytes?: number
    /** What the memory of that GPU consists of, each with its rule: their sum is what is used. */
    terms: Term[]
  }
  /** Of a load, where the verdict is `fits`, `tight` or `too-slow`. */
  performance?: Performance
  /** At the asked percentile, by the simulator. */
  tail?: Tail
  /** Of an embedding model or a reranker, which has no performance. */
  pooling?: PoolingAnswer
  warnings: Warning[]
}

/** The longest context with which it would still start; an engine that starts with any refuses longer requests later. */
function largestThatStarts(evaluation: Evaluation): number {
  const {memory, deployment, engine} = evaluation
  if (!memory.startsBeyond || !memory.starts) return memory.largestMaxModelLen
  const subject = subjectOf(evaluation)
  const limit = contextLimit(subject, deployment)
  // Some settings of its depend on the context: then it may not start with the longest.
  const startsWith = (maxModelLen: number) => engine.memory(subject, {...deployment, maxModelLen}).starts
  return startsWith(limit) ? limit : longestStart(Math.max(memory.largestMaxModelLen, deployment.maxModelLen), limit, startsWith)
}

/** A format that nobody measured is told as such; 16 bits need no telling. */
function qualityWithCache({model, deployment: {kvCache}}: Evaluation, quality: Quality): Quality & {kvCache?: Quality} {
  if (!model.cacheQuality || cacheFormat(kvCache).elementBytes >= 2) return quality
  return {...quality, kvCache: model.cacheQuality[cacheFormat(kvCache).id] ?? {level: 'unknown', rows: 0, models: 0, sources: []}}
}

const cardsOf = (machine: Machine): {gpu: string; count: number}[] => kindsOf(machine).map((gpus) => ({gpu: gpus[0]!.accelerator.id, count: gpus.length}))

/** A share that no scenario may hold is left out: SGLang's own rule comes to 0 or less where it keeps back more than there is. */
function settingsOf({gpuMemoryUtilization, ...others}: Deployment): Omit<Deployment, 'gpuMemoryUtilization'> & {gpuMemoryUtilization?: number} {
  return gpuMemoryUtilization < LIMITS.fraction.min ? others : {...others, gpuMemoryUtilization}
}

type Told = Result['memory']

/** What was told of a memory: many answers are about the same start under other loads. An engine makes each estimate for one checkpoint, machine and deployment. */
const TOLD = new PairMemo<Engine, MemoryEstimate, Told>(1000)

function memoryTold(evaluation: Evaluation): Told {
  const {model, checkpoint, machine, engine, deployment, memory} = evaluation
  const of = (part: MemoryPart) => sumBytes(memory.terms.filter((term) => term.part === part))
  const largestMaxModelLen = largestThatStarts(evaluation)
  const interval = memoryInterval(evaluation, largestMaxModelLen)
  const hostBytes = pinnedBytes({engine, deployment, memory, subject: subjectOf({model, checkpoint, machine})})
  return {
    perGpu: {
      totalBytes: memory.totalBytes,
      budgetBytes: memory.budgetBytes,
      weightsBytes: of('weights'),
      activationBytes: of('activation'),
      cudaGraphBytes: of('cuda-graph'),
      runtimeBytes: of('runtime'),
      kvCacheBytes: of('kv-cache'),
      ...(of('state') > 0 && {stateBytes: of('state')}),
      freeBytes: Math.max(0, memory.totalBytes - sumBytes(memory.terms)),
    },
    kvBytesPerToken: Math.round(memory.kvBytesPerToken),
    ...(memory.stateBytesPerSequence > 0 && {stateBytesPerSequence: Math.round(memory.stateBytesPerSequence)}),
    kvCacheTokens: memory.kvCacheTokens,
    maxConcurrencyAtMaxModelLen: Math.floor(memory.maxConcurrencyAtMaxModelLen * 100) / 100,
    largestMaxModelLen,
    ...(memory.largestMaxNumSeqs !== undefined && {largestMaxNumSeqs: memory.largestMaxNumSeqs}),
    ...(interval && {interval}),
    ...(hostBytes > 0 && {hostBytes: Math.round(hostBytes)}),
    terms: memory.terms.map(({part: _part, ...term}) => term),
  }
}

/** Whoever is given a result may change it. */
const ownCopy = ({perGpu, interval, hostBytes, terms, ...figures}: Told): Told => ({
  perGpu: {...perGpu},
  ...figures,
  ...(interval && {interval: {kvCacheTokens: {...interval.kvCacheTokens}, largestMaxModelLen: {...interval.largestMaxModelLen}}}),
  ...(hostBytes !== undefined && {hostBytes}),
  terms: terms.map((term) => ({...term})),
})

/** The contract's view of an evaluation. Fields that do not apply are left out. */
export function toResult(evaluation: Evaluation, id?: string): Result {
  const {model, checkpoint, machine, engine, deployment, replaced, memory, verdict, reasons, warnings, performance, workload, tail, pooling} = evaluation
  const counts = countParameters(model.architecture)
  const gpus = engine.gpuCount(deployment)
  return sound({
    schemaVersion: SCHEMA_VERSION,
    ...(id === undefined ? {} : {id}),
    model: {
      id: model.id,
      hfId: checkpoint.hfId,
      totalParams: model.knownByName ? model.published!.totalParams! : counts.total,
      activeParams: model.knownByName ? (model.published!.activeParams ?? model.published!.totalParams!) : counts.active,
      publisher: checkpoint.publisher ?? 'maker',
    },
    hardware: {
      gpu: pacingAccelerator(machine).id,
      gpus: Math.min(gpus, machine.gpus.length * machine.nodeCount),
      nodes: Math.min(machine.nodeCount, Math.max(1, Math.ceil(gpus / machine.gpus.length))),
      ...(isMixed(machine) && {cards: cardsOf(machine)}),
    },
    deployment: {
      ...settingsOf(deployment),
      ...(model.pooling && {runner: 'pooling' as const}),
      ...(replaced.length > 0 && {replaced: replaced.map((one) => ({...one}))}),
    },
    ...(workload && {workload}),
    ...(checkpoint.quality && {quality: qualityWithCache(evaluation, checkpoint.quality)}),
    verdict,
    reasons: reasons.map((reason) => ({...reason})),
    memory: ownCopy(TOLD.once(engine, memory, '', () => soundPart(memoryTold(evaluation), 'memory'))),
    ...(performance && !model.pooling && {performance}),
    ...(tail && !model.pooling && {tail}),
    ...(pooling && {pooling}),
    warnings,
  })
}
