import {describe, expect, it} from 'vitest'
import {failureOf} from '../../src/cli/failures.ts'
import {InputError} from '../../src/core/input-error.ts'

describe('an error in words', () => {
  it('cannot move the cursor, whatever name it quotes', () => {
    const {text, json} = failureOf(new InputError('MODEL_UNKNOWN', 'No model named "a\u001B[2Jb\u009B1Ac"', {suggestions: ['d\u001B[31m']}))
    expect(text).toBe('servefit: No model named "a?[2Jb?1Ac"\n  Did you mean d?[31m?\n')
    expect(json.error.message).toContain('\u001B')
  })

  it('names what is very long by its beginning and its end', () => {
    const name = `${'a'.repeat(4000)}z`
    const {text, json} = failureOf(new InputError('FILE_UNREADABLE', `${name} is not there: expected a scenario`))
    expect(text).toBe(`servefit: ${'a'.repeat(300)}...${'a'.repeat(59)}z is not there: expected a scenario\n`)
    expect(json.error.message).toHaveLength(300 + 3 + 60 + ' is not there: expected a scenario'.length)
    // Of many words no more than 4,000 characters.
    expect(failureOf(new InputError('FLAGS_INVALID', 'word '.repeat(2000))).json.error.message).toHaveLength(4000)
    // The longest name that is told whole.
    expect(failureOf(new InputError('MODEL_UNKNOWN', 'b'.repeat(400))).text).toBe(`servefit: ${'b'.repeat(400)}\n`)
  })

  it('stands alone where nothing is suggested', () => {
    expect(failureOf(new InputError('NO_GPU', 'No GPU was found'))).toMatchObject({exitCode: 2, text: 'servefit: No GPU was found\n'})
  })
})
