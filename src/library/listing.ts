import {InputError} from '../core/input-error.ts'

/** One thing that was named, or those that a list is asked for. */
export type Found<T> = {one: T} | {all: T[]}

/**
 * What a listing command is asked for: everything without a name; the one of that name; else those whose spellings hold the word.
 * @throws what `require` throws where no spelling holds it.
 */
export function foundByWords<T>(
  items: readonly T[],
  name: string | undefined,
  require: (name: string) => T,
  spellings: (item: T) => readonly string[],
): Found<T> {
  if (name === undefined) return {all: [...items]}
  try {
    return {one: require(name)}
  } catch (error) {
    if (!(error instanceof InputError) || plain(name) === '') throw error
    const holding = items.filter((item) => spellings(item).some((spelling) => plain(spelling).includes(plain(name))))
    if (holding.length === 0) throw error
    return {all: holding}
  }
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '')
