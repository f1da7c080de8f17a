/** vLLM's trial of image towers, tables of positions and FlashInfer's workspace, by hand from its sources. */
import {describe, expect, it} from 'vitest'
import type {Deployment} from '../../src/core/deployment.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {attentionWorkspaceBytes} from '../../src/engines/vllm/attention-workspace.ts'
import {rotaryBytes} from '../../src/engines/vllm/rotary.ts'
import {towerTrial} from '../../src/engines/vllm/tower-trial.ts'
import {plannerContext} from '../planner/plan-context.ts'

const context = plannerContext()

function subjectOf(id: string, gpu: string): Subject {
  const model = context.catalogue.model(id)!
  return {model, checkpoint: model.checkpoints[0]!, gpu: {index: 0, accelerator: context.catalogue.gpu(gpu)!, memoryBytes: 80 * 2 ** 30}} as unknown as Subject
}

const MODEL_SETTINGS = {maxNumBatchedTokens: 2048, maxNumSeqs: 256, maxModelLen: 131_072, pp: 1, kvCache: 'bf16'}

function trial(id: string, engineVersion: string, more: Partial<Deployment> = {}, tp = 1) {
  const subject = subjectOf(id, 'a100-80gb-sxm')
  return towerTrial(subject, {...MODEL_SETTINGS, engineVersion, ...more} as unknown as Deployment, subject.model.architecture, tp)
}

describe('what the tower is fed', () => {
  it('Qwen2.5-VL: a video as long as the context holds, of 14 frames at most, two of which share 16,384 embeddings', () => {
    // 7 x 16,384 = 114,688 embeddings, as the log of 0.23.0 says; 4 patches each.
    const whole = trial('qwen2.5-vl-7b-instruct', '0.23.0')!
    expect(whole.because).toContain('one video of 114688 embeddings: 458752 patches')
    // A patch: 5 vectors of 1,280 on each rank and 8 over the ranks, and 1,176 of its pixels.
    expect(whole.peakElements).toBe(458_752 * (13 * 1280 + 1176))
    // A log of 0.23.0 leaves 15.5 GiB to the trial and the context of the process.
    expect((2 * whole.peakElements) / 2 ** 30).toBeGreaterThan(14.9)
    expect((2 * whole.peakElements) / 2 ** 30).toBeLessThan(16.3)
    expect(trial('qwen2.5-vl-7b-instruct', '0.23.0', {maxModelLen: 32_768})!.because).toContain('one video of 32768 embeddings')
    // 16 frames in 0.10.2.
    expect(trial('qwen2.5-vl-7b-instruct', '0.10.2')!.because).toContain('one video of 131072 embeddings')
    expect(trial('qwen2.5-vl-7b-instruct', '0.23.0', {multimodal: {limits: {video: 0}}})!.because).toContain('one image of 16384 embeddings: 65536 patches')
  })

  it('Qwen3-VL: up to 0.12 a video whose embeddings count 12.5 times and are kept so; then the largest image', () => {
    // 12,288 x 12.5 = 153,600, as logs of 0.11.0 say: kept as vectors of 4 x 2,048, beside the 49,152 patches of 1,536 pixels.
    const old = trial('qwen3-vl-30b-a3b-instruct', '0.11.0')!
    expect(old.because).toContain('one video of 12288 embeddings: 49152 patches')
    expect(old.heldElements).toBe(49_152 * 1536 + 153_600 * 8192)
    // Three layers of the tower hand on features too, which are there before the embeddings.
    const now = trial('qwen3-vl-30b-a3b-instruct', '0.13.0')!
    expect(now.because).toContain('one image of 16384 embeddings')
    expect(now.peakElements).toBe(65_536 * (12 * 1152 + 1536) + 16_384 * 3 * 2048)
  })

  it('Qwen3.5: one image of 65,536 patches of 12 vectors of 1,152; over four ranks of 6', () => {
    // A log of 0.17.1 on 44.4 GiB leaves 1.9 GiB to it: 2 x 65,536 x (12 x 1,152 + 1,536) bytes are 1.87.
    expect(trial('qwen3.5-9b', '0.17.1')!.peakElements).toBe(65_536 * (12 * 1152 + 1536))
    expect(trial('qwen3.5-9b', '0.17.1', {}, 4)!.peakElements).toBe(65_536 * (6 * 1152 + 1536))
    // A batch of 32,768 holds two, unless one request may bring one only and one runs.
    expect(trial('qwen3.5-9b', '0.24.0', {maxNumBatchedTokens: 32_768})!.because).toContain('2 images')
    expect(trial('qwen3.5-9b', '0.24.0', {maxNumBatchedTokens: 32_768, maxNumSeqs: 1, multimodal: {limits: {image: 1}}})!.because).toContain('one image')
    // The second runner lets the pixels go.
    expect(trial('qwen3.5-9b', '0.29.0')!.heldElements).toBe(16_384 * 4096)
  })

  it('InternVL: a video of as many tiles as the context holds beside an image of 13', () => {
    // (32,768 - 3,328) / 256 = 115 frames of 256 embeddings.
    expect(trial('internvl3.5-8b', '0.23.0', {maxModelLen: 32_768})!.because).toContain('one video of 29440 embeddings: 117760 patches')
  })

  it('follows what limits the pixels, and is left out where that is asked for', () => {
    const limit = (pixels: string) => ({engineFlags: {'--mm-processor-kwargs': pixels}})
    // 1,003,520 / 784 = 1,280 embeddings, so 7 pairs of frames are 8,960.
    expect(trial('qwen2.5-vl-7b-instruct', '0.23.0', limit('{"max_pixels": 1003520}'))!.because).toContain('one video of 8960 embeddings')
    // 1,048,576 / 1,024 = 1,024; two in a batch of 2,048.
    expect(trial('qwen3.5-9b', '0.24.0', limit('{"size": {"longest_edge": 1048576, "shortest_edge": 65536}}'))!.because).toContain(
      '2 images of 1024 embeddings',
    )
    expect(trial('qwen3.5-9b', '0.24.0', limit('{broken'))!.because).toContain('one image of 16384')
    expect(trial('qwen3.5-9b', '0.24.0', {engineFlags: {'--skip-mm-profiling': true}})).toBeUndefined()
  })

  it('nothing without a tower, or where both kinds are limited to none', () => {
    expect(trial('qwen3-8b', '0.24.0')).toBeUndefined()
    expect(trial('qwen3.5-9b', '0.24.0', {multimodal: {limits: {image: 0, video: 0}}})).toBeUndefined()
  })
})

describe('tables of positions', () => {
  it.each([
    ['llama-3.1-8b', 131_072 * 128 * 2], // 14.96 + 0.03 GiB, logged 14.99
    ['qwen3.5-0.8b', 4 * 262_144 * 64 * 2], // three axes, a quarter of 256: 1.59 + 0.125, logged 1.72
    ['gemma-4-26b-a4b', 262_144 * (256 + 512) * 2], // 48.07 + 0.375, logged 48.50
    ['qwen3-30b-a3b-instruct-2507', 262_144 * 128 * 2], // 56.87 + 0.06, logged 56.93
    ['nemotron-3-nano-30b-a3b', 0],
  ])('%s: %i bytes', (id, bytes) => expect(rotaryBytes(context.catalogue.model(id)!.architecture)).toBe(bytes))
})

describe("FlashInfer's workspace of 394 MiB", () => {
  const workspace = (id: string, gpu: string, more: Partial<Deployment> = {}) =>
    attentionWorkspaceBytes(subjectOf(id, gpu), {...MODEL_SETTINGS, engineVersion: '0.24.0', ...more} as unknown as Deployment, 3)
  const SIZE = 394 * 1024 ** 2

  it('is taken where it is the first backend: on 10.x, and elsewhere for an 8-bit cache but on 9.0', () => {
    expect(workspace('qwen3.6-35b-a3b', 'rtx-5090', {kvCache: 'fp8'})).toBe(SIZE)
    expect(workspace('qwen3.6-35b-a3b', 'rtx-5090')).toBe(0)
    expect(workspace('qwen3.6-35b-a3b', 'b200-sxm')).toBe(SIZE)
    expect(workspace('qwen3.6-35b-a3b', 'h100-sxm', {kvCache: 'fp8'})).toBe(0)
    expect(workspace('qwen3.6-35b-a3b', 'mi300x', {kvCache: 'fp8'})).toBe(0)
  })

  it('is not taken with sinks, by Gemma 4, or where graphs are of parts alone', () => {
    expect(workspace('gpt-oss-120b', 'rtx-pro-6000-blackwell-ws', {kvCache: 'fp8'})).toBe(0)
    expect(workspace('gemma-4-26b-a4b', 'rtx-5090', {kvCache: 'fp8'})).toBe(0)
    expect(workspace('qwen3.6-35b-a3b', 'rtx-5090', {kvCache: 'fp8', graphs: {mode: 'piecewise'}})).toBe(0)
    expect(workspace('qwen3.6-35b-a3b', 'rtx-5090', {kvCache: 'fp8', speculative: {method: 'mtp', tokens: 3}})).toBe(0)
    // 0.19 captured graphs beyond its budget, and planned nothing before.
    expect(workspace('qwen3.6-35b-a3b', 'rtx-5090', {kvCache: 'fp8', engineVersion: '0.19.1'})).toBe(0)
  })
})
