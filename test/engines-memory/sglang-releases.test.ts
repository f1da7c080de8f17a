/** SGLang's memory by release. Numbers are derived by hand from the sources that the rules cite. */
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {cacheFormat} from '../../src/core/formats.ts'
import {type CacheLayout, type CachePart, layerCache} from '../../src/core/kv-cache.ts'
import {type PoolQuestion, sglangPools, stateSlotsPerRequest} from '../../src/engines/sglang/pools.ts'
import {hasWindowPool} from '../../src/engines/sglang/question.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import {plannerContext} from '../planner/plan-context.ts'

const GIB = 2 ** 30
const MIB = 2 ** 20
const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const context = plannerContext()

/** What ran, with the engine's own choices. */
const ran = async (scenario: Partial<Scenario>): Promise<Result> =>
  toResult((await answer(context, {engine: 'sglang', ...scenario} as Scenario, {asRan: true})).best)
const term = ({memory}: Result, name: string): number => memory.terms.find((one) => one.name === name)?.bytes ?? 0
const because = ({memory}: Result, name: string): string => memory.terms.find((one) => one.name === name)?.because ?? ''

function partsOf(id: string, attentionTp = 1): CachePart[] {
  const {architecture} = catalogue.model(id)
  const layout: CacheLayout = {
    attentionTp,
    format: cacheFormat('bf16'),
    stateElementBytes: 4,
    convolutionElementBytes: 2,
    speculativeTokens: 0,
    compressedRowBytes: (headDim, rope) => headDim - rope + 2 * rope + 8,
  }
  const kinds = architecture.layerKinds.map((kind) => layerCache(kind, layout))
  return architecture.layerSequence.flatMap((index) => kinds[index]!)
}
const pools = (parts: CachePart[], more: Partial<PoolQuestion>) =>
  sglangPools({version: '0.5.23', parts, availableBytes: 20 * GIB, pageTokens: 1, maxNumSeqs: 256, windowPool: true, ...more})

describe('a card of 24 GiB', () => {
  const at = (engineVersion: string) => ran({model: 'qwen3-8b', weights: 'bf16', gpu: '1xrtx-4090', engineVersion})

  // 0.833 of what is free before loading up to 0.5.19, 0.704 from 0.5.20 on: 36 layers x 8 heads x 128 x 2 x 2 = 147,456 bytes a token.
  it('keeps less of its memory for the cache from 0.5.20 on', async () => {
    const [before, after] = await Promise.all([at('0.5.19'), at('0.5.20')])
    expect([before, after].map(({deployment}) => deployment.gpuMemoryUtilization)).toEqual([0.833, 0.704])
    const {totalBytes, runtimeBytes} = before.memory.perGpu
    // Rounded down to whole tokens, so at most one more or less.
    const lost = ((totalBytes - runtimeBytes) * (0.833 - 0.704)) / 147_456
    expect(Math.abs(before.memory.kvCacheTokens - after.memory.kvCacheTokens - lost)).toBeLessThanOrEqual(1)
    expect(before.memory.kvCacheTokens).toBe(26_358)
  })
})

describe('the table of requests', () => {
  // (2,048 + 1) rows x (8,192 + 4) tokens x 4 bytes, and 8 bytes for each free page of one token (memory_pool.py ReqToTokenPool, 0.5.23).
  it('is as long as the requests that may run, and as wide as the context', async () => {
    const result = await ran({model: 'qwen3-8b', weights: 'bf16', gpu: '1xh100-sxm', engineVersion: '0.5.23', maxModelLen: 8192, maxNumSeqs: 2048})
    expect(term(result, 'request table')).toBe(2049 * 8196 * 4 + 8 * result.memory.kvCacheTokens)
    const few = await ran({model: 'qwen3-8b', weights: 'bf16', gpu: '1xh100-sxm', maxModelLen: 8192, maxNumSeqs: 31})
    expect(term(few, 'request table')).toBe(32 * 8196 * 4 + 8 * few.memory.kvCacheTokens)
  })

  // 2,049 rows x 10,485,764 tokens x 4 bytes are 80 GiB.
  it('ends the start where the context is long and nobody limits the requests', async () => {
    const scout = {model: 'llama-4-scout-17b-16e-instruct', weights: 'bf16', gpu: '8xh200-sxm', tp: 8, engineVersion: '0.5.23'}
    const {verdict, reasons} = await ran({...scout, maxModelLen: 10_485_760})
    expect([verdict, reasons[0]?.code]).toEqual(['does-not-fit', 'request-table-exceeds-memory'])
    expect((await ran({...scout, maxModelLen: 131_072})).verdict).toBe('fits')
  })
})

describe('sparse MLA', () => {
  const glm = (gpu: string, engineVersion: string, kvCache?: string) =>
    ran({model: 'glm-5.2', weights: 'fp8', gpu, tp: 8, engineVersion, ...(kvCache !== undefined && {kvCache})})

  // 78 layers. Priced: 512 + 64 elements and a key of 128 + 4 bytes; kept: 512 + 16 + 128 bytes and the key (memory_pool.py, 0.5.16).
  it('is sized by plain rows and allocated by packed ones up to 0.5.16', async () => {
    const [old, later] = await Promise.all([glm('8xh200-sxm', '0.5.16', 'fp8'), glm('8xh200-sxm', '0.5.17', 'fp8')])
    expect(because(old, 'KV cache')).toContain(`${78 * (576 + 132)} bytes for a token`)
    expect(old.memory.kvBytesPerToken).toBe(78 * (656 + 132))
    expect(term(old, 'KV cache') / old.memory.kvCacheTokens).toBeCloseTo(78 * (656 + 132), -1)
    expect(because(later, 'KV cache')).toContain(`${78 * (656 + 132)} bytes for a token`)
    expect(later.memory.kvBytesPerToken).toBe(78 * (656 + 132))
  })

  it('keeps plain rows on 10.x from 0.5.10 on, where auto means fp8', async () => {
    const [hopper, first, blackwell] = await Promise.all([glm('8xh200-sxm', '0.5.14'), glm('8xb200-sxm', '0.5.9'), glm('8xb200-sxm', '0.5.10')])
    expect([hopper, first, blackwell].map(({deployment}) => deployment.kvCache)).toEqual(['bf16', 'fp8', 'fp8'])
    expect(hopper.memory.kvBytesPerToken).toBe(78 * (1152 + 132))
    expect(first.memory.kvBytesPerToken).toBe(78 * (656 + 132))
    expect(blackwell.memory.kvBytesPerToken).toBe(78 * (576 + 132))
  })

  it('keeps packed rows of GLM on 12.x again from 0.5.17 on', async () => {
    const [before, after] = await Promise.all(['0.5.16', '0.5.17'].map((version) => glm('8xrtx-pro-6000-blackwell-server', version)))
    expect(before!.memory.kvBytesPerToken).toBe(78 * (576 + 132))
    expect(after!.memory.kvBytesPerToken).toBe(78 * (656 + 132))
  })

  // From 0.5.18 a draft has a key of its own: 576 x 2 + 132, where the model's layers share theirs.
  it('gives a draft an index key from 0.5.18 on', () => {
    const parts = partsOf('glm-5.2')
    const keys = parts.filter(({content}) => content === 'index-key').length
    const price = (version: string) => pools(parts, {version, draft: {layerCount: 1, tokens: 4}}).bytesPerToken
    expect(keys).toBeLessThan(78)
    expect(price('0.5.18')).toBeCloseTo(78 * 1152 + keys * 132 + 1152 + 132, 6)
    expect(price('0.5.17')).toBeCloseTo(((78 * 1152 + keys * 132) * 79) / 78, 6)
  })
})

describe('windows', () => {
  // gpt-oss-20b over 2 ranks, 64 requests, chunks of 8,192: 64 x (128 + 128 + 1 + 1) + 2 x 8,192 + 1 = 32,897 tokens of 12 x 1,024 bytes.
  it('are as many as the requests can hold without a prefix tree, from 0.5.14 on', () => {
    const asked = {prefixCaching: false, requestsKnown: true, maxNumSeqs: 64, chunkTokens: 8192}
    const {windowTokens, tokens} = pools(partsOf('gpt-oss-20b', 2), {...asked, version: '0.5.14'})
    expect(windowTokens).toBe(32_897)
    expect(tokens).toBe(Math.floor((20 * GIB) / 12_288 - 32_897))
    // With 4 tokens verified at once: 64 x (128 + 512 + 1 + 8) + 16,385.
    expect(pools(partsOf('gpt-oss-20b', 2), {...asked, draft: {layerCount: 0, tokens: 4}}).windowTokens).toBe(64 * 649 + 16_385)
    expect(pools(partsOf('gpt-oss-20b', 2), {...asked, version: '0.5.13'}).windowTokens).toBe(Math.floor(Math.floor((20 * GIB) / (12_288 * 1.8)) * 0.8))
  })

  // Room for 150 tokens: 120 in the windows, and 128 + 1 + 1 are needed (validate_swa_pool_size, 0.5.20).
  it('that hold no request end the start from 0.5.20 on', () => {
    const tiny = {availableBytes: 150 * 12_288 * 1.8}
    expect(pools(partsOf('gpt-oss-20b', 2), {...tiny, version: '0.5.20'}).windowShortage).toEqual({tokens: 120, neededTokens: 130})
    expect(pools(partsOf('gpt-oss-20b', 2), {...tiny, version: '0.5.19'}).windowShortage).toBeUndefined()
    expect(pools(partsOf('gpt-oss-20b', 2), {availableBytes: 163 * 12_288 * 1.8}).windowShortage).toBeUndefined()
  })

  it('have a pool of their own by class and release', () => {
    const has = (id: string, version: string) => hasWindowPool({model: catalogue.model(id)} as Subject, version)
    expect(['0.4.9.post2', '0.4.9.post3', '0.5.6.post2', '0.5.7', '0.5.8'].map((version) => has('gpt-oss-20b', version))).toEqual([
      false,
      true,
      true,
      false,
      true,
    ])
    expect(['0.5.10.post1', '0.5.11'].map((version) => has('gemma-4-31b', version))).toEqual([false, true])
  })

  // MiMo-V2-Flash: full layers and windows differ in width; from 0.5.9 memory is shared out by it (set_num_tokens_hybrid_swa).
  it('are priced by their own width from 0.5.9 on', () => {
    const parts = partsOf('mimo-v2-flash')
    const sum = (growth: string) => parts.reduce((total, part) => total + (part.growth === growth ? part.bytesPerToken : 0), 0)
    expect(pools(parts, {version: '0.5.9'}).bytesPerToken).toBeCloseTo(sum('growing') + 0.8 * sum('window'), 6)
  })
})

describe('DeepSeek-V4', () => {
  const flash = (engineVersion: string) => ran({model: 'deepseek-v4-flash', gpu: '4xb200-sxm', tp: 4, engineVersion})

  // 21 layers of ratio 4 and 20 of ratio 128 among 43. Until 0.5.12 the draft's window counts too: 0.1 x 584 bytes.
  it('counts the entry of the draft up to 0.5.12.post1', async () => {
    const [before, after] = await Promise.all([flash('0.5.12.post1'), flash('0.5.13')])
    expect(because(before, 'KV cache')).toContain('15955.85 bytes')
    expect(because(after, 'KV cache')).toContain('15897.45 bytes')
  })

  // From 0.5.21 rows are 585 bytes in pages of 256 and of 64, 864 in pages of 2: 21 x (585 / 4 + 33) + 20 x 864 / 128 = 3,899.25.
  // 256 requests x (128 + 128 + 256 + 256) + 2 x 16,384 + 256 + 4 x 256 x (128 + 256) = 622,848 tokens of windows, each of
  // 43 x 585 + 21 x 8 / 256 x 10,240 = 31,875 bytes; and 33,152 rows of 4,096 bytes in 20 layers.
  it('keeps windows for the requests that may run from 0.5.21 on', async () => {
    const result = await flash('0.5.23')
    expect(because(result, 'KV cache')).toContain('3899.25 bytes')
    expect(because(result, 'state pool')).toContain('windows of 622848 tokens')
    expect(term(result, 'state pool')).toBe(622_848 * 31_875 + 33_152 * 4096 * 20)
    expect(
      (await ran({model: 'deepseek-v4-flash', gpu: '4xb200-sxm', tp: 4, windowPoolRatio: 0.1})).memory.terms.find(({name}) => name === 'KV cache')?.because,
    ).toContain(
      // + 0.1 x 31,875
      `${(3899.25 + 3187.5).toFixed(2)} bytes`,
    )
  })

  it('lets 256 requests run, dealt out to the ranks of attention', async () => {
    expect((await flash('0.5.23')).deployment.maxNumSeqs).toBe(256)
    expect((await ran({model: 'deepseek-v4-flash', gpu: '4xb200-sxm', tp: 4, dp: 4, dpAttention: true})).deployment.maxNumSeqs).toBe(64)
  })
})

describe('recurrent states', () => {
  // Slots of 153,944,064 bytes out of 9 GiB (19 GiB x 0.9 / 1.9), 4 tokens verified at once and 5 slots for each request:
  // 0.5.16: 9 GiB / (slot x 1.8) = 34; buffers for 34 / 5 = 6 requests. 0.5.17: (9 GiB - slot x 5) / (slot x 1.8) = 32, one more slot and buffer.
  it('pay for padding from 0.5.17 on', () => {
    const asked = {className: 'Qwen3_5ForConditionalGeneration', availableBytes: 19 * GIB, draft: {layerCount: 0, tokens: 4}, maxNumSeqs: 48}
    const before = pools(partsOf('qwen3.8-27b'), {...asked, version: '0.5.16'})
    const after = pools(partsOf('qwen3.8-27b'), {...asked, version: '0.5.17'})
    expect([before.stateSlots, before.stateBytes]).toEqual([34, (34 + 6 * 4) * 153_944_064])
    expect([after.stateSlots, after.stateBytes]).toEqual([32, (32 + 1 + 7 * 4) * 153_944_064])
  })

  it('take slots by class, or by the strategy that is given', () => {
    const slots = (className: string, version: string, more = {}) => stateSlotsPerRequest({className, version, ...more})
    expect([slots('Lfm2ForCausalLM', '0.5.23'), slots('KimiLinearForCausalLM', '0.5.15'), slots('KimiLinearForCausalLM', '0.5.16')]).toEqual([3, 3, 5])
    expect(slots('Qwen3NextForCausalLM', '0.5.23', {stateStrategy: 'extra_buffer_lazy'})).toBe(4)
    expect(slots('Qwen3NextForCausalLM', '0.5.23', {stateStrategy: 'auto'})).toBe(5)
  })
})

describe('images', () => {
  it('take 100 MiB from the cache from 0.5.18 on, on large Hopper cards 1 GiB of Qwen3-VL', async () => {
    const reserved = async (model: string, engineVersion: string, more: Partial<Scenario> = {}) =>
      term(await ran({model, gpu: '1xh100-sxm', engineVersion, ...more}), 'embeddings of images')
    expect(await reserved('qwen3-vl-8b-instruct', '0.5.17')).toBe(0)
    expect(await reserved('qwen3-vl-8b-instruct', '0.5.19')).toBe(100 * MIB)
    expect(await reserved('qwen3-vl-8b-instruct', '0.5.20')).toBe(1024 * MIB)
    expect(await reserved('qwen3-vl-8b-instruct', '0.5.20', {maxNumSeqs: 400})).toBe(3072 * MIB)
    expect(await reserved('gemma-4-31b', '0.5.23')).toBe(100 * MIB)
    expect(await reserved('qwen3-8b', '0.5.23')).toBe(0)
  })
})

describe("Kimi's image tower", () => {
  // 471,143,920 parameters, of which the attention of 27 layers, 4 x 1,152 x 1,152 each, is divided (models/kimi_vl_moonvit.py MLP2, kimi_k25.py).
  it('only the attention is divided over the ranks', async () => {
    const result = await ran({model: 'kimi-k2.5', weights: 'native', gpu: '8xh200-sxm', tp: 8, engineVersion: '0.5.18', maxModelLen: 8192})
    const divided = 27 * 4 * 1152 ** 2
    expect(Math.abs(term(result, 'weights: encoders') - 2 * (471_143_920 - divided + divided / 8))).toBeLessThan(2)
  })
})
