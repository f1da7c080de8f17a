import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {adviseOn, answer} from '../../src/planner/answer/index.ts'
import type {Context} from '../../src/planner/world/index.ts'

let context: Context
beforeAll(() => {
  const catalogue: Catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
  const refuse = () => Promise.reject(new Error('not here'))
  context = {catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse}
})

describe('a repository that shares all but its weights with a catalogued model', () => {
  it('keeps its own name, and is not answered with builds of the other', async () => {
    // 30.5 billion weights of 2 bytes are 56.9 GiB.
    const asked = await answer(context, {model: 'Qwen/Qwen3-30B-A3B-Thinking-2507', gpu: '1xrtx-5090'})
    expect(asked.best.verdict).toBe('does-not-fit')
    expect(asked.best.model.name).toBe('Qwen3 30B A3B Thinking 2507')
    const {changes, next} = adviseOn(context, asked, 'Qwen/Qwen3-30B-A3B-Thinking-2507 --gpu 1xrtx-5090')
    expect([...changes.map(({flags}) => flags), ...next].join('\n')).not.toMatch(/Instruct/)
  })

  it('has the builds that are its own', async () => {
    const {best} = await answer(context, {model: 'Qwen/Qwen3-30B-A3B-Thinking-2507', gpu: '1xh100-sxm', weights: 'fp8-block'})
    expect(best.checkpoint.hfId).toBe('Qwen/Qwen3-30B-A3B-Thinking-2507-FP8')
    expect((await answer(context, {model: 'Qwen/Qwen3-30B-A3B-Thinking-2507-FP8', gpu: '1xh100-sxm'})).best.model.name).toBe('Qwen3 30B A3B Thinking 2507')
    // Another name of the same weights is the same model.
    expect((await answer(context, {model: 'nvidia/Qwen3-14B-FP4', gpu: '1xh100-sxm'})).best.model.name).toBe('Qwen3 14B')
  })
})
