import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {servefit} from './spawn.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-plan-'))
  writeFileSync(
    join(folder, 'base.yaml'),
    '# the machine\ngpu: 2xh100-sxm\nworkload: {inputTokens: 2000, outputTokens: 300, concurrency: 8}\nslo: {ttftMs: 3000}\n',
  )
  writeFileSync(join(folder, 'chat.yaml'), 'extends: base.yaml\nmodel: llama-3.1-8b\nengine: vllm\nworkload:\n  concurrency: 16\n')
  writeFileSync(join(folder, 'chat.json'), JSON.stringify({extends: 'chat.yaml', workload: {requestRate: 2}, machine: 'dgx-h100'}))
  writeFileSync(join(folder, 'round.yaml'), 'extends: round.yaml\n')
  // Ten files that take in ten others each, five deep: 111,111 readings of six files.
  for (let deep = 0; deep < 5; deep++)
    writeFileSync(
      join(folder, `fan${deep}.yaml`),
      `extends: [${Array(10)
        .fill(`fan${deep + 1}.yaml`)
        .join(', ')}]\n`,
    )
  writeFileSync(join(folder, 'fan5.yaml'), 'gpu: 1xh100-sxm\n')
  writeFileSync(join(folder, 'wrong.yaml'), 'model: llama-3.1-8b\ntp: many\nmodle: x\n')
  writeFileSync(join(folder, 'broken.yaml'), 'model: [\n')
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))
const file = (name: string) => join(folder, name)
const wide = (text: string) => text.split('\n').filter((line) => line.length > 80)

describe('plan', () => {
  it('reads in 80 columns: the best, the ranking, why the next lost, a chart, refusals and what is next', () => {
    const {code, stdout} = servefit(['plan', 'deepseek-ai/DeepSeek-V3.2', '--machine', 'dgx-h200'], {env: {COLUMNS: '80'}})
    expect(code).toBe(0)
    expect(wide(stdout)).toEqual([])
    for (const part of [
      /^ {2}best {3}/m,
      /^Engine +Weights +KV +Layout +Users +tok\/s/m,
      /^ {2}The runner-up, /m,
      /tok\/s per GPU \(up\) against/,
      /^ {2}Refused, of \d+ deployments/m,
      /^ {2}Next {3}servefit config /m,
    ])
      expect(stdout).toMatch(part)
  })

  it('its next command starts the plan', () => {
    const {stdout} = servefit(['plan', 'llama-3.1-8b', '--gpu', '2xh100-sxm', '--engine', 'vllm'])
    const next = stdout
      .slice(stdout.indexOf('Next') + 4)
      .trim()
      .replaceAll(/\s+/g, ' ')
      .replace(/^servefit /, '')
      .split(' ')
    const {code, stdout: command} = servefit(next)
    expect(code).toBe(0)
    expect(command).toMatch(/^vllm serve /)
  })

  it('exits with 1 when no plan keeps the limits, and says what would', () => {
    const {code, stdout} = servefit(['plan', 'qwen3-32b', '--gpu', '1xrtx-4090', '--users', '32', '--slo-tpot-ms', '5'], {env: {COLUMNS: '80'}})
    expect(code).toBe(1)
    expect(wide(stdout)).toEqual([])
    expect(stdout).toContain('no plan keeps the limits')
    expect(stdout).toContain('What would keep them')
    const json = servefit(['plan', 'qwen3-32b', '--gpu', '1xrtx-4090', '--users', '32', '--slo-tpot-ms', '5', '--json'])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.stdout)).toMatchObject({
      met: false,
      slo: {tpotMs: 5},
      reach: expect.arrayContaining([expect.objectContaining({change: 'looser-limits'})]),
    })
  })

  it('--fail-on is for pipelines', () => {
    const {code, stderr} = servefit(['plan', 'llama-3.1-8b', '--gpu', '1xh100-sxm', '--engine', 'vllm', '--fail-on', 'outputTokensPerSecond<1000000000'])
    expect(code).toBe(1)
    expect(stderr).toContain('outputTokensPerSecond<1000000000')
    expect(servefit(['plan', 'llama-3.1-8b', '--gpu', '1xh100-sxm', '--fail-on', 'fast']).code).toBe(2)
  })

  it('--save writes what starts it, and the report', () => {
    const out = file('saved')
    const args = ['plan', 'llama-3.1-8b', '--gpu', '1xh100-sxm', '--engine', 'vllm', '--save', out, '--format', 'command', '--format', 'compose']
    expect(servefit(args).code).toBe(0)
    expect(readdirSync(out)).toEqual(expect.arrayContaining(['serve.sh', 'compose.yaml', 'smoke-test.sh', 'plan.json']))
    expect(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8'))).toMatchObject({met: true})
    expect(servefit(args).code).toBe(2)
    expect(servefit([...args, '--force']).code).toBe(0)
  })

  it('--json is one document that diff takes', () => {
    const {stdout} = servefit(['plan', 'llama-3.1-8b', '--gpu', '1xh100-sxm', '--json'])
    writeFileSync(file('a.json'), stdout)
    const b = servefit(['plan', 'llama-3.1-8b', '--gpu', '1xl40s', '--json'])
    writeFileSync(file('b.json'), b.stdout)
    expect(servefit(['diff', file('a.json'), file('a.json')])).toMatchObject({code: 0, stdout: 'Nothing changed.\n'})
    const worse = servefit(['diff', file('a.json'), file('b.json'), '--tolerance', '5%', '--json'])
    expect(worse.code).toBe(1)
    expect(JSON.parse(worse.stdout).worse).toBeGreaterThan(0)
    expect(servefit(['diff', file('a.json'), file('nowhere.json')]).code).toBe(2)
  })
})

describe('--scenario', () => {
  it('is the same question as the flags', () => {
    const flags = ['llama-3.1-8b', '--gpu', '2xh100-sxm', '--engine', 'vllm', '--input', '2000', '--output', '300', '--users', '16']
    for (const command of ['check', 'config', 'compare'])
      expect(servefit([command, '--scenario', file('chat.yaml'), '--json']).stdout).toBe(
        servefit([command, ...(command === 'plan' ? [...flags, '--slo-ttft-ms', '3000'] : flags), '--json']).stdout,
      )
    expect(JSON.parse(servefit(['plan', '--scenario', file('chat.yaml'), '--json']).stdout).slo).toEqual({ttftMs: 3000})
  })

  it('flags win, and what excludes another takes its place', () => {
    const {hardware, workload} = JSON.parse(servefit(['check', '--scenario', file('chat.json'), '--json']).stdout)
    expect(hardware.gpus).toBe(8)
    expect(workload).toEqual({inputTokens: 2000, outputTokens: 300, requestRate: 2})
    const over = JSON.parse(servefit(['check', 'qwen3-32b', '--scenario', file('chat.json'), '--gpu', '1xh200-sxm', '--users', '4', '--json']).stdout)
    expect(over).toMatchObject({model: {id: 'qwen3-32b'}, hardware: {gpu: 'h200-sxm', gpus: 1}, workload: {concurrency: 4}})
    expect(over.workload.requestRate).toBeUndefined()
  })

  it('names what is wrong in a file', () => {
    const wrong: [string, RegExp][] = [
      ['round.yaml', /round\.yaml extends itself/],
      ['fan0.yaml', /more than 100 files are taken in/],
      ['wrong.yaml', /wrong\.yaml.*(tp|modle)/],
      ['broken.yaml', /broken\.yaml is not YAML/],
      ['nowhere.yaml', /nowhere\.yaml/],
      ['base.yaml', /MODEL.*base\.yaml names none/],
    ]
    for (const [name, message] of wrong) {
      const {code, stderr, stdout} = servefit(['check', '--scenario', file(name)])
      expect(code, stderr).toBe(2)
      expect(stdout).toBe('')
      expect(stderr).toMatch(message)
    }
  })
})

describe('check --simulate', () => {
  it('adds percentiles to the answer', () => {
    const args = ['check', 'llama-3.1-8b', '--gpu', '1xh100-sxm', '--users', '16', '--simulate']
    const {code, stdout} = servefit(args)
    expect(code).toBe(0)
    expect(wide(stdout)).toEqual([])
    expect(stdout).toMatch(/estimate +mean +p50 +p90 +p95 +p99/)
    expect(JSON.parse(servefit([...args, '--json']).stdout).simulation).toMatchObject({seed: 0, requests: 160})
  })
})

describe('progress', () => {
  it('leaves nothing on standard error away from a terminal', () => {
    expect(servefit(['plan', 'llama-3.1-8b', '--gpu', '1xh100-sxm']).stderr).toBe('')
    expect(existsSync(file('saved'))).toBe(true)
  })
})
