import * as fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import {capacity, type CapacityAsked} from '../../src/planner/capacity/capacity.ts'
import {type DemandAsked, lawOf} from '../../src/planner/capacity/demand.ts'
import {packed, shareAfterLoss} from '../../src/planner/capacity/fleet.ts'
import {HOURS_PER_MONTH, parseGrowth, parsePrice} from '../../src/planner/capacity/money.ts'
import {csvFields, parseTrace, traceSummary} from '../../src/planner/capacity/trace.ts'
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
          for (const {result} of report.options[0]!.placements) expect(numbersOf(result)).toEqual(numbersOf(await checked(context, result, gpu)))
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

  it('keeps the limits at the cautious end, and plans below saturation', async () => {
    const slo = {ttftMs: 1500, tpotMs: 30}
    const {report} = await ask([demand({requestRate: 10, slo})], ['1xh100-sxm'])
    const {performance} = report.options[0]!.placements[0]!.result
    expect(performance!.ttftMs.high).toBeLessThanOrEqual(slo.ttftMs)
    expect(performance!.tpotMs.high).toBeLessThanOrEqual(slo.tpotMs)
    const half = await ask([demand({requestRate: 10})], ['1xh100-sxm'], {maxUtilisation: 0.4})
    const more = await ask([demand({requestRate: 10})], ['1xh100-sxm'], {maxUtilisation: 0.8})
    expect(half.report.options[0]!.placements[0]!.carries).toBeCloseTo(more.report.options[0]!.placements[0]!.carries / 2, 1)
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
    expect(report.options[1]!.problems[0]!.message).toMatch(/weights need/)
    const slow = await ask([demand({requestRate: 1, slo: {tpotMs: 0.5}})], ['1xh100-sxm'])
    expect(slow.report.feasible).toBe(false)
    expect(slow.report.options[0]!.problems[0]!.message).toMatch(/limits/)
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
    const summary = traceSummary(requests)
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
    const {report} = await ask([demand({trace, slo: {ttftMs: 1000, tpotMs: 50}})], ['1xh100-sxm'])
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
        expect(machines).toHaveLength(Math.ceil(total / 8))
        for (const [demand, {count}] of units.entries()) expect(machines.reduce((sum, load) => sum + (load.get(demand) ?? 0), 0)).toBe(count)
        for (const load of machines) expect([...load].reduce((sum, [demand, count]) => sum + count * units[demand]!.gpus, 0)).toBeLessThanOrEqual(8)
      }),
    )
  })
  it('finds the machine whose loss hurts most', () => {
    const machines = [
      new Map([[0, 2]]),
      new Map([
        [0, 1],
        [1, 1],
      ]),
      new Map([[1, 1]]),
    ]
    // Of three units of the first, two lie on one machine: 1.5 needed over 1 left.
    expect(shareAfterLoss(machines, [{needed: 1.5}, {needed: 0.8}], [3, 2])).toBe(1.5)
    expect(shareAfterLoss([new Map([[0, 1]])], [{needed: 0.5}], [1])).toBe(Number.POSITIVE_INFINITY)
  })
})
