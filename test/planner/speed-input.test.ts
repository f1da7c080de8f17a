import {join} from 'node:path'
import {expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {realContext} from '../../src/cli/world.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {performanceInput} from '../../src/planner/answer/speed-input.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'

const context = realContext(openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data')))

// Eight ranks, each with its own cache, its own limit on requests and its own budget of tokens, whatever the engine calls them.
it.each([
  ['trtllm', {tp: 8, dpAttention: true}],
  ['sglang', {tp: 8, dpAttention: true}],
  ['vllm', {tp: 1, dp: 8, ep: 8}],
] as const)('%s: limits and cache of data-parallel attention are those of a rank', async (engine, layout) => {
  const scenario = {
    model: 'deepseek-ai/DeepSeek-R1-0528',
    gpu: '8xb200-sxm',
    engine,
    ...layout,
    maxNumSeqs: 64,
    maxNumBatchedTokens: 2048,
    workload: {inputTokens: 1024, outputTokens: 1024, concurrency: 64},
  } as Scenario
  const {best} = await answer(context, scenario)
  const input = performanceInput(best, scenario.workload!)
  expect(input.dpAttention).toBe(true)
  expect([input.maxNumSeqs, input.maxNumBatchedTokens, input.kvCacheTokens]).toEqual([8 * 64, 8 * 2048, 8 * best.memory.kvCacheTokens])
})

it('a plain group has one cache and one budget', async () => {
  const scenario = {model: 'deepseek-ai/DeepSeek-R1-0528', gpu: '8xb200-sxm', engine: 'trtllm', tp: 8, maxNumBatchedTokens: 2048} as Scenario
  const workload = {inputTokens: 1024, outputTokens: 1024, concurrency: 64}
  const {best} = await answer(context, {...scenario, workload})
  const input = performanceInput(best, workload)
  expect([input.maxNumBatchedTokens, input.kvCacheTokens]).toEqual([2048, best.memory.kvCacheTokens])
})
