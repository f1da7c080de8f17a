/** What must stand beside a cache that takes a fixed share: whether there is room for it, and what is shown where there hardly is. */
import type {MemoryPart} from '../core/memory.ts'
import {type Reason, sumBytes} from '../core/terms.ts'
import {bytesInWords} from '../core/words.ts'
import type {PartTerm} from './weight-terms.ts'

/** Bytes of the terms of a part. */
export const bytesOf = (terms: readonly PartTerm[], part: MemoryPart): number => sumBytes(terms.filter((term) => term.part === part))

/** The same terms, those of these parts cut in proportion to what there is for them, which is said. */
export function cutTo(terms: readonly PartTerm[], parts: readonly MemoryPart[], roomBytes: number, why: string): PartTerm[] {
  const wanted = sumBytes(terms.filter(({part}) => parts.includes(part)))
  if (wanted <= roomBytes) return [...terms]
  const room = Math.max(0, roomBytes)
  return terms.map((term) =>
    parts.includes(term.part)
      ? {...term, bytes: Math.floor((term.bytes * room) / wanted), because: `${term.because}: ${bytesInWords(term.bytes)} is expected, ${why}`}
      : term,
  )
}

export const tight = (message: string): Reason => ({code: 'memory-tight', message})
