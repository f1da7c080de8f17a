import fc from 'fast-check'
import {expect, test} from 'vitest'
import {formatLayerPattern, formatLayerRanges, parseLayerPattern, parseLayerRanges} from '../../src/catalogue/layer-pattern.ts'
import {effortOf} from '../effort.ts'

test('unfolds repetition and brackets', () => {
  expect(parseLayerPattern('full x2, (linear x3, full) x2')).toEqual([
    'full',
    'full',
    'linear',
    'linear',
    'linear',
    'full',
    'linear',
    'linear',
    'linear',
    'full',
  ])
  expect(parseLayerPattern('((a, b) x2, c) x2')).toEqual(['a', 'b', 'a', 'b', 'c', 'a', 'b', 'a', 'b', 'c'])
})

test('is short for what repeats', () => {
  expect(formatLayerPattern(Array.from({length: 64}, (_, i) => ((i + 1) % 4 === 0 ? 'full' : 'linear')))).toBe('(linear x3, full) x16')
  expect(formatLayerPattern(['mla-dense', ...Array.from({length: 60}, () => 'mla-moe')])).toBe('mla-dense, mla-moe x60')
})

test.each([
  ['', 'the end'],
  ['full,', 'the end'],
  ['(full', 'closing bracket'],
  ['full)', '")"'],
  ['full x0', '1 to 2000'],
  ['full x9999', '1 to 2000'],
  ['x3', 'name of a layer kind'],
  ['(((((((((a)))))))))', 'deeper than 8'],
  ['Full', 'name of a layer kind'],
])('refuses "%s"', (pattern, why) => {
  expect(() => parseLayerPattern(pattern)).toThrow(why)
})

test('writing and reading are inverse', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'moe', 'full+mamba'), {minLength: 1, maxLength: 40}), (layers) => {
      expect(parseLayerPattern(formatLayerPattern(layers))).toEqual(layers)
    }),
  )
})

test('ranges', () => {
  expect(parseLayerRanges('0-2,60')).toEqual([0, 1, 2, 60])
  expect(formatLayerRanges([60, 2, 1, 0])).toBe('0-2,60')
  for (const wrong of ['', '3-1', 'a', '1-', '99999']) expect(() => parseLayerRanges(wrong)).toThrow(SyntaxError)
})

test('thousands of layers take no time', async () => {
  const layers = Array.from({length: 2000}, (_, i) => (i % 7 === 3 ? 'full' : 'linear'))
  expect(await effortOf(() => expect(parseLayerPattern(formatLayerPattern(layers))).toEqual(layers))).toBeLessThan(100)
})
