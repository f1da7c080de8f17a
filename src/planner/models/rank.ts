import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import type {Model} from '../../core/model.ts'
import {countParameters} from '../../core/tensors.ts'
import type {Evaluation} from '../answer/index.ts'
import {type QualityClass, qualityClass} from '../quality/index.ts'

/** A model that fits, as the checkpoint that `check` would take by its name. */
export interface FittingModel {
  model: Model
  evaluation: Evaluation
}

/** Tokens a second that one user sees after the first; nothing where the model writes none. */
export const userSpeed = ({performance, pooling}: Evaluation): number | undefined => (performance && !pooling ? 1000 / performance.tpotMs.estimate : undefined)

/** Longest request that would start, up to the model's own limit; further only where that was asked for. */
export const usableContext = ({architecture}: Model, {deployment, memory}: Evaluation): number =>
  Math.max(deployment.maxModelLen, Math.min(architecture.contextTokens, memory.largestMaxModelLen))

/** Decoding slower than this is reading aloud at most: such models come after the others. Tokens a second for one user. */
const PATIENCE_TOKENS_PER_SECOND = 8
/** From here a person reads no faster: more counts for nothing. */
const COMFORTABLE_TOKENS_PER_SECOND = 40
/** What a long conversation, a file of code or a report needs: a model that reaches it lacks nothing for most uses. */
const SERVING_CONTEXT_TOKENS = 32_768

/**
 * Parameters that a given capability takes grow this much fewer in a year. They halve every 3.3 months by arXiv 2412.04315, which would be twelvefold;
 * between the benchmarks of that law and a person's own use lies much: threefold is the cautious choice.
 */
const YEARLY_GAIN = 3

/** What a build is worth beside the original, by how much it loses. */
const WORTH_OF_CLASS: Record<QualityClass, number> = {kept: 1, rebuilt: 1, 'small-loss': 0.9, loss: 0.8}
/** Below four bits models lose more than a smaller one of more bits would. */
const WORTH_BELOW_FOUR_BITS = 0.5
/** The card may turn out a little too small. */
const WORTH_OF_TIGHT = 0.85

/** Year with its fraction of a release date such as 2026-03 or 2026-03-14. */
function yearOf(released: string): number {
  const [year, month = 6, day = 15] = released.split('-').map(Number)
  return year! + (month - 1) / 12 + (day - 1) / 365
}

/**
 * When each model came out. One without a date is taken to be as old as the newest of its family that has one, else as the middle of all: not known
 * is not old.
 */
export function releaseDates(models: readonly Model[]): (model: Model) => number {
  const dated = models.filter(({released}) => released !== undefined).map(({family, released}) => ({family, year: yearOf(released!)}))
  const years = dated.map(({year}) => year).sort((a, b) => a - b)
  const middle = years[Math.floor(years.length / 2)] ?? 0
  const families = new Map<string, number>()
  for (const {family, year} of dated) families.set(family, Math.max(year, families.get(family) ?? 0))
  return ({family, released}) => (released === undefined ? (families.get(family) ?? middle) : yearOf(released))
}

/** What a model of its size and age is worth where nothing is lost: no build, context or speed makes it more. */
export function mostWorth({architecture}: Model, year: number): number {
  const {total, active} = countParameters(architecture)
  return Math.sqrt(total * active) * YEARLY_GAIN ** (year - 2024)
}

/**
 * A rule of thumb for what is worth trying first, no measure of quality: the geometric mean of total and active parameters (what a mixture of experts
 * is roughly worth beside a dense model) times `YEARLY_GAIN` for every year of release; less where the build loses quality, the context that the
 * machine leaves is short of what serves, decoding is slower than one reads, or memory is tight.
 */
export function worthOf({model, evaluation}: FittingModel, year: number): number {
  const short = (value: number, enough: number) => Math.sqrt(Math.min(1, value / enough))
  return (
    mostWorth(model, year) *
    formatWorth(model, evaluation) *
    short(usableContext(model, evaluation), SERVING_CONTEXT_TOKENS) *
    short(userSpeed(evaluation) ?? COMFORTABLE_TOKENS_PER_SECOND, COMFORTABLE_TOKENS_PER_SECOND) *
    (evaluation.verdict === 'tight' ? WORTH_OF_TIGHT : 1)
  )
}

function formatWorth(model: Model, {checkpoint}: Evaluation): number {
  const loss = qualityClass(model, checkpoint)
  const format = checkpoint.formats.default
  const isBelowFour = loss === 'loss' && isWeightFormat(format) && weightFormat(format).elementBits < 4
  return isBelowFour ? WORTH_BELOW_FOUR_BITS : WORTH_OF_CLASS[loss]
}

/** What the order rests on. */
export interface Ranked {
  entry: FittingModel
  speed: number
  /** 1: decodes slower than one cares to wait. */
  slow: 0 | 1
  worth: number
}

export function ranked(entry: FittingModel, date: (model: Model) => number): Ranked {
  const speed = userSpeed(entry.evaluation) ?? 0
  return {entry, speed, slow: speed < PATIENCE_TOKENS_PER_SECOND ? 1 : 0, worth: worthOf(entry, date(entry.model))}
}

/** Best first: what is quick enough before what is slow, then by worth, then by speed. */
export const inOrder = (found: readonly Ranked[]): FittingModel[] =>
  [...found].sort((a, b) => a.slow - b.slow || b.worth - a.worth || b.speed - a.speed).map(({entry}) => entry)

export const byRank = (fitting: readonly FittingModel[], date: (model: Model) => number): FittingModel[] => inOrder(fitting.map((entry) => ranked(entry, date)))
