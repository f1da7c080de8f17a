import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {ENGINES} from '../engines/registry.ts'
import {answer, toResult} from '../planner/answer/index.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import {ScenarioSchema} from '../planner/scenario/schema.ts'
import {engineOf} from '../planner/world/index.ts'
import {brokenLongest} from './laws/asked-again.ts'
import {brokenMemoryLaws} from './laws/memory-laws.ts'
import {brokenResultLaws} from './laws/result-laws.ts'
import {drawScenario, subjectOf} from './laws/scenarios.ts'
import type {Task} from './task.ts'

const USAGE = `usage: node src/build/run.mjs laws [COUNT] [SEED]

Asks COUNT random questions (50,000) of the engines and of the planner, and exits with 1 when an answer breaks a law. The seed is
printed: the same one asks the same questions.`

/** Failures of one kind that are shown in full. */
const SHOWN = 3

/** Laws of memory, of the engines' estimates and of whole answers. */
export async function main({root, args}: Task): Promise<number> {
  const count = Number(args[0] ?? 50_000)
  const seed = Number(args[1] ?? Date.now() % 2 ** 31)
  if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
    console.error(USAGE)
    return 2
  }
  console.log(`seed ${seed}`)
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  const context = realContext(catalogue, {corrections: false})
  const engines = Object.keys(ENGINES).map((id) => engineOf(context, id))
  const kinds = new Map<string, number>()
  const verdicts = new Map<string, number>()
  const tell = (number: number, law: string, scenario: unknown) => {
    const kind = law.replaceAll(/-?\d[\d.,e+]*/g, '#')
    const told = (kinds.get(kind) ?? 0) + 1
    kinds.set(kind, told)
    if (told <= SHOWN) console.error(`BROKEN ${law}\n  number ${number}: ${JSON.stringify(scenario)}`)
  }
  for (let number = 0; number < count; number++) {
    const drawn = drawScenario(catalogue, engines, seed, number)
    const subject = subjectOf(catalogue, drawn)
    const engine = engineOf(context, drawn.engine)
    for (const law of brokenMemoryLaws(engine, subject, engine.resolve(subject, drawn))) tell(number, law, drawn)
    const {freeBytes: _free, ...scenario} = drawn
    try {
      const ask = async (asked: Scenario) => toResult((await answer(context, asked)).best)
      const answered = await answer(context, ScenarioSchema.parse(scenario))
      const result = toResult(answered.best)
      verdicts.set(result.verdict, (verdicts.get(result.verdict) ?? 0) + 1)
      for (const law of [...brokenResultLaws(result), ...(await brokenLongest(answered, result, ask))]) tell(number, `result: ${law}`, scenario)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      verdicts.set(error.code, (verdicts.get(error.code) ?? 0) + 1)
    }
  }
  console.log([...verdicts].map(([verdict, times]) => `${verdict} ${times}`).join(', '))
  for (const [kind, times] of kinds) console.error(`${times} x ${kind}`)
  return kinds.size > 0 ? 1 : 0
}
