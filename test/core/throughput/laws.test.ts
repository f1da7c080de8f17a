import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {PerformanceInput} from '../../../src/core/throughput/input.ts'
import {performance, preparedModel} from '../../../src/core/throughput/performance.ts'
import {calibration, gpu, question} from './question.ts'

const deployments = fc
  .record({
    model: fc.constantFrom(
      ['llama-3.3-70b', 'fp8'],
      ['qwen3-32b', 'fp8-block'],
      ['gpt-oss-120b', 'mxfp4'],
      ['deepseek-r1-0528', 'fp8-block'],
      ['minimax-m2.5', 'fp8-block'],
      ['qwen3.5-397b-a17b', 'bf16'],
      ['deepseek-v3.2', 'fp8-block'],
    ),
    card: fc.constantFrom('h100-sxm', 'h200-sxm', 'b200-sxm', 'rtx-4090', 'mi300x'),
    engine: fc.constantFrom('vllm', 'sglang', 'trtllm', 'nobody-knows'),
    tp: fc.constantFrom(1, 2, 4, 8),
  })
  .map(({model: [model, weights], ...rest}) => question({model, weights, ...rest}))

const tokens = fc.integer({min: 16, max: 20_000})
const load = (input: PerformanceInput, inputTokens: number, outputTokens: number, concurrency: number): PerformanceInput => ({
  ...input,
  workload: {inputTokens, outputTokens, concurrency},
})

describe('laws of speed', () => {
  it('a step takes no less than its bytes over the bandwidth, nor its operations over the rate', () =>
    fc.assert(
      fc.property(deployments, fc.integer({min: 1, max: 512}), tokens, (input, sequences, context) => {
        const model = preparedModel(input, calibration)
        const step = model.time({decodeSequences: sequences, contextTokens: context, promptTokens: 0, promptSequences: 0, promptContextTokens: 0})
        const {work} = model
        // Weights outside experts are read once, the cache of full attention once for each sequence.
        const weights = [...work.products, work.head].reduce((sum, product) => sum + product.times * product.bytes, 0)
        const cache = work.attention.reduce(
          (sum, part) => sum + part.times * sequences * Math.min(context / part.tokensPerRow, part.tokenLimit) * part.bytesPerToken,
          0,
        )
        const operations = work.products.reduce((sum, product) => sum + 2 * product.times * product.macsPerToken, 0) * sequences
        const {memoryBandwidthBytesPerSecond = Infinity, denseOperationsPerSecond} = input.accelerator
        const fastest = Math.max(...Object.values(denseOperationsPerSecond))
        expect(step.total).toBeGreaterThanOrEqual((weights + cache) / memoryBandwidthBytesPerSecond)
        expect(step.total).toBeGreaterThanOrEqual(operations / fastest)
      }),
      {numRuns: 200},
    ))

  // Formulas of queues that hold for few and for many requests take turns: the rate may dip by less than one per cent there.
  it('more in flight: no less output in all, no more for each, until the cache is full', () =>
    fc.assert(
      fc.property(
        deployments,
        fc.integer({min: 16, max: 8000}),
        fc.integer({min: 16, max: 4000}),
        fc.integer({min: 1, max: 256}),
        fc.integer({min: 1, max: 256}),
        (input, prompt, output, a, b) => {
          const few = performance(load(input, prompt, output, Math.min(a, b)), calibration)
          const many = performance(load(input, prompt, output, Math.max(a, b)), calibration)
          expect(many.outputTokensPerSecond.estimate).toBeGreaterThanOrEqual(few.outputTokensPerSecond.estimate * 0.99)
          expect(many.outputTokensPerSecondPerUser).toBeLessThanOrEqual(few.outputTokensPerSecondPerUser * 1.005)
        },
      ),
      {numRuns: 200},
    ))

  it('a longer context is never faster', () =>
    fc.assert(
      fc.property(deployments, tokens, tokens, fc.integer({min: 1, max: 64}), (input, a, b, concurrency) => {
        const short = performance(load(input, Math.min(a, b), 256, concurrency), calibration)
        const long = performance(load(input, Math.max(a, b), 256, concurrency), calibration)
        expect(long.tpotMs.estimate).toBeGreaterThanOrEqual(short.tpotMs.estimate * 0.999)
        expect(long.ttftMs.estimate + 255 * long.tpotMs.estimate).toBeGreaterThanOrEqual((short.ttftMs.estimate + 255 * short.tpotMs.estimate) * 0.999)
        expect(long.ttftMs.estimate).toBeGreaterThanOrEqual(short.ttftMs.estimate * 0.999)
      }),
      {numRuns: 200},
    ))

  // Where prompts take most of the time few decode at once; a step must not become shorter for it.
  it('a longer context is not faster where prompts take most of the time', () => {
    const input = {...question({model: 'qwen3.5-397b-a17b', weights: 'bf16', card: 'rtx-4090', engine: 'vllm', tp: 1}), maxNumBatchedTokens: 8192}
    const [short, long] = [12_000, 17_000].map((prompt) => performance(load(input, prompt, 256, 3), calibration))
    expect(long!.tpotMs.estimate).toBeGreaterThan(short!.tpotMs.estimate)
  })

  it('a faster card of a kind is never slower', () =>
    fc.assert(
      fc.property(deployments, fc.integer({min: 1, max: 128}), fc.double({min: 1, max: 3, noNaN: true}), (input, concurrency, factor) => {
        const slow = load(input, 2000, 500, concurrency)
        const {accelerator} = slow
        const rates = Object.fromEntries(Object.entries(accelerator.denseOperationsPerSecond).map(([type, rate]) => [type, rate * factor]))
        const faster = {
          ...slow,
          accelerator: {...accelerator, memoryBandwidthBytesPerSecond: accelerator.memoryBandwidthBytesPerSecond! * factor, denseOperationsPerSecond: rates},
        }
        expect(performance(faster, calibration).outputTokensPerSecond.estimate).toBeGreaterThanOrEqual(
          performance(slow, calibration).outputTokensPerSecond.estimate * 0.999,
        )
      }),
      {numRuns: 100},
    ))

  it('rate, times and breakdown say the same', () =>
    fc.assert(
      fc.property(
        deployments,
        fc.integer({min: 16, max: 8000}),
        fc.integer({min: 2, max: 4000}),
        fc.integer({min: 1, max: 256}),
        (input, prompt, output, concurrency) => {
          const {ttftMs, tpotMs, outputTokensPerSecond, breakdown, totalTokensPerSecond} = performance(load(input, prompt, output, concurrency), calibration)
          const secondsPerRequest = (ttftMs.estimate + tpotMs.estimate * (output - 1)) / 1000
          expect(outputTokensPerSecond.estimate / ((concurrency * output) / secondsPerRequest)).toBeCloseTo(1, 6)
          expect(totalTokensPerSecond / outputTokensPerSecond.estimate).toBeCloseTo((prompt + output) / output, 6)
          const sum = (phase: string) => breakdown.filter((term) => term.phase === phase).reduce((total, term) => total + term.ms, 0)
          expect(sum('prefill') / ttftMs.estimate).toBeCloseTo(1, 6)
          expect(sum('decode') / tpotMs.estimate).toBeCloseTo(1, 6)
          expect(ttftMs.low).toBeLessThan(ttftMs.estimate)
          expect(ttftMs.high).toBeGreaterThan(ttftMs.estimate)
        },
      ),
      {numRuns: 200},
    ))

  it('every card of the catalogue gets a finite answer', () => {
    for (const id of ['gb10', 'rtx-3090', 'a100-80gb-sxm', 'l40s']) {
      const answer = performance({...question({model: 'qwen3-32b', weights: 'bf16', tp: 1}), accelerator: gpu(id), link: {kind: 'pcie-host'}}, calibration)
      expect(Number.isFinite(answer.tpotMs.estimate), id).toBe(true)
    }
  })
})
