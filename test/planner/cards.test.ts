import {describe, expect, it, test} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {withoutBuild} from '../../src/planner/models/index.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'
import {layered} from '../../src/planner/scenario/schema.ts'
import type {Link, Scenario} from '../../src/planner/scenario/scenario.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec, servingGroups} from '../../src/planner/world/machines.ts'
import {startableOf} from '../../src/render/launch/startable-from.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const {catalogue} = context

const ask = async (scenario: Partial<Scenario>): Promise<Result> =>
  toResult((await answer(context, {model: 'qwen3-8b', gpu: '1xh100-sxm', workload: {inputTokens: 1024, outputTokens: 512, concurrency: 1}, ...scenario})).best)

describe('a link that is asked for', () => {
  const linkOf = (spec: string, link?: Link) => machineFromSpec(catalogue, spec, 1, link).link

  test.each([
    // PCIe 5 x16 is 63 GB/s a direction; four links of 14.06 GB/s on a bridged 3090; 450 GB/s of NVLink 4.
    ['2xrtx-5090', 'p2p', 'pcie-p2p', 63e9],
    ['2xrtx-5090', 'pcie', 'pcie-host', 63e9],
    ['2xrtx-3090', 'nvlink', 'nvlink', 56.25e9],
    ['8xh100-sxm', 'nvlink', 'nvlink', 450e9],
    ['8xh100-sxm', 'pcie', 'pcie-host', 63e9],
    // Of unequal cards the slower one counts: PCIe 4 x16 and PCIe 4 x8.
    ['1xrtx-3090,1xrtx-4060', 'p2p', 'pcie-p2p', 15.8e9],
  ] as const)('%s by %s is %s', (spec, link, kind, rate) => {
    expect(linkOf(spec, link)).toEqual({kind, bytesPerSecondPerDirection: rate, asked: true})
  })

  test.each([
    ['2xrtx-5090', 'nvlink', 'GeForce RTX 5090 has no NVLink'],
    ['4xrtx-3090', 'nvlink', 'joins 2 cards, and there are 4'],
    ['8xmi300x', 'nvlink', 'has xgmi instead of NVLink'],
    ['1xrtx-3090,1xrtx-4090', 'nvlink', 'GeForce RTX 4090 has no NVLink'],
    ['2xgb10', 'p2p', 'connected to others by a network'],
    ['2xh100-sxm:3g.40gb', 'p2p', 'neither peer access nor NVLink'],
  ] as const)('%s by %s is refused', (spec, link, words) => {
    expect(() => linkOf(spec, link)).toThrowError(expect.objectContaining({code: 'LINK_UNAVAILABLE', message: expect.stringContaining(words)}))
  })

  it('stays with each set of cards that could serve', () => {
    const groups = servingGroups(machineFromSpec(catalogue, '2xrtx-3090,1xrtx-4090', 1, 'p2p'))
    for (const {link} of groups) expect(link.kind).toBe('pcie-p2p')
  })

  it('moves the speed of a split model and nothing of its memory', async () => {
    // With the weights given: which of two checkpoints is taken may follow the speed.
    const split = {gpu: '2xrtx-5090', tp: 2, weights: 'fp8'}
    const [usual, peers, host] = [await ask(split), await ask({...split, link: 'p2p'}), await ask({...split, link: 'pcie'})]
    expect(peers.performance!.tpotMs.estimate).toBeLessThan(usual.performance!.tpotMs.estimate)
    expect(host.performance).toEqual(usual.performance)
    expect(peers.memory).toEqual(usual.memory)
  })

  it('belongs to cards that are named, and to those it was said with', async () => {
    await expect(ask({gpu: undefined, machine: 'dgx-h100', link: 'p2p'})).rejects.toMatchObject({code: 'LINK_UNAVAILABLE'})
    expect(layered({gpu: '2xrtx-3090', link: 'nvlink'}, {machine: 'dgx-h100'})).toEqual({machine: 'dgx-h100'})
    expect(layered({gpu: '2xrtx-3090', link: 'nvlink'}, {gpu: '2xrtx-4090'})).toEqual({gpu: '2xrtx-4090'})
    expect(layered({gpu: '2xrtx-3090'}, {link: 'p2p'})).toEqual({gpu: '2xrtx-3090', link: 'p2p'})
  })
})

describe('slices of a card', () => {
  it('do not share a model, each serves one of its own', async () => {
    const split = await ask({gpu: '2xh100-sxm:3g.40gb', tp: 2})
    expect(split.verdict).toBe('unsupported')
    expect(split.reasons).toEqual([expect.objectContaining({code: 'slices-separate'})])
    const replicas = await ask({gpu: '2xh100-sxm:3g.40gb', dp: 2, workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8}})
    const one = await ask({gpu: '1xh100-sxm:3g.40gb', workload: {inputTokens: 1024, outputTokens: 512, concurrency: 4}})
    expect(replicas.verdict).toBe('fits')
    expect(replicas.memory.perGpu.weightsBytes).toBe(one.memory.perGpu.weightsBytes)
    expect(replicas.memory.kvCacheTokens / one.memory.kvCacheTokens).toBeCloseTo(1, 2)
    expect(replicas.warnings).toContainEqual(expect.objectContaining({code: 'slices-separate', message: expect.stringContaining('start it 2 times')}))
  })

  it('never get a layout over several', async () => {
    // 15.3 GiB of weights do not enter a slice of 9.75 GiB; two of them together would hold them.
    const {deployment} = await ask({gpu: '7xh100-sxm:1g.10gb', weights: 'bf16'})
    expect([deployment.tp, deployment.pp]).toEqual([1, 1])
  })

  it('of mixtures of experts serve one each, since replicas of these share experts', async () => {
    const {deployment, verdict, warnings} = await ask({
      model: 'gpt-oss-20b',
      gpu: '2xh100-sxm:3g.40gb',
      workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8},
    })
    expect(verdict).toBe('fits')
    expect([deployment.tp, deployment.dp]).toEqual([1, 1])
    expect(warnings.map(({message}) => message).join()).toContain('each of the others can be a server of its own')
  })

  it('are started one by one', async () => {
    const answered = await answer(context, {
      model: 'qwen3-8b',
      gpu: '2xh100-sxm:3g.40gb',
      dp: 2,
      workload: {inputTokens: 1024, outputTokens: 512, concurrency: 8},
    })
    const {launch, devices} = startableOf(catalogue, answered)
    expect(launch.flags.map(({flag}) => flag)).not.toContain('--data-parallel-size')
    expect(devices).toBeUndefined()
  })
})

describe('figures that stand in no source', () => {
  test.each([
    ['2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6', 'catalogued cards of compute capability 8.6'],
    ['1xrtx-5090:64gb', 'given by hand'],
    ['1xh200-sxm:3g.71gb', 'computed as its share'],
  ])('of %s are said beside the answer', async (gpu, words) => {
    const {warnings} = await ask({gpu})
    expect(warnings).toContainEqual({code: 'gpu-figures-assumed', message: expect.stringContaining(words)})
  })

  it('are not said of catalogued cards', async () => {
    expect((await ask({gpu: '1xrtx-5090'})).warnings.map(({code}) => code)).not.toContain('gpu-figures-assumed')
  })

  it('answer as the catalogue does where they are the same', async () => {
    // A card whose matrix units run at one speed: figures do not tell those of a GeForce, which run at half with sums in fp32.
    const {
      memoryBytes,
      memoryBandwidthBytesPerSecond,
      denseOperationsPerSecond: {bf16, fp16, int8},
    } = catalogue.gpu('rtx-a6000')!
    const figures = `1xcard:memory=${memoryBytes / 2 ** 20}MiB,bandwidth=${memoryBandwidthBytesPerSecond! / 1e9}GB/s,capability=8.6,bf16=${bf16! / 1e12}TFLOPS,fp16=${fp16! / 1e12}TFLOPS,int8=${int8! / 1e12}TOPS`
    const [given, known] = [await ask({gpu: figures}), await ask({gpu: '1xrtx-a6000'})]
    expect(given.memory).toEqual(known.memory)
    expect(given.performance).toEqual(known.performance)
  })
})

describe('builds of the engines', () => {
  test.each([
    // Pascal is in none; Volta until 0.19.1; Blackwell came with 0.9.0. The floors are those of torch_cuda_arch_list.
    ['gtx-1080-ti', 'vllm', '0.9.1', 'are for compute capability 7.0 to 10.0, or 12.0: GeForce GTX 1080 Ti is 6.1 (Pascal)', 'no release of vLLM'],
    ['p100-pcie-16gb', 'vllm', '0.28.0', 'are for compute capability 7.5 or later', 'no release of vLLM'],
    ['v100-sxm2-32gb', 'vllm', '0.20.0', 'are for compute capability 7.5 or later: Tesla V100 SXM2 32GB is 7.0 (Volta)', 'use --engine-version 0.19.1'],
    ['rtx-5090', 'vllm', '0.8.5', 'are for compute capability 7.0 to 9.0: GeForce RTX 5090 is 12.0', 'use --engine-version 0.9.0 or later'],
    ['mi50-32gb', 'vllm', '0.28.0', 'Instinct MI50 32GB is gfx906', 'a fork or a build of your own'],
    ['v100-sxm2-32gb', 'sglang', '0.5.18', '8.0 or later', 'no release of SGLang'],
    // sgl-kernel has nothing for 7.5 since 0.5.
    ['t4', 'sglang', '0.5.18', '8.0 or later: T4 is 7.5 (Turing)', 'use --engine-version 0.4.10.post2'],
    ['t4', 'trtllm', '1.2.1', '8.0 or later', 'no release of TensorRT-LLM'],
  ])('%s under %s %s', async (gpu, engine, engineVersion, message, remedy) => {
    const {verdict, reasons} = await ask({gpu: `1x${gpu}`, engine, engineVersion})
    expect(verdict).toBe('unsupported')
    expect(reasons).toEqual([{code: 'build-unsupported', message: expect.stringContaining(message), remedy: expect.stringContaining(remedy)}])
  })

  test.each([
    ['v100-sxm2-32gb', 'vllm', '0.19.1'],
    ['t4', 'vllm', '0.28.0'],
    ['rtx-5090', 'vllm', '0.9.0'],
    ['strix-halo-128gb', 'vllm', '0.28.0'],
    ['t4', 'sglang', '0.4.10.post2'],
  ])('%s has one of %s %s', async (gpu, engine, engineVersion) => {
    const {reasons} = await ask({model: 'qwen2.5-7b-instruct', weights: 'fp16', gpu: `1x${gpu}`, engine, engineVersion})
    expect(reasons.map(({code}) => code)).not.toContain('build-unsupported')
  })

  it('are what is missing where no model fits', () => {
    const missing = (gpu: string, request = {}) => withoutBuild(context, machineFromSpec(catalogue, gpu), request)
    expect(missing('1xm3-ultra')?.message).toMatch(/^none of the engines that servefit knows .* has a build for Apple M3 Ultra that it models$/)
    expect(missing('1xm3-ultra', {engine: 'sglang'})?.message).toContain('SGLang runs on Apple M3 Ultra through')
    expect(missing('1xv100-sxm2-32gb')?.remedy).toContain('--engine-version 0.19.1')
    expect(missing('1xmi300x', {engine: 'trtllm'})?.remedy).toContain('--engine vllm')
    expect(missing('1xh100-sxm')).toBeUndefined()
  })

  it('are known for every engine and every newest release', () => {
    for (const id of ['vllm', 'sglang', 'trtllm'])
      expect(engineData(context, id).support.builds[id]!.some(({until, capability}) => until === undefined && capability !== undefined)).toBe(true)
  })
})

describe('a card that is refused', () => {
  test.each(['2xrtx-4900', '2xcard:memory=20GiB', '1xh100-sxm:9g.99gb', '0xrtx-4090'])('%s gives one InputError', async (gpu) => {
    await expect(ask({gpu})).rejects.toBeInstanceOf(InputError)
  })
})
