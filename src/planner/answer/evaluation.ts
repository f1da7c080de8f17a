import type {Machine} from '../../core/accelerator.ts'
import type {Deployment, Workload} from '../../core/deployment.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import type {Performance} from '../../core/throughput/input.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Tail} from './limits.ts'
import type {PoolingAnswer} from './pooling-answer.ts'
import type {Replaced} from './settle.ts'

export type Verdict = 'fits' | 'tight' | 'too-slow' | 'does-not-fit' | 'unsupported'

/** Verdicts that are a yes, best first, then the noes, nearest first. */
export const VERDICT_ORDER: Record<Verdict, number> = {fits: 0, tight: 1, 'too-slow': 2, 'does-not-fit': 3, unsupported: 4}

/** It starts and keeps what was asked. */
export const isYes = ({verdict}: {verdict: Verdict}): boolean => verdict === 'fits' || verdict === 'tight'

/** It starts: a speed can be told. */
export const starts = ({verdict}: {verdict: Verdict}): boolean => VERDICT_ORDER[verdict] <= VERDICT_ORDER['too-slow']

/** One deployment, judged. The one path that every command takes. */
export interface Evaluation {
  model: Model
  checkpoint: Checkpoint
  machine: Machine
  engine: Engine
  deployment: Deployment
  /** Settings that the engine would choose differently by itself. */
  replaced: Replaced[]
  memory: MemoryEstimate
  verdict: Verdict
  reasons: Reason[]
  warnings: Warning[]
  /** A build that names no release (a nightly, an empty string): its rules are taken to be the newest, its speed is not. */
  unnamedBuild?: string
  /** Acceptance of drafts as it was given: a share, or a mean accepted length. */
  givenAcceptance?: number
  workload?: Workload
  performance?: Performance
  /** Latencies at the asked percentile, where one was asked for. */
  tail?: Tail
  /** What is told of a model that embeds or ranks, in the place of its speed. */
  pooling?: PoolingAnswer
}

/** A deployment before it meets a load: what is refused whatever the load, and the memory. */
export type Standing = Omit<Evaluation, 'workload' | 'performance' | 'tail' | 'pooling'>

/** Warnings that make a verdict tight, in the order of telling. */
export const TIGHT_CODES: readonly string[] = [
  'memory-tight',
  'context-exceeds-cache',
  'concurrency-exceeds-cache',
  'concurrency-exceeds-sequences',
  'overload-possible',
  'slo-uncertain',
  'offload-reported',
]
