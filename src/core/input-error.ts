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
    super(message)
    this.name = 'InputError'
    this.code = code
    this.suggestions = suggestions
  }
}
