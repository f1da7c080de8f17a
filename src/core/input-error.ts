/** Longest word, and longest message: what was given is named by its beginning and end, not echoed, for it may be as long as its file. */
const LONG_WORD = /\S{401,}/g
const MOST_CHARACTERS = 4000

/** A message that quotes what was given, as long as somebody reads. */
export function shortMessage(message: string): string {
  const words = message.replaceAll(LONG_WORD, (word) => `${word.slice(0, 300)}...${word.slice(-60)}`)
  return words.length > MOST_CHARACTERS ? `${words.slice(0, MOST_CHARACTERS - 3)}...` : words
}

/**
 * The input was wrong: a name nobody knows, a malformed figure, an unreadable file. Exit code 2.
 * The message names the thing and says what was expected; suggestions are the closest known names, best first.
 */
export class InputError extends Error {
  /** What is wrong, as a word for programs: `MODEL_UNKNOWN`, `GPU_UNKNOWN`, `SCENARIO_INVALID`, ... */
  code: string
  /** Empty where nothing is close. */
  suggestions: string[]

  constructor(code: string, message: string, {suggestions = []}: {suggestions?: string[]} = {}) {
    super(shortMessage(message))
    this.name = 'InputError'
    this.code = code
    this.suggestions = suggestions
  }
}
