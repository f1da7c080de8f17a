import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {choiceFlags, deploymentFlags, machineFlags, scenarioFrom, workloadFlags} from '../../src/cli/flags.ts'
import {objectivesFrom, sloFlags} from '../../src/cli/slo-flags.ts'
import {quoteWord} from '../../src/render/launch/shell-quote.ts'
import {FIELDS, fieldOf, OF_SOME, type Words} from '../../src/web/question/fields.ts'
import {FIRST_STATE, linkOf, type PageState, stateOfLink} from '../../src/web/question/link.ts'
import {commandOf, readQuestion, shellWords, wordsOfCommand} from '../../src/web/question/scenario.ts'

interface Flag {
  parse?(text: string, context: unknown, options: unknown): Promise<unknown>
  type: string
}
const flags = {...machineFlags, ...workloadFlags, ...sloFlags, ...choiceFlags, ...deploymentFlags} as unknown as Record<string, Flag>

/** What oclif hands to a parser: the command that runs, with the words that it was given. */
const CONTEXT = {argv: []}

/** What somebody may type into each field. */
const TYPED: Record<string, string> = {
  gpu: '2xrtx-4090',
  machine: 'dgx-h200',
  nodes: '2',
  link: 'p2p',
  'input-tokens': '2k',
  'output-tokens': '500',
  concurrency: '8',
  'request-rate': '2.5',
  'prefix-hit-rate': '0.25',
  'slo-ttft-ms': '1500',
  'slo-tpot-ms': '40',
  'slo-e2e-ms': '20000',
  'slo-percentile': '95',
  prefer: 'speed',
  engine: 'sglang',
  'engine-version': '0.5.23',
  weights: 'fp8',
  'kv-cache': 'fp8',
  tp: '2',
  pp: '1',
  dp: '2',
  ep: '4',
  'max-model-len': '32k',
  'max-num-seqs': '64',
  'max-num-batched-tokens': '8192',
  'gpu-memory-utilization': '0.85',
  speculative: 'mtp:2',
  draft: 'org/draft',
  acceptance: '0.7',
  'cpu-offload-bytes': '8GiB',
  'reserved-bytes-per-gpu': '2GiB',
  'decode-context-parallel': '2',
  'graph-max-batch': '128',
  'graph-mode': 'piecewise',
  'block-tokens': '32',
  'kv-cache-bytes': '20GiB',
  'kv-cache-tokens': '100k',
  'kv-cache-blocks': '5000',
  'window-pool-ratio': '0.5',
  'state-pool-ratio': '0.9',
  'state-slots': '100',
  'state-format': 'bf16',
  runner: 'pooling',
  'max-queued-requests': '50',
  'max-queued-tokens': '100k',
  'scheduler-steps': '10',
  'batch-wait-steps': '5',
}

/** The scenario that the command makes of the same flags. */
async function ofCommand(words: Words): Promise<unknown> {
  const parsed: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(words)) {
    const flag = flags[name]!
    parsed[name] = flag.type === 'boolean' ? true : flag.parse ? await flag.parse(text, CONTEXT, {}) : text
  }
  const slo = objectivesFrom(parsed)
  return JSON.parse(JSON.stringify({...scenarioFrom('qwen3-32b', parsed), ...(Object.keys(slo).length > 0 && {slo})}))
}

const plain = (words: Words) => JSON.parse(JSON.stringify(readQuestion({model: 'qwen3-32b', ...words}).scenario))

describe('a question in words', () => {
  for (const {flag, isSwitch} of FIELDS.filter((field) => flags[field.flag] && !field.flag.startsWith('lora') && field.flag !== 'draft'))
    it(`--${flag} means what it means on the command line`, async () => {
      const words: Record<string, string> = {[flag]: isSwitch ? 'yes' : TYPED[flag]!, ...(flag === 'acceptance' && {speculative: 'mtp:1'})}
      expect(words[flag], 'a value to type').toBeDefined()
      expect(plain(words)).toEqual(await ofCommand(words))
    })

  it('a draft joins its method', async () => {
    const words = {speculative: 'eagle3:3', draft: 'org/draft'}
    expect(plain(words)).toEqual(await ofCommand(words))
    expect(plain(words).speculative).toEqual({method: 'eagle3', tokens: 3, draft: 'org/draft'})
  })

  it('adapters have the usual rank where none is given', () => {
    expect(plain({lora: '4'}).lora).toEqual({count: 4, maxRank: 16})
    expect(plain({lora: '4', 'lora-rank': '64'}).lora).toEqual({count: 4, maxRank: 64})
  })

  it('an assumed request is cut to the context that was asked for, as on the command line', async () => {
    // 300 tokens: a third of them answer, the rest prompt.
    expect(plain({'max-model-len': '300'}).workload).toMatchObject({inputTokens: 200, outputTokens: 100, concurrency: 1})
    expect(plain({'max-model-len': '300'})).toEqual(await ofCommand({'max-model-len': '300'}))
  })

  it('what is wrong is told with its field, and the rest is read', () => {
    const {problems, scenario} = readQuestion({model: 'qwen3-32b', tp: 'two', link: 'nvlnk', 'max-model-len': '8k'})
    expect(problems.map(({flag}) => flag)).toEqual(['link', 'tp'])
    expect(problems[0]!.suggestions).toEqual(['nvlink'])
    expect(problems[1]!.message).toContain('--tp two')
    expect(scenario.maxModelLen).toBe(8000)
  })

  it('of two that exclude one another the first wins', () => {
    expect(plain({gpu: '1xrtx-4090', machine: 'dgx-h200'})).not.toHaveProperty('machine')
    expect(plain({'request-rate': '2', concurrency: '8'}).workload).toEqual({inputTokens: 1024, outputTokens: 512, requestRate: 2})
  })

  it('every name of a flag leads to one field', () => {
    const names = FIELDS.flatMap(({flag, aliases = []}) => [flag, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    for (const {flag, aliases = []} of FIELDS) for (const alias of aliases) expect(fieldOf(alias)?.flag).toBe(flag)
  })
})

describe('a question as a command', () => {
  it('comes back from its words', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom(
            ...FIELDS.filter(({isSwitch, flag}) => !isSwitch && !OF_SOME.has(flag) && !['model', 'machine', 'concurrency'].includes(flag)).map(
              ({flag}) => flag,
            ),
          ),
          fc.string({minLength: 1, maxLength: 20, unit: 'grapheme-ascii'}).filter((text) => text.trim() !== '' && !text.startsWith('-')),
        ),
        (words) => {
          const command = `servefit check ${commandOf({model: 'org/name', ...words}, quoteWord)}`
          expect(wordsOfCommand(command)).toEqual({model: 'org/name', ...words})
        },
      ),
    )
  })

  it('is not read where it asks something else', () => {
    expect(wordsOfCommand('servefit check qwen3-32b --no-such-flag 1')).toBeUndefined()
    expect(wordsOfCommand('rm -rf /')).toBeUndefined()
  })

  it('is split as a shell splits it', () => {
    expect(shellWords("servefit check 'a b' 'it'\\''s' --tp 2")).toEqual(['servefit', 'check', 'a b', "it's", '--tp', '2'])
  })
})

describe('a question as a link', () => {
  const state = fc.record({
    words: fc.dictionary(fc.constantFrom(...FIELDS.map(({flag}) => flag)), fc.string({minLength: 1, maxLength: 40, unit: 'grapheme'}), {minKeys: 1}),
    view: fc.constantFrom('check' as const, 'models' as const, 'plan' as const, 'compare' as const, 'capacity' as const),
    format: fc.constantFrom('command', 'compose', 'kubernetes'),
  })

  it('shows the same again, whatever was typed', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (asked) => {
        expect(await stateOfLink(`#${await linkOf(asked)}`)).toEqual(asked)
      }),
    )
  })

  it('holds what was pasted', async () => {
    const pasted = 'GPU 0: NVIDIA H100 80GB HBM3\n'.repeat(200)
    const asked: PageState = {words: {model: 'qwen3-32b'}, view: 'check', format: 'command', pasted}
    const link = await linkOf(asked)
    // 5,800 characters that repeat themselves.
    expect(link.length).toBeLessThan(200)
    expect(await stateOfLink(link)).toEqual(asked)
  })

  it('is read like a command line', async () => {
    expect(await linkOf({...FIRST_STATE, words: {model: 'Qwen/Qwen3-32B', gpu: '2xrtx-4090,1xrtx-3090', concurrency: '8'}})).toBe(
      'model=Qwen/Qwen3-32B&gpu=2xrtx-4090,1xrtx-3090&concurrency=8',
    )
    expect((await stateOfLink('#model=qwen3-32b&users=8&input=2k')).words).toEqual({model: 'qwen3-32b', concurrency: '8', 'input-tokens': '2k'})
  })

  it('that is empty, or hostile, still gives a question', async () => {
    expect(await stateOfLink('')).toEqual(FIRST_STATE)
    expect(await stateOfLink('#')).toEqual(FIRST_STATE)
    expect(await stateOfLink('#pasted=!!!&view=<script>&__proto__=1&model=x')).toEqual({words: {model: 'x'}, view: 'check', format: 'command'})
  })
})
