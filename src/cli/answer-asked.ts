import {answerAsked as answerWith} from '../library/answer-asked.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {Documents, SpelledAnswer} from '../planner/words/index.ts'
import type {Context} from '../planner/world/index.ts'

/** The user's files that a command may name. */
export const documents: Documents = {
  read: async (path, what) => (await import('./document.ts')).readDocument(path, what),
  parse: async (text) => (await import('../import/yaml-text.ts')).parseYaml(text, 'options of the engine'),
  text: async (path) => (await import('./world.ts')).readText(path, 'a command'),
}

/** The answer to a scenario; what it says in an engine's own words is read first. */
export const answerAsked = (context: Context, scenario: Scenario): Promise<SpelledAnswer> => answerWith(context, scenario, documents)
