/** Settings that nobody has to choose, each moving a number by the engine's own rule. Numbers are derived by hand beside them. */
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {CachePart} from '../../src/core/kv-cache.ts'
import {OPTION_PLACES} from '../../src/engines/options.ts'
import type {FlagTable} from '../../src/engines/flags.ts'
import {sglangPools, stateSlotsPerRequest} from '../../src/engines/sglang/pools.ts'
import {reservedMiB} from '../../src/engines/sglang/defaults.ts'
import {decodeGraphMaxBatch, decodeGraphSizes} from '../../src/engines/sglang/graphs.ts'
import {cudaGraphSizes as trtllmGraphSizes} from '../../src/engines/trtllm/defaults.ts'
import {cachePool, capacity} from '../../src/engines/vllm/cache-groups.ts'
import {cudaGraphSizes} from '../../src/engines/vllm/defaults.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import {gpus} from '../engines/launch-fixtures.ts'
import {plannerContext} from '../planner/plan-context.ts'

const GIB = 2 ** 30
const context = plannerContext()
const ask = async (scenario: Omit<Scenario, 'workload'> & Partial<Scenario>): Promise<Result> => toResult((await answer(context, scenario as Scenario)).best)
const term = ({memory}: Result, name: string): number => memory.terms.find((one) => one.name === name)?.bytes ?? 0

const growing = (bytesPerToken: number): CachePart => ({content: 'key-value', growth: 'growing', bytesPerToken, tokensPerRow: 1, stateBytes: 0})
const windowed = (bytesPerToken: number): CachePart => ({...growing(bytesPerToken), growth: 'window', windowTokens: 128})
const state = (stateBytes: number): CachePart => ({content: 'state', growth: 'state', bytesPerToken: 0, tokensPerRow: 1, stateBytes})

describe('vLLM', () => {
  const pool = {version: '0.28.0', blockTokens: 16, maxNumBatchedTokens: 2048, pipelineStages: 1, states: {perRequest: 2, everyBlock: false}}

  it('shares the tokens of a sequence among the ranks of decode context parallelism', () => {
    // A block of 16 tokens stands for 16 x 8 of a sequence: 4,096 / 128 = 32 blocks instead of 256.
    const layers = [[growing(64)]]
    expect(cachePool({...pool, layers}).blocksPerRequest(4096)).toBe(256)
    const shared = cachePool({...pool, layers, contextParallel: 8})
    expect(shared.blocksPerRequest(4096)).toBe(32)
    // 1,024 bytes a block, 64,000 bytes: 62 blocks. Before 0.20.1 the log multiplies: 62 x 16 x 8 = 7,936 tokens; later 62 / 32 x 4,096 = 7,936.
    expect(capacity('0.11.0', shared, 64_000, 4096, 8).tokens).toBe(7936)
    expect(capacity('0.28.0', shared, 64_000, 4096, 8).tokens).toBe(7936)
  })

  it('keeps one state page of a request without a prefix cache, two with it', () => {
    const layers = [[growing(64)], [state(1024)]]
    // 160 tokens in blocks of 16: 10 blocks, and 2 or 1 for the state.
    expect(cachePool({...pool, layers}).blocksPerRequest(160)).toBe(12)
    expect(cachePool({...pool, layers, states: {perRequest: 1, everyBlock: false}}).blocksPerRequest(160)).toBe(11)
  })

  it('captures graphs of the sizes that are given, up to the limit that is given, or none', () => {
    const question = {version: '0.28.0', gpu: gpus.h100, maxNumSeqs: 256, maxNumBatchedTokens: 2048}
    expect(cudaGraphSizes({...question, graphs: {sizes: [8, 1, 2, 4096]}})).toEqual([1, 2, 8])
    expect(cudaGraphSizes({...question, graphs: {maxBatch: 16}})).toEqual([1, 2, 4, 8, 16])
    expect(cudaGraphSizes({...question, graphs: {mode: 'none'}})).toEqual([])
  })

  // Qwen3-8B: 36 layers x 2 x 8 heads x 128 x 2 bytes = 147,456 bytes a token, 2,359,296 a block of 16.
  it('takes a cache in bytes outright: 4 GiB are 1,820 blocks, 29,120 tokens', async () => {
    const result = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', maxModelLen: 4096, kvCacheBytes: 4 * GIB})
    expect(result.memory.kvCacheTokens).toBe(29_120)
    expect(result.memory.perGpu.kvCacheBytes).toBe(4 * GIB)
    const blocks = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', maxModelLen: 4096, kvCacheBlocks: 1000})
    expect(blocks.memory.kvCacheTokens).toBe(16_000)
    // Blocks of 128 tokens: 18,874,368 bytes, 227 of them, 29,056 tokens.
    const wide = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', maxModelLen: 4096, kvCacheBytes: 4 * GIB, blockTokens: 128})
    expect(wide.memory.kvCacheTokens).toBe(29_056)
  })

  it('does not start with a cache that finds no room', async () => {
    const result = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xrtx-4090', maxModelLen: 4096, kvCacheBytes: 12 * GIB})
    expect(result.verdict).toBe('does-not-fit')
    expect(result.reasons[0]!.code).toBe('kv-cache-exceeds-memory')
  })

  it('loads no tower for the language model alone', async () => {
    const question = {model: 'Qwen/Qwen3.6-35B-A3B', gpu: '2xh100-sxm', tp: 2, maxModelLen: 8192}
    const [whole, alone] = [await ask(question), await ask({...question, multimodal: {languageOnly: true}})]
    const towers = context.catalogue.model('qwen3.6-35b-a3b').architecture.encoders!.reduce((sum, {parameterCount}) => sum + parameterCount, 0)
    // 16 bits, over two ranks.
    expect(term(whole, 'weights: encoders')).toBe(Math.round((towers * 2) / 2))
    expect(term(alone, 'weights: encoders')).toBe(0)
    expect(alone.memory.perGpu.weightsBytes).toBe(whole.memory.perGpu.weightsBytes - term(whole, 'weights: encoders'))
    expect(alone.memory.kvCacheTokens).toBeGreaterThan(whole.memory.kvCacheTokens)
  })

  it('leaves a tower out where all its kinds are limited to nothing, from 0.16.0 in every class', async () => {
    const question = {model: 'google/gemma-3-12b-it', gpu: '1xh100-sxm', maxModelLen: 8192, multimodal: {limits: {image: 0, video: 0}}}
    expect(term(await ask({...question, engineVersion: '0.14.0'}), 'weights: encoders')).toBeGreaterThan(0)
    expect(term(await ask({...question, engineVersion: '0.16.0'}), 'weights: encoders')).toBe(0)
    expect(term(await ask({...question, engineVersion: '0.16.0', multimodal: {limits: {image: 1, video: 0}}}), 'weights: encoders')).toBeGreaterThan(0)
  })

  it('keeps recurrent states in the format that is asked for', async () => {
    const question = {model: 'Qwen/Qwen3-Next-80B-A3B-Instruct', gpu: '4xh100-sxm', tp: 4, maxModelLen: 8192, weights: 'fp8'}
    const [half, full] = [await ask({...question, stateFormat: 'bf16'}), await ask({...question, stateFormat: 'fp32'})]
    // 36 layers x 32 / 4 heads x 128 x 128 elements, 2 bytes more each.
    expect(full.memory.stateBytesPerSequence! - half.memory.stateBytesPerSequence!).toBe(36 * 8 * 128 * 128 * 2)
  })

  it('refuses decode context parallelism that it cannot divide, and names the release that has it', async () => {
    const question = {model: 'deepseek-ai/DeepSeek-V3.1', gpu: '8xh200-sxm', tp: 8, decodeContextParallel: 8}
    expect((await ask(question)).verdict).not.toBe('unsupported')
    expect((await ask({...question, decodeContextParallel: 3})).reasons[0]!.code).toBe('dcp-not-divisible')
    // 8 KV heads over 8 ranks: none is held twice.
    expect((await ask({model: 'Qwen/Qwen3-32B', gpu: '8xh100-sxm', tp: 8, decodeContextParallel: 2})).reasons[0]!.code).toBe('dcp-not-divisible')
    const old = await ask({...question, engineVersion: '0.10.0'})
    expect(old.reasons.find(({code}) => code === 'engine-too-old')).toMatchObject({remedy: 'use --engine-version 0.10.2 or later'})
  })

  it('refuses steps of fewer tokens than requests', async () => {
    const result = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', maxNumSeqs: 512, maxNumBatchedTokens: 256})
    expect(result.reasons[0]!.code).toBe('batch-too-small')
  })

  it('turns requests away beyond the limit of what may be in the server', async () => {
    const workload = {inputTokens: 512, outputTokens: 128, concurrency: 64}
    const question = {model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', engineVersion: '0.29.0', maxModelLen: 4096}
    const [limited, few] = [
      await ask({...question, workload, admission: {maxQueuedRequests: 16}}),
      await ask({...question, workload: {...workload, concurrency: 16}}),
    ]
    expect(limited.warnings.find(({code}) => code === 'requests-turned-away')!.message).toContain('48 are turned away')
    expect(limited.performance!.outputTokensPerSecond).toEqual(few.performance!.outputTokensPerSecond)
  })
})

describe('SGLang', () => {
  const question = {version: '0.5.18', availableBytes: 1_000_000, pageTokens: 1, maxNumSeqs: 64, windowPool: true}

  it('keeps as many states as are asked for and one for padding, whatever they leave', () => {
    // 100 slots of 1,000 bytes leave 900,000 bytes: 90,000 tokens of 10 bytes.
    const pools = sglangPools({...question, parts: [growing(10), state(1000)], fixedStateSlots: 99})
    expect(pools).toMatchObject({stateSlots: 99, stateBytes: 100_000, tokens: 90_000})
  })

  it('divides memory between states and cache by the ratio', () => {
    // 1:1 gives 500,000 bytes, 500 slots of which one is for padding; 50,000 tokens remain.
    expect(sglangPools({...question, parts: [growing(10), state(1000)], statePoolRatio: 1})).toMatchObject({stateSlots: 499, tokens: 50_000})
  })

  it('needs one slot of a request without the prefix tree', () => {
    expect(stateSlotsPerRequest({version: '0.5.18', prefixCaching: false, className: 'Qwen3NextForCausalLM'})).toBe(1)
    expect(stateSlotsPerRequest({version: '0.5.18', className: 'Qwen3NextForCausalLM'})).toBe(5)
  })

  it('sizes the pool of windows by the ratio', () => {
    // A token of the full pool costs 10 + 0.5 x 10 bytes: 66,666 tokens, half as many in the window pool.
    expect(sglangPools({...question, parts: [growing(10), windowed(10)], windowPoolRatio: 0.5})).toMatchObject({tokens: 66_666, windowTokens: 33_333})
  })

  it('never holds more tokens than --max-total-tokens, and whole pages of them', () => {
    expect(sglangPools({...question, parts: [growing(10)], mostTokens: 5000}).tokens).toBe(5000)
    expect(sglangPools({...question, parts: [growing(10)], mostTokens: 5000, pageTokens: 64}).tokens).toBe(4992)
  })

  it('captures graphs up to the batch that is given, and keeps 2 MiB back for each', () => {
    const asked = {version: '0.5.18', gpu: gpus.rtx4090, tp: 1, pp: 1, dp: 1, dpAttention: false, latentAttention: false}
    expect(decodeGraphMaxBatch(asked)).toBe(24)
    expect(decodeGraphSizes({...asked, graphs: {maxBatch: 16}})).toEqual([1, 2, 4, 8, 12, 16])
    expect(decodeGraphSizes({...asked, graphs: {sizes: [4, 1]}})).toEqual([1, 4])
    // 24 batches by default, 16 asked for: 2 x 8 MiB less.
    expect(reservedMiB(asked) - reservedMiB({...asked, graphs: {maxBatch: 16}})).toBe(16)
  })

  it('shares tokens among ranks that hold the same heads', async () => {
    const base = {
      model: 'deepseek-ai/DeepSeek-V3.1',
      gpu: '8xh200-sxm',
      engine: 'sglang',
      engineVersion: '0.5.18',
      tp: 8,
      maxModelLen: 8192,
      gpuMemoryUtilization: 0.88,
    }
    const [plain, shared] = [await ask(base), await ask({...base, decodeContextParallel: 4})]
    // Latent rows are the same on every rank: four ranks hold four times the tokens.
    expect(shared.memory.kvCacheTokens / plain.memory.kvCacheTokens).toBeCloseTo(4, 2)
    expect(shared.memory.kvBytesPerToken).toBe(Math.round(plain.memory.kvBytesPerToken / 4))
  })
})

describe('TensorRT-LLM', () => {
  it('captures the sizes that are given, none above the batch', () => {
    expect(trtllmGraphSizes({version: '1.3.0rc24', maxBatchSize: 8, sizes: [16, 8, 1]})).toEqual([1, 8])
  })

  it('takes the least of share, bytes and tokens', async () => {
    const base = {model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', engine: 'trtllm', maxModelLen: 4096}
    // 147,456 bytes a token in blocks of 32: 4 GiB hold 29,127, which are 910 blocks, 29,120 tokens.
    expect((await ask({...base, kvCacheBytes: 4 * GIB})).memory.kvCacheTokens).toBe(29_120)
    expect((await ask({...base, kvCacheTokens: 10_000})).memory.kvCacheTokens).toBe(9984)
    // Blocks of 64: 10,000 / 64 = 156 of them.
    expect((await ask({...base, kvCacheTokens: 10_000, blockTokens: 64})).memory.kvCacheTokens).toBe(156 * 64)
  })

  it('has no decode context parallelism to ask for', async () => {
    const result = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', engine: 'trtllm', decodeContextParallel: 2})
    expect(result.reasons[0]).toMatchObject({code: 'option-unavailable'})
  })
})

describe('places of settings', () => {
  const tables = Object.fromEntries(
    Object.keys(OPTION_PLACES).map((id) => [
      id,
      parse(readFileSync(join(import.meta.dirname, '..', '..', 'data', 'engines', `${id}-flags.yaml`), 'utf8')) as FlagTable,
    ]),
  )
  /** Places whose rule says another release than the row, and why. */
  const APART = new Map([
    ['vllm graphs.maxBatch', 'as --cuda-graph-sizes from 0.9.0'],
    ['vllm graphs.mode', 'the option is older than its key'],
  ])

  for (const [id, places] of Object.entries(OPTION_PLACES))
    it(`of ${id} are options of its table, from the release that the table says`, () => {
      for (const [path, {flag, since}] of Object.entries(places)) {
        const rows = flag.startsWith('-') ? tables[id]!.flags : tables[id]!.fields!
        const row = rows.find(({name}) => name === flag)
        expect(row, flag).toBeDefined()
        if (!APART.has(`${id} ${path}`)) expect(row!.since, flag).toBe(since)
      }
    })
})
