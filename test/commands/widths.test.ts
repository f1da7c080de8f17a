import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {MachineDocument} from '../../src/detect/machine-document.ts'
import {renderMachine} from '../../src/render/machine.ts'
import {widthOf} from '../../src/render/width.ts'
import {fixture, inProcess} from './in-process.ts'
import {type Cells, printedNumber, printedTable} from './printed-tables.ts'
import {servefit} from './spawn.ts'

const GIB = 2 ** 30
const WIDTHS = ['40', '60', '80', '120', '200']

/** Read from JSON, whatever the document. */
// biome-ignore lint/suspicious/noExplicitAny: documents of sixteen commands
type Json = any

/** A table of a command: a row of the JSON for each printed row, in order. */
interface Table {
  first: string
  rows(json: Json): Json[]
  /** What the row is called, as it stands in the first columns. */
  name(row: Json): string
  /** Of a printed row, what it is called. */
  printed?(cells: Cells): string
  /** Numbers by their title, in the unit of the JSON; undefined where nothing is printed. */
  numbers: Record<string, (row: Json) => number | undefined>
  /** Of a title, the row's text. */
  texts?: Record<string, (row: Json) => string>
}

interface Walked {
  words: string[]
  tables?: Table[]
  /** Numbers of the sentences: the first group of the pattern is this number of the JSON. */
  sentences?: [RegExp, (json: Json) => number][]
  /** Long addresses are broken in a narrow terminal, where no mark parts them too. */
  addresses?: boolean
  /** The command answers with no. */
  code?: number
}

const result = {
  context: ({result: own}: Json) => own.deployment.maxModelLen,
  first: ({result: own}: Json) => own.performance.ttftMs.estimate,
  further: ({result: own}: Json) => own.performance.tpotMs.estimate,
}

let folder = ''
const file = (name: string) => join(folder, name)

const LINES: Table = {
  first: 'Figure',
  rows: ({log}) => log.lines,
  name: ({name, unit}) => `${name}${unit === 'bytes' ? ', GiB' : ''}`,
  numbers: {
    Predicted: ({predicted, unit}) => (unit === 'bytes' ? predicted / GIB : predicted),
    Reported: ({reported, unit}) => (unit === 'bytes' ? reported / GIB : reported),
    'Off by': ({relative}) => relative,
  },
}
const FIGURES = {ttftMs: 'First token', tpotMs: 'Per token', outputTokensPerSecond: 'Total tok/s'} as Record<string, string>

const WALK: Walked[] = [
  {
    words: ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '8'],
    sentences: [
      [/Context +([\d,]+) tokens/, ({deployment}) => deployment.maxModelLen],
      [/KV cache +([\d,]+) tokens/, ({memory}) => memory.kvCacheTokens],
      [/([\d.,]+) of full length/, ({memory}) => memory.maxConcurrencyAtMaxModelLen],
      [/# weights ([\d.,]+)/, ({memory}) => memory.perGpu.weightsBytes / GIB],
      [/= KV cache ([\d.,]+)/, ({memory}) => memory.perGpu.kvCacheBytes / GIB],
      [/\. left ([\d.,]+)/, ({memory}) => memory.perGpu.freeBytes / GIB],
      [/Per user +([\d.,]+) tok\/s/, ({performance}) => performance.outputTokensPerSecondPerUser],
      [/Per user +[\d.,]+ tok\/s \(([\d.,]+) to/, ({performance}) => 1000 / performance.tpotMs.high],
      [/first token ([\d.,]+ \w+)/, ({performance}) => performance.ttftMs.estimate],
      [/Total +([\d.,]+) tok\/s/, ({performance}) => performance.outputTokensPerSecond.estimate],
      [/Total +[\d.,]+ tok\/s \([\d.,]+ to ([\d.,]+)\)/, ({performance}) => performance.outputTokensPerSecond.high],
    ],
  },
  {
    words: ['check', 'deepseek-v4-pro', '--gpu', '2xrtx-4090'],
    code: 1,
    sentences: [
      [
        /over by ([\d.,]+)/,
        ({memory: {perGpu}}) => (perGpu.weightsBytes + perGpu.activationBytes + perGpu.cudaGraphBytes + perGpu.runtimeBytes - perGpu.totalBytes) / GIB,
      ],
    ],
  },
  {words: ['check', 'gpt-oss-120b', '--machine', 'dgx-spark', '--explain']},
  {words: ['check', '--gpu', '2xrtx-4090', '--', 'vllm', 'serve', 'Qwen/Qwen3-32B-AWQ', '-tp', '2', '--max-model-len', '32k']},
  {
    words: ['check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--users', '2', '--output', '64', '--simulate'],
    tables: [
      {
        first: 'Time',
        rows: ({simulation: {ttftMs, tpotMs, endToEndMs}}) => [
          {...ttftMs, name: 'First token'},
          {...tpotMs, name: 'Further token'},
          {...endToEndMs, name: 'Whole answer'},
        ],
        name: ({name}) => name,
        numbers: {mean: ({mean}) => mean, p50: ({p50}) => p50, p99: ({p99}) => p99},
      },
    ],
  },
  {words: ['check', 'qwen3-embedding-8b', '--gpu', '1xrtx-4090']},
  {
    words: ['compare', 'qwen3-32b', '--gpu', '1xrtx-pro-6000', '--users', '4'],
    tables: [
      {
        first: 'Checkpoint',
        rows: ({rows}) => rows.filter(({result: own}: Json) => ['fits', 'tight'].includes(own.verdict)),
        name: ({hfId, kvCache}) => `${hfId} ${kvCache}`,
        printed: ({Checkpoint, KV}) => `${Checkpoint} ${KV}`,
        numbers: {
          GiB: ({checkpointBytes}) => checkpointBytes / GIB,
          Context: result.context,
          'Requests at once': ({requestsHeld}) => requestsHeld,
          TTFT: result.first,
          TPOT: result.further,
          'tok/s': ({result: own}) => own.performance.outputTokensPerSecond.estimate,
          Quality: ({quality: {recovery}}) => (recovery === undefined ? undefined : Math.min(1, recovery)),
        },
      },
    ],
  },
  {words: ['compare', 'qwen3-8b', '--gpu', '1xrtx-4060-ti-16gb', '--users', '16', '--input', '8k', '--explain'], addresses: true},
  {
    words: ['plan', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'vllm', '--users', '4', '--slo-ttft-ms', '3000'],
    tables: [
      {
        first: 'Engine',
        rows: ({plans}) => plans.slice(0, 8),
        name: ({deployment: {engine, kvCache}}) => `${engine} ${kvCache}`,
        printed: ({Engine, KV}) => `${Engine} ${KV}`,
        numbers: {
          'tok/s': ({performance}) => performance.outputTokensPerSecond.estimate,
          'At least': ({performance}) => performance.outputTokensPerSecond.low,
          'Per user': ({performance}) => performance.outputTokensPerSecondPerUser,
          TTFT: ({performance}) => performance.ttftMs.estimate,
          Context: ({deployment}) => deployment.maxModelLen,
        },
      },
    ],
  },
  {words: ['plan', 'qwen3-32b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--users', '32', '--slo-tpot-ms', '5'], code: 1},
  {
    words: ['capacity', '--model', 'qwen3-8b', '--users', '5k', '--gpu', '1xrtx-4090', '--engine', 'vllm', '--growth', '5%/month'],
    tables: [
      {
        first: 'Machine',
        rows: ({options}) => options,
        name: ({machine}) => machine,
        numbers: {
          Number: ({periods}) => periods[0].machines,
          Safe: ({periods}) => periods[0].cautious?.machines,
          GPUs: ({periods}) => periods[0].gpus,
          Used: ({periods}) => periods[0].utilisation,
          'One lost': ({periods}) => periods[0].utilisationAfterLoss,
          'kW at most': ({periods}) => periods[0].watts / 1000,
        },
      },
      {
        first: 'Month',
        rows: ({options}) => options[0].periods,
        name: ({month}) => String(month),
        numbers: {
          users: ({units}) => units[0].demand,
          Machines: ({machines}) => machines,
          Used: ({utilisation}) => utilisation,
          'kWh a month': ({kwhPerMonth}) => kwhPerMonth,
        },
      },
    ],
  },
  {
    words: ['models', 'llama', '--fits', '--gpu', '1xh100-sxm', '--min-params', '30b'],
    tables: [
      {
        first: 'Model',
        rows: ({models}) => models,
        name: ({id}) => id,
        numbers: {
          Parameters: ({totalParams}) => totalParams,
          Context: ({fit}) => fit.maxModelLen,
          'tok/s per user': ({fit}) => fit.outputTokensPerSecondPerUser,
        },
        texts: {Verdict: ({fit}) => fit.verdict, As: ({fit}) => fit.weights},
      },
    ],
  },
  {
    words: ['models'],
    tables: [
      {
        first: 'Model',
        rows: ({models}) => models,
        name: ({id}) => id,
        numbers: {Parameters: ({totalParams}) => totalParams, Context: ({contextTokens}) => contextTokens},
        texts: {Publisher: ({hfId}) => hfId.split('/')[0]},
      },
    ],
  },
  {
    words: ['models', 'show', 'deepseek-v4-pro'],
    tables: [{first: 'Checkpoint', rows: ({model}) => model.checkpoints, name: ({hfId}) => hfId, numbers: {}, texts: {Weights: ({weights}) => weights}}],
  },
  {
    words: ['gpus'],
    tables: [
      {
        first: 'GPU',
        rows: ({gpus}) => gpus,
        name: ({id}) => id,
        numbers: {
          GiB: ({memoryBytes}) => memoryBytes / GIB,
          'GB/s': ({memoryBandwidthBytesPerSecond: rate}) => rate && rate / 1e9,
          'BF16 T/s': ({denseOperationsPerSecond: {bf16}}) => bf16 && bf16 / 1e12,
          'FP8 T/s': ({denseOperationsPerSecond: {fp8}}) => fp8 && fp8 / 1e12,
          'FP4 T/s': ({denseOperationsPerSecond: {fp4}}) => fp4 && fp4 / 1e12,
        },
      },
    ],
  },
  {words: ['gpus', 'gb300']},
  {words: ['machines'], tables: [{first: 'Machine', rows: ({machines}) => machines, name: ({id}) => id, numbers: {}}]},
  {words: ['machines', 'gb300-nvl72']},
  {
    words: ['engines'],
    tables: [
      {
        first: 'Engine',
        rows: ({engines}) => engines,
        name: ({id}) => id,
        numbers: {Releases: ({versions}) => versions.length},
        texts: {Documentation: ({docsUrl}) => docsUrl},
      },
    ],
  },
  {words: ['engines', 'vllm']},
  {words: ['engines', 'support', 'qwen3-32b']},
  {words: ['config', 'qwen3-32b', '--gpu', '2xrtx-4090', '--explain']},
  {words: ['models', 'import', fixture('configs', 'qwen3-14b.json')]},
  {words: ['verify', fixture('verify', 'vllm-0.28.0-qwen3-32b-fp8-2-ranks.log'), '--gpu', 'h100-sxm', '--tp', '2'], code: 1, tables: [LINES]},
  {
    words: ['verify', '--bench', fixture('verify', 'vllm-bench-serve.json'), '--gpu', '2xrtx-4090'],
    tables: [
      {
        first: 'Figure',
        rows: ({bench}) => bench.runs[0].figures,
        name: ({metric}) => FIGURES[metric]!,
        numbers: {Predicted: ({estimate}) => estimate, Measured: ({reported}) => reported, 'Off by': ({relative}) => relative},
      },
    ],
  },
  {
    words: ['calibrate', fixture('verify', 'scenarios.jsonl'), '--dry-run'],
    tables: [
      {
        first: 'Measured against predicted',
        rows: ({fits}) => fits[0].residuals,
        name: ({place}) => place,
        numbers: {Before: ({before}) => before, After: ({after}) => after},
      },
    ],
  },
  {
    words: ['diff', '@before', '@after'],
    code: 1,
    tables: [
      {
        first: 'Effect',
        rows: ({changes}) => changes.filter(({unit}: Json) => ['ms', 'tokens', 'tok/s'].includes(unit)),
        name: ({key}) => key,
        printed: ({Figure}) => Figure!,
        numbers: {Before: ({before}) => before, After: ({after}) => after, Change: ({relative}) => relative},
      },
    ],
  },
]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
  const checked = async (...more: string[]) => (await inProcess(['check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--users', '4', ...more, '--json'])).stdout
  writeFileSync(file('before.json'), await checked())
  // A prompt of half a million tokens on a card that reads it in minutes: seconds become minutes.
  writeFileSync(file('after.json'), await checked('--input', '30k', '--max-model-len', '32k'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const numbersIn = (text: string): Set<string> => new Set(text.match(/\d[\d,]*(?:\.\d+)?/g)?.map((number) => number.replace(/,+$/, '')))
const unspaced = (text: string): string => text.replaceAll(/\s/g, '')

/** Numbers of the JSON behind a printed table: none is cut, none is rounded wrongly. */
function expectNumbers(text: string, json: Json, {first, rows, name, printed, numbers, texts = {}}: Table): void {
  const cells = printedTable(text, first)
  const behind = rows(json)
  const shown = printed ?? ((row: Cells) => row[first] ?? '')
  for (const row of behind) {
    const own = cells[cells.length === behind.length ? behind.indexOf(row) : cells.findIndex((cell) => shown(cell) === name(row))]
    expect(own, name(row)).toBeDefined()
    expect(shown(own!)).toBe(name(row))
    for (const [title, of] of Object.entries(numbers)) {
      const expected = of(row)
      const cell = own![title]
      if (expected === undefined) continue
      expect(cell, `${name(row)}: ${title}`).toBeDefined()
      const {value, half} = printedNumber(cell!)
      expect(Math.abs(value - expected), `${name(row)}: ${title} is printed as ${cell}, and is ${expected}`).toBeLessThanOrEqual(half * 1.0001)
    }
    for (const [title, of] of Object.entries(texts)) expect(own![title] ?? '').toBe(of(row))
  }
}

describe('at every width', () => {
  it.each(WALK.map((walked) => [walked.words.map((word) => word.replace(/^.*\/fixtures\//, '')).join(' '), walked] as const))(
    '%s',
    async (_, {words: asked, tables = [], sentences = [], code = 0, addresses = false}) => {
      const words = asked.map((word) => (word.startsWith('@') ? file(`${word.slice(1)}.json`) : word))
      const at = words.indexOf('--')
      const json = JSON.parse((await inProcess(at < 0 ? [...words, '--json'] : [...words.slice(0, at), '--json', ...words.slice(at)])).stdout)
      const full = await inProcess(words)
      expect(full.code, full.stdout + full.stderr).toBe(code)
      for (const own of tables) expectNumbers(full.stdout, json, own)
      for (const [pattern, of] of sentences) {
        const [, figure] = pattern.exec(full.stdout.replaceAll(/\s+/g, ' ')) ?? []
        expect(figure, String(pattern)).toBeDefined()
        const {value, half} = printedNumber(figure!)
        expect(Math.abs(value - of(json)), `${pattern} is printed as ${figure}, and is ${of(json)}`).toBeLessThanOrEqual(half * 1.0001)
      }
      const numbers = numbersIn(full.stdout)
      for (const width of WIDTHS) {
        const {stdout, code: same} = await inProcess(words, {COLUMNS: width})
        expect(same).toBe(code)
        expect(
          stdout.split('\n').filter((line) => widthOf(line) > Number(width)),
          width,
        ).toEqual([])
        // What is printed in a narrow terminal stands in the file too: nothing was cut to another number.
        if (!addresses)
          expect(
            [...numbersIn(stdout)].filter((number) => !numbers.has(number)),
            width,
          ).toEqual([])
        for (const {rows, name, first} of tables) {
          const text = unspaced(stdout)
          // Compare shortens names, and tells them apart all the same.
          if (first !== 'Checkpoint' || words[0] !== 'compare')
            for (const row of rows(json)) expect(text, `${width}: ${name(row)}`).toContain(unspaced(name(row)).split(' ')[0]!)
        }
      }
    },
  )
})

describe('what no command line asks here', () => {
  const machine: MachineDocument = {
    schemaVersion: 2,
    hostname: 'workstation-of-a-rather-long-name.example.org',
    gpus: [0, 1].map((index) => ({
      index,
      id: 'rtx-4090',
      name: 'NVIDIA GeForce RTX 4090',
      vendor: 'nvidia',
      memoryBytes: 25_756_696_576,
      freeBytes: (index + 1) * 10 * GIB,
      memoryBandwidthBytesPerSecond: 1008e9,
      processes: [{name: 'a-program-with-a-long-name', usedBytes: 3 * GIB}],
    })),
    interconnect: {kind: 'pcie-host'},
    cpu: {name: 'AMD Ryzen Threadripper PRO 7995WX', physicalCount: 96, logicalCount: 192},
    memoryBytes: 512 * GIB,
    availableMemoryBytes: 480 * GIB,
    disk: [{use: 'checkpoints', path: '/var/lib/models/of/everybody/huggingface', freeBytes: 1.5 * 1024 * GIB, totalBytes: 2048 * GIB}],
    problems: [{code: 'driver-old', message: 'the driver is too old for the newest containers of the engine', remedy: 'update it to 580 or later'}],
  } as MachineDocument

  it.each(WIDTHS)('a machine in %s columns', (width) => {
    const full = numbersIn(renderMachine(machine, {columns: 120, colour: false}))
    const text = renderMachine(machine, {columns: Math.min(Number(width), 120), colour: false})
    expect(text.split('\n').filter((line) => widthOf(line) > Number(width))).toEqual([])
    expect([...numbersIn(text)].filter((number) => !full.has(number))).toEqual([])
    for (const {name} of machine.gpus) expect(unspaced(text)).toContain(unspaced(name))
  })

  it('help, by COLUMNS', () => {
    const longest = (columns: string) =>
      Math.max(
        ...servefit(['check', '--help'], {env: {COLUMNS: columns}})
          // Summaries and commands to copy stay on one line.
          .stdout.split('\n')
          .filter((line) => /^ {4}/.test(line))
          .map((line) => line.length),
      )
    // oclif lets the lines below a flag stand out by its indent of two.
    expect(longest('60')).toBeLessThanOrEqual(62)
    expect(longest('110')).toBeGreaterThan(80)
  })

  it('a file gets every column, COLUMNS and --wide are honoured', () => {
    const titles = (args: string[], env = {}) => servefit(args, {env}).stdout.split('\n')[0]!
    expect(titles(['models'])).toMatch(/^Model +Parameters +Active +Context +Publisher +Licence +Published as$/)
    expect(titles(['models'], {COLUMNS: '70'})).not.toContain('Published as')
    expect(titles(['models', '--wide'], {COLUMNS: '70'})).toBe(titles(['models']))
  })
})
