import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Catalogue, openCatalogue} from '../catalogue/catalogue.ts'
import {findModel} from '../catalogue/find-model.ts'
import {ASSUMED_LOAD} from '../planner/scenario/index.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import type {FlagTable} from '../engines/flags.ts'
import {answer, subjectOf} from '../planner/answer/index.ts'
import type {Context} from '../planner/world/index.ts'
import {writeData} from './compile-data.ts'
import {compared, ourOptions, theirOptions} from './recipes/options.ts'
import {type Judged, type LeftOut, pageOf} from './recipes/page.ts'
import {type Gathered, type Published, publishedLaunches, sourcesOf} from './recipes/read.ts'
import {recipesOf} from './recipes/release.ts'
import {classOf} from './recipes/rules.ts'
import type {Task} from './task.ts'

/**
 * Compares the launches that others published with ours for the same model, cards and engine, option by option, and writes
 * docs/recipes.md. `node src/build/run.mjs compare-recipes RELEASE [FILE]` with vLLM's unpacked source distribution, which carries
 * its recipes, and a file of launches gathered elsewhere. Fails where a difference is left that no rule explains.
 */
export async function main({root, args}: Task): Promise<number> {
  const [release, file] = args
  if (release === undefined) {
    console.error("usage: compare-recipes RELEASE [FILE] (vLLM's unpacked source distribution; gathered launches as JSON)")
    return 2
  }
  const recipes = recipesOf(release)
  const gathered = file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as Gathered)
  const sources = [`${recipes.count} recipes of ${recipes.source}`, ...(gathered ? sourcesOf(gathered) : [])]
  const data = mkdtempSync(join(tmpdir(), 'servefit-data-'))
  try {
    const problems = await writeData(root, data)
    if (problems.length > 0) throw new Error(problems.join('\n'))
    const catalogue = openCatalogue(data)
    const context = realContext(catalogue, {offline: true, corrections: false})
    const judged: Judged[] = []
    const leftOut: LeftOut[] = []
    for (const launch of [...recipes.launches, ...(gathered ? publishedLaunches(gathered) : [])]) {
      const outcome = await judge(context, catalogue, launch)
      if ('because' in outcome) leftOut.push(outcome)
      else judged.push(outcome)
    }
    writeFileSync(join(root, 'docs', 'recipes.md'), pageOf(judged, leftOut, sources))
    const open = judged.flatMap(({differences}) => differences.filter((difference) => difference.class === undefined))
    console.log(
      `${judged.length} launches compared, ${leftOut.length} left out: ${judged.reduce((sum, {equal}) => sum + equal.length, 0)} options equal, ${judged.reduce((sum, {differences}) => sum + differences.length, 0)} different, ${open.length} of them unexplained`,
    )
    return open.length === 0 ? 0 : 1
  } finally {
    rmSync(data, {recursive: true, force: true})
  }
}

/** More cards than a machine has are several machines. */
const CARDS_OF_MACHINE: Record<string, number> = {gb200: 4, gb300: 4, gb10: 1}

async function judge(context: Context, catalogue: Catalogue, launch: Published): Promise<Judged | LeftOut> {
  const found = findModel(launch.repository, catalogue.modelEntries)
  if (!found) return {launch, because: 'not in the catalogue'}
  const most = CARDS_OF_MACHINE[launch.gpu] ?? 8
  const nodes = Math.ceil(launch.count / most)
  try {
    const {best} = await answer(context, {
      model: launch.repository,
      engine: launch.engine,
      gpu: `${Math.min(launch.count, most)}x${launch.gpu}`,
      workload: ASSUMED_LOAD,
      ...(nodes > 1 && {nodes}),
    })
    if (best.verdict === 'unsupported' || best.verdict === 'does-not-fit') return {launch, because: best.verdict, detail: best.reasons[0]?.message}
    const table = catalogue.file<FlagTable>(`engines/${best.engine.id}-flags`)
    const {engineVersion: version} = best.deployment
    const {equal, differences} = compared(
      theirOptions(launch, table, version),
      ourOptions(best.engine.launch(subjectOf(best), best.deployment), table, version),
    )
    const forCard = launch.card === undefined ? new Map() : theirOptions({...launch, ...launch.card}, table, version)
    return {
      launch,
      model: found.id,
      version,
      equal,
      equalForCard: equal.filter((name) => forCard.has(name)).length,
      differences: differences
        .filter(({name}) => !/^--model(?:-path)?$/.test(name))
        .map((difference) => ({...difference, isForCard: forCard.has(difference.name)}))
        .map((difference) => ({...difference, class: classOf(launch, difference)})),
    }
  } catch (error) {
    if (error instanceof InputError) return {launch, because: error.code, detail: error.message}
    throw error
  }
}
