import {expect, test} from 'vitest'
import {findModel, namedModel} from '../../src/catalogue/find-model.ts'
import {modelFiles, modelOf} from './model-files.ts'

const index = modelFiles.map((file) => namedModel(modelOf(file)))

test.each([
  ['qwen3-32b', {id: 'qwen3-32b'}],
  ['Qwen3 32B', {id: 'qwen3-32b'}],
  ['qwen3:32b', {id: 'qwen3-32b'}],
  ['QWEN3_32B', {id: 'qwen3-32b'}],
  ['Qwen/Qwen3-32B', {id: 'qwen3-32b', checkpoint: 'Qwen/Qwen3-32B'}],
  ['qwen/qwen3-32b-awq', {id: 'qwen3-32b', checkpoint: 'Qwen/Qwen3-32B-AWQ'}],
  ['https://huggingface.co/Qwen/Qwen3-32B-FP8/', {id: 'qwen3-32b', checkpoint: 'Qwen/Qwen3-32B-FP8'}],
  ['Qwen3-32B-AWQ', {id: 'qwen3-32b', checkpoint: 'Qwen/Qwen3-32B-AWQ'}],
  ['deepseek v4 flash', {id: 'deepseek-v4-flash'}],
  ['DeepSeek-V4-Pro', {id: 'deepseek-v4-pro'}],
  ['Llama 3.1 8B Instruct', {id: 'llama-3.1-8b'}],
  ['llama3.1:8b', {id: 'llama-3.1-8b'}],
  ['meta-llama/Meta-Llama-3.1-8B', {id: 'llama-3.1-8b', checkpoint: 'meta-llama/Llama-3.1-8B-Instruct'}],
  ['gpt-oss-120b', {id: 'gpt-oss-120b'}],
  ['qwen3-coder-30b', {id: 'qwen3-coder-30b-a3b-instruct'}],
  ['nvidia/Llama-3.3-70B-Instruct-NVFP4', {id: 'llama-3.3-70b', checkpoint: 'nvidia/Llama-3.3-70B-Instruct-FP4'}],
  ['zai-org/GLM-5 (a remark)', {id: 'glm-5', checkpoint: 'zai-org/GLM-5'}],
])('%s', (name, found) => {
  expect(findModel(name, index)).toEqual(found)
})

test.each(['', '   ', 'qwen9-1b', 'nobody/nothing', '/', 'a/b/c', 'x'.repeat(10_000)])('"%.20s" is nobody', (name) => {
  expect(findModel(name, index)).toBeUndefined()
})

test('every name of every model leads to it', () => {
  for (const model of index) {
    expect(findModel(model.id, index), model.id).toEqual({id: model.id})
    for (const name of [model.name!, ...model.names]) expect(findModel(name, index)?.id, name).toBe(model.id)
    for (const checkpoint of model.checkpointIds) expect(findModel(checkpoint, index), checkpoint).toEqual({id: model.id, checkpoint})
  }
})

test('no repository is claimed by two models', () => {
  const owners = new Map<string, string>()
  for (const model of index)
    for (const name of [...model.names.filter((known) => known.includes('/')), ...model.checkpointIds, ...Object.keys(model.checkpointAliases ?? {})]) {
      expect(owners.get(name.toLowerCase()) ?? model.id, name).toBe(model.id)
      owners.set(name.toLowerCase(), model.id)
    }
})
