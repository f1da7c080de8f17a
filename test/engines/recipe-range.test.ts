import {describe, expect, it} from 'vitest'
import {recipeRange} from '../../src/engines/recipe-range.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import type {Checkpoint} from '../../src/core/model.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {plannerContext} from '../planner/plan-context.ts'

const context = plannerContext()
const guessed = (formats: Checkpoint['formats']): Checkpoint => ({hfId: 'nobody/build', weights: 'nvfp4', formats, formatsAssumed: true})

describe('the range of a build that nobody looked into', () => {
  it('goes from the plain recipe to the one that leaves most at 16 bits', () => {
    const model = context.catalogue.model('qwen3.6-27b')!
    const range = recipeRange(model, guessed({default: 'nvfp4'}))!
    const size = (formats: Checkpoint['formats']) => checkpointBytes(model.architecture, guessed(formats))
    const most = size({default: 'nvfp4', attention: 'bf16', linear: 'bf16', 'shared-experts': 'bf16'})
    expect(range.highShare).toBeGreaterThanOrEqual(most / size({default: 'nvfp4'}))
    // 48 linear and 16 full layers hold some 7 of 27 billion parameters: at 2 bytes in the place of 0.56 they are half as much again of what 4 bits make.
    expect(range.highShare).toBeGreaterThan(1.4)
    expect(range.lowShare).toBeLessThanOrEqual(1)
  })

  it('is none where the recipe is known, the bits are eight, or every matrix is taken', () => {
    const model = context.catalogue.model('qwen3.6-27b')!
    expect(recipeRange(model, {...guessed({default: 'nvfp4'}), formatsAssumed: false})).toBeUndefined()
    expect(recipeRange(model, {...guessed({default: 'nvfp4'}), bytes: 1e9})).toBeUndefined()
    expect(recipeRange(model, guessed({default: 'fp8'}))).toBeUndefined()
    expect(recipeRange({...context.catalogue.model('qwen3-8b')!, checkpoints: []}, guessed({default: 'awq-int4'}))).toBeUndefined()
  })

  it('is said, with what it does to the verdict', async () => {
    const {best} = await answer(context, {model: 'nobody/Qwen3.6-27B-NVFP4', gpu: '1xrtx-4090', engine: 'vllm', maxModelLen: 8192})
    const said = best.warnings.find(({code}) => code === 'weights-range')!.message
    expect(said).toMatch(/^how nobody\/Qwen3\.6-27B-NVFP4 was quantised is not known: .* take [\d.]+ GiB to [\d.]+ GiB on each GPU/)
    const known = await answer(context, {model: 'nvidia/Qwen3.6-27B-NVFP4', gpu: '1xrtx-5090', engine: 'vllm', maxModelLen: 8192})
    expect(known.best.warnings.some(({code}) => code === 'weights-range')).toBe(false)
  })
})
