/** Deployments that people published as running, with the settings that they ran with: the verdict, and the room where it was printed. */
import {describe, expect, it, test} from 'vitest'
import {answerLine} from '../../src/cli/batch-stream.ts'
import type {Result} from '../../src/planner/answer/index.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const asked = async (scenario: Record<string, unknown>) => (await answerLine(context, JSON.stringify(scenario))) as Result
const GIB = 2 ** 30

// LottoLottoLotto/4x3090-llm-benchmarks bd22281, laguna-dflash: graphs of 64 requests at most, where 51 sizes up to 512 would take 1.5 GiB more.
describe('Laguna S 2.1 with a block drafter on four RTX 3090', () => {
  const command = (length: number, share: number, drafted: number) => [
    ...['vllm', 'serve', 'poolside/Laguna-S-2.1-INT4', '--tensor-parallel-size', '4', '--max-model-len', `${length}`, '--gpu-memory-utilization', `${share}`],
    ...['--max-num-seqs', '64', '--max-cudagraph-capture-size', '64', '--kv-cache-dtype', 'fp8'],
    ...(drafted > 0
      ? ['--speculative-config', JSON.stringify({method: 'dflash', model: 'poolside/Laguna-S-2.1-DFlash', num_speculative_tokens: drafted})]
      : []),
  ]
  test.each([
    [131_456, 0.85, 7],
    [131_456, 0.833, 15],
    [262_144, 0.95, 0],
  ])('starts with %d tokens and %d of the memory, drafting %d', async (length, share, drafted) => {
    const {verdict, memory} = await asked({gpu: '4xrtx-3090', link: 'pcie', engineVersion: '0.25.0', command: command(length, share, drafted)})
    expect(['fits', 'tight']).toContain(verdict)
    expect(memory?.largestMaxModelLen).toBeGreaterThanOrEqual(length)
  })
})

// mattbucci/2x-3090-GA102-300-A1-sglang-inference 84aca72, scripts/launch.sh qwen36-dense: 657 thousand tokens printed. Its weights quantise linear attention too.
it('Qwen3.6 27B on two RTX 3090 with SGLang has the cache that was printed, to a twentieth', async () => {
  const {verdict, memory} = await asked({
    ...{model: 'palmfuture/Qwen3.6-27B-GPTQ-Int4', gpu: '2xrtx-3090', link: 'nvlink', engine: 'sglang', engineVersion: '0.5.15', tp: 2, kvCache: 'fp8'},
    ...{maxNumSeqs: 8, maxModelLen: 262_144, gpuMemoryUtilization: 0.85, stateSlots: 8, maxNumBatchedTokens: 8192, graphs: {maxBatch: 1}},
  })
  expect(['fits', 'tight']).toContain(verdict)
  expect(Math.abs(memory!.kvCacheTokens / 657_000 - 1)).toBeLessThan(0.05)
})

// vLLM 0.33.0 recipes/models/deepseek-ai/DeepSeek-V4.1-Flash.yaml: 60 GiB is the lowest offload that was verified at 1M tokens with DSpark, 55 fails.
test.each([
  [60, ['fits', 'tight']],
  [55, ['does-not-fit']],
])('DeepSeek V4.1 Flash on a DGX Station, %d GiB of it in the memory of the host', async (offloadGiB, verdicts) => {
  const {verdict} = await asked({
    ...{model: 'deepseek-ai/DeepSeek-V4.1-Flash', gpu: '1xgb300-dgx-station', engineVersion: '0.31.0', speculative: {method: 'dspark', tokens: 5}},
    ...{cpuOffloadBytes: offloadGiB * GIB, maxNumSeqs: 16, maxModelLen: 1_048_576, gpuMemoryUtilization: 0.97},
  })
  expect(verdicts).toContain(verdict)
})

// LottoLottoLotto/4x3090-llm-benchmarks bd22281, nvfp4/nvidia-NVFP4/tp2: FP8 beside NVFP4, both by Marlin, where FP8 alone was refused until 0.27.0.
test.each([
  ['nvidia/Qwen3.6-35B-A3B-NVFP4', '0.24.0', ['fits', 'tight']],
  ['nvidia/Qwen3.6-35B-A3B-NVFP4', '0.23.0', ['unsupported']],
  ['nvidia/Llama-3.1-8B-Instruct-FP8', '0.24.0', ['unsupported']],
  ['nvidia/Llama-3.1-8B-Instruct-FP8', '0.27.0', ['fits', 'tight']],
])('%s with vLLM %s on two RTX 3090', async (model, engineVersion, verdicts) => {
  expect(verdicts).toContain((await asked({model, gpu: '2xrtx-3090', link: 'p2p', engineVersion, tp: 2, maxModelLen: 8192})).verdict)
})
