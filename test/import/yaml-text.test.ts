import {describe, expect, it} from 'vitest'
import {yamlValue} from '../../src/import/yaml-text.ts'

const read = (text: string) => yamlValue(text, 'a.yaml', 'a scenario')

describe('a YAML text', () => {
  it('is one document, or a list of several', async () => {
    expect(await read('gpu: 1xh100-sxm\nworkload: {inputTokens: 5}\n')).toEqual({gpu: '1xh100-sxm', workload: {inputTokens: 5}})
    expect(await read('a: &x [1]\nb: *x\n')).toEqual({a: [1], b: [1]})
    expect(await read('---\na: 1\n---\nb: 2\n')).toEqual([{a: 1}, {b: 2}])
  })

  it.each([
    ['a key twice', 'a: 1\nb: {c: 1, c: 2}\n', /the key "c" stands twice/],
    ['references without end', `a: &a [1]\n${Array.from({length: 101}, (_, index) => `k${index}: *a\n`).join('')}`, /more than 100 references/],
    ['nesting that no stack holds', '- '.repeat(100_000), /nested too deeply/],
    ['what breaks off', 'a: [1, 2\n', /is not YAML/],
    ['more than a mebibyte', `a: ${'x'.repeat(2 ** 20)}`, /more than 1 MiB of YAML/],
  ])('not with %s', async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message)
  })

  it('with tens of thousands of keys and anchors, none of which is compared with each other one', async () => {
    const text = Array.from({length: 30_000}, (_, index) => `k${index}: &a${index} 1\n`).join('')
    expect(Object.keys((await read(text)) as object)).toHaveLength(30_000)
  })

  it('names the place of its first error, in a time in proportion to the text', async () => {
    await expect(read('a: 1\nb: [1, 2\nc: 3\n')).rejects.toThrow(/at line \d, column \d/)
    const processorMs = async (count: number): Promise<number> => {
      const before = process.cpuUsage()
      await expect(read(`a:\n  - {b: 4${'&a ['.repeat(count)}`)).rejects.toThrow(/at line 2, column 13/)
      const {user, system} = process.cpuUsage(before)
      return (user + system) / 1000
    }
    await processorMs(5000)
    // Eight times as much text: 64 times as long where every error is looked up from the start.
    expect(await processorMs(40_000)).toBeLessThan(24 * (await processorMs(5000)))
  })
})
