import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {Deployment, DeploymentRequest} from '../../src/core/deployment.ts'
import type {MemoryEstimate} from '../../src/core/memory.ts'
import {sumBytes} from '../../src/core/terms.ts'
import {cutTo} from '../../src/engines/beside-cache.ts'
import type {Engine, EngineData, Subject} from '../../src/engines/engine.ts'
import {longestStart} from '../../src/engines/longest.ts'
import {availableBytes, graphBytes, runtimeBytes, visibleBytes} from '../../src/engines/overheads.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {decodeGraphSizes} from '../../src/engines/sglang/graphs.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const GIB = 1024 ** 3
const dataOf = (id: string): EngineData => engineData({catalogue}, id)
const engineOf = (id: string): Engine => ENGINES[id]!(dataOf(id))
const [vllm, sglang, trtllm] = [engineOf('vllm'), engineOf('sglang'), engineOf('trtllm')]

function subjectOf(id: string, spec: string, change: {freeBytes?: number; memoryBytes?: number} = {}): Subject {
  const model = catalogue.model(id)
  const named = machineFromSpec(catalogue, spec)
  const machine = {...named, gpus: named.gpus.map((gpu) => ({...gpu, ...change}))}
  return {model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}
}
const memoryOf = (engine: Engine, subject: Subject, request: DeploymentRequest) => engine.memory(subject, engine.resolve(subject, request))
const of = ({terms}: MemoryEstimate, part: string) => sumBytes(terms.filter((term) => term.part === part))

/** What a remedy proposes, each by itself. */
const FIELDS: Record<string, keyof Deployment> = {
  '--max-num-seqs': 'maxNumSeqs',
  '--max-num-batched-tokens': 'maxNumBatchedTokens',
  '--gpu-memory-utilization': 'gpuMemoryUtilization',
}
const proposals = (remedy: string): Partial<Deployment>[] =>
  [...remedy.matchAll(/(--[a-z-]+)(?: ([\d.]+))?/g)].map(([, flag, value]) =>
    flag === '--enforce-eager' ? {enforceEager: true} : {[FIELDS[flag!]!]: Number(value)},
  )

describe('graphs and collectives', () => {
  // 100,000,000 + 10 sizes x 4 layers x 8 ranks x 1,000,000: the engines' own all-reduce keeps buffers for 8 ranks at most.
  it('do not grow beyond eight GPUs', () => {
    const {overheads} = dataOf('sglang')
    const parameters = {...overheads, graphBaseBytes: 100_000_000, graphBytesPerLayer: 1_000_000}
    expect([1, 2, 8, 16, 64].map((ranks) => graphBytes(10, 4, ranks, parameters))).toEqual([140e6, 180e6, 420e6, 420e6, 420e6])
    const {gpu, machine} = subjectOf('qwen3-8b', '8xrtx-4000-ada')
    expect(runtimeBytes(gpu, machine, 64, overheads)).toBe(runtimeBytes(gpu, machine, 8, overheads))
    // 923 MB of a process, 7 x 98.8 MB of buffers.
    expect(runtimeBytes(gpu, machine, 8, overheads)).toBeCloseTo(923e6 + 7 * 98.8e6, 0)
  })

  // get_batch_sizes_to_capture: those up to the running requests, and their number. Of an RTX 4090: 1, 2, 4, 8, 12, 16, 24.
  it.each([
    [24, [1, 2, 4, 8, 12, 16, 24]],
    [12, [1, 2, 4, 8, 12]],
    [10, [1, 2, 4, 8, 10]],
    [1, [1]],
  ])('SGLang captures no batch above %i running requests', (maxRunningRequests, sizes) => {
    const {gpu} = subjectOf('qwen3-8b', '1xrtx-4090')
    expect(decodeGraphSizes({version: '0.5.18', gpu, tp: 1, maxRunningRequests})).toEqual(sizes)
    expect(decodeGraphSizes({version: '0.5.18', gpu, tp: 1, maxRunningRequests, enforceEager: true})).toEqual([])
  })
})

describe('SGLang: activations and graphs in what the fraction leaves out', () => {
  const subject = subjectOf('qwen3-8b', '1xrtx-4090')

  // 512 + 1.5 x 32,768 + 128 + 48 + prefill graphs MiB are more than the card's 24,564 MiB: the engine's own share is below nothing.
  it('a share of nothing is refused, and what is proposed starts', () => {
    const asked = sglang.resolve(subject, {maxNumBatchedTokens: 32_768, maxModelLen: 4096})
    expect(asked.gpuMemoryUtilization).toBe(0)
    const {starts, startProblem, largestMaxModelLen} = sglang.memory(subject, asked)
    expect([starts, largestMaxModelLen, startProblem?.code]).toEqual([false, 0, 'memory-share-too-small'])
    const changes = proposals(startProblem!.remedy!)
    expect(changes.length).toBeGreaterThan(0)
    // As a person would ask again: the share is the engine's own where it is not proposed.
    for (const changed of changes)
      expect(memoryOf(sglang, subject, {maxNumBatchedTokens: 32_768, maxModelLen: 4096, ...changed}).starts, JSON.stringify(changed)).toBe(true)
  })

  it('a chunk that finds no room is refused, and each change that is proposed starts', () => {
    const asked = sglang.resolve(subject, {engineVersion: '0.5.18', maxNumBatchedTokens: 32_768, maxModelLen: 4096, gpuMemoryUtilization: 0.92})
    const {starts, startProblem} = sglang.memory(subject, asked)
    expect([starts, startProblem?.code]).toEqual([false, 'activations-exceed-memory'])
    expect(startProblem?.message).toMatch(/a prefill chunk of 32,768 tokens needs 3\.0 GiB, and CUDA graphs 1\.1 GiB: 1\.8 GiB is left/)
    const changes = proposals(startProblem!.remedy!)
    expect(changes.length).toBeGreaterThan(0)
    for (const changed of changes) expect(sglang.memory(subject, {...asked, ...changed}).starts, JSON.stringify(changed)).toBe(true)
  })

  it('what is the shortage is within the margin of error starts, is said, and adds up', () => {
    // Shares from the automatic one upwards: first there is room, then it is within the error, then there is none.
    const states = Array.from({length: 17}, (_, index) => 0.83 + index / 100).map((gpuMemoryUtilization) => {
      const memory = memoryOf(sglang, subject, {engineVersion: '0.5.18', gpuMemoryUtilization, maxModelLen: 4096})
      if (memory.starts) expect(sumBytes(memory.terms)).toBeLessThanOrEqual(memory.totalBytes)
      return memory.startProblem ? 'refused' : memory.withinError ? 'tight' : 'room'
    })
    expect(states.join(' ')).toMatch(/^room( room)*( tight)+( refused)+$/)
    const {withinError, terms} = memoryOf(sglang, subject, {engineVersion: '0.5.18', gpuMemoryUtilization: 0.98, maxModelLen: 4096})
    expect(withinError?.code).toBe('memory-tight')
    expect(terms.find(({part}) => part === 'cuda-graph')?.because).toMatch(/is expected, there is no more beside weights and cache$/)
  })
})

describe('vLLM before 0.20: graphs beyond the budget', () => {
  const subject = subjectOf('qwen3-8b', '1xrtx-4090')
  const at = (gpuMemoryUtilization: number, more: DeploymentRequest = {}) =>
    memoryOf(vllm, subject, {engineVersion: '0.11.0', maxModelLen: 4096, gpuMemoryUtilization, ...more})

  // A batch that peaks above the sampler, whose warm-up behind the capture has to find room as well.
  it('are cut to what the share leaves out, and said to stand where the peak was', () => {
    const batch = {maxNumSeqs: 128, maxNumBatchedTokens: 8192}
    const roomy = at(0.9, batch)
    expect(roomy.withinError).toBeUndefined()
    const tight = at(0.99, batch)
    expect(tight.starts).toBe(true)
    // A hundredth of the total is left out: less than the graphs that the roomier start has.
    expect(of(tight, 'cuda-graph')).toBe(tight.totalBytes - tight.budgetBytes)
    expect(of(tight, 'cuda-graph')).toBeLessThan(of(roomy, 'cuda-graph'))
    expect(sumBytes(tight.terms)).toBe(tight.totalBytes)
    expect(tight.withinError?.message).toMatch(/take the rest of what the profile run's peak gave back/)
  })

  // Qwen3-30B-A3B over four A10 under 0.8.5 died at capture (vllm issue 17469).
  it('are refused where they find no room, and each change that is proposed starts', () => {
    const four = subjectOf('qwen3-30b-a3b', '4xa10')
    const asked = vllm.resolve(four, {engineVersion: '0.8.5', tp: 4, maxModelLen: 4096, maxNumSeqs: 16, maxNumBatchedTokens: 2048, gpuMemoryUtilization: 0.95})
    const {starts, startProblem} = vllm.memory(four, asked)
    expect([starts, startProblem?.code]).toEqual([false, 'cuda-graphs-exceed-memory'])
    const changes = proposals(startProblem!.remedy!)
    expect(changes).toContainEqual({enforceEager: true})
    for (const changed of changes) expect(vllm.memory(four, {...asked, ...changed}).starts, JSON.stringify(changed)).toBe(true)
  })
})

describe('vLLM: memory that others hold', () => {
  const subject = subjectOf('qwen3-8b', '1xrtx-4090')
  const asked = {maxModelLen: 4096, gpuMemoryUtilization: 0.9}

  it('from 0.9.1 a share that is not free is refused; 0.9.0 counts it as its own', () => {
    const reservedBytesPerGpu = 4 * GIB
    const later = memoryOf(vllm, subject, {...asked, engineVersion: '0.9.1', reservedBytesPerGpu})
    expect([later.starts, later.startProblem?.code]).toEqual([false, 'memory-taken'])
    const counting = (bytes: number) => memoryOf(vllm, subject, {...asked, engineVersion: '0.9.0', reservedBytesPerGpu: bytes})
    expect(counting(reservedBytesPerGpu).startProblem).toBeUndefined()
    expect(counting(0).kvCacheBytes - counting(reservedBytesPerGpu).kvCacheBytes).toBe(reservedBytesPerGpu)
    expect(counting(0).budgetBytes - counting(reservedBytesPerGpu).budgetBytes).toBe(reservedBytesPerGpu)
  })

  it('left to itself it takes what is free', () => {
    const {gpuMemoryUtilization} = vllm.resolve(subject, {reservedBytesPerGpu: 4 * GIB})
    const total = visibleBytes(subject.gpu)
    expect(gpuMemoryUtilization).toBe(Math.floor((100 * (total - 4 * GIB)) / total) / 100)
    expect(memoryOf(vllm, subject, {reservedBytesPerGpu: 4 * GIB, maxModelLen: 4096}).starts).toBe(true)
  })

  it('all of a GPU is never free', () => {
    // Graphs would have no room at all.
    const whole = (engineVersion: string) =>
      memoryOf(vllm, subject, {engineVersion, maxModelLen: 4096, gpuMemoryUtilization: 1, enforceEager: true}).startProblem
    expect(whole('0.28.0')?.code).toBe('memory-taken')
    expect(whole('0.9.0')).toBeUndefined()
  })

  it.each([
    ['more than the GPU has', {freeBytes: 500 * GIB}, 0],
    ['a GPU of 64 KiB', {memoryBytes: 65_536, freeBytes: 80e9}, 0],
    ['nothing', {freeBytes: 0}, 0],
    ['a petabyte set aside', {}, 2 ** 50],
  ])('%s: nothing is below nothing', (_, change, reservedBytesPerGpu) => {
    const odd = subjectOf('qwen3-8b', '1xrtx-4090', change)
    const available = availableBytes(odd.gpu, reservedBytesPerGpu)
    expect(available).toBeGreaterThanOrEqual(0)
    expect(available).toBeLessThanOrEqual(visibleBytes(odd.gpu))
    for (const engine of [vllm, sglang, trtllm]) {
      const {budgetBytes, totalBytes, maxConcurrencyAtMaxModelLen, starts, terms} = memoryOf(engine, odd, {reservedBytesPerGpu, maxModelLen: 4096})
      expect(totalBytes).toBeGreaterThanOrEqual(0)
      expect(budgetBytes).toBeGreaterThanOrEqual(0)
      expect(Number.isFinite(maxConcurrencyAtMaxModelLen)).toBe(true)
      if (starts) expect(sumBytes(terms)).toBeLessThanOrEqual(available)
    }
  })
})

describe('the longest context', () => {
  it.each([
    [700, 700],
    [10, 700],
    [900, 700],
    [0, 700],
    [5000, 700],
  ])('from a guess of %i: %i', (guess, longest) => expect(longestStart(guess, 1000, (tokens) => tokens <= 700)).toBe(longest))
  it('is the limit where that starts, and nothing where nothing does', () => {
    expect(longestStart(400, 1000, () => true)).toBe(1000)
    expect(longestStart(400, 1000, () => false)).toBe(0)
  })
  it('costs two looks where the guess is right', () => {
    let looks = 0
    longestStart(700, 1000, (tokens) => {
      looks++
      return tokens <= 700
    })
    expect(looks).toBe(2)
  })

  // Sparse attention keeps 40 index keys of 132 bytes for each token of the context: 865 MB for all 163,840, which a shorter one leaves to the cache.
  it('leaves room for what grows with it: DeepSeek-V3.2 under vLLM', () => {
    const subject = subjectOf('deepseek-v3.2', '8xh200-sxm')
    const deployment = vllm.resolve(subject, {tp: 8, maxNumSeqs: 8, maxNumBatchedTokens: 512, gpuMemoryUtilization: 0.635})
    const {largestMaxModelLen: longest, starts, cacheBlocks} = vllm.memory(subject, deployment)
    expect(starts).toBe(false)
    // Blocks of 64 tokens.
    expect(longest).toBeGreaterThan(64 * cacheBlocks!)
    expect(vllm.memory(subject, {...deployment, maxModelLen: longest}).starts).toBe(true)
    expect(vllm.memory(subject, {...deployment, maxModelLen: longest + 1}).starts).toBe(false)
  })
})

it('terms are cut in proportion, and say what was expected', () => {
  const term = (part: 'activation' | 'cuda-graph' | 'weights', bytes: number) => ({name: part, part, bytes, kind: 'measured' as const, because: 'so'})
  const terms = [term('weights', 900 * GIB), term('activation', 3 * GIB), term('cuda-graph', GIB)]
  const cut = cutTo(terms, ['activation', 'cuda-graph'], 2 * GIB, 'there is less')
  expect(cut.map(({bytes}) => bytes / GIB)).toEqual([900, 1.5, 0.5])
  expect(cut[1]!.because).toBe('so: 3.0 GiB is expected, there is less')
  expect(cutTo(terms, ['activation', 'cuda-graph'], 4 * GIB, 'there is less')).toEqual(terms)
})

it('no more weights are offloaded than there are, and it is said', () => {
  const subject = subjectOf('qwen3-8b', '1xrtx-4090')
  const memory = memoryOf(vllm, subject, {maxModelLen: 4096, cpuOffloadBytes: 100 * GIB})
  // Embedding and head are no layers: 2 x 151,936 x 4,096 x 2 bytes stay; the table of positions is no parameter: 40,960 rows of 128 elements of 2 bytes.
  expect(of(memory, 'weights')).toBe(2 * 151_936 * 4096 * 2 + 40_960 * 128 * 2)
  expect(memory.terms.find(({bytes}) => bytes < 0)?.because).toBe('all that the layers hold: room for 100.0 GiB of each GPU is offered')
})

describe('pipeline stages', () => {
  it('more than layers: no figure is endless', () => {
    for (const engine of [vllm, sglang, trtllm]) {
      const {maxConcurrencyAtMaxModelLen, kvCacheTokens} = memoryOf(engine, subjectOf('qwen3-8b', '8xh100-sxm'), {pp: 128})
      expect(Number.isFinite(maxConcurrencyAtMaxModelLen)).toBe(true)
      expect(Number.isInteger(kvCacheTokens)).toBe(true)
    }
  })

  // 40 layers in 12 stages of 3 or 4; full attention in 5, 15, 25 and 35: most stages keep states alone, which hold any length.
  it('TensorRT-LLM: stages of states alone do not say that there is no cache', () => {
    const {kvCacheTokens, starts} = memoryOf(trtllm, subjectOf('granite-4.0-h-tiny', '12xrtx-4090'), {pp: 12, maxModelLen: 4096, maxNumSeqs: 8})
    expect(kvCacheTokens).toBeGreaterThan(4096)
    expect(starts).toBe(true)
  })
})
