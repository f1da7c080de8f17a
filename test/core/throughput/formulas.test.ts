import {describe, expect, it} from 'vitest'
import {isLater, releaseYear} from '../../../src/core/throughput/engine-version.ts'
import {classModifiers, hardwareClass, nearestClass, ratesOf} from '../../../src/core/throughput/hardware.ts'
import {performance, preparedModel, servingOf} from '../../../src/core/throughput/performance.ts'
import {tokensPerStep} from '../../../src/core/throughput/drafting.ts'
import {admissionLimit, admissionSteps, closedLoop, promptsTogether, queueWait, saturatedWait} from '../../../src/core/throughput/serving.ts'
import {distinctExperts, imbalance, softMaximum} from '../../../src/core/throughput/step.ts'
import {calibration, gpu, question} from './question.ts'

describe('experts', () => {
  it('one token touches as many as it picks', () => expect(distinctExperts(256, 8, 1, 1)).toBeCloseTo(8, 9))
  // 128 (1 - (124/128)^32) = 128 (1 - 0.362) = 81.7
  it('32 tokens of 4 out of 128', () => expect(distinctExperts(128, 4, 32, 1)).toBeCloseTo(81.66, 1))
  it('many tokens touch all', () => expect(distinctExperts(64, 8, 10_000, 1)).toBeCloseTo(64, 6))
  it('the busiest group has more the fewer there are to share out', () => {
    expect(imbalance(100, 1)).toBe(1)
    // 1 + 0.7 sqrt(2 ln 8 x 7 / 800) = 1.134
    expect(imbalance(800, 8)).toBeCloseTo(1.1335, 3)
    expect(imbalance(80_000, 8)).toBeLessThan(1.02)
  })
})

describe('queues', () => {
  // Ten prompts of a second at once: the mean waits for about half of the work, (10 + sqrt(100 + 40)) / 4 = 5.46 s.
  it('a burst waits for half of itself', () => expect(queueWait(10, 1, 0)).toBeCloseTo(5.458, 3))
  // 10 s of work over 1000 s: M/D/1 gives 0.01 / (2 x 0.99) = 5.05 ms.
  it('a thin stream hardly waits', () => expect(queueWait(10, 1, 1000)).toBeCloseTo(0.00505, 4))
  // 100 s of work in a round, 10 s away: the round takes 100 s, so 100 - 10 - 1 = 89 s are waited, and a little more.
  it('a full machine makes all wait for each other', () => expect(saturatedWait(100, 1, 10)).toBeCloseTo(89.1, 1))
  // a / (1 - e^-a): 1 for few, 2 / (1 - 0.135) = 2.31, and all of many.
  it('prompts that begin together', () => {
    expect(promptsTogether(0)).toBe(1)
    expect(promptsTogether(1e-4)).toBeCloseTo(1.00005, 6)
    expect(promptsTogether(2)).toBeCloseTo(2.313, 3)
    expect(promptsTogether(50)).toBeCloseTo(50, 6)
  })
  it('a scheduler that looks at every step lets nobody wait', () => expect(admissionSteps({}, 0.5)).toBe(0))
  // Once in 30 steps: 29 / 2. Waiting 20 steps after the first: alone all of it, in a crowd half.
  it('a scheduler that looks once in 30 steps', () => expect(admissionSteps({everySteps: 30}, 0.5)).toBe(14.5))
  it('a scheduler that waits for company', () => {
    expect(admissionSteps({waitSteps: 20}, 0)).toBe(20)
    // 20 (1 + 2 / 2) / (1 + 2) = 13.3 with two arrivals in that time
    expect(admissionSteps({waitSteps: 20}, 0.1)).toBeCloseTo(13.333, 3)
    expect(admissionSteps({waitSteps: 20}, 1e9)).toBeCloseTo(10, 6)
  })
  it('a scheduler that looks seldom delays the first token by so many steps', () => {
    const ask = (more: object) => {
      const input = question(more)
      return closedLoop(input, preparedModel(input, calibration), 1, 'together')
    }
    const plain = ask({})
    const seldom = ask({admission: {everySteps: 31}})
    expect((seldom.ttft - plain.ttft) / (15 * plain.tpot)).toBeCloseTo(1, 2)
  })
  // 64 prompts of 1,024 in batches of 8,192: the first 64 meet half of the other 56; later ones hardly any.
  it('the fewer rounds a loop runs, the more its first burst weighs', () => {
    const input = question({workload: {inputTokens: 1024, outputTokens: 1024, concurrency: 64}})
    const queue = (rounds?: number) => closedLoop({...input, rounds}, preparedModel(input, calibration), 64, 'together').wait.queue
    expect(queue(1)).toBeGreaterThan(queue(2))
    expect(queue(2)).toBeGreaterThan(queue(10))
    expect(queue(10)).toBe(queue())
    const model = preparedModel(input, calibration)
    const context = 1024 + 512
    const decode = {decodeSequences: 64, contextTokens: context, promptTokens: 0, promptSequences: 0, promptContextTokens: 0}
    const batch = model.time({...decode, promptTokens: 8 * 1024, promptSequences: 8, promptContextTokens: 512}).total - model.time(decode).total
    expect(queue(1) / (((64 - 8) / 2) * (batch / 8))).toBeCloseTo(1, 6)
  })
  it('answers of one length that all end together start together again', () => {
    const input = (outputSpread?: number) => ({...question({engine: 'sglang', maxNumBatchedTokens: 2048}), outputSpread})
    const [equal, drawn] = [0, undefined].map((spread) => performance(input(spread), calibration).ttftMs.estimate)
    expect(equal).toBeGreaterThan(drawn!)
  })
  it('drafts that are accepted 60% of the time give 1.6 tokens a step', () => expect(tokensPerStep(0.6, 1)).toBeCloseTo(1.6, 9))
  it('a limit on sequences and one on cache: the smaller holds', () => {
    expect(admissionLimit(question({maxNumSeqs: 256, kvCacheTokens: 204_800}), {input: 1024, output: 1024}, 1)).toBe(100)
    expect(admissionLimit(question({maxNumSeqs: 64, kvCacheTokens: 204_800}), {input: 1024, output: 1024}, 1)).toBe(64)
  })
  it('soft maximum lies between the larger and the sum', () => {
    expect(softMaximum(3, 0, 3)).toBe(3)
    // (1 + 1)^(1/3) = 1.26
    expect(softMaximum(1, 1, 3)).toBeCloseTo(1.26, 2)
  })
})

describe('versions', () => {
  const engine = {
    ...calibration.defaultEngine,
    unknownVersionYear: 2025.8,
    unknownVersions: [{prefix: 'nightly', year: 2026.2}],
    releases: [
      {version: '1.0.0rc1', year: 2025.5},
      {version: '1.0.0', year: 2025.7},
      {version: '1.2.0', year: 2026},
    ],
  }
  it.each([
    ['1.0.0rc3', 2025.5],
    ['1.0.0', 2025.7],
    ['1.1.4', 2025.7],
    ['1.2.0.post1', 2026],
    ['2.0', 2026],
    ['0.9', 2025.5],
    ['', 2025.8],
    ['nightly-2026', 2026.2],
  ])('%s', (version, year) => {
    expect(releaseYear(version, engine)).toBe(year)
  })
})

describe('hardware', () => {
  it('class by what kernels are written for', () => {
    expect(hardwareClass(gpu('h200-sxm'))).toBe('nvidia-9')
    expect(hardwareClass(gpu('rtx-4090'))).toBe('nvidia-8.9')
    expect(hardwareClass(gpu('mi300x'))).toBe('amd-gfx942')
  })
  it('a rate nobody published is said to be guessed', () => {
    const {denseOperationsPerSecond: _, ...bare} = gpu('h100-sxm')
    expect(ratesOf({...bare, denseOperationsPerSecond: {}}).guessed).toBe(true)
    expect(ratesOf(gpu('h100-sxm')).guessed).toBe(false)
  })
  it('unseen hardware and engines are named, and widen the interval', () => {
    const known = performance(question({}), calibration)
    const unknown = performance(question({card: 'rtx-4090', engine: 'nobody-knows'}), calibration)
    expect(known.basis.extrapolated).toEqual([])
    expect(unknown.basis.extrapolated).toEqual(['hardware', 'engine'])
    expect(unknown.tpotMs.high / unknown.tpotMs.low).toBeGreaterThan(known.tpotMs.high / known.tpotMs.low)
  })
})

describe('loads', () => {
  const at = (workload: Parameters<typeof question>[0]['workload']) => performance(question({workload, kvCacheTokens: 400_000}), calibration)
  it('an open loop below capacity delivers what is asked of it', () => {
    expect(at({inputTokens: 1000, outputTokens: 200, requestRate: 1}).outputTokensPerSecond.estimate).toBeCloseTo(200, 3)
  })
  it('beyond capacity it is bound by the cache and its wait grows', () => {
    const over = at({inputTokens: 1000, outputTokens: 200, requestRate: 500})
    expect(over.boundBy).toBe('kv-capacity')
    expect(over.ttftMs.estimate).toBeGreaterThan(10_000)
  })
  it('prefix hits shorten the wait', () => {
    expect(at({inputTokens: 4000, outputTokens: 200, concurrency: 8, prefixHitRate: 0.9}).ttftMs.estimate).toBeLessThan(
      at({inputTokens: 4000, outputTokens: 200, concurrency: 8}).ttftMs.estimate,
    )
  })
  it('"max" gives at least what any closed loop gives', () => {
    expect(at({inputTokens: 1000, outputTokens: 1000, concurrency: 'max'}).outputTokensPerSecond.estimate).toBeGreaterThan(
      at({inputTokens: 1000, outputTokens: 1000, concurrency: 32}).outputTokensPerSecond.estimate,
    )
  })
})

// Public InferenceX measurements (means over random lengths of 0.8 to 1.0 of 1024): what the set was fitted to, here so that a slip is seen.
describe('anchors', () => {
  it.each([
    {model: 'llama-3.3-70b', weights: 'fp8', card: 'h200-sxm', tp: 4, engine: 'vllm', engineVersion: '', concurrency: 16, tpotMs: 10.94},
    {model: 'llama-3.3-70b', weights: 'fp8', card: 'b200-sxm', tp: 8, engine: 'trtllm', engineVersion: '', concurrency: 4, tpotMs: 5.45},
    {model: 'gpt-oss-120b', weights: 'mxfp4', card: 'h100-sxm', tp: 2, engine: 'vllm', engineVersion: '0.18.0', concurrency: 8, tpotMs: 6.25},
  ])('$model $card $engine', ({concurrency, tpotMs, ...rest}) => {
    const answer = performance(question({...rest, workload: {inputTokens: 922, outputTokens: 922, concurrency}}), calibration)
    expect(Math.abs(answer.tpotMs.estimate / tpotMs - 1)).toBeLessThan(0.2)
  })
})

describe('an open loop', () => {
  const load = {inputTokens: 1024, outputTokens: 256}
  const of = (input: ReturnType<typeof question>) => servingOf(input, calibration)
  const arriving = (requestRate: number, more = {}) => of({...question(more), workload: {...load, requestRate}})
  const inFlight = (concurrency: number) => closedLoop(question({workload: load}), preparedModel(question({}), calibration), concurrency, 'random')
  const latency = ({ttft, tpot}: {ttft: number; tpot: number}) => ttft + 255 * tpot

  it('with few arrivals serves each alone', () => {
    expect(arriving(1e-4).tpot / inFlight(1).tpot).toBeCloseTo(1, 3)
    expect(arriving(1e-4).ttft / inFlight(1).ttft).toBeCloseTo(1, 3)
  })

  it('weighs what each arrival finds by its chance', () => {
    const [one, two] = [inFlight(1), inFlight(2)]
    const rate = one.requestsPerSecond / 2
    const both = arriving(rate, {maxNumSeqs: 2})
    const queue = rate / two.requestsPerSecond
    // With speeds x1 and x2 of one and two, the chances of finding 0, 1, 2, ... are as 1, r/x1, r/x1 r/x2, ...: up to the two places and 2 sqrt(10 x 2) that wait.
    const chances = Array.from({length: 11}, (_, n) => (n === 0 ? 1 : (rate / one.requestsPerSecond) * queue ** (n - 1)))
    const all = chances.reduce((a, b) => a + b, 0)
    expect(both.tpot).toBeCloseTo((chances[0]! * one.tpot + (all - chances[0]!) * two.tpot) / all, 6)
  })

  it('by Little’s law: an arrival finds as many in flight as rate times latency', () => {
    const serving = arriving(4)
    expect((serving.inFlight - 1) / (4 * latency(serving))).toBeCloseTo(1, 2)
  })

  it('is never faster under more arrivals, through saturation', () => {
    const most = arriving(1e6).open!.mostPerSecond
    const all = [0.1, 0.5, 0.8, 0.95, 0.999, 1, 1.001, 1.5, 10].map((share) => arriving(share * most))
    for (const [i, serving] of all.entries()) if (i > 0) expect(latency(serving)).toBeGreaterThanOrEqual(latency(all[i - 1]!) * (1 - 1e-9))
    // No step where the queue begins to grow without end.
    expect(latency(all[6]!) / latency(all[4]!)).toBeLessThan(1.1)
  })
})

describe('rate of an open loop', () => {
  const at = (requestRate: number) =>
    performance({...question({}), workload: {inputTokens: 1024, outputTokens: 256, requestRate}}, calibration).outputTokensPerSecond

  it('is what arrives, for certain, as long as far more could be served', () => {
    const {estimate, low, high} = at(0.2)
    expect(estimate).toBeCloseTo(0.2 * 256, 6)
    expect([low, high]).toEqual([estimate, estimate])
  })

  it('is never more than what arrives, and less where that could not be served', () => {
    const most = at(1e6).estimate / 256
    const {estimate, low, high} = at(0.97 * most)
    expect(estimate).toBeCloseTo(0.97 * most * 256, 6)
    expect(high).toBe(estimate)
    expect(low).toBeLessThan(estimate)
    const beyond = at(1.05 * most)
    expect(beyond.high).toBeCloseTo(1.05 * most * 256, 6)
  })
})

it('a closed loop is no less certain in all than its times are at their edges', () => {
  // Little's law at both edges: 16 requests of 1,024 tokens; a card that nobody measured, whose rate alone would reach further.
  const {ttftMs, tpotMs, outputTokensPerSecond} = performance(question({card: 'a100-80gb-sxm', weights: 'fp8'}), calibration)
  const rateAt = (edge: 'low' | 'high') => (16 * 1024 * 1000) / (ttftMs[edge] + 1023 * tpotMs[edge])
  expect(outputTokensPerSecond.low).toBeGreaterThanOrEqual(rateAt('high') * 0.999999)
  expect(outputTokensPerSecond.high).toBeLessThanOrEqual(rateAt('low') * 1.000001)
})

describe('a class of hardware that nobody measured', () => {
  const measured = ['nvidia-9', 'nvidia-10', 'nvidia-8', 'nvidia-8.6', 'nvidia-8.9', 'nvidia-12', 'amd-gfx942', 'amd-gfx1201']
  it.each([
    ['nvidia-7.5', 'nvidia-8'],
    ['nvidia-8.7', 'nvidia-8.6'],
    ['nvidia-13', 'nvidia-12'],
    ['amd-gfx950', 'amd-gfx942'],
    ['amd-gfx90a', 'amd-gfx942'],
    ['amd-gfx1100', 'amd-gfx1201'],
  ])('%s is taken for %s', (name, nearest) => expect(nearestClass(name, measured)).toBe(nearest))
  it('is taken as published where nothing of its maker was measured', () => {
    expect(nearestClass('apple', measured)).toBeUndefined()
    expect(classModifiers(gpu('mi250x'), calibration)).toEqual(calibration.hardwareClasses['amd-gfx942'])
    expect(classModifiers(gpu('mi300x'), calibration)).toEqual(calibration.hardwareClasses['amd-gfx942'])
  })
})

describe('a release later than any measured', () => {
  it.each([
    ['0.28.0', '0.19.0', true],
    ['0.19.0', '0.19.0', false],
    ['0.5.18', '0.5.9', true],
    ['1.3.0rc2', '1.2.0rc6.post2', true],
    ['nightly-dev', '0.19.0', false],
    ['0.1.dev3+g1a2b3c4', '0.19.0', false],
  ])('%s after %s: %s', (version, than, later) => expect(isLater(version, than)).toBe(later))

  it('has the speed of the newest measured one, and a wider interval', () => {
    const [measured, later] = ['0.19.0', '0.28.0'].map((engineVersion) => performance(question({engineVersion}), calibration))
    expect(later!.tpotMs.estimate).toBe(measured!.tpotMs.estimate)
    expect(later!.tpotMs.high).toBeGreaterThan(measured!.tpotMs.high)
    expect([measured!.basis.extrapolated, later!.basis.extrapolated]).toEqual([[], ['engine']])
  })
})
