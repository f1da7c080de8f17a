import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {widthsFor} from '../../src/render/look.ts'
import {wrap} from '../../src/render/style.ts'
import {broken, padEnd, padStart, widthOf} from '../../src/render/width.ts'

describe('the width of a text', () => {
  it.each([
    ['Qwen3-32B', 9],
    // Ideographs, kana and Hangul are two columns wide; half-width kana are one.
    ['通义千问', 8],
    ['한국', 4],
    ['ｱ', 1],
    // A combining acute accent stands on its letter.
    ['e\u0301', 1],
    ['é', 1],
    // The form with a picture: two columns for one that is drawn as text else.
    ['\u2764\uFE0F', 2],
    ['\u{1F680}', 2],
    // Styles have none.
    ['\u001B[31mred\u001B[39m', 3],
    ['', 0],
  ])('%j takes %d columns', (text, columns) => {
    expect(widthOf(text)).toBe(columns)
    expect(widthOf(padEnd(text, 12))).toBe(12)
    expect(padStart(text, 12)).toBe(' '.repeat(12 - columns) + text)
  })
})

describe('long words', () => {
  it('are broken behind a mark that parts them, and nothing is lost', () => {
    expect(broken('RedHatAI/Qwen3-8B-FP8-dynamic', 22)).toEqual(['RedHatAI/Qwen3-8B-FP8-', 'dynamic'])
    expect(broken('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    // Each ideograph takes two of the five columns.
    expect(broken('通义千问', 5)).toEqual(['通义', '千问'])
    // A number stays whole.
    expect(broken('cache=40,960', 8)).toEqual(['cache=', '40,960'])
    fc.assert(
      fc.property(
        fc.string({unit: fc.constantFrom('a', '-', '/', '通', 'e\u0301', '\u001B[1m', '7', ','), maxLength: 60}),
        fc.integer({min: 8, max: 40}),
        (word, columns) => {
          const parts = broken(word, columns)
          expect(parts.join('')).toBe(word)
          for (const part of parts) expect(widthOf(part)).toBeLessThanOrEqual(columns)
        },
      ),
    )
  })

  it('no line of a paragraph is longer than asked', () => {
    const words = fc.array(fc.string({unit: fc.constantFrom('a', 'b', '-', '通', '1', ',', '.'), minLength: 1, maxLength: 30}), {maxLength: 20})
    fc.assert(
      fc.property(words, fc.integer({min: 8, max: 60}), (own, columns) => {
        const text = wrap(own.join(' '), columns, 4)
        for (const [index, line] of text.split('\n').entries()) expect(widthOf(line) - (index > 0 ? 4 : 0)).toBeLessThanOrEqual(columns)
        expect(text.replaceAll(/\s/g, '')).toBe(own.join(''))
      }),
    )
  })
})

describe('widths for an output', () => {
  const wide = Number.POSITIVE_INFINITY
  it.each([
    ['a file: tables as wide as they are', {}, {}, false, 80, wide],
    ['a file with COLUMNS', {}, {COLUMNS: '60'}, false, 60, 60],
    ['a terminal', {isTTY: true, columns: 100}, {}, false, 100, 100],
    ['a wide terminal: prose stays readable', {isTTY: true, columns: 200}, {}, false, 120, 200],
    ['a terminal with COLUMNS, which is honoured', {isTTY: true, columns: 200}, {COLUMNS: '72'}, false, 72, 72],
    ['a terminal that knows no width', {isTTY: true, columns: 0}, {}, false, 80, 80],
    ['a terminal with --wide', {isTTY: true, columns: 80}, {}, true, 80, wide],
    ['COLUMNS that is no number', {}, {COLUMNS: 'many'}, false, 80, wide],
    ['COLUMNS that nobody can read in', {}, {COLUMNS: '1'}, false, 24, 24],
  ] as const)('%s', (_, stream, environment, asked, columns, tableColumns) => {
    expect(widthsFor(stream, environment, asked)).toEqual({columns, tableColumns})
  })
})
