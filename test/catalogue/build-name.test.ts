import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {buildNamed, promisedCheckpoint, withoutForm} from '../../src/catalogue/build-name.ts'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import type {Context} from '../../src/planner/world/context.ts'
import {modelOf} from '../../src/planner/world/models.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const refuse = () => Promise.reject(new Error('not here'))
const context: Context = {catalogue, engines: new Map(), detect: refuse, readMachine: refuse, readModel: refuse, repository: async () => ({because: 'offline'})}

describe('what the name of a build says', () => {
  it.each([
    ['unsloth/Qwen3-32B-GGUF:Q4_K_M', 'Qwen3-32B', 'q4_k_m', 'q4_k'],
    ['unsloth/Qwen3-32B-GGUF:UD-Q4_K_XL', 'Qwen3-32B', 'q4_k_xl', 'q4_k'],
    ['ggml-org/Qwen3-32B-Q8_0-GGUF', 'Qwen3-32B', 'q8_0', 'q8_0'],
    ['Intel/Qwen3-32B-int4-AutoRound', 'Qwen3-32B', 'gptq-int4', 'gptq-int4'],
    ['RedHatAI/Kimi-K2.6-NVFP4', 'Kimi-K2.6', 'nvfp4', 'nvfp4'],
    ['foo/Qwen3-32B-AWQ', 'Qwen3-32B', 'awq-int4', 'awq-int4'],
    ['foo/Qwen3-32B-AWQ-4bit', 'Qwen3-32B', 'awq-int4', 'awq-int4'],
    ['foo/Qwen3-32B-quantized.w4a16', 'Qwen3-32B', 'compressed-int4', 'int4-group128'],
    ['foo/Qwen3-32B-W4A16-G128', 'Qwen3-32B', 'compressed-int4', 'int4-group128'],
    ['foo/Qwen3-32B-quantized.w8a8', 'Qwen3-32B', 'int8', 'int8'],
    ['foo/Qwen3-32B-FP8-dynamic', 'Qwen3-32B', 'fp8', 'fp8-channel'],
    ['foo/Qwen3-32B-FP8-block', 'Qwen3-32B', 'fp8-block', 'fp8-block'],
    ['foo/Qwen3-32B-GPTQ-Int4', 'Qwen3-32B', 'gptq-int4', 'gptq-int4'],
    ['foo/Qwen3-32B-GPTQ-Int8', 'Qwen3-32B', 'gptq-int8', 'gptq-int8'],
    ['unsloth/Qwen3-32B-unsloth-bnb-4bit', 'Qwen3-32B', 'nf4', 'nf4'],
    ['amd/Qwen3-32B-MXFP4', 'Qwen3-32B', 'mxfp4', 'mxfp4'],
    ['foo/Qwen3-32B-NVFP4A16', 'Qwen3-32B', 'nvfp4', 'nvfp4-weight-only'],
  ])('%s', (name, base, weights, format) => {
    expect(buildNamed(name)).toMatchObject({base, weights, formats: {default: format}})
  })

  it.each([
    ['turboderp/Qwen3-32B-EXL3', 'EXL3'],
    ['foo/Qwen3-32B-4.0bpw-exl2', 'EXL2'],
    ['mlx-community/Qwen3-32B-4bit', 'MLX'],
    ['foo/Qwen3-32B-mlx-8bit', 'MLX'],
    ['OpenVINO/Qwen3-32B-int4-ov', 'OpenVINO'],
    ['mlc-ai/Qwen3-32B-q4f16_1-MLC', 'MLC'],
  ])('%s is for another program', (name, form) => {
    expect(buildNamed(name)).toMatchObject({base: 'Qwen3-32B', form})
  })

  it.each(['Qwen/Qwen3-32B', 'foo/Qwen3-32B-Uncensored', 'unsloth/Qwen3-32B-GGUF', 'qwen3-32b', 'a/b/c-AWQ', 'foo/Qwen3-32B-GGUF:Q9_X'])(
    '%s says no form',
    (name) => {
      expect(buildNamed(name)).toBeUndefined()
    },
  )

  it('keeps the base of a name', () => {
    expect(withoutForm('nvidia/Qwen3.8-27B-NVFP4')).toBe('Qwen3.8-27B')
    expect(withoutForm('unsloth/Qwen3-32B-GGUF')).toBe('Qwen3-32B')
  })
})

describe('builds that the catalogue does not have', () => {
  it('are answered by base and format, marked as assumed', async () => {
    const {model, checkpoint, notes} = await modelOf(context, 'unsloth/Qwen3-32B-GGUF:Q4_K_M')
    expect(model.id).toBe('qwen3-32b')
    expect(checkpoint).toMatchObject({hfId: 'unsloth/Qwen3-32B-GGUF', weights: 'q4_k_m', formatsAssumed: true, quantMethod: 'gguf'})
    expect(notes?.map(({code}) => code)).toEqual(['recipe-assumed'])
    // The published file has 19.76 GB.
    expect(checkpointBytes(model.architecture, checkpoint!) / 19.76e9).toBeCloseTo(1, 1)
  })

  it('take the recipe of a catalogued build of the same form', () => {
    const model = catalogue.model('qwen3-32b')
    const own = model.checkpoints.find(({hfId}) => hfId === 'Qwen/Qwen3-32B-AWQ')!
    const build = buildNamed('foo/Qwen3-32B-AWQ')
    if (!build || 'program' in build) throw new Error('no build')
    const promised = promisedCheckpoint(build, model, ['redhatai'])
    expect(promised).toMatchObject({formats: own.formats, publisher: 'community', formatsAssumed: true})
    expect(promisedCheckpoint({...build, repository: 'RedHatAI/Qwen3-32B-AWQ'}, model, ['redhatai']).publisher).toBe('known')
  })

  it('are refused where another program runs them, naming it and the base', async () => {
    await expect(modelOf(context, 'turboderp/Qwen3-32B-EXL3')).rejects.toMatchObject({
      code: 'MODEL_FORMAT_FOREIGN',
      message: expect.stringContaining('ExLlamaV3'),
      suggestions: ['qwen3-32b'],
    })
  })

  it('are not guessed for a fine-tune, nor for what the hub does not have', async () => {
    await expect(modelOf(context, 'foo/Qwen3-32B-Uncensored-AWQ')).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      suggestions: expect.arrayContaining(['qwen3-32b']),
    })
    const absent: Context = {...context, repository: async () => ({because: 'no such repository', absent: true})}
    await expect(modelOf(absent, 'foo/Qwen3-32B-AWQ')).rejects.toMatchObject({code: 'MODEL_UNKNOWN'})
  })

  it('suggest the same base first', async () => {
    const error = await modelOf(context, 'foo/Qwen3.8-27B-Weird').catch((caught: unknown) => caught)
    expect((error as {suggestions: string[]}).suggestions[0]).toBe('qwen3.8-27b')
  })
})
