import {describe, expect, it} from 'vitest'
import {failureOf} from '../../src/cli/failures.ts'
import {InputError} from '../../src/core/input-error.ts'

describe('an error in words', () => {
  it('cannot move the cursor, whatever name it quotes', () => {
    const {text, json} = failureOf(new InputError('MODEL_UNKNOWN', 'No model named "a\u001B[2Jb\u009B1Ac"', {suggestions: ['d\u001B[31m']}))
    expect(text).toBe('servefit: No model named "a?[2Jb?1Ac"\n  Did you mean d?[31m?\n')
    expect(json.error.message).toContain('\u001B')
  })

  it('stands alone where nothing is suggested', () => {
    expect(failureOf(new InputError('NO_GPU', 'No GPU was found'))).toMatchObject({exitCode: 2, text: 'servefit: No GPU was found\n'})
  })
})
