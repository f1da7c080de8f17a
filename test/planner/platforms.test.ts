import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {describe, expect, it, test} from 'vitest'
import {parse} from 'yaml'
import {sumBytes} from '../../src/core/terms.ts'
import type {PlatformsFile} from '../../src/engines/platforms-schema.ts'
import {platformOf} from '../../src/engines/platforms.ts'
import {buildRefusal} from '../../src/engines/support.ts'
import {adviseOn} from '../../src/planner/answer/advice.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {writeFormat} from '../../src/render/launch/formats.ts'
import {startableOf} from '../../src/render/launch/startable-from.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const {catalogue} = context
const MIB = 1024 ** 2
const GIB = 1024 ** 3
const ENGINES = ['vllm', 'sglang', 'trtllm']
const workload = {inputTokens: 1024, outputTokens: 512, concurrency: 1}

const ask = (scenario: Partial<Scenario>) => answer(context, {model: 'qwen3-8b', workload, ...scenario})
const bestOf = async (scenario: Partial<Scenario>) => (await ask(scenario)).best
const card = (id: string) => catalogue.gpu(id)!

describe('platforms', () => {
  test.each([
    ['arc-pro-b60', 'xpu'],
    ['arc-a770-16gb', 'xpu'],
    ['gpu-max-1550', 'xpu'],
    ['gaudi3', 'gaudi'],
    ['ascend-910b3', 'ascend'],
    ['apple-m4-pro', 'metal'],
    ['tpu-v6e', 'tpu'],
    ['wse-3', undefined],
    ['rtx-4090', undefined],
    ['mi300x', undefined],
  ])('%s is of %s', (id, platform) => {
    expect(platformOf(engineData(context, 'vllm'), card(id))?.id).toBe(platform)
  })

  it('are never answered with cards of other makers, and every refusal says a way', () => {
    let refusals = 0
    for (const accelerator of catalogue.gpus.filter(({vendor}) => vendor !== 'nvidia' && vendor !== 'amd'))
      for (const engine of ENGINES) {
        const refusal = buildRefusal(engine, accelerator, engineData(context, engine))
        if (!refusal) continue
        refusals += 1
        expect(`${refusal.message}; ${refusal.remedy}`, `${engine} on ${accelerator.id}`).not.toMatch(/nvidia|\bamd\b|radeon|geforce|\brtx\b/i)
        expect(refusal.remedy, `${engine} on ${accelerator.id}`).toMatch(/https:|--engine|runs? there/)
      }
    expect(refusals).toBeGreaterThan(60)
  })

  it.each([
    ['gaudi3', 'vllm-gaudi'],
    ['8xascend-910b3', 'vllm-ascend'],
    ['8xtpu-v6e', 'tpu-inference'],
    ['apple-m3-ultra', 'vllm-metal'],
  ])('%s: %s is named, memory is counted and nothing else is promised', async (gpu, plugin) => {
    const answered = await ask({gpu})
    const {best} = answered
    expect(best.verdict).toBe('unsupported')
    expect(best.reasons).toHaveLength(1)
    expect(best.reasons[0]!.message).toContain(plugin)
    expect(best.reasons[0]!.message).toContain('does not model')
    expect(best.performance).toBeUndefined()
    expect(sumBytes(best.memory.terms.filter(({part}) => part === 'weights'))).toBeGreaterThan(0)
    expect(adviseOn(context, answered, `qwen3-8b --gpu ${gpu}`)).toEqual({changes: [], holders: [], fitting: [], next: []})
  })

  it('an engine without a modelled build is answered with the one that has it', async () => {
    const answered = await ask({gpu: '1xarc-pro-b60', engine: 'sglang'})
    expect(answered.best.reasons[0]).toMatchObject({code: 'hardware-unsupported', remedy: expect.stringMatching(/^use --engine vllm/)})
    expect(adviseOn(context, answered, 'qwen3-8b --gpu arc-pro-b60 --engine sglang').next).toEqual(['servefit check qwen3-8b --gpu arc-pro-b60 --engine vllm'])
  })

  it('machines of the same maker hold what does not fit', async () => {
    const {holders} = adviseOn(context, await ask({model: 'qwen3-235b-a22b', gpu: '2xarc-pro-b60', tp: 2}), 'qwen3-235b-a22b --gpu 2xarc-pro-b60 --tp 2')
    expect(holders.every(({spec}) => /xarc-/.test(spec))).toBe(true)
  })
})

describe('vLLM on Intel GPUs', () => {
  const on = (scenario: Partial<Scenario>) => bestOf({gpu: '1xarc-pro-b60', ...scenario})
  const bytesOf = ({memory}: Awaited<ReturnType<typeof on>>, part: string) => sumBytes(memory.terms.filter((term) => term.part === part))

  // PyTorch shows 23,256 of a B60's 24,480 MiB, and 31,023 of a B70's 32,656.
  it.each([
    ['arc-pro-b60', 23256],
    ['arc-pro-b70', 31023],
  ])('%s: %d MiB are seen', async (gpu, seen) => {
    expect(Math.floor((await on({gpu})).memory.totalBytes / MIB)).toBe(seen)
  })

  it('gpt-oss-20b at 0.80 of a B60 leaves the 3.12 GiB that were logged, within half a GiB', async () => {
    // 0.80 x 22.71 GiB = 18.17 GiB, of which 12.87 are weights, 1.50 are outside the allocator and 0.69 the peak.
    const best = await on({model: 'gpt-oss-20b', gpuMemoryUtilization: 0.8, engineVersion: '0.28.0'})
    expect(best.memory.budgetBytes / GIB).toBeCloseTo(18.17, 1)
    expect(bytesOf(best, 'weights') / GIB).toBeGreaterThan(12.87 * 0.99)
    expect(bytesOf(best, 'weights') / GIB).toBeLessThan(12.87 * 1.01)
    expect(Math.abs(best.memory.kvCacheBytes / GIB - 3.12)).toBeLessThan(0.5)
  })

  it('takes 1.5 GiB for a process, and 342 MiB more for collectives of two', async () => {
    const runtimeOf = async (scenario: Partial<Scenario>) =>
      (await on({engineVersion: '0.28.0', weights: 'fp8', ...scenario})).memory.terms.find(({name}) => name === 'runtime')?.bytes
    expect(await runtimeOf({})).toBe(1.5 * GIB)
    expect(await runtimeOf({gpu: '2xarc-pro-b60', tp: 2})).toBe(1.5 * GIB + 342 * MIB)
  })

  it('has no graphs before 0.31, and none where recipes switch them off', async () => {
    const best = await on({engineVersion: '0.28.0', enforceEager: false, weights: 'fp8'})
    expect(bytesOf(best, 'cuda-graph')).toBe(0)
    expect((await on({})).deployment.enforceEager).toBe(true)
  })

  it('does not take NVFP4, and stores FP8', async () => {
    expect((await on({weights: 'nvfp4'})).reasons.map(({code}) => code)).toContain('quantization-unsupported')
    const eight = await on({weights: 'fp8'})
    expect(eight.verdict).toBe('fits')
    expect(eight.warnings.map(({code}) => code)).toContain('weight-only-fallback')
  })

  it('says which cards its makers do not test on', async () => {
    const codes = async (gpu: string) => (await on({gpu, weights: 'awq-int4'})).warnings.map(({code}) => code)
    expect(await codes('1xarc-b580')).toContain('hardware-not-validated')
    expect(await codes('1xarc-pro-b70')).not.toContain('hardware-not-validated')
    expect(await codes('1xarc-pro-b70')).toContain('another-build')
  })

  it('before the release whose rules are known it is refused with that release', async () => {
    expect((await on({engineVersion: '0.12.0'})).reasons[0]).toMatchObject({code: 'build-unsupported', remedy: 'use --engine-version 0.16.0 or later'})
  })

  it('an A770 is started in 16-bit floats', async () => {
    const answered = await ask({gpu: '1xarc-a770-16gb', weights: 'awq-int4'})
    expect(answered.best.deployment.kvCache).toBe('fp16')
    expect(writeFormat('command', startableOf(catalogue, answered))[0]!.text).toContain('--dtype half')
  })

  const file = parse(readFileSync(fileURLToPath(new URL('../../data/engines/platforms.yaml', import.meta.url)), 'utf8')) as PlatformsFile
  const reports = file.platforms.flatMap(({builds}) => Object.values(builds).flatMap(({speed}) => speed?.reports ?? []))

  it('has reports to be held to', () => expect(reports.length).toBeGreaterThanOrEqual(8))

  test.each(reports.map((report) => [`${report.model} ${report.weights ?? ''} on ${report.gpu}, ${report.concurrency} at once`, report] as const))(
    '%s: the published rate lies in the interval',
    async (_title, {model, weights, gpu, tp, inputTokens, outputTokens, concurrency, tokensPerSecond}) => {
      const {performance} = await bestOf({model, weights, gpu, tp, workload: {inputTokens, outputTokens, concurrency}})
      const {low, high} =
        concurrency === 1
          ? {low: 1000 / performance!.tpotMs.high, high: 1000 / performance!.tpotMs.low}
          : {low: performance!.outputTokensPerSecond.low, high: performance!.outputTokensPerSecond.high}
      expect(tokensPerSecond).toBeGreaterThan(low)
      expect(tokensPerSecond).toBeLessThan(high)
      // Wide, but no more than a factor of three either way.
      expect(high / low).toBeLessThan(9)
    },
  )
})

describe('a machine without GPUs', () => {
  const MACHINE = 'cpu-xeon-6980p-2s'
  const on = (scenario: Partial<Scenario>) => bestOf({machine: MACHINE, ...scenario})

  it('is its sockets, each with its half of memory and bandwidth', async () => {
    const {machine} = await ask({machine: MACHINE})
    expect(machine.gpus).toHaveLength(2)
    expect(machine.gpus[0]).toMatchObject({
      memoryBytes: 1152 * GIB,
      accelerator: {name: 'Intel Xeon 6980P', vendor: 'cpu', architecture: 'x86-64', memoryBandwidthBytesPerSecond: 844.8e9},
    })
  })

  it('reserves 0.92 of a node and takes the weights out of it', async () => {
    const {memory} = await on({tp: 1, weights: 'bf16', engineVersion: '0.28.0'})
    expect(memory.budgetBytes).toBe(Math.ceil(1152 * GIB * 0.92))
    const others = sumBytes(memory.terms.filter(({part}) => part !== 'kv-cache'))
    expect(memory.kvCacheBytes).toBe(memory.budgetBytes - others)
  })

  it.each([
    [1, 2048, 128],
    [2, 4096, 256],
  ])('%d ranks: %d tokens and %d sequences at once', async (tp, maxNumBatchedTokens, maxNumSeqs) => {
    expect((await on({tp})).deployment).toMatchObject({maxNumBatchedTokens, maxNumSeqs})
  })

  it('captures no graphs, has no sparse attention, and is not known before 0.20', async () => {
    expect((await on({})).memory.terms.some(({part}) => part === 'cuda-graph')).toBe(false)
    expect((await on({model: 'deepseek-v3.2'})).reasons.map(({code}) => code)).toContain('attention-unsupported')
    expect((await on({engineVersion: '0.19.1'})).reasons.map(({code}) => code)).toEqual(['build-unsupported'])
  })

  it('keeps the cache that one log has, 1.48 GiB in 433 blocks of 128 tokens, within half a GiB', async () => {
    // 0.30 of 18.0 GiB are 5.4; 3.92 of them were not cache.
    const {memory, deployment} = await bestOf({
      model: 'qwen2.5-1.5b-instruct',
      weights: 'bf16',
      gpu: '1xcpu:memory=18GiB,bandwidth=150GB/s,vendor=cpu',
      gpuMemoryUtilization: 0.3,
      engineVersion: '0.22.1',
    })
    expect(deployment).toMatchObject({maxNumSeqs: 128, maxNumBatchedTokens: 2048, maxModelLen: 32768})
    expect(memory.kvCacheTokens % 128).toBe(0)
    expect(Math.abs(memory.kvCacheBytes / GIB - 1.48)).toBeLessThan(0.5)
    expect(Math.abs(memory.kvCacheTokens / 55_424 - 1)).toBeLessThan(0.05)
  })

  it('says that its rates are not known', async () => {
    expect((await on({})).warnings.find(({code}) => code === 'gpu-figures-assumed')?.message).toContain('rates of Intel Xeon 6980P are not known')
  })
})

describe('start files', () => {
  const text = async (scenario: Partial<Scenario>, format: string) =>
    writeFormat(format, startableOf(catalogue, await ask({weights: 'bf16', engineVersion: '0.28.0', ...scenario})))
      .map((part) => part.text)
      .join('\n')

  it('give a container the cards of Intel and nothing of NVIDIA', async () => {
    const docker = await text({gpu: '2xarc-pro-b60', tp: 2}, 'docker')
    for (const part of ['--device /dev/dri', '/dev/dri/by-path:/dev/dri/by-path', '--privileged', 'vllm/vllm-openai-xpu:v0.28.0', '--enforce-eager'])
      expect(docker).toContain(part)
    expect(docker).not.toContain('--gpus')
    expect(await text({gpu: '2xarc-pro-b60', tp: 2}, 'kubernetes')).toContain('gpu.intel.com/xe: "2"')
    const compose = parse(await text({gpu: '2xarc-pro-b60', tp: 1}, 'compose')) as {
      services: Record<string, {environment: string[]; devices: string[]; deploy?: unknown}>
    }
    const [service] = Object.values(compose.services)
    expect(service).toMatchObject({devices: ['/dev/dri'], privileged: true})
    expect(service!.environment).toContain('ZE_AFFINITY_MASK=0')
    expect(service!.deploy).toBeUndefined()
  })

  it('name the image of the processor, and no GPU', async () => {
    const docker = await text({machine: 'cpu-xeon-6980p-2s', tp: 2}, 'docker')
    for (const part of ['--cap-add SYS_NICE', 'vllm/vllm-openai-cpu:v0.28.0-x86_64', '--tensor-parallel-size 2']) expect(docker).toContain(part)
    expect(docker).not.toMatch(/--gpus|nvidia/)
    expect(await text({machine: 'cpu-xeon-6980p-2s', tp: 2}, 'kubernetes')).not.toMatch(/nvidia|amd\.com/)
  })

  it('there is no image of Intel before 0.26', async () => {
    await expect(text({gpu: '1xarc-pro-b60', engineVersion: '0.24.0', weights: 'fp8'}, 'docker')).rejects.toThrow(/no container image/)
  })
})

describe('where most owners use another engine', () => {
  const said = async (gpu: string) => (await bestOf({gpu})).warnings.filter(({code}) => code === 'usual-engine').map(({message}) => message)

  it('that is said in one line, and of no other card', async () => {
    for (const gpu of ['strix-halo-128gb', 'gb10']) {
      expect(await said(gpu)).toHaveLength(1)
      expect((await said(gpu))[0]).toContain('llama.cpp')
    }
    expect(await said('rtx-4090')).toEqual([])
  })
})
