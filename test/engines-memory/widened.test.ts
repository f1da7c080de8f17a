import {describe, expect, it} from 'vitest'
import {sumBytes} from '../../src/core/terms.ts'
import {sparseWorkspace} from '../../src/engines/vllm/sparse.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {performanceInput, subjectOf} from '../../src/planner/answer/speed-input.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {plannerContext} from '../planner/plan-context.ts'

const context = plannerContext()
const ask = async (scenario: Scenario) => (await answer(context, scenario)).best

describe('formats that an AMD card has no kernel for', () => {
  const hy4: Scenario = {model: 'tencent/Hy4-preview-FP8', gpu: '8xmi325x', tp: 8, kvCache: 'fp8', maxModelLen: 139264, maxNumBatchedTokens: 16384}

  it('MXFP8 is 16 bits wide in memory beside gfx95x, from vLLM 0.24.0 on', async () => {
    const wide = await ask({...hy4, engineVersion: '0.29.0'})
    const narrow = await ask({...hy4, gpu: '8xmi355x', engineVersion: '0.29.0'})
    expect(wide.warnings.map(({code}) => code)).toContain('weights-widened')
    expect(narrow.warnings.map(({code}) => code)).not.toContain('weights-widened')
    // 77 of 78 layers have 256 experts, three matrices of 6,144 x 2,048, over eight GPUs: 8.25 bits against 16.
    const experts = (77 * 256 * 3 * 6144 * 2048) / 8
    const of = (name: string, {memory}: typeof wide) => memory.terms.find((term) => term.name === name)!.bytes
    expect(of('weights: experts', narrow)).toBeCloseTo((experts * 8.25) / 8, -6)
    expect(of('weights: experts', wide)).toBeCloseTo(experts * 2, -6)
    // The speed model reads the same bytes.
    expect(performanceInput(wide, {inputTokens: 1024, outputTokens: 1024, concurrency: 1}).checkpoint.formats.default).toBe('bf16')
  })

  it('and is refused before', async () => {
    const {verdict, reasons} = await ask({...hy4, model: 'MiniMaxAI/MiniMax-M3-MXFP8', engineVersion: '0.23.0'})
    expect(verdict).toBe('unsupported')
    expect(reasons.map(({code}) => code)).toContain('quantization-unsupported')
  })
})

describe('scores of sparse attention that AMD reserves for decode steps', () => {
  const workspace = async (scenario: Scenario): Promise<number> => {
    const best = await ask(scenario)
    return sparseWorkspace(subjectOf(best), best.deployment).gatheredBytes
  }
  const long: Scenario = {model: 'tencent/Hy4-preview-FP8', gpu: '8xmi355x', tp: 8, maxModelLen: 1048576, maxNumBatchedTokens: 8192, maxNumSeqs: 1024}

  it.each([
    // rocm_aiter_mla_sparse.py: (tokens of a step, longest request) of 32 bits; 0.30.0: (requests x (1 + drafts), longest request).
    ['0.29.0', {}, 8192 * 1048576 * 4],
    // 4 GiB of scores are less than its index keys: 8 x 5 of 132 bytes for each token of the longest request, in the same workspace.
    ['0.30.0', {}, 40 * 132 * 1048576],
    ['0.30.0', {speculative: {method: 'mtp', tokens: 3}}, 1024 * 4 * 1048576 * 4],
    ['0.30.0', {speculative: {method: 'mtp', tokens: 31}}, 8192 * 1048576 * 4],
  ] as const)('%s %j', async (engineVersion, more, bytes) => {
    expect(await workspace({...long, engineVersion, ...more})).toBe(bytes)
  })

  it('leave no room for DeepSeek-V4.1-Flash on two MI300X, and do on four', async () => {
    // The recipe of vLLM 0.33.0: "Available KV cache memory: -13.51 GiB" on two with 4,096 tokens a step, and room on four.
    const flash: Scenario = {
      model: 'deepseek-ai/DeepSeek-V4.1-Flash',
      maxModelLen: 1048576,
      maxNumBatchedTokens: 4096,
      gpuMemoryUtilization: 0.9,
      speculative: {method: 'dspark', tokens: 5},
      engineVersion: '0.31.0',
    }
    const two = await ask({...flash, gpu: '2xmi300x', tp: 2})
    expect([two.verdict, two.reasons[0]?.code]).toEqual(['does-not-fit', 'kv-cache-too-small'])
    const four = await ask({...flash, gpu: '4xmi325x', tp: 4})
    expect(four.verdict).toBe('fits')
    // 98.88 GiB of weights on each of four MI325X were measured (vllm-project/vllm#60731, as the recipe tells).
    const weights = sumBytes(four.memory.terms.filter(({part}) => part === 'weights')) / 2 ** 30
    expect(Math.abs(weights / 98.88 - 1)).toBeLessThan(0.03)
  })
})
