import {join} from 'node:path'
import {Client} from '@modelcontextprotocol/sdk/client/index.js'
import {StdioClientTransport} from '@modelcontextprotocol/sdk/client/stdio.js'
import {AjvJsonSchemaValidator} from '@modelcontextprotocol/sdk/validation/ajv'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {root, servefit} from './commands/spawn.ts'

/** The client of the SDK: it holds each result against the schema that the tool was listed with. */
const client = new Client({name: 'test', version: '1.0.0'})
const LOG = join(root, 'test', 'fixtures', 'verify', 'vllm-0.11.1-qwen3-8b-rtx-4090.log')

/** Whatever a document holds. */
interface Loose {
  [name: string]: Loose
}

interface Called {
  isError?: boolean
  content: {type: string; text: string}[]
  structuredContent?: Loose
}
const call = async (name: string, args: Record<string, unknown> = {}) => (await client.callTool({name, arguments: args})) as unknown as Called
const json = (...args: string[]) => JSON.parse(servefit([...args, '--json']).stdout)

const validators = new AjvJsonSchemaValidator()

/** A question for each tool. */
const ASKED: [string, Record<string, unknown>][] = [
  ['check', {model: 'qwen3-32b', gpu: '2xrtx-4090', workload: {concurrency: 8}, simulate: true}],
  ['plan', {model: 'qwen3-8b', gpu: '1xrtx-4090', slo: {tpotMs: 50}, objective: 'latency', most: 1}],
  ['compare', {model: 'qwen3-8b', gpu: '1xrtx-4090'}],
  ['config', {model: 'qwen3-8b', gpu: '1xrtx-4090', format: 'docker', replicas: 1}],
  [
    'capacity',
    {models: [{model: 'qwen3-8b', users: 20, thinkSeconds: 10}], machines: [{gpu: '1xrtx-4090', price: '0.5/h'}], months: [0, 12], growth: '5%/month'},
  ],
  ['verify', {files: [LOG], gpu: '1xrtx-4090'}],
  ['upgrade', {model: 'qwen3-8b', gpu: '1xrtx-4090', engine: 'sglang', from: '0.5.18', to: '0.5.23'}],
  ['models', {fits: true, gpu: '1xrtx-4090', words: ['coding'], workload: {concurrency: 4}, limit: 1}],
  ['model', {name: 'qwen3-32b'}],
  ['gpus', {name: 'rtx-4090'}],
  ['machines', {name: 'dgx'}],
  ['detect', {}],
]

/** The examples of a schema, each as the field that it is of. */
const examplesOf = ({properties = {}}: {properties?: Record<string, unknown>}) =>
  Object.entries(properties as Record<string, {examples?: unknown[]}>).flatMap(([name, {examples = []}]) => examples.map((example) => ({[name]: example})))

beforeAll(async () => {
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [join(root, 'bin', 'run.js'), 'mcp', '--offline'],
      env: {PATH: process.env.PATH!, HOME: join(root, 'test'), XDG_CONFIG_HOME: join(root, 'test', 'no-settings')},
    }),
  )
})
afterAll(() => client.close())

describe('servefit mcp', () => {
  it('says what it is and lists its tools, each with what it takes', async () => {
    expect(client.getServerVersion()).toMatchObject({name: 'servefit'})
    const {tools} = await client.listTools()
    const names = tools.map(({name}) => name)
    expect(names).toEqual(ASKED.map(([name]) => name))
    for (const {name, inputSchema, outputSchema, description = '', annotations} of tools) {
      expect(inputSchema.type, name).toBe('object')
      expect(outputSchema?.type, name).toBe('object')
      expect(description.length, name).toBeGreaterThan(40)
      expect(annotations?.readOnlyHint, name).toBe(true)
    }
  })

  it('says of every field what it is, and of those that most questions need what they may hold', async () => {
    const {tools} = await client.listTools()
    // A model reads this with every question: at about four letters a token, 20,000 tokens for all tools are too many.
    expect(JSON.stringify(tools.map(({name, description, inputSchema}) => ({name, description, inputSchema}))).length).toBeLessThan(65_000)
    for (const {name, inputSchema} of tools)
      for (const [field, schema] of Object.entries((inputSchema.properties ?? {}) as Record<string, {description?: string}>))
        if (field !== 'description') expect(schema.description ?? '', `${name}: ${field}`).not.toBe('')
    const fields = tools.find(({name}) => name === 'check')!.inputSchema.properties as Record<string, {examples?: unknown[]}>
    for (const field of ['model', 'gpu', 'machine', 'workload', 'slo', 'command']) expect(fields[field]!.examples?.length, field).toBeGreaterThan(0)
  })

  it.each(ASKED)('%s takes what it says and answers as its schema says', async (name, args) => {
    const {tools} = await client.listTools()
    const {inputSchema, outputSchema} = tools.find((tool) => tool.name === name)!
    const takes = validators.getValidator(inputSchema)
    expect(takes(args)).toMatchObject({valid: true})
    for (const example of examplesOf(inputSchema)) expect(takes({...args, ...example}), JSON.stringify(example)).toMatchObject({valid: true})
    // The client refuses a result that is not as the schema says; so that this cannot pass unseen, a document of another kind is held against it too.
    const {structuredContent, isError} = await call(name, args)
    expect(isError).toBeUndefined()
    // A machine is as it is, whatever the data.
    if (name !== 'detect') expect(structuredContent).toMatchObject({dataVersion: expect.stringMatching(/^[0-9a-f]{12}$/)})
    const gives = validators.getValidator(outputSchema!)
    expect(gives(structuredContent)).toMatchObject({valid: true})
    for (const other of [{}, {schemaVersion: 2}, {...structuredContent, schemaVersion: 'two'}]) expect(gives(other)).toMatchObject({valid: false})
  })

  it('check answers as the command does, without the terms; explain adds them', async () => {
    const asked = {model: 'qwen3-32b', gpu: '2xrtx-4090', workload: {concurrency: 8}}
    const printed = json('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '8')
    const short = await call('check', asked)
    const bare = {...printed, memory: {...printed.memory, terms: []}, performance: {...printed.performance, breakdown: []}}
    expect(short.structuredContent).toEqual(bare)
    expect(JSON.parse(short.content[0]!.text)).toEqual(bare)
    expect((await call('check', {...asked, explain: true})).structuredContent).toEqual(printed)
  })

  it('a verdict of no is an answer', async () => {
    const {isError, structuredContent} = await call('check', {model: 'deepseek-ai/DeepSeek-V4-Pro', gpu: '2xrtx-5090'})
    expect(isError).toBeUndefined()
    expect(structuredContent!.verdict).toBe('does-not-fit')
  })

  it('plan lists as many as were asked for', async () => {
    const {structuredContent} = await call('plan', {model: 'qwen3-8b', gpu: '1xrtx-4090', most: 2})
    expect(structuredContent!.plans).toHaveLength(2)
    expect(structuredContent!.met).toBe(true)
  })

  it('config gives files and reasons', async () => {
    const {structuredContent} = await call('config', {model: 'qwen3-8b', gpu: '1xrtx-4090', format: 'compose', set: ['seed=7']})
    expect(structuredContent?.artifact?.files?.[0]?.name).toMatch(/compose/)
    expect(structuredContent?.artifact?.files?.[0]?.text).toContain('--seed')
    expect(structuredContent?.artifact?.options).toContainEqual({option: '--seed 7', because: expect.any(String)})
  })

  it('compare, capacity, models, model, gpus, machines', async () => {
    expect((await call('compare', {models: ['qwen3-8b'], gpus: ['1xrtx-4090', '1xh100-sxm']})).structuredContent?.rows?.length).toBeGreaterThan(3)
    const fleet = {model: 'qwen3-8b', users: 20, machines: ['1xrtx-4090']}
    expect((await call('capacity', fleet)).structuredContent).toMatchObject({feasible: true, demands: [{amount: 20}]})
    expect((await call('models', {fits: true, gpu: '1xrtx-4090', limit: 2})).structuredContent!.models).toHaveLength(2)
    expect((await call('models', {words: ['qwen3']})).structuredContent?.models?.length).toBeLessThanOrEqual(20)
    expect((await call('model', {name: 'qwen3-32b'})).structuredContent).toEqual(json('models', 'show', 'qwen3-32b'))
    expect((await call('gpus', {name: 'rtx-4090'})).structuredContent).toEqual(json('gpus', 'rtx-4090'))
    expect((await call('machines', {name: 'dgx-h200'})).structuredContent).toEqual(json('machines', 'dgx-h200'))
  })

  it('verify reads logs by their paths', async () => {
    const {structuredContent} = await call('verify', {files: [LOG], gpu: '1xrtx-4090'})
    expect(structuredContent!.log).toMatchObject({engine: 'vllm', outcome: {reported: 'started'}})
    expect((await call('verify', {files: ['-']})).content[0]!.text).toContain('carries the protocol')
  })

  it('upgrade answers as diff --engine-version does', async () => {
    const {structuredContent} = await call('upgrade', {model: 'qwen3-8b', gpu: '1xrtx-4090', engine: 'sglang', from: '0.5.18', to: '0.5.23', explain: true})
    expect(structuredContent).toEqual(json('diff', '--engine-version', '0.5.18', '0.5.23', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang'))
    expect((await call('upgrade', {model: 'qwen3-8b', gpu: '1xrtx-4090', from: '0.5.18'})).content[0]!.text).toContain('to: missing')
  })

  it('detect says what is here', async () => {
    expect((await call('detect')).structuredContent).toMatchObject({gpus: expect.any(Array), problems: expect.any(Array)})
  })
})

describe('what cannot be answered', () => {
  it('is a result that says so, with what was meant', async () => {
    const {isError, content, structuredContent} = await call('check', {model: 'qwen3-33b', gpu: '2xrtx-4090'})
    expect(isError).toBe(true)
    expect(structuredContent).toBeUndefined()
    expect(content[0]!.text).toContain('No model named "qwen3-33b"')
    expect(content[0]!.text).toContain('qwen3-32b')
  })

  it('a field that is not there is named with the one that is', async () => {
    const {isError, content} = await call('check', {model: 'qwen3-32b', gpus: '2xrtx-4090'})
    expect(isError).toBe(true)
    expect(content[0]!.text).toContain('did you mean gpu?')
  })

  it('what no question can hold is said, not taken for a defect', async () => {
    const asked = {model: 'qwen3-8b', gpu: '1xrtx-4090'}
    const wrong: [string, Record<string, unknown>, string][] = [
      ['check', {...asked, simulate: 'yes'}, 'options: simulate'],
      ['plan', {...asked, most: 'all'}, 'most: expected a whole number'],
      ['compare', {models: 'qwen3-8b'}, 'models: expected a list'],
      ['config', {...asked, set: 'seed=7'}, 'set: expected a list'],
      ['capacity', {model: 'qwen3-8b', users: 'many'}, 'users'],
      ['verify', {logs: [5]}, 'No line of vLLM'],
      ['upgrade', asked, 'from: missing'],
      ['models', {words: 'coding'}, 'words: expected a list'],
      ['model', {}, 'name: missing'],
      ['gpus', {name: 4090}, 'name: expected text'],
      ['machines', {name: ['dgx']}, 'name: expected text'],
    ]
    for (const [name, args, told] of wrong) {
      const {isError, content} = await call(name, args)
      expect(isError, name).toBe(true)
      expect(content[0]!.text, name).not.toContain('bug in servefit')
      expect(content[0]!.text, name).toContain(told)
    }
  })

  it('a tool that is not there is an error of the protocol', async () => {
    await expect(call('chekc')).rejects.toThrow('No tool "chekc"')
  })
})
