import type {ByteSource} from './byte-source.ts'

/** A repository's files, wherever they are: a directory, the local cache, a hub. */
export interface ModelFolder {
  /** As the user named it, for messages. */
  readonly title: string
  /** Repository, where it is known. */
  readonly hfId?: string
  /** Bytes of every file by its path below the folder; undefined where only its existence is known. */
  readonly files: ReadonlyMap<string, number | undefined>
  /** Licence as the hub's page states it. */
  readonly licence?: string
  /** How many headers may be read at once. */
  readonly parallel: number
  /** A small text file. @throws InputError where it is not there, too large or not text. */
  text(file: string): Promise<string>
  open(file: string): Promise<ByteSource>
}

/** Largest text file of a model that is read whole. */
export const MAX_TEXT_BYTES = 32 * 2 ** 20

/** Runs one piece of work after another. */
export type InTurn = <R>(work: () => Promise<R>) => Promise<R>

export function turns(): InTurn {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const next = last.then(work, work)
    last = next.catch(() => undefined)
    return next
  }
}

/** Runs the work on every item, `parallel` at a time, results in order. */
export async function eachOf<T, R>(items: readonly T[], parallel: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  }
  await Promise.all(Array.from({length: Math.min(parallel, items.length)}, worker))
  return results
}
