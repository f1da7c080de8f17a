import {describe, expect, it} from 'vitest'
import {answer} from '../../src/planner/answer/index.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import {startableOf} from '../../src/render/launch/startable-from.ts'
import {plannerContext} from '../planner/plan-context.ts'

const context = plannerContext()

async function launchOf(scenario: Scenario) {
  const {launch} = startableOf(context.catalogue, await answer(context, scenario))
  const flags = Object.fromEntries(launch.flags.map(({flag, value}) => [flag, value]))
  return {flags, environment: Object.fromEntries(launch.environment.map(({name, value}) => [name, value]))}
}

// vLLM 0.33.0 recipes/models, hardware_overrides.
describe('what a model wants on certain cards', () => {
  it('is there on those of data-centre Blackwell, from the release that has it, and on no other', async () => {
    const activation = '--quantization-config.moe.activation'
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '1xb200-sxm'})).flags[activation]).toBe('mxfp8')
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '1xb200-sxm', engineVersion: '0.23.0'})).flags).not.toHaveProperty([activation])
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '1xh100-sxm'})).flags).not.toHaveProperty([activation])
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '2xrtx-pro-6000-blackwell'})).flags).not.toHaveProperty([activation])
  })

  it('comes beside what all Instinct cards are given', async () => {
    const {flags, environment} = await launchOf({model: 'gpt-oss-120b', gpu: '4xmi300x'})
    expect(flags['--attention-backend']).toBe('ROCM_AITER_UNIFIED_ATTN')
    expect(environment).toMatchObject({VLLM_ROCM_USE_AITER: '1', VLLM_ROCM_QUICK_REDUCE_QUANTIZATION: 'INT4', HSA_NO_SCRATCH_RECLAIM: '1'})
  })

  it('does not displace what the model wants everywhere', async () => {
    const {flags} = await launchOf({model: 'deepseek-ai/DeepSeek-V4-Flash', gpu: '4xb200-sxm'})
    expect(flags).toMatchObject({'--attention-config.indexer_kv_dtype': 'mxfp4', '--reasoning-parser': 'deepseek_v4', '--block-size': 256})
  })
})
