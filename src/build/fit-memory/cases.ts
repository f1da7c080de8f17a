import {readFileSync} from 'node:fs'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {type MemoryEstimate, requestBytes} from '../../core/memory.ts'
import {sumBytes} from '../../core/terms.ts'
import type {Engine} from '../../engines/engine.ts'
import {isAtLeast} from '../../engines/versions.ts'
import {answer, evaluate, type Question} from '../../planner/answer/index.ts'
import type {Context} from '../../planner/world/index.ts'
import {MeasuredScenarioSchema} from '../../planner/scenario/schema.ts'
import {withFlags} from '../measured-flags.ts'

const GIB = 1024 ** 3

/** What an engine's log said. */
interface Observed {
  outcome?: string
  weightsGiB?: number
  kvCacheGiB?: number
  kvCacheTokens?: number
  /** Peak of the profile run and what lies outside the allocator, as printed (vLLM before 0.20). */
  activationGiB?: number
  nonTorchGiB?: number
  /** Free before weights are loaded (SGLang). */
  availableBeforeLoadGiB?: number
  /** The engine's own estimate of its graphs, before they are captured (vLLM). */
  cudaGraphEstimateGiB?: number
}

/** A start-up that is known, as a question that can be asked again with other parameters. */
export interface Case {
  id: string
  engine: string
  /** Who published the log: host, owner and project of its source. */
  publisher: string
  /** Named release: its rules are those that were followed. */
  versioned: boolean
  unified: boolean
  /** Ran with options that a scenario cannot say, and that change what is kept: see UNSAID. */
  unsaid: boolean
  question: Question
  observed: Observed
}

export interface Line {
  id: string
  engine: string
  engineVersion?: string
  gpu: string
  observed: Observed
  flags?: string[]
  source?: string
}

/** Connectors and patched models hold memory of their own. */
const UNSAID = /hf-overrides|kv-transfer|LMCache/i

const nobody = () => Promise.reject(new Error('not asked in a fit'))

/** Lines whose model and GPU are known, as questions. */
export async function readCases(files: readonly string[], catalogue: Catalogue): Promise<{cases: Case[]; unknown: string[]}> {
  const context: Context = {catalogue, engines: new Map(), detect: nobody, readMachine: nobody, readModel: nobody} as unknown as Context
  const cases: Case[] = []
  const unknown: string[] = []
  for (const text of files.flatMap((file) => readFileSync(file, 'utf8').split('\n')).filter((line) => line.trim() !== '')) {
    const line = JSON.parse(text) as Line
    const scenario = MeasuredScenarioSchema.safeParse(withFlags(catalogue, line))
    try {
      if (!scenario.success) throw new Error(scenario.error.issues[0]?.message)
      const {best, question} = await answer(context, scenario.data, {asRan: true})
      const {tp, pp, dp, ep, dpAttention} = best.deployment
      cases.push({
        id: line.id,
        engine: line.engine,
        publisher: (line.source ?? line.id)
          .replace(/^https?:\/\//, '')
          .split('/')
          .slice(0, 3)
          .join('/'),
        versioned: line.engineVersion !== undefined,
        unified: best.machine.gpus.some(({accelerator}) => accelerator.unifiedMemory === true),
        unsaid: (line.flags ?? []).some((flag) => UNSAID.test(flag)),
        question: {...question, checkpoint: best.checkpoint, request: {...question.request, tp: question.request.tp ?? tp, pp, dp, ep, dpAttention}},
        observed: line.observed,
      })
    } catch (error) {
      unknown.push(`${line.id}: ${(error as Error).message}`)
    }
  }
  return {cases, unknown}
}

/** The estimate of the cache against the logged one; undefined where none was logged. */
export function cacheRatio({engine, observed}: Case, memory: MemoryEstimate): number | undefined {
  const {kvCacheTokens, kvCacheGiB} = observed
  if (kvCacheTokens !== undefined) return memory.kvCacheTokens / kvCacheTokens
  // SGLang prints the sizes of its pools one by one.
  return kvCacheGiB !== undefined && engine !== 'sglang' ? memory.kvCacheBytes / (kvCacheGiB * GIB) : undefined
}

/** How far the cache comes out from what was logged, relative; weights as logged where they were. undefined: nothing to compare. */
export function cacheError(one: Case, engine: Engine): {relative: number; bytes: number} | undefined {
  const {observed} = one
  if (observed.outcome !== 'started') return undefined
  const {memory} = evaluate({...one.question, engine, workload: undefined})
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  const correction = observed.weightsGiB === undefined ? 0 : weights - observed.weightsGiB * GIB
  const bytes = requestBytes(memory)
  if (bytes <= 0) return undefined
  const ratio = cacheRatio(one, memory)
  if (ratio === undefined) return undefined
  const relative = ratio * (1 + correction / bytes) - 1
  return {relative, bytes: (relative / (1 + relative)) * bytes}
}

/** How far the activation peak, the runtime and the estimate of the graphs come out from what was printed, relative to the cache. */
export function partErrors(one: Case, engine: Engine): number[] {
  const {activationGiB, nonTorchGiB, cudaGraphEstimateGiB} = one.observed
  if (activationGiB === undefined && nonTorchGiB === undefined && cudaGraphEstimateGiB === undefined) return []
  const {memory} = evaluate({...one.question, engine, workload: undefined})
  const of = (part: string) => sumBytes(memory.terms.filter((term) => term.part === part))
  const scale = Math.max(requestBytes(memory), memory.budgetBytes / 10)
  // From 0.20 the printed peak holds the estimate of the graphs.
  const apart = !isAtLeast(one.question.request.engineVersion ?? '99', '0.20.0')
  return [
    ...(cudaGraphEstimateGiB === undefined ? [] : [(of('cuda-graph') - cudaGraphEstimateGiB * GIB) / scale]),
    ...(!apart || activationGiB === undefined ? [] : [(of('activation') - activationGiB * GIB) / scale]),
    ...(nonTorchGiB === undefined ? [] : [(of('runtime') - nonTorchGiB * GIB) / scale]),
  ]
}
