import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {Launch} from '../../src/engines/engine.ts'
import {type Answer, answer} from '../../src/planner/answer/answer.ts'
import type {Context} from '../../src/planner/world/context.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {writeFormat, joinArtifacts} from '../../src/render/launch/formats.ts'
import {startableOf} from '../../src/render/launch/startable-from.ts'

/** The compiled catalogue: `npm test` builds it first. */
const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const context = {catalogue, engines: new Map()} as unknown as Context

const ask = (scenario: Scenario): Promise<Answer> => answer(context, scenario)
const launchOf = ({best}: Answer): Launch => startableOf(catalogue, {best, machine: best.machine, left: []}).launch
const flagValue = (launch: Launch, flag: string): unknown => launch.flags.find((candidate) => candidate.flag === flag)?.value
const textOf = (answered: Answer, format = 'command'): string => joinArtifacts(writeFormat(format, startableOf(catalogue, answered)))

describe('known traps', () => {
  it('a hybrid model asks for no more requests than its state pool holds (vLLM refuses to start from 0.20)', async () => {
    const answered = await ask({model: 'Qwen/Qwen3.5-27B', gpu: '1xh100-sxm'})
    const asked = Number(flagValue(launchOf(answered), '--max-num-seqs'))
    // 54 GB of weights leave some 15 GiB; a block is 16 layers of a state of 1.5 MiB and more: below the default of 1,024.
    expect(asked).toBeLessThan(answered.best.memory.cacheBlocks!)
    expect(asked).toBeGreaterThan(answered.best.memory.cacheBlocks! * 0.8)
    // With room for more than the default nothing is said, and an older release captures fewer graphs by itself.
    expect(flagValue(launchOf(await ask({model: 'Qwen/Qwen3.5-27B', gpu: '4xh200-sxm', tp: 4})), '--max-num-seqs')).toBeUndefined()
    expect(flagValue(launchOf(await ask({model: 'Qwen/Qwen3.5-27B', gpu: '1xh100-sxm', engineVersion: '0.19.0'})), '--max-num-seqs')).toBeUndefined()
    expect(flagValue(launchOf(await ask({model: 'Qwen/Qwen3.5-27B', gpu: '1xh100-sxm', enforceEager: true})), '--max-num-seqs')).toBeUndefined()
  })

  it('a model whose own context has no room is given the longest that fits; a longer one is refused', async () => {
    const answered = await ask({model: 'Qwen/Qwen3-32B-AWQ', gpu: '1xrtx-4090'})
    const length = Number(flagValue(launchOf(answered), '--max-model-len'))
    expect(length).toBeLessThan(40_960)
    expect(length).toBeLessThanOrEqual(answered.best.memory.largestMaxModelLen)
    expect((await ask({model: 'Qwen/Qwen3-32B-AWQ', gpu: '1xrtx-4090', maxModelLen: 40_960})).best.verdict).toBe('does-not-fit')
  })

  it('experts stay whole where a block of FP8 cannot be split: 1,536 / 8 = 192 is no multiple of 128', async () => {
    for (const engine of ['vllm', 'sglang'])
      await expect(textOf(await ask({model: 'Qwen/Qwen3-235B-A22B-FP8', gpu: '8xh200-sxm', tp: 8, engine}))).toMatchFileSnapshot(
        `../golden/traps/fp8-block-width-${engine}.sh`,
      )
  })

  it('DeepSeek-V4 gets its block size and cache type', async () => {
    for (const engine of ['vllm', 'sglang', 'trtllm'])
      await expect(textOf(await ask({model: 'deepseek-ai/DeepSeek-V4-Pro', gpu: '8xb300-sxm', tp: 8, engine}))).toMatchFileSnapshot(
        `../golden/traps/deepseek-v4-${engine}.sh`,
      )
  })

  it('gpt-oss on Ampere runs weight-only in vLLM and SGLang, and not in TensorRT-LLM', async () => {
    const answered = await ask({model: 'openai/gpt-oss-20b', gpu: '1xa100-80gb-sxm'})
    expect(answered.best.warnings.map(({code}) => code)).toContain('weight-only-fallback')
    await expect(textOf(answered)).toMatchFileSnapshot('../golden/traps/gpt-oss-ampere-vllm.sh')
    await expect(textOf(await ask({model: 'openai/gpt-oss-20b', gpu: '1xa100-80gb-sxm', engine: 'sglang'}))).toMatchFileSnapshot(
      '../golden/traps/gpt-oss-ampere-sglang.sh',
    )
    expect((await ask({model: 'openai/gpt-oss-20b', gpu: '1xa100-80gb-sxm', engine: 'trtllm'})).best.verdict).toBe('unsupported')
  })

  it('GB10: one GPU of unified memory, its container like any other', async () => {
    const answered = await ask({model: 'openai/gpt-oss-120b', machine: 'dgx-spark'})
    await expect(textOf(answered)).toMatchFileSnapshot('../golden/traps/gb10-vllm.sh')
    await expect(textOf(answered, 'compose')).toMatchFileSnapshot('../golden/traps/gb10-compose.yaml')
    // A machine that was looked at and is partly in use: the share is what is free, not the default.
    const used = await ask({model: 'openai/gpt-oss-120b', machine: 'dgx-spark', reservedBytesPerGpu: 20 * 2 ** 30})
    expect(Number(flagValue(launchOf(used), '--gpu-memory-utilization'))).toBeLessThan(0.85)
  })

  it('a repository that shares its architecture with a catalogued one is started itself, with its own parsers', async () => {
    expect(textOf(await ask({model: 'LiquidAI/LFM2.5-1.2B-Instruct', gpu: '1xh100-sxm'}))).toBe(
      'vllm serve LiquidAI/LFM2.5-1.2B-Instruct \\\n  --enable-auto-tool-choice \\\n  --tool-call-parser lfm2 \\\n  --host 127.0.0.1\n',
    )
  })

  it('two cards of different size: the larger serves, and the command cannot take the other', async () => {
    const answered = await ask({model: 'Qwen/Qwen3-8B', gpu: '1xrtx-4090,1xrtx-5090', maxModelLen: 16_384})
    expect(answered.left).toHaveLength(1)
    await expect(textOf(answered)).toMatchFileSnapshot('../golden/traps/two-sizes.sh')
    await expect(textOf(answered, 'docker')).toMatchFileSnapshot('../golden/traps/two-sizes-docker.sh')
    const pair = await ask({model: 'Qwen/Qwen3-14B', gpu: '1xrtx-4090,2xrtx-3090', maxModelLen: 16_384})
    expect(launchOf(pair).flags[0]).toMatchObject({flag: '--tensor-parallel-size', value: 2})
    expect(textOf(pair)).toContain("CUDA_VISIBLE_DEVICES='1,2'")
  })
})
