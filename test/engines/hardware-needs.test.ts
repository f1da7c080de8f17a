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

  // Qwen3.6-27B.yaml: ROCM_ATTN has no native kernel for heads of 256 in blocks of 784 tokens; the 35B, of the same architecture, is no different.
  it('is told by the architecture where kernels belong to the shape of a model', async () => {
    const backend = async (model: string, gpu: string, engineVersion = '0.33.0') =>
      (await launchOf({model, gpu, engine: 'vllm', engineVersion})).flags['--attention-backend']
    expect(await backend('qwen3.5-35b-a3b', '1xmi300x')).toBe('ROCM_AITER_FA')
    expect(await backend('qwen3-next-80b-a3b-instruct', '2xmi325x')).toBe('ROCM_AITER_FA')
    expect(await backend('qwen3.5-35b-a3b', '1xmi300x', '0.30.0')).toBeUndefined()
    expect(await backend('qwen3.5-35b-a3b', '1xh100-sxm')).toBeUndefined()
    expect(await backend('qwen3-32b', '1xmi300x')).toBeUndefined()
  })

  it('does not displace what the model wants everywhere', async () => {
    const {flags} = await launchOf({model: 'deepseek-ai/DeepSeek-V4-Flash', gpu: '4xb200-sxm'})
    expect(flags).toMatchObject({'--attention-config.indexer_kv_dtype': 'mxfp4', '--reasoning-parser': 'deepseek_v4', '--block-size': 256})
  })

  // Qwen3.5-397B-A17B.yaml gives Blackwell flashinfer_trtllm; that its kernels take GPTQ's four bits was not shown, and the engine stops where they do not.
  it('names kernels of experts for formats of weights that have them, and for no other', async () => {
    const kernels = async (model: string) => (await launchOf({model, gpu: '8xb200-sxm'})).flags['--moe-backend']
    expect(await kernels('nvidia/Qwen3.5-397B-A17B-NVFP4')).toBe('flashinfer_trtllm')
    expect(await kernels('Qwen/Qwen3.5-397B-A17B-GPTQ-Int4')).toBeUndefined()
  })

  // Step-3.5-Flash and Hy3 go without AITER's experts; Hy3-preview, a checkpoint of the same model, goes with them (Hy3-preview.yaml).
  it('is told by the checkpoint where builds of one model differ', async () => {
    const experts = async (model: string) => (await launchOf({model, gpu: '8xmi355x'})).environment.VLLM_ROCM_USE_AITER_MOE
    expect(await experts('tencent/Hy3')).toBe('0')
    expect(await experts('tencent/Hy3-preview')).toBeUndefined()
  })

  // A dotted key is lost where the whole object stands in the same command (vllm/utils/argparse_utils.py: the later of the two is taken).
  it('leaves a key out where the whole object is given', async () => {
    const key = '--compilation-config.use_inductor_graph_partition'
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '4xmi300x'})).flags).toHaveProperty([key])
    const {flags} = await launchOf({model: 'gpt-oss-120b', gpu: '4xmi300x', graphs: {maxBatch: 64}})
    expect(flags).toHaveProperty('--max-cudagraph-capture-size')
    expect((await launchOf({model: 'gpt-oss-120b', gpu: '4xmi300x', graphs: {mode: 'PIECEWISE'}})).flags).not.toHaveProperty([key])
  })
})

// vLLM 0.33.0 recipes/models, features tool_calling and reasoning; first releases: vllm/tool_parsers and vllm/reasoning.
describe('parsers of newer models', () => {
  const parsers = async (model: string, gpu: string, engineVersion?: string) => {
    const {flags} = await launchOf({model, gpu, ...(engineVersion !== undefined && {engineVersion})})
    return [flags['--tool-call-parser'], flags['--reasoning-parser']]
  }

  it.each([
    ['tencent/Hy4-preview-FP8', '8xb300-sxm', 'hy_v4', 'hy_v4'],
    ['meta-models/Muse-Spark-Open-816B-A42B-NVFP4', '8xb200-sxm', 'muse', 'muse'],
    ['IFM/K2-Horizon-32B', '1xh200-sxm', 'k2_horizon', 'k2_horizon'],
    ['XiaomiMiMo/MiMo-V2.6-Flash-RL', '4xb200-sxm', 'mimo', 'mimo'],
    ['inclusionAI/Ling-3.0-tiny', '1xh200-sxm', 'ling3', 'ling3'],
    ['nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4', '2xb200-sxm', 'qwen3_coder', 'nemotron_v3'],
  ])('%s on %s', async (model, gpu, tools, reasoning) => expect(await parsers(model, gpu)).toEqual([tools, reasoning]))

  it('are those of the release: MiMo-V2-Flash before its own was there', async () => {
    expect(await parsers('XiaomiMiMo/MiMo-V2-Flash', '8xh200-sxm', '0.20.0')).toEqual(['mimo', 'qwen3'])
    expect(await parsers('XiaomiMiMo/MiMo-V2-Flash', '8xh200-sxm', '0.19.0')).toEqual(['qwen3_xml', 'qwen3'])
  })
})
