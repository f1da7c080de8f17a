import type {Catalogue} from '../catalogue/catalogue.ts'
import type {Result} from '../planner/answer/index.ts'
import {type Simulation, simulationOf, toResult} from '../planner/answer/index.ts'
import type {CommandReport, Documents, SpelledAnswer} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'
import type {AskedScenario} from './question.ts'
import {answerAsked} from './answer-asked.ts'
import {stamped} from './stamp.ts'

/** What `check --json` prints. */
export interface CheckResult extends Result {
  /** Hash of the data that was answered from. */
  dataVersion: string
  /** What the averages hide, where it was asked for. */
  simulation?: Simulation
  /** What became of the engine's own command, where one was given. */
  command?: CommandReport
}

export interface CheckOptions {
  /** Percentiles from the serving simulator beside the means; with the seed of its random numbers. */
  simulate?: boolean | {seed: number}
}

/** The document of an answer. */
export const checkResult = (catalogue: Catalogue, {answered, command}: SpelledAnswer, simulation?: Simulation): CheckResult => ({
  ...stamped(catalogue, toResult(answered.best)),
  ...(simulation && {simulation}),
  ...(command && {command}),
})

/** Whether it fits, with which context and how many users, and how fast it is. */
export async function check(context: Context, scenario: AskedScenario, documents: Documents, {simulate = false}: CheckOptions = {}): Promise<CheckResult> {
  const {objective: _objective, ...asked} = scenario
  const spelled = await answerAsked(context, asked, documents)
  const {best} = spelled.answered
  const seed = typeof simulate === 'object' ? simulate.seed : undefined
  const simulation = simulate !== false && best.performance ? simulationOf(best, context.catalogue.speedCalibration, seed) : undefined
  return checkResult(context.catalogue, spelled, simulation)
}
