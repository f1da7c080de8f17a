import {isWeightFormat, weightFormat} from '../../core/formats.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Quality, QualityLevel} from '../../core/quality.ts'
import {type Figure, isMeasurable, lossOf, ofCache, ofWeights, recoveryOf, rounded} from './figure.ts'
import {apart, kinOf, measured, median, modelCount, type Pool, sizeOf, sourcesOf} from './pool.ts'

/** What a statement may draw on: the figures of one model, and the pools of all. */
export interface Evidence {
  /** Of the model itself, whatever the checkpoint and the format. */
  figures: readonly Figure[]
  pools: readonly Pool[]
}

type Own = Pick<Model, 'id' | 'hfId' | 'checkpoints'>

/** Fewer models than this are no size class: it would be their recipe that is told. Over all sizes even one is told, with its number. */
const LEAST_MODELS = 2

/** Bits of an element of most weights; of what is no format of ours, as many as nobody quantises to. */
export const bitsOf = ({formats}: Pick<Checkpoint, 'formats'>): number => (isWeightFormat(formats.default) ? weightFormat(formats.default).elementBits : 16)

/** What the maker released first, where it is among the checkpoints. */
export const originalOf = ({hfId, checkpoints}: Pick<Model, 'hfId' | 'checkpoints'>): Checkpoint | undefined =>
  checkpoints.find((checkpoint) => checkpoint.hfId === hfId)

/** The level of what was not quantised from anything better; undefined for a quantised build. */
function ownLevel(model: Own, checkpoint: Checkpoint): QualityLevel | undefined {
  const original = originalOf(model)
  const bits = bitsOf(checkpoint)
  if (original && bitsOf(original) < 16) {
    if (checkpoint.hfId === original.hfId || checkpoint.formats.default === original.formats.default) return 'released'
    return bits > bitsOf(original) ? 'rebuilt' : undefined
  }
  if (bits >= 16) return 'original'
  // Without an original beside it, a mixture that its own maker published is the release.
  return checkpoint.weights === 'native' && checkpoint.publisher === undefined ? 'released' : undefined
}

const told = (level: QualityLevel): Quality => ({level, rows: 0, models: 0, sources: []})

/** The word that a checkpoint's figures are filed under. */
export const formatOf = ({weights, formats}: Pick<Checkpoint, 'weights' | 'formats'>): string => (weights === 'native' ? formats.default : weights)

/** Whether a comparison is of exactly this repository, by any of its names. */
export const isOfCheckpoint = ({checkpoint}: Figure, {hfId, aliases = []}: Checkpoint): boolean =>
  checkpoint !== undefined && [hfId, ...aliases].some((name) => name.toLowerCase() === checkpoint.toLowerCase())

/** What is known of a checkpoint, at the finest level there is. */
export function statementOf(model: Own, checkpoint: Checkpoint, totalParams: number, {figures, pools}: Evidence): Quality {
  const level = ownLevel(model, checkpoint)
  if (level) return told(level)
  const kin = kinOf(formatOf(checkpoint))
  const ofModel = figures.filter((figure) => ofWeights(figure) && figure.model === model.id && kinOf(figure.weights) === kin)
  const own = ofModel.filter((figure) => isOfCheckpoint(figure, checkpoint))
  const found =
    fromFigures('checkpoint', own) ??
    fromFigures(
      'model-format',
      ofModel.filter((figure) => !own.includes(figure)),
    )
  const typical = fromPools(pools, kin, sizeOf(totalParams))
  if (!found) return typical ?? told('unknown')
  return found.recovery === undefined && typical?.recovery !== undefined ? {...found, typical} : found
}

/** What is known of storing a model's cache in a format of fewer than 16 bits. */
export function cacheStatement(model: Pick<Model, 'id'>, format: string, {figures, pools}: Evidence): Quality {
  const own = figures.filter((figure) => ofCache(figure) && figure.kvCache === format && figure.model === model.id)
  return fromFigures('model-format', own) ?? fromPools(pools, format, undefined) ?? told('unknown')
}

function fromFigures(level: QualityLevel, figures: readonly Figure[]): Quality | undefined {
  const found = measured(figures)
  if (!found) return undefined
  const {measure, figures: used, values} = found
  const against = [...new Set(used.map(({baselineWeights}) => baselineWeights))].filter((format) => format !== 'bf16' && format !== 'fp16')
  const middle = rounded(median(values))
  const base = {level, rows: used.length, models: modelCount(used), sources: sourcesOf(used), ...(against.length > 0 && {against})}
  if (measure === 'perplexity') return {...base, perplexityRise: middle}
  if (measure === 'kld') return {...base, meanKld: middle}
  const measurable = isMeasurable(used)
  return {
    ...base,
    recovery: middle,
    worst: lossOf(worstOf(used)),
    ...(measurable !== undefined && {measurable}),
    ...apartWithWorst(used),
  }
}

const worstOf = (figures: readonly Figure[]): Figure => figures.reduce((worst, figure) => (recoveryOf(figure) < recoveryOf(worst) ? figure : worst))

/** What loses first, with the worst of each. */
function apartWithWorst(figures: readonly Figure[]): Pick<Quality, 'apart'> {
  const list = apart(figures).apart?.map((entry) => ({...entry, worst: lossOf(worstOf(figures.filter(({kind}) => kind === entry.kind)))}))
  return list ? {apart: list} : {}
}

function fromPools(pools: readonly Pool[], format: string, size: string | undefined): Quality | undefined {
  const own = pools.filter((pool) => pool.format === format)
  const pool = own.find((one) => one.size !== undefined && one.size === size && one.models >= LEAST_MODELS) ?? own.find((one) => one.size === undefined)
  if (!pool) return undefined
  const {measure, rows, models, median: middle, low, high, apart: kinds, sources} = pool
  return {
    level: pool.size === undefined ? 'format' : 'format-size',
    format,
    ...(pool.size !== undefined && {size: pool.size}),
    ...(measure === 'recovery' && {recovery: middle, ...(low !== undefined && {recoveryLow: low}), ...(high !== undefined && {recoveryHigh: high})}),
    ...(measure === 'perplexity' && {perplexityRise: middle}),
    ...(measure === 'kld' && {meanKld: middle}),
    ...(kinds && {apart: kinds}),
    rows,
    models,
    sources,
  }
}
