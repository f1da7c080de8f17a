import {describe, expect, it} from 'vitest'
import {answerLine} from '../../src/cli/batch-stream.ts'
import type {Result} from '../../src/planner/answer/index.ts'
import type {CommandReport} from '../../src/planner/words/index.ts'
import {checkedScenario} from '../../src/planner/scenario/schema.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const base = {model: 'qwen3-8b', gpu: '1xh100-sxm'}
const workload = {inputTokens: 10, outputTokens: 10}

const CASES: [Record<string, unknown>, string, string][] = [
  [{...base, workload: {...workload, concurency: 32}}, 'workload.concurency', 'concurrency'],
  [{...base, users: 3}, 'users', 'workload.concurrency'],
  [{...base, input: 3}, 'input', 'workload.inputTokens'],
  [{...base, max_model_len: 4096}, 'max_model_len', 'maxModelLen'],
  [{...base, maxModelLenght: 4096}, 'maxModelLenght', 'maxModelLen'],
  [{...base, tensorParallelSize: 2}, 'tensorParallelSize', 'tp'],
  [{...base, slo: {ttftMS: 5}}, 'slo.ttftMS', 'ttftMs'],
  [{...base, graphs: {size: [1]}}, 'graphs.size', 'sizes'],
  [{...base, lora: {count: 1, maxRank: 8, rank: 1}}, 'lora.rank', 'maxRank'],
  [{...base, speculative: {method: 'mtp', token: 1}}, 'speculative.token', 'tokens'],
  [{...base, ttftMs: 100}, 'ttftMs', 'slo.ttftMs'],
]

describe('an unknown key is an error that names the key and the close one', () => {
  it.each(CASES)('%j', async (scenario, key, meant) => {
    const line = await answerLine(context, JSON.stringify(scenario))
    expect(line).toHaveProperty('error')
    const {error} = line as {error: {code: string; message: string; suggestions?: string[]}}
    expect(error.code).toBe('SCENARIO_INVALID')
    expect(error.message).toContain(`${key}: unknown; did you mean ${meant}?`)
    expect(error.suggestions).toContain(meant)
    expect(() => checkedScenario(scenario, 'a.yaml', workload)).toThrow(`${key}: unknown; did you mean ${meant}?`)
  })

  it('but a draft may be called the model of the speculation, as vLLM calls it', () => {
    const {speculative} = checkedScenario({...base, speculative: {method: 'eagle3', tokens: 3, model: 'org/draft'}}, 'a.yaml', workload)
    expect(speculative).toEqual({method: 'eagle3', tokens: 3, draft: 'org/draft'})
  })

  it('and long foreign names are cut', async () => {
    const {error} = (await answerLine(context, JSON.stringify({...base, ['x'.repeat(5000)]: 1}))) as {error: {message: string}}
    expect(error.message.length).toBeLessThan(200)
    for (const field of ['engine', 'weights', 'kvCache', 'stateFormat']) {
      const long = (await answerLine(context, JSON.stringify({...base, [field]: 'y'.repeat(50_000)}))) as {error: {message: string}}
      expect(long.error.message.length, field).toBeLessThan(1000)
    }
  })
})

describe('options that are passed on', () => {
  const asked = async (engineFlags: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    answerLine(context, JSON.stringify({...base, ...more, engineFlags}))

  it('are named as not counted, and change no number', async () => {
    const [plain, passed] = [await answerLine(context, JSON.stringify(base)), await asked({'--seed': 7, '--async-scheduling': true})]
    expect((passed as {warnings: {code: string; message: string}[]}).warnings.find(({code}) => code === 'not-counted')!.message).toContain(
      '--seed, --async-scheduling',
    )
    expect((passed as {memory: unknown}).memory).toEqual((plain as {memory: unknown}).memory)
  })

  it.each([
    [{'--sed': 1}, {}, 'ENGINE_FLAG_UNKNOWN', '--seed'],
    [{'--seed': 'x'}, {}, 'ENGINE_FLAG_ILLEGAL', undefined],
    [{'--max-model-len': 5}, {}, 'ENGINE_FLAG_COUNTED', 'maxModelLen'],
    [{'--context-length': 5}, {engine: 'sglang'}, 'ENGINE_FLAG_COUNTED', 'maxModelLen'],
    [{'--kv-cache-metrics': true}, {engineVersion: '0.11.0'}, 'ENGINE_FLAG_UNKNOWN', undefined],
  ])('%j is an error', async (flags, more, code, meant) => {
    const {error} = (await asked(flags, more)) as {error: {code: string; suggestions?: string[]}}
    expect(error.code).toBe(code)
    if (meant !== undefined) expect(error.suggestions).toContain(meant)
  })
})

/** A line's answer or its error: a test looks at the one that it expects. */
type Answered = Result & {command: CommandReport; error: {code: string; suggestions?: string[]}}

describe('a command in a scenario', () => {
  const line = async (scenario: Record<string, unknown>) => (await answerLine(context, JSON.stringify({gpu: '2xh100-sxm', ...scenario}))) as unknown as Answered

  it('is read, and what stands beside it wins and is said to', async () => {
    const result = await line({
      command: ['vllm', 'serve', 'Qwen/Qwen3-32B', '-tp', '2', '--max-model-len', '8192'],
      maxModelLen: 4096,
      workload: {...workload, concurrency: 2},
    })
    expect(result.deployment).toMatchObject({tp: 2, maxModelLen: 4096})
    expect(result.command.replaced).toEqual([{field: 'maxModelLen', command: 8192, given: 4096}])
    expect(result.command.prints[0]).toBe(`GPU KV cache size: ${String(result.memory.kvCacheTokens).replaceAll(/\B(?=(\d{3})+$)/g, ',')} tokens`)
  })

  it('leaves to the engine what it does not say: one GPU, the whole context', async () => {
    const {deployment, verdict} = await line({command: ['vllm', 'serve', 'Qwen/Qwen3-8B']})
    expect({...deployment, verdict}).toMatchObject({tp: 1, pp: 1, dp: 1, maxModelLen: 40_960, verdict: 'fits'})
  })

  it('says no where the engine does not start with the whole context', async () => {
    const {verdict, reasons} = await line({gpu: '1xrtx-4090', command: ['vllm', 'serve', 'Qwen/Qwen3-8B']})
    expect(verdict).toBe('does-not-fit')
    expect(reasons[0]!.message).toContain('40,960 are needed')
  })

  it('says no to a context beyond the model that nothing stretches', async () => {
    const command = ['vllm', 'serve', 'Qwen/Qwen3-8B', '--max-model-len', '65536']
    expect((await line({command})).reasons[0]!.code).toBe('context-exceeds-model')
    const stretched = [
      ...command,
      '--hf-overrides',
      '{"rope_parameters": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32768, "rope_theta": 1000000}}',
    ]
    expect((await line({command: stretched})).verdict).toBe('fits')
  })

  it('finds the longest context where the engine is told to', async () => {
    const {deployment, memory} = await line({gpu: '1xrtx-4090', command: ['vllm', 'serve', 'Qwen/Qwen3-8B', '--max-model-len', 'auto']})
    expect(deployment.maxModelLen).toBe(memory.largestMaxModelLen)
    expect(deployment.maxModelLen).toBeLessThan(40_960)
  })

  it('is an error where the engine would refuse it, names another engine, or names no model', async () => {
    expect((await line({command: ['vllm', 'serve', 'Qwen/Qwen3-8B', '-tp', '2', '--max-model-lenn', '5']})).error).toMatchObject({
      code: 'COMMAND_REFUSED',
      suggestions: ['--max-model-len'],
    })
    expect((await line({engine: 'sglang', command: ['vllm', 'serve', 'Qwen/Qwen3-8B']})).error.code).toBe('COMMAND_ENGINE')
    expect((await line({command: ['sglang', 'serve', '--tp-size', '2']})).error.code).toBe('ARGUMENT_MISSING')
    expect((await line({command: ['ls', '-l']})).error.code).toBe('COMMAND_ENGINE_UNKNOWN')
  })

  it('quantises only what is not quantised', async () => {
    const command = (model: string) => ['vllm', 'serve', model, '--quantization', 'fp8', '--max-model-len', '8192']
    expect((await line({command: command('Qwen/Qwen3-32B')})).deployment.weights).toBe('fp8')
    const quantised = await line({command: command('Qwen/Qwen3-32B-AWQ')})
    expect(quantised.deployment.weights).toBe('awq-int4')
    expect(quantised.command.flags[0]).toMatchObject({effect: 'ignored-here'})
  })
})
