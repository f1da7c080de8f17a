import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {realContext} from '../cli/world.ts'
import {InputError} from '../core/input-error.ts'
import {sumBytes} from '../core/terms.ts'
import {answer, type Evaluation} from '../planner/answer/index.ts'
import {MeasuredScenarioSchema} from '../planner/scenario/schema.ts'
import type {Line} from './fit-memory/cases.ts'
import {percent, quantile} from './fit/report.ts'
import {withFlags} from './measured-flags.ts'
import type {Task} from './task.ts'

const USAGE = `usage: node src/build/run.mjs check-memory FILE.jsonl [ENGINE=VERSION ...] [--list]

FILE holds start-up logs: scenarios with "observed" beside them. Those that test/fixtures/memory/contradictions.json names are
told apart, and so are machines whose memory is shared with the system. A log that names no release is judged by the newest, or by
the one that is given for its engine: vllm=0.28.0 for logs that were written while that was the newest; where its date tells an
older one, test/fixtures/memory/releases.json has that. --list names every verdict
that is wrong, with the reason that was given, and every cache that is far off. Exits with 1 when the rest misses a bar.`

const GIB = 1024 ** 3
/** What is to hold: errors of the cache in the median and for nine in ten, of weights in the median, right verdicts; of starts that failed those refused, of those that ran. */
const BARS = {cacheMedian: 0.03, cacheMost: 0.12, weightsMedian: 0.015, verdicts: 0.97, seen: 0.9, overRefused: 0.02}
/** A case within this is no contradiction any more. */
const MET = 0.05
/** More than this is held by somebody. */
const BUSY_BYTES = 16 * GIB
/** A cache that is this far off is listed. */
const FAR = 0.07

interface Case {
  id: string
  unified: boolean
  /** How far the cache is off, and the same without its sign. */
  off?: number
  cache?: number
  weights?: number
  /** It came up, and whether it was said to. */
  started?: boolean
  said?: boolean
  /** What the answer gave for it. */
  words: string
}

/** Releases of logs that name none, by what their dates allow. */
type Dated = Record<string, {engineVersion: string; because: string}>

const isRight = ({started, said}: Case): boolean | undefined => (started === undefined ? undefined : started === said)

/**
 * What others held of memory that is shared with the system, where the log says what was free before loading: a fact about the machine, which a
 * scenario says with `reservedBytesPerGpu`. An idle system holds what the estimate takes for it.
 */
function takenBytes({memory, machine}: Evaluation, {availableBeforeLoadGiB}: Line['observed']): number {
  if (availableBeforeLoadGiB === undefined || machine.gpus[0]!.accelerator.unifiedMemory !== true) return 0
  const runtime = sumBytes(memory.terms.filter(({part}) => part === 'runtime'))
  const taken = Math.round(memory.budgetBytes - runtime - availableBeforeLoadGiB * GIB)
  return taken > BUSY_BYTES ? taken : 0
}

async function caseOf(context: ReturnType<typeof realContext>, line: string, unnamed: Record<string, string>, dated: Dated): Promise<Case> {
  const log = JSON.parse(line) as Line
  const {id, observed} = log
  const engineVersion = log.engineVersion ?? dated[id]?.engineVersion ?? unnamed[log.engine]
  const scenario = withFlags(context.catalogue, JSON.parse(line))
  const parsed = MeasuredScenarioSchema.parse({...scenario, ...(engineVersion !== undefined && {engineVersion})})
  const first = await answer(context, parsed, {asRan: true})
  const taken = takenBytes(first.best, observed)
  const {best} = taken === 0 ? first : await answer(context, {...parsed, reservedBytesPerGpu: taken}, {asRan: true})
  const {outcome, weightsGiB, kvCacheGiB, kvCacheTokens} = observed
  const {memory} = best
  const weights = sumBytes(memory.terms.filter(({part}) => part === 'weights'))
  const started = outcome === undefined ? undefined : outcome === 'started'
  const offBy = (ours: number, theirs: number | undefined) => (theirs === undefined || started === false ? undefined : ours / theirs - 1)
  const off = offBy(memory.kvCacheTokens, kvCacheTokens) ?? offBy(memory.kvCacheBytes, kvCacheGiB === undefined ? undefined : kvCacheGiB * GIB)
  const weightsOff = offBy(weights, weightsGiB === undefined ? undefined : weightsGiB * GIB)
  return {
    id,
    unified: best.machine.gpus[0]!.accelerator.unifiedMemory === true,
    ...(off !== undefined && {off, cache: Math.abs(off)}),
    ...(weightsOff !== undefined && {weights: Math.abs(weightsOff)}),
    ...(started !== undefined && {started, said: ['fits', 'tight'].includes(best.verdict)}),
    words: [
      best.verdict,
      ...[...best.reasons, ...best.warnings.filter(({code}) => code === 'memory-tight')].map(({code, message}) => `${code}: ${message}`),
    ].join(' | '),
  }
}

const defined = <T>(values: readonly (T | undefined)[]): T[] => values.filter((value): value is T => value !== undefined)

function figures(cases: readonly Case[]) {
  const cache = defined(cases.map((one) => one.cache))
  const verdicts = defined(cases.map(isRight))
  const refused = (started: boolean) => {
    const those = cases.filter((one) => one.started === started)
    return {of: those.length, count: those.filter(({said}) => said === false).length}
  }
  const [failed, ran] = [refused(false), refused(true)]
  return {
    cacheMedian: quantile(cache, 0.5),
    cacheMost: quantile(cache, 0.9),
    weightsMedian: quantile(defined(cases.map((one) => one.weights)), 0.5),
    verdicts: verdicts.filter(Boolean).length / verdicts.length,
    counted: `${cache.length} caches, ${verdicts.filter(Boolean).length} of ${verdicts.length} verdicts right; refused: ${failed.count} of ${failed.of} that failed, ${ran.count} of ${ran.of} that ran`,
    failed,
    ran,
  }
}

/** Start-up logs beside what the memory model says of them. */
export async function main({root, args}: Task): Promise<number> {
  const list = args.includes('--list')
  const [file, ...releases] = args.filter((arg) => arg !== '--list')
  if (!file || file.startsWith('--') || releases.some((release) => !/^[a-z]+=.+$/.test(release))) {
    console.error(USAGE)
    return 2
  }
  const context = realContext(openCatalogue(join(root, 'dist', 'data')))
  const fixture = (name: string) => JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'memory', name), 'utf8'))
  const contradictions = fixture('contradictions.json') as Record<string, string>
  const dated = fixture('releases.json') as Dated
  const unnamed = Object.fromEntries(releases.map((release) => release.split('=')))
  const cases: Case[] = []
  for (const line of readFileSync(file, 'utf8').split('\n').filter(Boolean))
    try {
      cases.push(await caseOf(context, line, unnamed, dated))
    } catch (error) {
      // A model that the catalogue does not have says nothing of the arithmetic.
      if (!(error instanceof InputError)) throw error
      console.error(`left out: ${(JSON.parse(line) as Line).id}: ${error.message}`)
    }
  const contradicts = ({id}: Case) => Object.hasOwn(contradictions, id)
  const show = (name: string, part: readonly Case[]) => {
    const {cacheMedian, cacheMost, weightsMedian, verdicts, counted} = figures(part)
    console.log(
      `${name.padEnd(44)} cache median ${percent(cacheMedian)}, nine in ten within ${percent(cacheMost)}; weights median ${percent(weightsMedian)}; verdicts ${percent(verdicts)} (${counted})`,
    )
  }
  const followed = cases.filter((one) => !contradicts(one))
  const bound = followed.filter((one) => !one.unified)
  show('all', cases)
  show('without contradictions', followed)
  show('  of these: memory of their own', bound)
  show(
    '  of these: memory shared with the system',
    followed.filter((one) => one.unified),
  )

  const marked = (one: Case) => `${one.id}${contradicts(one) ? ' (a contradiction)' : ''}`
  if (list) {
    for (const one of cases.filter((one) => isRight(one) === false)) console.log(`${one.started ? 'ran' : 'failed'}: ${marked(one)}: ${one.words}`)
    for (const one of cases.filter(({off = 0}) => Math.abs(off) > FAR)) console.log(`cache ${percent(one.off!)} off: ${marked(one)}`)
  }

  const broken: string[] = []
  const {cacheMedian, cacheMost, weightsMedian, verdicts} = figures(bound)
  if (cacheMedian > BARS.cacheMedian) broken.push(`cache in the median: ${percent(cacheMedian)}`)
  if (cacheMost > BARS.cacheMost) broken.push(`cache, nine in ten: ${percent(cacheMost)}`)
  if (weightsMedian > BARS.weightsMedian) broken.push(`weights in the median: ${percent(weightsMedian)}`)
  if (verdicts < BARS.verdicts) broken.push(`verdicts: ${percent(verdicts)}`)
  const {failed, ran} = figures(followed)
  if (failed.count < BARS.seen * failed.of) broken.push(`refusals seen: ${failed.count} of ${failed.of}`)
  if (ran.count > BARS.overRefused * ran.of) broken.push(`refused though they ran: ${ran.count} of ${ran.of}`)
  for (const one of cases.filter(contradicts))
    if (isRight(one) !== false && (one.cache ?? 0) <= MET) broken.push(`${one.id} is met now: take it from the contradictions`)
  for (const line of broken) console.error(`NOT HELD ${line}`)
  return broken.length > 0 ? 1 : 0
}
