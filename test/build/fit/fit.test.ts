import {expect, it} from 'vitest'
import {asTold, logErrors} from '../../../src/build/fit/fit.ts'
import {performance} from '../../../src/core/throughput/performance.ts'
import {calibration, question} from '../../core/throughput/question.ts'

it.each([
  [1, 1, 1],
  [8, 2, 2],
  [8, 64, 8],
])('%d replicas under %d requests serve what %d with their share of the load would, in a fit too', (dp, concurrency, busy) => {
  const of = (replicas: number, requests: number) =>
    question({tp: 1, dp: replicas, gpuCount: replicas, workload: {inputTokens: 1024, outputTokens: 256, concurrency: requests}})
  const alone = performance(of(1, concurrency / busy), calibration).outputTokensPerSecond.estimate
  const measurement = {id: 'one', model: 'any', gpu: 'any', source: 'any', input: of(dp, concurrency), observed: {outputTokensPerSecond: busy * alone}}
  expect(logErrors(measurement, calibration)[2]).toBeCloseTo(0, 9)
  expect(performance(measurement.input, calibration).outputTokensPerSecond.estimate / alone).toBeCloseTo(busy, 9)
})

it('the mean rate of a burst belongs to a shorter time than the mean of its times', () => {
  // 20 prompts of 4.15 s and answers of 256 tokens at 30 ms: times per token lie between 30 and 30 + 19 x 4150 / 256 = 338 ms, their mean is 184 ms.
  // The mean of 1 / t between 30 and 338 is ln(338 / 30) / 308 = 0.00786 a millisecond: 127.2 ms.
  expect(asTold('mean-rate', 184, 30)).toBeCloseTo(308 / Math.log(338 / 30), 6)
  expect(asTold('mean-rate', 184, 30)).toBeCloseTo(127.2, 1)
  expect(asTold('mean-rate', 30, 30)).toBe(30)
  // From the first token of all to the last: as long as the first of them takes.
  expect(asTold('window', 184, 30)).toBe(338)
  expect(asTold(undefined, 184, 30)).toBe(184)
})
