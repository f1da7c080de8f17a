import {describe, expect, it} from 'vitest'
import type {EngineId} from '../../src/core/deployment.ts'
import {expertKernels} from '../../src/engines/expert-kernels.ts'
import {gpu} from '../core/throughput/question.ts'

describe('how engines compute experts of 4 bits', () => {
  // FlashInfer with narrow tiles: required from vLLM 0.22.0 and SGLang 0.5.12.
  it.each<[EngineId, string, string, number]>([
    ['vllm', '0.21.0', 'rtx-pro-6000-blackwell-server', 128],
    ['vllm', '0.22.0', 'rtx-pro-6000-blackwell-server', 32],
    ['vllm', '0.33.0', 'gb10', 32],
    ['sglang', '0.5.11', 'rtx-5090', 128],
    ['sglang', '0.5.12', 'rtx-5090', 32],
    ['trtllm', '1.3.0', 'rtx-5090', 128],
  ])('%s %s on %s in tiles of %d tokens', (engine, version, card, tokens) => {
    const found = expertKernels(engine, version, gpu(card))
    expect(found).toMatchObject({unfused: true, tileTokens: tokens})
    expect(found?.dequantised).toEqual(engine === 'trtllm' ? undefined : ['mxfp4'])
  })
  it('MXFP4 is unpacked by vLLM before 0.30.0 on AMD without units for it', () => {
    expect(expertKernels('vllm', '0.29.0', gpu('mi300x'))).toEqual({unpacked: ['mxfp4']})
    expect(expertKernels('vllm', '0.30.0', gpu('mi300x'))).toBeUndefined()
    expect(expertKernels('sglang', '0.5.13', gpu('mi300x'))).toBeUndefined()
  })
  it.each(['b200-sxm', 'h100-sxm', 'rtx-4090', 'mi355x'])('%s: as its matrix units suggest', (card) =>
    expect(expertKernels('vllm', '0.33.0', gpu(card))).toBeUndefined(),
  )
})
