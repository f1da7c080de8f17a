import {quotedShort} from '../../core/nearest.ts'
import type {Accelerator, Machine} from '../../core/accelerator.ts'
import {PairMemo} from '../../core/bounded-map.ts'
import type {DeploymentRequest, Workload} from '../../core/deployment.ts'
import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {sumBytes} from '../../core/terms.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {checkpointBytes} from '../../core/weights.ts'
import type {Engine} from '../../engines/engine.ts'
import {bitsOf, QUALITY_CLASSES, qualityClass} from '../quality/index.ts'
import {assumedLoad, type Objectives, type Preference} from '../scenario/index.ts'
import {isMixed, pacingAccelerator} from '../world/index.ts'
import {evaluate} from './evaluate.ts'
import {type Evaluation, isYes, type Standing, starts, TIGHT_CODES, VERDICT_ORDER} from './evaluation.ts'
import {type Place, placesFor} from './layouts.ts'
import {endToEndMs} from './limits.ts'
import {servedScore} from './score.ts'
import {dictionary} from '../../core/dictionary.ts'

export interface Choice {
  best: Evaluation
  /** Checkpoints that were considered before the chosen one, and why they were not taken. */
  passedOver: Evaluation[]
  /** No such checkpoint is published: the answer is computed as if there were one. */
  hypothetical?: boolean
  /** What would have been taken, had nothing been preferred; absent where it is the same. */
  unpreferred?: Evaluation
}

export interface ChoiceQuestion {
  model: Model
  /** Set when a repository was named: exactly this one. */
  checkpoint?: Checkpoint
  /** The whole machine: which of its cards serve is chosen with the layout. */
  machine: Machine
  engine: Engine
  request: DeploymentRequest
  /** What the checkpoint is chosen for among those that keep the load. */
  prefer?: Preference
  workload?: Workload
  slo?: Objectives
  /** A question about what ran: nothing is replaced that the engine chose. */
  asRan?: boolean
  calibration: Calibration
}

/** Load that layouts are ranked by when none was given: a handful of people chatting, within the context that was asked for. */
const usualWorkload = ({architecture}: Model, {maxModelLen = architecture.contextTokens}: DeploymentRequest): Workload => ({
  ...assumedLoad(maxModelLen),
  concurrency: 4,
})

/** Layouts that are put to the simulator at most, where a percentile was asked for. */
const MOST_SIMULATED = 3

/** Bytes that are missing for the engine to start, on the fullest GPU. */
export function missingBytes(evaluation: Evaluation): number {
  const {memory} = evaluation
  return Math.max(0, sumBytes(memory.terms.filter(({part}) => part !== 'kv-cache' && part !== 'state')) - memory.budgetBytes, -memory.kvCacheBytes)
}

/** Whether the first is the better answer: its verdict, then how well it serves the load, then fewer bytes missing. */
function isBetter(a: Evaluation, b: Evaluation): boolean {
  const order = VERDICT_ORDER[a.verdict] - VERDICT_ORDER[b.verdict]
  if (order !== 0) return order < 0
  if (!starts(a)) return missingBytes(a) < missingBytes(b)
  return scoreOf(a) > scoreOf(b)
}

const scoreOf = ({performance, workload}: Evaluation): number => (performance ? servedScore(performance, workload) : 0)

export const bestOf = (evaluations: readonly Evaluation[]): Evaluation => evaluations.reduce((best, next) => (isBetter(next, best) ? next : best))

/** The best layout of one checkpoint over the cards of a machine. */
export function bestLayout(question: ChoiceQuestion & {checkpoint: Checkpoint}): Evaluation {
  const {workload, request: asked, slo} = question
  const usual = workload ?? usualWorkload(question.model, asked)
  const all = placesFor(question.model.architecture, question.machine, asked, requestsInFlight(usual))
  const at = (place: Place, more: Partial<ChoiceQuestion> = {}) => evaluate({...question, ...place, ...more})
  if (asked.tp !== undefined || asked.pp !== undefined || asked.dp !== undefined)
    return bestOf(holdingContext(groupsOf(all).map((group) => (question.asRan ? at(group[0]!) : fixedLayout(group, at)))))
  const [asAsked, others] = [all.filter(({fallback}) => !fallback), all.filter(({fallback}) => fallback)]
  if (asAsked.length === 1 && others.length === 0) return at(asAsked[0]!)
  const {percentile, ...means} = slo ?? {}
  const ranking = {workload: usual, slo: workload && means}
  const judged = (places: readonly Place[]) => places.map((place) => ({place, evaluation: at(place, ranking)}))
  const own = judged(asAsked)
  const ranked = (others.length > 0 && own.every(({evaluation}) => evaluation.verdict === 'unsupported') ? judged(others) : own).sort((a, b) =>
    isBetter(a.evaluation, b.evaluation) ? -1 : isBetter(b.evaluation, a.evaluation) ? 1 : 0,
  )
  const first = ranked.find(({evaluation}) => isMixed(ranked[0]!.place.machine) && isAsGoodAlone(evaluation, ranked[0]!.evaluation)) ?? ranked[0]
  if (!workload) return withoutLoad([first!, ...ranked.filter((other) => other !== first)], at)
  if (percentile === undefined || !starts(first!.evaluation)) return first!.evaluation
  const simulated: Evaluation[] = []
  for (const {place} of [first!, ...ranked.filter((other) => other !== first)].slice(0, MOST_SIMULATED)) {
    simulated.push(at(place))
    if (isYes(simulated.at(-1)!)) break
  }
  return bestOf(simulated)
}

/** The first of the layouts that starts without a load as it does with the usual one: one that starts for few requests may not for the engine's own number. */
function withoutLoad([first, ...others]: readonly {place: Place; evaluation: Evaluation}[], at: (place: Place) => Evaluation): Evaluation {
  const alone = at(first!.place)
  if (isYes(alone) || !isYes(first!.evaluation)) return alone
  for (const {place, evaluation} of others) {
    const other = isYes(evaluation) ? at(place) : undefined
    if (other && isYes(other)) return other
  }
  return alone
}

/**
 * Of deployments on unequal cards those that hold a request of the context that they are started with, where any does: some engines start without,
 * and a quicker card that is a little too small is not what was asked for.
 */
export function holdingContext<Stood extends Standing>(deployments: readonly Stood[]): readonly Stood[] {
  const holding = deployments.filter(({verdict, memory}) => starts({verdict}) && memory.maxConcurrencyAtMaxModelLen >= 1)
  return holding.length > 0 ? holding : deployments
}

/** Of speeds that differ by less than this nobody takes a second kind of card for the gain. */
const ALONE_IS_ENOUGH = 0.95

/** Whether cards of one kind serve as well as unequal ones do, which are harder to run: verdict and context, and nearly the speed. */
function isAsGoodAlone(one: Evaluation, mixed: Evaluation): boolean {
  if (isMixed(one.machine) || one.verdict !== mixed.verdict || one.deployment.maxModelLen < mixed.deployment.maxModelLen) return false
  if (!one.performance || !mixed.performance) return false
  const [ownMs, mixedMs] = [one, mixed].map(({performance, workload}) => endToEndMs(performance!, workload).high)
  return one.performance.outputTokensPerSecond.low >= ALONE_IS_ENOUGH * mixed.performance.outputTokensPerSecond.low && ALONE_IS_ENOUGH * ownMs! <= mixedMs!
}

/** Places by the cards that they take. */
function groupsOf(places: readonly Place[]): Place[][] {
  const groups = new Map<Machine, Place[]>()
  for (const place of places) groups.set(place.machine, [...(groups.get(place.machine) ?? []), place])
  return [...groups.values()]
}

/** The layout is given: experts are dealt out whole only where they cannot be split. */
function fixedLayout([plain, ...others]: readonly Place[], at: (place: Place) => Evaluation): Evaluation {
  const first = at(plain!)
  return first.verdict !== 'unsupported' ? first : (others.map((place) => at(place)).find(({verdict}) => verdict !== 'unsupported') ?? first)
}

/** Requests that can keep replicas busy; for an open loop and for offline runs as many as there are replicas. */
const requestsInFlight = ({concurrency}: Workload): number => (typeof concurrency === 'number' ? concurrency : Number.POSITIVE_INFINITY)

/**
 * How close a checkpoint is to the original: the original itself, then by format, the publisher's own before others. More bits than the
 * original's bring nothing back: such a rebuild stands right behind it.
 */
function fidelityOf({formats, weights, publisher}: Checkpoint): number {
  const format = formats.default
  return (
    (weights === 'native' ? 99 : isWeightFormat(format) ? weightFormat(format).fidelity : 0) - (publisher === undefined ? 0 : publisher === 'known' ? 0.3 : 0.5)
  )
}

/** Repositories of the same format of which neither was measured differ in nothing that is judged here: the first of each, and those that were. */
function distinct(checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const seen = new Set<string>()
  return checkpoints.filter((checkpoint) => {
    const key = `${checkpoint.weights} ${JSON.stringify(checkpoint.formats)} ${checkpoint.quality?.level === 'checkpoint' ? checkpoint.hfId : ''}`
    return !seen.has(key) && seen.add(key)
  })
}

/** A model's checkpoints that differ in what is judged, the closest to the original first. */
export const distinctCheckpoints = (model: Model, weights?: string): Checkpoint[] =>
  distinct(byFidelity(model, weights === undefined ? model.checkpoints : checkpointsOfWeights(model, weights)))

/** A model's checkpoints that differ in what is judged or measured, in the order in which they are asked whether they keep the load. */
export const preferredCheckpoints = (
  model: Model,
  accelerator: Accelerator,
  {weights, prefer}: {weights?: string; prefer?: Preference} = {},
): readonly Checkpoint[] =>
  PREFERRED_ORDERS.once(model, accelerator, `${prefer} ${weights}`, () =>
    distinct(byPreference(model, weights === undefined ? model.checkpoints : publishedFor(model, weights, accelerator), accelerator, prefer)),
  )

/** Orders that were made already: they rest on no load. */
const PREFERRED_ORDERS = new PairMemo<Model, Accelerator, readonly Checkpoint[]>(500)

/** Checkpoints of a model, the closest to its original first. */
export function byFidelity(model: Pick<Model, 'hfId'>, checkpoints: readonly Checkpoint[]): Checkpoint[] {
  const original = checkpoints.find(({hfId}) => hfId === model.hfId)
  const rank = (checkpoint: Checkpoint) =>
    checkpoint === original ? Number.POSITIVE_INFINITY : original ? Math.min(fidelityOf(checkpoint), fidelityOf(original)) : fidelityOf(checkpoint)
  return [...checkpoints].sort((a, b) => rank(b) - rank(a))
}

/** Whether a card computes in the format itself, rather than converting the weights to 16 bits first. */
function isNative({formats}: Checkpoint, {native}: Accelerator): boolean {
  if (!isWeightFormat(formats.default)) return false
  const {id, computeType, weightOnly} = weightFormat(formats.default)
  if (weightOnly) return false
  if (computeType === 'fp4') return native.includes(id)
  return computeType === 'bf16' || native.includes(computeType)
}

/** Whose builds are preferred, where nothing else tells them apart. */
export const PUBLISHERS = {maker: 0, known: 1, community: 2}

/**
 * The order in which checkpoints are asked whether they keep the load: those that keep the quality, by figures at the level that is known and else by
 * their bits, then those that lose a little, then the rest; among equals what the card computes natively, then the maker before known publishers
 * before community uploads, then more bits. Where quality is preferred, how the card computes is left out, and more bits come before who published.
 */
export function byPreference(model: Model, checkpoints: readonly Checkpoint[], accelerator: Accelerator, prefer?: Preference): Checkpoint[] {
  const fidelity = new Map(byFidelity(model, checkpoints).map((checkpoint, index) => [checkpoint, index]))
  const key = (checkpoint: Checkpoint): number[] => [
    QUALITY_CLASSES.indexOf(qualityClass(model, checkpoint)),
    ...(prefer === 'quality' ? [-bitsOf(checkpoint)] : [isNative(checkpoint, accelerator) ? 0 : 1]),
    PUBLISHERS[checkpoint.publisher ?? 'maker'],
    fidelity.get(checkpoint)!,
  ]
  const keyed = checkpoints.map((checkpoint) => ({checkpoint, key: key(checkpoint)}))
  return keyed
    .sort((a, b) => {
      const at = a.key.findIndex((value, index) => value !== b.key[index])
      return at < 0 ? 0 : a.key[at]! - b.key[at]!
    })
    .map(({checkpoint}) => checkpoint)
}

/** What publishers' 4-bit integers are called, for who asks for `int4` alone. */
const PUBLISHED_INT4: readonly string[] = ['awq-int4', 'gptq-int4', 'compressed-int4']

/** Checkpoints of a model whose short format is the asked one, or one of its kind (fp8 also takes per-channel and block builds). */
export function checkpointsOfWeights(model: Model, weights: string): Checkpoint[] {
  return model.checkpoints.filter(({weights: own}) => own === weights || own.startsWith(`${weights}-`) || (weights === 'int4' && PUBLISHED_INT4.includes(own)))
}

/** A checkpoint that nobody published: every matrix in this format, what recipes usually keep left at 16 bits. */
function imagined(model: Model, weights: string): Checkpoint {
  const format = HYPOTHETICAL[weights] ?? weights
  if (!isWeightFormat(format)) throw new InputError('WEIGHTS_UNKNOWN', `No weight format ${quotedShort(weights)}`, {suggestions: []})
  return {hfId: model.hfId, weights, formats: {default: format}}
}

const HYPOTHETICAL: Record<string, string> = dictionary({
  'compressed-int4': 'int4-group128',
  'compressed-int8': 'int8-group',
  q4_k_m: 'q4_k',
  q5_k_m: 'q5_k',
  q3_k_m: 'q3_k',
  q4_k_s: 'q4_k',
  int4: 'int4-group128',
  native: 'bf16',
})

/**
 * The checkpoint and layout that a question means. A repository is taken as it is; a format means the published checkpoint of that format; a
 * model's name means the one that keeps the load and the limits best of those that keep the quality, by `byPreference` where none does much better
 * (see `taken`).
 */
export function choose(question: ChoiceQuestion): Choice {
  const {model, request, machine, prefer} = question
  if (question.checkpoint) return {best: bestLayout({...question, checkpoint: withFormat(question, question.checkpoint)}), passedOver: []}
  const published = preferredCheckpoints(model, pacingAccelerator(machine), {weights: request.weights, prefer})
  const hypothetical = request.weights !== undefined && published.length === 0
  const choice = taken(model, candidatesOf(hypothetical ? [imagined(model, request.weights!)] : published, question), prefer)
  if (!choice) throw new InputError('MODEL_WITHOUT_CHECKPOINT', `${model.name} has no checkpoint in the catalogue`)
  return {...choice, hypothetical}
}

/** What was packed for Ascend NPUs is no other card's build of a format that was asked for by name. */
const publishedFor = (model: Model, weights: string, {vendor}: Accelerator): Checkpoint[] =>
  checkpointsOfWeights(model, weights).filter(({quantMethod}) => quantMethod !== 'ascend' || vendor === 'huawei')

/** More bits are worth some speed, but not so much: whoever adds a card would lose a quarter of it for each user. */
const MUCH_FASTER = 1.3

/**
 * Of builds that are as good in quality and verdict, in the order of preference: the first than which none holds the load much better. There
 * is one: whatever holds it much better is no slower.
 */
const holdsBest = (evaluations: readonly Evaluation[]): Evaluation | undefined =>
  evaluations.find((one) => !evaluations.some((other) => holdsMuchBetter(other, one)))

/** Much faster, or as fast with the engine's own settings where the other replaces some. */
function holdsMuchBetter(other: Evaluation, one: Evaluation): boolean {
  const [fast, slow] = [speedOf(other), speedOf(one)]
  return fast > MUCH_FASTER * slow || (isReplaced(one) && !isReplaced(other) && fast >= slow)
}

/** The context is chosen in every answer: it is no setting that an engine is talked out of. */
const isReplaced = ({replaced}: Pick<Evaluation, 'replaced'>): boolean => replaced.some(({field}) => field !== 'maxModelLen')

/** For each user of a load; in all where requests wait for one another, or where there are as many as are held. */
function speedOf(evaluation: Evaluation): number {
  const {performance, workload} = evaluation
  if (!performance) return 0
  const waiting = performance.boundBy === 'kv-capacity' || workload?.concurrency === 'max'
  return waiting ? performance.outputTokensPerSecond.estimate : performance.outputTokensPerSecondPerUser
}

/** A checkpoint, and what its best layout comes to once that is asked. */
export interface Candidate {
  checkpoint: Checkpoint
  judged: () => Evaluation
}

const candidatesOf = (checkpoints: readonly Checkpoint[], question: ChoiceQuestion): Candidate[] =>
  checkpoints.map((checkpoint) => ({checkpoint, judged: () => bestLayout({...question, checkpoint})}))

/**
 * Which of a model's checkpoints is taken, given in the order of `byPreference`: of those that keep the quality, the load and the limits the first
 * than which none holds the load much better. Without one, a build that keeps the quality and is only not sure to have the memory comes before
 * any that loses some; where only some tightly keep the load, the best of those. Where quality is preferred speed weighs nothing; where speed,
 * context or memory is, it is the best in that of all that keep the load as well. Undefined: there is none.
 */
export function taken(model: Model, inOrder: readonly Candidate[], prefer?: Preference): Choice | undefined {
  const measure = prefer && PREFERRED[prefer]
  const best = prefer === 'quality' ? (evaluations: readonly Evaluation[]) => evaluations[0] : holdsBest
  const considered: Evaluation[] = []
  const answered = (one: Evaluation): Choice => ({best: one, passedOver: considered.filter((other) => other !== one)})
  const keeping = (): Evaluation | undefined => {
    const keep = considered.filter(({checkpoint}) => keepsQuality(model, checkpoint))
    const fitting = keep.filter(({verdict}) => verdict === 'fits')
    return best(fitting.length > 0 ? fitting : keep.filter(isTightInMemoryAlone))
  }
  for (const {checkpoint, judged} of inOrder) {
    const loses = !keepsQuality(model, checkpoint)
    const kept = loses && !measure ? keeping() : undefined
    if (kept) return answered(kept)
    // With no fewer bits than one that keeps the load by the engine's own settings, none holds it so much better that it is looked for.
    const isVain = ({verdict, replaced, checkpoint: one}: Evaluation) => verdict === 'fits' && !isReplaced({replaced}) && bitsOf(one) <= bitsOf(checkpoint)
    if (!measure && considered.some(isVain)) continue
    const evaluation = judged()
    considered.push(evaluation)
    if ((loses || prefer === 'quality') && !measure && evaluation.verdict === 'fits') return answered(evaluation)
  }
  if (considered.length === 0) return undefined
  const tight = considered.filter(({verdict}) => verdict === 'tight')
  const keepingTight = tight.filter(({checkpoint}) => keepsQuality(model, checkpoint))
  const first = keeping() ?? considered.find(({verdict}) => verdict === 'fits') ?? best(keepingTight.length > 0 ? keepingTight : tight)
  if (!first || !measure) return answered(first ?? bestOf(considered))
  const equals = considered.filter(({verdict}) => verdict === first.verdict)
  const preferred = equals.reduce((a, b) => (measure(b) > measure(a) ? b : a), first)
  return {...answered(preferred), ...(preferred !== first && {unpreferred: first})}
}

/** As it was released, or what figures or bits say loses nothing. */
export const keepsQuality = (model: Model, checkpoint: Checkpoint): boolean => ['kept', 'rebuilt'].includes(qualityClass(model, checkpoint))

/**
 * The load and the limits are kept, by the engine's own settings; only the memory may be off by more than there is to spare. What was talked into starting
 * with fewer sequences or a larger share and still may not start is no better than a build with fewer bits that does.
 */
const isTightInMemoryAlone = ({verdict, warnings, replaced}: Evaluation): boolean =>
  verdict === 'tight' && !isReplaced({replaced}) && warnings.every(({code}) => code === 'memory-tight' || !TIGHT_CODES.includes(code))

/** The longest context that can be had, up to what the model reads as its publisher documents. */
export const reachableContext = ({deployment, memory, model}: Pick<Evaluation, 'deployment' | 'memory' | 'model'>): number =>
  Math.max(deployment.maxModelLen, Math.min(model.extendedContext?.tokens ?? model.architecture.contextTokens, memory.largestMaxModelLen))

/** What is preferred, higher is better. Quality is an order, see `byPreference`. */
const PREFERRED: Partial<Record<Preference, (evaluation: Evaluation) => number>> = {
  speed: scoreOf,
  context: reachableContext,
  memory: ({model, checkpoint}) => -diskBytes(model, checkpoint),
}

/** A repository whose format is asked for differently: the model's checkpoint of that format, published or imagined. */
function withFormat({model, request: {weights}, machine}: ChoiceQuestion, checkpoint: Checkpoint): Checkpoint {
  if (weights === undefined || isCalled(checkpoint, weights)) return checkpoint
  const published = publishedFor(model, weights, pacingAccelerator(machine))
  return published.find((one) => one.weights === weights) ?? published[0] ?? {...imagined(model, weights), hfId: checkpoint.hfId}
}

/** Names that people use for one another: what a repository holds in 16 bits, or in 4-bit integers, is called by any of them. */
const SYNONYMS = [
  ['bf16', 'fp16'],
  [...PUBLISHED_INT4, 'int4'],
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
