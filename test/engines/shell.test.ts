import {execFileSync} from 'node:child_process'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import type {Launch} from '../../src/engines/engine.ts'
import {shellText} from '../../src/render/launch/shell.ts'
import {quoteAssignment, quoteFlag, quoteWord} from '../../src/render/launch/shell-quote.ts'
import {yamlText} from '../../src/render/launch/yaml.ts'
import {anyText} from '../render-launch/any-text.ts'
import {NASTY} from '../render-launch/startables.ts'

/** What a real shell makes of a text, word by word. */
const run = (text: string): string => execFileSync('sh', ['-c', text], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})
const wordsOf = (text: string): string[] => run(`printf '%s\\0' ${text}`).split('\0').slice(0, -1)

describe('quoting for a POSIX shell', () => {
  it.each(['', ' \n', '\n\n', 'a\n', '\n', ...NASTY].map((text) => [text]))('%j comes back as it went in', (text) => {
    expect(wordsOf(quoteWord(text))).toEqual([text])
  })

  it('keeps any words apart and unchanged', () => {
    fc.assert(
      fc.property(fc.array(anyText, {minLength: 1, maxLength: 12}), (words) => {
        expect(wordsOf(words.map(quoteWord).join(' \\\n  '))).toEqual(words)
      }),
      {numRuns: 150},
    )
  })

  it('gives a flag its value, whatever it begins with', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect(wordsOf(quoteFlag('--flag', value))).toEqual(value.startsWith('-') ? [`--flag=${value}`] : ['--flag', value])
      }),
      {numRuns: 100},
    )
  })

  it('passes any value through an environment variable', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        expect(run(`${quoteAssignment('SERVEFIT_TEST', value)} sh -c 'printf "%s" "$SERVEFIT_TEST"; printf .'`)).toBe(`${value}.`)
      }),
      {numRuns: 100},
    )
  })

  it('prints no control character but the newline', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(quoteWord(text)).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/)
      }),
    )
  })

  it('refuses what no shell can pass on', () => {
    expect(() => quoteWord('a\0b')).toThrow(RangeError)
    expect(() => quoteAssignment('A B', 'x')).toThrow(RangeError)
    expect(() => quoteAssignment('$(id)', 'x')).toThrow(RangeError)
  })
})

describe('a launch as shell text', () => {
  it('runs as it stands: file, environment, program and flags arrive unchanged', () => {
    fc.assert(
      fc.property(fc.array(anyText, {maxLength: 4}), anyText, anyText, (values, model, setting) => {
        const launch: Launch = {
          program: ['show', model],
          flags: values.map((value, index) => ({flag: `--flag-${index}`, value, because: 'test'})),
          environment: [{name: 'SERVEFIT_TEST', value: setting, because: 'test'}],
          file: {flag: '--config', name: 'servefit-trtllm.yaml', content: {text: setting}, because: {text: setting}},
        }
        // `show` prints its words; `cat` is replaced by one that shows what would be written.
        const prelude = `cat() { command cat 1>&2; }\nshow() { printf '%s\\0' "$SERVEFIT_TEST" "$@"; }\ncd "$(mktemp -d)"\n`
        const printed = run(prelude + shellText(launch))
          .split('\0')
          .slice(0, -1)
        const flags = values.flatMap((value, index) => (value.startsWith('-') ? [`--flag-${index}=${value}`] : [`--flag-${index}`, value]))
        expect(printed).toEqual([setting, model, ...flags, '--config', 'servefit-trtllm.yaml'])
      }),
      {numRuns: 60},
    )
  })

  it('writes the file that the YAML stands for', () => {
    const file = {
      flag: '--config',
      name: 'servefit-trtllm.yaml',
      content: {kv_cache_config: {dtype: 'fp8', windows: [128, 32768]}, cuda_graph_config: null, text: 'END_OF_FILE'},
      because: {},
    }
    const written = run(
      `cd "$(mktemp -d)"\ntrue_() { :; }\n${shellText({program: ['true_'], flags: [], environment: [], file})}command cat servefit-trtllm.yaml`,
    )
    expect(parse(written)).toEqual(file.content)
  })
})

describe('YAML for configuration files', () => {
  it('reads back as what was written', () => {
    const value = fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null), fc.array(fc.oneof(fc.integer(), anyText), {maxLength: 3}))
    const mapping = fc.dictionary(
      fc.string({minLength: 1}).filter((key) => key !== '__proto__'),
      fc.oneof(value, fc.dictionary(fc.constantFrom('dtype', 'mode', 'on', '1', 'a b'), value, {maxKeys: 3})),
      {maxKeys: 4},
    )
    fc.assert(
      fc.property(mapping, (content) => {
        expect(parse(yamlText(content))).toEqual({...content})
      }),
      {numRuns: 300},
    )
  })

  it('puts reasons behind values, on one line', () => {
    expect(yamlText({kv_cache_config: {dtype: 'fp8'}}, {'kv_cache_config.dtype': 'the cache\nis kept as fp8'})).toBe(
      'kv_cache_config:\n  dtype: fp8 # the cache is kept as fp8\n',
    )
  })
})
