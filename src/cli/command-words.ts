import {quoteWord} from '../render/launch/shell-quote.ts'

/** Flags that only change how an answer is shown. */
const SHOWN_ONLY = new Set(['explain', 'json', 'simulate', 'seed'])

/** The arguments that ask the same question again, quoted for a shell: what a "next" line is made of. */
export function commandWords(model: string, flags: Record<string, unknown>, known: Record<string, unknown>): string {
  const words = [quoteWord(model)]
  for (const name of Object.keys(known)) {
    const value = flags[name]
    if (value === undefined || value === false || SHOWN_ONLY.has(name)) continue
    for (const one of Array.isArray(value) ? value : [value]) {
      words.push(`--${name}`)
      if (one !== true) words.push(quoteWord(inWords(one)))
    }
  }
  return words.join(' ')
}

const inWords = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'method' in value
    ? `${(value as {method: string}).method}:${(value as unknown as {tokens: number}).tokens}`
    : String(value)
