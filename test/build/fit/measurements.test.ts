import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, expect, it} from 'vitest'
import {readMeasurements} from '../../../src/build/fit/measurements.ts'
import {catalogue} from '../../core/throughput/question.ts'

const folder = mkdtempSync(join(tmpdir(), 'servefit-measurements-'))
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const row = {
  model: 'Qwen/Qwen3-8B',
  gpu: '1xgb10',
  engine: 'vllm',
  engineVersion: '0.26.0',
  weights: 'bf16',
  tp: 1,
  workload: {inputTokens: 1024, outputTokens: 128, concurrency: 1},
  observed: {tpotMs: 70},
  source: 'somebody/somewhere:file.json',
}

async function read(...rows: object[]) {
  const file = join(folder, 'rows.jsonl')
  writeFileSync(file, rows.map((one, index) => JSON.stringify({...row, ...one, id: `row-${index}`})).join('\n'))
  return readMeasurements([file], catalogue)
}

it('a source that names no release, or one that is no release, ran the newest of the day', async () => {
  const versionOf = async (part: object) => (await read(part)).measurements[0]!.input.engineVersion
  expect(await versionOf({engineVersion: undefined, measured: '2025-09-03'})).toBe('0.10.0')
  expect(await versionOf({engineVersion: '0.1', measured: '2026-03-22'})).toBe('0.17.0')
  expect(await versionOf({engineVersion: '0.11.0', measured: '2026-03-22'})).toBe('0.11.0')
})

it('llama-benchy is one burst whose rate is that of decoding; flags of its note count', async () => {
  const {measurements} = await read({
    observed: {outputTokensPerSecond: 80, ttftMs: 900},
    workload: {...row.workload, concurrency: 8},
    note: 'llama-benchy pp1024 tg128, 50 runs, --enforce-eager, max-num-seqs 64 (32 for some)',
  })
  const [{input, observed, told}] = measurements as [(typeof measurements)[0]]
  // Eight requests share 80 tokens a second: each gets one in 100 ms.
  expect(observed).toEqual({tpotMs: 100, ttftMs: undefined, outputTokensPerSecond: undefined})
  expect({told, rounds: input.rounds, enforceEager: input.enforceEager, maxNumSeqs: input.maxNumSeqs}).toEqual({
    told: 'mean-rate',
    rounds: 1,
    enforceEager: true,
    maxNumSeqs: 64,
  })
})

it('a row that is faster than its weights can be read is left out, with the other loads of that run', async () => {
  // Qwen3-8B without its embedding: 7.57e9 parameters of 2 bytes over 273 GB/s are 55.5 ms.
  const {measurements, unused} = await read(
    {observed: {tpotMs: 54}},
    {observed: {tpotMs: 70}, workload: {...row.workload, concurrency: 4}},
    {observed: {tpotMs: 57}, source: 'somebody-else/somewhere:file.json'},
  )
  expect(measurements.map(({id}) => id)).toEqual(['row-2'])
  expect(unused.map(({id, why}) => `${id} ${why}`)).toEqual([
    'row-0 faster than its weights and caches can be read: it ran something else',
    'row-1 another load of the same run is faster than its weights can be read',
  ])
})

it('decoding at a depth is compared without prompts; where users share the depth it tells nothing', async () => {
  const depth = (inputTokens: number, concurrency: number) => ({
    decodeOnly: true,
    workload: {inputTokens, outputTokens: 500, concurrency},
    observed: {tpotMs: 75, ttftMs: 3},
  })
  const {measurements, unused} = await read(depth(16384, 1), depth(16, 2), depth(16384, 2))
  expect(measurements.map(({id}) => id)).toEqual(['row-0', 'row-1'])
  expect(unused).toEqual([{id: 'row-2', why: 'a depth that all users share, whose cache kernels read once'}])
  expect(measurements[0]!.input.workload.prefixHitRate).toBe(1)
  expect(measurements[0]!.input.kvCacheTokens).toBeUndefined()
  expect(measurements[0]!.observed).toEqual({ttftMs: undefined, tpotMs: 75, outputTokensPerSecond: undefined})
})

it('a table that divides attention for its mixtures of experts alone is read so', async () => {
  const note = 'infinite request rate; MoE rows use enable_attention_dp and ep per page'
  const table = {engine: 'trtllm', engineVersion: '1.0.0', gpu: '8xh200-sxm', tp: 8, note, observed: {outputTokensPerSecond: 9000}}
  const {measurements} = await read(
    {...table, model: 'Qwen/Qwen3-235B-A22B', weights: 'fp8-block', workload: {...row.workload, concurrency: 256}},
    {...table, model: 'Qwen/Qwen3-32B', weights: 'bf16', workload: {...row.workload, concurrency: 256}},
    {...table, model: 'Qwen/Qwen3-235B-A22B', weights: 'fp8-block', note: '', workload: {...row.workload, concurrency: 256}},
  )
  expect(measurements.map(({input: {dpAttention}}) => dpAttention)).toEqual([true, false, false])
})
