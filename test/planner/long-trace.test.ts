import {describe, expect, it} from 'vitest'
import {type Trace, type TracePiece, readTrace} from '../../src/planner/capacity/trace.ts'

/** One in a row of a trace that is longer than is held. */
const MOST_IN_A_ROW = 131_072

/** Lines as a stream brings them, made as they are asked for. */
async function* pieces(header: string | undefined, count: number, line: (index: number) => string): AsyncGenerator<TracePiece[]> {
  let number = 0
  const next = (text: string): TracePiece => ({number: ++number, text})
  if (header !== undefined) yield [next(header)]
  for (let from = 0; from < count; from += 1000) yield Array.from({length: Math.min(1000, count - from)}, (_, at) => next(line(from + at)))
}

const HEADER = 'arrivalMs,inputTokens,outputTokens'

describe('a trace that is longer than is held', () => {
  // Half a million: one every 10 ms, but in the middle 150,000 that come one every 2 ms and are longer.
  const COUNT = 500_000
  const [FROM, TO] = [200_000, 350_000]
  const isBusy = (index: number) => index > FROM && index <= TO
  const arrivalMs = (index: number) =>
    1000 + (index <= FROM ? index * 10 : index <= TO ? FROM * 10 + (index - FROM) * 2 : FROM * 10 + (TO - FROM) * 2 + (index - TO) * 10)
  const line = (index: number) => `${arrivalMs(index)},${isBusy(index) ? 400 : 100},${isBusy(index) ? 40 : 20}`

  const read = (of: (index: number) => string, count = COUNT, header: string | undefined = HEADER): Promise<Trace> =>
    readTrace(pieces(header, count, of), 'trace.csv')

  it('is summed up whole, and its busiest stretch is kept', async () => {
    const {requests, summary} = await read(line)
    const seconds = (200_000 * 10 + 150_000 * 2 + 149_999 * 10) / 1000
    expect(summary).toEqual({
      requests: COUNT,
      seconds,
      // (350,000 x 100 + 150,000 x 400) / 500,000, and the same of 20 and 40.
      inputTokens: 190,
      outputTokens: 26,
      meanRequestsPerSecond: expect.closeTo((COUNT - 1) / seconds, 9),
      // In a minute of 60,000 ms and its first one 30,001 that come every 2 ms.
      peakRequestsPerSecond: expect.closeTo(30_001 / 60, 9),
      busiestRequests: MOST_IN_A_ROW,
    })
    expect(requests).toHaveLength(MOST_IN_A_ROW)
    // Looked at in steps of an eighth: all of it lies where requests come every 2 ms.
    expect(requests[0]).toEqual({arrivalMs: 0, inputTokens: 400, outputTokens: 40})
    expect(requests.at(-1)).toEqual({arrivalMs: (MOST_IN_A_ROW - 1) * 2, inputTokens: 400, outputTokens: 40})
  })

  it('may be out of order as far as it is held, and no further', async () => {
    const swapped = (index: number) => line(index % 2 === 0 ? index + 1 : index - 1)
    expect((await read(swapped)).summary).toEqual((await read(line)).summary)
    await expect(read((index) => line(COUNT - 1 - index))).rejects.toThrow(/expected a trace of this length in order of arrival/)
  })

  it('is in seconds or in milliseconds throughout', async () => {
    const json = (index: number) => JSON.stringify({timestamp: index === 400_000 ? index + 0.5 : index, input_length: 10, output_length: 10})
    const {summary} = await read((index) => json(index % 400_000 === 0 ? 0 : index), 300_000, '{"timestamp":0,"input_length":10,"output_length":10}')
    expect(summary.seconds).toBeCloseTo(299.999, 9)
    await expect(read(json, COUNT, '{"timestamp":0,"input_length":10,"output_length":10}')).rejects.toThrow(/line 400002: timestamp has a fraction/)
  })

  it('names a line that is too long for a request', async () => {
    const long = (async function* (): AsyncGenerator<TracePiece[]> {
      yield [{number: 1, text: HEADER}, {number: 2}]
    })()
    await expect(readTrace(long, 'trace.csv')).rejects.toThrow(/line 2: far longer than a request/)
  })
})

it('arrivals beyond what is told apart in a minute count as few too many, never too few', async () => {
  // 300,000 in one minute, then a quiet one: 5,000 a second.
  const {summary} = await readTrace(
    pieces(HEADER, 300_061, (index) => `${index < 300_000 ? index / 5 : 60_000 + (index - 300_000) * 1000},10,10`),
    'trace.csv',
  )
  expect(summary.peakRequestsPerSecond).toBeGreaterThanOrEqual(300_000 / 60)
  expect(summary.peakRequestsPerSecond).toBeLessThan((300_000 / 60) * 1.001)
})
