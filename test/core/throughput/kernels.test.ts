import {describe, expect, it} from 'vitest'
import type {Calibration} from '../../../src/core/throughput/calibration.ts'
import {releaseYear} from '../../../src/core/throughput/engine-version.ts'
import {performance, preparedModel, servingOf} from '../../../src/core/throughput/performance.ts'
import type {PerformanceInput} from '../../../src/core/throughput/input.ts'
import {distinctExperts} from '../../../src/core/throughput/step.ts'
import {promptsTogether} from '../../../src/core/throughput/serving.ts'
import {workOf} from '../../../src/core/throughput/work.ts'
import {calibration, question} from './question.ts'

const changed = (change: (copy: Calibration) => void): Calibration => {
  const copy = structuredClone(calibration)
  change(copy)
  return copy
}
const decode = {decodeSequences: 8, contextTokens: 1024, promptTokens: 0, promptSequences: 0, promptContextTokens: 0}

describe('kernels beside the products of a step', () => {
  const small = (model: string, weights: string) => {
    const {architecture, checkpoint, layout, cacheLayout} = question({model, weights})
    return workOf(architecture, checkpoint, layout, cacheLayout).smallKernelCount
  }
  // 64 layers: 4 of attention, 1 for norms of heads, 2 of a dense feed-forward
  it('Qwen3-32B', () => expect(small('qwen3-32b', 'bf16')).toBe(64 * (4 + 1 + 2)))
  // 36 layers of attention; the router's bias comes with biases of the experts and corrects nothing
  it('gpt-oss', () => expect(small('gpt-oss-120b', 'mxfp4')).toBe(36 * 4))
  // 62 layers: 4 of attention, 4 for norms over all heads, 2 for scores corrected in 32 bits
  it('MiniMax-M2.5', () => expect(small('minimax-m2.5', 'fp8-block')).toBe(62 * (4 + 4 + 2)))
  // 61 layers of latent attention with 8; 3 dense with 2; 58 with shared experts (2) and corrected scores (2)
  it('DeepSeek-R1', () => expect(small('deepseek-r1-0528', 'fp8-block')).toBe(61 * 8 + 3 * 2 + 58 * 4))
  // 45 layers with a state, 9 each; 15 of attention with norms of heads and an output gate; 60 with shared experts and their gate
  it('Qwen3.5-397B', () => expect(small('qwen3.5-397b-a17b', 'bf16')).toBe(45 * 9 + 15 * 6 + 60 * 4))

  // 10 microseconds more in each of 36 layers, times the multipliers of engine, card and release.
  it('experts of 4 bits are one call where the card takes 4 bits, and several where they are dequantised', () => {
    const dearer = changed(({launchMicroseconds}) => {
      launchMicroseconds.fusedExperts += 10
    })
    const grown = (card: string) => {
      const input = question({model: 'gpt-oss-120b', weights: 'mxfp4', card, tp: 1, engineVersion: '0.12.0'})
      const [less, more] = [calibration, dearer].map((one) => preparedModel(input, one).time(decode).launches)
      return more! - less!
    }
    const {launch, kernelTrendPerYear, referenceYear} = calibration.engines.vllm!
    const factor =
      launch *
      calibration.hardwareClasses['nvidia-10']!.latency *
      Math.exp(-kernelTrendPerYear * (releaseYear('0.12.0', calibration.engines.vllm!) - referenceYear))
    expect(grown('b200-sxm') / (36 * 10e-6 * factor)).toBeCloseTo(1, 6)
    expect(grown('h200-sxm')).toBe(0)
  })

  // A tile of a million tokens hides everything else: distinct experts x a million x 2 x 3 x 2048 x 768 operations, in each of 48 layers, at the published rate.
  it('experts in tiles are computed whole, at the published rate, and wide ones are read slower', () => {
    const input = question({model: 'qwen3-30b-a3b', weights: 'nvfp4', card: 'rtx-pro-6000-blackwell-server', tp: 1, engineVersion: '0.26.0'})
    const experts = (tileTokens?: number) => preparedModel({...input, expertKernels: {tileTokens}}, calibration).time({...decode, decodeSequences: 1}).experts
    const touched = distinctExperts(128, 8, 1, calibration.kernels.expertSpread)
    const seconds = (48 * touched * 1e6 * 2 * 3 * 2048 * 768) / input.accelerator.denseOperationsPerSecond.fp4!
    const engine = calibration.engines.vllm!
    const factor = engine.experts * Math.exp(-engine.kernelTrendPerYear * (releaseYear('0.26.0', engine) - engine.referenceYear))
    expect(experts(1e6) / (seconds * factor)).toBeCloseTo(1, 2)
    expect(experts(32) / experts()).toBeCloseTo(1, 1)
    // One token: bound by memory, of which wide tiles leave 0.7; a little of what they compute shows beside it.
    expect(experts(128) / experts(32)).toBeGreaterThan(1.3)
    expect(experts(128) / experts(32)).toBeLessThan(1.55)
  })

  it('formats that an engine dequantises on a card run as weight-only ones do, and are launched as such', () => {
    const input = question({model: 'gpt-oss-120b', weights: 'mxfp4', card: 'rtx-pro-6000-blackwell-server', tp: 1})
    const step = (expertKernels: PerformanceInput['expertKernels'], sequences: number, own = calibration) =>
      preparedModel({...input, expertKernels}, own).time({...decode, decodeSequences: sequences})
    const dearer = changed(({launchMicroseconds}) => {
      launchMicroseconds.weightOnlyExperts += 10
    })
    const [taken, dequantised] = [{unfused: true}, {unfused: true, dequantised: ['mxfp4']}]
    expect(step(taken, 8, dearer).launches).toBe(step(taken, 8).launches)
    expect(step(dequantised, 8, dearer).launches).toBeGreaterThan(step(dequantised, 8).launches)
    // Thousands of tokens: products on 16-bit units instead of 4-bit ones.
    expect(step(dequantised, 4096).experts / step(taken, 4096).experts).toBeGreaterThan(1.5)
  })

  // 4 bits read, 16 written, 16 read: nine times as many, of experts that one token touches; what is computed hid some of the reading before.
  it('formats that are unpacked before each product move up to nine times their bits', () => {
    const input = question({model: 'gpt-oss-120b', weights: 'mxfp4', card: 'mi300x', tp: 1})
    const experts = (unpacked?: string[]) => preparedModel({...input, expertKernels: {unpacked}}, calibration).time({...decode, decodeSequences: 1}).experts
    expect(experts(['mxfp4']) / experts()).toBeGreaterThan(3)
    expect(experts(['mxfp4']) / experts()).toBeLessThan(9.01)
    expect(experts(['nvfp4'])).toBe(experts())
  })

  it('steps that decode take longer where an engine is slower on the cards of a maker, prompts do not', () => {
    const times = (slowerOn: Record<string, number>, state = decode) =>
      preparedModel(
        question({card: 'mi300x', engine: 'sglang', engineVersion: '0.5.9'}),
        changed(({engines}) => Object.assign(engines.sglang!, {slowerOn})),
      ).time(state)
    const [even, slower] = [times({}), times({amd: 2})]
    expect(slower.total - slower.host).toBeCloseTo(2 * (even.total - even.host), 12)
    expect(times({nvidia: 2})).toEqual(even)
    const prompt = {...decode, promptTokens: 4096, promptSequences: 1}
    expect(times({amd: 2}, prompt)).toEqual(times({}, prompt))
  })

  it('a prompt of layers with a state is launched kernel by kernel, most of them from Triton', () => {
    const {architecture, checkpoint, layout, cacheLayout} = question({model: 'qwen3.5-397b-a17b', weights: 'bf16'})
    expect(workOf(architecture, checkpoint, layout, cacheLayout).promptKernelCount).toBe(45 * 45)
    expect(preparedModel(question({}), calibration).work.promptKernelCount).toBe(0)
  })
})

describe('prompts that share a step', () => {
  // Looked for once in 30 steps, 0.1 a step: 3 / (1 - e^-3) = 3.157
  it('gather while the scheduler does not look', () => expect(promptsTogether(0.1, {everySteps: 30})).toBeCloseTo(3.157, 3))
  // 0.1 / (1 - e^-0.1) = 1.0508, and 20 x 0.1 that come while it waits
  it('gather while it waits for company', () => expect(promptsTogether(0.1, {waitSteps: 20})).toBeCloseTo(3.0508, 3))
  // Of four groups each has one after 3 more have come.
  it('gather until each group of ranks has one', () => expect(promptsTogether(0.1, {waitSteps: 60}, 4)).toBeCloseTo(4.0508, 3))
})

describe('data-parallel attention', () => {
  const tp = 8
  const input = question({
    model: 'deepseek-r1-0528',
    weights: 'fp8-block',
    tp,
    dpAttention: true,
    layout: {attentionTp: 1, denseTp: tp, vocabularyTp: tp, expertTp: 1, expertParallel: tp, encoderTp: 1},
    maxNumBatchedTokens: tp * 4096,
  })
  const model = preparedModel(input, calibration)
  const prompts = (count: number, promptGroups?: number) =>
    model.time({decodeSequences: 0, contextTokens: 0, promptTokens: 4096 * count, promptSequences: count, promptContextTokens: 2048, promptGroups})

  // Attention of one prompt is done by one rank of eight, and so is that of eight prompts in the same time.
  it('one prompt keeps one group busy', () => {
    expect(prompts(1, 1).attention / prompts(8, 8).attention).toBeCloseTo(1, 6)
    expect(prompts(1, 1).attention / prompts(1).attention).toBeCloseTo(8, 6)
  })
  // 8 x 4,096 tokens in all are 4,096 for each rank: a prompt of 6,000 takes two steps, one of 4,000 a single one.
  it('a prompt is cut by the budget of its rank', () => {
    const chunks = (inputTokens: number) => servingOf({...input, workload: {inputTokens, outputTokens: 256, concurrency: 8}}, calibration).prefillChunks
    expect([chunks(4000), chunks(6000)]).toEqual([1, 2])
  })
})

describe('more requests than places', () => {
  const input = question({maxNumSeqs: 7, workload: {inputTokens: 1024, outputTokens: 256, concurrency: 8}})
  const slower = changed(({engines}) => {
    engines.vllm!.requestMilliseconds += 20
  })
  const ttft = (places: number, one: Calibration) => servingOf({...input, maxNumSeqs: places}, one).ttft
  it('all in flight are accounted for: rate times latency', () => {
    const {requestsPerSecond, tpot, ttft: first} = servingOf(input, calibration)
    expect(requestsPerSecond * (first + 255 * tpot)).toBeCloseTo(8, 6)
  })
  // With a place free 20 ms more to accept a request are 20 ms more to its first token; without one they pass while it waits, but in the first of ten rounds.
  it('a request is accepted while it waits for a place', () => {
    expect(ttft(8, slower) - ttft(8, calibration)).toBeGreaterThan(0.019)
    expect(ttft(7, slower) - ttft(7, calibration)).toBeLessThan(0.004)
  })
  // 70 of 80 requests of ten rounds find no place when they come; of one round one in eight.
  it('those that come first find a place', () => {
    const capacity = (rounds: number) => servingOf({...input, rounds}, calibration).wait.capacity
    expect(capacity(1)).toBeLessThan(capacity(10) / 5)
  })
})

describe('answers of equal length', () => {
  // They end one after the other: the step before and the step after a prompt hold the prompts of neighbours.
  it('wait for steps with prompts, not for steps without', () => {
    const ask = (outputSpread?: number) =>
      servingOf({...question({workload: {inputTokens: 4096, outputTokens: 512, concurrency: 4}}), outputSpread}, calibration)
    const [equal, drawn] = [ask(0), ask()]
    expect((equal.wait.step * 2) / (0.75 * equal.prefillStep.total + 0.25 * equal.step.total)).toBeCloseTo(1, 6)
    expect(drawn.wait.step * 2).toBeCloseTo(drawn.step.total, 9)
    expect(equal.wait.firstToken).toBeGreaterThan(drawn.wait.firstToken)
  })
  it('alone they wait for nobody', () => {
    const ask = (outputSpread?: number) =>
      servingOf({...question({workload: {inputTokens: 4096, outputTokens: 512, concurrency: 1}}), outputSpread}, calibration)
    expect(ask(0).ttft).toBeLessThanOrEqual(ask().ttft)
    expect(ask(0).wait.step).toBe(ask().wait.step)
  })
})

describe('intervals of what was not measured itself', () => {
  const width = (more: Parameters<typeof question>[0], one: Calibration) => {
    const {tpotMs, basis} = performance(question(more), one)
    return {deviation: Math.log(tpotMs.high / tpotMs.estimate) / 1.2816, extrapolated: basis.extrapolated}
  }
  const wider = changed(({spread}) => {
    spread.byEngine.vllm!.tpot = 0.08
    spread.extrapolated.shape.tpot = 0.06
    spread.extrapolated.card.tpot = 0.15
  })
  it.each([
    [{}, 0.08],
    // A model of kinds of layers that were measured: sqrt(0.08^2 + 0.06^2)
    [{model: 'qwen3-8b', weights: 'bf16'}, 0.1],
    // A card of a class that was measured: sqrt(0.08^2 + 0.15^2)
    [{card: 'h100-nvl'}, 0.17],
  ])('%j: %d', (more, deviation) => expect(width(more, wider)).toEqual({deviation: expect.closeTo(deviation, 6), extrapolated: []}))
})

describe('sums over PCIe', () => {
  const sums = (ranks: number, tokens: number, kind: 'pcie-p2p' | 'nvlink' = 'pcie-p2p') =>
    preparedModel(question({tp: ranks, link: {kind, bytesPerSecondPerDirection: 63e9}}), calibration).time({
      ...decode,
      decodeSequences: 0,
      promptSequences: 1,
      promptTokens: tokens,
    }).collectives
  // 2 x 80 + 1 sums, each 2 (g - 1) / g of 2 x 8192 bytes a token: the slope over tokens leaves latencies out.
  const bytesPerSecond = (ranks: number, kind?: 'nvlink') =>
    (160 * ((2 * (ranks - 1)) / ranks) * 2 * 8192 * 100_000) / (sums(ranks, 200_000, kind) - sums(ranks, 100_000, kind))
  it('of more than four cards cross what joins two groups: 0.75 of the bandwidth', () => {
    expect(bytesPerSecond(8) / bytesPerSecond(4)).toBeCloseTo(0.75, 6)
    expect(bytesPerSecond(4) / bytesPerSecond(2)).toBeCloseTo(1, 6)
    expect(bytesPerSecond(8, 'nvlink') / bytesPerSecond(4, 'nvlink')).toBeCloseTo(1, 6)
  })
})
