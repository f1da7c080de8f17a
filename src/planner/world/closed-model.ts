import {InputError} from '../../core/input-error.ts'

/** A model whose weights are not published, and the open ones near it. */
export class ClosedModelError extends InputError {
  /** What is said of it alone. */
  readonly about: string

  constructor(about: string, open: readonly string[], which = 'comparable open models') {
    super('MODEL_CLOSED', open.length === 0 ? about : `${about}; ${which}: ${open.join(', ')}`, {suggestions: [...open]})
    this.about = about
  }
}
