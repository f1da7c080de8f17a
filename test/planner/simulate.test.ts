import {beforeAll, describe, expect, it} from 'vitest'
import {answer} from '../../src/planner/answer/answer.ts'
import {simulationOf} from '../../src/planner/answer/simulate.ts'
import {renderSimulation} from '../../src/render/simulation.ts'
import {plannerContext} from './plan-context.ts'

let context: ReturnType<typeof plannerContext>
beforeAll(() => {
  context = plannerContext()
})

const evaluated = async (workload: object) =>
  (await answer(context, {model: 'qwen3-32b', gpu: '2xh100-sxm', workload: {inputTokens: 1024, outputTokens: 512, ...workload}})).best

describe('check --simulate', () => {
  it('agrees with the closed form on throughput, and orders its percentiles', async () => {
    const best = await evaluated({concurrency: 32})
    const simulation = simulationOf(best, context.catalogue.speedCalibration)
    const {estimate} = best.performance!.outputTokensPerSecond
    expect(Math.abs(simulation.outputTokensPerSecond / estimate - 1)).toBeLessThan(0.1)
    for (const times of [simulation.ttftMs!, simulation.tpotMs!, simulation.endToEndMs!]) {
      expect(times.p50).toBeLessThanOrEqual(times.p90)
      expect(times.p90).toBeLessThanOrEqual(times.p95)
      expect(times.p95).toBeLessThanOrEqual(times.p99)
    }
  })

  it('is the same for a seed', async () => {
    const best = await evaluated({requestRate: 2})
    const run = (seed: number) => JSON.stringify(simulationOf(best, context.catalogue.speedCalibration, seed))
    expect(run(1)).toBe(run(1))
    expect(run(1)).not.toBe(run(2))
  })

  it('reads in 80 columns, with the closed form beside it', async () => {
    const best = await evaluated({concurrency: 32})
    const text = renderSimulation(simulationOf(best, context.catalogue.speedCalibration), best, {columns: 80})
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const title of ['estimate', 'p50', 'p95', 'p99', 'First token', 'Whole answer']) expect(text).toContain(title)
  })
})
