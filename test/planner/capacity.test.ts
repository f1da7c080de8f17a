import * as fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {simulate} from '../../src/core/simulator/simulate.ts'
import {candidateKinds} from '../../src/planner/capacity/catalogue-kinds.ts'
import {capacity, type CapacityAsked, type Placement} from '../../src/planner/capacity/capacity.ts'
import {type DemandAsked, lawOf} from '../../src/planner/capacity/demand.ts'
import {machineCount, packed, shareAfterLoss} from '../../src/planner/capacity/fleet.ts'
import type {Reached} from '../../src/planner/answer/limits.ts'
import {busyInFlight, meanInFlight, mostPeople, shareInFlight} from '../../src/planner/capacity/population.ts'
import {HOURS_PER_MONTH, parseGrowth, parsePrice} from '../../src/planner/capacity/money.ts'
import {csvFields, parseTrace as wholeTrace} from '../../src/planner/capacity/trace.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import {capacityCsv, renderCapacity} from '../../src/render/capacity.ts'
import {checked, numbersOf, plannerContext} from './plan-context.ts'

let context: ReturnType<typeof plannerContext>
beforeAll(() => {
  context = plannerContext()
})

const kind = (spec: string, pricePerMonth?: number) => ({
  name: spec,
  machine: machineFromSpec(context.catalogue, spec),
  ...(pricePerMonth !== undefined && {pricePerMonth}),
})
const demand = (rest: Partial<DemandAsked> = {}): DemandAsked => ({model: 'llama-3.1-8b', request: {}, inputTokens: 1024, outputTokens: 256, slo: {}, ...rest})
const ask = (demands: DemandAsked[], specs: string[], rest: Partial<CapacityAsked> = {}) =>
  capacity(context, {demands, kinds: specs.map((spec) => kind(spec)), months: [0], spare: 0, maxUtilisation: 0.85, ...rest})

describe('capacity', () => {
  it('says of each placement what check says of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('llama-3.1-8b', 'qwen3-32b', 'gpt-oss-120b'),
        fc.constantFrom('1xh100-sxm', '4xl40s', '8xh200-sxm'),
        fc.constantFrom({requestRate: 7}, {users: 100}, {users: 300, thinkSeconds: 20}),
        fc.constantFrom({}, {ttftMs: 2000, tpotMs: 60}),
        async (model, gpu, load, slo) => {
          const {report} = await ask([demand({model, slo, ...load})], [gpu])
          for (const {result} of report.options[0]!.placements) expect(numbersOf(result)).toEqual(numbersOf(await checked(context, result, gpu, slo)))
        },
      ),
      {numRuns: 8},
    )
  })

  it('takes enough machines, and not one more', async () => {
    for (const load of [{requestRate: 90}, {users: 2000}, {users: 5000, thinkSeconds: 30}]) {
      const {report} = await ask([demand({slo: {ttftMs: 2000, tpotMs: 50}, ...load})], ['1xh100-sxm'])
      const [option] = report.options
      const {carries} = option!.placements[0]!
      const {needed, utilisation, utilisationAfterLoss} = option!.periods[0]!
      const amount = report.demands[0]!.amount
      expect(needed * carries).toBeGreaterThanOrEqual(amount * (1 - 1e-9))
      expect((needed - 1) * carries).toBeLessThan(amount)
      expect(utilisation).toBeCloseTo(amount / (needed * carries), 9)
      expect(utilisationAfterLoss).toBeCloseTo(amount / ((needed - 1) * carries), 9)
      expect(utilisationAfterLoss).toBeGreaterThan(1)
    }
  })

  it('with a spare the loss of one is survived', async () => {
    const {report} = await ask([demand({requestRate: 90})], ['1xh100-sxm'], {spare: 1})
    const [period] = report.options[0]!.periods
    expect(period!.machines).toBe(period!.needed + 1)
    expect(period!.utilisationAfterLoss).toBeLessThanOrEqual(1)
  })

  it('keeps the limits as expected, tells what the slow end would carry, and plans below saturation', async () => {
    const slo = {ttftMs: 1500, tpotMs: 30}
    const {report} = await ask([demand({requestRate: 120, slo})], ['1xh100-sxm'])
    const [option] = report.options
    const [{carries, cautious, limits, result}] = option!.placements as [Placement]
    expect(result.performance!.ttftMs.estimate).toBeLessThanOrEqual(slo.ttftMs)
    expect(result.performance!.tpotMs.estimate).toBeLessThanOrEqual(slo.tpotMs)
    expect(limits!.map(({name, limit}) => [name, limit])).toEqual([
      ['ttftMs', 1500],
      ['tpotMs', 30],
    ])
    // What the slow end carries keeps the limits there: asked for that rate, the far end of the interval is within them.
    expect(cautious!.carries).toBeLessThan(carries)
    const slow = await checked(context, {...result, workload: {inputTokens: 1024, outputTokens: 256, requestRate: cautious!.carries}}, '1xh100-sxm')
    expect(slow.performance!.ttftMs.high).toBeLessThanOrEqual(slo.ttftMs)
    expect(slow.performance!.tpotMs.high).toBeLessThanOrEqual(slo.tpotMs)
    expect(option!.periods[0]!.cautious!.needed).toBe(Math.ceil(120 / cautious!.carries))
    expect(option!.periods[0]!.needed).toBe(Math.ceil(120 / carries))
    expect(option!.verdict).toBe('tight')
    const half = await ask([demand({requestRate: 10})], ['1xh100-sxm'], {maxUtilisation: 0.4})
    const more = await ask([demand({requestRate: 10})], ['1xh100-sxm'], {maxUtilisation: 0.8})
    expect(half.report.options[0]!.placements[0]!.carries / more.report.options[0]!.placements[0]!.carries).toBeCloseTo(0.5, 2)
  })

  it('a limit that only the slow end misses is kept, and both numbers are said', async () => {
    const {report} = await ask([demand({model: 'qwen3-32b', users: 200, inputTokens: 8000, outputTokens: 500, slo: {ttftMs: 5000}})], ['2xl40s', '4xrtx-3090'])
    const [fits, slow] = report.options
    expect([fits!.machine, fits!.verdict]).toEqual(['2xl40s', 'tight'])
    // What is told of the deployment is what carried the load.
    const {limits, result} = fits!.placements[0]!
    for (const {name, estimate} of limits!) if (name !== 'endToEndMs') expect(result.performance![name].estimate, name).toBe(estimate)
    const [{estimate, high, limit}] = fits!.placements[0]!.limits as [Reached]
    expect(estimate).toBeLessThanOrEqual(limit)
    expect(high).toBeGreaterThan(limit)
    expect(renderCapacity(report, {columns: 200, colour: false})).toMatch(/First token: [\d.]+ s expected, up to [\d.]+ s at the slow end; the limit is 5 s/)
    expect(slow).toMatchObject({machine: '4xrtx-3090', feasible: false, verdict: 'too-slow', problems: [{code: 'slo-missed', name: 'qwen3-32b'}]})
    const [missed] = slow!.problems[0]!.limits as [Reached]
    expect(missed.estimate).toBeGreaterThan(5000)
    expect(slow!.problems[0]!.message).toMatch(
      /^a single request: first token [\d.]+ s expected \(the limit is 5 s; [\d.]+ s at the slow end\); nearest layout: \w+ /,
    )
  })

  it('stricter limits, longer answers and more growth never take fewer machines', async () => {
    const machines = async (rest: Partial<DemandAsked>, months = [0]) =>
      (await ask([demand({requestRate: 60, slo: {tpotMs: 40}, ...rest})], ['1xh100-sxm'], {months})).report.options[0]!.periods.map(({needed}) => needed)
    const [usual] = await machines({})
    expect((await machines({slo: {tpotMs: 20}}))[0]).toBeGreaterThanOrEqual(usual!)
    expect((await machines({outputTokens: 1024}))[0]).toBeGreaterThan(usual!)
    const grown = await machines({growth: 1.1}, [0, 6, 12])
    // 1.1^12 is 3.14.
    expect(grown[2]! / grown[0]!).toBeGreaterThan(2.2)
    expect(grown).toEqual([...grown].sort((a, b) => a - b))
  })

  it('is the same each time', async () => {
    const question: [DemandAsked[], string[]] = [
      [demand({requestRate: 20, outputTokens: {p50: 200, p95: 900}, slo: {ttftMs: 1500, tpotMs: 60}})],
      ['1xh100-sxm'],
    ]
    expect(JSON.stringify((await ask(...question)).report)).toBe(JSON.stringify((await ask(...question)).report))
  })

  it('checks a percentile with the simulator where lengths spread', async () => {
    const {report} = await ask([demand({requestRate: 20, outputTokens: {p50: 200, p95: 900}, slo: {ttftMs: 1500, tpotMs: 60}})], ['1xh100-sxm'])
    expect(report.demands[0]!.slo).toEqual({ttftMs: 1500, tpotMs: 60, percentile: 95})
    expect(report.options[0]!.placements[0]!.shareWithinLimits).toBeGreaterThanOrEqual(0.95)
  })

  it('puts several models on one fleet, on parts of machines', async () => {
    const {report, deployments} = await ask(
      [demand({name: 'chat', requestRate: 2}), demand({name: 'code', model: 'qwen3-32b', requestRate: 1})],
      ['8xh100-sxm'],
    )
    const [option] = report.options
    expect(option!.periods[0]!.machines).toBe(1)
    const used = option!.periods[0]!.units.reduce((sum, {units}, index) => sum + units * option!.placements[index]!.gpus, 0)
    expect(used).toBeLessThanOrEqual(8)
    expect(deployments.map(({name, replicas}) => [name, replicas > 0])).toEqual([
      ['chat', true],
      ['code', true],
    ])
  })

  it('says which machine does not carry it, and why', async () => {
    const {report} = await ask([demand({model: 'deepseek-ai/DeepSeek-V3.2', requestRate: 1})], ['2xh100-sxm', '8xh200-sxm'])
    expect(report.options.map(({machine, feasible}) => [machine, feasible])).toEqual([
      ['8xh200-sxm', true],
      ['2xh100-sxm', false],
    ])
    // The layout that comes nearest: 671B parameters of a byte over both GPUs are 312 GiB on each, some more where they stay at 16 bits.
    expect(report.options[1]!.problems[0]).toMatchObject({code: 'weights-exceed-memory'})
    const [, need] = /weights need ([\d.]+) GiB per GPU/.exec(report.options[1]!.problems[0]!.message)!
    expect(Number(need)).toBeGreaterThan(312)
    expect(Number(need)).toBeLessThan(312 * 1.04)
    const slow = await ask([demand({requestRate: 1, slo: {tpotMs: 0.5}})], ['1xh100-sxm'])
    expect(slow.report.feasible).toBe(false)
    const [problem] = slow.report.options[0]!.problems
    expect(problem).toMatchObject({code: 'slo-missed', limits: [{name: 'tpotMs', limit: 0.5}]})
    expect(problem!.message).toMatch(/each further token [\d.]+ ms expected \(the limit is 0\.5 ms/)
  })

  it('costs what the prices and rated power say', async () => {
    const {report} = await ask([demand({requestRate: 5})], [], {kinds: [kind('1xh100-sxm', 2000), kind('4xl40s', 900)], kwhPrice: 0.25})
    expect(report.options.map(({periods}) => periods[0]!.costPerMonth)).toEqual(
      [...report.options.map(({periods}) => periods[0]!.costPerMonth!)].sort((a, b) => a - b),
    )
    const h100 = report.options.find(({machine}) => machine === '1xh100-sxm')!
    const {machines, watts, kwhPerMonth, costPerMonth, energyCostPerMonth} = h100.periods[0]!
    expect(costPerMonth).toBe(2000 * machines)
    // 700 W each, 730.5 hours in a mean month.
    expect(watts).toBe(700 * machines)
    expect(kwhPerMonth).toBeCloseTo(0.7 * HOURS_PER_MONTH * machines, 6)
    expect(energyCostPerMonth).toBeCloseTo(kwhPerMonth! * 0.25, 6)
    expect(h100.powerOf).toBe('gpus')
  })

  it('reads in 80 columns, and as CSV', async () => {
    const {report} = await ask([demand({name: 'chat, "all"', requestRate: 40, growth: 1.05, slo: {ttftMs: 2000}})], ['1xh100-sxm', '4xl40s', '2xrtx-4090'], {
      months: [0, 12],
    })
    const text = renderCapacity(report, {columns: 80, colour: false})
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(text).toContain('upper bound')
    const lines = capacityCsv(report).trimEnd().split('\r\n')
    const [header, ...rows] = lines.map(csvFields)
    // Three machines, two months, one model.
    expect(rows).toHaveLength(6)
    for (const row of rows) expect(row).toHaveLength(header!.length)
    expect(rows[0]![header!.indexOf('model')]).toBe('chat, "all"')
  })

  it('CSV cells are not formulas', async () => {
    const {report} = await ask([demand({name: '=1+1', requestRate: 1})], ['1xh100-sxm'])
    expect(capacityCsv(report)).toContain("'=1+1")
  })
})

describe('laws of capacity', () => {
  const asked = fc.record({
    model: fc.constantFrom('qwen3-8b', 'qwen3-32b', 'gpt-oss-120b', 'llama-3.1-8b'),
    gpu: fc.constantFrom('1xrtx-4090', '1xh100-sxm', '4xl40s', '8xh200-sxm', '2xb200-sxm'),
    users: fc.integer({min: 1, max: 5000}),
    inputTokens: fc.constantFrom(200, 1024, 6000),
    outputTokens: fc.constantFrom(64, 512, 1500),
    slo: fc.constantFrom({}, {ttftMs: 2000, tpotMs: 50}, {ttftMs: 800}, {tpotMs: 25}, {endToEndMs: 30_000}),
  })
  const machines = async ({gpu, ...rest}: {gpu: string} & Partial<DemandAsked>, more: Partial<CapacityAsked> = {}) => {
    const {report} = await ask([demand(rest)], [gpu], more)
    return report.options[0]!.periods.map(({needed}) => needed)
  }
  /** Machines that nothing carries count as more than any number. */
  const number = async (question: {gpu: string} & Partial<DemandAsked>) => (await machines(question))[0] ?? Number.POSITIVE_INFINITY
  const THINK = [0, 0.01, 0.1, 1, 2, 5, 10, 20, 30, 60, 300]

  it('more pause never takes more machines', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async (question) => {
        const counts = [await number(question)]
        for (const thinkSeconds of THINK) counts.push(await number({...question, thinkSeconds}))
        expect(counts).toEqual([...counts].sort((a, b) => b - a))
        // No pause is the closed loop itself.
        expect(counts[1]).toBe(counts[0])
      }),
      {numRuns: 10},
    )
  })

  it('more pause never takes more machines at a percentile either', async () => {
    for (const [model, gpu, percentile] of [
      ['qwen3-8b', '1xrtx-4090', 95],
      ['qwen3-32b', '1xh100-sxm', 90],
      ['llama-3.1-8b', '4xl40s', 99],
    ] as const) {
      const counts: number[] = []
      for (const thinkSeconds of [0, 0.01, 1, 5, 20, 60])
        counts.push(await number({model, gpu, users: 2000, thinkSeconds, slo: {ttftMs: 2000, tpotMs: 50, percentile}}))
      expect(counts, `${model} ${gpu}`).toEqual([...counts].sort((a, b) => b - a))
    }
  })

  it('the question that went wrong: 500 users of a 4090', async () => {
    const question = {model: 'qwen3-8b', gpu: '1xrtx-4090', users: 500, outputTokens: 512, slo: {ttftMs: 2000, tpotMs: 50}}
    const counts: number[] = []
    for (const thinkSeconds of THINK) counts.push(await number({...question, thinkSeconds}))
    expect(counts[0]).toBe(5)
    expect(counts.at(-1)).toBe(1)
    expect(Math.max(...counts)).toBe(5)
  })

  it('more users and stricter limits never take fewer machines, in any month', async () => {
    await fc.assert(
      fc.asyncProperty(asked, fc.constantFrom(0, 5, 60), fc.double({min: 1, max: 4, noNaN: true}), async (question, thinkSeconds, factor) => {
        const rest = {...question, thinkSeconds, growth: 1.1}
        const usual = await machines(rest, {months: [0, 9]})
        const more = await machines({...rest, users: Math.ceil(question.users * factor)}, {months: [0, 9]})
        for (const [index, count] of more.entries()) expect(count).toBeGreaterThanOrEqual(usual[index]!)
        const looser = Object.fromEntries(Object.entries(question.slo).map(([name, limit]) => [name, limit * factor]))
        const loose = await machines({...rest, slo: looser}, {months: [0, 9]})
        for (const [index, count] of usual.entries()) expect(loose[index]).toBeLessThanOrEqual(count)
      }),
      {numRuns: 20},
    )
  })

  it('a faster machine never takes more', async () => {
    await fc.assert(
      fc.asyncProperty(
        asked,
        fc.constantFrom('h100-sxm', 'h100-pcie'),
        fc.constantFrom(1, 4, 8),
        fc.constantFrom(undefined, 10, 60),
        async (question, slower, gpus, pause) => {
          const rest = {...question, ...(pause !== undefined && {thinkSeconds: pause})}
          expect(await number({...rest, gpu: `${gpus}xh200-sxm`})).toBeLessThanOrEqual(await number({...rest, gpu: `${gpus}x${slower}`}))
          const {users: _users, ...arrivals} = {...question, requestRate: question.users / 10}
          expect(await number({...arrivals, gpu: `${gpus}xh200-sxm`})).toBeLessThanOrEqual(await number({...arrivals, gpu: `${gpus}x${slower}`}))
        },
      ),
      {numRuns: 15},
    )
  })

  it('users who pause obey the interactive response time law', async () => {
    const {report} = await ask([demand({users: 3000, thinkSeconds: 15, slo: {ttftMs: 2000, tpotMs: 50}})], ['1xh100-sxm'])
    const {carries, inFlight, requestsPerSecond} = report.options[0]!.placements[0]!
    // N = n + X Z: those who are answered and those who pause are all.
    expect(inFlight!.mean + requestsPerSecond * 15).toBeCloseTo(carries, 6)
    expect(inFlight!.busy).toBeGreaterThan(inFlight!.mean)
    expect(inFlight!.busy).toBeLessThan(carries)
  })
})

describe('a population that pauses', () => {
  /** Every answer takes a second, however many are in flight. */
  const alone = (inFlight: number) => inFlight

  it('is binomial where answers do not slow each other', () => {
    // Ten people, one second of answer and three of pause: each is in flight with chance 1/4. P(n <= 2) = 0.5256 and P(n <= 5) = 0.9803 (tables).
    const population = {people: 10, pauseSeconds: 3, rate: alone}
    expect(shareInFlight(population, 2)).toBeCloseTo(0.5256, 4)
    expect(shareInFlight(population, 5)).toBeCloseTo(0.9803, 4)
    expect(meanInFlight(population)).toBeCloseTo(2.5, 9)
    expect(busyInFlight(population, 0.95, 10)).toBe(5)
    expect(mostPeople(3, alone, 5, 0.95)).toBeGreaterThanOrEqual(10)
  })

  it('is a queue at one server where answers take turns', () => {
    // Two people, one server with a mean of 1 s, a pause of 1 s: p0 : p1 : p2 = 1 : 2 : 2.
    const population = {people: 2, pauseSeconds: 1, rate: () => 1}
    expect(shareInFlight(population, 0)).toBeCloseTo(0.2, 12)
    expect(shareInFlight(population, 1)).toBeCloseTo(0.6, 12)
    expect(meanInFlight(population)).toBeCloseTo(1.2, 12)
  })

  it('carries as many as may be in flight without a pause, and more with one', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 2000}),
        fc.double({min: 0.5, max: 0.999, noNaN: true}),
        fc.double({min: 0.01, max: 50, noNaN: true}),
        fc.double({min: 1, max: 300, noNaN: true}),
        (most, share, rate, halfAt) => {
          // Saturates: half of the highest rate with `halfAt` in flight.
          const curve = (inFlight: number) => (rate * inFlight) / (inFlight + halfAt)
          let before = mostPeople(0, curve, most, share)
          expect(before).toBe(most)
          for (const pauseSeconds of [0.01, 1, 30, 600]) {
            const people = mostPeople(pauseSeconds, curve, most, share)
            expect(people).toBeGreaterThanOrEqual(before)
            expect(shareInFlight({people, pauseSeconds, rate: curve}, most)).toBeGreaterThanOrEqual(share)
            expect(shareInFlight({people: people + 1, pauseSeconds, rate: curve}, most)).toBeLessThan(share)
            // Nobody gets more than the machine gives: X <= X(most), and N <= n + Z X.
            expect(people).toBeLessThanOrEqual(most + pauseSeconds * curve(most + 1) + 2)
            before = people
          }
        },
      ),
      {numRuns: 60},
    )
  })

  it('agrees with the simulator where everybody takes a step', () => {
    // A step of 10 ms whoever takes part, ten tokens: an answer takes 100 to 110 ms by where in a step it comes. 20 people, a pause of 300 ms.
    const {utilisation} = simulate({
      clock: {stages: 1, stepMs: () => 10},
      limits: {maxNumSeqs: 100, maxNumBatchedTokens: 1000},
      load: {kind: 'population', people: 20, meanPauseMs: 300, requestCount: 200_000, input: {kind: 'fixed', tokens: 1}, output: {kind: 'fixed', tokens: 10}},
      skipFirst: 100,
    })
    // Running 100 ms of a cycle of 100 + 5 + 300 in the mean: 4.938 of 20 at a time.
    expect(Math.abs(utilisation.meanRunning - 4.938)).toBeLessThan(0.02)
  })
})

describe('candidates', () => {
  it('are machines of the catalogue that are sold and hold the model, one for each card and number', async () => {
    const kinds = await candidateKinds(context, [demand({model: 'qwen3-32b'})])
    const keys = kinds.map(({machine}) => `${machine.gpus[0]!.accelerator.id} ${machine.gpus.length}`)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys).toEqual(
      expect.arrayContaining(['h100-sxm 8', 'h200-sxm 8', 'mi300x 8', 'a100-80gb-sxm 8', 'rtx-pro-6000-blackwell-ws 1', 'l40s 1', 'l40s 2', 'l40s 4']),
    )
    // Cards on boards of eight are not had one by one.
    expect(keys).not.toContain('h200-sxm 1')
    for (const {machine} of kinds) {
      const {accelerator} = machine.gpus[0]!
      expect(['nvidia', 'amd']).toContain(accelerator.vendor)
      expect(accelerator.form).not.toBe('consumer')
      expect(accelerator.releaseYear).toBeGreaterThanOrEqual(2020)
      expect(machine.nodeCount).toBe(1)
    }
    // A machine to buy whose power is known, before one to rent.
    expect(kinds.map(({name}) => name)).toContain('dgx-h100')
    // 671B parameters take more than 300 GB in any format.
    const large = await candidateKinds(context, [demand({model: 'deepseek-ai/DeepSeek-V3.2'})])
    for (const {machine} of large) expect(machine.gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)).toBeGreaterThan(300e9)
    expect(large.length).toBeLessThan(kinds.length)
  })

  it('are answered by the best handful, fewest GPUs first', async () => {
    const demands = [demand({model: 'qwen3-32b', users: 300, slo: {ttftMs: 2000, tpotMs: 50}})]
    const kinds = await candidateKinds(context, demands)
    const {report} = await capacity(context, {demands, kinds, fromCatalogue: true, months: [0], spare: 0, maxUtilisation: 0.85})
    expect(report.candidates).toEqual({considered: kinds.length})
    expect(report.options.length).toBe(6)
    const gpus = report.options.map(({periods}) => periods[0]!.gpus)
    expect(gpus).toEqual([...gpus].sort((a, b) => a - b))
    // None of those that are left out takes fewer.
    const all = await capacity(context, {demands, kinds, months: [0], spare: 0, maxUtilisation: 0.85})
    const rest = all.report.options.filter(({machine, feasible}) => feasible && !report.options.some((shown) => shown.machine === machine))
    for (const {periods} of rest) expect(periods[0]!.gpus).toBeGreaterThanOrEqual(gpus.at(-1)!)
  })
})

describe('the smallest machine that does', () => {
  const limits = {ttftMs: 2000, tpotMs: 50}
  const searched = async (demands: DemandAsked[]) =>
    (await capacity(context, {demands, kinds: await candidateKinds(context, demands), fromCatalogue: true, months: [0], spare: 0, maxUtilisation: 0.85})).report

  it('comes first of those with as many GPUs that are as safe', async () => {
    const {options} = await searched([demand({model: 'qwen3-8b', users: 20, slo: limits, outputTokens: 512})])
    const kinds = await candidateKinds(context, [demand({model: 'qwen3-8b'})])
    const keys = options.map(({machine, periods: [first]}) => {
      const {gpus} = kinds.find(({name}) => name === machine)!.machine
      return {gpus: first!.gpus, safe: first!.cautious?.gpus ?? Number.MAX_SAFE_INTEGER, memoryBytes: first!.machines * gpus.length * gpus[0]!.memoryBytes}
    })
    expect(keys).toEqual([...keys].sort((a, b) => a.gpus - b.gpus || a.safe - b.safe || a.memoryBytes - b.memoryBytes))
    expect(options[0]!.machine).toBe('1xradeon-ai-pro-r9700')
    expect(options.map(({machine}) => machine)).toContain('1xl4')
    // No card is listed with more of it where fewer do.
    expect(new Set(options.map(({gpu}) => gpu)).size).toBe(options.length)
  })

  it('keeps the quality of the model where that takes no more machines, and not where it does', async () => {
    const layout = async (users: number, gpu: string) => {
      const {report} = await ask([demand({model: 'qwen3-32b', users, outputTokens: 512})], [gpu])
      return {weights: report.options[0]!.placements[0]!.result.deployment.weights, needed: report.options[0]!.periods[0]!.needed}
    }
    expect((await layout(300, '8xh100-sxm')).weights).toMatch(/^(bf16|fp8)/)
    // 115 requests of 4-bit weights enter an L40S, fewer of 8-bit ones. Of the 4-bit builds Red Hat AI's lost nothing that was measured on it.
    const small = await layout(100, '1xl40s')
    expect(small).toEqual({weights: 'gptq-int4', needed: 1})
    const {report} = await ask([demand({model: 'qwen3-32b', users: 100, outputTokens: 512, request: {weights: 'fp8'}})], ['1xl40s'])
    expect(report.options[0]!.periods[0]!.needed).toBeGreaterThan(1)
  })
})

describe('the load asked for', () => {
  it('is what the times are told at, with and without limits', async () => {
    for (const slo of [{}, {ttftMs: 2000, tpotMs: 50}]) {
      const {report} = await ask([demand({model: 'qwen3-32b', users: 100, slo})], ['8xh100-sxm'])
      const {result, carries, atLoad} = report.options[0]!.placements[0]!
      expect(carries).toBeGreaterThan(100)
      expect(atLoad!.amount).toBe(100)
      const there = await checked(context, {...result, workload: {...result.workload!, concurrency: 100}}, '8xh100-sxm')
      expect(atLoad!.tpotMs).toEqual(there.performance!.tpotMs)
      const text = renderCapacity(report, {columns: 80, colour: false})
      expect(text).toContain('At the load that was asked for, with 100 users on each')
    }
  })

  it('is spelled in digits that say something', async () => {
    const {report} = await ask([demand({requestRate: 0.01})], ['1xl4'])
    expect(renderCapacity(report, {columns: 80, colour: false})).toContain('0.01 requests/s')
  })

  it('takes a growing share of the machines of two models', async () => {
    const demands = [demand({model: 'qwen3-32b', users: 400, growth: 1.05}), demand({model: 'qwen3-8b', users: 200, growth: 1.05})].map((one) => ({
      ...one,
      slo: {ttftMs: 2000, tpotMs: 50},
    }))
    const {report} = await ask(demands, ['8xh100-sxm'], {months: [0, 6, 12]})
    const [option] = report.options
    const used = option!.periods.map(({utilisation}) => utilisation)
    expect(option!.periods.map(({machines}) => machines)).toEqual([1, 1, 1])
    // 5% more each month, on as many GPUs.
    expect(used[1]! / used[0]!).toBeCloseTo(1.05 ** 6, 9)
    expect(used[2]! / used[0]!).toBeCloseTo(1.05 ** 12, 9)
    // By hand: the GPUs that each model's users take, of 8.
    const gpus = option!.placements.reduce((sum, placement, index) => sum + (placement.gpus * report.demands[index]!.amount) / placement.carries, 0)
    expect(used[0]).toBeCloseTo(gpus / 8, 9)
  })
})

/** A trace of requests as our own columns hold them. */
const traceOf = (requests: readonly {arrivalMs: number; inputTokens: number; outputTokens: number}[]) =>
  wholeTrace(
    ['arrivalMs,inputTokens,outputTokens', ...requests.map((one) => `${one.arrivalMs},${one.inputTokens},${one.outputTokens}`)].join('\n'),
    'trace.csv',
  )

const parseTrace = (text: string, path: string) => wholeTrace(text, path).requests

describe('traces', () => {
  const expected = [
    {arrivalMs: 0, inputTokens: 100, outputTokens: 20},
    {arrivalMs: 1500, inputTokens: 300, outputTokens: 40},
  ]

  it('are read in the forms that are published', () => {
    // Our own, Azure's, Mooncake's and one with seconds.
    expect(parseTrace('arrivalMs,inputTokens,outputTokens\n10,100,20\n1510,300,40\n', 'a')).toEqual(expected)
    expect(parseTrace('TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,100,20\r\n2023-11-16 18:17:05.4799600,300,40\r\n', 'b')).toEqual(
      expected,
    )
    expect(
      parseTrace(
        '{"timestamp": 0, "input_length": 100, "output_length": 20, "hash_ids": [1]}\n{"timestamp": 1500, "input_length": 300, "output_length": 40}\n',
        'c',
      ),
    ).toEqual(expected)
    expect(parseTrace('"Timestamp","Model","Request tokens","Response tokens","Log, type"\n5,GPT-4,100,20,"a ""b"", c"\n6.5,GPT-4,300,40,x\n', 'd')).toEqual(
      expected,
    )
  })

  it('are put in order, from zero', () => {
    expect(parseTrace('arrivalMs,inputTokens,outputTokens\n1510,300,40\n10,100,20\n', 'a')).toEqual(expected)
  })

  it('name the line that is wrong', () => {
    const bad: [string, RegExp][] = [
      ['', /line 1/],
      ['a,b\n1,2\n', /found a, b/],
      ['arrivalMs,inputTokens,outputTokens\n1,2\n', /line 2: 2 fields/],
      ['arrivalMs,inputTokens,outputTokens\n1,2,3\nsoon,2,3\n', /line 3: arrivalMs is "soon"/],
      ['arrivalMs,inputTokens,outputTokens\n1,-2,3\n', /line 2: inputTokens is "-2"/],
      ['arrivalMs,inputTokens,outputTokens\n1,,3\n', /line 2: inputTokens is ""/],
      ['{"timestamp": 1, "input_length": 3, "output_length": 4}\nnonsense\n', /line 2: expected a JSON object/],
    ]
    for (const [text, message] of bad) expect(() => parseTrace(text, 'trace.csv'), text).toThrow(message)
  })

  it('any CSV of ours comes back', () => {
    const field = fc.string({maxLength: 12}).filter((text) => !/[\r\n]/.test(text) && text.trim() === text)
    fc.assert(
      fc.property(fc.array(field, {minLength: 1, maxLength: 6}), (fields) => {
        const line = fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')
        expect(csvFields(line)).toEqual(fields)
      }),
    )
  })

  it('in short: means, and the busiest minute', () => {
    const requests = Array.from({length: 180}, (_, index) => ({
      arrivalMs: index < 120 ? index * 500 : 60_000 + (index - 120) * 2000,
      inputTokens: 100,
      outputTokens: index % 2 === 0 ? 10 : 30,
    }))
    const {summary} = traceOf(requests)
    expect(summary).toMatchObject({requests: 180, inputTokens: 100, outputTokens: 20})
    // Two a second in the first minute, one every two seconds after it.
    expect(summary.peakRequestsPerSecond).toBeCloseTo(2, 1)
    expect(summary.meanRequestsPerSecond).toBeCloseTo(179 / 178, 2)
  })

  it('size a fleet by their own arrivals', async () => {
    const trace = Array.from({length: 400}, (_, index) => ({
      arrivalMs: Math.floor(index / 20) * 4000,
      inputTokens: 500 + (index % 7) * 100,
      outputTokens: 50 + (index % 5) * 40,
    }))
    const {report} = await ask([demand({trace: traceOf(trace), slo: {ttftMs: 1000, tpotMs: 50}})], ['1xh100-sxm'])
    expect(report.feasible).toBe(true)
    expect(report.demands[0]).toMatchObject({unit: 'requestsPerSecond', slo: {percentile: 95}, trace: {requests: 400}})
  })
})

describe('lengths', () => {
  it('become laws with the mean that was meant', () => {
    // exp(m + s^2 / 2) with s = ln(4) / 1.6449 = 0.8428: 200 x 1.426.
    expect(lawOf({p50: 200, p95: 800}, 1e6)).toMatchObject({kind: 'lognormal', mean: expect.closeTo(285.3, 0)})
    expect(lawOf({low: 10, high: 30}, 1e6)).toEqual({kind: 'uniform', low: 10, high: 30})
    expect(lawOf({mean: 1000, deviation: 0}, 1e6)).toMatchObject({mean: 1000, deviation: 0})
    expect(lawOf(7, 1e6)).toEqual({kind: 'fixed', tokens: 7})
  })
})

describe('money', () => {
  it('is a month in the end', () => {
    expect(parsePrice('2/h', 'p')).toBe(2 * HOURS_PER_MONTH)
    expect(parsePrice('1,200/month', 'p')).toBe(1200)
    expect(parsePrice('12000/year', 'p')).toBe(1000)
    for (const text of ['2', '2/day', 'free', '-3/h', '1e5/h']) expect(() => parsePrice(text, 'p'), text).toThrow(/p /)
  })
  it('growth is a factor of a month', () => {
    expect(parseGrowth('5%/month', 'g')).toBeCloseTo(1.05, 12)
    expect(parseGrowth('0.05', 'g')).toBeCloseTo(1.05, 12)
    expect(parseGrowth('100%/year', 'g') ** 12).toBeCloseTo(2, 9)
    for (const text of ['5%/week', 'much', '-100%']) expect(() => parseGrowth(text, 'g'), text).toThrow(/g /)
  })
})

describe('packing', () => {
  it('loses no unit and overfills no machine', () => {
    const sizes = fc.array(fc.record({gpus: fc.constantFrom(1, 2, 4, 8), count: fc.integer({min: 1, max: 9})}), {minLength: 1, maxLength: 5})
    fc.assert(
      fc.property(sizes, (units) => {
        const machines = packed(
          units.map((unit, demand) => ({...unit, demand})),
          8,
        )
        const total = units.reduce((sum, {gpus, count}) => sum + gpus * count, 0)
        // Powers of two fill up: no more machines than the GPUs need.
        expect(machineCount(machines)).toBe(Math.ceil(total / 8))
        for (const [demand, {count}] of units.entries())
          expect(machines.reduce((sum, alike) => sum + alike.count * (alike.load.get(demand) ?? 0), 0)).toBe(count)
        for (const {load} of machines) expect([...load].reduce((sum, [demand, count]) => sum + count * units[demand]!.gpus, 0)).toBeLessThanOrEqual(8)
      }),
    )
  })
  it('is that of one unit after the other, largest first into the first machine with room', () => {
    const sizes = fc.array(fc.record({gpus: fc.integer({min: 1, max: 8}), count: fc.integer({min: 1, max: 40})}), {minLength: 1, maxLength: 5})
    fc.assert(
      fc.property(sizes, (given) => {
        const units = given.map((unit, demand) => ({...unit, demand}))
        const expected: {free: number; load: number[]}[] = []
        for (const {demand, gpus, count} of [...units].sort((a, b) => b.gpus - a.gpus))
          for (let unit = 0; unit < count; unit++) {
            let machine = expected.find(({free}) => free >= gpus)
            if (!machine) {
              machine = {free: 8, load: units.map(() => 0)}
              expected.push(machine)
            }
            machine.free -= gpus
            machine.load[demand]! += 1
          }
        const found = packed(units, 8).flatMap(({load, count}) => Array.from({length: count}, () => units.map(({demand}) => load.get(demand) ?? 0)))
        expect(found).toEqual(expected.map(({load}) => load))
      }),
    )
  })
  it('of a thousand million machines takes as long as of three', () => {
    // 2 x 10^9 units of 4 GPUs fill 10^9 machines of 8; 9 units of 1 GPU take one more, and one GPU of another.
    const machines = packed(
      [
        {demand: 0, gpus: 4, count: 2e9},
        {demand: 1, gpus: 1, count: 9},
      ],
      8,
    )
    expect(machines.map(({count, load}) => [count, [...load]])).toEqual([
      [1e9, [[0, 2]]],
      [1, [[1, 8]]],
      [1, [[1, 1]]],
    ])
  })
  it('finds the machine whose loss hurts most', () => {
    const machines = [
      {count: 1, load: new Map([[0, 2]])},
      {
        count: 1,
        load: new Map([
          [0, 1],
          [1, 1],
        ]),
      },
      {count: 1, load: new Map([[1, 1]])},
    ]
    // Of three units of the first, two lie on one machine: 1.5 needed over 1 left.
    expect(shareAfterLoss(machines, [{needed: 1.5}, {needed: 0.8}], [3, 2])).toBe(1.5)
    expect(shareAfterLoss([{count: 1, load: new Map([[0, 1]])}], [{needed: 0.5}], [1])).toBe(Number.POSITIVE_INFINITY)
  })
})
