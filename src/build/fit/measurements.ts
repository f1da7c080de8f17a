import {readFileSync} from 'node:fs'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Architecture} from '../../core/architecture.ts'
import type {Workload} from '../../core/deployment.ts'
import {isUntagged, releaseYear} from '../../core/throughput/engine-version.ts'
import {type PerformanceInput, replicaCount} from '../../core/throughput/input.ts'
import {preparedModel} from '../../core/throughput/performance.ts'
import {admissionLimit} from '../../core/throughput/serving.ts'
import {realContext} from '../../cli/world.ts'
import {answer, performanceInput} from '../../planner/answer/index.ts'
import {ScenarioSchema} from '../../planner/scenario/schema.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import type {Measurement} from './fit.ts'
import {PRIORS} from './priors.ts'

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
 * What a source says of how it measured, beside the scenario's fields. llama-benchy sends as many requests as are to be in flight at once and waits for all of
 * them: one burst. It tells the rate from the first token of all to the last, or, in later versions, the mean of the requests' rates. Its time to first token is not told apart from that of the whole answer in some
 * versions, where no `ttftMs` stands. A static batch of vLLM's benchmark_latency.py is one burst of equal lengths.
 */
interface Protocol {
  rounds?: number
  outputSpread?: number
  told?: Measurement['told']
  /** Decoding at a depth that all users share: prompts are in the cache, once. */
  decodeOnly?: boolean
}

function protocolOf(raw: Record<string, unknown>): Protocol {
  const note = String(raw.note ?? '')
  if (raw.decodeOnly === true) return {decodeOnly: true}
  if (note.includes('llama-benchy')) return {rounds: 1, outputSpread: 0, told: note.includes('rate of the generation window') ? 'window' : 'mean-rate'}
  return note.includes('benchmark_latency.py') ? {rounds: 1, outputSpread: 0} : {}
}

/** llama-benchy's rate is that of decoding alone, prompts left out: where no time per token stands, it gives that. */
function observedOf(raw: {observed: Observed}, {told, decodeOnly}: Protocol, concurrency: number | 'max' | undefined): Observed {
  const {outputTokensPerSecond, ttftMs, tpotMs} = raw.observed
  if (decodeOnly) return {tpotMs}
  if (told === undefined || typeof concurrency !== 'number') return raw.observed
  if (tpotMs != null) return {tpotMs, ttftMs}
  return outputTokensPerSecond == null ? {} : {tpotMs: (concurrency * 1000) / outputTokensPerSecond}
}

/** Tokens of a shared depth that are too few to matter. */
const SHALLOW_TOKENS = 1024

/** Users who share what they attend to read it once: 128 of them at 131,072 tokens got four times what the memory gives. It tells nothing of users with contexts of their own. */
const sharesDepth = ({decodeOnly}: Protocol, {concurrency, inputTokens}: Workload): boolean =>
  decodeOnly === true && concurrency !== 1 && inputTokens > SHALLOW_TOKENS

/** Flags that stand in the note of a source alone. A number at the end of a note may have been cut. */
function noted({note, ...raw}: Record<string, unknown>): Partial<Scenario> {
  const text = String(note ?? '')
  const sequences = /--?max-num-seqs[ =](\d+)\D/.exec(text) ?? /\bmax-num-seqs (\d+)\D/.exec(text)
  return {
    ...(raw.enforceEager === undefined && text.includes('--enforce-eager') && {enforceEager: true}),
    ...(raw.maxNumSeqs === undefined && sequences && {maxNumSeqs: Number(sequences[1])}),
  }
}

/** A source that says of its mixtures of experts alone that their ranks each had their own sequences (TensorRT-LLM's tables). */
const dividesAttention = ({note, tp, dpAttention}: Record<string, unknown>, {architecture}: {architecture: Architecture}): boolean =>
  dpAttention === undefined &&
  Number(tp) > 1 &&
  /\bMoE rows use enable_attention_dp\b/.test(String(note ?? '')) &&
  architecture.layerKinds.some(({feedForward}) => feedForward?.kind === 'moe')

/** Years by which a release and the day of its measurement may differ. */
const MOST_YEARS_LATE = 1

/**
 * The release that ran. A source without one, or with one that nobody ran that day (a source tree calls itself 0.1), is taken to have run the newest of the day.
 */
function versionOf({engine, engineVersion, measured}: Record<string, unknown>): string | undefined {
  const known = PRIORS.engines[String(engine)]
  const stated = typeof engineVersion === 'string' ? engineVersion : undefined
  const day = /^(\d{4})-(\d{2})/.exec(String(measured ?? ''))
  if (!known || !day) return stated
  const year = Number(day[1]) + (Number(day[2]) - 0.5) / 12
  if (stated !== undefined && !isUntagged(stated) && year - releaseYear(stated, known) < MOST_YEARS_LATE) return stated
  const newest = known.releases.findLast((release) => release.year <= year)
  // The last one of the list stands for all that came later, as the engine's newest does.
  return newest === known.releases.at(-1) ? undefined : (newest?.version ?? stated)
}

/**
 * Milliseconds of a step below which nothing decodes: each token needs its weights once, each sequence its own cache. A row that is faster ran something else
 * than it says: weights of fewer bits, drafts, or contexts that all users share, which kernels read once for all.
 */
function leastStepMs(input: PerformanceInput): {weights: number; all: number} {
  const {accelerator, workload} = input
  if (input.drafting || input.offload || typeof workload.concurrency !== 'number') return {weights: 0, all: 0}
  const {products, head, experts, attention} = preparedModel(input, PRIORS).work
  const limit = admissionLimit(input, {input: workload.inputTokens, output: workload.outputTokens}, 1)
  const sequences = Math.max(1, Math.min(limit, workload.concurrency / replicaCount(input))) / (input.dpAttention ? input.gpuCount : 1)
  const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0)
  const read = [
    ...products.map(({times, bytes}) => times * bytes),
    head.bytes,
    ...experts.map((e) => (e.times * e.expertsPerToken * e.bytesPerExpert) / e.expertParallel),
  ]
  const caches = attention.map((part) => part.times * part.bytesPerToken * Math.min(workload.inputTokens / part.tokensPerRow, part.tokenLimit))
  const ms = (bytes: number) => (1000 * bytes) / (accelerator.memoryBandwidthBytesPerSecond ?? Infinity)
  return {weights: ms(sum(read)), all: ms(sum(read) + sequences * sum(caches))}
}

/** Time of a step, by what was measured. */
const stepMs = ({input, observed}: Measurement): number =>
  Math.min(observed.tpotMs ?? Infinity, input.workload.concurrency === 1 && observed.outputTokensPerSecond ? 1000 / observed.outputTokensPerSecond : Infinity)

/**
 * Requests in flight beyond which the first burst decides the mean time to first token unless many more follow, as in the two
 * campaigns under load; other sources do not say how many requests were sent.
 */
const BURST = 16
const tellsFirstToken = ({source, note}: Record<string, unknown>, {concurrency, requestRate}: Workload, {rounds}: Protocol): boolean =>
  requestRate !== undefined ||
  source === 'InferenceX' ||
  source === 'controlled sweep' ||
  rounds !== undefined ||
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
 * layout, and leaves the rest to the answer. `as-published`: its scenario as it stands, against the figures as they stand, as somebody compares them who knows
 * nothing of the harness.
 */
export type Asked = 'as-ran' | 'open' | 'as-published'

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
  const plain = asked === 'as-published'
  const measurements: Measurement[] = []
  const unused: Unused[] = []
  const otherwise = new Set<string>()
  const runOf = ({source, model, input}: Measurement) => `${source} ${model} ${input.checkpoint.weights}`
  for (const file of files)
    for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
      const raw = JSON.parse(line) as Record<string, unknown> & {id: string; observed: Observed; launch?: Launch}
      const launch: Launch = plain ? {} : asked === 'as-ran' ? (raw.launch ?? {}) : {lengths: raw.launch?.lengths, warmup: raw.launch?.warmup}
      const given = fields.filter((key) => raw[key] != null && (asked !== 'open' || !(LEFT_OPEN as readonly string[]).includes(key)))
      if (raw.speculative != null && raw.acceptance == null) {
        unused.push({id: raw.id, why: 'drafts of which nobody says how many were accepted'})
        continue
      }
      try {
        const {engineVersion: _, ...told} = Object.fromEntries(given.map((key) => [key, raw[key]]))
        const version = asked === 'as-ran' ? versionOf(raw) : raw.engineVersion
        const flags = asked === 'as-ran' && raw.launch === undefined ? noted(raw) : {}
        const scenario = ScenarioSchema.parse({
          ...told,
          ...(version != null && {engineVersion: version}),
          ...flags,
          ...optionsOf(launch, raw.engine),
        }) as Scenario
        const ran = asked === 'as-ran' && raw.launch !== undefined
        let {best} = await answer(context, scenario, {asRan: ran})
        if (asked === 'as-ran' && dividesAttention(raw, best.model))
          ({best} = await answer(context, {...scenario, dpAttention: true, ep: scenario.tp}, {asRan: ran}))
        // What the official build refuses ran all the same, from some other one.
        if (!best.performance && asked !== 'open') ({best} = await answer(context, scenario, {asRan: !ran}))
        const {workload} = scenario
        if (!workload || !best.performance) {
          unused.push({id: raw.id, why: best.reasons[0]?.message ?? best.verdict})
          continue
        }
        const protocol = plain ? {} : protocolOf(raw)
        if (sharesDepth(protocol, workload)) {
          unused.push({id: raw.id, why: 'a depth that all users share, whose cache kernels read once'})
          continue
        }
        const observed = observedOf(raw, protocol, workload.concurrency)
        const measurement: Measurement = {
          id: raw.id,
          input: {
            ...performanceInput(best, protocol.decodeOnly ? {...workload, prefixHitRate: 1} : workload),
            // All users of a fixed depth share it.
            ...(protocol.decodeOnly && {kvCacheTokens: undefined}),
            engineVersion: scenario.engineVersion ?? best.deployment.engineVersion,
            ...(launch.lengths === 'fixed' && {outputSpread: 0}),
            ...(launch.warmup === false && {cold: true}),
            ...(protocol.rounds !== undefined && {rounds: protocol.rounds}),
            ...(protocol.outputSpread !== undefined && {outputSpread: protocol.outputSpread}),
          },
          model: best.model.id,
          gpu: best.machine.gpus[0]!.accelerator.id,
          source: publisher(String(raw.source ?? '')),
          observed: {
            ttftMs: plain || tellsFirstToken(raw, workload, protocol) ? known(observed.ttftMs) : undefined,
            tpotMs: workload.concurrency === 'max' ? undefined : known(observed.tpotMs),
            outputTokensPerSecond:
              protocol.told !== undefined || protocol.decodeOnly ? undefined : rateOf(observed, workload.concurrency, workload.outputTokens),
          },
          ...(protocol.told !== undefined && {told: protocol.told}),
        }
        const least = leastStepMs(measurement.input)
        const took = stepMs(measurement)
        if (took < least.weights) otherwise.add(runOf(measurement))
        if (took < least.all) unused.push({id: raw.id, why: 'faster than its weights and caches can be read: it ran something else'})
        else measurements.push(measurement)
      } catch (error) {
        unused.push({id: raw.id, why: (error as Error).message.split('\n')[0]!})
      }
    }
  // Where one load of a run cannot have had the weights that it says, none had.
  const [used, left] = [measurements.filter((m) => !otherwise.has(runOf(m))), measurements.filter((m) => otherwise.has(runOf(m)))]
  return {measurements: used, unused: [...unused, ...left.map(({id}) => ({id, why: 'another load of the same run is faster than its weights can be read'}))]}
}
