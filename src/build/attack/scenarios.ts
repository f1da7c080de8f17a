import {join} from 'node:path'
import {isDeepStrictEqual} from 'node:util'
import {openCatalogue} from '../../catalogue/catalogue.ts'
import {documents} from '../../cli/answer-asked.ts'
import {answerLine} from '../../cli/batch-stream.ts'
import {SCHEMAS} from '../../cli/json-schema.ts'
import {realContext} from '../../cli/world.ts'
import {InputError} from '../../core/input-error.ts'
import {ENGINES} from '../../engines/registry.ts'
import {type Servefit, servefitOf} from '../../library/servefit.ts'
import type {Result, Verdict} from '../../planner/answer/index.ts'
import type {Scenario} from '../../planner/scenario/index.ts'
import {engineOf} from '../../planner/world/index.ts'
import {badNumbers, brokenResultLaws} from '../laws/result-laws.ts'
import {fixedScenario} from '../laws/asked-again.ts'
import {drawScenario} from '../laws/scenarios.ts'
import {type Assault, chance, pick, printable, type Part} from './assault.ts'
import {hostileLine} from './illegal.ts'

/** Processor time of one question, so that a machine under load finds nothing: the slowest legal ones take a few. */
const MOST_SECONDS = 20
/** Every so many scenarios one is asked of the commands that take seconds. */
const PLAN_EVERY = 50
const COMPARE_EVERY = 25
/** A message names what was wrong; it does not repeat it. */
const MOST_MESSAGE_CHARACTERS = 4100

/** Values that were never meant to be read; a fabric is called so. */
const SENSELESS = /undefined|NaN|Infinity(?! Fabric)|\[object /

const GIB = 2 ** 30

/** Better and worse, as far as memory decides. */
const ORDER: Record<Exclude<Verdict, 'unsupported'>, number> = {fits: 0, tight: 0, 'too-slow': 1, 'does-not-fit': 2}

interface Asked {
  assault: Assault
  servefit: Servefit
  batch: (line: string) => Promise<Record<string, unknown>>
}

/** Random scenarios, legal and illegal, in this process: the planner as `check`, `batch`, `compare` and `plan` call it. */
export const scenarios: Part = {
  name: 'scenarios',
  share: 45,
  async run(assault) {
    const catalogue = openCatalogue(join(assault.root, 'dist', 'data'))
    const context = realContext(catalogue, {corrections: false, offline: true})
    const engines = Object.keys(ENGINES).map((id) => engineOf(context, id))
    const asked: Asked = {
      assault,
      servefit: servefitOf(context, documents),
      batch: async (line) => JSON.parse(JSON.stringify(await answerLine(context, line))) as Record<string, unknown>,
    }
    for (let number = 0; !assault.isOver; number++) {
      // What runs beside it is looked after.
      await new Promise(setImmediate)
      const {freeBytes: _free, ...scenario} = drawScenario(catalogue, engines, assault.seed, number)
      const random = assault.random(number + 2 ** 20)
      await timed(asked, JSON.stringify(scenario), () => legal(asked, scenario, number))
      for (let hostile = 0; hostile < 3; hostile++) {
        const line = hostileLine(random, scenario)
        await timed(asked, line, () => illegal(asked, line))
      }
      if (chance(random, 0.2)) await lessMemory(asked, scenario, pick(random, [GIB, 4 * GIB, 16 * GIB]))
    }
  },
}

/** Nothing that is no InputError leaves the planner, and nothing takes for ever. */
async function timed({assault}: Asked, line: string, work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage()
  try {
    await work()
  } catch (error) {
    assault.found({
      what: `${(error as Error).name}: ${(error as Error).message}\n${(error as Error).stack?.split('\n').slice(1, 4).join('\n')}`,
      reproduce: asBatch(line),
    })
  }
  const {user, system} = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  assault.measure('slowest in ms', seconds * 1000)
  if (seconds > MOST_SECONDS) assault.found({what: `${seconds.toFixed(1)} s of processor time`, reproduce: asBatch(line)})
}

const asBatch = (line: string): string => `echo '${line.replaceAll("'", "'\\''")}' | servefit batch -`

/** What InputErrors are thrown for is an answer; undefined. */
async function answered<T>({assault}: Asked, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    assault.count(`refused (${error.code})`)
    return undefined
  }
}

async function validated({assault}: Asked, document: unknown, what: 'result' | 'plan' | 'compare' | 'error', line: string): Promise<void> {
  const {success, error} = (await SCHEMAS[what]()).safeParse(JSON.parse(JSON.stringify(document)))
  if (!success)
    assault.found({
      what: `not what servefit schema ${what} says: ${error.issues.map(({path, message}) => `${path.join('.')}: ${message}`).join('; ')}`,
      reproduce: asBatch(line),
    })
}

async function legal(asked: Asked, scenario: Scenario, number: number): Promise<void> {
  const {assault, servefit, batch} = asked
  const line = JSON.stringify(scenario)
  assault.count('legal')
  const ofBatch = await batch(line)
  if ('error' in ofBatch) return failed(asked, ofBatch, line)
  const result = ofBatch as unknown as Result
  for (const law of brokenResultLaws(result)) assault.found({what: `law: ${law}`, reproduce: asBatch(line)})
  await validated(asked, ofBatch, 'result', line)
  const told = (what: string) => assault.found({what, reproduce: asBatch(line)})
  if (scenario.workload) {
    const ofCheck = await servefit.check(scenario)
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(ofCheck)), ofBatch)) told('check says something else than batch')
  }
  if (number % PLAN_EVERY === 0) {
    const plan = await answered(asked, () => servefit.plan(scenario))
    if (plan) {
      assault.count('plans')
      await validated(asked, plan, 'plan', line)
      for (const law of badNumbers(plan, '')) told(`plan: ${law}`)
      for (const planned of plan.plans.slice(0, 3)) await agrees(asked, scenario, planned, 'plan', line)
    }
  }
  if (number % COMPARE_EVERY === 0) {
    const table = await answered(asked, () => servefit.compare(scenario))
    if (table) {
      assault.count('comparisons')
      await validated(asked, table, 'compare', line)
      for (const {result: row} of table.rows) for (const law of brokenResultLaws(row)) told(`compare: ${law}`)
      for (const {result: row} of table.rows.slice(0, 3)) await agrees(asked, scenario, row, 'compare', line)
    }
  }
}

/** The same deployment with everything fixed is judged alike, whoever asks. */
async function agrees(asked: Asked, scenario: Scenario, result: Result & {workload?: Scenario['workload']}, who: string, line: string): Promise<void> {
  // What cannot be is shown as far as it can: asked again, it is another question.
  if (result.verdict === 'unsupported') return
  const {assault, servefit} = asked
  const {id: _id, slo, ...question} = fixedScenario(scenario, result)
  const checked = await answered(asked, () => servefit.check({...question, ...(slo && {slo}), ...(result.workload && {workload: result.workload})}))
  if (!checked) return
  assault.count('deployments asked again')
  const [own, again] = [result.memory.perGpu, checked.memory.perGpu]
  if (checked.verdict !== result.verdict && !(isYes(checked.verdict) && isYes(result.verdict)))
    assault.found({
      what: `${who} says ${result.verdict} of ${result.deployment.engine} ${result.model.hfId}, check says ${checked.verdict}: ${checked.reasons[0]?.message}`,
      reproduce: asBatch(line),
    })
  else if (own.weightsBytes !== again.weightsBytes || own.kvCacheBytes !== again.kvCacheBytes)
    assault.found({
      what: `${who} counts ${own.weightsBytes} bytes of weights and ${own.kvCacheBytes} of cache, check ${again.weightsBytes} and ${again.kvCacheBytes}`,
      reproduce: asBatch(line),
    })
}

const isYes = (verdict: Verdict): boolean => verdict === 'fits' || verdict === 'tight'

/** Where less memory is free, the answer is never better. */
async function lessMemory(asked: Asked, scenario: Scenario, bytes: number): Promise<void> {
  const {assault, batch} = asked
  const less = {...scenario, reservedBytesPerGpu: (scenario.reservedBytesPerGpu ?? 0) + bytes}
  const [whole, part] = (await Promise.all([scenario, less].map((one) => batch(JSON.stringify(one))))) as unknown as [Result, Result]
  if ('error' in whole || 'error' in part || whole.verdict === 'unsupported' || part.verdict === 'unsupported') return
  assault.count('asked with less memory')
  if (ORDER[part.verdict] < ORDER[whole.verdict])
    assault.found({
      what: `with ${bytes / GIB} GiB less, ${whole.verdict} becomes ${part.verdict}`,
      reproduce: `${asBatch(JSON.stringify(scenario))}\n  ${asBatch(JSON.stringify(less))}`,
    })
}

async function illegal(asked: Asked, line: string): Promise<void> {
  const {assault, batch} = asked
  const answer = await batch(line)
  if ('error' in answer) return failed(asked, answer, line)
  assault.count('hostile, answered')
  await validated(asked, answer, 'result', line)
  for (const law of brokenResultLaws(answer as unknown as Result)) assault.found({what: `law: ${law}`, reproduce: asBatch(line)})
}

async function failed(asked: Asked, {error}: Record<string, unknown>, line: string): Promise<void> {
  const {code, message} = error as {code: string; message: string}
  const {assault} = asked
  assault.count('refused')
  await validated(asked, {schemaVersion: 2, error}, 'error', line)
  if (code === 'DEFECT') assault.found({what: message, reproduce: asBatch(line)})
  if (message.length > MOST_MESSAGE_CHARACTERS)
    assault.found({what: `${code} in ${message.length} characters: ${printable(message.slice(0, 200))}`, reproduce: asBatch(line)})
  if (SENSELESS.test(message) && !SENSELESS.test(line)) assault.found({what: `${code}: ${printable(message.slice(0, 400))}`, reproduce: asBatch(line)})
}
