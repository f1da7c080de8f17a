import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import type {Deployment} from '../../src/core/deployment.ts'
import type {ExtendedContext, Model} from '../../src/core/model.ts'
import {contextLimit, contextNote, contextOverride, contextReason, factorFor, unaskedContext} from '../../src/engines/context.ts'
import type {Launch, Subject} from '../../src/engines/engine.ts'
import {checkFlag, type FlagTable} from '../../src/engines/flags.ts'
import {parseSetting, withSettings} from '../../src/engines/launch/settings.ts'
import {isAtLeast} from '../../src/engines/versions.ts'
import {memFractionStatic} from '../../src/engines/sglang/defaults.ts'
import {sglangLaunch} from '../../src/engines/sglang/launch.ts'
import {sglangQuestion} from '../../src/engines/sglang/question.ts'
import {trtllmLaunch} from '../../src/engines/trtllm/launch.ts'
import {vllmLaunch} from '../../src/engines/vllm/launch.ts'
import {shellText} from '../../src/render/launch/shell.ts'
import {modelFiles, modelOf} from '../catalogue-models/model-files.ts'
import {deployment, flagTable, gpus} from './launch-fixtures.ts'

const launchers = {vllm: vllmLaunch, sglang: sglangLaunch, trtllm: trtllmLaunch}
type Id = keyof typeof launchers
const tables: Record<Id, FlagTable> = {vllm: flagTable('vllm'), sglang: flagTable('sglang'), trtllm: flagTable('trtllm')}
const newest: Record<Id, string> = {vllm: '0.28.0', sglang: '0.5.18', trtllm: '1.3.0rc24'}

const models = new Map(modelFiles.map((file) => modelOf(file)).map((model) => [model.id, model]))
const extended = [...models.values()].filter(({extendedContext}) => extendedContext !== undefined)

function subjectOf(model: Model): Subject {
  return {model, checkpoint: model.checkpoints[0]!, machine: {gpus: [gpus.h200], nodeCount: 1, link: {kind: 'nvlink'}, detected: false}, gpu: gpus.h200}
}
const subject = (id: string): Subject => subjectOf(models.get(id)!)

function deployed(who: Subject, engine: Id, engineVersion: string, maxModelLen: number): Deployment {
  const limits = {vllm: {gpuMemoryUtilization: 0.92, maxNumSeqs: 1024, maxNumBatchedTokens: 8192}, sglang: {maxNumBatchedTokens: 8192}, trtllm: {}}[engine]
  const base = deployment({engine, engineVersion, maxModelLen, gpuMemoryUtilization: 0.9, maxNumSeqs: 2048, maxNumBatchedTokens: 8192, ...limits})
  if (engine !== 'sglang') return base
  return {...base, gpuMemoryUtilization: memFractionStatic(sglangQuestion(who, {...base, maxNumBatchedTokens: undefined}))}
}

const launchOf = (who: Subject, engine: Id, version: string, tokens: number): Launch => launchers[engine](who, deployed(who, engine, version, tokens))
const ask = (engine: Id, engineVersion: string, maxModelLen: number) => ({engine, engineVersion, maxModelLen})

/** What a launch sets in the model's configuration, wherever the engine takes it. */
function overridesOf({flags, file}: Launch): Record<string, unknown> | undefined {
  const flag = flags.find(({flag: name}) => name === '--hf-overrides' || name === '--json-model-override-args')
  if (flag) return JSON.parse(String(flag.value)) as Record<string, unknown>
  return file?.content.model_kwargs as Record<string, unknown> | undefined
}

describe('start commands', () => {
  const cases: [name: string, id: string, engine: Id, version: string, tokens: number][] = [
    ['vllm-0.28.0-yarn', 'qwen3-32b', 'vllm', '0.28.0', 64_000],
    ['vllm-0.11.2-yarn', 'qwen3-32b', 'vllm', '0.11.2', 131_072],
    ['vllm-0.28.0-yarn-text-part', 'qwen3.5-27b', 'vllm', '0.28.0', 1_000_000],
    ['vllm-0.28.0-raised-limit', 'nemotron-3-nano-30b-a3b', 'vllm', '0.28.0', 1_000_000],
    ['sglang-0.5.18-yarn', 'qwen3-32b', 'sglang', '0.5.18', 64_000],
    ['sglang-0.5.9-yarn', 'qwen3-next-80b-a3b-instruct', 'sglang', '0.5.9', 1_010_000],
    ['sglang-0.4.10-yarn', 'qwen3-8b', 'sglang', '0.4.10', 100_000],
    ['sglang-0.5.18-yarn-text-part', 'qwen3-vl-8b-instruct', 'sglang', '0.5.18', 500_000],
    ['sglang-0.5.18-raised-limit', 'hunyuan-a13b-instruct', 'sglang', '0.5.18', 262_144],
    ['trtllm-1.3.0rc24-yarn', 'qwen3-32b', 'trtllm', '1.3.0rc24', 64_000],
    ['trtllm-1.3.0rc0-raised-limit', 'nemotron-3-super-120b-a12b', 'trtllm', '1.3.0rc0', 500_000],
  ]
  it.each(cases)('%s', async (name, id, engine, version, tokens) => {
    const launch = launchOf(subject(id), engine, version, tokens)
    const fields = launch.file ? Object.entries(launch.file.content) : []
    for (const [flag, value] of [...launch.flags.map(({flag, value}) => [flag, value] as const), ...fields])
      expect(checkFlag(tables[engine], version, flag, value), flag).toBeUndefined()
    await expect(shellText(launch)).toMatchFileSnapshot(`../golden/context/${name}.sh`)
  })

  // vllm/config/model.py: rope_scaling is read up to 0.11.2, rope_parameters with everything about the rotation from 0.12.0.
  it.each([
    ['vllm', '0.8.0', 'rope_scaling'],
    ['vllm', '0.11.0', 'rope_scaling'],
    ['vllm', '0.11.2', 'rope_scaling'],
    ['vllm', '0.12.0', 'rope_parameters'],
    ['vllm', '0.29.0', 'rope_parameters'],
    ['vllm', '0.33.0', 'rope_parameters'],
    ['sglang', '0.4.6', 'rope_scaling'],
    ['sglang', '0.5.9', 'rope_scaling'],
    ['sglang', '0.5.10', 'rope_parameters'],
  ] as const)('%s %s reads %s', (engine, version, field) => {
    const scaling = {rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768}
    expect(overridesOf(launchOf(subject('qwen3-32b'), engine, version, 131_072))).toEqual({
      [field]: field === 'rope_parameters' ? {...scaling, rope_theta: 1_000_000} : scaling,
      ...(engine === 'vllm' && isAtLeast(version, '0.30.0') && {max_position_embeddings: 131_072}),
    })
  })

  // vllm/config/model.py _get_and_verify_max_len: up to 0.29.0 the limit is factor x original_max_position_embeddings, from 0.30.0
  // max_position_embeddings alone; seen with create_engine_config of 0.32.0, which refused 61,008 tokens of 40,960 without it.
  it('raises the positions for vLLM from 0.30.0, to what the scaling reaches', () => {
    const positions = (version: string) => overridesOf(launchOf(subject('qwen3-32b'), 'vllm', version, 61_008))?.max_position_embeddings
    expect(positions('0.29.0')).toBeUndefined()
    expect(positions('0.30.0')).toBe(2 * 32_768)
  })

  it('let SGLang pass the derived limit from 0.5.1, where the variable is off by default', () => {
    const variable = (version: string, tokens: number) =>
      launchOf(subject('qwen3-32b'), 'sglang', version, tokens).environment.map(({name, value}) => `${name}=${value}`)
    expect(variable('0.4.10', 64_000)).toEqual([])
    expect(variable('0.5.1', 64_000)).toEqual(['SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1'])
    expect(variable('0.5.18', 40_960)).toEqual([])
  })

  it('write the factor with a decimal point and no larger than it must be', () => {
    const value = (tokens: number) => String(launchOf(subject('qwen3-32b'), 'vllm', '0.28.0', tokens).flags.find(({flag}) => flag === '--hf-overrides')?.value)
    expect(value(64_000)).toContain('"factor":2.0,')
    expect(value(49_152)).toContain('"factor":1.5,')
    expect(value(49_153)).toContain('"factor":2.0,')
    expect(value(131_072)).toContain('"factor":4.0,')
  })

  it('give way to an override by hand', () => {
    const launch = withSettings(
      launchOf(subject('qwen3-32b'), 'vllm', '0.28.0', 64_000),
      [parseSetting('hf-overrides={"rope_parameters":{"factor":3}}')],
      tables.vllm,
      '0.28.0',
    )
    expect(launch.flags.filter(({flag}) => flag === '--hf-overrides').map(({value}) => value)).toEqual(['{"rope_parameters":{"factor":3}}'])
  })
})

describe('the factor', () => {
  // 3 x 32,768 = 98,304.
  const scaling = {type: 'yarn' as const, factor: 4, originalTokens: 32_768, theta: 1_000_000}
  it.each([
    [40_961, 1.5],
    [49_152, 1.5],
    [65_536, 2],
    [65_537, 2.5],
    [98_304, 3],
    [131_072, 4],
  ])('for %i tokens is %d', (tokens, factor) => expect(factorFor(scaling, tokens)).toBe(factor))

  it('covers what is asked for and never exceeds the documented one', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 131_072}), (tokens) => {
        const factor = factorFor(scaling, tokens)
        expect(factor * 32_768).toBeGreaterThanOrEqual(tokens)
        expect(factor).toBeLessThanOrEqual(4)
        expect(Number.isInteger(2 * factor)).toBe(true)
      }),
    )
  })
})

describe('refusals', () => {
  const reason = (id: string, engine: Id, version: string, tokens: number) => contextReason(subject(id), ask(engine, version, tokens))

  it('name what the model reads, with and without scaling', () => {
    expect(reason('qwen3-32b', 'vllm', '0.28.0', 200_000)).toEqual({
      code: 'context-exceeds-model',
      message: 'a context of 200,000 tokens was asked for; Qwen3 32B reads 40,960, and 131,072 with YaRN',
      remedy: 'use --max-model-len 131072',
    })
    expect(reason('llama-3-8b', 'sglang', '0.5.18', 64_000)).toEqual({
      code: 'context-exceeds-model',
      message: 'a context of 64,000 tokens was asked for; Llama 3 8B reads 8,192, and no further scaling is documented',
      remedy: 'use --max-model-len 8192',
    })
    expect(reason('nemotron-3-nano-30b-a3b', 'vllm', '0.28.0', 2_000_000)?.message).toBe(
      'a context of 2,000,000 tokens was asked for; Nemotron 3 Nano 30B A3B reads 262,144, and 1,048,576 where the limit in its configuration is raised',
    )
    expect(reason('ring-2.5-1t', 'sglang', '0.5.18', 200_000)).toEqual({
      code: 'context-exceeds-model',
      message: 'a context of 200,000 tokens was asked for; Ring 2.5 1T reads 131,072, and its publisher names 262,144 without what has to be set for it',
      remedy: 'use --max-model-len 131072',
    })
  })

  it.each([
    ['qwen3-32b', 'trtllm', '1.2.1', '1.3.0rc0'],
    ['qwen3.5-27b', 'sglang', '0.5.16', '0.5.17'],
    ['qwen3-vl-8b-instruct', 'vllm', '0.11.0', '0.11.1'],
    ['smollm3-3b', 'vllm', '0.27.1', '0.28.0'],
  ] as const)('%s on %s %s needs %s', (id, engine, version, since) => {
    const {contextTokens} = models.get(id)!.architecture
    const tokens = contextTokens + 1
    expect(reason(id, engine, version, tokens)?.message).toMatch(/has no way to be told so$/)
    expect(reason(id, engine, version, tokens)?.remedy).toBe(`use --engine-version ${since} or later, or --max-model-len ${contextTokens}`)
    expect(reason(id, engine, since, tokens)).toBeUndefined()
    expect(reason(id, engine, version, contextTokens)).toBeUndefined()
  })

  it('say that TensorRT-LLM cannot be told of scaling inside a part of the configuration', () => {
    expect(reason('qwen3.5-27b', 'trtllm', '1.3.0rc24', 300_000)).toEqual({
      code: 'context-exceeds-model',
      message:
        'a context of 300,000 tokens was asked for; Qwen3.5 27B reads 262,144, and 1,010,000 with YaRN, but TensorRT-LLM 1.3.0rc24 has no way to be told so',
      remedy: 'use another --engine, or --max-model-len 262144',
    })
  })

  it('offer a length that is not refused in its turn', () => {
    for (const model of models.values())
      for (const engine of ['vllm', 'sglang', 'trtllm'] as const) {
        const {remedy} = contextReason(subjectOf(model), ask(engine, newest[engine], 20_000_000))!
        const offered = Number(/--max-model-len (\d+)$/.exec(remedy!)?.[1])
        expect(contextReason(subjectOf(model), ask(engine, newest[engine], offered)), `${model.id} on ${engine}`).toBeUndefined()
      }
  })
})

describe('the note', () => {
  it('says by how much, and what it costs', () => {
    expect(contextNote(subject('qwen3-32b'), ask('vllm', '0.28.0', 64_000))).toEqual({
      code: 'context-beyond-model',
      message:
        "64,000 tokens go beyond the 40,960 of Qwen3 32B's configuration: they are read with YaRN by a factor of 2, which is static (it applies to every request) and may cost quality on short prompts",
    })
    expect(contextNote(subject('hunyuan-a13b-instruct'), ask('vllm', '0.28.0', 64_000))?.message).toBe(
      "64,000 tokens go beyond the 32,768 of Hunyuan A13B Instruct's configuration: its publisher documents that, and the limit is raised",
    )
    expect(contextNote(subject('qwen3-32b'), ask('vllm', '0.28.0', 40_960))).toBeUndefined()
    expect(contextNote(subject('qwen3-32b'), ask('vllm', '0.28.0', 200_000))).toBeUndefined()
  })
})

describe('for every model and length', () => {
  it('a configuration is changed exactly when the context is beyond it and can be served', () => {
    const engines = fc.constantFrom<[Id, string]>(
      ['vllm', '0.8.0'],
      ['vllm', '0.11.1'],
      ['vllm', '0.28.0'],
      ['sglang', '0.4.6'],
      ['sglang', '0.5.18'],
      ['trtllm', '1.0.0'],
      ['trtllm', '1.3.0rc24'],
    )
    const who = fc.constantFrom(...extended, models.get('llama-3-8b')!, models.get('gpt-oss-120b')!, models.get('deepseek-v3')!)
    fc.assert(
      fc.property(who, engines, fc.double({min: 0.01, max: 3, noNaN: true}), (model, [engine, version], share) => {
        const {contextTokens} = model.architecture
        const longest = model.extendedContext?.tokens ?? contextTokens
        const tokens = Math.max(1, Math.round(share * (share > 1 ? longest : contextTokens)))
        const subjectFor = subjectOf(model)
        const asked = ask(engine, version, tokens)
        const refused = contextReason(subjectFor, asked) !== undefined
        const launch = launchOf(subjectFor, engine, version, tokens)
        const overrides = overridesOf(launch)
        expect(overrides !== undefined).toBe(tokens > contextTokens && !refused)
        expect(contextOverride(subjectFor, asked)?.fields).toEqual(overrides)
        expect(contextNote(subjectFor, asked) !== undefined).toBe(tokens > contextTokens && !refused)
        // An engine starts as far as the scaling goes, documented or not.
        const {factor = 0, originalTokens = 0} = model.extendedContext?.ropeScaling ?? {}
        if (tokens > Math.max(longest, factor * originalTokens)) expect(refused).toBe(true)
        if (tokens <= contextTokens) expect(refused).toBe(false)
        const {scaling, raised} = readAs(overrides, model.extendedContext)
        // What vLLM derives covers what is asked for, or it would not start.
        if (scaling) expect(scaling.factor * scaling.original_max_position_embeddings).toBeGreaterThanOrEqual(tokens)
        else if (overrides) expect(raised).toBe(tokens)
      }),
      {numRuns: 400},
    )
  })

  // 1,000,000 tokens are documented of Qwen3.8, whose scaling goes to 4 x 262,144: 1,010,000 were seen to run.
  it('more than is documented is a note as far as the scaling goes', () => {
    const beyond = ask('vllm', '0.28.0', 1_010_000)
    expect(contextReason(subject('qwen3.8-27b'), beyond)).toBeUndefined()
    expect(contextNote(subject('qwen3.8-27b'), beyond)?.message).toContain('its publisher documents 1,000,000, and nothing is known about quality beyond that')
    expect([1_000_000, 1_000_001].map((tokens) => contextLimit(subject('qwen3.8-27b'), ask('vllm', '0.28.0', tokens)))).toEqual([1_000_000, 1_048_576])
    expect(contextReason(subject('qwen3.8-27b'), ask('vllm', '0.28.0', 1_048_577))?.code).toBe('context-exceeds-model')
  })

  it('the estimate goes to the documented length where the engine can be told of it', () => {
    expect(contextLimit(subject('qwen3-32b'), ask('vllm', '0.28.0', 1))).toBe(131_072)
    // TensorRT-LLM 1.2 takes no fields of the configuration.
    expect(contextLimit(subject('qwen3-32b'), ask('trtllm', '1.2.0', 1))).toBe(40_960)
    expect(contextLimit(subject('llama-3-8b'), ask('vllm', '0.28.0', 1))).toBe(8192)
  })
})

interface Scaling {
  factor: number
  original_max_position_embeddings: number
}

function readAs(overrides: Record<string, unknown> | undefined, documented: ExtendedContext | undefined): {scaling?: Scaling; raised?: number} {
  const part = (documented?.configPath === undefined ? overrides : overrides?.[documented.configPath]) as Record<string, unknown> | undefined
  return {scaling: (part?.rope_parameters ?? part?.rope_scaling) as Scaling | undefined, raised: part?.max_position_embeddings as number | undefined}
}

describe('a configuration with scaling of its own', () => {
  /** Qwen3-32B with the publisher's snippet in its config.json: 131,072 tokens, max_position_embeddings left at 40,960. */
  const scaled = (): Subject => {
    const {architecture, extendedContext: _documented, ...rest} = models.get('qwen3-32b')!
    return subjectOf({...rest, architecture: {...architecture, contextTokens: 131_072, positionTokens: 40_960}})
  }

  it('needs nothing in vLLM up to 0.29.0, and more positions from 0.30.0', () => {
    expect(shellText(launchOf(scaled(), 'vllm', '0.28.0', 131_072))).toBe('vllm serve Qwen/Qwen3-32B\n')
    expect(overridesOf(launchOf(scaled(), 'vllm', '0.30.0', 131_072))).toEqual({max_position_embeddings: 131_072})
  })

  it('needs its length said in SGLang, which stops at the positions', () => {
    const launch = launchOf(scaled(), 'sglang', '0.5.18', 131_072)
    expect(launch.flags.find(({flag}) => flag === '--context-length')?.value).toBe(131_072)
    expect(launch.environment.map(({name}) => name)).toEqual(['SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN'])
    expect(overridesOf(launch)).toBeUndefined()
  })

  it('needs more positions in TensorRT-LLM, and stops at them in releases that take none', () => {
    expect(overridesOf(launchOf(scaled(), 'trtllm', '1.3.0rc24', 100_000))).toEqual({max_position_embeddings: 100_000})
    expect(unaskedContext(scaled(), 'trtllm', '1.3.0rc24')).toBe(131_072)
    expect(unaskedContext(scaled(), 'trtllm', '1.2.1')).toBe(40_960)
    expect(contextReason(scaled(), ask('trtllm', '1.2.1', 100_000))).toEqual({
      code: 'context-exceeds-model',
      message:
        'a context of 100,000 tokens was asked for; the scaling of the configuration reaches that far, but TensorRT-LLM 1.2.1 stops at its 40,960 positions',
      remedy: 'use --engine-version 1.3.0rc0 or later, or --max-model-len 40960',
    })
  })

  it('is not scaled once more', () => {
    expect(contextReason(scaled(), ask('vllm', '0.28.0', 200_000))?.message).toBe(
      'a context of 200,000 tokens was asked for; Qwen3 32B reads 131,072, and no further scaling is documented',
    )
  })
})
