import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {answer, type Answer} from '../../src/planner/answer/index.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'

let catalogue: Catalogue
beforeAll(() => {
  catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
})
const refuse = () => Promise.reject(new Error('not here'))
const ask = (scenario: Partial<Scenario>): Promise<Answer> =>
  answer({catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse}, {model: 'qwen3-32b', gpu: '8xh100-sxm', ...scenario})

describe('a context beyond the configuration', () => {
  it('fits where it is documented, with a note of what it costs', async () => {
    const {best} = await ask({maxModelLen: 64_000, engine: 'vllm'})
    expect(best.verdict).toBe('fits')
    expect(best.warnings.filter(({code}) => code === 'context-beyond-model')).toHaveLength(1)
    // What the cache could hold goes to the documented length, not to the configuration's 40,960.
    expect(best.memory.largestMaxModelLen).toBe(131_072)
  })

  it('does not fit beyond what is documented, or where the release cannot be told', async () => {
    for (const scenario of [
      {maxModelLen: 131_073, engine: 'vllm'},
      {maxModelLen: 64_000, engine: 'trtllm', engineVersion: '1.2.1'},
      {model: 'llama-3-8b', maxModelLen: 8193, engine: 'sglang'},
    ]) {
      const {best} = await ask(scenario)
      expect(best.verdict, JSON.stringify(scenario)).toBe('does-not-fit')
      expect(best.reasons.map(({code}) => code)).toEqual(['context-exceeds-model'])
    }
  })

  it('is not what an unasked context becomes', async () => {
    expect((await ask({engine: 'vllm'})).best.deployment.maxModelLen).toBe(40_960)
  })
})
