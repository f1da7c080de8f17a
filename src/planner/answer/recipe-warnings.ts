import {sumBytes, type Warning} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import {isKnownByName, recipeRange} from '../../engines/recipe-range.ts'
import type {Model} from '../../core/model.ts'
import type {Evaluation} from './evaluation.ts'

/** A build of few bits whose recipe is assumed is said to be one, with the range of its weights, and whether the verdict hangs on it. */
export function recipeWarnings(model: Model, {checkpoint, memory, verdict}: Pick<Evaluation, 'checkpoint' | 'memory' | 'verdict'>): Warning[] {
  const range = recipeRange(model, checkpoint)
  if (!range) return []
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  const more = weights * (range.highShare - 1)
  const less = weights * (1 - range.lowShare)
  const starts = verdict === 'fits' || verdict === 'tight'
  const hangs =
    starts && memory.kvCacheBytes <= more
      ? ': at the upper end there is no room for a cache'
      : verdict === 'does-not-fit' && memory.kvCacheBytes <= 0 && memory.kvCacheBytes + less > 0
        ? ': at the lower end there is room for a cache'
        : ''
  // Of a catalogued build it is said only where something hangs on it.
  if (hangs === '' && !isKnownByName(checkpoint)) return []
  return [
    {
      code: 'weights-range',
      message: `how ${checkpoint.hfId} was quantised is not known: going by other builds with so few bits, its weights take ${bytesInWords(Math.round(weights - less))} to ${bytesInWords(Math.round(weights + more))} on each GPU; ${bytesInWords(weights)} is assumed${hangs}`,
    },
  ]
}
