import {spawn} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {AjvJsonSchemaValidator} from '@modelcontextprotocol/sdk/validation/ajv'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {DOCUMENTS, type Documented} from '../../src/cli/documents.ts'
import {jsonSchema, SCHEMAS} from '../../src/cli/json-schema.ts'
import {NO_SETTINGS, root, servefit} from './spawn.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-documents-'))
  for (const [name, gpu] of [
    ['before', '2xrtx-4090'],
    ['after', '2xrtx-3090'],
  ])
    writeFileSync(join(folder, `${name}.json`), servefit(['check', 'qwen3-32b', '--gpu', gpu!, '--json']).stdout)
  const after = JSON.parse(readFileSync(join(folder, 'after.json'), 'utf8')) as object
  writeFileSync(join(folder, 'other-data.json'), JSON.stringify({...after, dataVersion: '0123456789ab'}))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const LOG = join(root, 'test', 'fixtures', 'verify', 'vllm-0.28.0-qwen3-32b-fp8-2-ranks.log')
const RUNS = join(root, 'examples', 'runs.jsonl')

const validators = new AjvJsonSchemaValidator()

/** Commands by the document that they print. */
const PRINTED: [Documented, () => string[]][] = [
  ['result', () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '8']],
  ['result', () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--simulate']],
  ['result', () => ['check', 'deepseek-v4-pro', '--gpu', '2xrtx-4090']],
  ['result', () => ['check', 'bge-m3', '--gpu', 'l4']],
  ['result', () => ['check', '--gpu', '2xrtx-4090', '--json', '--', 'vllm', 'serve', 'Qwen/Qwen3-32B-AWQ', '-tp', '2']],
  ['result', () => ['config', 'qwen3-32b', '--gpu', '2xrtx-4090']],
  ['plan', () => ['plan', 'gpt-oss-120b', '--gpu', '1xh100-sxm']],
  ['plan', () => ['plan', 'qwen3-32b', '--gpu', '1xrtx-3090', '--slo-ttft-ms', '10']],
  ['compare', () => ['compare', 'qwen3-8b', '--gpu', '1xrtx-4090']],
  ['capacity', () => ['capacity', '--model', 'qwen3-8b', '--users', '40', '--think-seconds', '20', '--gpu', '1xrtx-4090']],
  ['verify', () => ['verify', LOG, '--gpu', '2xh100-sxm']],
  ['verify', () => ['verify', '--bench', RUNS]],
  ['calibrate', () => ['calibrate', RUNS, '--dry-run']],
  ['diff', () => ['diff', join(folder, 'before.json'), join(folder, 'after.json')]],
  ['diff', () => ['diff', join(folder, 'before.json'), join(folder, 'other-data.json')]],
  ['upgrade', () => ['diff', '--engine-version', '0.5.18', '0.5.23', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--users', '8']],
  // A release that does not know the architecture: reasons, and formats that are refused.
  ['upgrade', () => ['diff', '--engine-version', '0.33.0', '0.11.0', 'glm-5.3', '--gpu', '8xh200-sxm']],
  ['machine', () => ['detect']],
  ['doctor', () => ['doctor']],
  ['here', () => ['here', '--gpu', '1xrtx-4090']],
  ['here', () => ['here']],
  ['models', () => ['models']],
  ['models', () => ['models', 'coding', '--fits', '--gpu', '1xrtx-4090']],
  ['model', () => ['models', 'show', 'deepseek-v3.2']],
  ['gpus', () => ['gpus']],
  ['gpus', () => ['gpus', 'rtx-4090']],
  ['machines', () => ['machines']],
  ['machines', () => ['machines', 'dgx-h200']],
  ['engines', () => ['engines']],
  ['engines', () => ['engines', 'vllm']],
  ['support', () => ['engines', 'support', 'qwen3-32b', '--gpu', '1xrtx-4090']],
  ['documents', () => ['schema']],
  ['completion', () => ['completion', 'bash']],
  ['error', () => ['check', 'qwen3-23b']],
  ['error', () => ['chek', 'qwen3-32b']],
  ['error', () => ['check', 'qwen3-32b', '--gpuu', '1xrtx-4090']],
  ['error', () => ['schema', 'scenarioo']],
]

describe('every document says its version and is as its schema says', () => {
  it.each(PRINTED)('%s', async (name, args) => {
    const words = args()
    const {stdout, stderr} = servefit(words.includes('--json') ? words : [...words, '--json'])
    const document = JSON.parse(stdout) as {schemaVersion: unknown}
    expect([1, 2], stderr).toContain(document.schemaVersion)
    const parsed = (await SCHEMAS[name]()).safeParse(document)
    expect(parsed.error?.issues ?? []).toEqual([])
    // What a schema leaves out it would drop: every field that is printed is described.
    expect(parsed.data).toEqual(document)
    // The schema as servefit schema prints it, read by a program that knows nothing of ours.
    const {$schema: _dialect, ...schema} = (await jsonSchema(name)) as Record<string, unknown>
    expect(validators.getValidator(schema)(document)).toMatchObject({valid: true})
  })

  it('web prints where it is, and serves until it is stopped', async () => {
    const env = {PATH: process.env.PATH, HOME: NO_SETTINGS}
    const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'web', '--no-detect', '--json'], {env, stdio: ['ignore', 'pipe', 'ignore']})
    const closed = new Promise((resolve) => child.once('close', resolve))
    let text = ''
    for await (const part of child.stdout) {
      text += part
      if (text.endsWith('}\n')) child.kill('SIGTERM')
    }
    expect(await closed).toBe(0)
    const document: unknown = JSON.parse(text)
    expect((await SCHEMAS.web()).parse(document)).toEqual(document)
  })

  it('has a document of each kind', () => {
    const elsewhere: Documented[] = ['scenario', 'capacity-file', 'web']
    expect(new Set([...PRINTED.map(([name]) => name), ...elsewhere])).toEqual(new Set(Object.keys(DOCUMENTS)))
  })
})

describe('servefit schema', () => {
  it('lists the documents without a name', () => {
    const {code, stdout} = servefit(['schema'])
    expect(code).toBe(0)
    for (const name of Object.keys(DOCUMENTS)) expect(stdout).toMatch(new RegExp(`^${name} `, 'm'))
  })

  it('prints each as JSON Schema', async () => {
    for (const name of Object.keys(DOCUMENTS) as Documented[]) {
      const schema = (await jsonSchema(name)) as {$schema: string}
      expect(schema.$schema, name).toBe('https://json-schema.org/draft/2020-12/schema')
    }
    expect(JSON.parse(servefit(['schema', 'plan']).stdout)).toMatchObject({type: 'object', required: expect.arrayContaining(['schemaVersion', 'plans'])})
  })
})

describe('a wrong name is answered with what is close', () => {
  it.each([
    [['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--prefer', 'qualty'], 'quality'],
    [['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--state-format', 'bf61'], 'bf16'],
    [['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--weights', 'awq-int5'], 'awq-int4'],
    [['plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--objective', 'througput'], 'throughput'],
    [['plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--fail-on', 'tigt'], 'tight'],
    [['config', 'qwen3-32b', '--gpu', '2xrtx-4090', '--format', 'kubernets'], 'kubernetes'],
    [['config', 'qwen3-32b', '--gpu', '2xrtx-4090', '--set', 'max-num-sequences=4'], '--max-num-seqs'],
    [['machines', 'dgx-h299'], 'dgx-h200'],
    [['gpus', 'rtx-4900'], 'rtx-4090'],
    [['engines', 'vlm'], 'vllm'],
    [['schema', 'scenarios'], 'scenario'],
    [['models', 'show', 'qwen3-23b'], 'qwen3-32b'],
    [['capcity', '--model', 'qwen3-8b'], 'capacity'],
    [['help', 'chekc'], 'check'],
  ])('%s', (args, meant) => {
    const {code, stdout} = servefit([...args, '--json'])
    expect(code).toBe(2)
    expect((JSON.parse(stdout) as {error: {suggestions?: string[]}}).error.suggestions).toContain(meant)
  })
})
