import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {CondensedLog} from '../../src/verify/condensed-log.ts'
import {readLog} from '../../src/verify/read-log.ts'

const START = readFileSync(new URL('../fixtures/verify/vllm-0.11.1-qwen3-8b-rtx-4090.log', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
const SERVES = (index: number) => `INFO 06-02 13:31:44 [loggers.py:181] Avg prompt throughput: ${index}.0 tokens/s, GPU KV cache usage: 1.0%`

const condensed = (lines: Iterable<string>): string => {
  const log = new CondensedLog()
  for (const line of lines) log.add(line)
  return log.text()
}

function* flooded(count: number, ...around: [before: readonly string[], after: readonly string[]]): Generator<string> {
  yield* around[0]
  for (let index = 0; index < count; index++) yield SERVES(index)
  yield* around[1]
}

describe('a log that is longer than is read', () => {
  const plain = readLog([START.join('\n')])

  it('says what its start says', () => {
    const text = condensed(flooded(400_000, START, []))
    // 100,000 lines of the start and 2,000 of the end.
    expect(text.split('\n')).toHaveLength(102_000)
    expect(text.length).toBeLessThan(20e6)
    expect(readLog([text])).toMatchObject({figures: plain.figures, settings: plain.settings, outcome: plain.outcome})
  })

  it('finds the start that came last, behind all the others', () => {
    const other = START.map((line) => line.replaceAll('Qwen/Qwen3-8B', 'Qwen/Qwen3-14B'))
    const report = readLog([condensed(flooded(300_000, other, START))])
    expect(report).toMatchObject({model: plain.model, figures: plain.figures, starts: 2})
  })

  it('tells of a server that fails later on', () => {
    const failure =
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 448.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which 201.06 MiB is free.'
    const up = 'INFO:     Application startup complete.'
    const lines = [...flooded(150_000, [...START, up], [failure]), ...flooded(10_000, [], [])]
    expect(readLog([condensed(lines)]).later).toMatchObject({neededBytes: 448 * 2 ** 20, during: 'serving'})
  })

  it('keeps little of floods, however their lines end', () => {
    expect(condensed(['y\r'.repeat(100_000), 'y'])).toBe('')
    expect(condensed(Array.from({length: 200}, () => 'x'.repeat(1_000_000))).length).toBeLessThan(18e6)
  })
})
