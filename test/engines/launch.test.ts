import {describe, expect, it} from 'vitest'
import type {Deployment} from '../../src/core/deployment.ts'
import type {Launch, Subject} from '../../src/engines/engine.ts'
import {checkFlag} from '../../src/engines/flags.ts'
import {modelNeed, needEntry} from '../../src/engines/launch/needs.ts'
import {memFractionStatic} from '../../src/engines/sglang/defaults.ts'
import {sglangLaunch} from '../../src/engines/sglang/launch.ts'
import {sglangQuestion} from '../../src/engines/sglang/question.ts'
import {trtllmLaunch} from '../../src/engines/trtllm/launch.ts'
import {vllmLaunch} from '../../src/engines/vllm/launch.ts'
import {shellText} from '../../src/render/launch/shell.ts'
import {compressed, dense, deployment, flagTable, gpus, hybrid, latent, mixture, needsTable, openWeights, subject} from './launch-fixtures.ts'

const needs = needsTable()
const tables = {vllm: flagTable('vllm'), sglang: flagTable('sglang'), trtllm: flagTable('trtllm')}
const launchers = {vllm: vllmLaunch, sglang: sglangLaunch, trtllm: trtllmLaunch}
type Id = keyof typeof launchers

const launchOf = (who: Subject, what: Deployment): Launch => launchers[what.engine as Id](who, what, needs)

/** Leaves of the file's content by dotted path; a null or an empty mapping is a leaf. */
function leaves(content: Record<string, unknown>, path = ''): [string, unknown][] {
  return Object.entries(content).flatMap(([key, value]) => {
    const own = path === '' ? key : `${path}.${key}`
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value as Record<string, unknown>, own)
      : [[own, value] as [string, unknown]]
  })
}

/** Everything that the engine's parser would refuse in this version. */
function illegal(launch: Launch, engine: Id, version: string): string[] {
  const table = tables[engine]
  const given: [string, unknown][] = launch.flags.map(({flag, value}) => [flag, value])
  if (launch.file) given.push([launch.file.flag, launch.file.name], ...leaves(launch.file.content))
  return given.flatMap(([name, value]) => checkFlag(table, version, name, value)?.message ?? [])
}

const limits = {maxNumSeqs: 256, maxNumBatchedTokens: 2048}
const vllm = (given: Partial<Deployment>): Deployment =>
  deployment({engine: 'vllm', engineVersion: '0.28.0', maxModelLen: 40_960, gpuMemoryUtilization: 0.92, ...limits, ...given})
const trtllm = (given: Partial<Deployment>): Deployment =>
  deployment({
    engine: 'trtllm',
    engineVersion: '1.3.0rc24',
    maxModelLen: 40_960,
    gpuMemoryUtilization: 0.9,
    maxNumSeqs: 2048,
    maxNumBatchedTokens: 8192,
    ...given,
  })

/** With SGLang's own fraction unless one is given. */
function sglang(who: Subject, given: Partial<Deployment>): Deployment {
  const base = deployment({
    engine: 'sglang',
    engineVersion: '0.5.18',
    maxModelLen: 40_960,
    gpuMemoryUtilization: 0,
    maxNumSeqs: 2048,
    maxNumBatchedTokens: 2048,
    ...given,
  })
  const question = sglangQuestion(who, {...base, maxNumBatchedTokens: undefined})
  return {...base, gpuMemoryUtilization: given.gpuMemoryUtilization ?? memFractionStatic(question)}
}

const cases: [name: string, who: Subject, what: Deployment][] = [
  ['vllm-dense-awq-rtx-4090', dense, vllm({maxModelLen: 16_384, kvCache: 'fp8', maxNumSeqs: 16, gpuMemoryUtilization: 0.95})],
  ['vllm-mixture-fp8-block-8xh200', mixture, vllm({tp: 8, ep: 8, maxModelLen: 32_768, maxNumSeqs: 1024, maxNumBatchedTokens: 8192})],
  [
    'vllm-deepseek-v4-8xb300',
    compressed,
    vllm({
      dp: 8,
      ep: 8,
      dpAttention: true,
      kvCache: 'fp8',
      maxModelLen: 262_144,
      maxNumSeqs: 256,
      maxNumBatchedTokens: 16_384,
      speculative: {method: 'mtp', tokens: 1},
    }),
  ],
  ['vllm-hybrid-mtp-2xh100', hybrid, vllm({tp: 2, maxModelLen: 131_072, maxNumSeqs: 1024, maxNumBatchedTokens: 8192, speculative: {method: 'mtp', tokens: 2}})],
  ['vllm-0.11.0-dense-rtx-4090', dense, vllm({engineVersion: '0.11.0', gpuMemoryUtilization: 0.9, maxModelLen: 8192, enforceEager: true})],
  ['sglang-dense-awq-rtx-4090', dense, sglang(dense, {maxModelLen: 16_384, kvCache: 'fp8', maxNumSeqs: 16})],
  [
    'sglang-mixture-fp8-block-8xh200',
    mixture,
    sglang(mixture, {tp: 8, ep: 8, dp: 8, dpAttention: true, maxModelLen: 32_768, maxNumBatchedTokens: 1024, gpuMemoryUtilization: 0.85}),
  ],
  [
    'sglang-deepseek-v4-8xb300',
    compressed,
    sglang(compressed, {
      tp: 8,
      dp: 8,
      dpAttention: true,
      ep: 8,
      kvCache: 'fp8',
      maxModelLen: 262_144,
      maxNumSeqs: 32,
      maxNumBatchedTokens: 2048,
      speculative: {method: 'mtp', tokens: 3},
    }),
  ],
  ['sglang-hybrid-2xh100', hybrid, sglang(hybrid, {tp: 2, maxModelLen: 131_072, maxNumSeqs: 180, maxNumBatchedTokens: 8192})],
  ['sglang-0.4.10-dense-rtx-4090', dense, sglang(dense, {engineVersion: '0.4.10', maxModelLen: 8192})],
  ['sglang-0.5.23-dense-rtx-4090', dense, sglang(dense, {engineVersion: '0.5.23', maxModelLen: 16_384, maxNumBatchedTokens: 4096})],
  [
    'sglang-0.5.23-mixture-fp8-block-8xh200',
    mixture,
    sglang(mixture, {
      engineVersion: '0.5.23',
      tp: 8,
      ep: 8,
      dp: 8,
      dpAttention: true,
      maxModelLen: 32_768,
      maxNumSeqs: 64,
      maxNumBatchedTokens: 2048,
      gpuMemoryUtilization: 0.85,
    }),
  ],
  ['trtllm-dense-awq-rtx-4090', dense, trtllm({maxModelLen: 16_384, kvCache: 'fp8', maxNumSeqs: 16, gpuMemoryUtilization: 0.85})],
  ['trtllm-mixture-fp8-block-8xh200', mixture, trtllm({tp: 8, ep: 8, dpAttention: true, maxModelLen: 32_768, maxNumSeqs: 256})],
  [
    'trtllm-deepseek-v4-8xb300',
    compressed,
    trtllm({tp: 8, ep: 8, dpAttention: true, kvCache: 'fp8', maxModelLen: 262_144, maxNumSeqs: 256, speculative: {method: 'mtp', tokens: 1}}),
  ],
  ['trtllm-gpt-oss-2xh200', openWeights, trtllm({tp: 2, maxModelLen: 131_072, enforceEager: true})],
]

describe('start commands', () => {
  it.each(cases)('%s', async (name, who, what) => {
    const launch = launchOf(who, what)
    expect(illegal(launch, what.engine as Id, what.engineVersion)).toEqual([])
    for (const {because} of launch.flags) expect(because).not.toMatch(/^$|\n|undefined|NaN/)
    await expect(shellText(launch)).toMatchFileSnapshot(`../golden/${name}.sh`)
  })

  it('say nothing that the engine does by itself', () => {
    const plain = subject({hfId: 'someone/plain', name: 'Plain', weights: 'bf16', gpu: gpus.h100, architecture: dense.model.architecture})
    const own = vllm({maxNumSeqs: 1024, maxNumBatchedTokens: 8192})
    expect(shellText(vllmLaunch(plain, own))).toBe('vllm serve someone/plain\n')
    expect(shellText(sglangLaunch(plain, sglang(plain, {maxNumBatchedTokens: 8192})))).toBe('sglang serve \\\n  --model-path someone/plain\n')
    expect(shellText(trtllmLaunch(plain, trtllm({maxNumBatchedTokens: 40_960})))).toBe('trtllm-serve someone/plain \\\n  --max_num_tokens 40960\n')
  })

  it('write both numbers where one moves the default of the other', () => {
    // 512 tokens would bring 1,024 sequences down to 512.
    const flags = vllmLaunch(mixture, vllm({maxNumSeqs: 1024, maxNumBatchedTokens: 512})).flags.map(({flag, value}) => `${flag} ${value}`)
    expect(flags).toEqual(['--max-num-seqs 1024', '--max-num-batched-tokens 512'])
    const implied = vllmLaunch(mixture, vllm({maxNumSeqs: 512, maxNumBatchedTokens: 512})).flags.map(({flag, value}) => `${flag} ${value}`)
    expect(implied).toEqual(['--max-num-batched-tokens 512'])
  })

  it('never take more memory than was budgeted: fractions are cut, not rounded', () => {
    const share = vllmLaunch(dense, vllm({gpuMemoryUtilization: 0.29})).flags.find(({flag}) => flag === '--gpu-memory-utilization')
    expect(share?.value).toBe(0.29)
    expect(vllmLaunch(dense, vllm({gpuMemoryUtilization: 0.876_99})).flags.find(({flag}) => flag === '--gpu-memory-utilization')?.value).toBe(0.8769)
  })

  it('pass a path with a leading dash as a path', () => {
    const odd = subject({hfId: '-x/$(id)', name: 'Odd', weights: 'bf16', gpu: gpus.h100, architecture: dense.model.architecture})
    expect(shellText(vllmLaunch(odd, vllm({})))).toContain("vllm serve './-x/$(id)'")
    expect(shellText(sglangLaunch(odd, sglang(odd, {})))).toContain("--model-path './-x/$(id)'")
    expect(shellText(trtllmLaunch(odd, trtllm({})))).toContain("trtllm-serve './-x/$(id)'")
  })

  it('ask TensorRT-LLM for chunked prefill only where it has it: latent attention on 10.x', () => {
    const content = (device: keyof typeof gpus) => trtllmLaunch(latent(gpus[device]), trtllm({tp: 8, maxModelLen: 32_768})).file?.content
    expect(content('b200')).toEqual({enable_chunked_prefill: true})
    expect(content('h200')).toBeUndefined()
  })

  it('turn GGUF and bitsandbytes into what each engine asks for', () => {
    const gguf = subject({
      hfId: 'someone/Qwen3-8B-GGUF',
      modelHfId: 'Qwen/Qwen3-8B',
      name: 'Qwen3 8B',
      weights: 'q4_k_m',
      gpu: gpus.rtx4090,
      architecture: dense.model.architecture,
    })
    expect(shellText(vllmLaunch(gguf, vllm({})))).toBe('vllm serve someone/Qwen3-8B-GGUF:Q4_K_M \\\n  --tokenizer Qwen/Qwen3-8B\n')
    expect(
      sglangLaunch(gguf, sglang(gguf, {}))
        .flags.slice(1)
        .map(({flag, value}) => `${flag} ${value}`),
    ).toEqual(['--load-format gguf', '--quantization gguf'])
  })
})

describe('every flag exists in its version with a legal value', () => {
  const everything: Partial<Deployment> = {
    tp: 4,
    pp: 2,
    dp: 4,
    ep: 4,
    dpAttention: true,
    kvCache: 'fp8',
    maxModelLen: 8192,
    maxNumSeqs: 100,
    maxNumBatchedTokens: 3000,
    gpuMemoryUtilization: 0.7,
    enforceEager: true,
    cpuOffloadBytes: 3.5 * 1024 ** 3,
    speculative: {method: 'mtp', tokens: 2},
  }
  const versions: [Id, string][] = [
    ...['0.8.5', '0.9.2', '0.10.2', '0.11.0', '0.12.0', '0.16.0', '0.19.0', '0.20.0', '0.21.0', '0.24.0', '0.27.1', '0.28.0'].map(
      (version) => ['vllm', version] as [Id, string],
    ),
    ...['0.4.10', '0.5.1', '0.5.3', '0.5.6', '0.5.9', '0.5.12', '0.5.14', '0.5.16', '0.5.18'].map((version) => ['sglang', version] as [Id, string]),
    ...['0.20.0', '1.0.0', '1.1.0rc2', '1.2.0', '1.3.0rc18', '1.3.0rc24'].map((version) => ['trtllm', version] as [Id, string]),
  ]

  it.each(versions)('%s %s', (engine, engineVersion) => {
    for (const who of [dense, mixture, compressed, hybrid, openWeights, latent(gpus.b200)]) {
      for (const given of [everything, {maxModelLen: 4096}, {...everything, dpAttention: false, kvCache: 'bf16'}]) {
        const base = {sglang: sglang(who, {...given, engineVersion}), vllm: vllm({...given, engineVersion}), trtllm: trtllm({...given, engineVersion})}[engine]
        expect(illegal(launchOf(who, base), engine, engineVersion)).toEqual([])
      }
    }
  })

  it('holds for what every model wants', () => {
    for (const entry of needs.models) {
      const name = entry.match[0]!.replaceAll('*', '-x')
      const who = subject({hfId: `owner/${name}`, name, weights: 'bf16', gpu: gpus.h200, architecture: {...dense.model.architecture, className: undefined}})
      expect(needEntry(needs, who)).toBe(entry)
      for (const [engine, version] of [
        ['vllm', '0.28.0'],
        ['sglang', '0.5.18'],
        ['trtllm', '1.3.0rc24'],
        ['vllm', '0.11.0'],
        ['sglang', '0.5.3'],
      ] as [Id, string][]) {
        const base = {sglang: sglang(who, {engineVersion: version}), vllm: vllm({engineVersion: version}), trtllm: trtllm({engineVersion: version})}[engine]
        expect(illegal(launchOf(who, base), engine, version)).toEqual([])
      }
    }
  })
})

describe('needs of models', () => {
  const named = (hfId: string, className?: string): Subject =>
    subject({hfId, name: hfId, weights: 'bf16', gpu: gpus.h200, architecture: {...dense.model.architecture, className}})

  it.each([
    ['Qwen/Qwen3-32B', {toolCallParser: 'hermes', reasoningParser: 'qwen3'}],
    ['nvidia/Qwen3-Coder-480B-A35B-Instruct-NVFP4', {toolCallParser: 'qwen3_coder', reasoningParser: undefined}],
    ['Qwen/Qwen3-235B-A22B-Instruct-2507-FP8', {toolCallParser: 'hermes', reasoningParser: undefined}],
    ['deepseek-ai/DeepSeek-R1-Distill-Qwen-14B', {toolCallParser: undefined, reasoningParser: 'deepseek_r1'}],
    [
      'deepseek-ai/DeepSeek-R1-0528',
      {
        toolCallParser: 'deepseek_v3',
        reasoningParser: 'deepseek_r1',
        trustRemoteCode: true,
        environment: {},
        // A template that only the image has.
        options: [expect.objectContaining({flag: '--chat-template', value: '/vllm-workspace/examples/tool_chat_template_deepseekr1.jinja', inImage: 'nvidia'})],
      },
    ],
  ])('%s', (hfId, need) => {
    expect(modelNeed(needs, 'vllm', '0.28.0', named(hfId))).toEqual(need)
  })

  it('fall back on the architecture', () => {
    expect(modelNeed(needs, 'vllm', '0.28.0', named('./somewhere', 'GptOssForCausalLM')).toolCallParser).toBe('openai')
    expect(modelNeed(needs, 'vllm', '0.28.0', named('./somewhere', 'LlamaForCausalLM'))).toEqual({})
  })

  it('leave out parsers that a version does not have', () => {
    expect(modelNeed(needs, 'vllm', '0.19.0', named('deepseek-ai/DeepSeek-V4-Pro')).toolCallParser).toBeUndefined()
    expect(modelNeed(needs, 'vllm', '0.20.0', named('deepseek-ai/DeepSeek-V4-Pro')).toolCallParser).toBe('deepseek_v4')
  })

  // vllm 0.33.0 recipes/models/deepseek-ai/DeepSeek-V4.1-Flash.yaml: prompts and calls of its own, and neither code nor a block size.
  it('tell DeepSeek-V4.1 from V4', () => {
    expect(modelNeed(needs, 'vllm', '0.30.0', named('deepseek-ai/DeepSeek-V4.1-Flash-1017'))).toEqual({
      toolCallParser: 'deepseek_v41',
      reasoningParser: 'deepseek_v41',
      tokenizerMode: 'deepseek_v41',
      kvCacheDtype: 'fp8',
    })
  })

  it('set AITER only for models whose recipe does, on CDNA 3 and newer', () => {
    const on = (hfId: string, gfxTarget?: string) => {
      const who = named(hfId)
      const gpu = {...who.gpu, accelerator: {...who.gpu.accelerator, vendor: 'amd' as const, computeCapability: undefined, gfxTarget}}
      return modelNeed(needs, 'vllm', '0.28.0', {...who, gpu}).environment
    }
    expect(on('deepseek-ai/DeepSeek-V3.2', 'gfx942')).toEqual({VLLM_ROCM_USE_AITER: '1'})
    expect(on('tencent/Hy3', 'gfx950')).toEqual({VLLM_ROCM_USE_AITER: '1', VLLM_ROCM_USE_AITER_MOE: '0', VLLM_ROCM_QUICK_REDUCE_QUANTIZATION: 'INT4'})
    expect(on('deepseek-ai/DeepSeek-V3.2', 'gfx90a')).toBeUndefined()
    expect(on('deepseek-ai/DeepSeek-V3.2')).toBeUndefined()
    expect(on('Qwen/Qwen3-32B', 'gfx942')).toBeUndefined()
    expect(on('moonshotai/Kimi-K2-Thinking', 'gfx942')).toBeUndefined()
  })

  it('run code of a repository only where it has some', () => {
    const trusts = (hfId: string) => modelNeed(needs, 'vllm', '0.28.0', named(hfId)).trustRemoteCode
    expect(['zai-org/GLM-5.2-FP8', 'MiniMaxAI/MiniMax-M3', 'nvidia/MiniMax-M3-NVFP4'].map(trusts)).toEqual([undefined, undefined, true])
  })
})
