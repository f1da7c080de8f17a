import {describe, expect, it} from 'vitest'
import {answerLine} from '../../src/cli/batch-stream.ts'
import {BoundedMap} from '../../src/core/bounded-map.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import {plan} from '../../src/planner/plan/plan.ts'
import {ScenarioLineSchema} from '../../src/planner/scenario/fields.ts'
import {checkedLine} from '../../src/planner/scenario/line.ts'
import {plannerContext} from './plan-context.ts'

/** As `batch` has it: what names and lists of cards stand for is remembered too. */
const remembering = () => ({...plannerContext(), listed: new BoundedMap<string, never>(10), named: new BoundedMap<string, never>(10)})

/** Where a deployment is cut to its room, the sequences of the load count; where requests are long, their lengths; beside both the settings that were asked for. */
const STARTS = [
  {model: 'qwen3.6-35b-a3b', gpu: '2xrtx-3090'},
  {model: 'qwen3-32b', gpu: '1xrtx-4090'},
  {model: 'deepseek-v3.2', gpu: '4xb200-sxm'},
  {model: 'gpt-oss-120b', gpu: '1xgb10', engine: 'sglang'},
  {model: 'llama-3.1-8b', gpu: '2xrtx-4090,1xrtx-3090'},
  {model: 'qwen3-32b', machine: 'dgx-h200', engine: 'trtllm', tp: 8},
]
const OTHERWISE = [
  {maxModelLen: 16_384},
  {maxNumSeqs: 48},
  {kvCache: 'fp8'},
  {gpuMemoryUtilization: 0.8},
  {nodes: 2},
  {enforceEager: true},
  {prefer: 'context'},
]
const LOADS = [
  undefined,
  {inputTokens: 1024, outputTokens: 256, concurrency: 1},
  {inputTokens: 1024, outputTokens: 256, concurrency: 40},
  {inputTokens: 1024, outputTokens: 256, concurrency: 64},
  {inputTokens: 20_000, outputTokens: 1000, concurrency: 2},
  {inputTokens: 300_000, outputTokens: 1000},
  {inputTokens: 1024, outputTokens: 256, concurrency: 'max'},
  {inputTokens: 1024, outputTokens: 256, requestRate: 3},
]
const questions: object[] = STARTS.flatMap((start, row) => [
  ...LOADS.map((workload) => ({...start, workload})),
  ...OTHERWISE.map((more, column) => ({...start, ...more, workload: LOADS[(row + column) % LOADS.length]})),
])

describe('what is remembered of one question', () => {
  it('changes nothing in the answer to another, whichever comes first', async () => {
    const [forwards, backwards] = [remembering(), remembering()]
    const told = new Map<object, string>()
    for (const question of questions) told.set(question, JSON.stringify(await answerLine(forwards, JSON.stringify(question))))
    for (const question of questions.toReversed()) {
      const line = JSON.stringify(question)
      expect(JSON.stringify(await answerLine(backwards, line)), line).toBe(told.get(question))
    }
    // A catalogue of its own for each: nothing is known of it but by this question.
    for (const question of questions.filter((_, index) => index % 3 === 0)) {
      const line = JSON.stringify(question)
      expect(JSON.stringify(await answerLine(plannerContext(), line)), line).toBe(told.get(question))
    }
  })

  it('is not what a caller is given: a result that is changed changes no later one', async () => {
    const context = remembering()
    const ask = async () => toResult((await answer(context, {model: 'qwen3-32b', gpu: '1xrtx-4090', weights: 'awq-int4'})).best)
    const first = await ask()
    const before = JSON.stringify(first)
    first.memory.perGpu.totalBytes = 1
    first.memory.interval!.kvCacheTokens.low = -1
    first.memory.terms[0]!.bytes = 1
    first.memory.terms.pop()
    first.deployment.replaced![0]!.value = 1
    first.deployment.maxNumSeqs = 1
    first.reasons.push({code: 'made-up', message: 'made up'})
    expect(JSON.stringify(await ask())).toBe(before)
  })
})

describe('a deployment that is made ready once', () => {
  it('finds nothing in a prefix cache that is off, in plan as in check', async () => {
    const context = remembering()
    const workload = {inputTokens: 4000, outputTokens: 200, concurrency: 8, prefixHitRate: 0.9}
    const scenario = {model: 'qwen3-8b', gpu: '1xh100-sxm', engine: 'vllm', prefixCaching: false, workload}
    const {machine, best} = await answer(context, scenario)
    const {plans} = (await plan(context, {scenario, machine, objectives: {}, objective: 'throughput'})).report()
    const same = plans.find(({model, deployment}) => model.hfId === best.checkpoint.hfId && deployment.kvCache === best.deployment.kvCache)
    expect(same?.performance?.ttftMs).toEqual(best.performance?.ttftMs)
  })
})

describe('a line is checked by the fields that it gives', () => {
  const LINES: unknown[] = [
    ...questions,
    {model: 'a', gpu: 'b', speculative: 'mtp:2', slo: {ttftMs: 5, endToEndMs: 9, percentile: '95%'}, acceptance: '50%'},
    {command: ['vllm', 'serve', 'a'], gpu: 'b'},
    {model: 'a', bogus: 1},
    {model: 'a', tp: 'two', workload: {inputTokens: 0}},
    {model: 'a', workload: {inputTokens: 1, outputTokens: 1, concurrency: 1, requestRate: 1}},
    {model: '', gpu: 'b'},
    {gpu: 'b'},
    JSON.parse('{"model": "a", "__proto__": {"tp": 2}}'),
    {model: 'a', toString: 1},
    [],
    null,
    'a',
  ]
  it.each(LINES.map((line) => [line]))('%j as by the whole schema', (line) => {
    const whole = ScenarioLineSchema.safeParse(line, {reportInput: true})
    const checked = checkedLine(line)
    expect(checked.success).toBe(whole.success)
    expect(JSON.stringify(checked.data)).toBe(JSON.stringify(whole.data))
    expect(checked.error?.issues).toEqual(whole.error?.issues)
  })
})
