import {join} from 'node:path'
import * as fc from 'fast-check'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import type {Context} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import type {Objective, Objectives, Preference, Scenario} from '../../src/planner/scenario/scenario.ts'
import {plan, planQuestion} from '../../src/planner/plan/plan.ts'
import {type Result, toResult} from '../../src/planner/answer/result.ts'

/** The compiled catalogue, and no world beside it. */
export function plannerContext(): Context & {catalogue: Catalogue} {
  const refuse = () => Promise.reject(new Error('not here'))
  return {
    catalogue: openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data')),
    engines: new Map(),
    detect: refuse,
    readMachine: refuse,
    readModel: refuse,
  }
}

export interface PlanCase {
  model: string
  gpu: string
  inputTokens: number
  outputTokens: number
  concurrency?: number
  requestRate?: number
  objectives?: Objectives
  objective?: Objective
  engine?: string
  prefer?: Preference
}

function asked(
  context: Context,
  {model, gpu, inputTokens, outputTokens, concurrency, requestRate, objectives = {}, objective = 'throughput', engine, prefer}: PlanCase,
) {
  const workload = {inputTokens, outputTokens, concurrency, requestRate}
  return {scenario: {model, engine, ...(prefer && {prefer}), workload}, machine: machineFromSpec(context.catalogue, gpu), objectives, objective}
}

export const planned = (context: Context, question: PlanCase) => plan(context, asked(context, question))
export const questionOf = (context: Context, question: PlanCase) => planQuestion(context, asked(context, question))

/** What `check` says of a result's deployment on this machine. */
export async function checked(context: Context, {model, deployment, workload}: Result, gpu: string, slo?: Objectives): Promise<Result> {
  const {engine, engineVersion, kvCache, tp, pp, dp, ep, dpAttention, maxModelLen} = deployment
  const scenario: Scenario = {model: model.hfId, gpu, engine, engineVersion, kvCache, tp, pp, dp, ep, dpAttention, maxModelLen, workload, slo}
  return toResult((await answer(context, scenario)).best)
}

/** The numbers of a result; what is said around them may differ. */
export const numbersOf = ({deployment, memory, performance, verdict, hardware}: Result) =>
  JSON.parse(JSON.stringify({deployment, memory, performance, verdict, hardware})) as unknown

/** Models and machines with different attention, experts, formats and links. */
export const questions = fc.record({
  model: fc.constantFrom('qwen3-32b', 'llama-3.1-8b', 'gpt-oss-120b', 'deepseek-ai/DeepSeek-V3.2', 'qwen3-235b-a22b'),
  gpu: fc.constantFrom('1xh100-sxm', '2xrtx-4090', '8xh200-sxm', '4xb200-sxm', '4xl40s'),
  inputTokens: fc.constantFrom(200, 1024, 6000),
  outputTokens: fc.constantFrom(100, 512, 2000),
})
