import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Quality} from '../../core/quality.ts'
import {countParameters} from '../../core/tensors.ts'
import type {Figure} from './figure.ts'
import {kinOf, type Pool, sizeOf} from './pool.ts'
import {cacheStatement, formatOf, isOfCheckpoint, statementOf} from './statement.ts'

/** `quality/pools`: what formats come to. */
export interface PoolFile {
  weights: Pool[]
  caches: Pool[]
  /** Formats that have a file of figures. */
  formats: string[]
}

type Files = Pick<Catalogue, 'file'>

const poolsOf = (catalogue: Files): PoolFile => catalogue.file<PoolFile>('quality/pools')

/** Every comparison of a format, those included that are used for nothing. */
const figuresOf = (catalogue: Files, kin: string): Figure[] =>
  poolsOf(catalogue).formats.includes(kin) ? catalogue.file<Figure[]>(`quality/formats/${kin}`) : []

/** What is known of a checkpoint: as compiled with the catalogue, else (a file of the user's, one that nobody published) looked up now. */
const qualityOf = (catalogue: Files, model: Model, checkpoint: Checkpoint): Quality =>
  checkpoint.quality ??
  statementOf(model, checkpoint, countParameters(model.architecture).total, {
    figures: figuresOf(catalogue, kinOf(formatOf(checkpoint))),
    pools: poolsOf(catalogue).weights,
  })

/** A checkpoint with what is known of it. */
export const withQuality = (catalogue: Files, model: Model, checkpoint: Checkpoint): Checkpoint =>
  checkpoint.quality ? checkpoint : {...checkpoint, quality: qualityOf(catalogue, model, checkpoint)}

/** Cache formats that engines serve. */
const CACHES = ['fp8', 'int8', 'int4', 'nvfp4']

/** What is known of a model's cache by format, where anything is. */
export function cacheQualities(model: Pick<Model, 'id'>, evidence: {figures: readonly Figure[]; pools: readonly Pool[]}): Record<string, Quality> {
  return Object.fromEntries(
    CACHES.flatMap((format) => {
      const known = cacheStatement(model, format, evidence)
      return known.level === 'unknown' ? [] : [[format, known]]
    }),
  )
}

/** A model from outside the catalogue with what is known of its checkpoints and of its cache. */
export function modelWithQuality(catalogue: Files, model: Model): Model {
  if (model.cacheQuality) return model
  const checkpoints = model.checkpoints.map((checkpoint) => withQuality(catalogue, model, checkpoint))
  const cacheQuality = cacheQualities(model, {figures: catalogue.file<Figure[]>('quality/caches'), pools: poolsOf(catalogue).caches})
  return {...model, checkpoints, cacheQuality}
}

/** The comparisons that a statement about a checkpoint rests on, and those of the same that are shown and used for nothing. */
export function figuresBehind(catalogue: Files, model: Model, checkpoint: Checkpoint): Figure[] {
  const {level, size} = qualityOf(catalogue, model, checkpoint)
  const figures = figuresOf(catalogue, kinOf(formatOf(checkpoint)))
  switch (level) {
    case 'checkpoint':
      return figures.filter((figure) => figure.model === model.id && isOfCheckpoint(figure, checkpoint))
    case 'model-format':
      return figures.filter((figure) => figure.model === model.id)
    case 'format-size':
      return figures.filter(({totalParams}) => totalParams !== undefined && sizeOf(totalParams) === size)
    case 'format':
      return figures
    default:
      return []
  }
}
