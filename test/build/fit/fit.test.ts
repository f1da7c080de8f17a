import {expect, it} from 'vitest'
import {logErrors} from '../../../src/build/fit/fit.ts'
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
