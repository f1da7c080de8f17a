import {BoundedMap} from './bounded-map.ts'

/** Something that can be asked for: the name to suggest, and all the spellings it goes by. */
export interface Known {
  name: string
  spellings: readonly string[]
}

/** Below this share of agreement a suggestion is noise. Set by hand on misspelt model and card names. */
const closeEnough = 0.6

/**
 * "Did you mean": the known names closest to a misspelt one, best first; none when nothing is close.
 * A spelling scores by its edit distance as a whole or by the words it shares, whichever is better: `rtx-4900` is one
 * slip away from `rtx-4090`, whereas `llama 8b` shares two words with `llama-3.1-8b-instruct`.
 */
export function nearest(asked: string, known: readonly (string | Known)[], limit = 5): string[] {
  if (asked.length > LONGEST_NAME) return []
  const wanted = words(asked)
  if (wanted.length === 0) return []
  const scored = known.map((entry) => {
    const {name, spellings} = typeof entry === 'string' ? {name: entry, spellings: []} : entry
    return {name, score: Math.max(...[name, ...spellings].map((spelling) => agreement(wanted, knownWords(spelling), closeEnough)))}
  })
  const close = scored.filter(({score}) => score >= closeEnough)
  const ordered = close.sort((a, b) => b.score - a.score || (a.name < b.name ? -1 : 1))
  return [...new Set(ordered.map(({name}) => name))].slice(0, limit)
}

/** Nothing is misspelt into more than this: comparing it with every name would only take time. */
const LONGEST_NAME = 256

/** A name in quotes for a message; of a very long one the beginning. */
export const quotedShort = (name: string): string => (name.length > 80 ? `"${name.slice(0, 77)}..."` : `"${name}"`)

/** Agreement of two names, 0 to 1; case and punctuation do not count. */
export function similarity(asked: string, spelling: string): number {
  const [a, b] = [words(asked), words(spelling)]
  if (a.length === 0 || b.length === 0) return 0
  return agreement(a, b, 0)
}

/** Runs of letters and runs of digits: `qwen3-32b` gives qwen, 3, 32, b. */
const words = (name: string): string[] => name.toLowerCase().match(/\p{L}+|\d+/gu) ?? []

/** Known names are taken apart once, whoever asks how often. */
const WORDS = new BoundedMap<string, string[]>(20_000)
const knownWords = (spelling: string): string[] => WORDS.once(spelling, () => words(spelling))

/** As `similarity`; what is less than `least` may come out as 0, which is found sooner. */
function agreement(asked: readonly string[], other: readonly string[], least: number): number {
  if (other.length === 0) return 0
  if (abbreviates(asked, other)) return ABBREVIATED
  return Math.max(closeness(asked.join(''), other.join(''), least), overlap(asked, other))
}

/** Almost the name: `gpu-mem-util` is short for `gpu-memory-utilization` word by word, though half of the letters are missing. */
const ABBREVIATED = 0.95

const abbreviates = (asked: readonly string[], other: readonly string[]): boolean =>
  asked.length > 1 && asked.length === other.length && asked.every((word, at) => word === other[at] || (word.length > 2 && other[at]!.startsWith(word)))

/** Share of the asked letters that have a like word in the other name; less where that name has many words more. */
function overlap(asked: readonly string[], other: readonly string[]): number {
  const best = asked.map((word) => ({word, score: Math.max(...other.map((candidate) => closeness(word, candidate, closeEnough)))}))
  const matched = best.filter(({score}) => score >= closeEnough)
  const letters = asked.join('').length
  const covered = matched.reduce((sum, {word, score}) => sum + word.length * score, 0) / letters
  return covered * (0.75 + 0.25 * Math.min(1, matched.length / other.length))
}

/** 1 for equal words, 0 for words that share nothing or too little to be close; 0 as well for less than `least`. */
function closeness(a: string, b: string, least: number): number {
  if (a === b) return 1
  const longer = Math.max(a.length, b.length)
  // The difference in length has to be inserted: beyond it the distance need not be known.
  if (1 - Math.abs(a.length - b.length) / longer < closeEnough) return 0
  // A little more than the bound, which rounding may not reach.
  const most = least === 0 ? longer : Math.floor((1 - least) * longer + 1e-9)
  const distance = editDistance(a, b, most)
  return distance > most ? 0 : 1 - distance / longer
}

/**
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, changes, and swaps of neighbours. Beyond `most` it is only told
 * to be more.
 */
export function editDistance(a: string, b: string, most = Math.max(a.length, b.length)): number {
  let beforeLast: number[] = []
  let last = Array.from({length: b.length + 1}, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let [leastOfRow, leastOfLast] = [i, last[0]!]
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let value = Math.min(change, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) value = Math.min(value, beforeLast[j - 2]! + 1)
      row.push(value)
      if (value < leastOfRow) leastOfRow = value
      if (last[j]! < leastOfLast) leastOfLast = last[j]!
    }
    // A swap reaches over one row: both must be beyond.
    if (leastOfRow > most && leastOfLast > most) return most + 1
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
