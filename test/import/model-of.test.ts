import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {realContext} from '../../src/cli/world.ts'
import {InputError} from '../../src/core/input-error.ts'
import type {Context} from '../../src/planner/world/context.ts'
import type {FoundRepository} from '../../src/planner/world/found-model.ts'
import {modelOf} from '../../src/planner/world/models.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))

/** A context that notes which repositories it was asked for. */
function contextWith(answer: () => Promise<FoundRepository>, refresh = false) {
  const asked: string[] = []
  const context: Context = {
    ...realContext(catalogue),
    refresh,
    repository: async (name) => {
      asked.push(name)
      return answer()
    },
  }
  return {context, asked}
}

const found = async (): Promise<FoundRepository> => ({found: {model: {...catalogue.model('qwen3-32b'), id: 'from-outside'}, warnings: ['odd']}})
const nowhere = async (): Promise<FoundRepository> => ({because: 'the hub was not asked (--offline)'})

describe('where a model comes from', () => {
  it('asks nobody for what the catalogue has, or for what is no repository', async () => {
    const {context, asked} = contextWith(found)
    expect((await modelOf(context, 'Qwen/Qwen3-32B-AWQ')).checkpoint!.hfId).toBe('Qwen/Qwen3-32B-AWQ')
    await modelOf(context, 'qwen3-32b')
    await expect(modelOf(context, 'no such model')).rejects.toMatchObject({code: 'MODEL_UNKNOWN'})
    await expect(modelOf(context, 'a/b/c')).rejects.toMatchObject({code: 'MODEL_UNKNOWN'})
    expect(asked).toEqual([])
  })

  it('asks for other repositories, GGUF types included', async () => {
    const {context, asked} = contextWith(found)
    const {model, checkpoint, warnings} = await modelOf(context, 'Acme/Unheard-Of')
    expect({id: model.id, warnings}).toEqual({id: 'from-outside', warnings: ['odd']})
    expect(checkpoint).toBe(model.checkpoints[0])
    await modelOf(context, 'Acme/Unheard-Of-GGUF:Q4_K_M')
    expect(asked).toEqual(['Acme/Unheard-Of', 'Acme/Unheard-Of-GGUF:Q4_K_M'])
  })

  it('asks anew with --refresh, by the repository of a name', async () => {
    const {context, asked} = contextWith(found, true)
    await modelOf(context, 'qwen3-32b')
    await modelOf(context, 'Qwen/Qwen3-32B-AWQ')
    expect(asked).toEqual(['Qwen/Qwen3-32B', 'Qwen/Qwen3-32B-AWQ'])
    await expect(modelOf(contextWith(nowhere, true).context, 'qwen3-32b')).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining('--offline'),
    })
  })

  it('says where it looked and what is close', async () => {
    await expect(modelOf(contextWith(nowhere).context, 'Qwen/Qwen3-33B')).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining('the hub was not asked (--offline)'),
      suggestions: expect.arrayContaining(['qwen3-32b']),
    })
  })

  it('passes on what is wrong with a repository', async () => {
    const gated = async () => {
      throw new InputError('MODEL_GATED', 'accept its terms')
    }
    await expect(modelOf(contextWith(gated).context, 'Acme/Gated')).rejects.toMatchObject({code: 'MODEL_GATED'})
  })
})
