import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'
import {readBench} from '../../src/verify/bench/read-bench.ts'
import type {LogReport} from '../../src/verify/log-report.ts'
import {pythonCall, pythonDict} from '../../src/verify/python-values.ts'
import {readLog} from '../../src/verify/read-log.ts'

const folder = join(import.meta.dirname, '..', 'fixtures', 'verify')
const names = readdirSync(folder)
const texts = (find: RegExp) => names.filter((name) => find.test(name)).map((name) => readFileSync(join(folder, name), 'utf8'))
const logs = texts(/\.log$/)
const benches = texts(/\.(json|jsonl|md|csv)$/)

/** A text with pieces cut out, doubled, swapped or replaced by noise. */
const mutated = (sources: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...sources),
      fc.array(
        fc.record({
          at: fc.double({min: 0, max: 1, noNaN: true}),
          length: fc.nat(200),
          kind: fc.constantFrom('cut', 'double', 'noise', 'digits'),
          noise: fc.string({maxLength: 40}),
        }),
        {maxLength: 6},
      ),
    )
    .map(([text, edits]) =>
      edits.reduce((current, {at, length, kind, noise}) => {
        const start = Math.floor(at * current.length)
        const [before, piece, after] = [current.slice(0, start), current.slice(start, start + length), current.slice(start + length)]
        if (kind === 'cut') return before + after
        if (kind === 'double') return before + piece + piece + after
        return before + (kind === 'digits' ? piece.replaceAll(/\d/g, '9') : noise) + after
      }, text),
    )

/** Every number of a report is a finite number, of the type that its name says. */
function checkTypes({figures, settings, ranks, refusal}: LogReport): void {
  for (const one of [figures, ...ranks.map((rank) => rank.figures)])
    for (const [name, value] of Object.entries(one)) {
      expect(Number.isFinite(value), name).toBe(true)
      if (name.endsWith('Bytes')) expect(Number.isInteger(value), name).toBe(true)
    }
  for (const name of ['tp', 'pp', 'dp', 'ep', 'maxModelLen', 'maxNumSeqs', 'maxNumBatchedTokens'] as const)
    if (settings[name] !== undefined) expect(Number.isInteger(settings[name]) && settings[name] >= 1, name).toBe(true)
  if (settings.gpuMemoryUtilization !== undefined) expect(settings.gpuMemoryUtilization).toBeGreaterThan(0)
  for (const value of Object.values(refusal ?? {})) expect(['string', 'number']).toContain(typeof value)
}

describe('mutated logs', () => {
  it('never crash, and never yield a number of the wrong type', () => {
    fc.assert(
      fc.property(mutated(logs), (text) => {
        try {
          checkTypes(readLog([text]))
        } catch (error) {
          if (!(error instanceof InputError)) throw error
        }
      }),
      {numRuns: 600},
    )
  })
})

describe('mutated benchmarks', () => {
  it('never crash, and never yield a number of the wrong type', () => {
    fc.assert(
      fc.property(mutated(benches), (text) => {
        try {
          for (const {observed, workload} of readBench(text, 'results')) {
            for (const value of Object.values(observed)) expect(Number.isFinite(value) && value > 0).toBe(true)
            expect(Number.isInteger(workload.inputTokens) && workload.inputTokens >= 1).toBe(true)
            expect(Number.isInteger(workload.outputTokens) && workload.outputTokens >= 1).toBe(true)
          }
        } catch (error) {
          if (!(error instanceof InputError)) throw error
        }
      }),
      {numRuns: 600},
    )
  })
})

describe('printed Python', () => {
  it('is read to the end, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom('{', '}', '(', ')', '[', ']', "'", '"', ',', ':', '=', '<', '>', 'a', '1', ' ', '\\')).map((signs) => signs.join('')),
        ),
        (text) => {
          pythonDict(`{${text}`)
          pythonCall(`Args(${text}`)
        },
      ),
      {numRuns: 2000},
    )
  })

  it('gives plain values, and nothing for what is not plain', () => {
    expect(pythonDict("x: {'a': 1, 'b': [True, None, 'c,d'], 'e': <Enum.x: 'y'>, 'f': -1.5e3, 'g': torch.bfloat16, '__proto__': 1}")).toEqual({
      a: 1,
      b: [true, null, 'c,d'],
      e: undefined,
      f: -1500,
      g: 'torch.bfloat16',
    })
    expect(pythonCall("ServerArgs(model_path='it\\'s', cfg=Config(decode=Phase(bs=24)), tp_size=8)")).toEqual({
      model_path: "it's",
      cfg: {decode: {bs: 24}},
      tp_size: 8,
    })
  })
})
