import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseBytes, parseCount, parseParameters, parseShare} from '../../src/cli/quantities.ts'
import {inProcess} from './in-process.ts'
import {printedTable} from './printed-tables.ts'
import {root} from './spawn.ts'

/** Read from JSON, whatever the document. */
// biome-ignore lint/suspicious/noExplicitAny: documents of several commands
type Json = any

const json = async (words: string[]): Promise<Json> => JSON.parse((await inProcess([...words, '--json'])).stdout)
const text = async (words: string[]): Promise<string> => (await inProcess(words)).stdout

/** Questions whose answers the README shows, and some whose contexts are chosen, limited or long. */
const PICTURES = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^\$ servefit (check .*)$/gm)].map(([, words]) => words!)
const CHECKS = [
  ...PICTURES,
  'check qwen3-32b --gpu 2xrtx-4090',
  'check qwen3-32b --gpu h100',
  'check gpt-oss-120b --machine dgx-spark --users 4',
  'check llama-3.1-70b --gpu 4xrtx-3090 --users 4 --input 32k --output 500 --prefix-hit-rate 80%',
  'check deepseek-ai/DeepSeek-V3.2 --machine dgx-h200 --users 64 --engine sglang',
  'check qwen3-32b --gpu 1xrtx-4090 --engine sglang',
  'check qwen3-8b --gpu 1xrtx-4090 --speculative eagle3:3 --users 2',
]

const printed = (output: string, pattern: RegExp): string | undefined => pattern.exec(output.replaceAll(/\s+/g, ' '))?.[1]

describe('what a check prints can be typed back', () => {
  it.each(CHECKS)('%s', async (line) => {
    const words = line.split(' ')
    const [output, {verdict, deployment, hardware}] = [await text(words), await json(words)]
    const again = async (...more: string[]) => {
      const answer = await json([...words, ...more])
      expect(answer.verdict, more.join(' ')).toBe(verdict)
      return answer
    }
    const context = printed(output, /Context +([\d,.kKMi]+) tokens/)
    if (context !== undefined) {
      // The same number, not one of another suffix.
      expect(parseCount(context, 'max-model-len', {min: 1, max: 1e9})).toBe(deployment.maxModelLen)
      expect((await again('--max-model-len', context)).deployment.maxModelLen).toBe(deployment.maxModelLen)
    }
    // A cache of this size, with what else was chosen: TensorRT-LLM and SGLang size theirs by a share.
    const cache = printed(output, /= KV cache ([\d,.]*\d)/)
    if (cache !== undefined && context !== undefined && deployment.engine === 'vllm')
      await again('--max-model-len', context, '--kv-cache-bytes', `${cache} GiB`)
    // The memory that the title says, where the name does not say it.
    const memory = printed(output, / \((\d+) GiB\)/)
    const gpu = words.indexOf('--gpu')
    if (memory !== undefined && gpu > 0 && hardware.gpus > 0)
      expect((await json(words.with(gpu + 1, `${words[gpu + 1]}:${memory}GiB`))).verdict, `${memory} GiB`).toBe(verdict)
    const accepted = printed(output, /, (\d+%) of drafted tokens accepted/)
    if (accepted !== undefined) await again('--acceptance', accepted)
    // Shares of memory are printed as fractions and in per cent. What was replaced is replaced together.
    const share = deployment.gpuMemoryUtilization
    if (share !== undefined && deployment.replaced === undefined && context !== undefined) {
      const {deployment: fraction} = await again('--gpu-memory-utilization', String(share), '--max-model-len', context)
      const {deployment: percent} = await again('--gpu-memory-utilization', `${Number((share * 100).toPrecision(12))}%`, '--max-model-len', context)
      expect(percent).toEqual(fraction)
    }
  })

  it('contexts of comparisons, plans and lists, on the row that they stand in', async () => {
    const machine = ['--gpu', '1xrtx-pro-6000', '--users', '16']
    for (const {Checkpoint, KV, Context} of printedTable(await text(['compare', 'qwen3-32b', ...machine]), 'Checkpoint').slice(0, 6)) {
      const again = await json(['check', Checkpoint!, ...machine, '--kv-cache', KV!, '--max-model-len', Context!])
      expect(again.verdict).toBe('fits')
      expect(again.deployment.maxModelLen).toBe(Number(Context!.replaceAll(',', '')))
    }
    const asked = ['--gpu', '1xrtx-4090', '--engine', 'vllm', '--users', '4']
    const {plans} = await json(['plan', 'qwen3-8b', ...asked])
    for (const [index, {KV, Context, Weights}] of printedTable(await text(['plan', 'qwen3-8b', ...asked]), 'Engine')
      .slice(0, 4)
      .entries()) {
      const again = await json(['check', plans[index].model.hfId, ...asked, '--tp', '1', '--kv-cache', KV!, '--max-model-len', Context!])
      expect(again.verdict, `${Weights} ${KV}`).toBe(plans[index].verdict)
    }
    const fits = printedTable(await text(['models', 'llama-3.1', '--fits', '--gpu', '1xh100-sxm']), 'Model')
    expect(fits.length).toBeGreaterThan(4)
    for (const {Model, Context, Verdict, As} of fits)
      expect((await json(['check', Model!, '--gpu', '1xh100-sxm', '--weights', As!, '--max-model-len', Context!])).verdict, Model).toBe(Verdict)
  })

  it('parameters of the list find their model', async () => {
    for (const {Model, Parameters, Active} of printedTable(await text(['models', 'qwen3']), 'Model')) {
      const flags = ['--min-params', Parameters!, '--max-params', Parameters!, ...(Active ? ['--max-active', Active] : [])]
      expect((await json(['models', 'qwen3', ...flags])).models.map(({id}: Json) => id)).toContain(Model)
    }
  })

  it('in the files that start an engine, too', async () => {
    const command = await text(['config', 'qwen3-32b', '--gpu', '2xrtx-4090'])
    const context = /--max-model-len (\d+)/.exec(command)![1]!
    const answer = await json(['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--max-model-len', context])
    expect(answer.verdict).toBe('fits')
    expect(answer.deployment.maxModelLen).toBe(Number(context))
  })
})

describe('numbers as people type them', () => {
  const tokens = (typed: string) => parseCount(typed, 'max-model-len', {min: 1, max: 1e9})
  it.each([
    ['40,960', 40_960],
    ['40_960', 40_960],
    ['64k', 64_000],
    ['64Ki', 65_536],
    ['1M', 1_000_000],
    ['1Mi', 1_048_576],
    ['1,048,576', 1_048_576],
    ['1.5k', 1500],
    // 1.1 times a million is no whole number in doubles.
    ['1.1m', 1_100_000],
  ])('%s tokens are %d', (typed, meant) => {
    expect(tokens(typed)).toBe(meant)
  })
  it.each(['4,09', '64kb', '64 thousand', '1e5', '1.0005k', '-1', '0'])('%s tokens are none', (typed) => {
    expect(() => tokens(typed)).toThrow(expect.objectContaining({code: 'NUMBER_INVALID'}))
  })

  const bytes = (typed: string) => parseBytes(typed, 'kv-cache-bytes', {min: 0, max: 2 ** 50})
  it.each([
    ['2.8 GiB', Math.round(2.8 * 2 ** 30)],
    ['312 MiB', 312 * 2 ** 20],
    ['1,003 GiB', 1003 * 2 ** 30],
    ['64KiB', 65_536],
    ['1 TiB', 2 ** 40],
    ['1,048,576', 1_048_576],
  ])('%s are %d bytes', (typed, meant) => {
    expect(bytes(typed)).toBe(meant)
  })
  // Ten to the ninth or two to the thirtieth: nobody knows.
  it.each(['24 GB', '24G', '24'.repeat(20), 'much'])('%s is no size', (typed) => {
    expect(() => bytes(typed)).toThrow(expect.objectContaining({code: 'NUMBER_INVALID'}))
  })

  it.each([
    ['0.5', 0.5],
    ['.5', 0.5],
    ['50%', 0.5],
    ['50 %', 0.5],
    ['0%', 0],
    ['100%', 1],
    // 14 hundredths, not the nearest double to 14 times 0.01.
    ['14%', 0.14],
    ['0.1%', 0.001],
  ])('%s is a share of %d', (typed, meant) => {
    expect(parseShare(typed, 'prefix-hit-rate', {min: 0, max: 1})).toBe(meant)
  })
  it.each(['50', '101%', '-1%', '%', 'half', '0.5%%'])('%s is no share', (typed) => {
    expect(() => parseShare(typed, 'prefix-hit-rate', {min: 0, max: 1})).toThrow(expect.objectContaining({code: 'NUMBER_INVALID'}))
  })

  it('a share of requests is the same in all three ways of writing it', async () => {
    const limits = ['check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--users', '2', '--output', '32', '--slo-ttft-ms', '3000', '--slo-percentile']
    const [plain, percent, fraction] = [await json([...limits, '95']), await json([...limits, '95%']), await json([...limits, '0.95'])]
    expect(plain.tail).toBeDefined()
    expect(percent).toEqual(plain)
    expect(fraction).toEqual(plain)
  })

  it('parameters keep their suffix of ten', () => {
    expect(parseParameters('32.8B', 'max-params')).toBe(32.8e9)
    expect(parseParameters('1.04T', 'max-params')).toBe(1.04e12)
  })
})
