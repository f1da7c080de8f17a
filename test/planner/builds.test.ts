import {describe, expect, it, test} from 'vitest'
import type {Machine} from '../../src/core/accelerator.ts'
import {imageVariant} from '../../src/engines/support.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {inRange} from '../../src/engines/release-range.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import {withoutBuild} from '../../src/planner/models/index.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const {catalogue} = context

const ask = async (gpu: string, model: string, engineVersion: string, more: Partial<Scenario> = {}) =>
  toResult((await answer(context, {model, gpu, engineVersion, ...more})).best)

/** The reasons of a refusal as `code: message; remedy`. */
async function refusal(...question: Parameters<typeof ask>): Promise<string> {
  const {verdict, reasons} = await ask(...question)
  return verdict === 'unsupported' ? reasons.map(({code, message, remedy}) => `${code}: ${message}; ${remedy}`).join('\n') : verdict
}

const builtFor = 'build-unsupported: official builds of'

describe('a card that no official build has', () => {
  test.each([
    // Pascal and Volta: torch_cuda_arch_list begins at 7.0, and from 0.20.0 (CUDA 13) at 7.5.
    ['1xp100-pcie-16gb', '0.19.1', {}, /7\.0 to 10\.0, or 12\.0: .* is 6\.0 .*no release of vLLM/],
    ['1xp40', '0.33.0', {}, /7\.5 or later: .* is 6\.1 .*no release of vLLM/],
    ['1xtitan-v', '0.28.0', {}, /7\.5 or later: .* is 7\.0 .*--engine-version 0\.19\.1, the newest/],
    // Turing: SGLang's kernels begin at 8.0 since 0.5.
    ['1xrtx-2080-ti', '0.5.18', {engine: 'sglang'}, /8\.0 or later: .* is 7\.5 .*--engine-version 0\.4\.10\.post2/],
    // PYTORCH_ROCM_ARCH of docker/Dockerfile.rocm_base.
    ['1xmi50-16gb', '0.28.0', {}, /gfx90a, .*: .* is gfx906; no release of vLLM .*a fork/],
    ['1xrx-6900-xt', '0.28.0', {}, /is gfx1030; no release/],
    ['1xmi100', '0.28.0', {}, /is gfx908; no release/],
    ['1xmi355x', '0.10.2', {}, /is gfx950; use --engine-version 0\.11\.0 or later/],
    ['1xstrix-halo-128gb', '0.11.0', {}, /is gfx1151; use --engine-version 0\.11\.1 or later/],
    // 10.3 and 12.1 before the builds for CUDA 13: those for 12.x have 10.0a and 12.0a.
    ['1xb300-sxm', '0.11.0', {}, /7\.0 to 10\.0, or 12\.0: .* is 10\.3 .*--engine-version 0\.12\.0 or later/],
    ['1xgb10', '0.10.2', {}, /is 12\.1 .*--engine-version 0\.12\.0 or later/],
    ['1xrtx-5090', '0.8.4', {}, /7\.0 to 9\.0: .* is 12\.0 .*--engine-version 0\.9\.0 or later/],
    // TensorRT-LLM: 12.1 came with 1.0, 10.3 with 1.1 (its release notes).
    ['1xgb10', '0.21.0', {engine: 'trtllm'}, /is 12\.1 .*--engine-version 1\.0\.0rc0 or later/],
    ['8xb300-sxm', '1.0.0', {engine: 'trtllm'}, /is 10\.3 .*--engine-version 1\.1\.0rc0 or later/],
    ['1xb200-sxm', '0.8.5', {}, /7\.0 to 9\.0: .* is 10\.0 .*--engine-version 0\.9\.0 or later/],
  ])('%s with %s', async (gpu, version, more, expected) => {
    const told = await refusal(gpu, 'qwen2.5-7b-instruct', version, more)
    expect(told).toMatch(builtFor)
    expect(told).toMatch(expected)
  })
})

describe('a release that is built for the card helps where it runs the model', () => {
  test.each([
    // DeepseekV4ForCausalLM is in the registry from 0.20.0 on; builds for 7.0 end with 0.19.1.
    ['8xv100-sxm2-32gb', 'deepseek-v4-flash', '0.33.0', /0\.19\.1 is the newest that is built for this card, .*came with 0\.20\.0\): you need a fork/],
    ['8xv100-sxm2-32gb', 'deepseek-v4-flash', '0.19.1', /engine-too-old: .*no release of vLLM that has it is built for Tesla V100/],
    // Qwen3NextForCausalLM came with 0.10.2, the builds for 12.1 with 0.12.0: the later of both.
    ['1xgb10', 'qwen3-next-80b-a3b-instruct', '0.10.2', /use --engine-version 0\.12\.0 or later/],
    // FP8 in blocks is read from 7.5 on; the 16-bit weights run on 7.0.
    ['2xv100-sxm2-32gb', 'Qwen/Qwen3-32B-FP8', '0.33.0', /use --engine-version 0\.19\.1 with other weights/],
    ['1xv100-sxm2-32gb', 'qwen2.5-7b-instruct', '0.33.0', /use --engine-version 0\.19\.1, the newest release that is built for 7\.0/],
  ])('%s with %s under %s', async (gpu, model, version, expected) => {
    expect(await refusal(gpu, model, version, {})).toMatch(expected)
  })
})

describe('a card that only another build of the release has', () => {
  const variant = (id: string, gpu: string, version: string, driver?: string) =>
    imageVariant(id, {...machineFromSpec(catalogue, gpu).gpus[0]!, ...(driver !== undefined && {driver})}, engineData(context, id), version)

  test.each([
    ['vllm', '1xgb10', '0.13.0', 'cu130'],
    ['vllm', '1xb300-sxm', '0.19.1', 'cu130'],
    ['vllm', '1xgb10', '0.20.0', undefined], // families (12.0f) from here on
    ['vllm', '1xb200-sxm', '0.13.0', undefined],
    ['sglang', '1xgb10', '0.5.9', 'cu130'],
    ['sglang', '1xgb10', '0.5.18', undefined],
  ])('%s on %s %s: %s', (id, gpu, version, expected) => expect(variant(id, gpu, version)).toBe(expected))

  it('is named in the answer', async () => {
    const {verdict, warnings} = await ask('1xgb10', 'qwen3-8b', '0.13.0')
    expect(verdict).toBe('fits')
    expect(warnings.find(({code}) => code === 'build-variant-needed')?.message).toContain('take its cu130 image or wheel')
    const other = await ask('1xrtx-5090', 'qwen3-8b', '0.9.2')
    expect(other.warnings.find(({code}) => code === 'build-variant-needed')?.message).toContain('take the image')
    expect((await ask('1xrtx-5090', 'qwen3-8b', '0.10.2')).warnings.map(({code}) => code)).not.toContain('build-variant-needed')
  })

  test.each([
    // CUDA 13 asks for driver 580, CUDA 12 for 525; vLLM has builds for both since 0.20.0, SGLang since 0.5.12.
    ['vllm', '0.28.0', '550.54.14', 'cu129'],
    ['vllm', '0.28.0', '580.65.06', undefined],
    ['vllm', '0.19.1', '550.54.14', undefined],
    ['sglang', '0.5.18', '570.86.15', 'cu129'],
    ['vllm', '0.28.0', '[N/A]', undefined],
  ])('is chosen by the driver: %s %s with %s', (id, version, driver, expected) => expect(variant(id, '1xrtx-4090', version, driver)).toBe(expected))
})

describe('a driver that runs no official build', () => {
  const withDriver = (gpu: string, driver: string): Machine => {
    const machine = machineFromSpec(catalogue, gpu)
    return {...machine, detected: true, gpus: machine.gpus.map((own) => ({...own, driver}))}
  }
  const told = async (gpu: string, driver: string, engine: string, engineVersion: string) => {
    const own = {...context, readMachine: async () => withDriver(gpu, driver)}
    const {verdict, reasons} = toResult((await answer(own, {model: 'qwen3-8b', machine: './machine.json', engine, engineVersion})).best)
    return verdict === 'unsupported' ? reasons.map(({code, remedy}) => `${code}: ${remedy}`).join('\n') : 'starts'
  }

  test.each([
    ['1xrtx-4090', '470.82.01', 'vllm', '0.28.0', 'driver-too-old: update the driver to 580 or later'],
    ['1xrtx-4090', '470.82.01', 'vllm', '0.13.0', 'driver-too-old: update the driver to 525 or later'],
    ['1xrtx-4090', '525.60.13', 'vllm', '0.13.0', 'starts'],
    ['1xrtx-4090', '550.54.14', 'trtllm', '1.3.0rc24', 'driver-too-old: update the driver to 580 or later'],
    // GB10 has kernels in the builds for CUDA 13 alone.
    ['1xgb10', '570.86.10', 'vllm', '0.28.0', 'driver-too-old: update the driver to 580 or later'],
    ['1xmi300x', '6.10.5', 'vllm', '0.28.0', 'starts'],
  ])('%s with %s, %s %s: %s', async (gpu, driver, engine, version, expected) => expect(await told(gpu, driver, engine, version)).toBe(expected))
})

describe('the table of builds', () => {
  const cases = ['vllm', 'sglang', 'trtllm'].flatMap((id) => engineData(context, id).versions.map((version) => [id, version] as const))

  it.each(cases)('has one default build of %s %s for each maker', (id, version) => {
    const now = engineData(context, id).support.builds[id]!.filter((rule) => inRange(rule, version))
    const whole = now.filter(({variant}) => variant === undefined)
    expect(whole.filter(({capability}) => capability !== undefined)).toHaveLength(1)
    expect(whole.filter(({gfx}) => gfx !== undefined)).toHaveLength(id === 'vllm' ? 1 : 0)
    // A variant is another build: of another CUDA release.
    for (const {variant, cuda} of now) if (variant !== undefined) expect(variant).toBe(`cu${cuda?.replace('.', '')}`)
  })
})

it('says so before any model is looked at', () => {
  const machine = machineFromSpec(catalogue, '1xrtx-4090')
  const old = {...machine, gpus: machine.gpus.map((gpu) => ({...gpu, driver: '470.82.01'}))}
  expect(withoutBuild(context, old, {})?.code).toBe('driver-too-old')
  expect(withoutBuild(context, machine, {})).toBeUndefined()
})

describe('attention without kernels on a card', () => {
  test.each([
    // supports_compute_capability of flashmla_sparse.py (9 and 10) and flashinfer_mla_sparse.py (12 from 0.24.0).
    [
      '8xrtx-pro-6000-blackwell-server',
      'deepseek-v3.2',
      '0.13.0',
      {},
      /^attention-unsupported: .*sparse attention.*12\.0: FLASHMLA_SPARSE is for 9\.0 to 10\.x; use --engine-version 0\.24\.0 or later$/,
    ],
    ['8xa100-80gb-sxm', 'deepseek-v3.2', '0.33.0', {}, /^attention-unsupported: .*8\.0\b.*no release of vLLM/],
    ['8xl40s', 'deepseek-v3.2', '0.28.0', {}, /^attention-unsupported: .*8\.9\b/],
    ['2xrtx-pro-6000-blackwell-server', 'deepseek-v4-flash', '0.21.0', {}, /^attention-unsupported: .*use --engine-version 0\.24\.0 or later$/],
    ['8xa100-80gb-sxm', 'deepseek-v4-flash', '0.28.0', {}, /^attention-unsupported: .*8\.0\b/],
    // Rows without positions: vllm-project/vllm#53963 and #53906 on 12.0 and 12.1 (pe_dim must be 64), ready from 0.32.0; SGLang's kernel is for GLM-5 (#40286).
    ['4xrtx-pro-6000-blackwell-server', 'glm-5.3-flash', '0.30.0', {}, /^attention-unsupported: .*12\.0.*; use --engine-version 0\.32\.0 or later$/],
    ['8xrtx-pro-6000-blackwell-server', 'glm-5.3-flash', '0.5.20', {engine: 'sglang'}, /^attention-unsupported: .*12\.0.*no release of SGLang/],
    ['8xrtx-4090', 'deepseek-v4-flash', '0.5.18', {engine: 'sglang'}, /attention-unsupported: .*8\.9\b/],
    ['8xrtx-pro-6000-blackwell-server', 'deepseek-v4-flash', '0.5.12', {engine: 'sglang'}, /^attention-unsupported: .*--engine-version 0\.5\.13 or later$/m],
    // On 12.x SGLang has it for GLM and an FP8 cache alone.
    ['8xrtx-pro-6000-blackwell-server', 'deepseek-v3.2', '0.5.18', {engine: 'sglang'}, /^attention-unsupported: /],
    ['8xa100-80gb-sxm', 'deepseek-v3.2', '1.3.0rc24', {engine: 'trtllm'}, /attention-unsupported: /],
    // AITER is for CDNA 3 and later.
    ['8xradeon-ai-pro-r9700', 'deepseek-v4-flash', '0.28.0', {}, /attention-unsupported: .*gfx1201; no release/],
    ['8xmi300x', 'deepseek-v3.2', '0.11.2', {}, /attention-unsupported: .*gfx942; use --engine-version 0\.12\.0 or later/],
  ])('%s, %s, %s', async (gpu, model, version, more, expected) => expect(await refusal(gpu, model, version, more)).toMatch(expected))

  test.each([
    ['8xh200-sxm', 'deepseek-v3.2', '0.13.0', {}],
    ['8xb200-sxm', 'deepseek-v3.2', '0.17.0', {}],
    ['8xrtx-pro-6000-blackwell-server', 'deepseek-v3.2', '0.24.0', {}],
    ['4xrtx-pro-6000-blackwell-server', 'deepseek-v4-flash', '0.24.0', {}],
    ['4xrtx-pro-6000-blackwell-server', 'glm-5.3-flash', '0.32.0', {}],
    ['8xmi300x', 'deepseek-v3.2', '0.28.0', {}],
  ])('%s runs %s with %s', async (gpu, model, version, more) => expect(await refusal(gpu, model, version, more)).not.toContain('attention-unsupported'))
})

describe('a cache that no kernel reads on a card', () => {
  test.each([
    // Triton reads FP8 from 8.9 on; FlashInfer from 8.0, not with sinks below 10.0, and it is tried by itself from 0.11.1.
    ['1xrtx-3090', 'gpt-oss-20b', '0.28.0', 'fp8', /^kv-cache-unsupported: .*attention with sinks .* FP8 on compute capability 8\.6; use --kv-cache bf16$/],
    ['1xrtx-4090', 'gpt-oss-20b', '0.28.0', 'fp8', /^(fits|tight)$/],
    ['1xrtx-3090', 'qwen3-8b', '0.11.0', 'fp8', /^kv-cache-unsupported: .*; use --engine-version 0\.11\.1 or later, or --kv-cache bf16$/],
    ['1xrtx-3090', 'qwen3-8b', '0.24.0', 'fp8', /^(fits|tight)$/],
    // FlashInfer has heads of 64, 128, 256 (and 512); phi-3-mini's are of 96.
    ['1xrtx-3090', 'phi-3-mini-4k-instruct', '0.28.0', 'fp8', /^kv-cache-unsupported: .*with heads of 96/],
    // NVFP4 caches: 10.x from 0.21.0, others from 0.32.0.
    ['1xrtx-5090', 'qwen3-8b', '0.28.0', 'nvfp4', /^kv-cache-unsupported: .*this GPU has 12\.0; use --engine-version 0\.32\.0 or later/],
    ['1xb200-sxm', 'qwen3-8b', '0.20.0', 'nvfp4', /^kv-cache-unsupported: .*came with 0\.21\.0; use --engine-version 0\.21\.0 or later/],
    ['1xb200-sxm', 'qwen3-8b', '0.21.0', 'nvfp4', /^(fits|tight)$/],
    // Latent attention: Triton's kernel has FP8 from 0.18.0 and 8.9, the others are for 9.x and 10.x.
    [
      '1xrtx-pro-6000-blackwell-server',
      'deepseek-v2-lite',
      '0.17.1',
      'fp8',
      /^kv-cache-unsupported: .*latent attention \(MLA\) .*12\.0; use --engine-version 0\.18\.0 or later, or --kv-cache bf16$/,
    ],
    ['1xrtx-pro-6000-blackwell-server', 'deepseek-v2-lite', '0.18.0', 'fp8', /^(fits|tight)$/],
    ['1xa100-80gb-sxm', 'deepseek-v2-lite', '0.28.0', 'fp8', /^kv-cache-unsupported: .*8\.0; use --kv-cache bf16$/],
    ['1xh100-sxm', 'deepseek-v2-lite', '0.13.0', 'fp8', /^(fits|tight)$/],
  ])('%s, %s with %s, %s', async (gpu, model, version, kvCache, expected) => expect(await refusal(gpu, model, version, {kvCache})).toMatch(expected))
})

/** Public threads about builds that do not start, each with what is told of it. */
describe('what people ran into', () => {
  test.each([
    ['vllm-project/vllm#19542', '1xgtx-1080-ti', 'qwen2.5-7b-instruct', '0.9.1', {}, /^build-unsupported: .*6\.1 \(Pascal\)/],
    ['vllm-project/vllm#16307', '8xp100-pcie-16gb', 'qwen2.5-7b-instruct', '0.8.0', {}, /^build-unsupported: .*6\.0/],
    ['mudler/LocalAI#9948', '1xv100-sxm2-32gb', 'qwen2.5-7b-instruct', '0.20.0', {}, /^build-unsupported: .*0\.19\.1/],
    ['vllm-project/vllm#16901', '1xrtx-5090', 'qwen3-8b', '0.8.4', {}, /^build-unsupported: .*0\.9\.0 or later/],
    ['vllm-project/vllm#28707', '8xb300-sxm', 'qwen3-32b', '0.11.0', {}, /^build-unsupported: .*10\.3/],
    ['ROCm/legacy-rocm-build#4909', '1xstrix-halo-128gb', 'qwen3-8b', '0.9.1', {}, /^build-unsupported: .*gfx1151/],
    ['sgl-project/sglang#24224', '4xt4', 'qwen2.5-7b-instruct', '0.5.10.post1', {engine: 'sglang'}, /^build-unsupported: .*7\.5 \(Turing\)/],
    ['sgl-project/sglang#24302', '1xrtx-2080-ti', 'qwen2.5-7b-instruct', '0.5.10.post1', {engine: 'sglang'}, /^build-unsupported: .*7\.5 \(Turing\)/],
    [
      'vllm-project/vllm#25022',
      '2xt4',
      'cpatonn/Qwen3-VL-32B-Instruct-AWQ-4bit',
      '0.11.0',
      {maxModelLen: 4096},
      /^quantization-unsupported: .*8\.0 or later, but this GPU has 7\.5; use --engine-version 0\.12\.0 or later/,
    ],
    ['vllm-project/vllm#23203', '1xt4', 'openai/gpt-oss-20b', '0.10.2', {}, /^quantization-unsupported: .*8\.0 or later, but this GPU has 7\.5/],
    ['vllm-project/vllm#31480', '8xrtx-pro-6000-blackwell-ws', 'deepseek-ai/DeepSeek-V3.2', '0.13.0', {}, /^attention-unsupported: .*0\.24\.0 or later/],
    ['vllm-project/vllm#35021', '8xa100-80gb-sxm', 'zai-org/GLM-5-FP8', '0.16.0', {}, /attention-unsupported: .*8\.0/],
    ['vllm-project/vllm#45317', '4xgb10', 'glm-5.1', '0.22.1', {}, /attention-unsupported: .*12\.1.*0\.24\.0 or later/],
    ['sgl-project/sglang#35420', '8xa100-80gb-sxm', 'deepseek-ai/DeepSeek-V3.2', '0.5.18', {engine: 'sglang'}, /attention-unsupported: .*8\.0/],
    ['vllm-project/vllm#26431', '2xrtx-3090', 'qwen3-8b', '0.11.0', {kvCache: 'fp8'}, /^kv-cache-unsupported: .*8\.6; use --engine-version 0\.11\.1 or later/],
    [
      'vllm-project/vllm#32732',
      '8xrtx-pro-6000-blackwell-ws',
      'nvidia/DeepSeek-R1-0528-NVFP4',
      '0.14.0',
      {kvCache: 'fp8'},
      /^kv-cache-unsupported: .*12\.0; use --engine-version 0\.18\.0 or later, or --kv-cache bf16/,
    ],
  ] as const)('%s', async (_thread, gpu, model, version, more, expected) => expect(await refusal(gpu, model, version, more)).toMatch(expected))

  it.each([
    ['vllm-project/vllm#30855', '1xgb10', 'RedHatAI/Qwen3-30B-A3B-NVFP4', '0.12.0', 'cu130'],
    ['vllm-project/vllm#20748', '1xrtx-5090', 'qwen3-8b', '0.9.2', 'take the image'],
    ['vllm-project/vllm#20173', '1xb200-sxm', 'qwen3-8b', '0.9.1', 'take the image'],
    ['NVIDIA/Model-Optimizer#2042', '1xb300-sxm', 'qwen3-8b', '0.19.1', 'cu130'],
  ])('%s: another build of the release', async (_thread, gpu, model, version, expected) => {
    const {verdict, warnings} = await ask(gpu, model, version)
    expect(['fits', 'tight']).toContain(verdict)
    expect(warnings.find(({code}) => code === 'build-variant-needed')?.message).toContain(expected)
  })
})

describe('a log of what ran', () => {
  const asRan = async (scenario: Partial<Scenario>) => toResult((await answer(context, scenario as Scenario, {asRan: true})).best)

  // Builds of one's own carry the number of a release: what only official ones lack is told, and refuses nothing.
  test.each([
    [{model: 'deepseek-v3.2', gpu: '8xrtx-pro-6000-blackwell-server', engineVersion: '0.13.0', tp: 8}, 'attention-unsupported'],
    [{model: 'qwen2.5-7b-instruct', gpu: '1xmi50-32gb', engineVersion: '0.11.0'}, 'build-unsupported'],
  ])('%o is not refused', async (scenario, code) => {
    const {verdict, warnings} = await asRan(scenario)
    expect(verdict).not.toBe('unsupported')
    expect(warnings.map((warning) => warning.code)).toContain(code)
  })
})
