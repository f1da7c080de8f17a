/** What ends a start for want of memory: each number derived by hand from the release's source that the rule names. */
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import {sumBytes} from '../../src/core/terms.ts'
import {contextLimit, contextReason} from '../../src/engines/context.ts'
import type {Engine, Subject} from '../../src/engines/engine.ts'
import {availableBytes} from '../../src/engines/overheads.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {blockTables} from '../../src/engines/vllm/block-tables.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const engineOf = (id: string): Engine => ENGINES[id]!(engineData({catalogue}, id))
const [vllm, sglang] = [engineOf('vllm'), engineOf('sglang')]

function subjectOf(id: string, spec: string): Subject {
  const model = catalogue.model(id)
  const machine = machineFromSpec(catalogue, spec)
  return {model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}
}
const memoryOf = (engine: Engine, subject: Subject, request: DeploymentRequest) => engine.memory(subject, engine.resolve(subject, request))

describe('tables of blocks', () => {
  const asked = {maxNumSeqs: 1024, maxModelLen: 1_048_576}
  const at = {blockTokens: 16, second: false, mixed: false}
  // 1,048,576 / 16 = 65,536 blocks, 4 bytes each, for 1,024 sequences.
  it('are made before the cache is sized by the first runner', () => expect(blockTables(asked, at)).toEqual({withinBytes: 268_435_456, behindBytes: 0}))
  it('are made behind it where blocks hold several kinds of layers', () =>
    expect(blockTables(asked, {...at, mixed: true})).toEqual({withinBytes: 0, behindBytes: 268_435_456}))
  it('are two behind it under the second runner', () => expect(blockTables(asked, {...at, second: true})).toEqual({withinBytes: 0, behindBytes: 536_870_912}))
  // A block covers the tokens of all ranks: 65,536 / 8 blocks.
  it('are shorter with decode context parallelism', () =>
    expect(blockTables({...asked, decodeContextParallel: 8}, at)).toEqual({withinBytes: 33_554_432, behindBytes: 0}))

  // Qwen3-8B under 0.19.1: 64 sequences x 40,960 / 16 blocks x 4 bytes, taken out of the cache.
  it('are a term of the first runner', () => {
    const {terms} = memoryOf(vllm, subjectOf('qwen3-8b', '1xh100-sxm'), {engineVersion: '0.19.1', maxNumSeqs: 64, maxModelLen: 40_960})
    expect(terms.find(({name}) => name === 'block tables')?.bytes).toBe(64 * 2560 * 4)
  })
})

describe("the sampler's warm-up behind the graphs", () => {
  const subject = subjectOf('qwen3-8b', '1xrtx-4090')
  const asked = {engineVersion: '0.11.0', maxModelLen: 4096, maxNumSeqs: 256}
  const estimate = (more: DeploymentRequest) => memoryOf(vllm, subject, {...asked, ...more})

  // 256 sequences x 151,936 words x 39 bytes = 1.4 GiB is the peak of the trial run too, so that graphs must stand in what the share leaves out.
  it('ends the start where graphs have taken its room', () => {
    const {terms, startProblem, totalBytes} = estimate({gpuMemoryUtilization: 0.99})
    const of = (part: string) => sumBytes(terms.filter((term) => term.part === part))
    expect(of('activation')).toBe(256 * 151_936 * 39)
    expect(of('cuda-graph') - 0.01 * totalBytes).toBeGreaterThan(vllm.spreadBytes)
    expect(startProblem?.code).toBe('activations-exceed-memory')
    expect(startProblem?.message).toMatch(/^warming up the sampler with 256 sequences needs 1\.4 GiB after the CUDA graphs/)
  })
  it('finds room beside a smaller share, or without graphs', () => {
    expect(estimate({gpuMemoryUtilization: 0.95}).startProblem).toBeUndefined()
    expect(estimate({gpuMemoryUtilization: 0.99, enforceEager: true}).startProblem).toBeUndefined()
  })
  it('proposes what does', () => {
    const share = Number(/--gpu-memory-utilization ([\d.]+)/.exec(estimate({gpuMemoryUtilization: 0.99}).startProblem!.remedy!)?.[1])
    expect(share).toBeLessThan(0.99)
    expect(estimate({gpuMemoryUtilization: share}).starts).toBe(true)
  })
})

describe('states of hybrid models', () => {
  const subject = subjectOf('qwen3.5-27b', '1xh100-sxm')
  // config/compilation.py: the check is for graphs of whole steps (has_full_cudagraphs).
  it('are needed for every sequence only where whole steps are captured', () => {
    const asked = {engineVersion: '0.24.0', maxModelLen: 8192, maxNumSeqs: 1024}
    expect(memoryOf(vllm, subject, asked).startProblem?.code).toBe('max-num-seqs-too-large')
    expect(memoryOf(vllm, subject, {...asked, graphs: {mode: 'piecewise'}}).startProblem).toBeUndefined()
  })
  // Five slots of Qwen3.5 for one request from 0.5.14: its own, a checkpoint, one in flight and a buffer of two.
  it('of SGLang are refused by name where one request has none', () => {
    const few = memoryOf(sglang, subjectOf('qwen3.5-27b', '1xh200-sxm'), {engineVersion: '0.5.18', stateSlots: 4, maxModelLen: 8192})
    expect(few.starts).toBe(false)
    expect(few.startProblem?.message).toBe('the pool of states has 4 slots, but one request takes 5: SGLang refuses to start')
    expect(memoryOf(sglang, subjectOf('qwen3.5-27b', '1xh200-sxm'), {engineVersion: '0.5.18', stateSlots: 5, maxModelLen: 8192}).startProblem).toBeUndefined()
  })
})

describe('memory shared with the system', () => {
  const subject = subjectOf('qwen3-8b', '1xgb10')
  const {unifiedSystemBytes} = engineData({catalogue}, 'vllm').overheads
  const total = availableBytes(subject.gpu, 0)
  // An idle system's part is left out of the largest share that is sure to start.
  const sure = Math.floor((100 * (total - unifiedSystemBytes)) / total) / 100
  it('makes a share that reaches into what the system keeps tight, and refuses none', () => {
    const estimate = (gpuMemoryUtilization: number) => memoryOf(vllm, subject, {gpuMemoryUtilization})
    expect(estimate(sure).withinError).toBeUndefined()
    expect(estimate(sure + 0.02).withinError?.message).toMatch(/the system that shares the memory keeps some 9\.5 GiB/)
    expect(estimate(sure + 0.02).starts).toBe(true)
  })
})

describe('a context that an override allows', () => {
  const subject = subjectOf('qwen3-8b', '1xh100-sxm')
  const asked = {engine: 'vllm' as const, engineVersion: '0.28.0', maxModelLen: 300_000}
  it.each(['{"max_position_embeddings": 300000}', '{"text_config":{"max_position_embeddings":300000}}'])('%s', (override) => {
    expect(contextReason(subject, asked)?.code).toBe('context-exceeds-model')
    const engineFlags = {'--hf-overrides': override}
    expect(contextReason(subject, {...asked, engineFlags})).toBeUndefined()
    expect(contextLimit(subject, {...asked, engineFlags})).toBe(300_000)
    expect(contextReason(subject, {...asked, engineFlags, maxModelLen: 300_001})?.code).toBe('context-exceeds-model')
  })
})
