import {describe, expect, it} from 'vitest'
import {errorFactor, kindOfAttention, type MemoryErrors, platformOf} from '../../src/engines/memory-errors.ts'
import {answer, toResult} from '../../src/planner/answer/index.ts'
import {marginOf} from '../../src/planner/answer/margin.ts'
import {subjectOf} from '../../src/planner/answer/speed-input.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const {catalogue} = context
const ask = async (scenario: Scenario) => (await answer(context, scenario)).best

describe('how far estimates of memory err', () => {
  const errors: MemoryErrors = {
    cases: 100,
    margins: 1,
    holds: 0.85,
    inside: 0.8,
    kinds: {full: 1.2},
    platforms: {nvidia: 1, 'nvidia, shared memory': 1.5},
    releases: [
      {since: '0.8.0', factor: 1},
      {since: '0.20.0', factor: 1.5},
    ],
    newest: '0.28.0',
    unseen: {release: 2, kind: 3, platform: 2},
  }
  const {architecture} = catalogue.model('llama-3.1-8b')
  const latent = catalogue.model('deepseek-r1').architecture
  const [h100, mi300x, gb10] = ['h100-sxm', 'mi300x', 'gb10'].map((id) => catalogue.gpu(id))
  const factor = (more: Partial<Parameters<typeof errorFactor>[1]>) =>
    errorFactor(errors, {architecture, accelerator: h100!, version: '0.24.0', ...more}).factor

  it('multiplies what logs showed of such layers, platforms and releases', () => {
    expect(factor({})).toBeCloseTo(1.2 * 1.5, 10)
    expect(factor({version: '0.11.2'})).toBeCloseTo(1.2, 10)
    expect(factor({accelerator: gb10!})).toBeCloseTo(1.2 * 1.5 * 1.5, 10)
  })
  it('is wider for what no log is of, by squares', () => {
    expect(factor({version: '0.33.0'})).toBeCloseTo(1.2 * 2, 10)
    expect(factor({version: '0.7.0'})).toBeCloseTo(1.2 * 2, 10)
    // 1 + (2^2 - 1) + (3^2 - 1) + (2^2 - 1) = 15.
    expect(factor({version: '0.33.0', architecture: latent, accelerator: mi300x!})).toBeCloseTo(Math.sqrt(15), 10)
    expect(errorFactor(errors, {architecture: latent, accelerator: h100!, version: '0.24.0'}).unseen).toEqual(['such layers'])
  })
  it('knows the kinds', () => {
    const kind = (id: string) => kindOfAttention(catalogue.model(id).architecture)
    expect(['llama-3.1-8b', 'gemma-3-27b', 'qwen3.6-27b', 'deepseek-r1', 'deepseek-v4-flash'].map(kind)).toEqual([
      'full',
      'window',
      'recurrent',
      'latent',
      'sparse',
    ])
    expect([h100!, gb10!, mi300x!].map(platformOf)).toEqual(['nvidia', 'nvidia, shared memory', 'amd'])
  })
})

describe('an interval of memory', () => {
  it.each(['vllm', 'sglang'])('holds three in four to nine in ten of the logs that were left out: %s', (id) => {
    const {errors} = engineData({catalogue}, id).overheads
    expect(errors!.cases).toBeGreaterThan(30)
    expect(errors!.inside).toBeGreaterThanOrEqual(0.75)
    expect(errors!.inside).toBeLessThanOrEqual(0.9)
  })
  it('is the room with the margin less and the margin more', async () => {
    const best = await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', engine: 'vllm', weights: 'fp8-block', maxModelLen: 8192})
    const {memory} = toResult(best)
    const {kvCacheTokens, interval} = memory
    const margin = marginOf(subjectOf(best), best.deployment, best.memory, best.engine).bytes
    // Every token takes as much: 64 layers x 2 x 8 heads x 128 x 2 bytes.
    expect(memory.kvBytesPerToken).toBe(262_144)
    expect(kvCacheTokens - interval!.kvCacheTokens.low).toBeCloseTo(margin / 262_144, -2)
    expect(interval!.kvCacheTokens.high - kvCacheTokens).toBeCloseTo(margin / 262_144, -2)
  })
  it.each(['vllm', 'sglang', 'trtllm'] as const)(
    '%s: holds its estimate, and the context that is chosen lies within the low end where the answer fits',
    async (engine) => {
      for (const [model, gpu] of [
        ['qwen3-32b', '2xrtx-4090'],
        ['gpt-oss-120b', '1xh100-sxm'],
        ['llama-3.3-70b', '2xh100-sxm'],
      ] as const) {
        const result = toResult(await ask({model, gpu, engine}))
        const {kvCacheTokens, largestMaxModelLen, interval} = result.memory
        expect(interval!.kvCacheTokens.low).toBeLessThanOrEqual(kvCacheTokens)
        expect(interval!.kvCacheTokens.high).toBeGreaterThanOrEqual(kvCacheTokens)
        expect(interval!.largestMaxModelLen.low).toBeLessThanOrEqual(largestMaxModelLen)
        expect(interval!.largestMaxModelLen.high).toBeGreaterThanOrEqual(largestMaxModelLen)
        // The search for it is within 2%.
        if (result.verdict === 'fits') expect(result.deployment.maxModelLen).toBeLessThanOrEqual(interval!.largestMaxModelLen.low * 1.02)
      }
    },
  )
  it('is tight where the low end does not hold what is asked for', async () => {
    const asked: Scenario = {model: 'qwen3-32b', gpu: '1xh100-sxm', engine: 'vllm', weights: 'bf16', maxNumSeqs: 16}
    const {interval, largestMaxModelLen} = toResult(await ask({...asked, maxModelLen: 8192})).memory
    expect(interval!.largestMaxModelLen.low).toBeLessThan(largestMaxModelLen)
    const beyondLow = Math.round((interval!.largestMaxModelLen.low * 1.05 + largestMaxModelLen) / 2)
    expect((await ask({...asked, maxModelLen: beyondLow})).verdict).toBe('tight')
    expect((await ask({...asked, maxModelLen: Math.floor(interval!.largestMaxModelLen.low * 0.97)})).verdict).toBe('fits')
  })
  it('is a point where the cache is given outright', async () => {
    const {kvCacheTokens, interval} = toResult(
      await ask({model: 'qwen3-8b', gpu: '1xh100-sxm', engine: 'vllm', kvCacheBytes: 8 * 1024 ** 3, maxModelLen: 8192}),
    ).memory
    expect(interval!.kvCacheTokens).toEqual({low: kvCacheTokens, high: kvCacheTokens})
  })
})
