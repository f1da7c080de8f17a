import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import {cacheFormat} from '../../src/core/formats.ts'
import {type CacheLayout, layerCache} from '../../src/core/kv-cache.ts'
import {sumBytes} from '../../src/core/terms.ts'
import {draftKind, draftWarnings, ownDraftBytes, ownDraftLayers} from '../../src/engines/drafts.ts'
import type {Engine, EngineData, Subject} from '../../src/engines/engine.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {hasWindowPool} from '../../src/engines/sglang/question.ts'
import {type PoolQuestion, sglangPools} from '../../src/engines/sglang/pools.ts'
import {cachePool, capacity} from '../../src/engines/vllm/cache-groups.ts'
import {batchDefaults} from '../../src/engines/vllm/defaults.ts'
import {evaluate} from '../../src/planner/answer/evaluate.ts'
import {hostMemoryWarnings} from '../../src/planner/answer/host-memory.ts'
import {machineFromSpec, tightestGpu} from '../../src/planner/world/machines.ts'
import {marginOf} from '../../src/planner/answer/margin.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import {ResultSchema} from '../../src/planner/answer/schema.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const GIB = 1024 ** 3
const engineOf = (id: string): Engine =>
  ENGINES[id]!({
    ...catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`),
    support: catalogue.file('engines/support'),
    needs: catalogue.file('engines/needs'),
  })
const [vllm, sglang] = [engineOf('vllm'), engineOf('sglang')]

function subjectOf(model: string, spec: string, hfId?: string): Subject {
  const found = catalogue.model(model)
  const machine = machineFromSpec(catalogue, spec)
  return {
    model: found,
    checkpoint: found.checkpoints.find((checkpoint) => checkpoint.hfId === hfId) ?? found.checkpoints[0]!,
    machine,
    gpu: tightestGpu(machine),
  }
}
const memoryOf = (engine: Engine, subject: Subject, request: DeploymentRequest) => engine.memory(subject, engine.resolve(subject, request))
const architecture = (id: string) => catalogue.model(id).architecture
const layersOf = (id: string, more: Partial<CacheLayout>) => {
  const layout: CacheLayout = {attentionTp: 1, format: cacheFormat('bf16'), stateElementBytes: 4, convolutionElementBytes: 2, speculativeTokens: 0, ...more}
  const kinds = architecture(id).layerKinds.map((kind) => layerCache(kind, layout))
  return architecture(id).layerSequence.map((index) => kinds[index]!)
}

describe('drafts by method', () => {
  it.each([
    ['qwen3.6-27b', 'mtp', 'layers'],
    ['qwen3.6-27b', 'EAGLE', 'layers'],
    ['qwen3.6-27b', 'dflash n=5', 'block'],
    ['llama-3.1-8b', 'EAGLE3', 'eagle'],
    ['llama-3.1-8b', 'eagle', 'eagle'],
    ['llama-3.1-8b', 'standalone', 'model'],
    ['llama-3.1-8b', 'ngram', 'none'],
    ['gemma-4-12b', 'mtp', 'none'],
  ])('%s with %s: %s', (model, method, kind) => expect(draftKind(architecture(model), {method, tokens: 3})).toBe(kind))

  // 1.24 billion parameters at two bytes, over two ranks.
  it('a small model of its own is assumed, and said so', () => {
    const speculative = {method: 'standalone', tokens: 5}
    expect(ownDraftBytes(architecture('llama-3.1-8b'), speculative, 2)).toBe(1.24e9)
    expect(ownDraftLayers(architecture('llama-3.1-8b'), speculative)).toBe(16)
    expect(draftWarnings(architecture('llama-3.1-8b'), speculative).map(({code}) => code)).toEqual(['draft-assumed'])
    expect(draftWarnings(architecture('qwen3.6-27b'), {method: 'mtp', tokens: 1})).toEqual([])
  })

  // Qwen3.6-27B over two RTX 4090, DFlash (logged): 9.74 GiB, 67,728 tokens, 1.06 requests of 180,000. The draft's five layers have heads of
  // another shape, so groups are five layers long: 10 of states, 4 of attention, one of the draft. Blocks of 816 tokens hold a state with
  // five tokens ahead; 9.74 GiB / (5 x 816 x 2,048) = 1,251 blocks, / 15 = 83, x 816 = 67,728: the rule up to 0.20.0, so what called itself
  // 0.20.1 there was a build of main before it.
  it('DFlash on a hybrid model: 67,728 tokens in 9.74 GiB', () => {
    const layers = layersOf('qwen3.6-27b', {attentionTp: 2, speculativeTokens: 5})
    const whole = layers.find((parts) => parts.some(({growth}) => growth === 'growing'))!
    const pool = cachePool({
      version: '0.20.0',
      layers,
      draftLayers: Array.from({length: 5}, () => whole),
      blockTokens: 16,
      maxNumBatchedTokens: 2048,
      pipelineStages: 1,
      states: {perRequest: 7, everyBlock: false},
    })
    expect([pool.groupCount, pool.blockTokens]).toEqual([15, 816])
    const {tokens, maxConcurrency} = capacity('0.20.0', pool, 9.74 * GIB, 180_000)
    expect(tokens).toBe(67_728)
    expect(maxConcurrency).toBeCloseTo(1.06, 2)
  })
})

describe('SGLang: windows', () => {
  const priceOf = (id: string, version: string, more: Partial<PoolQuestion> = {}) =>
    sglangPools({version, parts: layersOf(id, {attentionTp: 4}).flat(), availableBytes: 24 * GIB, pageTokens: 1, maxNumSeqs: 256, windowPool: true, ...more})
      .bytesPerToken

  // MiMo-V2-Flash over four ranks: 9 full layers of 1 head, 39 of windows with 2, 320 elements of two bytes each. To 0.5.10 all 48 layers
  // count at the full width and windows once more: (48 x 640 + 39 x 1,280) x (0.8 x 39 + 9) / 48; then 9 x 640 + 0.8 x 39 x 1,280.
  it.each([
    ['0.5.8', 67_536],
    ['0.5.15', 45_696],
  ])('MiMo-V2-Flash on %s: %i bytes a token', (version, bytes) => expect(priceOf('mimo-v2-flash', version)).toBeCloseTo(bytes, 6))
  // gpt-oss: all layers alike, so both ways agree: 12 x 2 heads x 64 x 2 x 2 x 1.8.
  it.each(['0.5.8', '0.5.15'])('gpt-oss-20b on %s', (version) => expect(priceOf('gpt-oss-20b', version)).toBeCloseTo(12 * 512 * 1.8, 6))
  // 62 layers x 4 heads x 128 x 2 x 2.
  it('Gemma 3 27B keeps every token of its windows', () => expect(priceOf('gemma-3-27b', '0.5.15', {windowPool: false})).toBe(126_976))

  it.each([
    ['gpt-oss-20b', '0.5.15', true],
    ['gemma-3-27b', '0.5.15', false],
    ['gemma-3-27b', '0.5.5', true],
    ['gemma-4-31b', '0.5.15', true],
    ['llama-4-scout', '0.5.5', false],
    ['llama-4-scout', '0.5.8', true],
    ['gpt-oss-20b', '0.4.6', false],
  ])('%s on %s: a pool of their own %s', (model, version, own) => expect(hasWindowPool(subjectOf(model, '1xh100-sxm'), version)).toBe(own))

  // A draft of one layer raises 12 full layers to 13 from 0.5.14 on; a block drafter beside window pools from 0.5.18.
  it.each([
    ['0.5.13', false, 0],
    ['0.5.14', false, 1],
    ['0.5.15', true, 0],
    ['0.5.18', true, 1],
  ])('a draft is priced: %s, block %s: %i layer', (version, block, layers) =>
    expect(priceOf('gpt-oss-20b', version, {draft: {layerCount: 1, tokens: 4, block}})).toBeCloseTo(512 * (12 * 1.8 + layers), 6),
  )
})

describe('SGLang: states beside the cache', () => {
  // Qwen3.8-27B-FP8 on one H100, 0.5.18 (logged): 20.16 GiB of keys and values, 17.92 of states.
  it('the result tells them apart, and its parts add up', () => {
    const subject = subjectOf('qwen3.8-27b', '1xh100-sxm', 'Qwen/Qwen3.8-27B-FP8')
    const evaluation = evaluate({
      ...subject,
      engine: sglang,
      request: {engineVersion: '0.5.18', tp: 1, kvCache: 'bf16', gpuMemoryUtilization: 0.85, maxNumSeqs: 32},
      calibration: catalogue.speedCalibration,
    })
    const result = ResultSchema.parse(toResult(evaluation))
    const {totalBytes, budgetBytes: _budget, freeBytes, ...parts} = result.memory.perGpu
    expect(Object.values(parts).reduce((sum: number, bytes) => sum + (bytes ?? 0), 0)).toBe(totalBytes - freeBytes)
    expect(Math.abs(parts.kvCacheBytes / GIB / 20.16 - 1)).toBeLessThan(0.01)
    expect(Math.abs(parts.stateBytes! / GIB / 17.92 - 1)).toBeLessThan(0.01)
  })

  it('a model without states has none', () => expect(memoryOf(sglang, subjectOf('llama-3.1-8b', '1xh100-sxm'), {}).statePoolBytes).toBeUndefined())
})

describe('vLLM: sequences of models with states', () => {
  const subject = subjectOf('qwen3.5-27b', '1xh100-sxm', 'Qwen/Qwen3.5-27B-FP8')
  const asked = {tp: 1, maxModelLen: 8192, maxNumSeqs: 2048, maxNumBatchedTokens: 2048}
  const problem = (more: DeploymentRequest) => memoryOf(vllm, subject, {...asked, ...more}).startProblem?.code

  it('refuses more than it has blocks, from 0.20', () => {
    expect(problem({engineVersion: '0.24.0'})).toBe('max-num-seqs-too-large')
    expect(problem({engineVersion: '0.19.0'})).toBeUndefined()
    expect(problem({engineVersion: '0.24.0', enforceEager: true})).toBeUndefined()
  })

  it('says how many it takes', () => {
    const {largestMaxNumSeqs = 0} = memoryOf(vllm, subject, {...asked, engineVersion: '0.24.0'})
    expect(largestMaxNumSeqs).toBeGreaterThan(8)
    expect(problem({engineVersion: '0.24.0', maxNumSeqs: largestMaxNumSeqs})).toBeUndefined()
    expect(memoryOf(vllm, subjectOf('llama-3.1-8b', '1xh100-sxm'), asked).largestMaxNumSeqs).toBeUndefined()
  })
})

describe('vLLM: buffers of sparse attention', () => {
  // DeepSeek-V4: 40 entries of 132 bytes for each row of four tokens: 65,536 tokens more are 16,384 rows more.
  it('DeepSeek-V4-Flash: 86,507,520 bytes for 65,536 tokens more', () => {
    const subject = subjectOf('deepseek-v4-flash', '4xb200-sxm')
    const peak = (maxModelLen: number) =>
      sumBytes(
        memoryOf(vllm, subject, {engineVersion: '0.26.0', tp: 4, maxModelLen, maxNumSeqs: 8, maxNumBatchedTokens: 256}).terms.filter(
          ({part}) => part === 'activation',
        ),
      )
    expect(Math.abs(peak(131_072) - peak(65_536) - 16_384 * 40 * 132)).toBeLessThan(4)
  })
})

it('vLLM takes NVIDIA memory that is shared for none: 2,048 tokens and 256 sequences on a GB10', () =>
  expect(batchDefaults('0.25.1', subjectOf('llama-3.1-8b', '1xgb10').gpu)).toEqual({maxNumBatchedTokens: 2048, maxNumSeqs: 256}))

describe('safety margin', () => {
  const marginFor = (subject: Subject, request: DeploymentRequest) => {
    const deployment = vllm.resolve(subject, request)
    return marginOf(subject, deployment, vllm.memory(subject, deployment), vllm).bytes
  }
  const plain = marginFor(subjectOf('llama-3.1-8b', '1xh100-sxm'), {})
  // 1% of 79.2 GiB beside the spread, as many times as logs of 0.26 on such cards, of layers that attend to everything, came out.
  it('is the spread and a share of the card where all is known', () => {
    const {margins, kinds, platforms, releases} = vllm.memoryErrors!
    const factor = margins * kinds.full! * platforms.nvidia! * releases.at(-1)!.factor
    const spread = Math.hypot(vllm.spreadBytes, 0.01 * memoryOf(vllm, subjectOf('llama-3.1-8b', '1xh100-sxm'), {}).totalBytes)
    expect(marginFor(subjectOf('llama-3.1-8b', '1xh100-sxm'), {engineVersion: '0.26.0'})).toBe(Math.round(factor * spread))
    // No log of the newest is known: the factor that stands for it takes the place of the range's.
    expect(plain).toBe(Math.round(margins * kinds.full! * platforms.nvidia! * vllm.memoryErrors!.unseen.release * spread))
  })
  it('grows with what is assumed', () => {
    expect(marginFor(subjectOf('llama-3.1-8b', '1xgb10'), {})).toBeGreaterThan(1.7 * GIB)
    expect(marginFor(subjectOf('llama-3.1-8b', '1xh100-sxm'), {speculative: {method: 'standalone', tokens: 4}})).toBeGreaterThan(1e9)
    expect(marginFor(subjectOf('qwen3.5-27b', '1xh100-sxm', 'Qwen/Qwen3.5-27B-FP8'), {maxModelLen: 8192})).toBeGreaterThan(plain)
  })
})

describe('host memory', () => {
  const {machine} = subjectOf('llama-3.1-8b', '2xrtx-4090')
  // Two workers of 4 GiB, a file of 5 and 20 GiB that are pinned: 33 GiB.
  it.each([
    [34, 0],
    [32, 1],
  ])('%i GiB available: %i warning', (gib, count) =>
    expect(hostMemoryWarnings({...machine, detected: true, availableHostMemoryBytes: gib * GIB}, 2, 20 * GIB)).toHaveLength(count),
  )
  it('says nothing of machines that nobody looked at', () => expect(hostMemoryWarnings(machine, 2, 20 * GIB)).toEqual([]))
})
