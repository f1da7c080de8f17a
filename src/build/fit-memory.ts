import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Catalogue} from '../catalogue/catalogue.ts'
import type {MemoryCalibration, OverheadParameters} from '../engines/overheads.ts'
import {errorsOfAll} from './fit-memory/errors.ts'
import {type Case, cacheError, partErrors, readCases} from './fit-memory/cases.ts'
import {createEngine} from './fit-memory/engine.ts'
import {FITTED, PRIORS} from './fit-memory/priors.ts'
import {tablesOf} from './fit-memory/tables.ts'
import {quantile} from './fit/report.ts'
import type {Task} from './task.ts'
import {withCatalogue} from './with-catalogue.ts'

/** Errors beyond this count in proportion, not squared: some logs were written under flags that nobody recorded. */
const ROBUST_BEYOND = 0.03
/** Errors beyond this are of something else: they pull no further. */
const LOST_BEYOND = 0.2
/** Weight of one doubling of a parameter against one case at ROBUST_BEYOND. */
const PRIOR_WEIGHT = 1
const FIRM = 20
const FACTORS = [2, 1.4, 1.2, 1.1, 1.04, 1.015]

const huber = (error: number): number => {
  const e = Math.min(Math.abs(error), LOST_BEYOND) / ROBUST_BEYOND
  return e <= 1 ? e * e : 2 * e - 1
}

const significant = (value: number): number => Number(value.toPrecision(3))

const errorsOf = (cases: readonly Case[], catalogue: Catalogue, id: string, parameters: OverheadParameters) => {
  const engine = createEngine(catalogue, id, parameters)
  return cases.flatMap((one) => cacheError(one, engine) ?? [])
}

/** Only vLLM prints the parts. */
function partsOf(cases: readonly Case[], catalogue: Catalogue, id: string, parameters: OverheadParameters): number[] {
  if (id !== 'vllm') return []
  const engine = createEngine(catalogue, id, parameters)
  return cases.flatMap((one) => partErrors(one, engine))
}

/** Parameters that leave the least robust error, by moving one at a time in ever smaller steps: the same files give the same numbers. */
function fitEngine(id: string, cases: readonly Case[], all: readonly Case[], catalogue: Catalogue): OverheadParameters {
  const prior = PRIORS[id]!
  const parameters = structuredClone(prior)
  const loss = (): number => {
    let sum = 0
    for (const {relative} of errorsOf(cases, catalogue, id, parameters)) sum += huber(relative)
    for (const error of partsOf(all, catalogue, id, parameters)) sum += huber(error)
    for (const parameter of FITTED[id]!) sum += PRIOR_WEIGHT * (parameter.firm ? FIRM : 1) * Math.log2(parameter.get(parameters) / parameter.get(prior)) ** 2
    return sum
  }
  let best = loss()
  for (const factor of FACTORS)
    for (let moved = true, round = 0; moved && round < 6; round++) {
      moved = false
      for (const parameter of FITTED[id]!)
        for (const by of [factor, 1 / factor]) {
          const before = parameter.get(parameters)
          parameter.set(parameters, before * by)
          const now = loss()
          if (now < best - 1e-6) {
            best = now
            moved = true
            break
          }
          parameter.set(parameters, before)
        }
    }
  for (const parameter of FITTED[id]!) parameter.set(parameters, significant(parameter.get(parameters)))
  const errors = errorsOf(cases, catalogue, id, parameters)
  // The spread is that of the bulk, on cards of every size: 1.4826 times the median error is a standard deviation where errors are normal.
  const spread =
    1.4826 *
    quantile(
      errors.map(({bytes}) => Math.abs(bytes)),
      0.5,
    )
  return {
    ...parameters,
    spreadBytes: significant(cases.length >= 8 ? spread : Math.max(spread, prior.spreadBytes)),
    residuals: {
      n: errors.length,
      median: significant(
        quantile(
          errors.map(({relative}) => Math.abs(relative)),
          0.5,
        ),
      ),
      p90: significant(
        quantile(
          errors.map(({relative}) => Math.abs(relative)),
          0.9,
        ),
      ),
    },
  }
}

/** Cases that say something about parameters: started, of a named release, on memory that nothing else shares, with options that are known. */
const usable = (one: Case): boolean => one.versioned && !one.unified && !one.unsaid && one.observed.outcome === 'started' && weightsKnown(one)

/** Builds called GPTQ or AWQ differ in what they leave at 16 bits: without the logged weights they say nothing about the rest. */
const weightsKnown = ({observed, question}: Case): boolean => observed.weightsGiB !== undefined || !/^(gptq|awq)/.test(question.checkpoint.weights)

const USAGE = `usage: node src/build/run.mjs fit-memory FILE.jsonl... [--errors]

Fits data/calibration/memory.json to start-up logs, one case a line. --errors leaves the parameters as they are and reckons only how far
estimates come out from logs that the fit had not seen.`

/** Fits data/calibration/memory.json to logs. */
export async function main({root, args}: Task): Promise<number> {
  const onlyErrors = args.includes('--errors')
  const files = args.filter((arg) => arg !== '--errors')
  if (files.length === 0 || files.some((file) => file.startsWith('--'))) {
    console.error(USAGE)
    return 2
  }
  return withCatalogue(root, async (catalogue) => {
    const {cases, unknown} = await readCases(files, catalogue)
    const file = join(root, 'data', 'calibration', 'memory.json')
    const calibration = JSON.parse(readFileSync(file, 'utf8')) as MemoryCalibration
    const fitTo = (id: string, own: readonly Case[]) => fitEngine(id, own.filter(usable), own, catalogue)
    if (!onlyErrors)
      for (const id of Object.keys(PRIORS)) {
        const own = cases.filter((one) => one.engine === id)
        calibration[id] = fitTo(id, own)
        const {n, median, p90} = calibration[id]!.residuals!
        console.log(`${id}: ${n} of ${own.filter(usable).length} cases, median ${(100 * median).toFixed(1)}%, p90 ${(100 * p90).toFixed(1)}%`)
      }
    const contradictions = JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'memory', 'contradictions.json'), 'utf8')) as Record<string, string>
    const engines = Object.keys(PRIORS).map((id) => ({
      id,
      cases: cases.filter((one) => one.engine === id && !Object.hasOwn(contradictions, one.id)),
      refit: (own: readonly Case[]) => fitTo(id, own),
    }))
    for (const [id, errors] of Object.entries(errorsOfAll(engines, catalogue))) {
      calibration[id] = {...calibration[id]!, errors}
      console.log(`${id}: intervals hold ${(100 * errors.inside).toFixed(0)}% of ${errors.cases} cases left out`)
    }
    if (unknown.length > 0) console.log(`${unknown.length} lines not used:\n${unknown.join('\n')}`)
    writeFileSync(file, `${JSON.stringify(calibration, undefined, 2)}\n`)
    const page = join(root, 'docs', 'memory.md')
    writeFileSync(page, withTables(readFileSync(page, 'utf8'), tablesOf(calibration)))
    return 0
  })
}

/** The page with what stands between its marks replaced. */
function withTables(page: string, tables: string): string {
  const [start, end] = ['<!-- fit-memory: generated -->', '<!-- /fit-memory -->']
  const from = page.indexOf(start)
  const to = page.indexOf(end)
  return from === -1 || to === -1 ? page : `${page.slice(0, from + start.length)}\n\n${tables}\n${page.slice(to)}`
}
