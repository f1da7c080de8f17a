import * as fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {answer} from '../../src/planner/answer/answer.ts'
import {isYes} from '../../src/planner/answer/evaluation.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'
import {compare, type ComparisonRow} from '../../src/planner/compare/compare.ts'
import {PREFERENCES, type Preference} from '../../src/planner/scenario/scenario.ts'
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
  prefer?: Preference,
): Promise<ComparisonRow[]> {
  return compare(context, {
    models: await Promise.all(models.map((name) => modelOf(context, name))),
    machines: gpus.map((spec) => machineFromSpec(context.catalogue, spec)),
    request: {},
    ...(prefer && {prefer}),
    workload,
    slo,
  })
}

/** The numbers, whoever settled the context: asked for again it is replaced by nobody. */
const settled = (result: Result) => numbersOf({...result, deployment: {...result.deployment, replaced: undefined}})

const starts = ({result}: ComparisonRow) => result.verdict === 'fits' || result.verdict === 'tight'

describe('compare', () => {
  it('says of each row what check says of it', async () => {
    await fc.assert(
      fc.asyncProperty(questions, fc.constantFrom(1, 16, 200), async ({model, gpu, inputTokens, outputTokens}, concurrency) => {
        const rows = await rowsOf([model], [gpu], {inputTokens, outputTokens, concurrency})
        for (const {result} of rows.filter(starts).slice(0, 4)) expect(settled(result)).toEqual(settled(await checked(context, result, gpu)))
      }),
      {numRuns: 10},
    )
  })

  it('has a row for each published format and cache, what starts first', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['2xrtx-4090'])
    expect(new Set(rows.map(({hfId, kvCache}) => `${hfId} ${kvCache}`)).size).toBe(rows.length)
    const places = rows.map(({result}) => ['fits', 'tight', 'does-not-fit', 'unsupported'].indexOf(result.verdict))
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  it('has first what check takes, whatever is preferred', async () => {
    await fc.assert(
      fc.asyncProperty(questions, fc.constantFrom(1, 16, 200), fc.constantFrom(undefined, ...PREFERENCES), async (question, concurrency, prefer) => {
        const {model, gpu, inputTokens, outputTokens} = question
        const workload = {inputTokens, outputTokens, concurrency}
        const [first] = await rowsOf([model], [gpu], workload, undefined, prefer)
        const {best} = await answer(context, {model, gpu, workload, ...(prefer && {prefer})})
        if (isYes(best)) expect(numbersOf(first!.result)).toEqual(numbersOf(toResult(best)))
        expect(isYes(first!.result)).toBe(isYes(best))
      }),
      {numRuns: 25},
    )
  })

  it('takes what is best in what is preferred, among what fits', async () => {
    for (const gpu of ['1xrtx-pro-6000', '4xrtx-3090', '1xh100-sxm']) {
      const fitting = async (prefer: Preference) =>
        (await rowsOf(['qwen3-32b'], [gpu], undefined, undefined, prefer)).filter(({result}) => result.verdict === 'fits')
      const speed = ({result}: ComparisonRow) => result.performance!.outputTokensPerSecond.low
      const unasked = (rows: ComparisonRow[]) => rows.filter((row, index) => rows.findIndex(({hfId}) => hfId === row.hfId) === index)
      const [fast, ...slower] = unasked(await fitting('speed'))
      for (const row of slower) expect(speed(row)).toBeLessThanOrEqual(speed(fast!))
      const [small, ...larger] = await fitting('memory')
      for (const row of larger) expect(row.checkpointBytes).toBeGreaterThanOrEqual(small!.checkpointBytes)
      const [wide, ...narrower] = unasked(await fitting('context'))
      const reach = ({result}: ComparisonRow) => Math.min(131_072, result.memory.largestMaxModelLen)
      for (const row of narrower) expect(reach(row)).toBeLessThanOrEqual(reach(wide!))
      const bits = (await fitting('quality')).map(({weights}) => ({bf16: 16, fp8: 8, 'fp8-block': 8, 'awq-int4': 4, 'gptq-int4': 4, nvfp4: 4})[weights]!)
      expect(bits).toEqual([...bits].sort((a, b) => b - a))
    }
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

  it('says what is known of quality, and at which level', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['1xh100-sxm'])
    for (const {hfId, quality} of rows) {
      if (hfId === 'Qwen/Qwen3-32B') expect(quality.level).toBe('original')
      else if (['RedHatAI/Qwen3-32B-NVFP4', 'RedHatAI/Qwen3-32B-quantized.w4a16'].includes(hfId)) expect(quality.level).toBe('checkpoint')
      else expect(quality).toMatchObject({level: 'model-format', models: 1})
    }
    // The 16-bit cache needs no telling.
    for (const {kvCache, quality} of rows) expect(quality.kvCache === undefined).toBe(kvCache === 'bf16')
  })

  it('keeps publishers where names are the same without them, and the width', async () => {
    for (const [name, gpu] of [
      ['qwen3-32b', '1xrtx-pro-6000'],
      ['glm-5.1', '8xh100-sxm'],
      ['qwen3.6-35b-a3b', '1xl40s'],
    ] as const) {
      const rows = await rowsOf([name], [gpu], {inputTokens: 1024, outputTokens: 512, concurrency: 16})
      for (const columns of [80, 120]) {
        const text = renderCompare(rows, name, {columns, colour: false})
        expect(text.split('\n').filter((line) => line.length > columns)).toEqual([])
        const table = text.split('\n\n')[1]!.split('\n')
        expect(table[0]).toMatch(/^Checkpoint .*At once|^Checkpoint .*Requests at once/)
        expect(table[0]).toMatch(/Context .*TTFT .*tok\/s +.*Quality$/)
        // One name and cache is one row.
        const names = table.slice(1).map((line) => line.split(/ {2,}/).slice(0, 2).join(' '))
        expect(new Set(names).size).toBe(names.length)
        expect(names.length).toBe(rows.filter(starts).length)
      }
    }
  })

  it('names its columns in full where there is room', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['1xrtx-pro-6000'])
    expect(renderCompare(rows, 'title', {columns: 120, colour: false})).toMatch(/Context +Requests at once +TTFT +TPOT +tok\/s +Computes +Quality/)
  })

  it('advises in one line, against the quickest', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['1xrtx-pro-6000'], {inputTokens: 1024, outputTokens: 512, concurrency: 16})
    const advice = renderCompare(rows, 'title', {columns: 400, colour: false}).split('\n\n')[2]!
    const speed = (hfId: string) => Math.max(...rows.filter((row) => row.hfId === hfId).map(({result}) => result.performance!.outputTokensPerSecond.estimate))
    const slower = Math.round(100 * (1 - rows[0]!.result.performance!.outputTokensPerSecond.estimate / speed('nvidia/Qwen3-32B-NVFP4')))
    expect(advice).toMatch(
      new RegExp(`^ *FP8-BLOCK by Qwen: native here, [^;]*, ${slower}% slower than NVFP4 by nvidia, whose other builds lose [0-9.]+% in the median`),
    )
  })

  it('marks what is tight', async () => {
    const rows = await rowsOf(['qwen3-32b'], ['2xrtx-4090'], {inputTokens: 4000, outputTokens: 1000, concurrency: 16})
    const text = renderCompare(rows, 'title', {columns: 120, colour: false})
    expect(rows.some(({result}) => result.verdict === 'tight')).toBe(true)
    expect(text.match(/ {2}tight /g)?.length).toBe(rows.filter(({result}) => result.verdict === 'tight').length)
  })

  it('tells what is too slow from what does not fit, and counts people whole', async () => {
    const draw = (rows: ComparisonRow[]) => renderCompare(rows, '', {columns: 80, colour: false})
    // 27 ms and more for each token on an L40S, 5 asked.
    expect(draw(await rowsOf(['qwen3-8b'], ['1xl40s'], undefined, {tpotMs: 1}))).toContain('All of them fit, but none is fast enough.')
    expect(draw(await rowsOf(['qwen3-32b'], ['1xl40s'], undefined, {tpotMs: 1}))).toContain('None of them both fits and is fast enough.')
    expect(draw(await rowsOf(['qwen3-32b'], ['1xrtx-3060-12gb']))).toContain('None of them fits.')
    const rows = (await rowsOf(['qwen3-8b'], ['1xl40s'])).filter(starts).map((row) => ({...row, requestsHeld: 8}))
    expect(draw(rows)).toMatch(/ 8 /)
    expect(draw(rows)).not.toContain('8.0 ')
  })

  it('names no two rows alike', async () => {
    const rows = (await rowsOf(['qwen3-8b'], ['1xl40s'])).filter(starts)
    const text = renderCompare(rows, '', {columns: 80, colour: false})
    const names = text.split('\n').flatMap((line) => /^(\S+ +\w+) +[\d.,]+ /.exec(line)?.[1] ?? [])
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
    expect(text.match(/TTFT .*tok\/s +Quality$/gm)?.length).toBeGreaterThanOrEqual(3)
  })
})
