import {spawnSync} from 'node:child_process'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {root, servefit} from './spawn.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-pipeline-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))
const file = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(file(name), 'utf8')

describe('check in a pipeline', () => {
  it('exits with 1 on a condition, and says which', () => {
    const question = [
      'check',
      'qwen3-32b',
      '--gpu',
      '2xrtx-4090',
      '--fail-on',
      'maxModelLen<1000000,ttftMs>100000000',
      '--junit',
      file('check.xml'),
      '--sarif',
      file('check.sarif'),
    ]
    const {code, stdout, stderr} = servefit([...question, '--json'])
    expect(code).toBe(1)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({verdict: 'fits', failed: ['maxModelLen<1000000']})
    expect(servefit(question).stderr).toBe('servefit: this fails on maxModelLen<1000000\n')
    expect(read('check.xml')).toContain('<testsuite name="servefit" tests="1" failures="1" errors="0">')
    expect(read('check.xml')).toContain(
      '<failure type="fail-on" message="maxModelLen&lt;1000000 holds (verdict fits)">maxModelLen&lt;1000000 holds (verdict fits)</failure>',
    )
    expect(JSON.parse(read('check.sarif')).runs[0].results[0]).toMatchObject({ruleId: 'fail-on', level: 'error'})
  })

  it('a no fails by itself, with its reasons; a yes passes', () => {
    servefit(['check', 'deepseek-ai/DeepSeek-V4-Pro', '--gpu', '2xrtx-5090', '--junit', file('no.xml')])
    expect(read('no.xml')).toContain('<failure type="weights-exceed-memory"')
    expect(servefit(['check', 'qwen3-8b', '--gpu', '1xh100-sxm', '--fail-on', 'no', '--junit', file('yes.xml')]).code).toBe(0)
    expect(read('yes.xml')).toContain('failures="0"')
    expect(read('yes.xml')).toMatch(/^dataVersion: [0-9a-f]{12}$/m)
  })

  it('an unknown condition is wrong input, and no next line repeats what is for pipelines', () => {
    const {code, stderr} = servefit(['check', 'qwen3-8b', '--gpu', '1xh100-sxm', '--fail-on', 'tigth'])
    expect(code).toBe(2)
    expect(stderr).toContain('tight')
    expect(servefit(['check', 'qwen3-8b', '--gpu', '1xh100-sxm', '--fail-on', 'no']).stdout).not.toContain('fail-on')
  })
})

/** Attributes by element, as junit-10.xsd of jenkinsci/xunit-plugin has them: with more than these the strictest readers refuse the whole report. */
const JUNIT: Record<string, readonly string[]> = {
  testsuites: ['name', 'tests', 'failures', 'errors'],
  testsuite: ['name', 'tests', 'failures', 'errors'],
  testcase: ['name', 'classname'],
  failure: ['type', 'message'],
  error: ['type', 'message'],
  'system-out': [],
}

/** Whether a text is XML of those elements alone, each closed where it was opened. */
function isJunit(text: string): boolean {
  const open: string[] = []
  for (const [tag, closing, name, attributes] of text.replace(/^<\?xml [^>]*\?>/, '').matchAll(/<(\/?)([\w-]+)((?: [\w-]+="[^"<]*")*)>/g)) {
    if (closing) {
      if (open.pop() !== name) return false
      continue
    }
    const given = [...attributes!.matchAll(/ ([\w-]+)=/g)].map(([, word]) => word!)
    if (!JUNIT[name!] || given.join() !== JUNIT[name!]!.join() || tag === undefined) return false
    open.push(name!)
  }
  return open.length === 0 && !/&(?!(?:amp|lt|gt|quot|#10);)/.test(text) && !/<(?![/?]?[\w-]+[^<>]*>)/.test(text)
}

describe('reports as their readers want them', () => {
  const questions = [
    '{"id": "a & <b> \\u001b[2J", "model": "qwen3-8b", "gpu": "1xh100-sxm"}',
    '{"model": "deepseek-v3.2", "gpu": "1xrtx-4090"}',
    '{"model": "nope <x>", "gpu": "1xrtx-4090"}',
    'no JSON',
  ]

  it.each<[string, () => string[]]>([
    ['check', () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--fail-on', 'extrapolated']],
    ['check of a no', () => ['check', 'deepseek-v3.2', '--gpu', '1xrtx-4090']],
    ['plan', () => ['plan', 'qwen3-8b', '--gpu', '1xrtx-4090', '--slo-tpot-ms', '0.01']],
    ['batch', () => ['batch', file('questions.jsonl'), '--fail-on', 'no']],
  ])('%s', (_title, words) => {
    writeFileSync(file('questions.jsonl'), questions.join('\n'))
    expect(servefit([...words(), '--junit', file('report.xml'), '--sarif', file('report.sarif')]).code).toBe(1)
    expect(isJunit(read('report.xml')), read('report.xml')).toBe(true)
    expect(isJunit(read('report.xml').replace('<testcase ', '<testcase line="1" '))).toBe(false)
    const {version, runs} = JSON.parse(read('report.sarif'))
    expect(version).toBe('2.1.0')
    const rules = runs[0].tool.driver.rules.map(({id}: {id: string}) => id)
    expect(runs[0].results.length).toBeGreaterThan(0)
    for (const {ruleId, message, locations} of runs[0].results) {
      expect(rules).toContain(ruleId)
      expect(message.text).not.toContain('\u001b')
      // Code hosts refuse a report with a finding that stands nowhere.
      expect(locations).toHaveLength(1)
    }
  })
})

describe('batch in a pipeline', () => {
  it('fails on lines, names them where they stand, and goes on', () => {
    const lines = [
      '{"id": "a & <b>", "model": "qwen3-8b", "gpu": "1xh100-sxm"}',
      '',
      '{"id": "large", "model": "deepseek-v3.2", "gpu": "1xrtx-4090"}',
      '{"id": "slip", "model": "qwen3-8b", "gpux": "1xh100-sxm"}',
    ]
    writeFileSync(file('lines.jsonl'), lines.join('\n'))
    const {code, stdout} = servefit(['batch', file('lines.jsonl'), '--fail-on', 'no', '--junit', file('batch.xml'), '--sarif', file('batch.sarif')])
    expect(code).toBe(1)
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(results.map(({id, failed, error}) => [id, failed, error?.code])).toEqual([
      ['a & <b>', undefined, undefined],
      ['large', ['no'], undefined],
      ['slip', undefined, 'SCENARIO_INVALID'],
    ])
    expect(read('batch.xml')).toContain('tests="3" failures="1" errors="1"')
    expect(read('batch.xml')).toContain('<testcase name="a &amp; &lt;b&gt;"')
    const {runs} = JSON.parse(read('batch.sarif'))
    const places = runs[0].results
      .filter(({level}: {level: string}) => level === 'error')
      .map((found: {locations: {physicalLocation: {region: {startLine: number}}}[]}) => found.locations[0]!.physicalLocation.region.startLine)
    expect(new Set(places)).toEqual(new Set([3, 4]))
  })

  it('without conditions a no is an answer', () => {
    writeFileSync(file('no.jsonl'), '{"id": "large", "model": "deepseek-v3.2", "gpu": "1xrtx-4090"}\n')
    expect(servefit(['batch', file('no.jsonl'), '--junit', file('none.xml')]).code).toBe(0)
    expect(read('none.xml')).toContain('failures="0"')
  })
})

describe('plan in a pipeline', () => {
  it('reports limits that no plan keeps', () => {
    const {code} = servefit(['plan', 'qwen3-8b', '--gpu', '1xrtx-4090', '--slo-tpot-ms', '0.01', '--junit', file('plan.xml')])
    expect(code).toBe(1)
    expect(read('plan.xml')).toMatch(/<failure type="(slo-missed|no-plan)"/)
  })
})

describe('docs/ci.md', () => {
  const text = readFileSync(join(root, 'docs', 'ci.md'), 'utf8')
  const block = (language: string, at = 0) => [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))][at]![1]!

  it('its files and the commands of its workflow do what it says', () => {
    writeFileSync(file('deployments.jsonl'), block('jsonl'))
    writeFileSync(file('chat.yaml'), block('yaml', 0))
    // The package stands for what the registry would give.
    writeFileSync(
      file('npx'),
      `#!/bin/sh\n[ "$1 $2" = "--yes servefit@0" ] || exit 9\nshift 2\nexec "${process.execPath}" "${join(root, 'bin', 'run.js')}" "$@"\n`,
    )
    chmodSync(file('npx'), 0o755)
    const env = {PATH: `${folder}:${process.env.PATH}`, HOME: folder, HF_HUB_OFFLINE: '1'}
    writeFileSync(file('plan.json'), servefit(['plan', '--scenario', file('chat.yaml'), '--json']).stdout)
    const workflow = parse(block('yaml', 1)) as {jobs: {fits: {steps: {run?: string}[]}}}
    const commands = workflow.jobs.fits.steps.flatMap(({run}) => (run === undefined ? [] : [run]))
    expect(commands).toHaveLength(2)
    for (const command of commands) {
      const {status, stderr} = spawnSync('bash', ['-e', '-c', command], {cwd: folder, env, encoding: 'utf8'})
      expect(stderr).toBe('')
      expect(status, command).toBe(0)
    }
    expect(existsSync(file('servefit.xml')) && existsSync(file('servefit.sarif'))).toBe(true)
    // A card less memory, and the pipeline stops.
    writeFileSync(file('deployments.jsonl'), block('jsonl').replace('2xrtx-4090', '1xrtx-4090'))
    expect(spawnSync('bash', ['-e', '-c', commands[0]!], {cwd: folder, env}).status).toBe(1)
  })
})

describe('diff tells a change of data', () => {
  it('from one of the question', () => {
    const result = JSON.parse(servefit(['check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--json']).stdout)
    writeFileSync(file('old.json'), JSON.stringify({...result, dataVersion: '0123456789ab'}))
    writeFileSync(file('new.json'), JSON.stringify(result))
    expect(JSON.parse(servefit(['diff', file('old.json'), file('new.json'), '--json']).stdout).dataVersion).toEqual({
      before: '0123456789ab',
      after: result.dataVersion,
    })
    expect(servefit(['diff', file('old.json'), file('new.json')]).stdout).toContain('0123456789ab')
    expect(JSON.parse(servefit(['diff', file('new.json'), file('new.json'), '--json']).stdout)).not.toHaveProperty('dataVersion')
  })
})
