import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'
import {countParameters} from '../../core/tensors.ts'
import {dictionary} from '../../core/dictionary.ts'

/** A task as data/tasks.yaml has it. */
export interface TaskWords {
  words: string[]
  /** Parts of a model's name that say it is made for this. */
  names?: string[]
  modality?: string
  /** Only for models that turn texts into vectors or scores. */
  pooling?: boolean
}

/** Sizes in words, by total parameters: what a phone, one card of a desktop, a few cards, a server holds. */
const SIZES: Record<string, (total: number) => boolean> = dictionary({
  tiny: (total) => total < 2e9,
  small: (total) => total < 10e9,
  medium: (total) => total >= 10e9 && total < 100e9,
  large: (total) => total >= 100e9,
  huge: (total) => total >= 500e9,
})

/** `7b`, `30b-a3b`, `a3b`, `1.5t`. */
const SIZE = /^(?:(\d+(?:\.\d+)?)([mbt]))?-?(?:a(\d+(?:\.\d+)?)b)?$/

/** A name may round, and count or not count the embedding: 7.6 billion are called 7B. */
const SIZE_TOLERANCE = 0.12

const UNITS: Record<string, number> = dictionary({m: 1e6, b: 1e9, t: 1e12})

/**
 * The models that all words fit: names, families, publishers, licences, tasks, sizes, formats of their checkpoints.
 * @throws InputError WORD_UNKNOWN for a word that fits none, with those that are close.
 */
export function modelsByWords(models: readonly Model[], words: readonly string[], tasks: readonly TaskWords[]): Model[] {
  const asked = words.flatMap((word) => word.split(/[\s,]+/)).filter((word) => plain(word) !== '')
  const tests = asked.map((word) => {
    const test = fitting(word.toLowerCase(), tasks)
    if (!models.some(test))
      throw new InputError('WORD_UNKNOWN', `No model goes by ${quotedShort(word)}: servefit models lists them all`, {
        suggestions: nearest(word, vocabulary(models, tasks)),
      })
    return test
  })
  const found = models.filter((model) => tests.every((test) => test(model)))
  // What is called so comes before what only has it somewhere in a name.
  const [begin = ''] = asked.map(plain)
  const isCalledSo = ({id, hfId}: Model) => [id, hfId.slice(hfId.indexOf('/') + 1)].some((name) => plain(name).startsWith(begin))
  return [...found.filter(isCalledSo), ...found.filter((model) => !isCalledSo(model))]
}

function fitting(word: string, tasks: readonly TaskWords[]): (model: Model) => boolean {
  const task = tasks.find((own) => own.words.includes(word))
  const size = SIZE.exec(word)
  const isSize = Object.hasOwn(SIZES, word)
  // A size is a part of a name by itself: 27b holds no 7b.
  if (size) return (model) => sizeFits(model, size)
  return (model) => {
    if (task?.pooling && !model.pooling) return false
    if (namesOf(model).some((name) => plain(name).includes(plain(word)))) return true
    if (licenceFits(model, word) || model.checkpoints.some(({weights}) => weights === word)) return true
    if (task && isFor(model, task)) return true
    return isSize && SIZES[word]!(countParameters(model.architecture).total)
  }
}

/** Letters and digits only, and the point of versions. */
const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '')

const namesOf = ({id, name, family, hfId, aliases = []}: Model): string[] => [id, name, family, hfId, ...aliases]

/** `mit` is a licence, and no part of one. */
function licenceFits({licence = ''}: Model, word: string): boolean {
  const parts = licence.toLowerCase().split(/[^a-z0-9.]+/)
  return parts.some((part, at) => part === word || parts.slice(at).join('-').startsWith(`${word}-`) || parts.slice(at).join('-') === word)
}

/** Words of the name, `coder` in qwen3-coder-next: `code` is none of its words but the beginning of one. */
function isFor(model: Model, {names = [], modality}: TaskWords): boolean {
  if (modality !== undefined && model.modality?.includes(modality)) return true
  const words = [model.id, model.hfId.slice(model.hfId.indexOf('/') + 1)].flatMap((name) => name.toLowerCase().split(/[^a-z0-9]+/))
  return names.some((name) => words.some((word) => word === name || (name.length > 3 && word.startsWith(name))))
}

/** A name that says a size is called by it, whatever it holds: `qwen2.5-14b` is no 15b, though it has 14.8 billion. */
function sizeFits({architecture, id}: Model, [, digits, unit, activeDigits]: RegExpExecArray): boolean {
  const parts = id.split('-')
  const {total, active} = countParameters(architecture)
  const fits = (pattern: RegExp, word: string, value: number, wanted: number) =>
    parts.some((part) => pattern.test(part)) ? parts.includes(word) : Math.abs(value - wanted) <= wanted * SIZE_TOLERANCE
  const totalFits = digits === undefined || fits(/^\d+(?:\.\d+)?[mbt]$/, `${digits}${unit}`, total, Number(digits) * UNITS[unit!]!)
  const activeFits = activeDigits === undefined || fits(/^a\d+(?:\.\d+)?b$/, `a${activeDigits}b`, active, Number(activeDigits) * 1e9)
  return totalFits && activeFits
}

/** What may be meant by a misspelt word. */
const vocabulary = (models: readonly Model[], tasks: readonly TaskWords[]): string[] => [
  ...new Set([
    ...models.flatMap(({id, family, hfId, licence}) => [
      id,
      family,
      hfId.split('/')[0]!.toLowerCase(),
      ...(licence ? [licence.split(/[\s-]/)[0]!.toLowerCase()] : []),
    ]),
    ...tasks.flatMap(({words}) => words),
    ...Object.keys(SIZES),
  ]),
]
