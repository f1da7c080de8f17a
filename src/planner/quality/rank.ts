import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Quality} from '../../core/quality.ts'
import {bitsOf, originalOf} from './statement.ts'

/** Bits of an element from which on quantising is taken to lose nothing that one notices, as long as no figures speak against it. */
const KEEPING_BITS = 8

/** Comparisons that figures need to be set against the rule of thumb: fewer are the luck of a few benchmarks. */
const LEAST_ROWS = 4
/** And those that they need to say that nothing is lost. */
const LEAST_TO_CLEAR = 10
/** Models of a pool that says so: the recipe of one or two is not the format. */
const LEAST_MODELS_TO_CLEAR = 3

/** A median that keeps less than this speaks against 8 bits: formats of 8 bits keep 98.8 to 100% in every size class. */
const CLEAR_LOSS = 0.985
/** What fewer bits must keep to count as keeping the quality: half a per cent in the median is below the noise of most benchmarks, ... */
const NO_LOSS = 0.995
/** ... and neither what loses first nor one comparison in ten may keep less than this. */
const NO_LOW_END = 0.97
/** What a build keeps that loses a little, where nothing better keeps the load. */
const SMALL_LOSS = 0.98

/** Classes of loss, best first. */
export type QualityClass = 'kept' | 'rebuilt' | 'small-loss' | 'loss'

export const QUALITY_CLASSES: readonly QualityClass[] = ['kept', 'rebuilt', 'small-loss', 'loss']

/** What figures of scores say at the level that they have; undefined where they are too few to overrule the rule of thumb. */
function figuresSay(quality: Quality): 'kept' | 'small-loss' | 'loss' | undefined {
  const {recovery, rows} = quality
  if (recovery === undefined || rows < LEAST_ROWS) return undefined
  if (recovery < SMALL_LOSS) return 'loss'
  return recovery >= NO_LOSS && isCleared(quality) ? 'kept' : 'small-loss'
}

/** Enough comparisons, and none of what loses first falls off: with its own figures nothing beyond noise, over a pool nine in ten. */
function isCleared({level, rows, models, recoveryLow, measurable, apart = []}: Quality): boolean {
  if (rows < LEAST_TO_CLEAR) return false
  if (level === 'format-size' || level === 'format') return models >= LEAST_MODELS_TO_CLEAR && recoveryLow !== undefined && recoveryLow >= NO_LOW_END
  return measurable === false && apart.every(({recovery}) => recovery >= NO_LOW_END)
}

/**
 * The class that a checkpoint is chosen by. As its maker released it, or with as many bits: kept. Builds of 8 bits and more are taken to keep the
 * quality until figures clearly say otherwise, those of fewer bits to lose until figures clearly say they do not. More bits than the original's
 * bring nothing back.
 */
export function qualityClass(model: Pick<Model, 'hfId' | 'checkpoints'>, checkpoint: Checkpoint): QualityClass {
  const {quality} = checkpoint
  if (checkpoint.hfId === model.hfId || checkpoint.weights === 'native' || quality?.level === 'released') return 'kept'
  const original = originalOf(model)
  if (original && bitsOf(checkpoint) > bitsOf(original)) return 'rebuilt'
  const scores = quality?.recovery === undefined ? quality?.typical : quality
  const said = scores && figuresSay(scores)
  const keepingBits = isWeightFormat(checkpoint.formats.default) && weightFormat(checkpoint.formats.default).elementBits >= KEEPING_BITS
  if (keepingBits) return said !== undefined && scores!.recovery! < CLEAR_LOSS && scores!.measurable !== false ? 'small-loss' : 'kept'
  return said ?? 'loss'
}
