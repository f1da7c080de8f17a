import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import {sumBytes} from '../../src/core/terms.ts'
import type {Engine, EngineData, Subject} from '../../src/engines/engine.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {machineFromSpec, tightestGpu} from '../../src/planner/world/machines.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const engines = Object.entries(ENGINES).map(([id, create]) =>
  create({
    ...catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`),
    support: catalogue.file('engines/support'),
    needs: catalogue.file('engines/needs'),
  }),
)

/** One of each kind: plain, windows, latent, sparse, compressed, states, shared cache, chunks. */
const MODELS = [
  'llama-3.1-8b',
  'qwen3-235b-a22b',
  'gpt-oss-20b',
  'gpt-oss-120b',
  'gemma-3-27b',
  'gemma-4-e4b',
  'llama-4-scout',
  'deepseek-v3',
  'deepseek-v3.2',
  'deepseek-v4-flash',
  'qwen3.5-27b',
  'nemotron-3-nano-30b-a3b',
  'kimi-linear-48b-a3b-instruct',
  'falcon-h1-0.5b-instruct',
]
const GPUS = ['rtx-4090', 'a100-80gb-sxm', 'h100-sxm', 'b200-sxm', 'mi300x']
const VERSIONS: Record<string, string[]> = {
  vllm: ['0.8.5', '0.11.0', '0.17.0', '0.21.0', '0.28.0'],
  sglang: ['0.4.10', '0.5.8', '0.5.15', '0.5.18'],
  trtllm: ['1.0.0', '1.2.0'],
}

function subject(model: string, gpu: string, count: number, checkpoint = 0): Subject {
  const found = catalogue.model(model)
  const machine = machineFromSpec(catalogue, `${count}x${gpu}`)
  return {model: found, checkpoint: found.checkpoints[checkpoint % found.checkpoints.length]!, machine, gpu: tightestGpu(machine)}
}

const memoryOf = (engine: Engine, one: Subject, request: DeploymentRequest) => engine.memory(one, engine.resolve(one, request))

const question = fc.record({
  engine: fc.constantFrom(...engines),
  model: fc.constantFrom(...MODELS),
  gpu: fc.constantFrom(...GPUS),
  checkpoint: fc.nat(4),
  version: fc.nat(10),
  tp: fc.constantFrom(1, 2, 4, 8),
  maxModelLen: fc.integer({min: 512, max: 65_536}),
  maxNumBatchedTokens: fc.constantFrom(2048, 4096, 8192),
  maxNumSeqs: fc.constantFrom(8, 64, 256),
})
type Asked = typeof question extends fc.Arbitrary<infer T> ? T : never
const requestOf = ({engine, version, tp, maxModelLen, maxNumBatchedTokens, maxNumSeqs}: Asked): DeploymentRequest => {
  const versions = VERSIONS[engine.id]!
  return {engineVersion: versions[version % versions.length]!, tp, maxModelLen, maxNumBatchedTokens, maxNumSeqs, gpuMemoryUtilization: 0.85, kvCache: 'bf16'}
}
const RUNS = {numRuns: 150}

describe('laws of the memory budget', () => {
  it('terms add up to what is used, and nothing is free beyond the total', () =>
    fc.assert(
      fc.property(question, (asked) => {
        const memory = memoryOf(asked.engine, subject(asked.model, asked.gpu, asked.tp, asked.checkpoint), requestOf(asked))
        for (const {bytes} of memory.terms) expect(Number.isFinite(bytes)).toBe(true)
        const used = sumBytes(memory.terms)
        const cache = sumBytes(memory.terms.filter(({part}) => part === 'kv-cache'))
        expect(cache).toBe(Math.max(0, memory.kvCacheBytes))
        expect(memory.budgetBytes).toBeLessThanOrEqual(memory.totalBytes)
        if (memory.starts) {
          expect(cache).toBeLessThanOrEqual(memory.budgetBytes)
          expect(memory.totalBytes - used).toBeLessThanOrEqual(memory.totalBytes)
          expect(memory.kvCacheTokens).toBeGreaterThan(0)
        }
      }),
      RUNS,
    ))

  it('more batched tokens or sequences never leave more cache', () =>
    fc.assert(
      fc.property(question, (asked) => {
        const one = subject(asked.model, asked.gpu, asked.tp, asked.checkpoint)
        const request = requestOf(asked)
        const cache = memoryOf(asked.engine, one, request).kvCacheBytes
        expect(memoryOf(asked.engine, one, {...request, maxNumBatchedTokens: 2 * request.maxNumBatchedTokens!}).kvCacheBytes).toBeLessThanOrEqual(cache)
        expect(memoryOf(asked.engine, one, {...request, maxNumSeqs: 2 * request.maxNumSeqs!}).kvCacheBytes).toBeLessThanOrEqual(cache)
      }),
      RUNS,
    ))

  it('more context never needs less: fewer requests of more tokens fit at once', () =>
    fc.assert(
      fc.property(question, fc.integer({min: 1, max: 200_000}), fc.integer({min: 0, max: 100_000}), (asked, tokens, more) => {
        const memory = memoryOf(asked.engine, subject(asked.model, asked.gpu, asked.tp, asked.checkpoint), requestOf(asked))
        expect(memory.requestsOfTokens(tokens + more)).toBeLessThanOrEqual(memory.requestsOfTokens(tokens) * (1 + 1e-9))
      }),
      RUNS,
    ))

  it('fewer bits of cache never hold fewer tokens', () =>
    fc.assert(
      fc.property(question, (asked) => {
        const one = subject(asked.model, asked.gpu, asked.tp, asked.checkpoint)
        const request = requestOf(asked)
        const wide = memoryOf(asked.engine, one, request)
        const narrow = memoryOf(asked.engine, one, {...request, kvCache: 'fp8'})
        expect(narrow.kvBytesPerToken).toBeLessThanOrEqual(wide.kvBytesPerToken)
        // A block of a hybrid model holds a state and more tokens then: whole blocks may round the other way by one.
        expect(narrow.kvCacheTokens).toBeGreaterThanOrEqual(wide.kvCacheTokens * 0.97 - 4096)
      }),
      RUNS,
    ))

  it('fewer bits of weights never weigh more', () =>
    fc.assert(
      fc.property(question, (asked) => {
        const one = subject(asked.model, asked.gpu, asked.tp)
        const weights = (format: string) =>
          sumBytes(
            memoryOf(asked.engine, {...one, checkpoint: {hfId: 'x/y', weights: format, formats: {default: format}}}, requestOf(asked)).terms.filter(
              ({part}) => part === 'weights',
            ),
          )
        const [half, byte, nibble] = ['bf16', 'fp8', 'int4-group128'].map(weights)
        // AMD's loader leaves buffers of quantised weights behind, in old releases.
        const slack = asked.gpu === 'mi300x' ? 1e9 : 0
        expect(byte!).toBeLessThanOrEqual(half! + slack)
        expect(nibble!).toBeLessThanOrEqual(byte! + slack)
      }),
      RUNS,
    ))

  it('twice the GPUs never hold more weights each, nor a shorter longest request', () =>
    fc.assert(
      fc.property(question, (asked) => {
        if (asked.tp === 8) return
        const at = (tp: number) => memoryOf(asked.engine, subject(asked.model, asked.gpu, tp, asked.checkpoint), {...requestOf(asked), tp})
        const few = at(asked.tp)
        const many = at(2 * asked.tp)
        const weights = ({terms}: typeof few) => sumBytes(terms.filter(({part}) => part === 'weights'))
        // Tiles of MXFP4 experts are rounded for each rank: thinner parts carry more padding, never more than the split saves.
        expect(weights(many)).toBeLessThanOrEqual(weights(few))
        if (few.starts && few.largestMaxModelLen > 8192) expect(many.largestMaxModelLen).toBeGreaterThanOrEqual(Math.min(few.largestMaxModelLen, 8192))
      }),
      RUNS,
    ))

  it('a larger share of the memory never holds less', () =>
    fc.assert(
      fc.property(question, fc.integer({min: 30, max: 90}), (asked, percent) => {
        const one = subject(asked.model, asked.gpu, asked.tp, asked.checkpoint)
        const at = (share: number) => memoryOf(asked.engine, one, {...requestOf(asked), gpuMemoryUtilization: share})
        expect(at((percent + 5) / 100).kvCacheTokens).toBeGreaterThanOrEqual(at(percent / 100).kvCacheTokens)
      }),
      RUNS,
    ))

  it('every model of the catalogue has a budget in every engine', () => {
    for (const {id} of catalogue.modelEntries)
      for (const engine of engines) {
        const memory = memoryOf(engine, subject(id, 'h200-sxm', 8), {tp: 8})
        expect(
          memory.terms.every(({bytes, because}) => Number.isInteger(bytes) && because.length > 0),
          `${id} on ${engine.id}`,
        ).toBe(true)
        expect(memory.kvCacheTokens, `${id} on ${engine.id}`).toBeGreaterThanOrEqual(0)
        expect(memory.largestMaxModelLen, `${id} on ${engine.id}`).toBeLessThanOrEqual(
          Math.max(catalogue.model(id).architecture.contextTokens, catalogue.model(id).extendedContext?.tokens ?? 0),
        )
      }
  })
})
