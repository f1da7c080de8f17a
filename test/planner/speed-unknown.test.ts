import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {plan} from '../../src/planner/plan/index.ts'
import {machineFromSpec} from '../../src/planner/world/index.ts'
import type {Context} from '../../src/planner/world/index.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'

let catalogue: Catalogue
let context: Context
beforeAll(() => {
  catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
  const refuse = () => Promise.reject(new Error('not here'))
  context = {catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse}
})
const load = {inputTokens: 1024, outputTokens: 512, concurrency: 1}
const ask = async (scenario: Partial<Scenario>) => (await answer(context, {model: 'qwen3-8b', workload: load, ...scenario})).best

describe('a card whose bandwidth nobody knows', () => {
  it('is answered without a speed, whichever it is', async () => {
    const cards = catalogue.gpus.filter(({memoryBandwidthBytesPerSecond}) => memoryBandwidthBytesPerSecond === undefined)
    expect(cards.length).toBeGreaterThan(0)
    for (const {id} of cards) {
      const best = await ask({gpu: `1x${id}`})
      expect(best.performance, id).toBeUndefined()
      if (best.verdict === 'fits') expect(best.warnings.map(({code}) => code)).toContain('speed-unknown')
    }
    expect((await ask({gpu: '1xmi308x'})).verdict).toBe('fits')
  })

  it('keeps no limit and no rate for sure: at best it is tight', async () => {
    for (const scenario of [{slo: {ttftMs: 1}}, {slo: {ttftMs: 100_000}}, {workload: {inputTokens: 1024, outputTokens: 512, requestRate: 900}}]) {
      const best = await ask({gpu: '1xmi308x', ...scenario})
      expect(best.verdict, JSON.stringify(scenario)).toBe('tight')
      expect(best.reasons).toEqual([])
      expect(best.warnings.map(({code}) => code)).toEqual(expect.arrayContaining(['slo-uncertain', 'speed-unknown']))
    }
  })

  it('has a speed once the bandwidth is given, no faster than its bytes allow', async () => {
    const {performance, verdict} = await ask({gpu: '1xmi308x:bandwidth=5300GB/s', weights: 'bf16'})
    expect(verdict).toBe('fits')
    // 8.19 billion weights of 2 bytes, less the embedding's 0.62 billion that a step does not read: 15.1 GB at 5,300 GB/s.
    expect(performance!.tpotMs.estimate).toBeGreaterThan(15.1 / 5.3)
  })

  it('has no plan, since plans are ranked by speed', async () => {
    const scenario = {model: 'qwen3-8b', workload: load}
    const asked = {scenario, machine: machineFromSpec(catalogue, '1xmi308x'), objectives: {}, objective: 'throughput' as const}
    await expect(plan(context, asked)).rejects.toMatchObject({code: 'SPEED_UNKNOWN', message: expect.stringContaining('Instinct MI308X')})
  })
})
