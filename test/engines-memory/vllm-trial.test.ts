/** Gemma 4's trial run under vLLM, by the rules of models/gemma4_mm.py and fused_moe/experts/cutlass_moe.py. */
import {describe, expect, it} from 'vitest'
import type {Deployment} from '../../src/core/deployment.ts'
import type {Checkpoint} from '../../src/core/model.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {gemma4Patches, trialRules} from '../../src/engines/vllm/trial.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {plannerContext} from '../planner/plan-context.ts'

const GIB = 2 ** 30
const context = plannerContext()
const gemma = context.catalogue.model('gemma-4-26b-a4b')
const nvfp4 = gemma.checkpoints.find(({hfId}) => hfId === 'nvidia/Gemma-4-26B-A4B-NVFP4')!

interface Case extends Partial<Deployment> {
  gpu?: string
  checkpoint?: Checkpoint
  memoryBytes?: number
}

function asked(engineVersion: string, {gpu = 'rtx-5090', checkpoint = nvfp4, memoryBytes = 24 * GIB, ...more}: Case = {}) {
  const accelerator = context.catalogue.gpu(gpu)!
  const subject = {model: gemma, checkpoint, gpu: {index: 0, accelerator, memoryBytes}} as unknown as Subject
  return [subject, {engineVersion, maxNumBatchedTokens: 16384, ...more} as unknown as Deployment] as const
}

const patches = (engineVersion: string, more: Case = {}) => gemma4Patches(...asked(engineVersion, more))
const rules = (engineVersion: string, more: Case = {}) => trialRules(...asked(engineVersion, more))

describe('the tower', () => {
  it('looks at one frame of a video at a time up to 0.21', () => {
    // 70 embeddings of 3 x 3 patches each.
    expect(patches('0.20.2')).toBe(630)
    // Without videos the largest image is tried: 280 x 9.
    expect(patches('0.20.2', {multimodal: {limits: {video: 0}}})).toBe(2520)
  })

  it('looks at as many as a tenth of the memory takes by its own reckoning from 0.22 on', () => {
    // 630 x 10,240 x 4 x 8 = 206,438,400 bytes a frame; a tenth of 24 GiB is 2,576,980,378: 12 frames.
    expect(patches('0.22.0')).toBe(12 * 630)
    // 141 GiB: 73 frames, of 6 videos of 32 (16,384 tokens over 2,496); with a batch of 2,048 there is one video.
    expect(patches('0.22.0', {memoryBytes: 141 * GIB})).toBe(73 * 630)
    expect(patches('0.22.0', {memoryBytes: 141 * GIB, maxNumBatchedTokens: 2048})).toBe(32 * 630)
  })
})

describe('experts in NVFP4 with GELU', () => {
  const copies = (version: string, more = {}) => rules(version, more).routedRowCopies
  it('copy the routed rows until a fused kernel takes them', () => {
    expect(copies('0.20.2')).toBe(3)
    // Compute capability 12.0: FlashInfer's kernel from 0.24.0; 10.0: TensorRT-LLM's from 0.21.0.
    expect([copies('0.23.0'), copies('0.24.0')]).toEqual([3, undefined])
    expect([copies('0.20.2', {gpu: 'b200-sxm'}), copies('0.21.0', {gpu: 'b200-sxm'})]).toEqual([3, undefined])
    // What is computed at 16 bits goes through other kernels.
    expect(copies('0.20.2', {gpu: 'h100-sxm'})).toBeUndefined()
    expect(copies('0.20.2', {checkpoint: gemma.checkpoints[0]})).toBeUndefined()
  })

  it('are most of the trial: 8 experts x 3 more rows of 2,816 elements for each of 16,384 tokens', async () => {
    const ask = async (engineVersion: string) =>
      (
        await answer(context, {
          ...{model: 'nvidia/Gemma-4-26B-A4B-NVFP4', gpu: '1xrtx-5090', engineVersion, maxModelLen: 256_000, gpuMemoryUtilization: 0.85},
          ...{kvCache: 'fp8', maxNumBatchedTokens: 16_384, maxNumSeqs: 2, tp: 1, pp: 1, dp: 1},
        })
      ).best.memory.terms.find(({name}) => name === 'activations')!.bytes
    // 16,384 x 8 x 3 x 2,816 x 2 bytes: buffers of the kernels, once.
    expect((await ask('0.23.0')) - (await ask('0.24.0'))).toBeCloseTo(16_384 * 8 * 3 * 2816 * 2, -4)
  })
})
