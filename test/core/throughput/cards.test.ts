import {describe, expect, it} from 'vitest'
import type {Calibration} from '../../../src/core/throughput/calibration.ts'
import {hardwareClass, unitShare} from '../../../src/core/throughput/hardware.ts'
import {preparedModel} from '../../../src/core/throughput/performance.ts'
import {piecewiseByDefault} from '../../../src/engines/vllm/attention-workspace.ts'
import {calibration, gpu, question} from './question.ts'

const changed = (change: (copy: Calibration) => void): Calibration => {
  const copy = structuredClone(calibration)
  change(copy)
  return copy
}
const decode = (sequences: number) => ({decodeSequences: sequences, contextTokens: 1024, promptTokens: 0, promptSequences: 0, promptContextTokens: 0})
const prompt = {decodeSequences: 0, contextTokens: 0, promptTokens: 2000, promptSequences: 1, promptContextTokens: 1000}

it.each([
  ['rtx-5090', 'nvidia-12'],
  ['gb10', 'nvidia-12.1'],
  ['jetson-thor-t5000', 'nvidia-11'],
  ['b300-sxm', 'nvidia-10'],
  ['rtx-3090', 'nvidia-8.6'],
  ['strix-halo-128gb', 'amd-gfx1151'],
])('%s runs as %s', (id, name) => expect(hardwareClass(gpu(id))).toBe(name))

it('GeForce cards get nearer to their rate, which counts fp32 sums at half speed', () => {
  expect(unitShare(gpu('rtx-4090'))).toBe(1.2)
  expect(unitShare(gpu('l40s'))).toBe(1)
})

describe('recurrent states', () => {
  const attention = (card: string, with_: Calibration) =>
    preparedModel(question({model: 'qwen3.5-397b-a17b', weights: 'bf16', card, tp: 8, link: {kind: 'pcie-p2p'}}), with_).time(decode(64)).attention
  const slower = changed(({kernels}) => {
    kernels.stateBytesPerSecond /= 4
  })
  const without = changed(({kernels}) => {
    kernels.stateBytesPerSecond = 1e18
  })
  it('are moved at a rate of their own where memory would give more', () => {
    // 4.8 TB/s would move them six times as fast as the kernels do.
    expect(attention('h200-sxm', calibration) / attention('h200-sxm', without)).toBeGreaterThan(2)
    expect(attention('h200-sxm', slower) / attention('h200-sxm', calibration)).toBeGreaterThan(3)
  })
  it('and by the memory where that is the slower', () => {
    const wide = changed(({hardwareClasses}) => {
      hardwareClasses['nvidia-12']!.state = 100
    })
    expect(attention('rtx-pro-6000-blackwell-server', wide) / attention('rtx-pro-6000-blackwell-server', without)).toBeCloseTo(1, 2)
  })
})

it('a prompt under weights of 4 bits takes about as long as under 16 bits on Ampere: no less than the rate allows, and not twice that', () => {
  // 7.0e9 of Llama-3.1-8B's parameters are in the layers: 2,000 tokens are 2.8e13 operations, 393 ms at 71 TFLOPS.
  const seconds = (weights: string) =>
    preparedModel(question({model: 'llama-3.1-8b', weights, card: 'rtx-3090', tp: 1, link: {kind: 'pcie-host'}}), calibration).time(prompt).products
  for (const weights of ['awq-int4', 'bf16']) {
    expect(seconds(weights)).toBeGreaterThan(0.393)
    expect(seconds(weights)).toBeLessThan(2 * 0.393)
  }
})

it('the latency of a sum over PCIe is the link’s, and over NVLink the card’s too', () => {
  const slow = changed(({hardwareClasses}) => {
    hardwareClasses['nvidia-8.6']!.latency *= 2
  })
  const sums = (kind: 'nvlink' | 'pcie-host', with_: Calibration) => {
    const of = (tokens: number) =>
      preparedModel(question({model: 'llama-3.1-8b', weights: 'bf16', card: 'rtx-3090', tp: 2, link: {kind}}), with_).time(decode(tokens)).collectives
    // What is left at no tokens is latency alone.
    return 2 * of(1) - of(2)
  }
  expect(sums('pcie-host', slow) / sums('pcie-host', calibration)).toBeCloseTo(1, 6)
  expect(sums('nvlink', slow) / sums('nvlink', calibration)).toBeCloseTo(2, 6)
})

it.each([
  ['0.6.3', false],
  ['0.8.0', true],
  ['0.10.2', true],
  ['0.11.0', false],
  ['0.33.0', false],
])('vLLM %s launches attention outside of graphs in every step: %s', (version, does) => expect(piecewiseByDefault(version)).toBe(does))
