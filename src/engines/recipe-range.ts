/** How much the weights of a build may take whose recipe nobody looked into. */
import type {Architecture} from '../core/architecture.ts'
import type {Checkpoint, Model, TensorFormats} from '../core/model.ts'
import {weightFormat} from '../core/formats.ts'
import {checkpointBytes} from '../core/weights.ts'

/** What recipes of few bits often leave at 16 beside experts or linear attention; where a model has neither, they take every matrix. */
const OFTEN_LEFT = {attention: 'bf16', linear: 'bf16', 'shared-experts': 'bf16'}
const leavesSome = ({layerKinds}: Architecture): boolean =>
  layerKinds.some(({feedForward, mixers}) => feedForward?.kind === 'moe' || mixers.some(({kind}) => !['full', 'mla', 'compressed'].includes(kind)))
const FEW_BITS = 8

const isOfFewBits = ({formats}: Pick<Checkpoint, 'formats'>): boolean => weightFormat(formats.default).elementBits < FEW_BITS

/** Nothing but its name is known; of a catalogued build of an assumed recipe somebody has thought. */
export const isKnownByName = ({formatsAssumed, source}: Checkpoint): boolean => formatsAssumed === true && source === undefined

/** Of what is reckoned with. */
export interface RecipeRange {
  lowShare: number
  highShare: number
}

/**
 * The least and the most that recipes for so few bits make of a model: those of its catalogued builds, the plain one and the one that leaves most at 16 bits.
 * undefined where the recipe is known.
 */
export function recipeRange({architecture, checkpoints}: Pick<Model, 'architecture' | 'checkpoints'>, checkpoint: Checkpoint): RecipeRange | undefined {
  if (!checkpoint.formatsAssumed || checkpoint.bytes !== undefined || !isOfFewBits(checkpoint)) return undefined
  const format = checkpoint.formats.default
  const recipes: TensorFormats[] = [
    {default: format},
    ...(leavesSome(architecture) ? [{default: format, ...OFTEN_LEFT}] : []),
    // Another build's recipe says which tensors are left alone; the bits of the rest are those that the name says.
    ...checkpoints.filter(isOfFewBits).map(({formats}) => ({...formats, default: format})),
  ]
  const {exceptions: _, ...plain} = checkpoint
  const own = checkpointBytes(architecture, checkpoint)
  const sizes = recipes.map((formats) => checkpointBytes(architecture, {...plain, formats})).concat(own)
  const [lowShare, highShare] = [Math.min(...sizes) / own, Math.max(...sizes) / own]
  return highShare > lowShare ? {lowShare, highShare} : undefined
}
