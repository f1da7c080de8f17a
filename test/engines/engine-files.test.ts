import {readdirSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {checkEngineFile, type FactsFile} from '../../src/engines/engine-schema.ts'
import {architectureAnswer, cacheAnswer, formatAnswer, formatFamily, packerOf, ruleAnswer} from '../../src/engines/support-formats.ts'
import {weightFormatIds} from '../../src/core/formats.ts'
import {engineFile, flagTable, gpus, needsTable, supportTable} from './launch-fixtures.ts'

const names = readdirSync(new URL('../../data/engines/', import.meta.url))
  .filter((name) => /^(?:vllm|sglang|trtllm|support|builds|needs|lora|platforms)/.test(name))
  .map((name) => name.replace('.yaml', ''))

describe('files of data/engines', () => {
  it.each(names.map((name) => [name]))('%s has the shape it should have', (name) => {
    expect(checkEngineFile(`data/engines/${name}.yaml`, engineFile(name)).problems).toEqual([])
  })

  it('names every problem at once', () => {
    const {problems} = checkEngineFile('data/engines/vllm.yaml', {...(engineFile('vllm') as object), port: 0, healthPath: 'health'})
    expect(problems).toHaveLength(2)
    expect(problems[0]).toContain('data/engines/vllm.yaml: port')
  })

  it('refuses flags under another engine, twice, or without their source', () => {
    const file = flagTable('vllm')
    expect(checkEngineFile('sglang-flags.yaml', file).problems).toHaveLength(1)
    const row = file.flags[0]!
    expect(checkEngineFile('vllm-flags.yaml', {...file, flags: [row, row, {...row, name: '--x', source: 'nowhere'}]}).problems).toHaveLength(2)
  })

  it('refuses rules of a format that overlap or have no order', () => {
    const support = engineFile('support') as {formats: Record<string, Record<string, unknown>>}
    const rule = {on: [[8, 9]], source: 'x'}
    const check = (rules: unknown) => checkEngineFile('support.yaml', {...support, formats: {...support.formats, fp8: {vllm: rules}}}).problems.length
    expect(
      check([
        {...rule, until: '0.2.0'},
        {...rule, since: '0.3.0'},
      ]),
    ).toBe(0)
    expect(
      check([
        {...rule, until: '0.3.0'},
        {...rule, since: '0.3.0'},
      ]),
    ).toBeGreaterThan(0)
    expect(
      check([
        {...rule, since: '0.3.0'},
        {...rule, until: '0.2.0'},
      ]),
    ).toBeGreaterThan(0)
  })

  // vLLM 0.33.0: 254 names in add_argument calls of engine/arg_utils.py, 4 in entrypoints/common/cli_args.py and 62 fields of its two
  // classes. SGLang 0.5.23: 541 annotated fields under arg_groups/fields, 19 of them `no_cli`, and 9 add_argument calls in server_args.py.
  it('knows as many options as were counted in the engines: 320, 531, 47 and 281', () => {
    const existing = (engine: string) => flagTable(engine).flags.filter(({type, until}) => type !== undefined && until === undefined).length
    expect(existing('vllm')).toBe(254 + 4 + 62)
    expect(existing('sglang')).toBe(541 - 19 + 9)
    expect(existing('trtllm')).toBe(47)
    expect(flagTable('trtllm').fields).toHaveLength(281)
  })
})

describe('what was learned of the engines, against what is written by hand', () => {
  it.each(['vllm', 'sglang'] as const)('dates the parsers that models of %s need as its option lists do', (engine) => {
    const {flags} = flagTable(engine)
    for (const [kind, flag] of [
      ['toolCallParser', '--tool-call-parser'],
      ['reasoningParser', '--reasoning-parser'],
    ] as const) {
      const row = flags.find(({name}) => name === flag)!
      for (const [parser, since] of Object.entries(needsTable().parsers[engine]![kind])) {
        expect(row.choices, `${flag} ${parser}`).toContain(parser)
        expect(row.choicesSince?.[parser] ?? 'any', `${flag} ${parser}`).toBe(since)
      }
    }
  })

  // The class of a format refuses cards below its floor, whatever its kernels could do.
  it.each([
    ['vllm', 'awq-int4', 'awq'],
    ['vllm', 'gptq-int4', 'gptq'],
    ['vllm', 'fp8', 'fp8'],
    ['vllm', 'mxfp8', 'modelopt_mxfp8'],
    ['vllm', 'mxfp4', 'mxfp4'],
    ['vllm', 'nvfp4', 'modelopt_fp4'],
    ['vllm', 'compressed-int4', 'compressed-tensors'],
    ['sglang', 'awq-int4', 'awq'],
    ['sglang', 'nvfp4', 'modelopt_fp4'],
    ['sglang', 'int8', 'w8a8_int8'],
    ['sglang', 'w4a8', 'w4afp8'],
    ['sglang', 'nf4', 'bitsandbytes'],
    ['sglang', 'compressed-int4', 'compressed-tensors'],
  ])('promises no %s format %s below the floor of its class %s', (engine, format, method) => {
    const rules = supportTable().formats[format]?.[engine]
    // Of several by release the newest.
    const rule = Array.isArray(rules) ? rules.at(-1)! : rules
    const floor = (engineFile(`${engine}-facts`) as FactsFile).weightFormats.findLast(({name, until}) => name === method && until === undefined)?.minCapability
    expect(floor).toBeGreaterThan(0)
    const promised = rule === undefined || rule === false ? [] : (rule.on ?? []).map(([from]) => from)
    expect(promised.length).toBeGreaterThan(0)
    expect(Math.min(...promised)).toBeGreaterThanOrEqual(floor!)
  })
})

describe('what engines can load', () => {
  const table = supportTable()

  it.each([
    ['vllm', 'fp8', 'rtx4090', '0.28.0', 'native'],
    ['vllm', 'fp8', 'a100', '0.28.0', 'stored'], // Marlin, weight-only below 8.9
    ['trtllm', 'fp8-block', 'rtx4090', '1.3.0rc24', 'refused'], // Hopper and 10.x only
    ['vllm', 'nvfp4', 'h100', '0.28.0', 'stored'],
    ['vllm', 'nvfp4', 'b200', '0.28.0', 'native'],
    ['trtllm', 'nvfp4', 'h100', '1.3.0rc24', 'refused'],
    ['vllm', 'mxfp4', 'h100', '0.9.2', 'refused'], // came with 0.10.1
    ['vllm', 'mxfp4', 'h100', '0.11.0', 'stored'],
    ['vllm', 'int4-group128', 'a100', '0.28.0', 'stored'],
    ['vllm', 'q4_k', 'rtx4090', '0.28.0', 'stored'],
    ['trtllm', 'q4_k', 'rtx4090', '1.3.0rc24', 'refused'],
    ['trtllm', 'mxfp8', 'b200', '1.3.0rc24', 'unknown'],
  ])('%s, %s on %s in %s: %s', (engine, format, gpu, version, kind) => {
    expect(formatAnswer(table, engine, format, gpus[gpu as keyof typeof gpus].accelerator, version).kind).toBe(kind)
  })

  // get_min_capability of each release; vllm-project/vllm#32838 is a Turing card with NVFP4 as compressed-tensors writes it.
  it.each([
    ['vllm', 'fp8', undefined, 7.5, '0.13.0', 'refused', '0.14.0'],
    ['vllm', 'fp8', undefined, 7.5, '0.14.0', 'stored', undefined],
    ['vllm', 'fp8', 'compressed-tensors', 7.5, '0.14.1', 'refused', '0.15.0'],
    ['vllm', 'fp8', 'modelopt', 8.6, '0.26.0', 'refused', '0.27.0'],
    ['vllm', 'fp8', 'modelopt', 8.6, '0.27.0', 'stored', undefined],
    ['vllm', 'fp8', 'modelopt', 8.9, '0.26.0', 'native', undefined],
    ['vllm', 'nvfp4', 'compressed-tensors', 7.5, '0.14.0', 'refused', '0.15.0'],
    ['vllm', 'nvfp4', 'modelopt', 7.5, '0.14.0', 'stored', undefined],
    ['vllm', 'int4-group32', undefined, 7.5, '0.11.2', 'refused', '0.12.0'],
    ['vllm', 'int4-group32', undefined, 7.5, '0.12.0', 'stored', undefined],
    ['vllm', 'awq-int4', 'awq', 7.5, '0.11.2', 'stored', undefined],
    ['vllm', 'awq-int4', 'awq', 7.0, '0.11.2', 'refused', undefined],
    ['vllm', 'mxfp8', 'modelopt', 9.0, '0.19.1', 'refused', '0.20.0'],
    ['sglang', 'nvfp4', 'modelopt', 9.0, '0.5.12', 'refused', '0.5.13'],
    ['sglang', 'fp8', 'modelopt', 8.6, '0.5.18', 'refused', undefined],
    // Several formats in one checkpoint: a Qwen3.6 35B A3B of NVIDIA ran on two RTX 3090 with 0.24.0, where pure FP8 was still refused.
    ['vllm', 'fp8', 'modelopt_mixed', 8.6, '0.23.0', 'refused', '0.24.0'],
    ['vllm', 'fp8', 'modelopt_mixed', 8.6, '0.24.0', 'stored', undefined],
    ['vllm', 'fp8', 'modelopt_mixed', 8.9, '0.16.0', 'refused', '0.17.0'],
    ['vllm', 'nvfp4', 'modelopt_mixed', 8.6, '0.20.0', 'refused', '0.24.0'],
    ['vllm', 'nvfp4-weight-only', 'modelopt_mixed', 12.0, '0.21.0', 'refused', '0.22.0'],
    ['vllm', 'nvfp4-weight-only', 'modelopt_mixed', 8.6, '0.24.0', 'stored', undefined],
    ['vllm', 'nvfp4-weight-only', 'modelopt', 12.0, '0.20.2', 'refused', '0.21.0'],
    ['vllm', 'nvfp4-weight-only', 'compressed-tensors', 8.6, '0.12.0', 'stored', undefined],
    ['vllm', 'mxfp8', 'modelopt_mixed', 9.0, '0.28.0', 'stored', undefined],
    ['sglang', 'fp8', 'modelopt_mixed', 8.6, '0.5.16', 'refused', '0.5.17'],
    ['sglang', 'fp8', 'modelopt_mixed', 8.6, '0.5.17', 'stored', undefined],
    ['sglang', 'nvfp4-weight-only', 'modelopt_mixed', 8.6, '0.5.14', 'refused', '0.5.15'],
  ])('%s, %s of %s on %s in %s: %s', (engine, format, packer, computeCapability, version, kind, later) => {
    const answer = formatAnswer(table, engine as 'vllm', format, {...gpus.a100.accelerator, computeCapability}, version, packer)
    expect(answer.kind).toBe(kind)
    expect(answer.elsewhere).toEqual(later === undefined ? undefined : {version: later, later: true})
  })

  it('takes a checkpoint of Model Optimizer for a mixed one where two formats are quantised', () => {
    expect(packerOf('modelopt', ['nvfp4', 'bf16'])).toBe('modelopt')
    expect(packerOf('modelopt', ['nvfp4-weight-only', 'fp8', 'bf16'])).toBe('modelopt_mixed')
    expect(packerOf('compressed-tensors', ['nvfp4', 'fp8-channel'])).toBe('compressed-tensors')
    expect(packerOf(undefined, ['bf16'])).toBeUndefined()
  })

  it('names the last release that took a format on a card', () => {
    const rules = [
      {until: '0.2.0', on: [[7.0, 9.0]] as [number, number][], source: 'x'},
      {since: '0.3.0', on: [[8.0, 9.0]] as [number, number][], source: 'x'},
    ]
    const volta = {...gpus.a100.accelerator, computeCapability: 7.0}
    expect(ruleAnswer(rules, volta, '0.3.1').elsewhere).toEqual({version: '0.2.0', later: false})
    expect(ruleAnswer(rules, volta, '0.2.0').kind).toBe('stored')
  })

  it('says why not, with the capability', () => {
    expect(formatAnswer(table, 'trtllm', 'nvfp4', gpus.h100.accelerator, '1.3.0rc24').because).toBe(
      'it needs compute capability 10.0 or later, but this GPU has 9.0',
    )
  })

  it('asks for a package where the engine gave a format away', () => {
    expect(formatAnswer(table, 'vllm', 'q4_k', gpus.rtx4090.accelerator, '0.28.0').plugin).toBe('vllm-gguf-plugin')
    expect(formatAnswer(table, 'vllm', 'q4_k', gpus.rtx4090.accelerator, '0.23.0').plugin).toBeUndefined()
  })

  it('has a rule for every weight format but FP32', () => {
    expect(weightFormatIds.filter((id) => !(formatFamily(id) in table.formats))).toEqual(['fp32'])
  })

  it('judges AMD by target', () => {
    const mi300x = {...gpus.h100.accelerator, vendor: 'amd' as const, computeCapability: undefined, gfxTarget: 'gfx942', native: ['fp8']}
    expect(formatAnswer(table, 'vllm', 'fp8', mi300x, '0.28.0').kind).toBe('native')
    expect(formatAnswer(table, 'vllm', 'awq-int4', mi300x, '0.28.0').kind).toBe('stored')
    expect(formatAnswer(table, 'sglang', 'mxfp4', mi300x, '0.5.18').kind).toBe('refused')
  })

  it('knows cache formats by engine and version', () => {
    expect(cacheAnswer(table, 'vllm', 'nvfp4', gpus.b200.accelerator, '0.28.0').kind).not.toBe('refused')
    expect(cacheAnswer(table, 'vllm', 'nvfp4', gpus.h100.accelerator, '0.28.0').kind).toBe('refused')
    expect(cacheAnswer(table, 'vllm', 'nvfp4', gpus.b200.accelerator, '0.19.0').kind).toBe('refused')
  })

  it.each([
    ['vllm', 'Qwen3ForCausalLM', '0.8.0', {kind: 'too-old', since: '0.8.4'}],
    ['vllm', 'DeepseekV4ForCausalLM', '0.19.0', {kind: 'too-old', since: '0.20.0'}],
    ['vllm', 'DeepseekV4ForCausalLM', '0.28.0', {kind: 'supported'}],
    ['vllm', 'MllamaForConditionalGeneration', '0.11.0', {kind: 'gone', until: '0.10.2'}],
    ['sglang', 'AXK1ForCausalLM', '0.5.18', {kind: 'unsupported'}],
    ['vllm', 'MiniMaxM3ForCausalLM', '0.24.0', {kind: 'supported'}], // registered as MiniMaxM3Sparse...
    ['vllm', 'NobodyForCausalLM', '0.28.0', {kind: 'unknown'}],
  ])('%s, %s in %s', (engine, className, version, answer) => {
    expect(architectureAnswer(table, engine, className, version)).toEqual(answer)
  })

  it('names only architectures that the support table has', () => {
    const named = needsTable().models.flatMap(({architectures}) => architectures ?? [])
    expect(named.filter((name) => !(name in table.architectures))).toEqual([])
  })
})
