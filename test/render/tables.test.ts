import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {memoryBar, PARTS} from '../../src/render/memory-bar.ts'
import {inOneUnit, parameters, tokens} from '../../src/render/numbers.ts'
import {byVerdict, paint} from '../../src/render/style.ts'
import {type Column, table} from '../../src/render/tables.ts'
import {widthOf} from '../../src/render/width.ts'

interface Row {
  name: string
  speed: string
  verdict: string
  note: string
}

const ROWS: Row[] = [
  {name: 'nvidia/Qwen3-32B-NVFP4', speed: '1,234', verdict: 'fits', note: 'native'},
  {name: 'RedHatAI/Qwen3-32B-NVFP4', speed: '35', verdict: 'tight', note: '通义'},
  {name: 'Qwen/Qwen3-32B', speed: '7', verdict: 'does not fit', note: ''},
]
const style = paint(true)
const repository = ({name}: Row) => name.slice(name.indexOf('/') + 1)
const columns: Column<Row>[] = [
  {title: 'Checkpoint', value: ({name}) => name, shorter: [{value: repository, expendable: 3}]},
  {title: 'tok/s', value: ({speed}) => speed, right: true},
  {title: 'Verdict', value: ({verdict}) => verdict, style: ({verdict}) => byVerdict(style, verdict)},
  {title: 'Note', value: ({note}) => note, expendable: 2},
]
const plain = (text: string) => text.replaceAll(/\u001B\[[0-9;]*m/g, '')
const uncoloured = columns.map(({style: _style, ...column}) => column)

describe('a table', () => {
  it('stands in full where there is room', () => {
    expect(table(ROWS, uncoloured, Number.POSITIVE_INFINITY)).toBe(
      [
        'Checkpoint                tok/s  Verdict       Note',
        'nvidia/Qwen3-32B-NVFP4    1,234  fits          native',
        'RedHatAI/Qwen3-32B-NVFP4     35  tight         通义',
        'Qwen/Qwen3-32B                7  does not fit',
        '',
      ].join('\n'),
    )
  })

  it('drops whole columns, says which, and keeps publishers where names would coincide', () => {
    // 24 + 5 + 12 and two gaps of two: 45 columns without the note.
    expect(table(ROWS, uncoloured, 45)).toBe(
      [
        'Checkpoint                tok/s  Verdict',
        'nvidia/Qwen3-32B-NVFP4    1,234  fits',
        'RedHatAI/Qwen3-32B-NVFP4     35  tight',
        'Qwen/Qwen3-32B                7  does not fit',
        '',
        '(too narrow for Note: --wide shows all)',
        '',
      ].join('\n'),
    )
    // Without the second of the two the publishers may go: 15 + 5 + 12 + 6 and three gaps.
    expect(table([ROWS[0]!, ROWS[2]!], uncoloured, 44)).toMatch(/^Checkpoint +tok\/s +Verdict +Note\nQwen3-32B-NVFP4 /)
  })

  it('gives a row two lines where one has no room for it, the name whole', () => {
    expect(table(ROWS, uncoloured, 28)).toBe(
      [
        'Checkpoint',
        '  tok/s  Verdict',
        'nvidia/Qwen3-32B-NVFP4',
        '  1,234  fits',
        'RedHatAI/Qwen3-32B-NVFP4',
        '     35  tight',
        'Qwen/Qwen3-32B',
        '      7  does not fit',
        '',
        '(too narrow for Note:',
        ' --wide shows all)',
        '',
      ].join('\n'),
    )
    expect(table(ROWS, uncoloured, 16)).toContain('  tok/s 1,234,\n  Verdict fits,\n  Note native')
  })

  it('says the same with colour and without, and loses nothing at any width', () => {
    const word = fc.string({unit: fc.constantFrom('a', 'b', '-', '通', '1', ',', 'é'), minLength: 1, maxLength: 24})
    fc.assert(
      fc.property(
        fc.array(fc.record({name: word, speed: word, verdict: fc.constantFrom('fits', 'tight'), note: word}), {minLength: 1, maxLength: 6}),
        fc.integer({min: 24, max: 120}),
        (rows, width) => {
          const text = table(rows, columns, width)
          expect(plain(text)).toBe(table(rows, uncoloured, width))
          for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width)
          const joined = plain(text).replaceAll(/\s/g, '')
          for (const {name, speed} of rows) {
            expect(joined.includes(name) || new Set(rows.map(repository)).size === new Set(rows.map((row) => row.name)).size).toBe(true)
            expect(joined).toContain(speed)
          }
        },
      ),
    )
  })
})

describe('numbers', () => {
  it('of a column stand in one unit', () => {
    const words = (...times: number[]) => times.map(inOneUnit(times))
    expect(words(9.31, 33.04, 824.4)).toEqual(['9.3 ms', '33 ms', '824 ms'])
    expect(words(824.4, 82_900)).toEqual(['0.824 s', '82.9 s'])
    expect(words(17.2, 499, 1363)).toEqual(['17 ms', '499 ms', '1,363 ms'])
    expect(words(25.31, 100_400)).toEqual(['0.0253 s', '100 s'])
    // 100.4 s and two minutes: both are over a minute.
    expect(words(100_400, 120_000)).toEqual(['1.67 min', '2.00 min'])
    expect(words(7_200_000, 64_800_000)).toEqual(['2.00 h', '18.0 h'])
    expect(inOneUnit([undefined])(undefined)).toBe('')
  })

  it('a time in a column is the time, to half of its last digit', () => {
    const size = {ms: 1, s: 1000, min: 60_000, h: 3_600_000}
    fc.assert(
      fc.property(fc.array(fc.double({min: 0.06, max: 1e8, noNaN: true}), {minLength: 1, maxLength: 8}), (times) => {
        const words = times.map(inOneUnit(times))
        expect(new Set(words.map((text) => text.split(' ')[1])).size).toBe(1)
        for (const [index, text] of words.entries()) {
          const [figure, unit] = text.replaceAll(',', '').split(' ') as [string, keyof typeof size]
          const half = 0.5 * 10 ** -(figure.split('.')[1]?.length ?? 0)
          expect(Math.abs(Number(figure) - times[index]! / size[unit])).toBeLessThanOrEqual(half * 1.000001)
          // Minutes are for what lasts at least one.
          if (unit === 'min' || unit === 'h') expect(times[index]!).toBeGreaterThanOrEqual(60_000)
        }
      }),
    )
  })

  it('of tokens and parameters mean what they say', () => {
    expect(tokens(40_960)).toBe('40,960')
    expect(tokens(1_048_576)).toBe('1,048,576')
    expect([32_762_123_264, 7_615_616_512, 671e9, 1.04e12, 494_032_768, 30e9].map(parameters)).toEqual(['32.8B', '7.62B', '671B', '1.04T', '494M', '30B'])
  })
})

describe('the memory bar', () => {
  const GIB = 1024 ** 3
  const parts = {
    weightsBytes: 16 * GIB,
    kvCacheBytes: 4 * GIB,
    activationBytes: 1 * GIB,
    cudaGraphBytes: 1 * GIB,
    runtimeBytes: 0.1 * GIB,
    freeBytes: 1.9 * GIB,
  }

  it('has a character for each part, and a key', () => {
    const [heading, bar, key] = memoryBar('Memory per GPU, GiB', parts, 24 * GIB, {columns: 84, colour: false}) as [string, string, string]
    expect(heading).toBe(`  Memory per GPU, GiB${' '.repeat(80 - 19 - 17)}22.1 of 24.0 used`)
    // 80 characters for 24 GiB: 53.3, 13.3, 3.3, 3.3 and 6.3; the tenth of a GiB is 0.3 and shown all the same, at the weights' cost.
    expect(bar).toBe(`  ${'#'.repeat(53)}${'='.repeat(13)}${'+'.repeat(4)}${'*'.repeat(3)}~${'.'.repeat(6)}`)
    expect(key.replaceAll(/\n */g, ' ')).toBe('  # weights 16.0, = KV cache 4.00, + activations 1.00, * graphs 1.00, ~ runtime 0.10, . left 1.90')
    expect(new Set(PARTS.map(({mark}) => mark)).size).toBe(PARTS.length)
  })

  it('marks the end of the memory where more is needed', () => {
    const [heading, bar, key] = memoryBar('Memory per GPU, GiB', {...parts, weightsBytes: 30 * GIB}, 24 * GIB, {columns: 80, colour: false}) as [
      string,
      string,
      string,
    ]
    expect(heading).toContain('36.1 of 24.0 used')
    expect(bar.length).toBe(78)
    // 24 of 36.1, of 75 characters.
    expect(bar.indexOf('|') - 2).toBe(50)
    expect(key).toContain('| end of the memory, over by 12.1')
  })

  it('says the same in colour, and the colours differ in grey', () => {
    const bare = memoryBar('Memory', {...parts, stateBytes: GIB}, 24 * GIB, {columns: 60, colour: false}).join('\n')
    const coloured = memoryBar('Memory', {...parts, stateBytes: GIB}, 24 * GIB, {columns: 60, colour: true}).join('\n')
    expect(coloured).not.toBe(bare)
    expect(plain(coloured)).toBe(bare)
    // Relative luminance of the colours 16 to 231, a cube of six levels (WCAG 2.2).
    const linear = (level: number) => (level / 255 <= 0.04045 ? level / 255 / 12.92 : ((level / 255 + 0.055) / 1.055) ** 2.4)
    const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step)
    const luminance = (colour: number) =>
      0.2126 * linear(level(Math.floor((colour - 16) / 36))) +
      0.7152 * linear(level(Math.floor((colour - 16) / 6) % 6)) +
      0.0722 * linear(level((colour - 16) % 6))
    const greys = PARTS.map(({colour}) => luminance(colour) + 0.05)
    for (const [index, grey] of greys.entries()) if (index > 0) expect(grey / greys[index - 1]!).toBeGreaterThan(1.4)
  })

  it('every part that is named is drawn, and the bar is as long as the line', () => {
    const bytes = fc.integer({min: 0, max: 200 * GIB})
    fc.assert(
      fc.property(
        bytes,
        bytes,
        bytes,
        bytes,
        bytes,
        fc.integer({min: 24, max: 120}),
        (weightsBytes, kvCacheBytes, activationBytes, cudaGraphBytes, total, columns) => {
          const own = {weightsBytes, kvCacheBytes, activationBytes, cudaGraphBytes, runtimeBytes: 0, freeBytes: 0}
          const [, bar, key] = memoryBar('Memory', own, total + GIB, {columns, colour: false}) as [string, string, string]
          const drawn = bar.split('\n').at(-1)!
          expect(drawn.length).toBe(columns - 2)
          for (const [, mark, figure] of key.matchAll(/([#=+*]) [a-zA-Z ]+ (\d[\d.]*\d)/g)) if (Number(figure) >= 0.05) expect(drawn).toContain(mark)
        },
      ),
    )
  })
})
