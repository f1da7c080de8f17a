import {InputError} from '../core/input-error.ts'
import type {Speculation, Workload} from '../core/deployment.ts'
import {ASSUMED_LOAD, assumedLoad, type Objective, type Objectives, type Scenario} from '../planner/scenario/index.ts'

/** A question as the contract has it: a scenario, in which all but the model may be left open. */
export interface Question extends Omit<Scenario, 'model' | 'workload' | 'speculative' | 'slo'> {
  /** A name, a repository or a path; absent where `command` names one. */
  model?: string
  /** What is left out is assumed: one user, prompts of 1,024 tokens and answers of 512. */
  workload?: Partial<Workload>
  /** Limits of latency; a verdict of `too-slow` breaks them. `e2eMs` is `endToEndMs` under the contract's name. */
  slo?: Objectives & {e2eMs?: number}
  /** As `mtp:1`, or in parts. */
  speculative?: string | Speculation
}

/** What `plan` is asked. */
export interface PlanQuestion extends Question {
  /** What is best; absent: throughput. */
  objective?: Objective
}

/** A question that was checked, with the load that is assumed where none was given. */
export interface AskedScenario extends Scenario {
  workload: Workload
  objective?: Objective
  slo?: Objectives
}

/**
 * Checks a question from outside and fills in what is assumed of its load. `oneUser`: a load that nobody stated is that of one person.
 * @throws InputError SCENARIO_INVALID, ARGUMENT_MISSING.
 */
export async function scenarioOf(question: unknown, {oneUser = true}: {oneUser?: boolean} = {}): Promise<AskedScenario> {
  const {checkedScenario} = await import('../planner/scenario/schema.ts')
  const {inputTokens, outputTokens} = ASSUMED_LOAD
  const checked = checkedScenario(question, 'question', {inputTokens, outputTokens})
  if (checked.model === undefined && checked.command === undefined)
    throw new InputError('ARGUMENT_MISSING', 'question: model is missing: expected a name, a repository or a path')
  const stated = (question as Question).workload ?? {}
  const given = Object.fromEntries(Object.entries(checked.workload ?? {}).filter(([name]) => stated[name as keyof Workload] !== undefined)) as Partial<Workload>
  const open = !oneUser || given.requestRate !== undefined
  return {
    ...checked,
    objective: checked.objective as Objective | undefined,
    model: checked.model ?? '',
    workload: {...assumedLoad(checked.maxModelLen, given), ...(open && {concurrency: undefined}), ...given},
  }
}
