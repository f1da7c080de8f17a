import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../../src/catalogue/catalogue.ts'
import {realContext} from '../../../src/cli/world.ts'
import {simulateDeployment, simulationQuestion} from '../../../src/core/simulator/deployment.ts'
import {quantile} from '../../../src/core/simulator/distribution.ts'
import {benchmarkLengths, type Load} from '../../../src/core/simulator/load.ts'
import {rememberedClock} from '../../../src/core/simulator/remembered-clock.ts'
import {randomOf} from '../../../src/core/simulator/random.ts'
import {simulate} from '../../../src/core/simulator/simulate.ts'
import {clockOf} from '../../../src/core/simulator/step-clock.ts'
import type {PerformanceInput} from '../../../src/core/throughput/input.ts'
import {preparedModel} from '../../../src/core/throughput/performance.ts'
import {closedLoop} from '../../../src/core/throughput/serving.ts'
import {answer} from '../../../src/planner/answer/answer.ts'
import {performanceInput} from '../../../src/planner/answer/speed-input.ts'
import type {Scenario} from '../../../src/planner/scenario/scenario.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', '..', 'dist', 'data'))
const calibration = catalogue.speedCalibration

async function inputOf(scenario: Scenario): Promise<PerformanceInput> {
  const {best} = await answer(realContext(catalogue), scenario)
  return performanceInput(best, scenario.workload!)
}

const loads = (inputTokens: number, outputTokens: number, concurrency: number) => ({inputTokens, outputTokens, concurrency})
/** Dense, mixture of experts, sparse attention, layers with state; one GPU and several. */
const DEPLOYMENTS: [model: string, gpu: string, engine: string][] = [
  ['llama-3.1-8b', '1xh100-sxm', 'vllm'],
  ['qwen3-32b', '2xh200-sxm', 'sglang'],
  ['gpt-oss-120b', '1xb200-sxm', 'trtllm'],
  ['deepseek-v3.2', '8xh200-sxm', 'sglang'],
  ['qwen3.6-35b-a3b', '2xrtx-4090', 'vllm'],
]

describe('remembered times', () => {
  for (const [model, gpu, engine] of DEPLOYMENTS)
    it(`${model} on ${gpu}: the steps are those of the speed model`, async () => {
      const input = await inputOf({model, gpu, engine, workload: loads(1024, 1024, 64)})
      const exact = clockOf(preparedModel(input, calibration))
      const remembered = rememberedClock(exact)
      const random = randomOf(1)
      const between = (low: number, high: number) => low + random.uniform() * (high - low)
      const errors: number[] = []
      for (let i = 0; i < 30_000; i++) {
        const prompts = random.uniform() < 0.5 ? 0 : random.uniform() < 0.8 ? 1 : 2
        const tokens = prompts === 0 ? 0 : Math.round(between(100, 1800))
        const sequences = Math.round(prompts > 0 && random.uniform() < 0.2 ? 0 : between(1, 96))
        const state = [sequences, between(600, 6000), tokens, prompts, between(50, 900)] as const
        const ms = remembered.stepMs(...state)
        // The first ones are reckoned exactly.
        if (i >= 15_000) errors.push(Math.abs(ms / exact.stepMs(...state) - 1))
      }
      errors.sort((a, b) => a - b)
      expect(errors.at(-1)).toBeLessThan(0.03)
      expect(quantile(errors, 0.99)).toBeLessThan(0.005)
      expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.001)
    })

  it('change what clients see by less than a thousandth', async () => {
    for (const [model, gpu, engine] of DEPLOYMENTS) {
      const input = await inputOf({model, gpu, engine, workload: loads(1024, 512, 48)})
      const [exact, remembered] = [true, false].map((exactly) => simulateDeployment(input, calibration, {seed: 4, exact: exactly}))
      for (const quantity of ['tpotMs', 'endToEndMs'] as const)
        expect(Math.abs(remembered![quantity]!.mean / exact![quantity]!.mean - 1), `${model} ${quantity}`).toBeLessThan(1e-3)
      expect(Math.abs(remembered!.outputTokensPerSecond / exact!.outputTokensPerSecond - 1), model).toBeLessThan(1e-3)
    }
  })
})

describe('beside the closed form', () => {
  /** A steady closed loop: the start and the end left out. */
  const steady = (input: PerformanceInput, inFlight: number, inputTokens: number, outputTokens: number) => {
    const load: Load = {
      kind: 'closed-loop',
      concurrency: inFlight,
      requestCount: 30 * inFlight,
      input: benchmarkLengths(inputTokens),
      output: benchmarkLengths(outputTokens),
    }
    return simulate(
      simulationQuestion({...input, dp: input.dpAttention ? input.dp : 1}, calibration, {load, skipFirst: 10 * inFlight, skipLast: 2 * inFlight, seed: 1}),
    )
  }

  // Where prompts are a small part of the work, what the closed form simplifies does not matter: queues, prompts that share steps, the budget.
  for (const [model, gpu, engine] of DEPLOYMENTS)
    for (const [inputTokens, outputTokens, concurrency] of [
      [1024, 1024, 1],
      [1024, 1024, 8],
      [1024, 1024, 32],
      [128, 2048, 64],
      [8192, 1024, 2],
    ] as const)
      it(`${model} with ${engine}, ${inputTokens}/${outputTokens}, ${concurrency} in flight: within 5%`, async () => {
        const input = await inputOf({model, gpu, engine, workload: loads(inputTokens, outputTokens, concurrency)})
        const inFlight = Math.max(1, Math.round(concurrency / (input.dpAttention ? 1 : input.dp)))
        const form = closedLoop(input, preparedModel(input, calibration), inFlight, 'steady')
        const result = steady(input, inFlight, inputTokens, outputTokens)
        expect(Math.abs(result.outputTokensPerSecond / (form.requestsPerSecond * outputTokens) - 1)).toBeLessThan(0.05)
        expect(Math.abs(result.tpotMs!.mean / (form.tpot * 1000) - 1)).toBeLessThan(0.05)
      })
})

describe('a deployment', () => {
  it('of several replicas counts them all', async () => {
    const scenario = {model: 'llama-3.1-8b', engine: 'vllm', tp: 1}
    const one = simulateDeployment(await inputOf({...scenario, gpu: '1xh100-sxm', workload: loads(512, 256, 8)}), calibration)
    const four = await inputOf({...scenario, gpu: '4xh100-sxm', dp: 4, workload: loads(512, 256, 32)})
    expect(four.dp).toBe(4)
    const all = simulateDeployment(four, calibration)
    expect(all.requestCount).toBe(4 * one.requestCount)
    expect(all.outputTokensPerSecond / one.outputTokensPerSecond).toBeCloseTo(4, 1)
    expect(all.ttftMs!.p95 / one.ttftMs!.p95).toBeCloseTo(1, 1)
  })

  it('with one in flight does not use four replicas', async () => {
    const input = await inputOf({model: 'llama-3.1-8b', gpu: '4xh100-sxm', engine: 'vllm', tp: 1, dp: 4, workload: loads(512, 256, 1)})
    const {outputTokensPerSecond, endToEndMs} = simulateDeployment(input, calibration)
    // One request after the other: its tokens over its time.
    // That is its length, 256 in the mean, between 228 and 284.
    expect((outputTokensPerSecond * endToEndMs!.mean) / 1000).toBeGreaterThan(228)
    expect((outputTokensPerSecond * endToEndMs!.mean) / 1000).toBeLessThan(284)
  })

  it('at "max" is full and steady', async () => {
    const input = await inputOf({
      model: 'llama-3.1-8b',
      gpu: '1xrtx-4090',
      engine: 'vllm',
      workload: {inputTokens: 1024, outputTokens: 512, concurrency: 'max'},
    })
    const result = simulateDeployment(input, calibration)
    expect(result.utilisation.busyShare).toBeGreaterThan(0.99)
    expect(result.utilisation.peakCacheShare).toBeGreaterThan(0.9)
  })

  it('at a rate: all that comes is served, and percentiles are there', async () => {
    const input = await inputOf({model: 'llama-3.1-8b', gpu: '1xh100-sxm', engine: 'vllm', workload: {inputTokens: 1024, outputTokens: 256, requestRate: 4}})
    const result = simulateDeployment(input, calibration)
    expect(result.requestCount).toBe(2000)
    expect(Math.abs(result.outputTokensPerSecond / (4 * 256) - 1)).toBeLessThan(0.08)
    expect(result.ttftMs!.p99).toBeGreaterThan(result.ttftMs!.p50)
  })
})
