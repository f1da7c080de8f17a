import * as fc from 'fast-check'
import {beforeAll, describe, expect, it} from 'vitest'
import type {Catalogue} from '../../src/catalogue/catalogue.ts'
import {answer, machineOf} from '../../src/planner/answer/answer.ts'
import {isYes} from '../../src/planner/answer/evaluation.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'
import {capacity} from '../../src/planner/capacity/capacity.ts'
import {compare} from '../../src/planner/compare/compare.ts'
import {plan} from '../../src/planner/plan/plan.ts'
import type {Objectives, Scenario} from '../../src/planner/scenario/scenario.ts'
import type {Context} from '../../src/planner/world/context.ts'
import {modelOf} from '../../src/planner/world/models.ts'
import {answerLine} from '../../src/cli/batch-stream.ts'
import {numbersOf, plannerContext} from './plan-context.ts'

let context: Context & {catalogue: Catalogue}
beforeAll(() => {
  context = plannerContext()
})

/** Plain, hybrid, latent, sparse and mixture models; cards with little and much room, joined well and badly, unequal ones, several nodes. */
const MODELS = [
  'qwen3-32b',
  'llama-3.1-8b',
  'gpt-oss-120b',
  'qwen3-coder-next',
  'gemma-3-27b',
  'deepseek-ai/DeepSeek-V3.2',
  'qwen3.6-35b-a3b',
  'nvidia/Qwen3-32B-NVFP4',
  'llama-3.3-70b',
  'nemotron-3-nano-30b-a3b',
]
const GPUS = ['1xrtx-4090', '2xrtx-4090', '4xrtx-3090', '1xh100-sxm', '3xh100-sxm', '8xh200-sxm', '4xl40s', '1xrtx-4090,1xrtx-3090', '8xmi300x']

const scenarios = fc.record({
  model: fc.constantFrom(...MODELS),
  gpu: fc.constantFrom(...GPUS),
  engine: fc.constantFrom('vllm', 'sglang', 'trtllm'),
  nodes: fc.constantFrom(undefined, undefined, undefined, 2),
  maxModelLen: fc.constantFrom(undefined, undefined, 8192, 32_768),
  workload: fc.oneof(
    fc.record({inputTokens: fc.constantFrom(200, 1024, 6000, 30_000), outputTokens: fc.constantFrom(100, 512), concurrency: fc.constantFrom(1, 3, 8, 40, 200)}),
    fc.record({inputTokens: fc.constantFrom(200, 1024), outputTokens: fc.constantFrom(100, 512), requestRate: fc.constantFrom(0.1, 2, 50)}),
  ),
  slo: fc.constantFrom<Objectives>({}, {}, {ttftMs: 1500}, {tpotMs: 40}, {ttftMs: 500, tpotMs: 20, endToEndMs: 30_000}),
})

/** The deployment that was chosen, as a question of its own: every setting fixed. */
function again({model, deployment}: Result, {gpu, nodes, workload, slo}: Scenario): Scenario {
  const {replaced: _replaced, reservedBytesPerGpu: _reserved, weights: _weights, ...settings} = deployment
  return {...settings, model: model.hfId, gpu, nodes, workload, slo}
}

const verdictOf = ({verdict, reasons}: Result) => ({verdict, codes: reasons.map(({code}) => code)})

/** What stands in every command's answer about one deployment. `replaced` is gone where every setting is fixed. */
function comparable(result: Result): unknown {
  const {
    deployment: {replaced: _replaced, ...deployment},
    ...numbers
  } = JSON.parse(JSON.stringify(numbersOf(result))) as Result
  return {...numbers, deployment, codes: result.reasons.map(({code}) => code)}
}

describe('one deployment, one verdict', () => {
  it('what check chose is the same to check, batch, compare, plan and capacity', {timeout: 240_000}, async () => {
    let yes = 0
    await fc.assert(
      fc.asyncProperty(scenarios, async (drawn) => {
        const scenario = drawn as Scenario
        const chosen = toResult((await answer(context, scenario)).best)
        if (chosen.verdict === 'unsupported') return
        const fixed = again(chosen, scenario)
        const checked = toResult((await answer(context, fixed)).best)
        expect(comparable(checked)).toEqual(comparable(chosen))
        const batched = (await answerLine(context, JSON.stringify(fixed))) as Result
        expect(comparable(batched)).toEqual(comparable(chosen))
        const machine = await machineOf(context, fixed)
        const {model: _model, gpu: _gpu, nodes: _nodes, workload, slo = {}, engine, ...request} = fixed
        const rows = compare(context, {models: [await modelOf(context, fixed.model)], machines: [machine], engine, request, workload: workload!, slo})
        expect(comparable(rows[0]!.result)).toEqual(comparable(chosen))
        const planned = await plan(context, {scenario: {...fixed, workload: workload!}, machine, objectives: slo, objective: 'throughput'})
        const [first] = planned.report().plans
        if (chosen.verdict === 'does-not-fit') {
          expect(first).toBeUndefined()
          expect(planned.refusals.map(({code}) => code)).toEqual(expect.arrayContaining(chosen.reasons.map(({code}) => code)))
          return
        }
        expect(comparable(first!)).toEqual(comparable(chosen))
        expect(planned.met).toBe(isYes(chosen))
        // What a machine is said to carry, check says yes to; and it is said to carry at least what check said yes to.
        if (typeof workload!.concurrency !== 'number') return
        const {report} = await capacity(context, {
          demands: [
            {
              model: fixed.model,
              engine,
              request: {...request, engine} as never,
              inputTokens: workload!.inputTokens,
              outputTokens: workload!.outputTokens,
              users: workload!.concurrency,
              slo,
            },
          ],
          kinds: [{name: 'one', machine}],
          months: [0],
          spare: 0,
          maxUtilisation: 0.85,
        })
        const [option] = report.options
        const waits = chosen.warnings.some(({code}) => code === 'concurrency-exceeds-cache')
        if (isYes(chosen) && !waits) {
          yes += 1
          expect(option!.feasible, JSON.stringify(option!.problems)).toBe(true)
          expect(option!.periods[0]!.needed).toBe(1)
        }
        for (const {result} of option!.placements)
          expect(verdictOf(toResult((await answer(context, again(result, {...fixed, workload: result.workload}))).best))).toEqual(verdictOf(result))
      }),
      {numRuns: 200, seed: Number(process.env.SEED ?? 12)},
    )
    expect(yes).toBeGreaterThan(20)
  })
})
