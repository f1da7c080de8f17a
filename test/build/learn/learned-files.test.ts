import {readFileSync} from 'node:fs'
import {describe, expect, it} from 'vitest'
import {architecturesAt, withArchitectures} from '../../../src/build/learn/architectures.ts'
import {differences, type Known, reviewList} from '../../../src/build/learn/compare-facts.ts'
import {readEngineFile, withReleases} from '../../../src/build/learn/engine-file.ts'
import type {Facts} from '../../../src/build/learn/facts.ts'
import {factsAt, factsText, readFactsFile, withFacts} from '../../../src/build/learn/facts-file.ts'
import {recipeReport} from '../../../src/build/learn/recipes.ts'
import {checkEngineFile} from '../../../src/engines/engine-schema.ts'

const facts = (part: Partial<Facts>): Facts => ({
  version: '0.29.0',
  translator: null,
  options: [],
  architectures: [],
  gone: {},
  plugins: {},
  quantization: [],
  builds: {},
  unread: [],
  ...part,
})

describe('classes in the support file', () => {
  const SUPPORT = `formats: {}
architectures:
  # a remark
  AaForCausalLM: {vllm: any, sglang: 0.5.3}
  CcForCausalLM: {vllm: 0.20.0}
  DdForCausalLM: {sglang: any}
  EeForCausalLM: {sameAs: AaForCausalLM}
`
  const read = facts({architectures: ['AaForCausalLM', 'BbForCausalLM', 'DdForCausalLM'], plugins: {FfModel: 'https://example.org/f'}})

  it('dates what comes and goes, for its own engine only', () => {
    expect(withArchitectures(SUPPORT, 'vllm', '0.29.0', '0.28.0', read)).toBe(`formats: {}
architectures:
  # a remark
  AaForCausalLM: {vllm: any, sglang: 0.5.3}
  BbForCausalLM: {vllm: 0.29.0}
  CcForCausalLM: {vllm: {since: 0.20.0, until: 0.28.0}}
  DdForCausalLM: {vllm: 0.29.0, sglang: any}
  EeForCausalLM: {sameAs: AaForCausalLM}
  FfModel: {vllm: {since: 0.29.0, plugin: "https://example.org/f"}}
`)
  })

  it('gives both releases back', () => {
    const text = withArchitectures(SUPPORT, 'vllm', '0.29.0', '0.28.0', read)
    expect(architecturesAt(text, 'vllm', '0.28.0')).toEqual({architectures: ['AaForCausalLM', 'CcForCausalLM'], plugins: {}})
    expect(architecturesAt(text, 'vllm', '0.29.0')).toEqual({architectures: read.architectures, plugins: read.plugins})
    expect(architecturesAt(text, 'sglang', '0.5.18')).toEqual(architecturesAt(SUPPORT, 'sglang', '0.5.18'))
  })

  it('counts a class from its return, and takes back a loss that was misread', () => {
    const without = facts({architectures: ['DdForCausalLM']})
    const lost = withArchitectures(SUPPORT, 'vllm', '0.29.0', '0.28.0', without)
    expect(lost).toContain('CcForCausalLM: {vllm: {since: 0.20.0, until: 0.28.0}}')
    const found = facts({architectures: ['CcForCausalLM', 'DdForCausalLM']})
    expect(withArchitectures(lost, 'vllm', '0.30.0', '0.29.0', found)).toContain('CcForCausalLM: {vllm: 0.30.0}')
    expect(withArchitectures(lost, 'vllm', '0.29.0', '0.29.0', found)).toContain('CcForCausalLM: {vllm: 0.20.0}')
  })

  it('takes nothing for gone where no class could be read', () => {
    expect(withArchitectures(SUPPORT, 'vllm', '0.29.0', '0.28.0', facts({}))).toBe(SUPPORT)
  })
})

describe('floors and builds', () => {
  const first = withFacts(
    undefined,
    'vllm',
    '0.28.0',
    facts({
      quantization: [
        {name: 'awq', minCapability: 7.5},
        {name: 'fp8', minCapability: 8.9},
      ],
      builds: {cudaImage: ['8.0']},
    }),
  )
  const second = withFacts(
    first,
    'vllm',
    '0.29.0',
    facts({quantization: [{name: 'awq', minCapability: 8}, {name: 'fp8', minCapability: 8.9}, {name: 'new'}], builds: {cudaImage: ['8.0', '12.0']}}),
  )

  it('has a row for each floor that a format had', () => {
    expect(second.weightFormats).toEqual([
      {name: 'awq', minCapability: 7.5, until: '0.28.0'},
      {name: 'fp8', minCapability: 8.9},
      {name: 'awq', minCapability: 8, since: '0.29.0'},
      {name: 'new', since: '0.29.0'},
    ])
  })

  it('gives every release back, from its text too', () => {
    const file = readFactsFile(factsText(second))
    expect(checkEngineFile('data/engines/vllm-facts.yaml', file).problems).toEqual([])
    expect(factsAt(file, '0.28.0')).toEqual({
      quantization: [
        {name: 'awq', minCapability: 7.5},
        {name: 'fp8', minCapability: 8.9},
      ],
      builds: {cudaImage: ['8.0']},
    })
    expect(factsAt(file, '0.29.0').builds).toEqual({cudaImage: ['8.0', '12.0']})
    expect(file.releases).toEqual(['0.28.0', '0.29.0'])
  })

  it('keeps speculative methods where they could not be read', () => {
    const known = withFacts(undefined, 'sglang', '0.5.18', facts({speculativeMethods: ['EAGLE']}))
    expect(withFacts(known, 'sglang', '0.5.19', facts({})).speculativeMethods).toEqual([{name: 'EAGLE'}])
  })
})

describe('the review list', () => {
  const known = (part: Partial<Known>): Known => facts(part)

  it('says nothing of two that say the same, in whatever order', () => {
    const one = known({options: [{name: '--a', type: 'enum', choices: ['x', 'y']}], architectures: ['A', 'B']})
    const other = known({options: [{name: '--a', type: 'enum', choices: ['y', 'x']}], architectures: ['B', 'A']})
    expect(differences(one, other)).toEqual([])
  })

  it('names each change once, under its heading', () => {
    const before = known({
      options: [
        {name: '--a', type: 'enum', choices: ['x', 'y'], default: 'x'},
        {name: '--b', type: 'int'},
      ],
      architectures: ['A'],
    })
    const after = known({
      options: [
        {name: '--a', type: 'enum', choices: ['x', 'z'], deprecated: true, instead: '--c'},
        {name: '--c', type: 'float', default: 0.5},
      ],
      architectures: ['A', 'B'],
    })
    expect(reviewList(differences(before, after))).toBe(`defaults (1)
  --a: "x" -> unset

choices (2)
  --a: new: z
  --a: gone: y

deprecated (1)
  --a: deprecated, --c in its place

new options (1)
  --c: float, default 0.5

options that are gone (1)
  --b

architectures (1)
  new: B`)
  })
})

describe('releases in the engine file', () => {
  const FILE = `title: vLLM
newestVersion: 0.28.0
# A remark that stays.
versions:
  - {version: 0.27.0}
  - {version: 0.27.1, released: 2026-08-13} # where it is stated
  - {version: 0.28.0}
# Images.
images: []
`
  const index = ['0.26.0', '0.27.0', '0.27.1', '0.28.0', '0.28.1rc1', '0.29.0', '0.30.0'].map((version, place) => ({
    version,
    uploaded: `2026-09-0${place + 1}`,
  }))

  it('adds rows up to the newest that is read, fills in days, and leaves those that a source states', () => {
    expect(withReleases(FILE, index, '0.29.0')).toBe(`title: vLLM
newestVersion: 0.29.0
# A remark that stays.
# Days filled in by \`npm run learn -- releases\` are those on which the package index got the release.
versions:
  - {version: 0.27.0, released: 2026-09-02}
  - {version: 0.27.1, released: 2026-08-13} # where it is stated
  - {version: 0.28.0, released: 2026-09-04}
  - {version: 0.29.0, released: 2026-09-06}
# Images.
images: []
`)
  })

  it('changes nothing a second time', () => {
    const once = withReleases(FILE, index, '0.29.0')
    expect(withReleases(once, index, '0.29.0')).toBe(once)
    expect(readEngineFile(once).newestVersion).toBe('0.29.0')
  })

  it.each(['vllm', 'sglang', 'trtllm'])('writes a file of %s that the build takes', (engine) => {
    const text = readFileSync(new URL(`../../../data/engines/${engine}.yaml`, import.meta.url), 'utf8')
    const newest = engine === 'sglang' ? '9.9.9' : engine === 'vllm' ? '9.9.9' : '9.9.9rc1'
    const made = withReleases(text, [{version: newest, uploaded: '2027-01-01'}], newest)
    expect(checkEngineFile(`data/engines/${engine}.yaml`, readEngineFile(made)).problems).toEqual([])
    expect(readEngineFile(made).newestVersion).toBe(newest)
  })
})

it('tells of recipes what the catalogue has, knows by name only, and lacks', () => {
  const catalogue = {
    modelEntries: [{id: 'a-8b', hfId: 'maker/A-8B', name: 'A 8B', names: [], checkpointIds: ['maker/A-8B'], totalParams: 8e9, activeParams: 8e9}],
    knownModels: [{hfId: 'maker/C', name: 'C', totalParams: 1e9, checkpoints: [], source: 'x'}],
  }
  const recipe = (id: string, more: object, variants: object = {}) => ({
    path: `recipes/models/${id}.yaml`,
    value: {model: {model_id: id, ...more}, variants: variants as Record<string, {model_id?: string; precision?: string}>},
  })
  const report = recipeReport(
    [
      recipe('maker/A-8B', {}, {default: {precision: 'bf16'}, fp8: {model_id: 'other/A-8B-FP8', precision: 'fp8'}}),
      recipe('maker/B-9B', {architecture: 'moe', parameter_count: '9B', context_length: 1024, min_vllm_version: '0.33.0'}, {default: {precision: 'bf16'}}),
      recipe('maker/C', {architecture: 'dense', parameter_count: '1B'}),
      {...recipe('maker/Speech', {}), value: {...recipe('maker/Speech', {}).value, meta: {tasks: ['asr']}}},
    ],
    [],
    catalogue,
  )
  expect(report).toMatchObject({
    recipes: 4,
    checkpoints: 4,
    answered: 1,
    byNameOnly: 1,
    missing: ['other/A-8B-FP8: fp8, of maker/A-8B (recipes/models/maker/A-8B.yaml)'],
  })
  expect(report.models).toHaveLength(2)
  expect(report.models[0]).toContain('maker/B-9B: 9B parameters, context 1024, from vLLM 0.33.0')
  expect(report.models[0]).toContain('missing: layers and heads (its config.json), active parameters, release date')
  expect(report.models[1]).toContain('maker/C (known by name only)')
})
