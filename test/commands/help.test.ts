import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {helpExamples} from './examples.ts'
import {root, servefit} from './spawn.ts'

const {commands} = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, {flags: Record<string, {aliases?: string[]; hidden?: boolean; allowNo?: boolean}>; hidden?: boolean}>
}
const spaced = (id: string) => id.replaceAll(':', ' ')

describe('help', () => {
  it('is the same by flag and by name, and lists every command once', () => {
    const {code, stdout} = servefit(['help'])
    expect(code).toBe(0)
    expect(servefit(['--help']).stdout).toBe(stdout)
    expect(servefit(['-h']).stdout).toBe(stdout)
    for (const [id, {hidden}] of Object.entries(commands))
      if (!hidden) expect(stdout.match(new RegExp(`^  ${spaced(id)}(?= {2}| \\[| [A-Z]|$)`, 'gm')), id).toHaveLength(1)
  })

  it.each(Object.keys(commands))('of %s names every flag and alias, without brackets that hold nothing', (id) => {
    const {code, stdout} = servefit(['help', ...spaced(id).split(' ')])
    expect(code).toBe(0)
    for (const [name, {aliases = [], hidden, allowNo}] of Object.entries(commands[id]!.flags))
      if (!hidden)
        for (const spelling of [name, ...aliases]) expect(stdout, spelling).toContain(allowNo && spelling === name ? `--[no-]${name}` : `--${spelling}`)
    expect(stdout).not.toMatch(/\[\s*\]|\|\s*\]|\[\s*\||<%=/)
    // A command to copy is not broken.
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('  $ '))).toEqual([])
  })

  it('lists flags under the names that the README shows', () => {
    const {stdout} = servefit(['help', 'check'])
    for (const name of ['users', 'input', 'output', 'max-model-len']) expect(stdout).toMatch(new RegExp(`^  --${name} `, 'm'))
    const shown = new Set(
      [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/servefit check [^\n`]*/g)].flatMap(([line]) => line!.match(/--[a-z][a-z-]+/g) ?? []),
    )
    for (const flag of shown) expect(stdout).toMatch(new RegExp(`^  ${flag}( |$)`, 'm'))
  })

  it('says what is wrong with a name, and what is close', () => {
    const {code, stderr} = servefit(['help', 'chekc'])
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean check?')
  })

  it('has an example for every command', () => {
    const examples = helpExamples()
    for (const id of Object.keys(commands))
      expect(
        examples.some((line) => line.includes(`servefit ${spaced(id)}`) || id === 'here'),
        id,
      ).toBe(true)
  })
})

describe("a topic's own argument", () => {
  it.each([
    [['gpus', 'rtx-5090'], /^GeForce RTX 5090/],
    [['models', 'qwen3'], /qwen3-32b/],
    [['engines', 'vllm'], /^vLLM/],
    [['machines', 'dgx-h200'], /^NVIDIA DGX H200/],
  ] as const)('is no command: %s', (args, says) => {
    const {code, stdout} = servefit([...args])
    expect(code).toBe(0)
    expect(stdout).toMatch(says)
  })

  it('that is nearly a command is taken for it', () => {
    expect(servefit(['models', 'shwo', 'qwen3-8b']).stderr).toContain('models show')
    expect(servefit(['engines', 'suport', 'qwen3-8b']).stderr).toContain('engines support')
  })
})

describe('servefit without a command', () => {
  it('says that there is no GPU, once, and how to ask about another machine', () => {
    const {code, stdout, stderr} = servefit([], {env: {PATH: join(root, 'nowhere')}})
    expect(code).toBe(0)
    expect(stderr).toBe('')
    expect(stdout.match(/GPU/g)!.length).toBeLessThanOrEqual(2)
    expect(stdout).toContain('servefit check qwen3-32b --gpu 2xrtx-4090')
  })

  it('says what the machine is and what fits it, as models --fits would', () => {
    const here = JSON.parse(servefit(['--gpu', '2xrtx-3090', '--json']).stdout) as {models: {id: string}[]; fitting: number}
    const fits = JSON.parse(servefit(['models', '--fits', '--gpu', '2xrtx-3090', '--limit', '5', '--json']).stdout) as {models: {id: string}[]}
    expect(here.models.map(({id}) => id)).toEqual(fits.models.map(({id}) => id))
    expect(here.models).toHaveLength(5)
    const {stdout} = servefit(['here', '--gpu', '2xrtx-3090'])
    expect(stdout).toMatch(/^2 x RTX 3090/)
    expect(stdout).toContain(`servefit check ${here.models[0]!.id} --gpu 2xrtx-3090`)
  })
})

describe('wrong flags are answered in words', () => {
  it.each([
    [['check', 'qwen3-8b', '--gpu', 'l4', '--users', '0'], '--users 0: expected a whole number'],
    [['check', 'qwen3-8b', '--gpu', 'l4', '--concurrency', '0'], '--concurrency 0: expected a whole number'],
    [['check', 'qwen3-8b', '--gpu', 'l4', '--users', '2', '--request-rate', '1'], '--request-rate and --users exclude each other'],
    [['config', 'qwen3-8b', '--gpu', 'l4', '--force'], '--force means nothing without --out'],
    [['check', 'qwen3-8b', '--gpu'], '--gpu has no value'],
    [['check', 'qwen3-8b', 'twice', '--gpu', 'l4'], 'Unexpected "twice"'],
    [['check', 'llama', '3.3', '70b', '--gpu', 'l4'], 'is given in quotes ("llama 3.3 70b"), and a card with --gpu'],
    // What llama.cpp, Ollama and calculators call it.
    [['check', 'qwen3-8b', '--gpu', 'l4', '--ctx-size', '32k'], 'Did you mean --context or'],
    [['check', 'qwen3-8b', '--vram', '24'], 'Did you mean --gpu?'],
    [['check', '--model', 'qwen3-8b', '--gpu', 'l4'], 'the model is the argument of check'],
    [['check', 'qwen3-8b', '--gpu', 'l4', '--weights', '4bit'], 'Did you mean int4, awq-int4, gptq-int4 or nvfp4?'],
    [['check', 'qwen3-8b', '--gpu', 'l4', '--engine', 'ollama'], 'expected vllm, sglang, trtllm, the only ones that servefit models'],
    [['check', 'qwen3-8b', '--gpu', 'l4', '--simulate', '--seed', 'x'], '--seed x: expected a whole number'],
    // What newcomers type.
    [['vllm', 'serve', 'Qwen/Qwen3-8B'], 'put -- before it, as in servefit check --gpu 2xrtx-4090 -- vllm serve ...'],
    [['check', 'vllm serve Qwen/Qwen3-8B -tp 2', '--gpu', 'l4'], 'put -- before it, as in servefit check --gpu 2xrtx-4090 -- vllm serve ...'],
    [['fit', 'qwen3-8b'], 'Did you mean check?'],
    [['qwen3-32b', '--gpu', 'l4'], 'about a model: servefit check qwen3-32b'],
    [['check', 'qwen3-8b', '--gpu', '2,3090'], 'Did you mean 2x3090?'],
    [['check', 'qwen3-8b', '--gpu', '24GB'], '"24GB" is a memory size, not a card'],
    [['check', 'qwen3-8b', '--machine', '8xh100'], 'cards are given with --gpu, as in --gpu 8xh100'],
    [['config', 'qwen3-8b', '--gpu', 'l4', '--docker'], 'Did you mean --format docker?'],
    [['capacity', 'no-such-file.yaml'], 'no-such-file.yaml cannot be read'],
  ])('%s', (args, says) => {
    const {code, stderr} = servefit(args)
    expect(code).toBe(2)
    expect(stderr).toContain(says)
    expect(stderr).not.toMatch(/error occurred|Parsing|See more help/)
  })
})
