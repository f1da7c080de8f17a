import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {type BoundedLine, boundedLines} from '../../src/import/bounded-lines.ts'

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function linesOf(bytes: Buffer, size: number, most = 100): Promise<BoundedLine[]> {
  const lines: BoundedLine[] = []
  for await (const some of boundedLines(pieces(bytes, size), {mostCharacters: most})) lines.push(...some)
  return lines
}

describe('lines of a stream', () => {
  it('are those of the whole text, wherever it is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({unit: 'grapheme', maxLength: 20}).map((text) => text.replaceAll(/[\r\n\uFEFF]/g, ' '))),
        fc.integer({min: 1, max: 9}),
        async (texts, size) => {
          const lines = await linesOf(Buffer.from(texts.map((text) => `${text}\r\n`).join('')), size)
          expect(lines.map(({text}) => text)).toEqual(texts)
          expect(lines.map(({number}) => number)).toEqual(texts.map((_, index) => index + 1))
        },
      ),
    )
  })

  it('are passed over where they are too long, to the character, and the next one is not', async () => {
    for (const size of [1, 7, 1000]) {
      const lines = await linesOf(Buffer.from(`${'a'.repeat(100)}\n${'b'.repeat(101)}\nc\n\n${'d'.repeat(250)}`), size)
      expect(lines).toEqual([{number: 1, text: 'a'.repeat(100)}, {number: 2}, {number: 3, text: 'c'}, {number: 4, text: ''}, {number: 5}])
    }
  })

  it('that are too long are told before they end', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.from('yyyyyyyyyy')
    }
    for await (const some of boundedLines(endless(), {mostCharacters: 100})) {
      expect(some).toEqual([{number: 1}])
      break
    }
  })

  it('that are too long give their front where that is wanted, wherever they are cut', async () => {
    for (const size of [1, 7, 1000]) {
      const lines: BoundedLine[] = []
      for await (const some of boundedLines(pieces(Buffer.from('abcdefgh\nxy\n'), size), {mostCharacters: 5, keepFront: true})) lines.push(...some)
      expect(lines).toEqual([
        {number: 1, text: 'abcde'},
        {number: 2, text: 'xy'},
      ])
    }
  })

  it('in UTF-16 with its mark, as PowerShell writes them, and in UTF-8 with one', async () => {
    const text = 'é 日本\r\nzwei\r\n'
    const little = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
    const marked = Buffer.from(`\uFEFF${text}`)
    for (const bytes of [little, marked]) expect((await linesOf(bytes, 4096)).map((line) => line.text)).toEqual(['é 日本', 'zwei'])
  })
})
