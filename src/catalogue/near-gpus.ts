import type {Accelerator} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort, similarity} from '../core/nearest.ts'
import {HOW_TO_GIVE_FIGURES} from './gpu-figures.ts'
import {plainName} from './gpu-names.ts'

/** How a name of a card is built: `rtx 4090 ti` is family rtx, number 4090, and a rest. */
interface NameParts {
  family: string
  number: string
}

/**
 * The first number of two digits or more and the letters before it. Names whose generation is a single digit (M3, Arc B580's B) have
 * that letter with the digit as their family.
 */
function partsOf(name: string): NameParts | undefined {
  const plain = plainName(name)
  const long = /^(.*?)(\d{2,})/.exec(plain)
  if (long) return {family: long[1]!, number: long[2]!}
  const short = /^([a-z]+)(\d)/.exec(plain)
  return short ? {family: short[1]!, number: short[2]!} : undefined
}

/**
 * Leading digits that stay the same within a generation: 40 of 4090 and 4060, 9 of 9070, 3 of 300 and 355. Round numbers (RTX 6000) are
 * workstation cards of any.
 */
function generationOf({family, number}: NameParts): string {
  if (number.length < 4 || family === 'rx') return number.slice(0, 1)
  return number.endsWith('00') ? number : number.slice(0, -2)
}

const sameFamily = (asked: NameParts, known: NameParts): boolean => asked.family === '' || asked.family === known.family

/** 3: the same family and number; 2: the same family and generation; 0: neither. */
function kinship(asked: NameParts | undefined, gpu: Accelerator): number {
  if (!asked) return 0
  const spellings = [gpu.id, gpu.name].map(partsOf).filter((parts) => parts !== undefined)
  const kin = spellings.filter((known) => sameFamily(asked, known))
  if (kin.some(({number}) => number === asked.number)) return 3
  return kin.some((known) => known.number.length === asked.number.length && generationOf(known) === generationOf(asked)) ? 2 : 0
}

const MOST_SUGGESTIONS = 5

/**
 * Ids of the cards that a name comes closest to: first those of the same family and number, then those of the same generation, the
 * nearest number first, then whatever is spelt alike. Beside a name that is close to one card, none that only shares its generation.
 */
export function nearestGpus(gpus: readonly Accelerator[], name: string): string[] {
  const known = gpus.map(({id, name: title, aliases, nicknames = []}) => ({name: id, spellings: [title, ...aliases, ...nicknames]}))
  const alike = nearest(name, known, gpus.length)
  const asked = name.length > 80 ? undefined : partsOf(name)
  const plain = plainName(name)
  const begins = (gpu: Accelerator) => Number(plain.startsWith(plainName(gpu.id)))
  const distance = (gpu: Accelerator) => Math.abs(Number(partsOf(gpu.id)?.number ?? 0) - Number(asked?.number ?? 0))
  const kin = gpus
    .map((gpu) => ({gpu, kinship: kinship(asked, gpu)}))
    .filter((entry) => entry.kinship > 0)
    .sort(
      (a, b) =>
        b.kinship - a.kinship ||
        distance(a.gpu) - distance(b.gpu) ||
        begins(b.gpu) - begins(a.gpu) ||
        similarity(name, b.gpu.id) - similarity(name, a.gpu.id) ||
        (a.gpu.id < b.gpu.id ? -1 : 1),
    )
    .map(({gpu}) => gpu.id)
  return [...new Set([...kin, ...alike])].slice(0, MOST_SUGGESTIONS)
}

/** A card that nobody knows: what is close, and how to ask about it all the same. */
export const unknownGpu = (gpus: readonly Accelerator[], name: string): InputError =>
  new InputError('GPU_UNKNOWN', `No GPU named ${quotedShort(name)} in the catalogue; ${HOW_TO_GIVE_FIGURES}`, {suggestions: nearestGpus(gpus, name)})
