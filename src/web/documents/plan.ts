import type {Catalogue} from '../../catalogue/catalogue.ts'
import {planReport} from '../../library/plan.ts'
import type {Plan, PlanAsked, PlanPoint} from '../../planner/plan/index.ts'
import type {Objective, Objectives} from '../../planner/scenario/index.ts'
import {limitsInWords, planWords} from '../../render/plan.ts'
import {machineTitle} from '../../render/hardware.ts'
import {count} from '../../render/numbers.ts'
import {harmless} from '../../render/style.ts'

/** A plan as it is shown. */
export interface PlanDocument {
  kind: 'plan'
  title: string
  /** What `plan --json` prints. */
  report: ReturnType<typeof planReport>
  limits: string
  headline: string
  sentences: string[]
  /** The listed plans as points of the front's figure. */
  points: {perUser: number; perGpu: number}[]
  command: string
}

/** How it was asked. */
export interface PlanAskedSo {
  title: string
  objectives: Objectives
  objective: Objective
  words: string
}

/** Qwen3 32B on 2 x RTX 4090, prompts of 1,024 and answers of 512 tokens */
export function planTitle({model}: Pick<Plan, 'model'>, {machine, scenario: {workload}}: Pick<PlanAsked, 'machine' | 'scenario'>): string {
  return `${harmless(model.name)} on ${machineTitle(machine)}, prompts of ${count(workload.inputTokens)} and answers of ${count(workload.outputTokens)} tokens`
}

/** What was planned, as a document. */
export function planDocument(catalogue: Catalogue, planned: Plan, {title, objectives, objective, words}: PlanAskedSo): PlanDocument {
  const report = planReport(catalogue, planned)
  return {
    kind: 'plan',
    title,
    report,
    limits: limitsInWords(objectives),
    ...planWords({...planned, objectives, objective}),
    points: planned.ranking.slice(0, report.plans.length).map(pointOf),
    command: `servefit plan ${words}`,
  }
}

const pointOf = ({performance: {tpotMs, outputTokensPerSecondPerGpu}}: PlanPoint): {perUser: number; perGpu: number} => ({
  perUser: 1000 / tpotMs.estimate,
  perGpu: outputTokensPerSecondPerGpu,
})
