import {expect, it} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'

it('a message names what was wrong, and does not repeat all of it', () => {
  const {message} = new InputError('X', `layer "${'x'.repeat(100_000)}" is unknown: expected one of a, b`)
  // 300 characters of the word, and its last 60, the quotes among them.
  expect(message).toBe(`layer "${'x'.repeat(299)}...${'x'.repeat(59)}" is unknown: expected one of a, b`)
  expect(new InputError('X', 'a b '.repeat(10_000)).message).toHaveLength(4000)
  expect(new InputError('X', 'No model named "a"').message).toBe('No model named "a"')
})
