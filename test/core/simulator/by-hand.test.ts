import {describe, expect, it} from 'vitest'
import {recordsOf, type SimulationQuestion, simulate} from '../../../src/core/simulator/simulate.ts'
import {EAGER_RULES, IMMEDIATE} from '../../../src/core/simulator/rules.ts'
import type {StepClock} from '../../../src/core/simulator/step-clock.ts'
import type {TraceRequest} from '../../../src/core/simulator/load.ts'

/** Every step takes 10 ms, whatever it computes. */
const TEN: StepClock = {stages: 1, stepMs: () => 10}
/** 10 ms and one more for each prompt token. */
const TEN_AND_PROMPT: StepClock = {stages: 1, stepMs: (_sequences, _context, promptTokens) => 10 + promptTokens}

const trace = (...requests: [arrivalMs: number, inputTokens: number, outputTokens: number][]) => ({
  kind: 'trace' as const,
  requests: requests.map(([arrivalMs, inputTokens, outputTokens]): TraceRequest => ({arrivalMs, inputTokens, outputTokens})),
})

const question = (given: Partial<SimulationQuestion> & Pick<SimulationQuestion, 'load'>): SimulationQuestion => ({
  clock: TEN,
  limits: {maxNumSeqs: 8, maxNumBatchedTokens: 100},
  exact: true,
  ...given,
})

const times = (given: SimulationQuestion) => {
  const {firstTokenMs, finishMs} = recordsOf(given)
  return {firstTokenMs: [...firstTokenMs], finishMs: [...finishMs]}
}

describe('one request', () => {
  it('a step for the prompt, one for each further token', () => {
    // Prompt: 0 to 10, first token. Two more tokens: 20, 30.
    const result = simulate(question({load: trace([0, 5, 3])}))
    expect(result.ttftMs?.mean).toBe(10)
    expect(result.tpotMs?.mean).toBe(10)
    expect(result.endToEndMs?.mean).toBe(30)
    expect(result.iterations).toBe(3)
    // 3 tokens in 30 ms.
    expect(result.outputTokensPerSecond).toBeCloseTo(100, 9)
    expect(result.utilisation.busyShare).toBe(1)
  })

  it('a prompt larger than the budget takes several steps', () => {
    // 10 tokens in chunks of 4: 4, 4, 2. First token at 30 ms, the second at 40.
    const chunked = question({load: trace([0, 10, 2]), limits: {maxNumSeqs: 8, maxNumBatchedTokens: 4}})
    expect(times(chunked)).toEqual({firstTokenMs: [30], finishMs: [40]})
    // Not to be split: alone it may exceed the budget.
    expect(times({...chunked, rules: {...EAGER_RULES, chunkedPrefill: false}})).toEqual({firstTokenMs: [10], finishMs: [20]})
  })

  it('what the prefix cache holds is not computed', () => {
    // 40 tokens, three quarters cached: 10 left. The step takes 10 + 10 ms.
    const cached = question({clock: TEN_AND_PROMPT, load: trace([0, 40, 1]), prefixHitRate: 0.75})
    expect(times(cached).finishMs).toEqual([20])
    // A whole prompt in the cache still computes its last token.
    expect(times({...cached, prefixHitRate: 1}).finishMs).toEqual([11])
  })

  it('front end and delivery', () => {
    // With the scheduler at 5 + 2 x 1 = 7 ms; prompt until 17; two steps until the first token is delivered: 37; then 47, 57.
    const delivery = {...IMMEDIATE, requestMs: 5, requestMsPerInputToken: 1, firstTokenSteps: 2}
    expect(times(question({load: trace([0, 2, 3]), delivery}))).toEqual({firstTokenMs: [37], finishMs: [57]})
    // At most a third of the three tokens: one step.
    expect(times(question({load: trace([0, 2, 3]), delivery: {...delivery, mostFirstTokenShare: 1 / 3}}))).toEqual({firstTokenMs: [27], finishMs: [47]})
  })

  it('streaming slower than the step sets the pace', () => {
    // Ten tokens a second: 100 ms for each; the sixth root of 1 + 0.1^6 is 1.00000017. The first token comes with the prompt's step.
    const result = simulate(question({load: trace([0, 1, 3]), delivery: {...IMMEDIATE, tokensPerSecond: 10}}))
    expect(result.ttftMs?.mean).toBe(10)
    expect(result.tpotMs?.mean).toBeCloseTo(100, 3)
  })

  it('drafts', () => {
    // Steps yield 1, 2, 1, 2 tokens where the mean is 1.5: 7 tokens are there after the prompt's step and four more.
    expect(times(question({load: trace([0, 3, 7]), drafting: {drafted: 1, tokensPerStep: 1.5}}))).toEqual({firstTokenMs: [10], finishMs: [50]})
  })

  it('pipeline stages', () => {
    // A prompt of 6 holds the first of two stages for 6 ms and comes out after 12. Decoding takes 10 ms from 6 on, seen 6 ms later too.
    const clock: StepClock = {stages: 2, stepMs: (sequences, _context, promptTokens) => (sequences > 0 ? 10 : 0) + promptTokens}
    expect(times(question({clock, load: trace([0, 6, 2])}))).toEqual({firstTokenMs: [12], finishMs: [22]})
  })
})

describe('two requests', () => {
  const load = trace([0, 4, 4], [12, 6, 2])

  it('mixed steps', () => {
    // 0-14 prompt of A. 14-30 second token of A beside the prompt of B. 30-40 a token each: B is done. 40-50 the fourth of A.
    const mixed = question({clock: TEN_AND_PROMPT, load})
    expect(times(mixed)).toEqual({firstTokenMs: [14, 30], finishMs: [50, 40]})
    // TPOT: (50 - 14) / 3 and (40 - 30) / 1. TTFT: 14 and 18.
    const result = simulate(mixed)
    expect(result.tpotMs?.mean).toBe((12 + 10) / 2)
    expect(result.ttftMs?.mean).toBe(16)
    // B waits from 12 to 14.
    expect(result.queue.waitMs?.max).toBe(2)
  })

  it('prompts first', () => {
    // 0-14 prompt of A. 14-30 prompt of B alone. 30-40 a token each. 40-50, 50-60: A.
    expect(times(question({clock: TEN_AND_PROMPT, load, rules: {...EAGER_RULES, mixedSteps: false}}))).toEqual({firstTokenMs: [14, 30], finishMs: [60, 40]})
  })

  it('decoding takes its part of the budget', () => {
    // Budget 4: beside one decoding sequence 3 tokens of a prompt of 6, so two steps. A: 0-10 prompt. 10-20, 20-30 with the prompt of B. B: first token 30.
    expect(times(question({load: trace([0, 4, 9], [0, 6, 1]), limits: {maxNumSeqs: 8, maxNumBatchedTokens: 4}})).firstTokenMs).toEqual([10, 30])
    // Taking turns, prompts have it all: 10-20 four tokens, 20-30 the other two; A decodes only then.
    const turns = times(
      question({load: trace([0, 4, 9], [0, 6, 1]), limits: {maxNumSeqs: 8, maxNumBatchedTokens: 4}, rules: {...EAGER_RULES, mixedSteps: false}}),
    )
    expect(turns.firstTokenMs).toEqual([10, 30])
    // 8 more tokens of A from 30 on, instead of from 10 on.
    expect(turns.finishMs[0]).toBe(110)
  })

  it('one sequence at a time: the others wait', () => {
    // 20 ms each, arriving every 10: starts at 0, 20, 40; waits 0, 10, 20.
    const result = simulate(question({load: trace([0, 1, 2], [10, 1, 2], [20, 1, 2]), limits: {maxNumSeqs: 1, maxNumBatchedTokens: 100}}))
    expect(result.queue.waitMs?.mean).toBe(10)
    expect(result.queue.waitMs?.max).toBe(20)
    // One waits from 10 to 20 and from 20 to 40, of 60 ms.
    expect(result.queue.meanWaiting).toBeCloseTo(0.5, 12)
    expect(result.queue.waitingAtLastArrival).toBe(2)
    expect(result.endToEndMs?.max).toBe(40)
  })
})

describe('the cache is full', () => {
  // Two requests of 3 + 5 tokens: each holds at most 3 + 5 - 1 = 7 of ten tokens.
  const full = question({
    load: trace([0, 3, 5], [0, 3, 5]),
    limits: {maxNumSeqs: 8, maxNumBatchedTokens: 100, kvCacheTokens: 10},
    rules: {...EAGER_RULES, blockTokens: 1},
  })

  it('the latest is preempted and computed anew', () => {
    // 10: prompts, 6 tokens held. 20: 8. 30: 10. Then both need one more: B goes, with 5 held and 3 generated.
    // 40, 50: A ends. B's 3 + 3 tokens are computed until 60 and yield its fourth; the fifth at 70.
    const records = recordsOf(full)
    expect([...records.firstTokenMs]).toEqual([10, 10])
    expect([...records.finishMs]).toEqual([50, 70])
    expect(records.preemptions).toBe(1)
    expect(records.recomputedTokens).toBe(5)
    expect(records.computedPromptTokens).toBe(3 + 3 + 6)
    expect(records.peakBlocks).toBe(10)
    expect(records.iterations).toBe(7)
  })

  it('reserving the whole output, it waits instead', () => {
    const records = recordsOf({...full, rules: {...EAGER_RULES, blockTokens: 1, reservedOutputShare: 1}})
    expect([...records.finishMs]).toEqual([50, 100])
    expect(records.preemptions).toBe(0)
  })

  it('reserving half, it is admitted if half of what is missing would fit', () => {
    // Held 6 with both prompts, 14 at their ends: 6 + 8 / 2 = 10 fits into ten, not into nine.
    const half = {...EAGER_RULES, blockTokens: 1, reservedOutputShare: 0.5}
    expect(recordsOf({...full, rules: half}).startMs[1]).toBe(0)
    expect(recordsOf({...full, rules: half, limits: {...full.limits, kvCacheTokens: 9}}).startMs[1]).toBe(50)
  })

  it('blocks are taken whole', () => {
    // Blocks of 4, three of them: prompts of 3 take one each. The fourth token fits, the fifth needs another: 10 prompt, 20 the fourth is
    // computed, then one block is left and two are needed: B goes, A goes on until 50. B had 2 tokens: 3 + 2 are computed by 60, then 70, 80.
    const records = recordsOf({...full, rules: {...EAGER_RULES, blockTokens: 4}, limits: {...full.limits, kvCacheTokens: 15}})
    expect(records.totalBlocks).toBe(3)
    expect([...records.finishMs]).toEqual([50, 80])
    expect(records.preemptions).toBe(1)
  })

  it('what can never fit is turned away', () => {
    // 8 + 4 - 1 = 11 tokens of 10.
    const result = simulate({...full, load: trace([0, 8, 4], [0, 8, 3])})
    expect(result.refusedCount).toBe(1)
    expect(result.requestCount).toBe(1)
    expect(result.endToEndMs?.mean).toBe(30)
  })
})

describe('loads', () => {
  const fixed = {input: {kind: 'fixed', tokens: 1}, output: {kind: 'fixed', tokens: 2}} as const

  it('a closed loop of one: the next starts when the last is done', () => {
    // 20 ms each. Two warm up, three cool down: five are measured from 40 to 140 ms, with two tokens each.
    const result = simulate(question({load: {kind: 'closed-loop', concurrency: 1, requestCount: 10, ...fixed}, skipFirst: 2, skipLast: 3}))
    expect(result.requestCount).toBe(5)
    expect(result.windowMs).toBe(100)
    expect(result.outputTokensPerSecond).toBeCloseTo(100, 9)
    expect(result.requestsPerSecond).toBeCloseTo(50, 9)
  })

  it('clients that think', () => {
    // 20 ms and a pause of 30: 0-20, 50-70, 100-120.
    const result = simulate(question({load: {kind: 'closed-loop', concurrency: 1, thinkMs: 30, requestCount: 3, ...fixed}}))
    expect(result.windowMs).toBe(120)
    expect(result.utilisation.busyShare).toBeCloseTo(0.5, 12)
  })

  it('people who pause: one', () => {
    // 20 ms and a mean pause of 30: busy for 0.4 of the time, 20 requests a second.
    const {utilisation, requestsPerSecond} = simulate(
      question({load: {kind: 'population', people: 1, meanPauseMs: 30, requestCount: 40_000, ...fixed}, skipFirst: 10}),
    )
    expect(utilisation.busyShare).toBeCloseTo(0.4, 2)
    expect(requestsPerSecond / 20).toBeCloseTo(1, 1)
  })

  it('people who pause: two at one server', () => {
    // An answer takes 10 ms, a pause 20 in the mean. When one is answered the other waits already with chance 1 - exp(-10 / 20); else both pause, and
    // the first of the two comes back after 10 ms in the mean. An answer every 10 + 0.6065 x 10 = 16.065 ms: busy for 0.6225.
    const {utilisation, requestsPerSecond, queue} = simulate(
      question({
        load: {kind: 'population', people: 2, meanPauseMs: 20, requestCount: 100_000, input: {kind: 'fixed', tokens: 1}, output: {kind: 'fixed', tokens: 1}},
        limits: {maxNumSeqs: 1, maxNumBatchedTokens: 1},
        skipFirst: 10,
      }),
    )
    expect(utilisation.busyShare).toBeCloseTo(0.6225, 2)
    // Interactive response time law: a cycle of two people is 2 x 16.065 = 32.13 ms, less the pause and the service 2.13 ms of waiting.
    expect(requestsPerSecond).toBeGreaterThan(61.9)
    expect(requestsPerSecond).toBeLessThan(62.6)
    expect(queue.waitMs!.mean).toBeGreaterThan(2.05)
    expect(queue.waitMs!.mean).toBeLessThan(2.21)
  })

  it('people who pause: never more in flight than there are people', () => {
    const {utilisation, queue, requestCount} = simulate(question({load: {kind: 'population', people: 3, meanPauseMs: 0.001, requestCount: 500, ...fixed}}))
    expect(requestCount).toBe(500)
    expect(utilisation.peakRunning + queue.meanWaiting).toBeLessThanOrEqual(3)
    expect(utilisation.peakRunning).toBe(3)
  })

  it('limits on latency: the share that keeps them', () => {
    // Waits of 0, 10, 20 ms before 10 ms to the first token.
    const waiting = question({load: trace([0, 1, 2], [10, 1, 2], [20, 1, 2]), limits: {maxNumSeqs: 1, maxNumBatchedTokens: 100}})
    expect(simulate({...waiting, latencyLimits: {ttftMs: 20}}).shareWithinLimits).toBeCloseTo(2 / 3, 12)
    expect(simulate({...waiting, latencyLimits: {tpotMs: 9}}).shareWithinLimits).toBe(0)
    expect(simulate(waiting).shareWithinLimits).toBeUndefined()
  })

  it('Poisson arrivals at one server with a fixed time: Pollaczek and Khinchine', () => {
    // 10 ms of service at 50 a second: load 0.5, mean wait 0.5 x 10 / (2 (1 - 0.5)) = 5 ms. At 80: 0.8 x 10 / (2 x 0.2) = 20 ms.
    const one = (requestsPerSecond: number) =>
      simulate(
        question({
          load: {kind: 'poisson', requestsPerSecond, requestCount: 200_000, input: {kind: 'fixed', tokens: 1}, output: {kind: 'fixed', tokens: 1}},
          limits: {maxNumSeqs: 1, maxNumBatchedTokens: 1},
        }),
      )
    const half = one(50)
    expect(half.queue.waitMs!.mean).toBeGreaterThan(4.9)
    expect(half.queue.waitMs!.mean).toBeLessThan(5.1)
    expect(half.utilisation.busyShare).toBeCloseTo(0.5, 2)
    const high = one(80)
    expect(high.queue.waitMs!.mean).toBeGreaterThan(19)
    expect(high.queue.waitMs!.mean).toBeLessThan(21)
  })
})
