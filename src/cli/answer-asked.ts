import {answer} from '../planner/answer/index.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {Documents, SpelledAnswer} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'

const inEngineWords = ({command, engineFlags}: Scenario): boolean => command !== undefined || engineFlags !== undefined

/** The user's files that a command may name. */
const documents: Documents = {
  read: async (path, what) => (await import('./document.ts')).readDocument(path, what),
  parse: async (text) => (await import('./document.ts')).parseYaml(text, 'options of the engine'),
  text: async (path) => (await import('./world.ts')).readText(path, 'a command'),
}

/** The answer to a scenario; what it says in an engine's own words is read first. */
export async function answerAsked(context: Context, scenario: Scenario): Promise<SpelledAnswer> {
  if (!inEngineWords(scenario)) return {answered: await answer(context, scenario)}
  const {answerSpelled} = await import('../planner/words/index.ts')
  return answerSpelled(context, scenario, documents)
}

/** The scenario in servefit's own fields, for commands that answer more than one question. */
export async function inOwnFields<S extends Scenario>(context: Context, scenario: S): Promise<S> {
  if (!inEngineWords(scenario)) return scenario
  const {spelledOut} = await import('../planner/words/index.ts')
  return (await spelledOut(context, scenario, documents)).scenario as S
}

/** Words that begin an engine's command where `--` was forgotten. */
const PROGRAMS = new Set(['vllm', 'sglang', 'trtllm-serve', 'docker', 'podman', 'python', 'python3'])

export const beginsCommand = (word: string | undefined): boolean => word !== undefined && PROGRAMS.has(word)
