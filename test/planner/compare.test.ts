import * as fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {compare, type ComparisonRow} from '../../src/planner/compare/compare.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import type {Objectives} from '../../src/planner/scenario/scenario.ts'
import {modelOf} from '../../src/planner/world/models.ts'
import {renderCompare} from '../../src/render/compare.ts'
import {checked, numbersOf, plannerContext, questions} from './plan-context.ts'

let context: ReturnType<typeof plannerContext>
beforeAll(() => {
  context = plannerContext()
})

async function rowsOf(
  models: string[],
  gpus: string[],
  workload = {inputTokens: 1024, outputTokens: 512, concurrency: 8},
  slo?: Objectives,
): Promise<ComparisonRow[]> {
  return compare(context, {
    models: await Promise.all(models.map((name) => modelOf(context, name))),
    machines: gpus.map((spec) => machineFromSpec(context.catalogue, spec)),
    request: {},
    workload,
    slo,
  })
}

const starts = ({result}: ComparisonRow) => result.verdict === 'fits' || result.verdict === 'tight'

describe('compare', () => {
  it('says of each row what check says of it', async () => {
    await fc.assert(
      fc.asyncProperty(questions, fc.constantFrom(1, 16, 200), async ({model, gpu, inputTokens, outputTokens}, concurrency) => {
        const rows = await rowsOf([model], [gpu], {inputTokens, outputTokens, concurrency})
        for (const {result} of rows.filter(starts).slice(0, 4)) expect(numbersOf(result)).toEqual(numbersOf(await checked(context, result, gpu)))
      }),
      {numRuns: 10},
    )
  })

  it('has a row for each published format and cache, what starts first and quicker first', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['2xrtx-4090'])
    expect(new Set(rows.map(({hfId, kvCache}) => `${hfId} ${kvCache}`)).size).toBe(rows.length)
    const places = rows.map(({result}) => ['fits', 'tight', 'does-not-fit', 'unsupported'].indexOf(result.verdict))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    const speeds = rows.filter(({result}) => result.verdict === 'fits').map(({result}) => result.performance!.outputTokensPerSecond.low)
    expect(speeds).toEqual([...speeds].sort((a, b) => b - a))
  })

  it('says how this GPU computes a format', async () => {
    const computation = (rows: ComparisonRow[], weights: string) => rows.find((row) => row.weights === weights)?.computation
    const rows = await rowsOf(['qwen3-32b'], ['1xh100-sxm'])
    expect(computation(rows, 'bf16')).toBe('native')
    expect(computation(rows, 'awq-int4')).toBe('weight-only')
    // Hopper has no 4-bit floating point; Blackwell does.
    expect(computation(rows, 'nvfp4')).toBe('weight-only')
    expect(computation(await rowsOf(['qwen3-32b'], ['1xb200-sxm']), 'nvfp4')).toBe('native')
  })

  it('claims no quality that nobody measured', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['1xh100-sxm'])
    for (const {hfId, quality} of rows) expect(quality).toBe(hfId === 'Qwen/Qwen3-32B' ? 'original' : 'not measured')
  })

  it('tells what is too slow from what does not fit, and counts people whole', async () => {
    const draw = (rows: ComparisonRow[]) => renderCompare(rows, '', {columns: 80, colour: false})
    // 27 ms and more for each token on an L40S, 5 asked.
    expect(draw(await rowsOf(['qwen3-8b'], ['1xl40s'], undefined, {tpotMs: 1}))).toContain('All of them fit, and none is quick enough.')
    expect(draw(await rowsOf(['qwen3-32b'], ['1xl40s'], undefined, {tpotMs: 1}))).toContain('None of them fits and is quick enough.')
    expect(draw(await rowsOf(['qwen3-32b'], ['1xrtx-3060-12gb']))).toContain('None of them fits.')
    const rows = (await rowsOf(['qwen3-8b'], ['1xl40s'])).filter(starts).map((row) => ({...row, requestsHeld: 8}))
    expect(draw(rows)).toMatch(/ 8 /)
    expect(draw(rows)).not.toContain('8.0 ')
  })

  it('names no two rows alike', async () => {
    const rows = (await rowsOf(['qwen3-8b'], ['1xl40s'])).filter(starts)
    const text = renderCompare(rows, '', {columns: 80, colour: false})
    const names = text.split('\n').flatMap((line) => /^(\S+ +\w+) +[\d.]+ /.exec(line)?.[1] ?? [])
    expect(names.length).toBeGreaterThan(5)
    expect(new Set(names).size).toBe(names.length)
    await expect(rowsOf(['qwen3-8b'], ['1xl40s'], undefined, {percentile: 95})).rejects.toMatchObject({code: 'SLO_PERCENTILE_ALONE'})
  })

  it('reads in 80 columns, over several models and machines too', async () => {
    const rows = await rowsOf(['qwen3-32b', 'gpt-oss-120b'], ['1xh100-sxm', '2xrtx-5090'])
    const text = renderCompare(rows, 'two models on two machines', {columns: 80, colour: false})
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const heading of ['qwen3-32b on 1 x h100-sxm', 'gpt-oss-120b on 2 x rtx-5090']) expect(text).toContain(heading)
    // Every table keeps the figures that it is read for.
    expect(text.match(/TTFT +TPOT +tok\/s$/gm)?.length).toBeGreaterThanOrEqual(3)
    expect(text).toContain('not measured')
  })
})
