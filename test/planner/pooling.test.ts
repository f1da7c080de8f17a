import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {encoderEstimate} from '../../src/engines/pooling.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {adviseOn, subjectOf, toResult} from '../../src/planner/answer/index.ts'
import {ResultSchema} from '../../src/planner/answer/schema.ts'
import {compare} from '../../src/planner/compare/index.ts'
import {detailsOf} from '../../src/planner/models/summary.ts'
import {plan} from '../../src/planner/plan/index.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import type {Context} from '../../src/planner/world/context.ts'
import {modelOf} from '../../src/planner/world/index.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const refuse = () => Promise.reject(new Error('not here'))
const context: Context = {catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse}
const USUAL = {inputTokens: 1024, outputTokens: 512, concurrency: 1}
const ask = (scenario: Scenario) => answer(context, {workload: USUAL, ...scenario})

describe('embedding models and rerankers', () => {
  it('are catalogued with exactly the parameters that are published', () => {
    const models = catalogue.modelEntries.filter(({pooling}) => pooling).map(({id}) => catalogue.model(id))
    expect(models.length).toBeGreaterThan(30)
    for (const {id, architecture, published} of models) if (published?.totalParams) expect(countParameters(architecture).total, id).toBe(published.totalParams)
  })

  it('have texts a second and the least share, and no speed of answers', async () => {
    const {best} = await ask({model: 'Qwen/Qwen3-Embedding-0.6B', gpu: '1xrtx-4090', gpuMemoryUtilization: 0.25})
    const result = toResult(best)
    expect(ResultSchema.safeParse(result).success).toBe(true)
    expect(result).toMatchObject({verdict: 'fits', deployment: {runner: 'pooling'}, pooling: {task: 'embed', batchTexts: 256, batchTokens: 2048}})
    expect(result.performance).toBeUndefined()
    const {latencyMs, inputTokensPerSecond, textsPerSecond} = result.pooling!
    expect(inputTokensPerSecond!.estimate).toBeCloseTo(1024 * textsPerSecond!.estimate, 5)
    for (const {low, estimate, high} of [latencyMs!, inputTokensPerSecond!]) {
      expect(low).toBeLessThan(estimate)
      expect(high).toBeGreaterThan(estimate)
    }
    // 2 x 440 million parameters outside the embedding for each token: never more than the card's 165 TFLOPS in 16 bits.
    expect(inputTokensPerSecond!.high * 2 * 440e6).toBeLessThan(330e12)
  })

  it('name a least share that starts, and a hundredth less does not', async () => {
    for (const model of ['Qwen/Qwen3-Embedding-0.6B', 'bge-m3']) {
      const {best} = await ask({model, gpu: '1xrtx-4090'})
      const share = best.pooling!.leastGpuMemoryUtilization!
      const starts = (value: number) => best.engine.memory(subjectOf(best), {...best.deployment, gpuMemoryUtilization: value}).starts
      expect([starts(share), starts(Math.round(100 * share - 1) / 100)], model).toEqual([true, false])
    }
  })

  it('keep no cache on vLLM where every token sees every other, and read a text in one step', async () => {
    const {best} = await ask({model: 'bge-m3', gpu: '1xt4'})
    expect(best.memory.terms.some(({part}) => part === 'kv-cache')).toBe(false)
    expect(best.memory.kvCacheTokens).toBe(0)
    // 2,048 tokens by default on a card of 16 GB; a text of 8,192 is not cut.
    expect(best.deployment.maxNumBatchedTokens).toBe(8192)
    expect((await ask({model: 'bge-m3', gpu: '1xl4', engine: 'sglang'})).best.memory.kvCacheTokens).toBeGreaterThan(0)
  })

  it('tell the longest text that starts, also where the one that was asked about does not', async () => {
    const {deployment, memory} = (await ask({model: 'sentence-transformers/all-MiniLM-L12-v2', gpu: '1xrtx-4090'})).best
    const {totalBytes, budgetBytes, terms} = memory
    const longest = (longestStart: number, roomBytes: number) =>
      encoderEstimate({
        deployment: {...deployment, maxModelLen: 512},
        totalBytes,
        budgetBytes: roomBytes,
        terms: [{...terms[0]!, bytes: 1000, part: 'weights'}],
        outside: [],
        limitTokens: 512,
        startsAt: (tokens) => tokens <= longestStart,
      }).largestMaxModelLen
    expect(longest(512, budgetBytes)).toBe(512)
    // Of 512 tokens tables take more than there is; of 300 they do not.
    expect(longest(300, 999)).toBe(300)
    expect(longest(0, 999)).toBe(0)
  })

  it('are cut to the length they read, unless a longer text was asked about', async () => {
    expect((await ask({model: 'e5-base-v2', gpu: '1xt4'})).best).toMatchObject({verdict: 'fits', workload: {inputTokens: 511, outputTokens: 1}})
    expect((await ask({model: 'e5-base-v2', gpu: '1xt4', workload: {...USUAL, inputTokens: 4000}})).best.reasons[0]?.code).toBe('request-exceeds-context')
  })

  it('are started without what a writing model wants', async () => {
    const flags = async (scenario: Scenario) => {
      const {best} = await ask(scenario)
      return best.engine.launch(subjectOf(best), best.deployment).flags.map(({flag}) => flag)
    }
    expect(await flags({model: 'qwen3-embedding-8b', gpu: '1xl40s'})).toEqual([])
    expect(await flags({model: 'qwen3-reranker-4b', gpu: '1xl4'})).toEqual(['--hf-overrides'])
    expect(await flags({model: 'qwen3-embedding-8b', gpu: '1xl40s', engine: 'sglang'})).toEqual(['--model-path', '--is-embedding'])
  })

  it('are refused where an engine is not known to serve them, and by what looks for answers', async () => {
    expect((await ask({model: 'bge-m3', gpu: '1xl4', engine: 'trtllm'})).best).toMatchObject({verdict: 'unsupported'})
    const scenario = {model: 'bge-m3', gpu: '1xl4', workload: USUAL}
    await expect(plan(context, {scenario, machine: machineFromSpec(catalogue, '1xl4'), objectives: {}, objective: 'throughput'})).rejects.toMatchObject({
      code: 'POOLING_MODEL',
    })
  })
})

describe('models known by name and size only', () => {
  it('are advised nothing: no flag and no machine tells more', async () => {
    const scenario: Scenario = {model: 'MiniMaxAI/MiniMax-M3.1-Flash', gpu: '8xh200-sxm', workload: USUAL}
    expect(adviseOn(context, await answer(context, scenario), 'minimax')).toEqual({changes: [], holders: [], fitting: [], next: []})
  })

  it('are unsupported, with their weights and what is missing', async () => {
    const {best} = await ask({model: 'reflection/Beam-1.0-501B-A23B-FP8', gpu: '2xgb10'})
    const result = toResult(best)
    expect(result).toMatchObject({verdict: 'unsupported', model: {totalParams: 501e9, activeParams: 23e9}, reasons: [{code: 'architecture-unknown'}]})
    // 501 billion parameters of one byte over two machines.
    expect((result.memory.perGpu.weightsBytes * 2) / 501e9).toBeCloseTo(1, 3)
    expect(result.memory.perGpu).toMatchObject({activationBytes: 0, runtimeBytes: 0, kvCacheBytes: 0})
    expect(result.performance).toBeUndefined()
    expect(ResultSchema.safeParse(result).success).toBe(true)
  })

  it('are found by their short name, and by their other builds', async () => {
    expect((await ask({model: 'beam-1.0-501b-a23b', gpu: '8xb200'})).best.checkpoint).toMatchObject({hfId: 'reflection/Beam-1.0-501B-A23B', weights: 'bf16'})
    expect((await ask({model: 'RedHatAI/Inkling-Small-FP8-dynamic', gpu: '8xb200'})).best.checkpoint).toMatchObject({weights: 'fp8', publisher: 'known'})
  })

  it('have nothing to search and nothing to rank: plan and compare say so', async () => {
    const machine = machineFromSpec(catalogue, '8xb200')
    const scenario = {model: 'reflection/Beam-1.0-501B-A23B-NVFP4', gpu: '8xb200', workload: USUAL}
    const found = await plan(context, {scenario, machine, objectives: {}, objective: 'throughput'})
    expect(found).toMatchObject({met: false, ranking: [], refusals: [{code: 'architecture-unknown'}]})
    const rows = compare(context, {models: [await modelOf(context, 'beam-1.0-501b-a23b')], machines: [machine], request: {}, workload: USUAL})
    expect(rows.map(({result}) => result.verdict)).toEqual(rows.map(() => 'unsupported'))
    expect(rows.every(({result}) => result.reasons[0]?.code === 'architecture-unknown')).toBe(true)
  })

  it('are shown with what is known, and no context where none is', async () => {
    const {model} = await modelOf(context, 'reflection/Beam-1.0-501B-A23B')
    expect(detailsOf(model)).toMatchObject({totalParams: 501e9, activeParams: 23e9, contextTokens: 1_048_576, layers: []})
    const {model: bare} = await modelOf(context, 'zai-org/GLM-ASR-Nano-2512')
    expect(detailsOf({...bare, knownByName: {}})).not.toHaveProperty('contextTokens')
  })
})
