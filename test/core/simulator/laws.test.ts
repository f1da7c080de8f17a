import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {Distribution} from '../../../src/core/simulator/distribution.ts'
import type {LengthLaw, Load} from '../../../src/core/simulator/load.ts'
import {EAGER_RULES, IMMEDIATE, type SchedulerRules} from '../../../src/core/simulator/rules.ts'
import {recordsOf, type SimulationQuestion, simulate} from '../../../src/core/simulator/simulate.ts'
import type {StepClock} from '../../../src/core/simulator/step-clock.ts'

/** Times of a step: fixed, for each sequence, for each of its thousand context tokens, for each prompt token. */
const clockOf = (fixed: number, sequence: number, context: number, prompt: number): StepClock => ({
  stages: 1,
  stepMs: (sequences, contextTokens, promptTokens) => fixed + sequence * sequences + (context * sequences * contextTokens) / 1000 + prompt * promptTokens,
})

const clocks = fc
  .tuple(
    fc.double({min: 0.5, max: 20, noNaN: true}),
    fc.double({min: 0, max: 0.5, noNaN: true}),
    fc.double({min: 0, max: 0.1, noNaN: true}),
    fc.double({min: 0, max: 0.1, noNaN: true}),
  )
  .map((parts) => clockOf(...parts))

const lengths: fc.Arbitrary<LengthLaw> = fc.oneof(
  fc.integer({min: 1, max: 300}).map((tokens) => ({kind: 'fixed' as const, tokens})),
  fc.tuple(fc.integer({min: 1, max: 100}), fc.integer({min: 0, max: 200})).map(([low, more]) => ({kind: 'uniform' as const, low, high: low + more})),
  fc
    .tuple(fc.integer({min: 5, max: 100}), fc.double({min: 0, max: 1, noNaN: true}))
    .map(([mean, deviation]) => ({kind: 'lognormal' as const, mean, deviation, most: 400})),
)

const loads: fc.Arbitrary<Load> = fc.record({requestCount: fc.integer({min: 1, max: 80}), input: lengths, output: lengths}).chain((drawn) =>
  fc.oneof(
    fc.integer({min: 1, max: 20}).map((concurrency) => ({kind: 'closed-loop' as const, concurrency, ...drawn})),
    fc
      .tuple(fc.integer({min: 1, max: 30}), fc.double({min: 0.1, max: 5000, noNaN: true}))
      .map(([people, meanPauseMs]) => ({kind: 'population' as const, people, meanPauseMs, ...drawn})),
    fc.double({min: 0.2, max: 200, noNaN: true}).map((requestsPerSecond) => ({kind: 'poisson' as const, requestsPerSecond, ...drawn})),
    fc.integer({min: 1, max: 12}).map((requestsPerBurst) => ({kind: 'bursts' as const, requestsPerSecond: 10, requestsPerBurst, ...drawn})),
    fc.constant({kind: 'at-once' as const, ...drawn}),
  ),
)

const rules: fc.Arbitrary<SchedulerRules> = fc.record({
  mixedSteps: fc.boolean(),
  chunkedPrefill: fc.boolean(),
  reservedOutputShare: fc.constantFrom(0, 0.3, 1),
  freeCacheShare: fc.constantFrom(0, 0.02),
  blockTokens: fc.constantFrom(1, 16, 64),
})

const questions: fc.Arbitrary<SimulationQuestion> = fc.record({
  clock: clocks,
  load: loads,
  rules,
  limits: fc.record({
    maxNumSeqs: fc.integer({min: 1, max: 32}),
    maxNumBatchedTokens: fc.integer({min: 64, max: 600}),
    kvCacheTokens: fc.option(fc.integer({min: 300, max: 3000}), {nil: undefined}),
  }),
  delivery: fc.constantFrom(IMMEDIATE, {...IMMEDIATE, requestMs: 3, firstTokenSteps: 1.5, firstTokenGrowth: 0.3}, {...IMMEDIATE, tokensPerSecond: 300}),
  drafting: fc.constantFrom({drafted: 0, tokensPerStep: 1}, {drafted: 2, tokensPerStep: 1.96}),
  prefixHitRate: fc.constantFrom(0, 0.4),
  seed: fc.integer(),
  exact: fc.boolean(),
})

const sum = (values: ArrayLike<number>, where: (index: number) => boolean = () => true): number =>
  Array.from(values).reduce((total, value, index) => (where(index) ? total + value : total), 0)

describe('whatever is asked', () => {
  it('every request is served once, after it arrives, and every token generated', () => {
    fc.assert(
      fc.property(questions, (question) => {
        const records = recordsOf(question)
        const served = (id: number) => records.refused[id] === 0
        expect(records.emittedTokens).toBe(sum(records.outputTokens, served))
        for (let id = 0; id < records.arrivalMs.length; id++) {
          if (!served(id)) continue
          expect(records.startMs[id]).toBeGreaterThanOrEqual(records.arrivalMs[id]!)
          expect(records.firstTokenMs[id]).toBeGreaterThan(records.startMs[id]!)
          expect(records.finishMs[id]).toBeGreaterThanOrEqual(records.firstTokenMs[id]!)
        }
      }),
      {numRuns: 300},
    )
  })

  it('prompts are computed whole, once and again after each preemption', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const question = {...asked, prefixHitRate: 0}
        const records = recordsOf(question)
        const prompts = sum(records.inputTokens, (id) => records.refused[id] === 0)
        if (records.preemptions === 0) expect(records.computedPromptTokens).toBe(prompts)
        // Preempted while decoding, the token that was computed last is computed again too.
        expect(records.computedPromptTokens).toBeGreaterThanOrEqual(prompts + records.recomputedTokens)
        expect(records.computedPromptTokens).toBeLessThanOrEqual(prompts + records.recomputedTokens + records.preemptions)
        if (question.rules!.reservedOutputShare === 1) expect(records.preemptions).toBe(0)
      }),
      {numRuns: 300},
    )
  })

  it('no step exceeds a limit', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const {limits, clock, drafting} = asked
        const width = 1 + drafting!.drafted
        const mixed = asked.rules!.mixedSteps
        let broken = ''
        const atMost = (value: number, most: number, what: string) => {
          if (!(value <= most)) broken = `${what}: ${value} of ${most}`
        }
        const question: SimulationQuestion = {
          ...asked,
          exact: true,
          clock: {
            stages: 1,
            stepMs(sequences, context, tokens, prompts, promptContext) {
              atMost(sequences / width + prompts, limits.maxNumSeqs, 'sequences')
              if (asked.rules!.chunkedPrefill) atMost(tokens, Math.max(1, limits.maxNumBatchedTokens - (mixed ? sequences : 0)), 'tokens')
              if (!mixed && tokens > 0) atMost(sequences, 0, 'decoding beside prompts')
              // What a sequence attends to is what it holds and the token it computes.
              atMost((sequences / width) * (context - 1), (limits.kvCacheTokens ?? Infinity) + 1e-6, 'cache')
              return clock.stepMs(sequences, context, tokens, prompts, promptContext)
            },
          },
        }
        const records = recordsOf(question)
        expect(broken).toBe('')
        expect(records.peakRunning).toBeLessThanOrEqual(limits.maxNumSeqs)
        expect(records.peakBlocks).toBeLessThanOrEqual(records.totalBlocks)
      }),
      {numRuns: 300},
    )
  })

  it('the same seed gives the same answer', () => {
    fc.assert(
      fc.property(questions, (question) => {
        expect(simulate(question)).toEqual(simulate(question))
      }),
    )
  })

  it('percentiles are in order and shares are shares', () => {
    const ordered = ({mean, p50, p90, p95, p99, max}: Distribution) => {
      expect(p50).toBeLessThanOrEqual(p90)
      expect(p90).toBeLessThanOrEqual(p95)
      expect(p95).toBeLessThanOrEqual(p99)
      expect(p99).toBeLessThanOrEqual(max)
      expect(mean).toBeLessThanOrEqual(max)
    }
    fc.assert(
      fc.property(questions, fc.integer({min: 0, max: 10}), fc.integer({min: 0, max: 10}), (question, skipFirst, skipLast) => {
        const {ttftMs, tpotMs, endToEndMs, utilisation, queue, requestCount, windowMs, requestsPerSecond} = simulate({...question, skipFirst, skipLast})
        for (const distribution of [ttftMs, tpotMs, endToEndMs, queue.waitMs]) if (distribution) ordered(distribution)
        expect(utilisation.busyShare).toBeGreaterThanOrEqual(0)
        expect(utilisation.busyShare).toBeLessThanOrEqual(1 + 1e-9)
        expect(utilisation.meanRunning).toBeLessThanOrEqual(utilisation.peakRunning + 1e-9)
        expect(utilisation.meanCacheShare ?? 0).toBeLessThanOrEqual((utilisation.peakCacheShare ?? 0) + 1e-9)
        if (requestCount > 0 && skipLast === 0) expect((requestsPerSecond * windowMs) / 1000).toBeGreaterThanOrEqual(requestCount - 1e-6)
      }),
      {numRuns: 300},
    )
  })

  it("Little's law: time spent by all is what was running and waiting", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        // All there from the start and nothing between client and scheduler, so that each is running or waiting all the time.
        const load: Load = asked.load.kind === 'trace' ? asked.load : {...asked.load, kind: 'at-once'}
        const result = simulate({...asked, load, delivery: IMMEDIATE})
        fc.pre(result.requestCount > 0)
        const spent = (result.endToEndMs!.mean * result.requestCount) / result.windowMs
        expect(result.utilisation.meanRunning + result.queue.meanWaiting).toBeCloseTo(spent, 6)
        expect(result.utilisation.busyShare).toBeCloseTo(1, 9)
      }),
    )
  })
})

describe('more load', () => {
  const poisson = fc.record({
    clock: fc.constantFrom(clockOf(10, 0.05, 0.02, 0.02), clockOf(3, 0, 0, 0.05), clockOf(20, 0.2, 0, 0.1)),
    mixedSteps: fc.boolean(),
    seed: fc.nat(),
    rate: fc.double({min: 0.5, max: 20, noNaN: true}),
    more: fc.double({min: 1.1, max: 4, noNaN: true}),
    kvCacheTokens: fc.constantFrom(undefined, 20_000),
  })

  it('never lowers a latency materially', () => {
    fc.assert(
      fc.property(poisson, ({clock, mixedSteps, seed, rate, more, kvCacheTokens}) => {
        const at = (requestsPerSecond: number) =>
          simulate({
            clock,
            seed,
            limits: {maxNumSeqs: 64, maxNumBatchedTokens: 2048, kvCacheTokens},
            rules: {...EAGER_RULES, mixedSteps},
            load: {
              kind: 'poisson',
              requestsPerSecond,
              requestCount: 1000,
              input: {kind: 'uniform', low: 100, high: 500},
              output: {kind: 'uniform', low: 50, high: 150},
            },
          })
        const [calm, busy] = [at(rate), at(rate * more)]
        // The last hundredth is ten requests: whether they meet a step at its beginning or its end is chance.
        for (const quantity of ['ttftMs', 'endToEndMs'] as const)
          for (const [percentile, share] of [
            ['mean', 0.97],
            ['p50', 0.97],
            ['p90', 0.95],
            ['p95', 0.9],
            ['p99', 0.85],
          ] as const)
            expect(busy[quantity]![percentile], `${quantity} ${percentile}`).toBeGreaterThan(calm[quantity]![percentile] * share)
        expect(busy.outputTokensPerSecond).toBeGreaterThan(calm.outputTokensPerSecond * 0.99)
      }),
      {numRuns: 60},
    )
  })

  it('without end is offline work', () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const {input, output} = asked.load as Extract<Load, {kind: 'at-once'}>
        const drawn = {requestCount: 60, input, output}
        let longestMs = 0
        const clock: StepClock = {
          stages: 1,
          stepMs(...state) {
            const ms = asked.clock.stepMs(...state)
            longestMs = Math.max(longestMs, ms)
            return ms
          },
        }
        const under = (load: Load) => simulate({...asked, clock, delivery: IMMEDIATE, exact: true, load})
        const [offline, flood] = [under({kind: 'at-once', ...drawn}), under({kind: 'poisson', requestsPerSecond: 1e12, ...drawn})]
        fc.pre(offline.requestCount > 0)
        // The first request is alone in the first step, and what follows is packed a little differently.
        expect(Math.abs(flood.windowMs - offline.windowMs)).toBeLessThan(0.1 * offline.windowMs + 8 * longestMs)
        expect(flood.outputTokensPerSecond * flood.windowMs).toBeCloseTo(offline.outputTokensPerSecond * offline.windowMs, 3)
      }),
    )
  })
})
