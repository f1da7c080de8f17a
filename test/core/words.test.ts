import {describe, expect, it} from 'vitest'
import {durationBeside} from '../../src/core/words.ts'

describe('a duration beside its limit', () => {
  it('is told as ever where the two read differently, or are equal', () => {
    expect(durationBeside(21.4, 20)).toBe('21 ms')
    expect(durationBeside(20, 20)).toBe('20 ms')
    expect(durationBeside(4500, 2000)).toBe('4.50 s')
  })

  it('has the digits that tell it from the limit', () => {
    expect(durationBeside(20.4, 20)).toBe('20.4 ms')
    expect(durationBeside(20.004, 20)).toBe('20.004 ms')
    expect(durationBeside(2001, 2000)).toBe('2.001 s')
    expect(durationBeside(180_020, 180_000)).toBe('180.02 s')
  })
})
