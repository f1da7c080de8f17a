import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {root, servefit} from '../commands/spawn.ts'
import {faultsOf} from './english.ts'

/** Texts in quotes of a source file, comments left out: what stands in place of values is blanked. */
function textsOf(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1')
  const texts = [...code.matchAll(/'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g)].map(([, a, b, c]) => a ?? b ?? c ?? '')
  return texts.map((text) => text.replaceAll(/\$\{[^}]*\}/g, '#')).filter((text) => /[a-z]{2,} [a-z]/i.test(text))
}

const files = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts') && !name.startsWith('build'))

describe('the lint knows the forms that stop a reader', () => {
  it.each([
    'What holds it',
    '8 GPUs in all',
    'weights are stored so and converted',
    '1 requests of this size',
    'a eagle3 draft of 1 layers',
    'it is reckoned with',
    'an draft',
    'the the cache',
    'the key stands in none of the files',
    'ranks begin anew',
    'by price where it is known, else by number',
    'so many servers',
  ])('%s', (text) => expect(faultsOf(text)).not.toEqual([]))

  it.each([
    '2.1 requests of full length',
    'a user with an FP8 cache',
    '1 to 2 requests',
    'an hour',
    '1 request',
    'in all layers',
    'so many that it fails',
    'as it stands',
  ])('%s reads well', (text) => expect(faultsOf(text)).toEqual([]))
})

describe('no text of the product has them', () => {
  it.each(files)('%s', (name) => {
    const faults = textsOf(readFileSync(join(root, 'src', name), 'utf8')).flatMap((text) =>
      faultsOf(text).map((fault) => `${fault} in "${text.slice(0, 120)}"`),
    )
    expect(faults).toEqual([])
  })
})

/** Pages for readers: code and what is quoted in it left out. */
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), {recursive: true, encoding: 'utf8'}).map((name) => join('docs', name)),
]

describe('no page has them', () => {
  it.each(pages.filter((name) => name.endsWith('.md')))('%s', (name) => {
    const prose = readFileSync(join(root, name), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
    const faults = prose
      .split(/\n\n|\n(?=[-|*#]|\d+\. )/)
      .flatMap((part) => faultsOf(part.replaceAll(/`[^`]*`/g, '#').replaceAll(/\s+/g, ' ')).map((fault) => `${fault} in "${part.slice(0, 120)}"`))
    expect(faults).toEqual([])
  })
})

describe('no answer has them', () => {
  it.each([
    'check qwen3-8b --gpu rtx-4090',
    'check qwen3-32b --gpu 1xh100-sxm --request-rate 1 --input 2k --output 500',
    'check deepseek-v4-pro --gpu 2xrtx-5090',
    'check qwen3-32b --gpu 8xh100-sxm --tp 3',
    'check qwen3-235b-a22b --gpu rtx-pro-6000 --cpu-offload-bytes 100GiB',
    'check gpt-oss-120b --machine dgx-spark --explain',
    'plan qwen3-32b --gpu 1xrtx-3090 --slo-ttft-ms 100',
    'capacity --model qwen3-8b --users 1 --gpu 1xrtx-4090',
    'compare qwen3-8b --gpu 1xl4',
    'verify examples/vllm.log --gpu rtx-4090',
    'engines support qwen3-32b --gpu 1xrtx-4090',
    'models show qwen3-8b',
    'gpus rtx-4090',
    'machines dgx-h200',
  ])('%s', (line) => {
    const {stdout, stderr} = servefit(line.split(' '))
    expect(faultsOf(`${stdout} ${stderr}`.replaceAll(/\s+/g, ' '))).toEqual([])
  })

  it('nor has help', () => {
    const {commands} = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {commands: Record<string, object>}
    for (const [id, entry] of Object.entries(commands)) expect(faultsOf(JSON.stringify(entry)), id).toEqual([])
  })
})
