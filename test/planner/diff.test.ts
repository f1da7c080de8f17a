import {beforeAll, describe, expect, it} from 'vitest'
import {diffOf, parseTolerance} from '../../src/planner/diff/diff.ts'
import {renderDiff} from '../../src/render/diff.ts'
import {planned, plannerContext} from './plan-context.ts'

let context: ReturnType<typeof plannerContext>
beforeAll(() => {
  context = plannerContext()
})

const result = (rest: object = {}) => ({
  verdict: 'fits',
  deployment: {engine: 'vllm', tp: 2, maxModelLen: 40_960},
  memory: {kvCacheTokens: 100_000, perGpu: {weightsBytes: 16e9}},
  performance: {outputTokensPerSecond: {estimate: 1000}, ttftMs: {estimate: 200}, tpotMs: {estimate: 20}},
  ...rest,
})
const diff = (a: unknown, b: unknown, tolerance = 0) => diffOf({name: 'a.json', document: a}, {name: 'b.json', document: b}, tolerance)

describe('diff', () => {
  it('of a result with itself is empty', async () => {
    const report = JSON.parse(
      JSON.stringify((await planned(context, {model: 'llama-3.1-8b', gpu: '1xh100-sxm', inputTokens: 500, outputTokens: 100})).report()),
    )
    expect(diff(report, report)).toMatchObject({kind: 'plan', worse: 0, changes: []})
    expect(renderDiff(diff(report, report), {columns: 80, colour: false})).toBe('Nothing changed.\n')
  })

  it('knows which way is worse', () => {
    const slower = result({performance: {outputTokensPerSecond: {estimate: 900}, ttftMs: {estimate: 190}, tpotMs: {estimate: 25}}})
    const {changes, worse} = diff(result(), slower)
    expect(worse).toBe(2)
    expect(changes.map(({key, effect}) => [key, effect])).toEqual([
      ['outputTokensPerSecond', 'worse'],
      ['tpotMs', 'worse'],
      ['ttftMs', 'better'],
    ])
    expect(changes[0]!.relative).toBeCloseTo(-0.1, 12)
  })

  it('bears what the tolerance allows', () => {
    const slower = result({performance: {outputTokensPerSecond: {estimate: 980}, ttftMs: {estimate: 200}, tpotMs: {estimate: 20}}})
    expect(diff(result(), slower).worse).toBe(1)
    expect(diff(result(), slower, 0.03)).toMatchObject({worse: 0, changes: [{key: 'outputTokensPerSecond', effect: 'changed'}]})
  })

  it('a worse verdict is worse, whatever the tolerance', () => {
    expect(diff(result(), result({verdict: 'tight'}), 1).worse).toBe(1)
    expect(diff(result({verdict: 'tight'}), result(), 1)).toMatchObject({worse: 0, changes: [{effect: 'better'}]})
  })

  it('a figure that is gone is worse, a deployment that differs is told', () => {
    const {changes} = diff(result(), result({deployment: {engine: 'sglang', tp: 2, maxModelLen: 40_960}, performance: {}}))
    expect(changes.filter(({effect}) => effect === 'worse').map(({key}) => key)).toEqual(['outputTokensPerSecond', 'ttftMs', 'tpotMs'])
    expect(changes.find(({key}) => key === 'engine')).toMatchObject({before: 'vllm', after: 'sglang', effect: 'changed'})
  })

  it('tells a start that drafts, holds weights in the host or captures no graphs', () => {
    const start = (deployment: object) => result({deployment: {engine: 'vllm', tp: 2, maxModelLen: 40_960, ...deployment}})
    const plain = start({enforceEager: false, cpuOffloadBytes: 0})
    const other = start({enforceEager: true, cpuOffloadBytes: 4e9, speculative: {method: 'mtp', tokens: 3}})
    expect(diff(plain, other).changes).toEqual([
      expect.objectContaining({key: 'enforceEager', before: false, after: true, effect: 'changed'}),
      expect.objectContaining({key: 'cpuOffloadBytes', after: 4e9, unit: 'bytes', effect: 'changed'}),
      {key: 'speculative', after: 'mtp:3', effect: 'changed'},
    ])
    expect(diff(other, start({...other.deployment, speculative: {method: 'mtp', tokens: 1}})).changes).toEqual([
      {key: 'speculative', before: 'mtp:3', after: 'mtp:1', effect: 'changed'},
    ])
  })

  it('plans that no longer keep the limits are worse', () => {
    const plan = (met: boolean) => ({met, plans: [result()]})
    expect(diff(plan(true), plan(false)).changes[0]).toMatchObject({key: 'limits kept', effect: 'worse'})
  })

  it('the last digits of a figure are no change, which releases of Node differ in', () => {
    // As Node 22 and Node 24 print it of one plan.
    const [one, other] = [503.0964877397416, 503.09648773974135].map((estimate) => result({performance: {ttftMs: {estimate}}}))
    expect(diff(one, other).changes).toEqual([])
    expect(diff(one, result({performance: {ttftMs: {estimate: 503.0965}}})).worse).toBe(1)
  })

  it('more machines and more cost are worse', () => {
    const fleet = (machines: number) => ({
      feasible: true,
      options: [{machine: 'dgx-h100', feasible: true, placements: [], periods: [{month: 0, machines, costPerMonth: machines * 100}]}],
    })
    expect(diff(fleet(3), fleet(4)).worse).toBe(2)
    expect(diff(fleet(4), fleet(3)).worse).toBe(0)
  })

  it('names what is no result, and two that cannot be compared', () => {
    expect(() => diff({}, result())).toThrow(/a\.json is no result/)
    expect(() => diff(result(), 'text')).toThrow(/b\.json is no result/)
    expect(() => diff(result(), {met: true, plans: []})).toThrow(/expected two of a kind/)
  })

  it('reads in 80 columns', async () => {
    const a = (await planned(context, {model: 'qwen3-32b', gpu: '2xh100-sxm', inputTokens: 1024, outputTokens: 512})).report()
    const b = (await planned(context, {model: 'qwen3-32b', gpu: '2xl40s', inputTokens: 1024, outputTokens: 512})).report()
    const text = renderDiff(diff(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))), {columns: 80, colour: false})
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(text).toMatch(/worse +outputTokensPerSecond .* -\d+\.\d%/)
  })

  it('tolerances', () => {
    expect(parseTolerance('2%')).toBeCloseTo(0.02, 12)
    expect(parseTolerance('0.1')).toBe(0.1)
    for (const text of ['', 'much', '-1%', '2000%']) expect(() => parseTolerance(text), text).toThrow(/--tolerance/)
  })
})
