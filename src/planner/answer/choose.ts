import type {Machine} from '../../core/accelerator.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {sumBytes} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {checkpointBytes} from '../../core/weights.ts'
import type {Engine} from '../../engines/engine.ts'
import {type Evaluation, evaluate} from './evaluate.ts'
import {layoutsFor} from './layouts.ts'

export interface Choice {
  best: Evaluation
  /** Checkpoints that were considered before the chosen one, and why they were not taken. */
  passedOver: Evaluation[]
  /** No such checkpoint is published: the answer is computed as if there were one. */
  hypothetical?: boolean
}

export interface ChoiceQuestion {
  model: Model
  /** Set when a repository was named: exactly this one. */
  checkpoint?: Checkpoint
  machine: Machine
  engine: Engine
  request: DeploymentRequest
  workload?: Workload
  calibration: Calibration
}

/** Load that layouts are ranked by when none was given: a handful of people chatting. */
const USUAL_WORKLOAD: Workload = {inputTokens: 1024, outputTokens: 512, concurrency: 4}

const isGood = (evaluation: Evaluation): boolean => evaluation.verdict === 'fits' || evaluation.verdict === 'tight'
const VERDICT_ORDER = {fits: 0, tight: 1, 'does-not-fit': 2, unsupported: 3}

/** Bytes that are missing for the engine to start, on the fullest GPU. */
export function missingBytes(evaluation: Evaluation): number {
  const {memory} = evaluation
  return Math.max(0, sumBytes(memory.terms.filter(({part}) => part !== 'kv-cache' && part !== 'state')) - memory.budgetBytes, -memory.kvCacheBytes)
}

/** The best layout of one checkpoint: fits before tight, then the higher cautious throughput at the load, then fewer bytes missing. */
export function bestLayout(question: ChoiceQuestion & {checkpoint: Checkpoint}): Evaluation {
  const {workload, request: asked} = question
  const layouts = layoutsFor(question.model.architecture, question.machine, asked, requestsInFlight(workload ?? USUAL_WORKLOAD))
  if (asked.tp !== undefined || asked.pp !== undefined || asked.dp !== undefined) {
    // The layout is given: experts are dealt out whole only where they cannot be split.
    const plain = evaluate({...question, request: layouts[0]!})
    if (plain.verdict !== 'unsupported') return plain
    return (
      layouts
        .slice(1)
        .map((request) => evaluate({...question, request}))
        .find(({verdict}) => verdict !== 'unsupported') ?? plain
    )
  }
  const ranked = layouts.map((request) => ({
    request,
    evaluation: evaluate({...question, request, workload: layouts.length === 1 ? workload : (workload ?? USUAL_WORKLOAD)}),
  }))
  const cautious = ({performance}: Evaluation) => performance?.outputTokensPerSecond.low ?? 0
  const best = ranked.reduce((a, b) => {
    const order = VERDICT_ORDER[a.evaluation.verdict] - VERDICT_ORDER[b.evaluation.verdict]
    if (order !== 0) return order < 0 ? a : b
    if (!isGood(a.evaluation)) return missingBytes(b.evaluation) < missingBytes(a.evaluation) ? b : a
    return cautious(b.evaluation) > cautious(a.evaluation) ? b : a
  })
  return workload || layouts.length === 1 ? best.evaluation : evaluate({...question, request: best.request})
}

/** Requests that can keep replicas busy; for an open loop and for offline runs as many as there are replicas. */
const requestsInFlight = ({concurrency}: Workload): number => (typeof concurrency === 'number' ? concurrency : Number.POSITIVE_INFINITY)

/**
 * How close a checkpoint is to the original: the original itself, then by format, the publisher's own before others. More bits than the
 * original's bring nothing back: such a rebuild stands right behind it.
 */
function fidelityOf({formats, weights, thirdParty}: Checkpoint): number {
  const format = formats.default
  return (weights === 'native' ? 99 : isWeightFormat(format) ? weightFormat(format).fidelity : 0) - (thirdParty ? 0.5 : 0)
}

/** Repositories of the same format differ in nothing that is judged here: the first of each. */
function distinct(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const seen = new Set<string>()
  return checkpoints.filter((checkpoint) => {
    const key = `${checkpoint.weights} ${JSON.stringify(checkpoint.formats)}`
    return !seen.has(key) && seen.add(key)
  })
}

/** A model's checkpoints that differ in what is judged, the closest to the original first. */
export const distinctCheckpoints = (model: Model, weights?: string): Checkpoint[] =>
  distinct(byFidelity(model, weights === undefined ? model.checkpoints : checkpointsOfWeights(model, weights)))

/** Checkpoints of a model, the closest to its original first. */
export function byFidelity(model: Pick<Model, 'hfId'>, checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const original = checkpoints.find(({hfId}) => hfId === model.hfId)
  const rank = (checkpoint: Checkpoint) =>
    checkpoint === original ? Number.POSITIVE_INFINITY : original ? Math.min(fidelityOf(checkpoint), fidelityOf(original)) : fidelityOf(checkpoint)
  return [...checkpoints].sort((a, b) => rank(b) - rank(a))
}

/** Checkpoints of a model whose short format is the asked one, or one of its kind (fp8 also takes per-channel and block builds). */
export function checkpointsOfWeights(model: Model, weights: string): Checkpoint[] {
  const exact = model.checkpoints.filter((checkpoint) => checkpoint.weights === weights)
  if (exact.length > 0) return exact
  return model.checkpoints.filter((checkpoint) => checkpoint.weights.startsWith(`${weights}-`))
}

/** A checkpoint that nobody published: every matrix in this format, what recipes usually keep left at 16 bits. */
function imagined(model: Model, weights: string): Checkpoint {
  const format = HYPOTHETICAL[weights] ?? weights
  if (!isWeightFormat(format)) throw new InputError('WEIGHTS_UNKNOWN', `No weight format "${weights}"`, {suggestions: []})
  return {hfId: model.hfId, weights, formats: {default: format}}
}

const HYPOTHETICAL: Record<string, string> = {
  'compressed-int4': 'int4-group128',
  'compressed-int8': 'int8-group',
  q4_k_m: 'q4_k',
  q5_k_m: 'q5_k',
  q3_k_m: 'q3_k',
  native: 'bf16',
}

/**
 * The checkpoint and layout that a question means. A repository is taken as it is; a model's name means the least quantised
 * published checkpoint that fits with the context that is needed; a format means the published checkpoint of that format.
 */
export function choose(question: ChoiceQuestion): Choice {
  const {model, request} = question
  if (question.checkpoint) return {best: bestLayout({...question, checkpoint: withFormat(model, question.checkpoint, request.weights)}), passedOver: []}
  let candidates = byFidelity(model, model.checkpoints)
  let hypothetical = false
  if (request.weights !== undefined) {
    candidates = byFidelity(model, checkpointsOfWeights(model, request.weights))
    if (candidates.length === 0) {
      candidates = [imagined(model, request.weights)]
      hypothetical = true
    }
  }
  const passedOver: Evaluation[] = []
  for (const checkpoint of distinct(candidates)) {
    const evaluation = bestLayout({...question, checkpoint})
    if (isGood(evaluation)) return {best: evaluation, passedOver, hypothetical}
    passedOver.push(evaluation)
  }
  if (passedOver.length === 0) throw new InputError('MODEL_WITHOUT_CHECKPOINT', `${model.name} has no checkpoint in the catalogue`)
  // Nothing fits: the answer is about the one that is closest.
  const supported = passedOver.filter(({verdict}) => verdict === 'does-not-fit')
  const best = (supported.length > 0 ? supported : passedOver).reduce((a, b) => (missingBytes(b) < missingBytes(a) ? b : a))
  return {best, passedOver: passedOver.filter((evaluation) => evaluation !== best), hypothetical}
}

/** A repository whose format is asked for differently: the model's checkpoint of that format, published or imagined. */
function withFormat(model: Model, checkpoint: Checkpoint, weights: string | undefined): Checkpoint {
  if (weights === undefined || isCalled(checkpoint, weights)) return checkpoint
  return checkpointsOfWeights(model, weights)[0] ?? {...imagined(model, weights), hfId: checkpoint.hfId}
}

/** Names that people use for one another: what a repository holds in 16 bits, or in 4-bit integers, is called by any of them. */
const SYNONYMS = [
  ['bf16', 'fp16'],
  ['awq-int4', 'gptq-int4', 'compressed-int4', 'int4'],
  ['gptq-int8', 'compressed-int8'],
]

function isCalled({weights: own, quantMethod}: Checkpoint, weights: string): boolean {
  if (weights === 'native' || own === weights || own.startsWith(`${weights}-`)) return true
  // A mixture goes by the name of its method too: DeepSeek-V4's FP4 experts come in an "fp8" checkpoint.
  if (own === 'native' && quantMethod === weights) return true
  return SYNONYMS.some((names) => names.includes(own) && names.includes(weights))
}

/** Bytes on disk: as published where known. */
export const diskBytes = (model: Model, checkpoint: Checkpoint): number => checkpoint.bytes ?? Math.round(checkpointBytes(model.architecture, checkpoint))
