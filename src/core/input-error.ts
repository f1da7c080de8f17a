/** Of a word in a message, and of the message: what was wrong may be as long as its file, and its beginning says which it is. */
const MOST_WORD_CHARACTERS = 400
const MOST_CHARACTERS = 4000

const LONG_WORD = new RegExp(`(\\S{${MOST_WORD_CHARACTERS}})\\S+`, 'g')

function shortened(message: string): string {
  const text = message.length > MOST_WORD_CHARACTERS ? message.replaceAll(LONG_WORD, '$1...') : message
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text
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
    super(shortened(message))
    this.name = 'InputError'
    this.code = code
    this.suggestions = suggestions
  }
}
