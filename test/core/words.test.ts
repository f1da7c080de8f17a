import {describe, expect, it} from 'vitest'
import {durationBeside, durationInWords, percentOf, shareOf} from '../../src/core/words.ts'

describe('a duration beside its limit', () => {
  it('is told as ever where the two read differently, or are equal', () => {
    expect(durationBeside(21.4, 20)).toBe('21 ms')
    expect(durationBeside(20, 20)).toBe('20 ms')
    expect(durationBeside(4500, 2000)).toBe('4.50 s')
  })

  it('has the digits that tell it from the limit', () => {
    expect(durationBeside(20.4, 20)).toBe('20.4 ms')
    expect(durationBeside(20.004, 20)).toBe('20.004 ms')
    // Two seconds are 2 s as a limit and 2.00 s as an estimate: the same to whoever reads them.
    expect(durationBeside(2001, 2000)).toBe('2.001 s')
    expect(durationBeside(180_020, 180_000)).toBe('180.02 s')
  })
})

describe('a duration in words', () => {
  it.each([
    [9.31, '9.3 ms'],
    [9.96, '10 ms'],
    [420.4, '420 ms'],
    // 999.6 ms are a second, and 59.96 seconds a minute: no 1000 ms, no 60.0 s.
    [999.6, '1.00 s'],
    [1404, '1.40 s'],
    [2000, '2 s'],
    [9996, '10.0 s'],
    [59_940, '59.9 s'],
    [59_960, '1.0 min'],
    [60_000, '1 min'],
    [100_400, '1.7 min'],
    [600_000, '10 min'],
    [7_169_000, '119 min'],
    [7_200_000, '2.0 h'],
    [64_800_000, '18 h'],
  ])('%d ms are %s', (ms, words) => {
    expect(durationInWords(ms)).toBe(words)
  })
})

describe('a share', () => {
  it('is read as a fraction or in per cent, and of requests in three ways', () => {
    expect(['0.5', '50%', ' 50 % ', '14%', '1e-3'].map(shareOf)).toEqual([0.5, 0.5, 0.5, 0.14, 0.001])
    expect(['half', '50%%', '', '0.5.1'].map(shareOf)).toEqual([undefined, undefined, undefined, undefined])
    expect(['95', '95%', '0.95', '1', '1%', '99.9%'].map(percentOf)).toEqual([95, 95, 95, 1, 1, 99.9])
  })
})
