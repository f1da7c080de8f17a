import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {scenarioFrom} from '../../src/cli/flags.ts'
import {ScenarioSchema} from '../../src/planner/scenario/schema.ts'
import {root, servefit} from './spawn.ts'

const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, {flags: Record<string, unknown>; enableJsonFlag?: boolean}>
}

/** Fields that hold several: a flag for each. */
const PARTS: Record<string, string[]> = {
  multimodal: ['language-model-only', 'limit-mm-per-prompt'],
  graphs: ['graph-max-batch', 'graph-sizes', 'graph-mode'],
  admission: ['max-queued-requests', 'max-queued-tokens', 'scheduler-steps', 'batch-wait-steps'],
  lora: ['lora', 'lora-rank', 'enable-lora', 'lora-target-modules'],
  engineFlags: ['engine-flag'],
}

describe('the command surface', () => {
  it('holds these commands', () => {
    for (const id of ['batch', 'check', 'config', 'detect', 'gpus', 'models', 'models:show', 'schema']) expect(Object.keys(manifest.commands)).toContain(id)
  })

  it('has --json everywhere but where a protocol is spoken', () => {
    for (const [id, {flags}] of Object.entries(manifest.commands).filter(([id]) => id !== 'mcp')) expect(flags, id).toHaveProperty('json')
  })

  it("gives check the scenario's names in kebab-case", () => {
    const kebab = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const scenario = Object.keys(ScenarioSchema.shape).filter((name) => !['id', 'model', 'command', 'workload', 'slo', ...Object.keys(PARTS)].includes(name))
    for (const name of [...scenario.map(kebab), ...Object.values(PARTS).flat()]) expect(manifest.commands.check!.flags, name).toHaveProperty(name)
    for (const name of ['inputTokens', 'outputTokens', 'concurrency', 'requestRate', 'prefixHitRate'])
      expect(manifest.commands.check!.flags, name).toHaveProperty(kebab(name))
  })

  it('turns flags into a scenario that the schema takes', () => {
    const scenario = scenarioFrom('qwen3-32b', {gpu: '2xrtx-4090', tp: 2, 'max-model-len': 4096, 'dp-attention': true, 'request-rate': 2, 'input-tokens': 10})
    expect(scenario).toMatchObject({
      model: 'qwen3-32b',
      gpu: '2xrtx-4090',
      tp: 2,
      maxModelLen: 4096,
      dpAttention: true,
      workload: {inputTokens: 10, outputTokens: 512, requestRate: 2},
    })
    expect(ScenarioSchema.safeParse(scenario).success).toBe(true)
  })

  it('explains itself', () => {
    const {code, stdout} = servefit(['check', '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--max-model-len')
    expect(servefit(['--version']).stdout).toMatch(/^servefit\/\d+\.\d+\.\d+ /)
    expect(servefit(['--help']).stdout).toContain('check')
  })
})

describe('standard output with --json is one JSON document', () => {
  const CASES = [
    ['check', 'qwen3-32b', '--gpu', '2xrtx-4090'],
    ['config', 'qwen3-32b', '--gpu', '2xrtx-4090'],
    ['models'],
    ['models', 'show', 'qwen3-32b'],
    ['gpus'],
    ['detect'],
    ['schema', 'result'],
  ]
  for (const args of CASES)
    it(args.join(' '), () => {
      const {stdout} = servefit([...args, '--json'], {env: {FORCE_COLOR: '1'}})
      expect(typeof JSON.parse(stdout)).toBe('object')
    })
})

describe('text for pipes', () => {
  it('has no colour, and colour when it is forced', () => {
    expect(servefit(['check', 'qwen3-32b', '--gpu', '2xrtx-4090']).stdout).not.toContain('\u001B')
    expect(servefit(['check', 'qwen3-32b', '--gpu', '2xrtx-4090'], {env: {FORCE_COLOR: '1'}}).stdout).toContain('\u001B')
  })

  for (const [model, gpu] of [
    ['qwen3-32b', '2xrtx-4090'],
    ['deepseek-v4-pro', '2xrtx-4090'],
    ['deepseek-v3.2', '8xh200-sxm'],
    ['gpt-oss-120b', '1xgb10'],
    ['nemotron-3-super-120b-a12b', '8xh20-96gb'],
  ] as const)
    it(`keeps to 80 columns: ${model} on ${gpu}`, () => {
      const {stdout} = servefit(['check', model, '--gpu', gpu, '--users', '8'])
      // A command to copy stands on one line in a pipe.
      expect(stdout.split('\n').filter((line) => line.length > 80 && !/^ {2}(?:Next| {4}) {12}servefit /.test(line))).toEqual([])
    })
})

describe('a flag that is not there', () => {
  it.each([
    ['--gpuu', '--gpu'],
    ['--concurency', '--concurrency'],
    ['--user', '--users'],
  ])('%s is answered with %s', (written, meant) => {
    const {code, stdout} = servefit(['check', 'qwen3-32b', written, '2', '--json'])
    expect(code).toBe(2)
    expect((JSON.parse(stdout) as {error: {suggestions: string[]}}).error.suggestions).toContain(meant)
  })
})
