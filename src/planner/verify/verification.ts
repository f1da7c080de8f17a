/** What an engine's start-up log says beside what was predicted for it: line by line, what was off, and what follows. */
import {DEPLOYMENT_FIELDS, type DeploymentRequest} from '../../core/deployment.ts'
import {findCacheFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Machine} from '../../core/accelerator.ts'
import {type MemoryEstimate, type MemoryPart, requestBytes} from '../../core/memory.ts'
import {sumBytes, type Warning} from '../../core/terms.ts'
import {isAtLeast} from '../../engines/versions.ts'
import type {LaterFailure, LogOutcome, LogReport, RankFigures} from '../../verify/log-report.ts'
import {type Answer, answer, type Evaluation} from '../answer/index.ts'
import {changesFor, type Change} from './changes.ts'
import {type Context, type Correction, machineFromSpec, modelOf} from '../world/index.ts'
import {cardMissing, cardOfLog} from './card-of-log.ts'
import {differenceOf} from './difference.ts'
import {type Mismatch, mismatchesOf, requireCard} from './mismatch.ts'
import {printedModel} from './printed-model.ts'
import {releaseOfLog} from './release-of-log.ts'
import {printedOptions} from './printed-options.ts'
import {weightsOfLog} from './weights-of-log.ts'
import type {Scenario} from '../scenario/index.ts'
import {dictionary} from '../../core/dictionary.ts'

/** One figure, as predicted and as the engine reported it; the difference is reported less predicted. */
export interface VerifiedLine {
  name: string
  unit: 'bytes' | 'tokens' | 'requests'
  predicted: number
  reported: number
  difference: number
  /** Of the predicted figure; absent where that is nothing. */
  relative?: number
  /** Not printed as such: it follows from other lines of the log. */
  because?: string
}

export interface Verification {
  report: LogReport
  answer: Answer
  lines: VerifiedLine[]
  /** The part of memory that was off by most bytes. */
  worst?: VerifiedLine
  /** The figure that decides: room for the cache where it is known. */
  decisive?: Decisive
  spreadBytes: number
  /** Off by no more than the estimate's own error, and of what was asked about. */
  within: boolean
  outcome: {reported: LogOutcome; predicted: 'started' | 'kv-too-small' | 'unsupported'; later?: LaterFailure}
  changes: Change[]
  /** The log cannot be of the card, the model or the layout that was asked about: nothing is learnt from it. */
  mismatches: Mismatch[]
  /** Nothing says which release ran: the difference may be that of another. */
  releaseAssumed: boolean
  correction?: Correction
  warnings: Warning[]
}

/** The figure that decides, and by how much it differs: in bytes of a GPU, and in its own unit. */
export interface Decisive {
  name: string
  unit: VerifiedLine['unit']
  difference: number
  differenceBytes: number
}

const flagOf = (field: string): string => `--${field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
const inWords = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'method' in value
    ? `${(value as {method: string}).method}:${(value as unknown as {tokens: number}).tokens}`
    : String(value)

/** Parallel sizes that process names show, where they are more than is known: a pasted part of a log shows some ranks of many. */
function seenSizes({seen, settings}: LogReport, flags: DeploymentRequest): DeploymentRequest {
  const sizes: DeploymentRequest = {}
  for (const name of ['tp', 'pp', 'dp', 'ep'] as const) {
    const least = seen[name]
    if (least !== undefined && settings[name] === undefined && least > (flags[name] ?? 0)) sizes[name] = least
  }
  return sizes
}

/** The log's settings over the flags'. Where both say something, the log is what ran. */
function merged(report: LogReport, {speculative, ...options}: DeploymentRequest, flags: DeploymentRequest, warnings: Warning[]): DeploymentRequest {
  const printed: DeploymentRequest = {
    ...options,
    ...report.settings,
    ...seenSizes(report, flags),
    ...(speculative && {speculative}),
    engine: report.engine,
    ...(report.engineVersion !== undefined && {engineVersion: report.engineVersion}),
  }
  if (printed.kvCache !== undefined && !findCacheFormat(printed.kvCache)) {
    warnings.push({code: 'setting-unknown', message: `the log names a cache format "${printed.kvCache.slice(0, 40)}" that is not known: it is ignored`})
    delete printed.kvCache
  }
  const result: Record<string, unknown> = dictionary({...flags})
  for (const field of DEPLOYMENT_FIELDS) {
    const [own, given] = [printed[field], flags[field]]
    if (own === undefined) continue
    if (given !== undefined && inWords(given) !== inWords(own))
      warnings.push({code: 'log-wins', message: `${flagOf(field)} ${inWords(given)} was given, but the log says ${inWords(own)}, which is what ran`})
    result[field] = own
  }
  return {...result, ...options, ...(report.settings.runner && {runner: report.settings.runner})}
}

async function nameOfModel(context: Context, report: LogReport, given: string | undefined, warnings: Warning[]): Promise<string> {
  const printed = report.model === undefined ? undefined : await printedModel(context, report.model)
  if (printed) {
    const {name, found} = printed
    const other = given === undefined ? undefined : await modelOf(context, given)
    if (
      given !== undefined &&
      other &&
      (other.model.id !== found.model.id || (found.checkpoint && other.checkpoint && other.checkpoint.hfId !== found.checkpoint.hfId))
    )
      warnings.push({code: 'log-wins', message: `--model ${given} was given, the log says ${name}: the log is what ran`})
    // A folder is named after its model; which checkpoint of it lay there, a flag may know better.
    return other && other.model.id === found.model.id && !found.checkpoint ? given! : name
  }
  if (given !== undefined) return given
  throw new InputError(
    'MODEL_MISSING',
    report.model === undefined
      ? 'The log does not say which model was started: give it with --model'
      : `The log names the model "${report.model.slice(0, 200)}", which is not known: give it with --model`,
  )
}

/** Memory that is taken now is the engine's own: it counted as free when the log was written. */
const idle = (machine: Machine, figures: RankFigures): Machine => ({
  ...machine,
  gpus: machine.gpus.map(({freeBytes: _now, ...gpu}) =>
    figures.freeBeforeBytes !== undefined &&
    !gpu.accelerator.unifiedMemory &&
    figures.totalBytes !== undefined &&
    figures.freeBeforeBytes < figures.totalBytes - 2 ** 30
      ? {...gpu, freeBytes: figures.freeBeforeBytes}
      : gpu,
  ),
})

const gpuCount = ({tp = 1, pp = 1, dp = 1, dpAttention, engine}: DeploymentRequest): number => tp * pp * (dpAttention && engine === 'sglang' ? 1 : dp)

/** As many GPUs as the log's layout needs of each node, where `--gpu` names only their kind. */
function gpuSpec(spec: string | undefined, request: DeploymentRequest, nodes = 1): string | undefined {
  const world = Math.ceil(gpuCount(request) / nodes)
  return spec !== undefined && world > 1 && !/^\s*\d+\s*[x×]/i.test(spec) && !spec.includes(',') ? `${world}x${spec}` : spec
}

/** No card is named and none is here: the one that the log names. */
async function cardWithout(context: Context, report: LogReport, warnings: Warning[]): Promise<string | undefined> {
  const named = cardOfLog(context.catalogue.gpus, report)
  if (!named) return undefined
  const here = await context.detect().catch((error: unknown) => {
    if (error instanceof InputError) return undefined
    throw error
  })
  if (here) return undefined
  warnings.push({code: 'gpu-from-log', message: `no card was given and this machine has none: the one that the log names is used, ${named.name}`})
  return named.id
}

export interface VerificationQuestion {
  report: LogReport
  /** What flags say: machine, model, and what the log does not print. */
  flags: Partial<Scenario>
  /** Day to date a correction with, as 2026-01-31. */
  today: string
}

/** Predicts what the log reports, and compares. @throws InputError for what cannot be understood. */
export async function verification(context: Context, {report: read, flags, today}: VerificationQuestion): Promise<Verification> {
  const warnings: Warning[] = []
  const engineVersion = flags.engineVersion !== undefined && read.engineVersion === undefined ? undefined : releaseOfLog(context, read, warnings)
  const report: LogReport = {
    ...read,
    ...(engineVersion !== undefined && {engineVersion}),
    ...(read.engineVersion !== undefined && read.engineVersion !== engineVersion && engineVersion !== undefined && {build: read.engineVersion}),
  }
  const {model: givenModel, gpu, machine, nodes, workload: _load, slo: _slo, id: _id, ...given} = flags
  if (gpu !== undefined) requireCard(report, machineFromSpec(context.catalogue, gpu).gpus[0]?.accelerator)
  const {options, speculative, counted} = printedOptions(context, report)
  const request = merged(report, {...options, ...(speculative && {speculative})}, given, warnings)
  const model = await nameOfModel(context, report, givenModel, warnings)
  if (request.engineVersion === undefined)
    warnings.push({code: 'engine-version-assumed', message: 'the log does not say which release ran: the newest known is assumed (--engine-version)'})
  const further = report.further.filter((flag) => !counted.has(flag))
  if (further.length > 0)
    warnings.push({code: 'settings-not-modelled', message: `settings that change memory and are not part of the prediction: ${further.join(', ')}`})
  if (report.starts !== undefined) warnings.push({code: 'several-starts', message: `the log holds ${report.starts} starts: the last complete one is compared`})
  const {checkpoint} = await modelOf(context, model)
  const weights = weightsOfLog(report, checkpoint, request.weights, warnings)
  if (weights !== undefined) request.weights = weights
  // Nothing said: the engine takes the model's own limit, and refuses to start where that does not fit.
  const maxModelLen = request.maxModelLen ?? (await modelOf(context, model)).model.architecture.contextTokens
  const scenario = withoutAbsent({
    ...request,
    maxModelLen,
    tp: request.tp ?? 1,
    pp: request.pp ?? 1,
    dp: request.dp ?? 1,
    model,
    gpu: gpuSpec(gpu ?? (machine === undefined ? await cardWithout(context, report, warnings) : undefined), request, nodes),
    machine,
    nodes,
  })
  const there: Context = {
    ...context,
    detect: async () =>
      idle(
        await context.detect().catch((error: unknown) => {
          requireCard(report, undefined)
          if (error instanceof InputError && error.code === 'NO_GPU') throw cardMissing(context.catalogue.gpus, report, gpuCount(request))
          throw error
        }),
        report.figures,
      ),
    readMachine: async (path) => idle(await context.readMachine(path), report.figures),
  }
  const under = (corrections: readonly Correction[] | undefined): Context => ({...there, corrections, engines: new Map()})
  const plain = await answer(under(undefined), scenario, {asRan: true})
  const answered = context.corrections?.length ? await answer(there, scenario, {asRan: true}) : plain
  const {best} = answered
  requireCard(report, best.machine.gpus[0]?.accelerator)
  warnings.push(...best.warnings.filter(({code}) => code === 'corrected' || code === 'engine-version'))
  if (best.machine.gpus[0]!.accelerator.unifiedMemory)
    warnings.push({
      code: 'unified-memory',
      message: 'memory is shared with the system: what is free, and what an engine counts as its own, differs by gigabytes between equal starts',
    })
  const lines = linesOf(best, report)
  const decisive = decisiveOf(best, report.figures, lines)
  if (!decisive && report.outcome === 'unknown')
    throw new InputError('LOG_WITHOUT_FIGURES', `The log of ${best.engine.title} holds no memory figure: expected lines such as "${EXAMPLES[report.engine]}"`)
  const predicted = best.verdict === 'unsupported' ? 'unsupported' : best.memory.starts ? 'started' : 'kv-too-small'
  const {spreadBytes} = best.engine
  const isClose = decisive ? Math.abs(decisive.differenceBytes) <= spreadBytes : (report.outcome === 'started') === (predicted === 'started')
  const mismatches = mismatchesOf(best, report, context.catalogue.gpus, answered.machine.gpus.length * answered.machine.nodeCount)
  const within = mismatches.length === 0 && isClose
  for (const {of, message} of mismatches)
    warnings.push({
      code: 'log-of-another',
      message: `${message}: ${of === 'memory' ? 'the machine was not idle at start' : 'the log cannot be of what was asked about'}, so nothing is learnt from it`,
    })
  const correction = differenceOf(there, plain.best, report, today)
  const truth = correction && (await answer(under([correction]), scenario, {asRan: true}))
  const parts = lines.filter(({name}) => PARTS_OF_MEMORY.has(name))
  return {
    report,
    answer: answered,
    lines,
    spreadBytes,
    within,
    warnings,
    mismatches,
    releaseAssumed: warnings.some(({code}) => code === 'engine-version-assumed'),
    outcome: {reported: report.outcome, predicted, ...(report.later && {later: report.later})},
    changes: mismatches.length > 0 ? [] : changesFor(report, plain, truth),
    ...(decisive && {decisive}),
    ...(correction && {correction}),
    ...(parts.length > 0 && {worst: parts.reduce((a, b) => (Math.abs(b.difference) > Math.abs(a.difference) ? b : a))}),
  }
}

const EXAMPLES = {
  vllm: 'Available KV cache memory: 41.20 GiB',
  sglang: 'max_total_num_tokens=430913',
  trtllm: 'Allocated 41.11 GiB for max tokens in paged KV cache (524288)',
}

const withoutAbsent = (scenario: Scenario): Scenario =>
  Object.fromEntries(Object.entries(scenario).filter(([, value]) => value !== undefined)) as unknown as Scenario

/** Names of the lines that are parts of memory, rather than sums or what is left. */
const PARTS_OF_MEMORY = new Set(['weights', 'activations', 'runtime', 'CUDA graphs', 'all but weights and cache', 'free before loading', 'used in total'])

const partBytes = (memory: MemoryEstimate, ...parts: MemoryPart[]): number => sumBytes(memory.terms.filter(({part}) => parts.includes(part)))

function linesOf({memory, deployment, engine}: Evaluation, {figures, engine: id}: LogReport): VerifiedLine[] {
  const lines: VerifiedLine[] = []
  const line = (name: string, unit: VerifiedLine['unit'], predicted: number, reported: number | undefined, because?: string) => {
    if (reported === undefined) return
    const difference = reported - predicted
    lines.push({
      name,
      unit,
      predicted,
      reported,
      difference,
      ...(predicted !== 0 && {relative: difference / Math.abs(predicted)}),
      ...(because !== undefined && {because}),
    })
  }
  const weights = partBytes(memory, 'weights')
  const runtime = partBytes(memory, 'runtime')
  const graphs = partBytes(memory, 'cuda-graph')
  const activation = partBytes(memory, 'activation')
  const cache = requestBytes(memory)
  line('device memory', 'bytes', memory.totalBytes, figures.totalBytes)
  if (id === 'sglang') line('free before loading', 'bytes', memory.budgetBytes - runtime, figures.freeBeforeBytes)
  line('weights', 'bytes', weights, figures.weightsBytes)
  line('activations', 'bytes', activation, figures.activationBytes)
  if (id === 'trtllm') line('runtime', 'bytes', runtime + graphs, figures.runtimeBytes, 'what lies outside torch, graphs included')
  else line('runtime', 'bytes', runtime, figures.runtimeBytes)
  if (figures.weightsBytes === undefined) line('weights and runtime', 'bytes', weights + runtime, figures.consumedBytes)
  const counted = id === 'vllm' && isAtLeast(deployment.engineVersion, '0.20.0')
  line('CUDA graphs', 'bytes', graphs, (counted ? figures.cudaGraphEstimateBytes : undefined) ?? figures.cudaGraphBytes)
  // Logs without the parts still say their sum: what the fraction allows, less weights and cache.
  if (id === 'vllm' && figures.activationBytes === undefined && figures.weightsBytes !== undefined && figures.kvCacheBytes !== undefined) {
    const requested = Math.round((figures.totalBytes ?? memory.totalBytes) * deployment.gpuMemoryUtilization)
    line(
      'all but weights and cache',
      'bytes',
      activation + runtime + (counted ? graphs : 0),
      requested - figures.weightsBytes - figures.kvCacheBytes,
      `${deployment.gpuMemoryUtilization} of the device, less weights and cache`,
    )
  }
  line('KV cache', 'bytes', cache, figures.kvCacheBytes)
  line('KV cache tokens', 'tokens', memory.kvCacheTokens, figures.kvCacheTokens)
  line('requests of full length', 'requests', memory.maxConcurrencyAtMaxModelLen, figures.maxConcurrency)
  if (engine.id === 'sglang') line('requests at once', 'requests', deployment.maxNumSeqs, figures.maxNumSeqs)
  return lines
}

/** How far the room for the cache was off, by the bytes or tokens that were printed, else by the weights. */
function decisiveOf({memory}: Evaluation, figures: RankFigures, lines: readonly VerifiedLine[]): Decisive | undefined {
  const of = (name: string): Decisive | undefined => {
    const line = lines.find((one) => one.name === name)
    return line && {name, unit: line.unit, difference: line.difference, differenceBytes: line.difference}
  }
  const bytes = of('KV cache')
  if (bytes) return bytes
  const tokens = figures.kvCacheTokens !== undefined && memory.kvCacheTokens > 0 ? of('KV cache tokens') : undefined
  if (tokens) return {...tokens, differenceBytes: Math.round((figures.kvCacheTokens! / memory.kvCacheTokens - 1) * requestBytes(memory))}
  return of('weights') ?? of('weights and runtime')
}
