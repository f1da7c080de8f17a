import type {Catalogue} from '../catalogue/catalogue.ts'
import {machineOf} from '../planner/answer/index.ts'
import {plan as search, type Plan, type PlanAsked, type PlanReport} from '../planner/plan/index.ts'
import type {Documents} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import {inOwnFields} from './answer-asked.ts'
import type {AskedScenario} from './question.ts'
import {stamped} from './stamp.ts'

/** Everything that a search needs, from a question. */
export async function planAsked(context: Context, asked: AskedScenario, documents: Documents): Promise<PlanAsked> {
  const {objective = 'throughput', slo: objectives = {}, ...scenario} = await inOwnFields(context, asked, documents)
  return {scenario, machine: await machineOf(context, scenario), objectives, objective}
}

/** What `plan --json` prints. */
export const planReport = (catalogue: Catalogue, planned: Plan): PlanReport & {dataVersion: string} => stamped(catalogue, planned.report())

/** The best engine, checkpoint, layout and load within the limits. */
export async function plan(context: Context, asked: AskedScenario, documents: Documents): Promise<PlanReport & {dataVersion: string}> {
  return planReport(context.catalogue, await search(context, await planAsked(context, asked, documents)))
}
