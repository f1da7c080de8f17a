/** What vLLM allocates for DeepSeek-V4, by vllm/models/deepseek_v4/** of the releases named. */
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {paddedHeads} from '../../src/engines/vllm/deepseek-v4.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const vllm = ENGINES.vllm!(engineData({catalogue}, 'vllm'))

function subjectOf(id: string, spec: string): Subject {
  const model = catalogue.model(id)
  const machine = machineFromSpec(catalogue, spec)
  return {model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}
}

const GIB = 2 ** 30
const MIB = 2 ** 20

function bytesOf(name: string, gpu: string, asked: DeploymentRequest, model = 'deepseek-v4-flash'): number {
  const subject = subjectOf(model, gpu)
  return vllm.memory(subject, vllm.resolve(subject, {kvCache: 'fp8', ...asked})).terms.find((term) => term.name === name)?.bytes ?? 0
}

describe('heads', () => {
  const padded = (gpu: string, version: string, heads: number) => paddedHeads(subjectOf('deepseek-v4-flash', `1x${gpu}`), version, heads)
  it('are padded to 64 or 128 by FlashMLA, to fewer on 12.x, and by nothing on AMD', () => {
    expect([8, 32, 64, 65].map((heads) => padded('h100-sxm', '0.33.0', heads))).toEqual([64, 64, 64, 128])
    expect([8, 16, 32, 64].map((heads) => padded('rtx-pro-6000-blackwell-server', '0.26.0', heads))).toEqual([16, 16, 32, 64])
    expect(padded('rtx-pro-6000-blackwell-server', '0.27.0', 8)).toBe(8)
    expect(padded('mi355x', '0.33.0', 8)).toBe(8)
  })
})

describe('buffers that loading makes', () => {
  const buffers = (asked: DeploymentRequest, gpu = '2xh200-nvl') => bytesOf('weights: tables and buffers', gpu, {tp: 2, ...asked})

  // Two tables of 1,048,576 positions x 64 x 4 bytes; for each of 8,192 tokens four streams of 4,096 elements of 16 bits and 512 choices of 32; two more
  // bytes for each of the 786,486 elements of hyper-connections of 43 layers; three tables of 129,280 words x 6 experts x 4 bytes.
  const tables = 2 * 1_048_576 * 64 * 4
  const wider = 43 * 786_486 * 2 + 3 * 129_280 * 6 * 4
  it('0.23.0: 0.84 GiB of 74.08 that a log says (73.14 are weights)', () => {
    const expected = tables + 8192 * (4 * 4096 * 2 + 512 * 4) + wider
    expect(buffers({engineVersion: '0.23.0', maxNumBatchedTokens: 8192})).toBe(expected)
    expect(expected / GIB).toBeCloseTo(0.837, 3)
  })

  it('hidden states are kept only where something drafts from 0.27.0', () => {
    const asked = {engineVersion: '0.31.0', maxNumBatchedTokens: 8192}
    expect(buffers(asked)).toBe(tables + 8192 * 512 * 4 + wider)
    expect(buffers({...asked, speculative: {method: 'mtp', tokens: 1}})).toBe(tables + 8192 * (4 * 4096 * 2 + 512 * 4) + wider)
  })

  // Queries of 64 heads x 512 x 2 bytes; index queries of 64 heads x (64 + 4 + 4) bytes are more than 513 choices and 512 elements of 32 bits.
  it('0.27 and 0.28 have a pool of queries', () =>
    expect(buffers({engineVersion: '0.28.0', maxNumBatchedTokens: 8192}) - buffers({engineVersion: '0.29.0', maxNumBatchedTokens: 8192})).toBe(
      8192 * (64 * 512 * 2 + 64 * 72),
    ))
})

describe("the trial run's attention", () => {
  const peak = (gpu: string, asked: DeploymentRequest) => bytesOf('activations', gpu, {maxModelLen: 65_536, maxNumSeqs: 8, maxNumBatchedTokens: 8192, ...asked})

  // For a token: two layers' streams and inputs 2 x 5 x 8,192; output of 64 heads 65,536; projections 2 x 1,536 x 2 and scores 2 x 2 x (512 + 128) x 4,
  // 64 index weights x 2; then 32 heads of queries 32,768 beside 64, 65,536. Gathered for all: 40 keys of 132 bytes for each row of four tokens, which is
  // more than 4 x (16,384 + 128 + 8,192) rows of 1,024 bytes are not: the rows win.
  it('Hopper, two ranks, 0.26.0: queries beside their padded copy', () => {
    const token = 81_920 + 65_536 + 6144 + 10_240 + 128 + 32_768 + 65_536
    const gathered = Math.max(4 * (16_384 + 128 + 8192) * 1024, 40 * 16_384 * 132)
    expect(peak('2xh100-sxm', {engineVersion: '0.26.0', tp: 2})).toBe(8192 * token + gathered)
  })

  // From 0.28.0 the indexer looks when queries are there: its scores of 512 MiB beside index queries of 64 heads x (128 + 4) bytes.
  it('Hopper, eight ranks, 0.31.0: the indexer beside padded queries', () => {
    const token = 81_920 + 65_536 + 6144 + 10_240 + 128 + 65_536 + 64 * 132
    const gathered = Math.max(4 * (16_384 + 128 + 8192) * 1024, 40 * 16_384 * 132)
    expect(peak('8xh100-sxm', {engineVersion: '0.31.0', tp: 8})).toBe(8192 * token + 512 * MIB + gathered)
  })

  // 12.x takes 32 heads as they are and gathers nothing; the indexer looks before queries are projected. A log says 1.14 GiB at 4,096 tokens and 1.73 at 8,192.
  it('12.x, two ranks, 0.26.0: nothing is padded', () => {
    const base = 81_920 + 32_768 + 6144 + 10_240 + 128
    const gathered = 40 * 16_384 * 132
    expect(peak('2xrtx-pro-6000-blackwell-server', {engineVersion: '0.26.0', tp: 2})).toBe(8192 * (base + 64 * 132) + 512 * MIB + gathered)
  })

  // Compiled graphs let go of what the layer before was given.
  it('0.22.0 compiles the model: one layer is held, two where eager is asked for', () => {
    const asked = {engineVersion: '0.22.0', tp: 2}
    expect(peak('2xh100-sxm', {...asked, enforceEager: true}) - peak('2xh100-sxm', asked)).toBe(8192 * 5 * 8192)
  })
})

describe('the drafter in the checkpoint', () => {
  const subject = (hfId: string): Subject => {
    const on = subjectOf('deepseek-v4-flash', '4xh200-sxm')
    return {...on, checkpoint: on.model.checkpoints.find((checkpoint) => checkpoint.hfId === hfId)!}
  }
  const of = (hfId: string, method: string, draft?: string) => {
    const on = subject(hfId)
    const deployment = vllm.resolve(on, {engineVersion: '0.33.0', tp: 4, kvCache: 'fp8', speculative: {method, tokens: 5, ...(draft !== undefined && {draft})}})
    const {terms} = vllm.memory(on, deployment)
    return {
      draft: deployment.speculative?.draft,
      layers: terms.find(({name}) => name === 'weights: draft layers')?.bytes,
      other: terms.some(({name}) => name === 'weights: draft model'),
      reasons: vllm.support(on, deployment).reasons.map(({code}) => code),
    }
  }
  const fused = 'deepseek-ai/DeepSeek-V4-Flash-0731'

  // deepseek_v4/nvidia/dspark.py builds three layers where the configuration names no number; the multi-token-prediction layer of the preview is one.
  it('dspark loads three layers of it', () => {
    const {layers, other, reasons} = of(fused, 'dspark')
    expect(reasons).not.toContain('speculation-unavailable')
    expect(other).toBe(false)
    expect(Math.abs(layers! - 3 * of('deepseek-ai/DeepSeek-V4-Flash', 'mtp').layers!)).toBeLessThanOrEqual(2)
  })

  it('may be named by its checkpoint, as recipes do', () => expect(of(fused, 'dspark', fused)).toEqual(of(fused, 'dspark')))

  it('is not in the preview', () => expect(of('deepseek-ai/DeepSeek-V4-Flash', 'dspark').reasons).toContain('speculation-unavailable'))
})

describe('tables of n-grams', () => {
  const kept = (model: string, gpu: string, engineVersion: string) => bytesOf('weights: tables kept in host memory', gpu, {engineVersion, tp: 8}, model)
  // 768,022,850 rows of 256 elements of one byte, a rank's eighth (config/engram.py cpu_offload: True).
  it('stay in host memory from 0.30.0', () => {
    expect(Math.abs(kept('deepseek-v4.1-flash', '8xh100-sxm', '0.31.0') + (768_022_850 * 256) / 8)).toBeLessThan(20_000)
    expect(kept('deepseek-v4.1-flash', '8xh100-sxm', '0.29.0')).toBe(0)
    expect(kept('qwen3.8-flash-next', '8xh100-sxm', '0.31.0')).toBeLessThan(-10 * GIB)
    // Told to, the engine keeps them on the card (--engram-config).
    for (const [flag, value] of [
      ['--engram-config', '{"cpu_offload": false}'],
      ['--engram-config.cpu_offload', 'false'],
    ] as const) {
      const asked = {engineVersion: '0.31.0', tp: 8, engineFlags: {[flag]: value}}
      expect(bytesOf('weights: tables kept in host memory', '8xh100-sxm', asked, 'deepseek-v4.1-flash')).toBe(0)
    }
    // Memory that is shared with the system holds them all the same.
    expect(kept('deepseek-v4.1-flash', '8xgb10', '0.31.0')).toBe(0)
  })
})
