import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'
import {type Facts, factsIn, type ReadableEngine} from '../../../src/build/learn/facts.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = (engine: ReadableEngine) => fileURLToPath(new URL(`../../fixtures/learn/${engine}/`, import.meta.url))

/** Only Python parses Python; a machine without it cannot read an engine, and needs not. */
const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0

const read = new Map<ReadableEngine, Facts>()
const facts = (engine: ReadableEngine): Facts => {
  const known = read.get(engine) ?? factsIn(root, engine, folder(engine))
  read.set(engine, known)
  return known
}
const option = (engine: ReadableEngine, name: string) => {
  const {source: _source, ...rest} = facts(engine).options.find((each) => each.name === name) ?? {name: 'none'}
  return rest
}

describe.skipIf(!hasPython)('sources of a small vLLM (needs python3 3.9 or later)', () => {
  it.each([
    ['a literal, less what the code takes out of it', '--kv-cache-dtype', {type: 'enum', choices: ['auto', 'fp8'], default: 'auto'}],
    ['a literal beside str takes other names too', '--quantization', {type: 'str', aliases: ['-q'], choices: ['awq', 'fp8', 'mystery'], open: true}],
    ['arithmetic in a constant', '--block-size', {type: 'int', default: 16}],
    ['a default inside Field, and two spellings', '--gpu-memory-utilization', {type: 'float', aliases: ['--device-memory-utilization'], default: 0.92}],
    ['an enumeration by its names', '--backend', {type: 'enum', choices: ['FAST', 'SLOW']}],
    ['a switch with its --no- form, its default taken away', '--enable-prefix-caching', {type: 'bool', aliases: ['--no-enable-prefix-caching']}],
    ['what the documentation of a field calls deprecated', '--old-mode', {type: 'enum', choices: ['a', 'b'], default: 'a', deprecated: true}],
    ['a factory of a list', '--stop', {type: 'list', default: ['</s>']}],
    ['an empty table is no default', '--hf-overrides', {type: 'json'}],
    ['what two classes change one after the other', '--port', {type: 'int', default: 8080}],
    ['nargs taken away and json.loads put in', '--origins', {type: 'json'}],
    ['names of a registry', '--tool-call-parser', {type: 'str', choices: ['hermes', 'mistral'], open: true}],
    ['store_true', '--disable-log-stats', {type: 'bool', default: false}],
  ])('reads %s', (_what, name, expected) => {
    expect(option('vllm', name)).toEqual({name, ...expected})
  })

  it('guesses nothing: what depends on the machine is left out, marked and listed', () => {
    expect(option('vllm', '--per-machine')).toEqual({name: '--per-machine', type: 'str', unread: ['default']})
    expect(option('vllm', '--device')).toEqual({name: '--device', type: 'str', default: 'cpu', unread: ['choices']})
    const listed = facts('vllm').unread.map(({what}) => what)
    expect(listed).toEqual(expect.arrayContaining(['--per-machine', '--device', 'options', 'the capability floor of fp8']))
  })

  it('says that the engine turns fields into options by code it was not written for', () => {
    expect(facts('vllm').unread.some(({what}) => what === 'the rules for options')).toBe(true)
  })

  it('reads the positional model as no option, and nothing twice', () => {
    const names = facts('vllm').options.map(({name}) => name)
    // 14 of EngineArgs and 3 of the frontend
    expect(names).toHaveLength(14 + 3)
    expect(new Set(names).size).toBe(names.length)
  })

  it('reads classes, floors and build targets', () => {
    const {version, commit, architectures, gone, plugins, quantization, builds} = facts('vllm')
    expect({version, commit, architectures, gone, plugins}).toEqual({
      version: '9.1.0',
      commit: 'abc123def',
      architectures: ['LlamaForCausalLM', 'Qwen3ForCausalLM', 'LlamaModel'],
      gone: {OldForCausalLM: '9.0.0'},
      plugins: {BartModel: 'https://example.org/bart'},
    })
    // fp8 returns two numbers: neither is its floor.
    expect(quantization).toEqual([{name: 'awq', minCapability: 7.5, source: 'vllm/model_executor/layers/quantization/awq.py'}, {name: 'fp8'}])
    expect(builds).toEqual({
      hipSources: ['gfx90a', 'gfx942'],
      cudaSources: [{cudaFrom: '13.0', capabilities: ['7.5', '8.0', '12.0']}, {capabilities: ['7.0', '8.0']}],
      cudaImage: ['7.5', '8.0'],
      cudaVersion: '13.0.3',
    })
  })
})

describe.skipIf(!hasPython)('sources of a small SGLang (needs python3 3.9 or later)', () => {
  it.each([
    ['an alias', '--model-path', {type: 'str', aliases: ['--model']}],
    ['a list that grows after it was made', '--load-format', {type: 'enum', choices: ['auto', 'gguf'], default: 'auto'}],
    ['the fallback of an unset field', '--ratio', {type: 'float', default: 0.8}],
    ['a literal of numbers', '--mode', {type: 'int', choices: [1, 2], default: 2}],
    ['a list', '--tokens', {type: 'list'}],
    ['a switch', '--trust', {type: 'bool', default: false}],
    ['a switch whose help calls it deprecated', '--old', {type: 'bool', default: false, deprecated: true}],
    ['names that a function imports when asked', '--tool-call-parser', {type: 'enum', choices: ['auto', 'hermes', 'qwen']}],
    ['an action for what is deprecated', '--disable-graph', {type: 'bool', deprecated: true, instead: '--graph=off'}],
  ])('reads %s', (_what, name, expected) => {
    expect(option('sglang', name)).toEqual({name, ...expected})
  })

  it('puts the record together in the order of its positions, without what has no option', () => {
    const names = facts('sglang').options.map(({name}) => name)
    expect(names.slice(0, 3)).toEqual(['--tp-size', '--model-path', '--load-format'])
    expect(names).not.toContain('--hidden')
  })

  it('reads classes of models, speculation and what its kernels come in', () => {
    const {version, architectures, speculativeMethods, builds} = facts('sglang')
    expect({version, architectures, speculativeMethods, builds}).toEqual({
      version: '0.9.9',
      architectures: ['LlamaForCausalLM', 'MistralForCausalLM'],
      speculativeMethods: ['EAGLE'],
      builds: {requires: {torch: '2.14.1', 'sglang-kernel': '0.4.10'}},
    })
  })
})

it.skipIf(!hasPython)('says where nothing was found', () => {
  expect(() => factsIn(root, 'vllm', folder('sglang'))).toThrow(/No option of vllm was found in/)
})
