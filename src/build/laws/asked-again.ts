import type {Answer, Result} from '../../planner/answer/index.ts'
import type {Scenario} from '../../planner/scenario/index.ts'

/** More than any block of a cache, in tokens: hybrid models' are up to a few thousand. */
const BEYOND_A_BLOCK = 16_384

/** The scenario of an answer with every setting fixed, its repository and its context among them. */
export function fixedScenario(scenario: Scenario, {model, deployment}: Result, maxModelLen = deployment.maxModelLen): Scenario {
  const {replaced: _replaced, speculative, ...settings} = deployment
  return {...scenario, ...settings, model: model.hfId || scenario.model, maxModelLen, ...(speculative && {speculative})}
}

/** What the longest context of an answer breaks: it starts, and a longer one does not. Asked of the planner again with every setting fixed. */
export async function brokenLongest(answered: Answer, result: Result, ask: (scenario: Scenario) => Promise<Result>): Promise<string[]> {
  if (result.verdict !== 'fits' && result.verdict !== 'tight') return []
  const longest = result.memory.largestMaxModelLen
  const {workload: _load, ...scenario} = answered.scenario
  const isYes = ({verdict}: Result) => verdict === 'fits' || verdict === 'tight'
  const broken: string[] = []
  const at = await ask(fixedScenario(scenario, result, longest))
  if (!isYes(at)) broken.push(`the longest context of ${longest} is ${at.verdict}: ${at.reasons[0]?.message}`)
  // What is documented ends there; whoever asks for more may have it, with a note.
  if (longest === answered.named.model.extendedContext?.tokens) return broken
  const beyond = await ask(fixedScenario(scenario, result, longest + BEYOND_A_BLOCK))
  if (isYes(beyond)) broken.push(`a context of ${longest + BEYOND_A_BLOCK} is ${beyond.verdict}, and ${longest} is said to be the longest`)
  return broken
}
