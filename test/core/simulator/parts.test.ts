import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {distributionOf, quantile} from '../../../src/core/simulator/distribution.ts'
import {EventQueue} from '../../../src/core/simulator/event-queue.ts'
import {benchmarkLengths, type LengthLaw, requestsOf} from '../../../src/core/simulator/load.ts'
import {randomOf, xoshiro128} from '../../../src/core/simulator/random.ts'

const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length

describe('random numbers', () => {
  it('are those of the published algorithm', () => {
    // State 1, 2, 3, 4. First: 2 x 5 = 10, rotated by 7 bits 1,280, times 9 = 11,520. The state becomes 7, 0, 1026, 12288: second 0.
    // Then its second word is 0 xor (1026 xor 7) = 1029: 5,145 x 128 x 9 = 5,927,040.
    const next = xoshiro128([1, 2, 3, 4])
    expect([next(), next(), next()]).toEqual([11_520, 0, 5_927_040])
  })

  it('depend on the seed and on nothing else', () => {
    const draws = (seed: number) => {
      const random = randomOf(seed)
      return Array.from({length: 5}, () => random.uniform())
    }
    expect(draws(7)).toEqual(draws(7))
    expect(draws(7)).not.toEqual(draws(8))
  })

  it('have the moments that they should', () => {
    const random = randomOf(1)
    const count = 200_000
    const uniform = Array.from({length: count}, () => random.uniform())
    const exponential = Array.from({length: count}, () => random.exponential())
    const normal = Array.from({length: count}, () => random.normal())
    // Standard errors of the means: 0.289, 1 and 1 over the root of 200,000, that is 0.0006 and 0.0022: four of them.
    expect(Math.abs(mean(uniform) - 0.5)).toBeLessThan(0.0026)
    expect(Math.abs(mean(exponential) - 1)).toBeLessThan(0.009)
    expect(Math.abs(mean(normal))).toBeLessThan(0.009)
    expect(Math.abs(mean(normal.map((z) => z * z)) - 1)).toBeLessThan(0.013)
  })

  it('of one seed and two streams are not related', () => {
    const [a, b] = [randomOf(3, 0), randomOf(3, 1)]
    const products = Array.from({length: 100_000}, () => (a.uniform() - 0.5) * (b.uniform() - 0.5))
    // Standard deviation of a product 1/12: four standard errors of the mean are 0.0011.
    expect(Math.abs(mean(products))).toBeLessThan(0.0011)
  })
})

describe('lengths', () => {
  const lengths = (law: LengthLaw) => requestsOf({kind: 'at-once', requestCount: 50_000, input: law, output: {kind: 'fixed', tokens: 1}}, 5).inputTokens

  it('as benchmarks draw them: 0.8 to 1.0 of the nominal, 0.9 in the mean', () => {
    const drawn = lengths(benchmarkLengths(900))
    expect(Math.min(...drawn)).toBe(800)
    expect(Math.max(...drawn)).toBe(1000)
    expect(mean(drawn)).toBeCloseTo(900, -1)
  })

  it('lognormal: the mean that was asked for, the median below it', () => {
    const drawn = lengths({kind: 'lognormal', mean: 1000, deviation: 0.5})
    // Standard error: 1000 x sqrt(exp(0.25) - 1) / sqrt(50,000) = 2.4.
    expect(Math.abs(mean(drawn) - 1000)).toBeLessThan(10)
    // Median: 1000 exp(-0.125) = 882.5.
    expect(Math.abs(quantile(Float64Array.from(drawn).sort(), 0.5) - 882.5)).toBeLessThan(10)
  })

  it('observed: nothing else', () => {
    expect(new Set(lengths({kind: 'observed', tokens: [3, 70]}))).toEqual(new Set([3, 70]))
  })

  it('never less than a token', () => {
    expect(Math.min(...lengths({kind: 'lognormal', mean: 2, deviation: 2}))).toBe(1)
  })
})

describe('arrivals', () => {
  const drawn = {requestCount: 40_000, input: {kind: 'fixed', tokens: 1}, output: {kind: 'fixed', tokens: 1}} as const

  it('come at the rate, in order', () => {
    const {arrivalMs} = requestsOf({kind: 'poisson', requestsPerSecond: 20, ...drawn}, 1)
    // 40,000 at 20 a second: 2,000 s, within four standard errors of 10 s.
    expect(Math.abs(arrivalMs.at(-1)! / 1000 - 2000)).toBeLessThan(40)
    expect(arrivalMs.every((time, index) => index === 0 || time >= arrivalMs[index - 1]!)).toBe(true)
  })

  it('twice the rate is the same requests in half the time', () => {
    const slow = requestsOf({kind: 'poisson', requestsPerSecond: 20, ...drawn}, 1).arrivalMs
    const fast = requestsOf({kind: 'poisson', requestsPerSecond: 40, ...drawn}, 1).arrivalMs
    expect(fast.at(-1)! * 2).toBeCloseTo(slow.at(-1)!, 3)
  })

  it('bursts come together and at the same mean rate', () => {
    const {arrivalMs} = requestsOf({kind: 'bursts', requestsPerSecond: 20, requestsPerBurst: 8, ...drawn}, 1)
    expect(arrivalMs[0]).toBe(arrivalMs[7])
    expect(arrivalMs[8]).toBeGreaterThan(arrivalMs[7]!)
    // 5,000 bursts: standard error 2,000 / sqrt(5,000) = 28 s.
    expect(Math.abs(arrivalMs.at(-1)! / 1000 - 2000)).toBeLessThan(113)
  })

  it('a trace is sorted', () => {
    const {arrivalMs, inputTokens} = requestsOf(
      {
        kind: 'trace',
        requests: [
          {arrivalMs: 9, inputTokens: 1, outputTokens: 1},
          {arrivalMs: 4, inputTokens: 2, outputTokens: 1},
        ],
      },
      0,
    )
    expect([...arrivalMs]).toEqual([4, 9])
    expect([...inputTokens]).toEqual([2, 1])
  })
})

describe('order of events', () => {
  it('by time, then as they were put in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({max: 20}), {maxLength: 60}), (times) => {
        const queue = new EventQueue()
        times.forEach((time, index) => {
          queue.push(time, index)
        })
        const taken = times.map(() => queue.pop())
        expect(queue.pop()).toBe(-1)
        const expected = times.map((_, index) => index).sort((a, b) => times[a]! - times[b]! || a - b)
        expect(taken).toEqual(expected)
      }),
    )
  })
})

describe('percentiles', () => {
  it('lie between neighbours', () => {
    // Ranks 0 to 3: half is at 1.5, nine tenths at 2.7.
    expect(quantile([10, 20, 30, 40], 0.5)).toBe(25)
    expect(quantile([10, 20, 30, 40], 0.9)).toBeCloseTo(37, 12)
    expect(distributionOf([])).toBeUndefined()
    expect(distributionOf([7])).toEqual({mean: 7, p50: 7, p90: 7, p95: 7, p99: 7, max: 7})
  })
})
