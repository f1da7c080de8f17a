import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {answer, type Answer} from '../../src/planner/answer/answer.ts'
import {byFidelity, keepsQuality} from '../../src/planner/answer/choose.ts'
import {isYes} from '../../src/planner/answer/evaluation.ts'
import {subjectOf} from '../../src/planner/answer/speed-input.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import type {Context} from '../../src/planner/world/context.ts'
import {layoutsFor} from '../../src/planner/answer/layouts.ts'
import {machineFromName, machineFromSpec, pacingAccelerator, servingGroups, tightestGpu} from '../../src/planner/world/machines.ts'
import {usualLink} from '../../src/planner/world/links.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'

let catalogue: Catalogue
let context: Context
beforeAll(() => {
  catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
  const refuse = () => Promise.reject(new Error('not here'))
  context = {catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse}
})
const ask = (scenario: Scenario): Promise<Answer> => answer(context, scenario)

describe('a layout without a load', () => {
  it('is sought with one that is no longer than the context, so that less memory does no better', async () => {
    // 1,104 tokens are less than the usual 1,536: no layout would hold that, and they would be ranked by what they lack.
    const scenario = {model: 'qwen3-30b-a3b', machine: 'workstation-rtx-4090-4x', engineVersion: '0.9.0', maxModelLen: 1104}
    for (const reservedBytesPerGpu of [0, 4 * 2 ** 30]) expect((await ask({...scenario, reservedBytesPerGpu})).best.verdict).toBe('fits')
  })
})

describe('which checkpoint is meant', () => {
  it('a name means the least quantised that fits, and says what was passed over', async () => {
    // 32.8 billion weights: 65.5 GB in BF16 and 32.8 in FP8 against 2 x 24 GiB; AWQ is 19.3.
    const {best, passedOver} = await ask({model: 'qwen3-32b', gpu: '2xrtx-4090'})
    expect(['fits', 'tight']).toContain(best.verdict)
    expect(best.checkpoint.weights).not.toBe('bf16')
    expect(passedOver[0]?.checkpoint.weights).toBe('bf16')
    expect(passedOver[0]?.reasons[0]?.code).toBe('weights-exceed-memory')
  })

  it('with room it is the original', async () => {
    expect((await ask({model: 'qwen3-32b', gpu: '2xh100-sxm'})).best.checkpoint).toMatchObject({hfId: 'Qwen/Qwen3-32B', weights: 'bf16'})
  })

  it('a repository means exactly that one', async () => {
    const {best, passedOver} = await ask({model: 'Qwen/Qwen3-32B', gpu: '2xrtx-4090'})
    expect(best).toMatchObject({verdict: 'does-not-fit', checkpoint: {hfId: 'Qwen/Qwen3-32B'}})
    expect(passedOver).toEqual([])
  })

  it('a format means the published checkpoint of it, or one computed as if there were one', async () => {
    expect((await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', weights: 'awq-int4'})).best.checkpoint.hfId).toBe('Qwen/Qwen3-32B-AWQ')
    const {best, hypothetical} = await ask({model: 'llama-2-7b', gpu: '1xh100-sxm', weights: 'int8'})
    expect(hypothetical).toBe(true)
    expect(best.warnings.map(({code}) => code)).toContain('checkpoint-not-published')
  })

  it('a build for NPUs is not the INT8 build of another card', async () => {
    expect((await ask({model: 'qwen3.8-27b', gpu: '2xrtx-3090', tp: 2, weights: 'int8', maxModelLen: 32768})).hypothetical).toBe(true)
  })

  it('int4 alone means a published build in 4-bit integers, whoever packed it', async () => {
    // Ling 3.0 flash: routed experts of 2,560 x 768, three matrices, 512 of them in 40 layers, at 4.5 bits; the rest of 124.4 billion weights at 16.
    const experts = 3 * 2560 * 768 * 512 * 40
    const {best} = await ask({model: 'ling-3.0-flash', gpu: '1xh200-sxm', weights: 'int4'})
    expect(best.checkpoint.hfId).toBe('inclusionAI/Ling-3.0-flash-int4')
    const bytes = best.memory.terms
      .filter(({part, name}) => part === 'weights' && name !== 'weights: absorbed latent projections')
      .reduce((sum, term) => sum + term.bytes, 0)
    expect(Math.abs(bytes / ((experts * 4.5) / 8 + (124_414_211_552 - experts) * 2) - 1)).toBeLessThan(0.005)
    expect((await ask({model: 'qwen3-32b', gpu: '1xh200-sxm', weights: 'int4'})).best.checkpoint.hfId).toBe('Qwen/Qwen3-32B-AWQ')
  })

  it('what may not start even with changed settings is not taken before fewer bits that do', async () => {
    // Half of 235 billion bytes are 109.5 GiB for each 121.7 GiB of a GB10: in FP8 it may start with 32 sequences and 95%, in 4 bits it does.
    const {best, passedOver} = await ask({model: 'qwen3-235b-a22b', gpu: '2xgb10'})
    expect(best.verdict).toBe('fits')
    expect(best.replaced.filter(({field}) => field !== 'maxModelLen')).toEqual([])
    const eightBits = passedOver.find(({checkpoint}) => checkpoint.hfId === 'Qwen/Qwen3-235B-A22B-FP8')
    expect(eightBits?.verdict).toBe('tight')
    expect(eightBits?.replaced.map(({field}) => field)).toContain('gpuMemoryUtilization')
  })

  it('orders by fidelity, the publisher before others', () => {
    const order = byFidelity({hfId: 'a/bf16'}, [
      {hfId: 'a/awq', weights: 'awq-int4', formats: {default: 'awq-int4'}},
      {hfId: 'b/fp8', weights: 'fp8', formats: {default: 'fp8'}, publisher: 'community'},
      {hfId: 'a/fp8', weights: 'fp8', formats: {default: 'fp8'}},
      {hfId: 'a/bf16', weights: 'bf16', formats: {default: 'bf16'}},
    ])
    expect(order.map(({hfId}) => hfId)).toEqual(['a/bf16', 'a/fp8', 'b/fp8', 'a/awq'])
  })

  it('a rebuild with more bits than the original does not stand before it', async () => {
    // gpt-oss was published in MXFP4; lmsys/gpt-oss-120b-bf16 is made from it.
    const {best} = await ask({model: 'gpt-oss-120b', gpu: '8xh200-sxm'})
    expect(best.checkpoint.hfId).toBe('openai/gpt-oss-120b')
  })
})

describe('more bits are worth some speed', () => {
  const load = (concurrency: number) => ({inputTokens: 1024, outputTokens: 512, concurrency})
  const perUser = ({best}: Answer) => best.performance!.outputTokensPerSecondPerUser

  // BF16 needs three stages on three cards, where two of them hold FP8 in one piece.
  it.each([
    ['qwen3-32b', 'rtx-4090', [2, 3, 4, 5, 6, 7, 8]],
    ['llama-3.3-70b', 'rtx-3090', [4, 5, 6, 7, 8]],
    ['qwen3-8b', 'l40s', [1, 2, 3, 4]],
  ] as const)('another card never loses a quarter of the speed for each user: %s on %s', async (model, gpu, counts) => {
    let before = 0
    for (const count of counts) {
      const answered = await ask({model, gpu: `${count}x${gpu}`, workload: load(4)})
      expect(answered.best.verdict).toBe('fits')
      expect(perUser(answered), `${count} cards`).toBeGreaterThan(0.75 * before)
      before = perUser(answered)
    }
  })

  it('no build of 8 bits and more that was passed over and fits is 1.3 times as fast', async () => {
    for (const gpu of ['3xrtx-4090', '1xh100-sxm', '4xh100-sxm', '7xl40s']) {
      const answered = await ask({model: 'qwen3-32b', gpu, workload: load(4)})
      for (const other of answered.passedOver)
        if (other.verdict === 'fits' && keepsQuality(other.model, other.checkpoint))
          expect(other.performance!.outputTokensPerSecondPerUser).toBeLessThanOrEqual(1.3 * perUser(answered))
    }
  })

  it('of builds in which requests wait, the one that holds more of them is taken', async () => {
    // 24 requests of 1,536 tokens lie in what 61 GiB of BF16 leave on 80 GB; 31 GiB of FP8 leave four times as much.
    const {best, passedOver} = await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', workload: load(400)})
    expect(best.verdict).toBe('tight')
    expect(best.checkpoint.weights).toMatch(/^fp8/)
    const bf16 = passedOver.find(({checkpoint}) => checkpoint.weights === 'bf16')!
    expect(best.performance!.outputTokensPerSecond.estimate).toBeGreaterThan(1.6 * bf16.performance!.outputTokensPerSecond.estimate)
  })
})

describe('what the engine would choose otherwise', () => {
  it('is named wherever it is set, in the settings and in words', async () => {
    for (const maxModelLen of [undefined, 65_536])
      for (const gpu of ['1xrtx-5090', '1xrtx-4090', '2xrtx-4090', '1xh100-sxm']) {
        const {best} = await ask({model: 'qwen3.6-35b-a3b', gpu, maxModelLen, engine: 'vllm'})
        const {replaced, deployment, engine, warnings} = best
        if (!isYes(best)) continue
        const {tp, pp, dp, ep, dpAttention} = deployment
        const own = engine.resolve(subjectOf(best), {engine: 'vllm', tp, pp, dp, ep, dpAttention, maxModelLen})
        for (const field of ['maxNumSeqs', 'gpuMemoryUtilization'] as const) {
          expect(
            replaced.some((one) => one.field === field),
            `${field} on ${gpu}`,
          ).toBe(own[field] !== deployment[field])
          if (own[field] !== deployment[field])
            expect(warnings.some(({code, message}) => code === 'setting-replaced' && message.includes(String(deployment[field])))).toBe(true)
        }
      }
    const {best} = await ask({model: 'qwen3.6-35b-a3b', gpu: '1xrtx-5090', engine: 'vllm'})
    expect(best.replaced.map(({field}) => field)).toContain('maxNumSeqs')
  })
})

describe('which context is meant', () => {
  it("unasked, the model's own limit where there is room", async () => {
    const {best} = await ask({model: 'qwen3-32b', gpu: '2xh100-sxm'})
    expect(best.deployment.maxModelLen).toBe(40_960)
  })
  it('unasked, as much as there is room for, from 8,192 tokens on', async () => {
    const {best} = await ask({model: 'Qwen/Qwen3-32B-FP8', gpu: '2xrtx-4090'})
    expect(best.deployment.maxModelLen).toBeLessThan(40_960)
    expect(best.deployment.maxModelLen).toBeGreaterThanOrEqual(8192)
    expect(best.memory.starts).toBe(true)
  })
  it('what is needed holds for every answer that is a yes, whatever the low end of the estimate', async () => {
    for (const [model, gpu, engine] of [
      ['gpt-oss-120b', '4xa10g', 'vllm'],
      ['qwen3-32b', '1xrtx-4090', 'trtllm'],
      ['llama-3.3-70b', '2xrtx-3090', 'vllm'],
      ['qwen3-14b', '1xrtx-3060-12gb', 'vllm'],
    ] as const) {
      const {best} = await ask({model, gpu, engine, workload: {inputTokens: 1024, outputTokens: 512, concurrency: 2}})
      if (isYes(best)) expect(best.deployment.maxModelLen, `${model} on ${gpu}`).toBeGreaterThanOrEqual(8192)
    }
  })
  it('asked for, it must be there', async () => {
    const {best} = await ask({model: 'Qwen/Qwen3-32B-FP8', gpu: '2xrtx-4090', maxModelLen: 40_960, maxNumSeqs: 256, gpuMemoryUtilization: 0.92})
    expect(best).toMatchObject({verdict: 'does-not-fit', reasons: [{code: 'kv-cache-too-small'}]})
  })
})

describe('layouts', () => {
  const model = (id: string) => catalogue.model(id).architecture
  it('tensor parallelism divides the heads', () => {
    const sizes = layoutsFor(model('qwen3-32b'), machineFromSpec(catalogue, '6xh100-sxm'), {}).map(({tp}) => tp)
    // 64 query and 8 KV heads: of 1, 2, 3, 6 only 1 and 2; four of the six are more than either, and leave two idle.
    expect([...new Set(sizes)].sort()).toEqual([1, 2, 4])
  })
  it('no more replicas than requests in flight', () => {
    const layouts = layoutsFor(model('llama-3.1-8b'), machineFromSpec(catalogue, '8xh100-sxm'), {}, 2)
    expect(Math.max(...layouts.map(({dp}) => dp ?? 1))).toBe(2)
  })
  it('what the request fixes is kept', () => {
    expect(layoutsFor(model('llama-3.1-8b'), machineFromSpec(catalogue, '8xh100-sxm'), {tp: 4})).toEqual([{tp: 4, pp: 1, dp: 1}])
  })
  it('pipeline stages only where GPUs are not joined directly', () => {
    expect(layoutsFor(model('llama-3.1-8b'), machineFromSpec(catalogue, '4xh100-sxm'), {}).some(({pp}) => pp! > 1)).toBe(false)
    expect(layoutsFor(model('llama-3.1-8b'), machineFromSpec(catalogue, '4xrtx-4090'), {}).some(({pp}) => pp! > 1)).toBe(true)
  })
  it('block-quantised experts that a split would cut are dealt out whole', async () => {
    // 1,536 columns over 8 ranks are 192, which blocks of 128 do not divide.
    const {best} = await ask({model: 'Qwen/Qwen3-235B-A22B-FP8', gpu: '8xh100-sxm', tp: 8})
    expect(best.deployment.ep).toBe(8)
    expect(best.warnings).toEqual([])
    const told = await ask({model: 'Qwen/Qwen3-235B-A22B-FP8', gpu: '8xh100-sxm', tp: 8, ep: 1})
    expect(told.best.warnings.map(({code}) => code)).toContain('expert-parallel-needed')
    const refused = await ask({model: 'Qwen/Qwen3-235B-A22B-FP8', gpu: '8xh100-sxm', tp: 8, ep: 2, engine: 'sglang'})
    // Two groups of four: 1,536 over 4 ranks is 384, three blocks.
    expect(refused.best.verdict).toBe('fits')
  })
  it('sizes beyond the machine are refused', async () => {
    const {best} = await ask({model: 'llama-3.1-8b', gpu: '2xh100-sxm', tp: 4})
    expect(best).toMatchObject({verdict: 'unsupported', reasons: [{code: 'not-enough-gpus'}]})
  })
})

describe('machines', () => {
  it('knows the links of its cards', () => {
    const card = (id: string) => catalogue.gpu(id)!
    expect(usualLink(card('h100-sxm'), 8).kind).toBe('nvlink')
    expect(usualLink(card('rtx-4090'), 2).kind).toBe('pcie-host')
    expect(usualLink(card('mi300x'), 8).kind).toBe('xgmi')
    expect(usualLink(card('gb10'), 2).kind).toBe('network')
  })
  it('lets unequal cards serve together, sized by the smallest and paced by the slowest, or by kinds', () => {
    const groups = servingGroups(machineFromSpec(catalogue, '2xrtx-4090,1xrtx-3090'))
    expect(groups.map(({gpus}) => gpus.map(({accelerator}) => accelerator.id))).toEqual([
      ['rtx-3090', 'rtx-4090', 'rtx-4090'],
      ['rtx-4090', 'rtx-4090'],
      ['rtx-3090'],
    ])
    // 936 against 1,008 GB/s.
    expect(pacingAccelerator(groups[0]!).id).toBe('rtx-3090')
  })
  it('is limited by the card with least room', () => {
    const machine = machineFromSpec(catalogue, '2xrtx-4090')
    machine.gpus[1] = {...machine.gpus[1]!, freeBytes: 5e9}
    expect(tightestGpu(machine).index).toBe(1)
  })
  it('a system has its GPUs and link', () => {
    const machine = machineFromName(catalogue, 'dgx-h200')
    expect(machine).toMatchObject({nodeCount: 1, link: {kind: 'nvlink'}})
    expect(machine.gpus).toHaveLength(8)
  })
  it('free memory of this machine counts, not what is installed', async () => {
    const free = machineFromSpec(catalogue, '1xh100-sxm')
    const taken = {...free, detected: true, gpus: [{...free.gpus[0]!, freeBytes: 20 * 2 ** 30}]}
    const busy = await answer({...context, detect: async () => taken}, {model: 'llama-3.1-8b'})
    const idle = await answer({...context, detect: async () => free}, {model: 'llama-3.1-8b'})
    expect(busy.best.memory.budgetBytes).toBeLessThanOrEqual(20 * 2 ** 30)
    expect(idle.best.memory.budgetBytes).toBeGreaterThan(70 * 2 ** 30)
    expect(busy.best.deployment.gpuMemoryUtilization).toBeLessThan(0.26)
  })
})

describe('unequal cards', () => {
  it('share a model: sized by the smaller, paced by the slower, told so', async () => {
    const {best, left} = await ask({model: 'qwen3-32b', gpu: '1xrtx-4090,1xrtx-3090', workload: {inputTokens: 1024, outputTokens: 512, concurrency: 1}})
    expect(best.verdict).toBe('fits')
    expect(best.deployment.tp * best.deployment.pp).toBe(2)
    expect(left).toEqual([])
    const {hardware, warnings} = toResult(best)
    expect(hardware).toMatchObject({
      gpu: 'rtx-3090',
      gpus: 2,
      cards: expect.arrayContaining([
        {gpu: 'rtx-4090', count: 1},
        {gpu: 'rtx-3090', count: 1},
      ]),
    })
    expect(warnings.map(({code}) => code)).toContain('unequal-gpus')
    // The memory is the 4090's, whose driver shows 12 MiB less than the 3090's.
    const alone = await ask({model: 'qwen3-32b', gpu: '2xrtx-4090', tp: best.deployment.tp, pp: best.deployment.pp})
    expect(best.memory.totalBytes).toBe(alone.best.memory.totalBytes)
  })

  it('one that is left out is never the better one, and what both would give is said', async () => {
    const {best, left} = await ask({model: 'qwen3-8b', gpu: '1xrtx-3060-12gb,1xrtx-5090', workload: {inputTokens: 1024, outputTokens: 512, concurrency: 1}})
    expect(best.machine.gpus.map(({accelerator}) => accelerator.id)).toEqual(['rtx-5090'])
    expect(left.map(({accelerator}) => accelerator.id)).toEqual(['rtx-3060-12gb'])
    expect(best.warnings.find(({code}) => code === 'gpus-idle')?.message).toMatch(/RTX 3060 12GB is idle; both kinds together \(--tp 2\) would give/)
  })

  it('are refused by an engine that is not known to run over them', async () => {
    const {best} = await ask({model: 'Qwen/Qwen3-32B-AWQ', gpu: '1xrtx-4090,1xrtx-3090', engine: 'trtllm', tp: 2})
    expect(best).toMatchObject({verdict: 'unsupported', reasons: [{code: 'unequal-gpus-unsupported'}]})
  })
})

describe('too slow', () => {
  const load = {inputTokens: 2000, outputTokens: 500}
  it('is what falls behind its arrivals, with what would be served', async () => {
    const {best} = await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', workload: {...load, requestRate: 500}})
    expect(best).toMatchObject({verdict: 'too-slow', reasons: [{code: 'overloaded'}]})
    const rate = Number(/--request-rate ([\d.]+)/.exec(best.reasons[0]!.remedy!)![1])
    expect((await ask({model: best.checkpoint.hfId, gpu: '1xh100-sxm', workload: {...load, requestRate: rate}})).best.verdict).toBe('fits')
  })
  it('is what breaks a limit as expected; what only its slow end breaks is tight and says both numbers', async () => {
    const plain = (await ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', workload: {...load, concurrency: 16}})).best.performance!.ttftMs
    const at = (ttftMs: number) => ask({model: 'Qwen/Qwen3-8B', gpu: '1xh100-sxm', workload: {...load, concurrency: 16}, slo: {ttftMs}})
    expect((await at(plain.estimate * 0.99)).best).toMatchObject({verdict: 'too-slow', reasons: [{code: 'slo-missed'}]})
    const tight = (await at((plain.estimate + plain.high) / 2)).best
    expect(tight.verdict).toBe('tight')
    expect(tight.warnings.find(({code}) => code === 'slo-uncertain')?.message).toMatch(/first token .* expected, up to .*; the limit is /)
    expect((await at(plain.high * 1.01)).best.verdict).toBe('fits')
  })
})

describe('requests and contexts', () => {
  const workload = {inputTokens: 39_000, outputTokens: 10_000, concurrency: 1}
  it('a request longer than the context that is served does not fit', async () => {
    // 49,000 tokens against the 40,960 of the configuration.
    const {best} = await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', workload})
    expect(best).toMatchObject({verdict: 'does-not-fit', reasons: [{code: 'request-exceeds-context', remedy: 'use --max-model-len 49000'}]})
    expect((await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', workload, maxModelLen: 49_000})).best.verdict).not.toBe('does-not-fit')
    expect((await ask({model: 'qwen3-32b', gpu: '1xh100-sxm', workload: {...workload, inputTokens: 1_000_000}})).best).toMatchObject({
      verdict: 'does-not-fit',
      reasons: [{code: 'request-exceeds-context'}],
    })
  })
})

describe('what nobody fixed', () => {
  it('is replaced where the engine would not start, with and without a load, and named', async () => {
    for (const workload of [undefined, {inputTokens: 2000, outputTokens: 300, concurrency: 3}]) {
      const {best} = await ask({model: 'Qwen/Qwen3-Coder-Next-FP8', gpu: '4xrtx-3090', tp: 4, workload})
      expect(['fits', 'tight']).toContain(best.verdict)
      expect(best.replaced).toContainEqual(expect.objectContaining({field: 'maxNumSeqs', engineDefault: 256, value: 32}))
      expect(best.warnings.find(({code}) => code === 'setting-replaced')?.message).toBe(
        "started with --max-num-seqs 32: the engine's default of 256 does not start here",
      )
    }
    // Asked for, it is the answer's to refuse.
    expect((await ask({model: 'Qwen/Qwen3-Coder-Next-FP8', gpu: '4xrtx-3090', tp: 4, maxNumSeqs: 256})).best.verdict).toBe('does-not-fit')
  })
  it('a context that nobody asked for never makes an answer tight', async () => {
    for (const gpu of ['1xrtx-a6000', '2xrtx-4090', '1xrtx-4090', '4xrtx-3090', '1xl40s'])
      for (const model of ['Qwen/Qwen3-32B-FP8', 'Qwen/Qwen3-32B-AWQ', 'gpt-oss-20b', 'Qwen/Qwen3-14B']) {
        const {best} = await ask({model, gpu})
        if (best.verdict === 'tight') expect(best.deployment.maxModelLen, `${model} on ${gpu}`).toBeLessThanOrEqual(8192)
      }
  })
})

describe('layouts of large machines', () => {
  it('are few, whatever the number of GPUs', () => {
    const sizes = layoutsFor(catalogue.model('qwen3-32b').architecture, machineFromSpec(catalogue, '1024xh100-sxm', 1024), {})
    // Tensor sizes 1, 2, 4, 8, 16, 32, 64 with stages that divide the groups, up to 64 layers.
    expect(sizes.length).toBeLessThan(100)
  })
})
