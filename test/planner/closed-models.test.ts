import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {InputError} from '../../src/core/input-error.ts'
import {answer, machineOf} from '../../src/planner/answer/index.ts'

let catalogue: Catalogue
beforeAll(() => {
  catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
})
const refuse = () => Promise.reject(new Error('not here'))
const withoutCard = () => ({
  catalogue,
  engines: new Map(),
  detect: () => Promise.reject(new InputError('NO_GPU', 'This machine has no GPU that can be used')),
  readMachine: refuse,
  readModel: refuse,
})

describe('a model whose weights are not published', () => {
  it('is told as that before that this machine has no card', async () => {
    await expect(answer(withoutCard(), {model: 'gpt-4o'})).rejects.toMatchObject({
      code: 'MODEL_CLOSED',
      message: expect.stringMatching(/^The weights of gpt-4o are not published \(OpenAI\).*; comparable open models: gpt-oss-120b, /),
    })
    // Whatever asks for the machine first: plan, compare.
    await expect(machineOf(withoutCard(), {model: 'claude-sonnet-4.5'})).rejects.toMatchObject({code: 'MODEL_CLOSED'})
    await expect(machineOf(withoutCard(), {model: 'qwen3-23b'})).rejects.toMatchObject({code: 'MODEL_UNKNOWN'})
    await expect(machineOf(withoutCard(), {model: 'qwen3-32b'})).rejects.toMatchObject({code: 'NO_GPU'})
    await expect(machineOf(withoutCard(), {model: ''})).rejects.toMatchObject({code: 'NO_GPU'})
  })

  it('is answered with those that the machine holds, named once', async () => {
    // One H100 holds gpt-oss-120b (61 GiB) and a 70B at 4 bits, but not 397 billion parameters.
    await expect(answer(withoutCard(), {model: 'gpt-4o', gpu: '1xh100-sxm'})).rejects.toMatchObject({
      message: expect.stringMatching(/own machines; comparable open models that fit this machine: gpt-oss-120b, llama-3\.3-70b$/),
    })
    await expect(answer(withoutCard(), {model: 'gpt-4o', gpu: '1xrtx-3060-12gb'})).rejects.toMatchObject({
      message: expect.stringMatching(/own machines; none of the comparable open models fits this machine: gpt-oss-120b, /),
    })
  })
})

describe('a name that is not a card but a machine', () => {
  it('is told as that', async () => {
    await expect(answer(withoutCard(), {model: 'qwen3-8b', gpu: 'mac mini m4'})).rejects.toMatchObject({
      code: 'GPU_UNKNOWN',
      message: 'No GPU named "mac mini m4" in the catalogue, but machines go by such a name',
      suggestions: ['--machine mac-mini-m4-16gb', '--machine mac-mini-m4-pro-64gb'],
    })
    await expect(answer(withoutCard(), {model: 'qwen3-8b', gpu: 'foo'})).rejects.toMatchObject({message: expect.stringContaining('given by its figures')})
  })
})
