import {describe, expect, it} from 'vitest'
import {answer} from '../../src/planner/answer/answer.ts'
import {machineFromName, machineFromSpec} from '../../src/planner/world/machines.ts'
import type {Result} from '../../src/planner/answer/result.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {plannerContext} from './plan-context.ts'

const GIB = 1024 ** 3
const context = plannerContext()

type Case = Partial<Scenario> & {model: string; gpu: string}

const ask = async (scenario: Case): Promise<Result> =>
  toResult((await answer(context, {workload: {inputTokens: 256, outputTokens: 64, concurrency: 1}, maxModelLen: 2048, ...scenario})).best)

const codes = ({warnings, reasons}: Result) => [...warnings, ...reasons].map(({code}) => code)
const said = ({warnings, reasons}: Result) => [...warnings, ...reasons].map(({message}) => message).join('\n')

/** Bytes that stay in host memory, of each GPU. */
const offloaded = ({memory}: Result): number => -(memory.terms.find(({name}) => name === 'weights: offloaded to host memory')?.bytes ?? 0)

describe('weights in host memory', () => {
  // Rated rates of the link by card: PCIe 3.0 x16 15.75, 4.0 x16 31.5, 5.0 x16 63 GB/s, NVLink-C2C 450 GB/s.
  const cards = [
    {gpu: '1xrtx-4080', model: 'qwen2.5-14b-instruct', rated: 31.5e9, bytes: 20 * GIB},
    {gpu: '1xrtx-3090', model: 'qwen3-32b', rated: 31.5e9, bytes: 48 * GIB},
    {gpu: '1xrtx-5090', model: 'qwen3-32b', rated: 63e9, bytes: 40 * GIB},
    {gpu: '2xa100-80gb-pcie', model: 'llama-3.3-70b', rated: 31.5e9, bytes: 10 * GIB},
    {gpu: '1xgh200-96gb', model: 'llama-3.3-70b', rated: 450e9, bytes: 60 * GIB},
    {gpu: '1xmi300x', model: 'qwen3-32b', rated: 64e9, bytes: 40 * GIB},
  ]
  const releases = [
    {engine: 'vllm', engineVersion: '0.11.0'},
    {engine: 'vllm', engineVersion: '0.16.0'},
    {engine: 'vllm', engineVersion: '0.33.0'},
    {engine: 'sglang', engineVersion: '0.5.9'},
    {engine: 'sglang', engineVersion: '0.5.23'},
  ]
  it.each(cards.flatMap((card) => releases.map((release) => ({...card, ...release}))))(
    'a dense model is never faster than they cross the link: $model on $gpu, $engine $engineVersion',
    async ({gpu, model, rated, bytes, engine, engineVersion}) => {
      const result = await ask({gpu, model, weights: 'bf16', engine, engineVersion, cpuOffloadBytes: bytes, tp: Number(gpu[0])})
      if (!result.performance) return expect(['unsupported', 'does-not-fit']).toContain(result.verdict)
      const leastMs = (offloaded(result) / rated) * 1000
      expect(offloaded(result)).toBeGreaterThan(5 * GIB)
      // Not even the fast end of the interval, for a token as for the first of them; and no user gets more tokens than that.
      expect(result.performance.tpotMs.low).toBeGreaterThanOrEqual(leastMs * 0.999)
      expect(result.performance.ttftMs.low).toBeGreaterThanOrEqual(leastMs * 0.999)
      expect(result.performance.outputTokensPerSecond.high).toBeLessThanOrEqual((1000 / leastMs) * 1.001)
      expect(result.performance.boundBy).toBe('interconnect')
    },
  )

  it('more of them never make it faster', async () => {
    const times = []
    for (const gib of [0, 4, 8, 12])
      times.push((await ask({gpu: '1xrtx-4090', model: 'qwen3-8b', weights: 'bf16', cpuOffloadBytes: gib * GIB})).performance!.tpotMs.estimate)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    // 4 GiB over PCIe 4.0 x16 at 0.72 of 31.5 GB/s: 189 ms more for each token.
    expect(times[1]! - times[0]!).toBeCloseTo(((4 * GIB) / (0.72 * 31.5e9)) * 1000, -1)
  })

  it('vLLM reads the experts that some token chose, SGLang copies all', async () => {
    const asked = {gpu: '1xrtx-5090', model: 'qwen3-30b-a3b', weights: 'bf16', cpuOffloadBytes: 40 * GIB}
    const inPlace = await ask({...asked, engine: 'vllm', engineVersion: '0.16.0'})
    const copied = await ask({...asked, engine: 'sglang'})
    const all = ((40 * GIB) / (0.72 * 63e9)) * 1000
    expect(copied.performance!.tpotMs.estimate).toBeGreaterThan(all)
    // 8 of 128 experts and the dense weights: a tenth at most.
    expect(inPlace.performance!.tpotMs.estimate).toBeLessThan(all / 5)
    expect(said(copied)).toMatch(/experts .* chosen or not.*ktransformers/)
    const expertsOnly = await ask({...asked, engine: 'vllm', engineFlags: {'--cpu-offload-params': 'experts'}})
    const anything = await ask({...asked, engine: 'vllm'})
    expect(expertsOnly.performance!.tpotMs.estimate).toBeLessThan(anything.performance!.tpotMs.estimate)
  })

  it('layers that are copied ahead leave buffers on the card', async () => {
    const asked = {gpu: '1xrtx-4090', model: 'qwen3-8b', weights: 'bf16', engineVersion: '0.17.0'}
    const result = await ask({...asked, engineFlags: {'--offload-group-size': 4, '--offload-prefetch-step': 2}})
    // 36 layers in groups of four: nine move, two of which have a buffer. A layer: 4096 x (6144 + 4096) + 3 x 4096 x 12288, and norms of 2 x 4096 + 2 x 128, each 2 bytes.
    const layer = 2 * (4096 * (6144 + 4096) + 3 * 4096 * 12_288 + 2 * 4096 + 2 * 128)
    expect(offloaded(result)).toBe(9 * layer)
    expect(result.memory.terms.find(({name}) => name.includes('buffers'))?.bytes).toBe(2 * layer)
  })

  it('pins in powers of two', async () => {
    // qwen3-8b: of a layer qkv of 4,096 x 6,144 x 2 bytes takes 64 MiB for 48, its output 32 MiB for 32, gate and up of 24,576 x 4,096 x 2 256 MiB for 192, down 128 MiB for 96.
    const result = await ask({gpu: '1xrtx-4090', model: 'qwen3-8b', weights: 'bf16', cpuOffloadBytes: 8 * GIB})
    expect(result.memory.hostBytes! / (8 * GIB)).toBeCloseTo((64 + 32 + 256 + 128) / (48 + 32 + 192 + 96), 2)
    expect((await ask({gpu: '1xrtx-4090', model: 'qwen3-8b'})).memory.hostBytes).toBeUndefined()
  })

  it('is refused where the engine has no such option', async () => {
    const result = await ask({gpu: '1xrtx-4090', model: 'qwen3-8b', engine: 'trtllm', cpuOffloadBytes: 4 * GIB})
    expect(result.verdict).toBe('unsupported')
    expect(codes(result)).toContain('offload-unavailable')
  })

  it.each([
    ['0.20.0', false],
    ['0.25.1', true],
    ['0.27.1', true],
    ['0.28.0', false],
  ])('vLLM %s ignores it under the second runner: %s', async (engineVersion, ignored) => {
    const result = await ask({gpu: '1xrtx-4080', model: 'deepseek-v2-lite', weights: 'bf16', engineVersion, cpuOffloadBytes: 20 * GIB})
    expect(codes(result).includes('offload-ignored')).toBe(ignored)
    if (ignored) expect(result.verdict).toBe('does-not-fit')
    else expect(offloaded(result)).toBe(20 * GIB)
  })

  it('frees nothing where card and host share one memory', async () => {
    const result = await ask({gpu: '1xgb10', model: 'qwen3-8b', cpuOffloadBytes: 4 * GIB})
    expect(codes(result)).toContain('offload-ignored')
    expect(offloaded(result)).toBeCloseTo(0)
  })

  it('host memory that cannot hold what is pinned refuses it', async () => {
    const machine = {...machineFromSpec(context.catalogue, '1xrtx-4090'), hostMemoryBytes: 16 * GIB}
    const reading = {...context, readMachine: () => Promise.resolve(machine)} as unknown as typeof context
    const question = {model: 'qwen3-32b', weights: 'bf16', machine: 'mine.json', cpuOffloadBytes: 50 * GIB, maxModelLen: 2048}
    const result = toResult((await answer(reading, question as Scenario)).best)
    expect(codes(result)).toContain('host-memory-too-small')
  })

  it('takes the host of a catalogued machine', () => {
    // Eight GPUs share 614.4 GB/s of host memory: 76.8 each, of which four fifths; less than the link of 63 GB/s would not be less here.
    const machine = machineFromName(context.catalogue, 'dgx-h100')
    expect(machine.hostLinkBytesPerSecond).toBe(63e9)
    expect(machine.hostMemoryBandwidthBytesPerSecond).toBe(614.4e9)
  })

  // What people measured, inside the interval.
  it.each([
    {
      source: 'r/Vllm, "The 35x Performance Tax" (2025-11): 1.65 tokens/s',
      measured: 1.65,
      scenario: {model: 'qwen2-7b-instruct', weights: 'bf16', gpu: '1xrtx-4090', engineVersion: '0.11.0', cpuOffloadBytes: 20 * GIB},
    },
    {
      source: 'vllm-project/vllm#34535 (2026-02): 15 tokens/s of one user',
      measured: 15,
      scenario: {
        model: 'kimi-k2-thinking',
        weights: 'nvfp4',
        gpu: '1xgb300',
        engineVersion: '0.16.0',
        cpuOffloadBytes: 350 * GIB,
        workload: {inputTokens: 100, outputTokens: 100, concurrency: 1},
      },
    },
    {
      source: 'vllm-project/vllm#57771 (2026-09): 120 tokens/s of 64 users',
      measured: 120,
      scenario: {
        model: 'deepseek-v4.1-flash',
        gpu: '8xh20-141gb',
        tp: 8,
        engineVersion: '0.30.0',
        cpuOffloadBytes: 35 * GIB,
        workload: {inputTokens: 300, outputTokens: 256, concurrency: 64},
      },
    },
  ])('$source', async ({measured, scenario}) => {
    const {low, high} = (await ask(scenario)).performance!.outputTokensPerSecond
    expect(low).toBeLessThan(measured)
    expect(high).toBeGreaterThan(measured)
  })
})
