import {answer} from '../planner/answer/index.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {Documents, SpelledAnswer} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'

const inEngineWords = ({command, engineFlags}: Scenario): boolean => command !== undefined || engineFlags !== undefined

/** The answer to a scenario; what it says in an engine's own words is read first. `documents`: the files that a command may name. */
export async function answerAsked(context: Context, scenario: Scenario, documents: Documents): Promise<SpelledAnswer> {
  if (!inEngineWords(scenario)) return {answered: await answer(context, scenario)}
  const {answerSpelled} = await import('../planner/words/index.ts')
  return answerSpelled(context, scenario, documents)
}

/** The scenario in servefit's own fields, for what answers more than one question. */
export async function inOwnFields<S extends Scenario>(context: Context, scenario: S, documents: Documents): Promise<S> {
  if (!inEngineWords(scenario)) return scenario
  const {spelledOut} = await import('../planner/words/index.ts')
  return (await spelledOut(context, scenario, documents)).scenario as S
}
