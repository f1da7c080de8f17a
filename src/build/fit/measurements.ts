import {readFileSync} from 'node:fs'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import {realContext} from '../../cli/world.ts'
import {answer, performanceInput} from '../../planner/answer/index.ts'
import {ScenarioSchema} from '../../planner/scenario/schema.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import type {Measurement} from './fit.ts'

interface Observed {
  ttftMs?: number | null
  tpotMs?: number | null
  outputTokensPerSecond?: number | null
}

/** A line that could not be used, and why. */
export interface Unused {
  id: string
  why: string
}

const known = (value: number | null | undefined): number | undefined => value ?? undefined

/** Output rate of a closed loop by Little's law, where only the times were published. */
function rateOf(observed: Observed, concurrency: number | 'max' | undefined, outputTokens: number): number | undefined {
  if (observed.outputTokensPerSecond != null) return observed.outputTokensPerSecond
  if (observed.ttftMs == null || observed.tpotMs == null || typeof concurrency !== 'number') return undefined
  return (concurrency * outputTokens * 1000) / (observed.ttftMs + observed.tpotMs * (outputTokens - 1))
}

/**
 * llama-benchy's rate is that of decoding alone, prompts left out: it says the time per token. Its time to first token is
 * that of the whole first answer in some versions, and is not used.
 */
function decodeOnly(raw: {observed: Observed; note?: unknown}, concurrency: number | 'max' | undefined): Observed {
  const {outputTokensPerSecond} = raw.observed
  if (!String(raw.note ?? '').includes('llama-benchy') || outputTokensPerSecond == null || typeof concurrency !== 'number') return raw.observed
  return {tpotMs: (concurrency * 1000) / outputTokensPerSecond}
}

/**
 * Requests in flight beyond which the first burst decides the mean time to first token unless many more follow, as in the two
 * campaigns under load; other sources do not say how many requests were sent.
 */
const BURST = 16
const tellsFirstToken = ({source, note}: Record<string, unknown>, concurrency: number | 'max' | undefined): boolean =>
  source === 'InferenceX' ||
  source === 'controlled sweep' ||
  (typeof concurrency === 'number' && concurrency <= BURST && !String(note ?? '').includes('prefix cache'))

/** `owner/name` of a repository, or the host of a page. */
export const publisher = (source: string): string => (source.startsWith('http') ? source.split('/')[2]! : source.split(/[:#@ ]/)[0]!)

/** What a row says of its launch that no question holds in these words: fields of `launch` in the measurement files. */
interface Launch {
  /** `fixed`, or how lengths were drawn. */
  lengths?: string
  /** False: nothing was sent before it was measured. */
  warmup?: boolean
  /** SGLang looks for new requests once in so many steps. */
  schedulerRecvInterval?: number
  /** TensorRT-LLM waits so many steps for more requests. */
  batchWaitTimeoutIters?: number
  /** It waits so many steps until each rank of data-parallel attention has a new request. */
  attentionDpTimeoutIters?: number
  maxGraphBatch?: number
  graphMode?: string
  stateDtype?: string
}

/** vLLM's modes of graphs as scenarios spell them. */
const GRAPH_MODES: Record<string, string> = {
  PIECEWISE: 'piecewise',
  FULL_DECODE_ONLY: 'full-decode-only',
  FULL: 'full',
  FULL_AND_PIECEWISE: 'full-and-piecewise',
}

/** The options that a launch says, as a scenario has them. */
function optionsOf(
  {schedulerRecvInterval, batchWaitTimeoutIters, attentionDpTimeoutIters, maxGraphBatch, graphMode, stateDtype}: Launch,
  engine: unknown,
): Partial<Scenario> {
  const everySteps = engine === 'sglang' ? schedulerRecvInterval : undefined
  const waitSteps = engine === 'trtllm' ? (batchWaitTimeoutIters ?? attentionDpTimeoutIters) : undefined
  const graphs = {
    ...(maxGraphBatch !== undefined && {maxBatch: maxGraphBatch}),
    ...(graphMode !== undefined && engine === 'vllm' && {mode: GRAPH_MODES[graphMode]}),
  }
  return {
    ...((everySteps !== undefined || waitSteps !== undefined) && {
      admission: {...(everySteps !== undefined && {everySteps}), ...(waitSteps !== undefined && {waitSteps})},
    }),
    ...(Object.keys(graphs).length > 0 && {graphs}),
    ...(stateDtype !== undefined && {stateFormat: stateDtype}),
  } as Partial<Scenario>
}

/**
 * How a row is asked. `as-ran`: with every flag that it says. `open`: as a person asks who knows the model, the machine, the engine, its release and the
 * layout, and leaves the rest to the answer.
 */
export type Asked = 'as-ran' | 'open'

/** Fields that a question leaves open. */
const LEFT_OPEN = ['kvCache', 'maxNumSeqs', 'maxNumBatchedTokens', 'maxModelLen', 'gpuMemoryUtilization'] as const

/**
 * Cases of JSON Lines files: a scenario's fields beside `observed`. Each becomes what the planner would ask the speed model, so that what is fitted is
 * what is used.
 */
export async function readMeasurements(
  files: readonly string[],
  catalogue: Catalogue,
  asked: Asked = 'as-ran',
): Promise<{measurements: Measurement[]; unused: Unused[]}> {
  const context = realContext(catalogue)
  const fields = Object.keys(ScenarioSchema.shape)
  const measurements: Measurement[] = []
  const unused: Unused[] = []
  for (const file of files)
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const raw = JSON.parse(line) as Record<string, unknown> & {id: string; observed: Observed; launch?: Launch}
      const launch = asked === 'as-ran' ? (raw.launch ?? {}) : {lengths: raw.launch?.lengths, warmup: raw.launch?.warmup}
      const given = fields.filter((key) => raw[key] != null && (asked === 'as-ran' || !(LEFT_OPEN as readonly string[]).includes(key)))
      if (raw.speculative != null && raw.acceptance == null) {
        unused.push({id: raw.id, why: 'drafts of which nobody says how many were accepted'})
        continue
      }
      try {
        const scenario = ScenarioSchema.parse({...Object.fromEntries(given.map((key) => [key, raw[key]])), ...optionsOf(launch, raw.engine)}) as Scenario
        const {best} = await answer(context, scenario, {asRan: asked === 'as-ran' && raw.launch !== undefined})
        if (!scenario.workload || !best.performance) {
          unused.push({id: raw.id, why: best.reasons[0]?.message ?? best.verdict})
          continue
        }
        // Tokens of a run of a fixed depth, or of decoding alone, say how fast it decodes and nothing else.
        const observed = raw.decodeOnly === true ? {tpotMs: raw.observed.tpotMs} : decodeOnly(raw, scenario.workload.concurrency)
        measurements.push({
          id: raw.id,
          input: {
            ...performanceInput(best, scenario.workload),
            engineVersion: scenario.engineVersion ?? best.deployment.engineVersion,
            ...(launch.lengths === 'fixed' && {outputSpread: 0}),
            ...(launch.warmup === false && {cold: true}),
          },
          model: best.model.id,
          gpu: best.machine.gpus[0]!.accelerator.id,
          source: publisher(String(raw.source ?? '')),
          observed: {
            ttftMs: tellsFirstToken(raw, scenario.workload.concurrency) ? known(observed.ttftMs) : undefined,
            tpotMs: scenario.workload.concurrency === 'max' ? undefined : known(observed.tpotMs),
            outputTokensPerSecond: rateOf(observed, scenario.workload.concurrency, scenario.workload.outputTokens),
          },
        })
      } catch (error) {
        unused.push({id: raw.id, why: (error as Error).message.split('\n')[0]!})
      }
    }
  return {measurements, unused}
}
