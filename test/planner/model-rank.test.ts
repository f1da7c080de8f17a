import {describe, expect, it} from 'vitest'
import type {Checkpoint, Model} from '../../src/core/model.ts'
import {countParameters} from '../../src/core/tensors.ts'
import type {Evaluation} from '../../src/planner/answer/index.ts'
import {byRank, type FittingModel, releaseDates, worthOf} from '../../src/planner/models/rank.ts'
import {plannerContext} from './plan-context.ts'

const dense = plannerContext().catalogue.model('qwen3-8b')

interface Figures {
  released?: string
  family?: string
  contextTokens?: number
  tokensPerSecond?: number
  verdict?: 'fits' | 'tight'
  weights?: string
}

/** Qwen3 8B as if it were another model, with what its answer says. */
function entry(id: string, {released, family = 'own', contextTokens = 40_960, tokensPerSecond = 40, verdict = 'fits', weights}: Figures): FittingModel {
  const checkpoint: Checkpoint = weights === undefined ? dense.checkpoints[0]! : {hfId: `x/${id}`, weights, formats: {default: weights}}
  const model: Model = {...dense, id, family, released}
  const evaluation = {
    verdict,
    model,
    checkpoint,
    deployment: {maxModelLen: 0},
    memory: {largestMaxModelLen: contextTokens},
    performance: {tpotMs: {estimate: 1000 / tokensPerSecond}},
  }
  return {model, evaluation: evaluation as unknown as Evaluation}
}

const order = (...entries: FittingModel[]): string[] => byRank(entries, releaseDates(entries.map(({model}) => model))).map(({model}) => model.id)

describe('what is worth trying first', () => {
  it('is the size at the start of 2024, and threefold a year later', () => {
    const {total, active} = countParameters(dense.architecture)
    const size = Math.sqrt(total * active)
    expect(worthOf(entry('a', {}), 2024)).toBeCloseTo(size, -3)
    expect(worthOf(entry('a', {}), 2025) / size).toBeCloseTo(3, 9)
    expect(worthOf(entry('a', {}), 2026) / size).toBeCloseTo(9, 9)
  })

  it('is less with a short context, a slow answer, tight memory and lossy weights', () => {
    const whole = worthOf(entry('a', {}), 2024)
    const share = (figures: Figures) => worthOf(entry('a', figures), 2024) / whole
    // A quarter of 32,768 tokens, a quarter of 40 tokens a second: the root of a quarter.
    expect(share({contextTokens: 8192})).toBeCloseTo(0.5, 9)
    expect(share({tokensPerSecond: 10})).toBeCloseTo(0.5, 9)
    expect(share({tokensPerSecond: 400})).toBe(1)
    expect(share({verdict: 'tight'})).toBeCloseTo(0.85, 9)
    expect(share({weights: 'awq-int4'})).toBeCloseTo(0.8, 9)
    expect(share({weights: 'q2_k'})).toBeCloseTo(0.5, 9)
  })

  it('puts the newer before the older, and what nobody waits for last', () => {
    expect(order(entry('old', {released: '2024-03'}), entry('slow', {released: '2026-03', tokensPerSecond: 5}), entry('new', {released: '2025-09'}))).toEqual([
      'new',
      'old',
      'slow',
    ])
  })

  it('takes a date that nobody knows for that of the family, or for one in the middle: never for the oldest', () => {
    const dated = [entry('a', {released: '2024-01'}), entry('b', {released: '2025-01', family: 'kin'}), entry('c', {released: '2026-01', family: 'other'})]
    const when = releaseDates(dated.map(({model}) => model))
    const year = (released: string) => when({...dense, released})
    expect(when({...dense, released: undefined, family: 'other'})).toBe(year('2026-01'))
    expect(when({...dense, released: undefined, family: 'unheard'})).toBe(year('2025-01'))
    expect(order(...dated, entry('unknown', {family: 'unheard'}))).toEqual(['c', 'b', 'unknown', 'a'])
  })
})
