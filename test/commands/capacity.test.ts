import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {parse, parseAllDocuments} from 'yaml'
import {servefit} from './spawn.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-capacity-'))
  writeFileSync(
    join(folder, 'fleet.yaml'),
    `machines: [{machine: dgx-h100, price: 70/h}, 8xh200-sxm]
models:
  - {name: chat, model: llama-3.1-8b, users: 3000, thinkSeconds: 20, outputTokens: {p50: 150, p95: 600}, slo: {ttftMs: 2000, percentile: 95}}
  - {model: qwen3-32b, trace: ./trace.jsonl, slo: {ttftMs: 4000}}
growth: 5%/month
months: [0, 12]
spare: 1
`,
  )
  writeFileSync(
    join(folder, 'trace.jsonl'),
    Array.from({length: 60}, (_, index) => JSON.stringify({timestamp: index * 900, input_length: 400 + index, output_length: 50 + index})).join('\n'),
  )
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))
const file = (name: string) => join(folder, name)

describe('capacity', () => {
  it('takes a model by its name alone, and says that lengths are assumed', () => {
    const asked = ['--users', '20', '--gpu', '1xl4']
    const {code, stdout} = servefit(['capacity', 'qwen3-8b', ...asked])
    expect(code).toBe(0)
    expect(stdout).toBe(servefit(['capacity', '--model', 'qwen3-8b', ...asked]).stdout)
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('The lengths of prompts and answers are assumed: --input and --output')
    expect(servefit(['capacity', 'qwen3-8b', ...asked, '--input', '1k']).stdout).not.toContain('are assumed')
  })

  it('from flags, in 80 columns', () => {
    const {code, stdout} = servefit(
      [
        'capacity',
        '--model',
        'llama-3.1-8b',
        '--users',
        '4k',
        '--think-seconds',
        '30',
        '--machine',
        'dgx-h100',
        '--gpu',
        '4xl40s',
        '--slo-ttft-ms',
        '2000',
        '--price',
        'dgx-h100=70/h',
        '--growth',
        '5%/month',
      ],
      {env: {COLUMNS: '80'}},
    )
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    for (const part of [/^Machine +Number +Safe +GPUs/m, /dgx-h100/, /4xl40s/, /One lost/, /upper bound/, /^ +Month +users +Machines/m])
      expect(stdout).toMatch(part)
  })

  it('from a file with several models, with manifests', () => {
    const out = file('saved')
    const {code, stdout} = servefit(['capacity', file('fleet.yaml'), '--json', '--save', out])
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.demands.map(({name}: {name: string}) => name)).toEqual(['chat', 'qwen3-32b'])
    expect(report.demands[1].trace.requests).toBe(60)
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['capacity.json', 'capacity.csv', 'chat-kubernetes.yaml', 'qwen3-32b-kubernetes.yaml']))
    const [first] = report.options
    for (const {name, units} of first.periods[0].units) {
      const documents = parseAllDocuments(readFileSync(join(out, `${name}-kubernetes.yaml`), 'utf8')).map(
        (document) => document.toJS() as {kind: string; spec: {replicas: number; accessModes: string[]}},
      )
      // TensorRT-LLM starts one replica at a time: each is a pod of its own.
      const {engine, dp, dpAttention} = first.placements.find((placement: {name: string}) => placement.name === name).result.deployment
      const pods = engine === 'trtllm' && !dpAttention ? units * dp : units
      expect(documents.find(({kind}) => kind === 'Deployment')!.spec.replicas).toBe(pods)
      // One volume for pods on several nodes.
      if (pods > 1) expect(documents.find(({kind}) => kind === 'PersistentVolumeClaim')!.spec.accessModes).toEqual(['ReadWriteMany'])
    }
  })

  it('a deployment over nodes becomes a LeaderWorkerSet with so many groups', () => {
    const out = file('nodes')
    const {code, stderr} = servefit([
      'capacity',
      '--model',
      'deepseek-ai/DeepSeek-V3.2',
      '--engine',
      'vllm',
      '--request-rate',
      '40',
      '--gpu',
      '8xh100-sxm',
      '--nodes',
      '2',
      '--tp',
      '8',
      '--pp',
      '2',
      '--save',
      out,
    ])
    expect(code, stderr).toBe(0)
    const documents = parseAllDocuments(readFileSync(join(out, 'leaderworkerset.yaml'), 'utf8')).map(
      (document) => document.toJS() as {kind: string; spec: {replicas: number}},
    )
    const report = parse(readFileSync(join(out, 'capacity.json'), 'utf8'))
    expect(documents.find(({kind}) => kind === 'LeaderWorkerSet')!.spec.replicas).toBe(report.options[0].periods[0].units[0].units)
  })

  it('as CSV', () => {
    const {code, stdout} = servefit(['capacity', file('fleet.yaml'), '--csv'])
    expect(code).toBe(0)
    const [header, ...rows] = stdout.trimEnd().split('\r\n')
    expect(header).toMatch(/^machine,feasible,month,model,/)
    // Two machines, two months, two models.
    expect(rows).toHaveLength(8)
  })

  it('exits with 1 when no machine carries it', () => {
    const {code, stdout} = servefit(['capacity', '--model', 'deepseek-ai/DeepSeek-V3.2', '--users', '10', '--gpu', '1xh100-sxm'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/1xh100-sxm cannot carry this load: the weights need/)
  })

  it('no machine named: the catalogue is searched, and it is said', () => {
    const {code, stdout} = servefit(['capacity', '--model', 'qwen3-32b', '--users', '200'])
    expect(code).toBe(0)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/No machine was named: \d+ machines of the catalogue .* the 6 best are shown/)
    const table = stdout.split('\n').slice(stdout.split('\n').findIndex((line) => line.startsWith('Machine ')) + 1)
    expect(table.indexOf('')).toBe(6)
    const {stdout: json} = servefit(['capacity', '--model', 'qwen3-32b', '--users', '200', '--json'])
    const report = JSON.parse(json)
    expect(report.options).toHaveLength(6)
    expect(report.candidates.considered).toBeGreaterThan(6)
  })

  it('without limits the interactive ones apply, and are said', () => {
    const base = ['capacity', '--model', 'llama-3.1-8b', '--users', '2000', '--machine', 'dgx-h100']
    const plain = servefit(base)
    expect(plain.stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /the first token within 2 s and 50 ms for each further token These are the interactive limits, as none were given/,
    )
    const report = (args: string[]) => JSON.parse(servefit([...base, ...args, '--json']).stdout)
    const usual = report([])
    expect(usual.demands[0]).toMatchObject({slo: {ttftMs: 2000, tpotMs: 50}, sloAssumed: true})
    expect(usual.options[0].placements[0].result.performance.ttftMs.estimate).toBeLessThanOrEqual(2000)
    const none = report(['--slo', 'none'])
    expect(none.demands[0].slo).toBeUndefined()
    expect(none.options[0].placements[0].carries).toBeGreaterThan(usual.options[0].placements[0].carries)
    // The same limits, asked for: no assumption to tell.
    const asked = report(['--slo', 'interactive'])
    expect(asked.demands[0].sloAssumed).toBeUndefined()
    interface Option {
      machine: string
      periods: unknown
      placements: {carries: number}[]
    }
    const carried = ({options}: {options: Option[]}) =>
      options.map(({machine, periods, placements}) => ({machine, periods, carries: placements.map(({carries}) => carries)}))
    expect(carried(asked)).toEqual(carried(usual))
    // Asked for, they make the verdict: kept as expected, and not at the slow end. Assumed, they only choose the load.
    const codes = ({options}: {options: {placements: {result: {warnings: {code: string}[]}}[]}[]}) =>
      options[0]!.placements[0]!.result.warnings.map(({code}) => code)
    expect(codes(asked)).toContain('slo-uncertain')
    expect(codes(usual)).not.toContain('slo-uncertain')
    expect(report(['--slo-ttft-ms', '800']).demands[0].slo).toEqual({ttftMs: 800})
  })

  it('says which limit is missed, by how much', () => {
    const {code, stdout} = servefit(['capacity', '--model', 'qwen3-32b', '--users', '1', '--gpu', '1xl40s', '--slo-ttft-ms', '10'])
    expect(code).toBe(1)
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(
      /1xl40s cannot carry this load: a single request: first token \d+ ms expected \(the limit is 10 ms; .* at the slow end\); nearest layout: /,
    )
    expect(stdout).toMatch(/^qwen3-32b: 1 user with/)
  })

  it('in narrow terminals whole columns are left out, none is cut', () => {
    const args = ['capacity', '--model', 'qwen3-235b-a22b', '--users', '200', '--machine', 'dgx-h100', '--machine', 'dgx-b200']
    const {stdout} = servefit([...args, '--growth', '5%/month'])
    const header = stdout.split('\n').find((line) => line.startsWith('Machine '))!
    const row = stdout.split('\n').find((line) => line.startsWith('dgx-b200 '))!
    if (header.includes('Layout')) expect(row).toMatch(/(vllm|sglang|trtllm) \S+ tp \d+( pp \d+)?( dp \d+| attn-dp)?( ep \d+)?$/)
    else expect(row).toMatch(/\d%?$/)
  })

  it('names what is wrong', () => {
    writeFileSync(file('wrong.yaml'), 'models: [{model: llama-3.1-8b, user: 5}]\n')
    writeFileSync(file('bad.csv'), 'arrivalMs,inputTokens,outputTokens\n1,2\n')
    const base = ['capacity', '--model', 'llama-3.1-8b', '--gpu', '1xh100-sxm']
    const cases: [string[], RegExp][] = [
      [['capacity'], /--model/],
      [base, /one of users, request-rate and trace/],
      [[...base, '--users', '5', '--price', '1xh200-sxm=3/h'], /1xh200-sxm/],
      [[...base, '--users', '5', '--price', '1xh100-sxm=3'], /3: expected an amount with its time/],
      [[...base, '--users', '5', '--growth', 'fast'], /growth fast/],
      [[...base, '--users', '5', '--months', '1,x'], /--months 1,x/],
      [[...base, '--trace', file('bad.csv')], /bad\.csv, line 2/],
      [['capacity', file('wrong.yaml'), '--gpu', '1xh100-sxm'], /wrong\.yaml.*user/],
      [['capacity', file('nowhere.yaml')], /nowhere\.yaml/],
      [[...base, '--users', '5', '--slo', 'loose'], /none or interactive/],
      [[...base, '--users', '5', '--slo', 'none', '--slo-ttft-ms', '100'], /slo/],
    ]
    for (const [args, message] of cases) {
      const {code, stdout, stderr} = servefit(args)
      expect(code, `${args.join(' ')}: ${stderr}`).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toMatch(message)
      expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
    }
  })

  it('refuses a release that cannot exist, and takes what the checkpoint is chosen for', () => {
    const asked = ['capacity', '--model', 'qwen3-32b', '--users', '20', '--gpu', '1xh100-sxm', '--json']
    const refused = servefit([...asked, '--engine-version', '9.9.9'])
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout).error).toMatchObject({code: 'ENGINE_VERSION_UNKNOWN', suggestions: ['0.33.0', '0.32.0', '0.31.0']})
    // SGLang counts in 0.5.x: a release of vLLM's is none of its own.
    expect(servefit([...asked, '--engine', 'sglang', '--engine-version', '0.33.0']).code).toBe(2)
    const weightsOf = (prefer: string) => JSON.parse(servefit([...asked, '--prefer', prefer]).stdout).options[0].placements[0].result.deployment.weights
    // Sixteen bits fit on the card and lose nothing; four take least room.
    expect(weightsOf('quality')).toBe('bf16')
    expect(weightsOf('memory')).toMatch(/4/)
  })
})
