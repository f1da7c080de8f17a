import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {buildNamed, draftedBy, promisedCheckpoint, withoutForm} from '../../src/catalogue/build-name.ts'
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
    ['foo/Qwen3-32B-NVFP4-W4A4', 'Qwen3-32B', 'nvfp4', 'nvfp4'],
    ['unsloth/Qwen3-32B-NVFP4-Fast', 'Qwen3-32B', 'nvfp4', 'nvfp4'],
    ['foo/Qwen3-32B-NVFP4-FP8', 'Qwen3-32B', 'nvfp4', 'nvfp4'],
    ['RedHatAI/Qwen3-32B-NVFP4-FP8-BLOCK', 'Qwen3-32B', 'nvfp4', 'nvfp4'],
    ['amd/Qwen3-32B-Quark-MXFP4-AttnFP8', 'Qwen3-32B', 'mxfp4', 'mxfp4'],
    ['google/gemma-4-31B-it-qat-w4a16-ct', 'gemma-4-31B-it', 'compressed-int4', 'int4-group32'],
    ['ISTA-DASLab/gemma-3-27b-it-GPTQ-4b-128g', 'gemma-3-27b-it', 'gptq-int4', 'gptq-int4'],
    ['foo/Qwen3-32B-W4A8', 'Qwen3-32B', 'w4a8', 'w4a8'],
    ['Eco-Tech/Qwen3-32B-w8a8', 'Qwen3-32B', 'int8', 'int8'],
    ['Eco-Tech/Qwen3-32B-w8a8-mtp', 'Qwen3-32B', 'int8', 'int8'],
    ['Eco-Tech/Qwen3-32B-w8a8-mxfp8', 'Qwen3-32B', 'mxfp8', 'mxfp8'],
    ['Eco-Tech/Qwen3-32B-w4a4-mxfp4', 'Qwen3-32B', 'mxfp4', 'mxfp4'],
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

  it('tells what is packed for Ascend NPUs, and what a mixed build keeps elsewhere', () => {
    expect(buildNamed('Eco-Tech/Qwen3-32B-w8a8')).toMatchObject({quantMethod: 'ascend'})
    expect(buildNamed('foo/Qwen3-32B-w8a8')).toMatchObject({quantMethod: 'compressed-tensors'})
    expect(buildNamed('foo/GLM-5.3-NVFP4-FP8')).toMatchObject({formats: {default: 'nvfp4', attention: 'fp8-block'}})
  })

  it.each([
    ['RedHatAI/Qwen3-32B-speculator.eagle3', 'Qwen3-32B'],
    ['z-lab/Qwen3-8B-DFlash-b16', 'Qwen3-8B'],
    ['incoai/Qwen3.8-27B-DFlash2', 'Qwen3.8-27B'],
    ['Inferact/Kimi-K3-DSpark', 'Kimi-K3'],
    ['google/gemma-4-31B-it-assistant', 'gemma-4-31B-it'],
    ['nvidia/gpt-oss-120b-Eagle3-v3', 'gpt-oss-120b'],
    ['mistralai/Mistral-Medium-3.5-128B-EAGLE', 'Mistral-Medium-3.5-128B'],
    ['Qwen/Qwen3-32B', undefined],
    ['nvidia/Llama-3.1-Nemotron-70B-Instruct', undefined],
  ])('%s is a draft for %s', (name, base) => {
    expect(draftedBy(name)).toBe(base)
  })

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

  it.each([
    ['lukealonso/MiniMax-M2.5-NVFP4', 'minimax-m2.5', 'nvfp4'],
    ['nvidia/Qwen3.8-27B-NVFP4', 'qwen3.8-27b', 'nvfp4'],
    ['Intel/Qwen3-30B-A3B-int4-AutoRound', 'qwen3-30b-a3b', 'gptq-int4'],
    ['unsloth/GLM-4.6-GGUF:Q4_K_M', 'glm-4.6', 'q4_k_m'],
    ['QuantTrio/GLM-4.6-AWQ', 'glm-4.6', 'awq-int4'],
    ['cyankiwi/Qwen3.5-27B-AWQ-4bit', 'qwen3.5-27b', 'awq-int4'],
    // The model's own repository ends in -BF16.
    ['RedHatAI/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-FP8', 'nemotron-3.5-lightning-30b-a3b', 'fp8'],
  ])('%s is %s as %s', async (name, id, weights) => {
    const {model, checkpoint} = await modelOf(context, name)
    expect(model.id).toBe(id)
    expect(checkpoint).toMatchObject({hfId: name.replace(/:.*/, ''), weights})
  })

  it('take the recipe of the same publisher before that of another', async () => {
    // RedHatAI keeps the attention of GLM-5.2 in FP8, NVIDIA at 16 bits.
    const {checkpoint} = await modelOf(context, 'RedHatAI/GLM-5.2-NVFP4-W4A4')
    expect(checkpoint).toMatchObject({quantMethod: 'compressed-tensors', formats: {default: 'nvfp4', attention: 'fp8-block'}, formatsAssumed: true})
  })

  it('tell a draft from a model', async () => {
    await expect(modelOf(context, 'RedHatAI/Qwen3-32B-speculator.eagle3')).rejects.toMatchObject({
      code: 'MODEL_IS_DRAFT',
      message: expect.stringContaining('Qwen/Qwen3-32B with --speculative'),
      suggestions: ['qwen3-32b'],
    })
  })

  it.each([
    ['qwen3:8b-q4_K_M', 'qwen3-8b'],
    ['llama3.1:8b-instruct-q8_0', 'llama-3.1-8b'],
    ['gemma3:27b-it-qat', 'gemma-3-27b'],
    ['llama3.2:3b-instruct-fp16', 'llama-3.2-3b'],
  ])('%s, a tag of Ollama, is %s, and says so', async (name, id) => {
    const {model, checkpoint, notes} = await modelOf(context, name)
    expect(model.id).toBe(id)
    // Which build is taken is left to the load and the card.
    expect(checkpoint).toBeUndefined()
    expect(notes?.[0]?.message).toContain(`${name} is a tag of Ollama's`)
  })

  it('a model known by its size goes before the names of closed ones', async () => {
    expect((await modelOf(context, 'meta-models/Muse-Spark-Open-816B-A42B')).model.id).toMatch(/^muse-spark-open/)
    await expect(modelOf(context, 'muse-spark-1')).rejects.toMatchObject({code: 'MODEL_CLOSED'})
  })

  it.each([
    ['nvidia/Qwen3.8-27B-NVFP5', 'qwen3.8-27b'],
    ['Qwen/Qwen3.8-27', 'qwen3.8-27b'],
    ['RedHatAI/Qwen3-32B-NVPF4', 'qwen3-32b'],
    ['foo/MiniMax-M2.5-NVFP4-v3', 'minimax-m2.5'],
    ['moonshotai/Kimi-K2.6-Instruct', 'kimi-k2.6'],
    // Nobody has published these sizes: the same generation comes before the same size.
    ['google/gemma-4-27b-it', 'gemma-4-26b-a4b'],
    ['meta-llama/Llama-3.3-8B-Instruct', 'llama-3.3-70b'],
    ['mistralai/Mistral-Small-4', 'mistral-small-4-119b'],
    ['deepseek-ai/DeepSeek-V4', 'deepseek-v4-flash'],
    ['zai-org/GLM-5.3-Air', 'glm-5.3'],
  ])('%s suggests %s first', async (name, id) => {
    const error = await modelOf(context, name).catch((caught: unknown) => caught)
    expect((error as {code: string}).code).toBe('MODEL_UNKNOWN')
    expect((error as {suggestions: string[]}).suggestions[0]).toBe(id)
  })

  it.each([
    // The newest first, as nothing in the name chooses; what begins with the name before what only shares its words.
    ['llama 70b', ['llama-3.3-70b', 'llama-3.1-nemotron-70b-instruct', 'llama-3.1-70b']],
    ['gemma4', ['gemma-4-']],
    ['deepseek-v4', ['deepseek-v4-flash', 'deepseek-v4-pro']],
    // A slip in a build is answered with the build, behind its model.
    ['Qwen/Qwen3-32B-AWQQ', ['qwen3-32b', 'Qwen/Qwen3-32B-AWQ']],
  ])('%s suggests %j', async (name, beginnings) => {
    const error = await modelOf(context, name).catch((caught: unknown) => caught)
    const {suggestions} = error as {suggestions: string[]}
    for (const [index, beginning] of beginnings.entries()) expect(suggestions[index]).toMatch(new RegExp(`^${beginning.replaceAll('.', '\\.')}`))
  })

  it('do not take M2.6 for M2', async () => {
    const error = await modelOf(context, 'MiniMaxAI/MiniMax-M2.6').catch((caught: unknown) => caught)
    expect((error as {suggestions: string[]}).suggestions).toEqual(expect.arrayContaining(['minimax-m2.5', 'minimax-m2.7']))
  })

  it('suggest the same base first', async () => {
    const error = await modelOf(context, 'foo/Qwen3.8-27B-Weird').catch((caught: unknown) => caught)
    expect((error as {suggestions: string[]}).suggestions[0]).toBe('qwen3.8-27b')
  })
})
