import {describe, expect, it} from 'vitest'
import {ResultSchema} from '../../src/planner/answer/schema.ts'
import {servefit} from './spawn.ts'

/** Every attention kind, on desks and in racks. */
const MODELS = [
  'deepseek-v4-flash',
  'deepseek-v4-pro',
  'deepseek-v3.2',
  'kimi-k2.6',
  'glm-5.1',
  'qwen3.6-35b-a3b',
  'qwen3.6-27b',
  'qwen3-32b',
  'qwen3-235b-a22b',
  'minimax-m2.5',
  'gpt-oss-20b',
  'gpt-oss-120b',
  'llama-3.1-8b',
  'llama-3.1-70b',
  'gemma-3-27b',
  'gemma-4-31b',
  'nemotron-3-super-120b-a12b',
  'mixtral-8x7b',
  'qwen3-0.6b',
  'smollm3-3b',
  'llama-4-scout',
]
const MACHINES = ['1xrtx-4090', '2xrtx-3090', '1xgb10', '8xh200-sxm', '8xh20-96gb', '1xapple-m4-pro', '1xmi300x']

const scenarios = MODELS.flatMap((model) =>
  MACHINES.flatMap((gpu) =>
    ['vllm', 'sglang', 'trtllm'].map((engine) => ({
      id: `${model} ${gpu} ${engine}`,
      model,
      gpu,
      engine,
      workload: {inputTokens: 1024, outputTokens: 256, concurrency: 4},
    })),
  ),
)
const {code, stdout} = servefit(['batch', '-'], {input: scenarios.map((scenario) => JSON.stringify(scenario)).join('\n')})
const results = stdout
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line))

describe('each model on each machine and engine', () => {
  it('is answered without an error', () => {
    expect(results.filter(({error}) => error)).toEqual([])
    expect(code).toBe(0)
    expect(results.map(({id}) => id)).toEqual(scenarios.map(({id}) => id))
  })

  it('keeps to the schema of the result', () => {
    for (const result of results) expect(ResultSchema.safeParse(result).error?.issues ?? [], result.id).toEqual([])
  })

  it('adds up: the parts of the memory are the sums of the terms', () => {
    for (const {id, memory} of results) {
      const {perGpu} = memory
      const parts = perGpu.weightsBytes + perGpu.activationBytes + perGpu.cudaGraphBytes + perGpu.runtimeBytes + perGpu.kvCacheBytes + (perGpu.stateBytes ?? 0)
      expect(
        memory.terms.reduce((sum: number, {bytes}: {bytes: number}) => sum + bytes, 0),
        id,
      ).toBe(parts)
      expect(perGpu.freeBytes, id).toBe(Math.max(0, perGpu.totalBytes - parts))
      expect(perGpu.budgetBytes, id).toBeLessThanOrEqual(perGpu.totalBytes)
    }
  })

  it('gives a speed with an interval around it where the model fits, and none where it does not', () => {
    for (const {id, verdict, performance} of results) {
      const good = verdict === 'fits' || verdict === 'tight'
      expect(performance !== undefined, id).toBe(good)
      if (!good) continue
      for (const {low, estimate, high} of [performance.ttftMs, performance.tpotMs, performance.outputTokensPerSecond]) {
        expect(low, id).toBeGreaterThan(0)
        expect(low, id).toBeLessThanOrEqual(estimate)
        expect(estimate, id).toBeLessThanOrEqual(high)
      }
    }
  })

  it('says no with a reason and yes without one', () => {
    for (const {id, verdict, reasons} of results) expect(reasons.length > 0, id).toBe(verdict === 'does-not-fit' || verdict === 'unsupported')
  })
})

describe('a model of 1.6 trillion parameters on two desktop cards', () => {
  const text = servefit(['check', 'deepseek-v4-pro', '--gpu', '2xrtx-5090']).stdout.replaceAll(/\s+/g, ' ')
  it('is refused with the shortfall and with what would hold it', () => {
    // 862 GB of weights are 803 GiB: over two ranks, with what both hold twice, some 400 each; 28.9 may be used (0.92 of 31.4).
    expect(text).toMatch(/the weights need \d{3}\.\d GiB per GPU, but only 28\.\d GiB can be used: 3[67]\d\.\d GiB short/)
    expect(text).toMatch(/Would fit on +\d x /)
    expect(text).toMatch(/Fits here/)
  })
})
