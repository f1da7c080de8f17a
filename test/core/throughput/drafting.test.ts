import {describe, expect, it} from 'vitest'
import type {Drafter, Drafting} from '../../../src/core/throughput/drafting.ts'
import {paysUntil, withoutDrafts} from '../../../src/core/throughput/drafting-pays.ts'
import {busyReplicas, performance, preparedModel, servingOf} from '../../../src/core/throughput/performance.ts'
import {distinctExperts} from '../../../src/core/throughput/step.ts'
import {calibration, question} from './question.ts'

const model = (layers: number): Drafter => ({
  architecture: {
    vocabularySize: 32_000,
    hiddenSize: 8192,
    tiedEmbeddings: false,
    contextTokens: 131_072,
    layerKinds: [
      {
        name: 'draft',
        mixers: [{kind: 'full', queryHeadCount: 64, kvHeadCount: 8, headDim: 128}],
        feedForward: {kind: 'dense', intermediateSize: 28_672, gated: true},
        normCount: 2,
      },
    ],
    layerSequence: Array.from({length: layers}, () => 0),
  },
  checkpoint: {hfId: 'org/draft', weights: 'bf16', formats: {default: 'bf16'}},
  passes: 3,
  block: false,
  hostKernels: 0,
})
const drafting = (more: Partial<Drafting> = {}): Drafting => ({tokens: 3, tokensPerStep: 2.5, spread: 0, source: 'given', published: [], ...more})
const state = (sequences: number, context: number) => ({
  decodeSequences: sequences,
  contextTokens: context,
  promptTokens: 0,
  promptSequences: 0,
  promptContextTokens: 0,
})
const plainInput = question({})
const time = (input: typeof plainInput, sequences = 4, context = 4096) => preparedModel(input, calibration).time(state(sequences, context))

describe('a step that checks drafts', () => {
  // Lookup drafts cost no passes. Four sequences of 200,000 tokens: attention is bound by the cache, which is read once for all four tokens of each.
  it('reads the cache of a sequence once', () => {
    const [plain, checked] = [time(plainInput, 4, 200_000), time({...plainInput, drafting: drafting()}, 4, 200_000)]
    expect(checked.attention / plain.attention).toBeLessThan(1.2)
    // Sixteen sequences read four times as much.
    expect(time(plainInput, 16, 200_000).attention / plain.attention).toBeGreaterThan(3.5)
    expect(checked.drafts).toBe(0)
  })
  it('computes every token: with many sequences products take as long as for four times as many', () => {
    const checked = time({...plainInput, drafting: drafting()}, 1024, 64)
    expect(checked.products).toBeCloseTo(time(plainInput, 4096, 64).products, 12)
  })
  // 128 experts, 8 for a token: 8 for one, 128 x (1 - (1 - 1/16)^4) = 29.1 for four.
  it('touches the experts of all its tokens', () => {
    expect(distinctExperts(128, 8, 4, 1)).toBeCloseTo(29.12, 2)
    const mixture = question({model: 'qwen3-30b-a3b', weights: 'bf16', tp: 1})
    const [plain, checked] = [time(mixture, 1), time({...mixture, drafting: drafting()}, 1)]
    expect(checked.experts / plain.experts).toBeGreaterThan(2)
    expect(checked.experts).toBeCloseTo(time(mixture, 4).experts, 12)
  })
  it('writes a state for each token that may be the last: 1 + 4 movements for 2', () => {
    const hybrid = question({model: 'qwen3.5-27b', weights: 'bf16', tp: 1})
    const [plain, checked] = [time(hybrid, 64, 1), time({...hybrid, drafting: drafting()}, 64, 1)]
    expect(checked.attention / plain.attention).toBeGreaterThan(2)
    expect(checked.attention / plain.attention).toBeLessThan(2.7)
  })
  it('is unchanged where nothing is drafted', () => expect(time({...plainInput, drafting: undefined})).toEqual(time(plainInput)))
})

describe('making drafts', () => {
  it('takes a pass for each token, with the collectives of each', () => {
    const one = time({...plainInput, drafting: drafting({drafter: {...model(1), passes: 1}})})
    const three = time({...plainInput, drafting: drafting({drafter: model(1)})})
    const checked = time({...plainInput, drafting: drafting()})
    expect(one.drafts).toBeGreaterThan(0)
    expect(three.total).toBeCloseTo(checked.total + three.drafts, 12)
    // Two sums and the gathering of the head over four ranks, in each of two more passes.
    const alone = preparedModel({...plainInput, ...model(1)}, calibration).time(state(4, 4096))
    expect(three.drafts - one.drafts).toBeCloseTo(2 * (alone.total - alone.host), 12)
    expect(alone.collectives).toBeGreaterThan(0)
  })
  it('costs the host what it launches outside of graphs', () => {
    const launched = time({...plainInput, drafting: drafting({drafter: {...model(1), hostKernels: 12}})})
    const prepared = preparedModel(plainInput, calibration)
    // Twelve kernels around and four of attention, three times.
    expect(launched.drafts - time({...plainInput, drafting: drafting({drafter: model(1)})}).drafts).toBeCloseTo(3 * 16 * prepared.hostSecondsPerKernel, 12)
  })
  it('more layers never cost less', () =>
    expect(time({...plainInput, drafting: drafting({drafter: model(5)})}).drafts).toBeGreaterThan(
      time({...plainInput, drafting: drafting({drafter: model(1)})}).drafts,
    ))
})

describe('kernels that check drafts less well', () => {
  // 80 layers x 100,000 tokens x 12.8 ns = 102 ms, whatever the batch.
  it('one block of threads walks the context', () => {
    const walked = time({...plainInput, drafting: drafting({verification: {secondsPerContextToken: 12.8e-9}})}, 1, 100_000)
    expect(walked.attention).toBeCloseTo(80 * 100_000 * 12.8e-9, 9)
    expect(time({...plainInput, drafting: drafting()}, 1, 100_000).attention).toBeLessThan(0.02)
  })
  it('what the host does once a step is added to it, however many passes there are', () => {
    for (const drafter of [undefined, model(1)]) {
      const [plain, waiting] = [{}, {hostSecondsPerStep: 0.006}].map((verification) =>
        time({...plainInput, drafting: drafting({verification, ...(drafter && {drafter})})}),
      )
      expect(waiting!.total - plain!.total).toBeCloseTo(0.006, 12)
      expect(waiting!.host - plain!.host).toBeCloseTo(0.006, 12)
    }
  })
  it('outside of graphs the host sets the pace, and the interval says so', () => {
    const input = {...plainInput, drafting: drafting({verification: {outsideGraphs: 'in words'}})}
    expect(time(input, 1).total).toBeGreaterThan(time({...plainInput, drafting: drafting()}, 1).total)
    const [vague, sure] = [performance(input, calibration), performance({...plainInput, drafting: drafting()}, calibration)]
    expect(vague.tpotMs.high / vague.tpotMs.estimate).toBeGreaterThan(sure.tpotMs.high / sure.tpotMs.estimate)
  })
})

describe('what a load makes of it', () => {
  const input = {...plainInput, drafting: drafting({drafter: model(1)})}
  it('acceptance never slows it down', () => {
    const tpot = [1, 1.5, 2.5, 4].map((length) => performance({...input, drafting: {...input.drafting, tokensPerStep: length}}, calibration).tpotMs.estimate)
    expect(tpot).toEqual([...tpot].sort((a, b) => b - a))
  })
  it('says what it rests on', () => {
    const {speculation} = performance({...input, drafting: {...input.drafting, source: 'assumed: words', published: ['a', 'b']}}, calibration)
    // (2.5 - 1) / 3
    expect(speculation).toMatchObject({acceptance: 0.5, source: 'assumed: words (a; b)'})
    expect(performance(plainInput, calibration).speculation).toBeUndefined()
  })
  it('an assumed length widens the interval of the rate, not of the first token', () => {
    const [known, assumed] = [0, 0.3].map((spread) => performance({...input, drafting: {...input.drafting, spread}}, calibration))
    expect(assumed!.tpotMs.high).toBeGreaterThan(known!.tpotMs.high)
    expect(assumed!.ttftMs).toEqual(known!.ttftMs)
  })

  const rate = (drafted: boolean, concurrency: number, length: number) => {
    const own = {
      ...input,
      maxNumSeqs: 512,
      drafting: {...input.drafting, tokensPerStep: length},
      workload: {inputTokens: 1024, outputTokens: 1024, concurrency},
    }
    const asked = drafted ? own : withoutDrafts(own)
    return servingOf(asked, calibration).requestsPerSecond * busyReplicas(asked)
  }
  it.each([1.3, 1.6, 1.9])('pays until a load: with %d tokens a step', (length) => {
    const until = paysUntil({...input, maxNumSeqs: 512, drafting: {...input.drafting, tokensPerStep: length}}, calibration)
    if (until > 0) expect(rate(true, until, length)).toBeGreaterThan(rate(false, until, length))
    if (until < 512) expect(rate(true, until + 1, length)).toBeLessThanOrEqual(rate(false, until + 1, length))
  })
  it('never where nothing is accepted, and longer the more is', () => {
    const until = [1, 1.3, 1.6, 1.9, 4].map((tokensPerStep) =>
      paysUntil({...input, maxNumSeqs: 512, drafting: {...input.drafting, tokensPerStep}}, calibration),
    )
    expect(until[0]).toBe(0)
    expect(until).toEqual([...until].sort((a, b) => a - b))
    expect(until.at(-1)).toBeGreaterThan(until[1]!)
  })
})
