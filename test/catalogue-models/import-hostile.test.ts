import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {importConfig} from '../../src/catalogue/import/import-config.ts'
import {compilePattern} from '../../src/catalogue/import/pattern.ts'
import {parseTolerantJson} from '../../src/catalogue/import/tolerant-json.ts'
import {checkModelFile} from '../../src/catalogue/model-schema.ts'
import {InputError} from '../../src/core/input-error.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {fixture, imported} from './fixtures.ts'
import {effortOf} from '../effort.ts'

/** Every scalar of a configuration with the path to it. */
const leaves = (value: unknown, path: string[] = []): string[][] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key])) : [path]

function changed(config: Record<string, unknown>, path: string[], value: unknown): Record<string, unknown> {
  const copy = structuredClone(config)
  let at = copy
  for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>
  at[path.at(-1)!] = value
  return copy
}

const hostile = fc.oneof(
  fc.constantFrom<unknown>(-1, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e12, 1e300, 2 ** 53, 0.5, '4096', '', null, true, [], {}, [[[[]]]], '__proto__', {
    length: 5,
  }),
  fc.jsonValue({maxDepth: 3}),
  fc.double(),
)

describe('values that no configuration holds', () => {
  const files = [
    'llama-3.2-1b',
    'deepseek-v4-flash',
    'qwen3.5-35b-a3b',
    'nemotron-3-super',
    'gemma-4-e2b',
    'kimi-linear',
    'minimax-m3',
    'nemotron-nas-49b',
    'jamba-1.5-mini',
    'laguna-s-2.1',
    'ling-3.0-flash',
    'llama-4-scout',
    'kimi-k2.5',
    'falcon-h1-0.5b',
    'lfm2-8b-a1b',
    'hunyuan-a13b',
  ]

  test.each(files)('%s: refused with the field named, or read to something finite', (file) => {
    const config = fixture(file)
    const paths = leaves(config)
    fc.assert(
      fc.property(fc.constantFrom(...paths), hostile, (path, value) => {
        try {
          const {model} = importConfig({config: changed(config, path, value)})
          expect(Number.isSafeInteger(countParameters(model.architecture).total)).toBe(true)
          expect(model.architecture.layerSequence.length).toBeLessThanOrEqual(2000)
        } catch (error) {
          expect(error).toBeInstanceOf(InputError)
          expect((error as InputError).code).toBe('MODEL_CONFIG_INVALID')
          expect((error as InputError).message.length).toBeLessThan(600)
        }
      }),
      {numRuns: 150},
    )
  })

  test('anything at all', () => {
    fc.assert(
      fc.property(fc.anything({maxDepth: 4}), fc.anything({maxDepth: 3}), fc.anything({maxDepth: 3}), (config, quantConfig, index) => {
        try {
          importConfig({config, quantConfig, index})
        } catch (error) {
          expect(error).toBeInstanceOf(InputError)
        }
      }),
    )
  })

  test.each([
    [{num_hidden_layers: 1e12}, 'num_hidden_layers is 1000000000000; expected a whole number from 1 to 2000'],
    [{num_hidden_layers: '16'}, 'num_hidden_layers is "16"; expected a whole number from 1 to 2000'],
    [{hidden_size: -2048}, 'hidden_size is -2048; expected a whole number from 1'],
    [{vocab_size: Number.NaN}, 'vocab_size is NaN; expected a whole number from 1'],
    [{hidden_size: null}, 'hidden_size (or d_model, n_embd) is missing'],
    [{num_key_value_heads: 7}, 'num_key_value_heads 7 does not divide num_attention_heads 32'],
    [{tie_word_embeddings: 'yes'}, 'tie_word_embeddings is "yes"; expected true or false'],
    [{hidden_size: 2 ** 20, intermediate_size: 2 ** 28, num_hidden_layers: 2000}, 'more parameters than can be counted'],
  ])('%j', (change, message) => {
    expect(() => imported('llama-3.2-1b', change)).toThrow(message)
  })

  test('lists of a hundred thousand patterns end soon', async () => {
    const patterns = Array.from({length: 100_000}, (_, i) => `re:.*(a|b|c)*.*layer${i}.*x+y*z?$`)
    const effort = await effortOf(() =>
      imported('qwen3-14b', {
        quantization_config: {
          quant_method: 'compressed-tensors',
          config_groups: {g: {targets: ['Linear'], weights: {num_bits: 4, type: 'int', group_size: 32}}},
          ignore: patterns,
        },
      }),
    )
    expect(effort).toBeLessThan(2000)
  })
})

describe('reading the text', () => {
  test('bare Infinity and NaN, which publishers ship, are unknown values', () => {
    expect(parseTolerantJson('{"time_step_limit": [0.0, Infinity], "a": -Infinity, "b": NaN, "c": "Infinity NaN \\" NaN"}')).toEqual({
      time_step_limit: [0, null],
      a: null,
      b: null,
      c: 'Infinity NaN " NaN',
    })
  })

  test.each([
    ['{', 'not JSON'],
    ['', 'not JSON'],
    ["{'a': 1}", 'not JSON'],
    ['{"a": Infinite}', 'not JSON'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'nested deeper than 64 levels'],
  ])('%.20s is refused', (text, why) => {
    expect(() => parseTolerantJson(text, 'a/config.json')).toThrow(`a/config.json: ${why}`)
  })

  test('more than 32 MiB is refused', () => {
    expect(() => parseTolerantJson(' '.repeat(32 * 1024 * 1024 + 1))).toThrow('larger than 32 MiB')
  })

  test('whatever JSON says comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue({maxDepth: 5}), (value) => {
        expect(parseTolerantJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('patterns of ignore lists', () => {
  test.each([
    ['.*self_attn.*', 'model.layers.0.self_attn.q_proj', true],
    ['.*mlp\\.(gate|up|gate_up|down)_proj.*', 'model.layers.0.mlp.gate_up_proj', true],
    ['.*mlp\\.(gate|up|gate_up|down)_proj.*', 'model.layers.1.mlp.experts.0.gate_proj', false],
    ['.*mlp.gate$', 'model.layers.1.mlp.gate', true],
    ['.*mlp.gate$', 'model.layers.1.mlp.gate_proj', false],
    ['model\\.layers\\.(?:[0-2]|\\d\\d)\\..*', 'model.layers.17.mlp', true],
    ['model\\.layers\\.(?:[0-2]|\\d\\d)\\..*', 'model.layers.7.mlp', false],
    ['lm_head', 'model.lm_head', false],
    ['a[^b]+?c*', 'axxc', true],
  ])('%s on %s: %s', (pattern, name, matches) => {
    expect(compilePattern(pattern)!(name)).toBe(matches)
  })

  test.each(['(?=a)', 'a{2}', '(a', 'a)', '[a', '\\1', '*', 'x'.repeat(5000)])('%.10s is not understood', (pattern) => {
    expect(compilePattern(pattern)).toBeUndefined()
  })

  test("agrees with the language's own engine", () => {
    const piece = fc.constantFrom('.*', 'a', 'b', '\\.', '(a|b)', '[ab]', '(ab)?', '\\d+', '(a|b.)*')
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 6}), fc.string({unit: fc.constantFrom('a', 'b', '.', '1'), maxLength: 12}), (pieces, name) => {
        const source = pieces.join('')
        expect(compilePattern(source)!(name)).toBe(new RegExp(`^(?:${source})`).test(name))
      }),
    )
  })

  test('takes no longer for patterns that make others backtrack', async () => {
    const matches = compilePattern('(a*)*(a*)*(a*)*b')!
    expect(await effortOf(() => expect(matches('a'.repeat(2000))).toBe(false))).toBeLessThan(200)
  })
})

test('a catalogue file of any shape gives problems, never an exception', () => {
  fc.assert(
    fc.property(fc.anything({maxDepth: 4}), (value) => {
      const {model, problems} = checkModelFile('org/a.yaml', value)
      expect(model === undefined).toBe(problems.length > 0)
    }),
  )
})
