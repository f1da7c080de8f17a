import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Calibration, Residual, Spread} from '../../core/throughput/calibration.ts'
import {releaseYear} from '../../core/throughput/engine-version.ts'
import {hardwareClass} from '../../core/throughput/hardware.ts'
import {performance, preparedModel, shapeOf} from '../../core/throughput/performance.ts'
import type {Task} from '../task.ts'
import {withCatalogue} from '../with-catalogue.ts'
import {LEFT_OUT, PAGE, pageOf} from './accuracy.ts'
import {insideWords, type Section} from './accuracy-page.ts'
import {fitCalibration, logErrors, type Measurement} from './fit.ts'
import {kindOf, platformOf} from './kinds.ts'
import {readMeasurements} from './measurements.ts'
import {publishedPrompts} from './prompts.ts'
import type {Parameter} from './parameters.ts'
import {PRIORS} from './priors.ts'
import {COLUMNS, heldOut, type Holdout, isInside, leaveOneOut, quantile, row, type Score, scoreOf, shareOf} from './report.ts'

const USAGE = `usage: npm run fit -- [--holdout none|half|model|gpu|release|all] [--seed N] [--dry] [--check] SERVING.jsonl [--other OTHER.jsonl]

SERVING holds measurements under load that everything is fitted to; OTHER further hardware, of which only what belongs to
that hardware is fitted. Each line is a scenario with "observed" beside it. --dry writes nothing; --check fits once more,
writes nothing, and exits with 1 where the parameters differ from those of data/calibration/serving.json.`

const HALVES = 'A random half of the measurements left out'
const OPEN = 'The same, with the launch flags unknown'
const MODELS = 'One model left out'
const CARDS = 'One GPU left out'
const PUBLISHERS = 'Other hardware and older releases, each publisher left out'
const PUBLISHED = 'The same, with the figures as published'

/** Standard normal deviate that leaves a tenth on either side. */
const DEVIATE_80 = 1.2816

interface Options {
  serving: string[]
  other: string[]
  holdout: string
  seed: number
  dry: boolean
  check: boolean
}

function optionsOf(args: readonly string[]): Options | undefined {
  const options: Options = {serving: [], other: [], holdout: 'all', seed: 1, dry: false, check: false}
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!
    if (argument === '--dry') options.dry = true
    else if (argument === '--check') Object.assign(options, {check: true, dry: true, holdout: 'none'})
    else if (argument === '--holdout') options.holdout = args[++i] ?? ''
    else if (argument === '--seed') options.seed = Number(args[++i])
    else if (argument === '--other') options.other.push(args[++i] ?? '')
    else if (argument.startsWith('--')) return undefined
    else options.serving.push(argument)
  }
  return options.serving.length > 0 && ['none', 'half', 'model', 'gpu', 'release', 'all'].includes(options.holdout) ? options : undefined
}

/** Rounded so that the file says no more than is known and machines agree on it; years of releases keep their hundredths. */
const significant = (value: number): number => Number(value.toPrecision(value > 2000 && value < 2100 ? 6 : 5))

function rounded<T>(value: T): T {
  if (typeof value === 'number') return significant(value) as T
  if (Array.isArray(value)) return value.map(rounded) as T
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)])) as T
  return value
}

/** Relative difference up to which two parameters are the same: one in the last of the five digits that the file keeps. */
const SAME = 1e-4
/** What the errors of one fit say is not among its parameters: it rests on what was left out. */
const NO_PARAMETERS = ['spread', 'residuals']

/** Paths of numbers that differ. */
function differing(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= SAME * Math.max(Math.abs(a), Math.abs(b)) ? [] : [`${path}: ${a}, ${b}`]
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b ? [] : [`${path}: ${String(a)}, ${String(b)}`]
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => path !== '' || !NO_PARAMETERS.includes(key))
  return keys.flatMap((key) => differing((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`))
}

type Index = 0 | 1 | 2

/** Deviation that puts 80% of the errors inside, from errors of measurements that the fit had not seen. */
const deviationOf = (errors: readonly [number, number, number][], index: Index): number =>
  quantile(
    errors.map((e) => Math.abs(e[index])).filter((value) => !Number.isNaN(value)),
    0.8,
  ) / DEVIATE_80

const spreadOf = (errors: readonly [number, number, number][]): Spread => ({
  ttft: deviationOf(errors, 0),
  tpot: deviationOf(errors, 1),
  throughput: deviationOf(errors, 2),
})

/** Of questions that leave the launch open no fewer than these lie inside the interval, which is that of questions that tell it. */
const LEAST_INSIDE = 0.75

/** What widens the spreads of all engines alike until as many of these errors lie inside. */
function widenedBy(part: readonly {e: [number, number, number]; m: Measurement}[], byEngine: Record<string, Spread>): Spread {
  const factor = (of: keyof Spread, index: Index) =>
    Math.max(
      1,
      // Nothing was left out: nothing is known of it.
      quantile(
        part.map(({e, m}) => Math.abs(e[index]) / (DEVIATE_80 * byEngine[m.input.engine]![of])).filter((value) => !Number.isNaN(value)),
        LEAST_INSIDE,
      ) || 1,
    )
  return {ttft: factor('ttft', 0), tpot: factor('tpot', 1), throughput: factor('throughput', 2)}
}

const times = (a: Spread, b: Spread): Spread => ({ttft: a.ttft * b.ttft, tpot: a.tpot * b.tpot, throughput: a.throughput * b.throughput})

const NOTHING: Spread = {ttft: 0, tpot: 0, throughput: 0}

/** What an unseen kind adds to a deviation: the root of the difference of squares, by all that was left out; no less than believed. */
function addedBy(left: readonly [number, number, number][], base: Spread, believed: Spread): Spread {
  const added = (of: keyof Spread, index: Index) => {
    const deviation = deviationOf(left, index)
    return Math.max(believed[of], Number.isNaN(deviation) ? 0 : Math.sqrt(Math.max(0, deviation ** 2 - base[of] ** 2)))
  }
  return {ttft: added('ttft', 0), tpot: added('tpot', 1), throughput: added('throughput', 2)}
}

function residualsOf(measurements: readonly Measurement[], calibration: Calibration): Calibration['residuals'] {
  const result: Calibration['residuals'] = {}
  const plain = (residual: Residual | undefined) => residual && {n: residual.n, median: residual.median, p90: residual.p90}
  const put = (name: string, part: readonly Measurement[]) => {
    const {ttft, tpot, throughput} = scoreOf(part.map((m) => logErrors(m, calibration)))
    result[name] = {ttft: plain(ttft), tpot: plain(tpot), throughput: plain(throughput)}
  }
  put('all', measurements)
  const by = (field: string, of: (m: Measurement) => string) => {
    for (const value of [...new Set(measurements.map(of))].sort())
      put(
        `${field} ${value}`,
        measurements.filter((m) => of(m) === value),
      )
  }
  by('engine', (m) => m.input.engine)
  by('weights', (m) => m.input.checkpoint.weights)
  by('hardware', (m) => hardwareClass(m.input.accelerator))
  return result
}

const errorsWhere = (holdouts: readonly Holdout[], chosen: (m: Measurement) => boolean): [number, number, number][] =>
  holdouts.flatMap(({errors, tested}) => errors.filter((_, i) => chosen(tested[i]!)))

/** Share of what was left out that lies inside the interval that a question gets. */
function insideOf(holdouts: readonly Holdout[], {spread}: Calibration, beyond: (m: Measurement) => readonly Spread[]): Spread {
  const share = (of: keyof Spread, index: Index) => {
    const inside = holdouts.flatMap(({errors, tested}) =>
      errors.flatMap((e, i) => {
        const base = spread.byEngine[tested[i]!.input.engine] ?? spread.base
        const deviation = Math.hypot(base[of], ...beyond(tested[i]!).map((added) => added[of]))
        return Number.isNaN(e[index]) ? [] : [Math.abs(e[index]) <= DEVIATE_80 * deviation]
      }),
    )
    return inside.filter(Boolean).length / inside.length
  }
  return {throughput: share('throughput', 2), tpot: share('tpot', 1), ttft: share('ttft', 0)}
}

/** Share of what was left out that lies inside the interval that the question gets, for whatever of it is outside of what was measured. */
function insideAsAsked(holdouts: readonly Holdout[], {spread, seen}: Calibration): Spread {
  const flags: boolean[][] = [[], [], []]
  for (const {tested, errors, fitted} of holdouts)
    for (const [at, {input}] of tested.entries()) {
      const {ttftMs, tpotMs, outputTokensPerSecond} = performance(input, {...fitted, spread, seen})
      for (const [index, interval] of [ttftMs, tpotMs, outputTokensPerSecond].entries()) {
        const error = errors[at]![index]!
        if (!Number.isNaN(error)) flags[index]!.push(isInside(error, interval))
      }
    }
  const [ttft, tpot, throughput] = flags.map((all) => all.filter(Boolean).length / all.length)
  return {throughput: throughput!, tpot: tpot!, ttft: ttft!}
}

/** A release from before the first that was fitted. */
function isOlder({input}: Measurement, calibration: Calibration): boolean {
  const engine = calibration.engines[input.engine]
  return engine?.measuredYears !== undefined && releaseYear(input.engineVersion, engine) < engine.measuredYears.oldest
}

/** Releases that count as the newest: those of the last fifth of a year, in years. */
const NEWEST = 0.2

/** Each engine's newest releases predicted from everything older: what a release does that nobody has measured yet. */
function newestLeftOut(measurements: readonly Measurement[]): Holdout[] {
  const engines = [...new Set(measurements.map((m) => m.input.engine))].sort()
  return engines.map((id) => {
    const yearOf = ({input}: Measurement) => releaseYear(input.engineVersion, PRIORS.engines[id] ?? PRIORS.defaultEngine)
    const last = Math.max(...measurements.filter((m) => m.input.engine === id).map(yearOf))
    return heldOut(measurements, PRIORS, `without the newest of ${id}`, (m) => m.input.engine === id && yearOf(m) > last - NEWEST)
  })
}

const enginesOf = (measurements: readonly Measurement[]): Record<string, string[]> => {
  const vendors = [...new Set(measurements.map(({input}) => input.accelerator.vendor))].sort()
  const on = (vendor: string) => measurements.filter(({input}) => input.accelerator.vendor === vendor).map(({input}) => input.engine)
  return Object.fromEntries(vendors.map((vendor) => [vendor, [...new Set(on(vendor))].sort()]))
}

/**
 * Numbers of hardware and links that the serving measurements do not have, and of formats that only such hardware runs. `prompts`: published beside them, which
 * only such hardware is told by.
 */
export function fitOther(
  measurements: readonly Measurement[],
  prompts: readonly Measurement[],
  calibration: Calibration,
  seen: readonly string[],
): Calibration {
  const chosen = (parameter: Parameter) =>
    (parameter.hardwareClass !== undefined && !seen.includes(parameter.hardwareClass)) ||
    (parameter.path[0] === 'links' && parameter.path[1] !== 'nvlink') ||
    parameter.path.join('/') === 'kernels/weightOnlyCompute'
  return fitCalibration(
    [...measurements, ...prompts].filter((m) => !seen.includes(hardwareClass(m.input.accelerator))),
    calibration,
    chosen,
  )
}

/** Fits data/calibration/serving.json to measurements, keeps what it left out and predicted, and writes docs/accuracy.md. The same files give the same numbers. */
export async function main({root, args}: Task): Promise<number> {
  const options = optionsOf(args)
  if (!options) {
    console.error(USAGE)
    return 2
  }
  return withCatalogue(root, async (catalogue) => {
    const {measurements, unused} = await readMeasurements(options.serving, catalogue)
    const other = await readMeasurements(options.other, catalogue)
    const prompts = await publishedPrompts(root, catalogue)
    /** Who is left out is left out with what else was published there. */
    const withoutLeftOut = (part: readonly Measurement[]) => {
      const left = new Set(other.measurements.map(({source}) => source))
      for (const {source} of part) left.delete(source)
      return prompts.filter(({source}) => !left.has(source))
    }
    console.log(
      `${measurements.length} measurements under load, ${other.measurements.length} of other hardware; ${unused.length + other.unused.length} lines not used`,
    )
    const reasons = new Map<string, number>()
    for (const {why} of [...unused, ...other.unused]) reasons.set(why, (reasons.get(why) ?? 0) + 1)
    for (const [why, count] of reasons) console.log(`  ${count} x ${why}`)

    const sections: Section[] = []
    const report = (title: string, rows: [string, Parameters<typeof row>[1]][]) => {
      sections.push({title, rows})
      console.log(`\n${title}\n${COLUMNS}`)
      for (const [name, score] of rows) console.log(row(name, score))
    }
    const scored = (holdouts: readonly Holdout[]): [string, Parameters<typeof row>[1]][] => holdouts.map(({name, errors}) => [name, scoreOf(errors)])
    /** Says of what was left out how much lies inside the interval that such a question gets. */
    const tellInside = (title: string, holdouts: readonly Holdout[], beyond: (m: Measurement) => readonly Spread[]) => {
      const section = sections.find((one) => one.title === title)
      if (!section) return
      section.inside = insideOf(holdouts, calibration, beyond)
      console.log(insideWords(section.inside))
    }
    const wanted = (what: string) => options.holdout === what || options.holdout === 'all'

    const inHalf = (half: number) => (m: Measurement) => shareOf(m.id, options.seed) < 0.5 === (half === 0)
    const halves = wanted('half') ? [0, 1].map((half) => heldOut(measurements, PRIORS, `half ${half + 1}, fitted to the other`, inHalf(half))) : []
    const open = await readMeasurements(options.serving, catalogue, 'open')
    const halvesOpen = halves.map(({name, fitted}, half): Holdout => {
      const tested = open.measurements.filter(inHalf(half))
      return {name, tested, fitted, errors: tested.map((m) => logErrors(m, fitted))}
    })
    if (halves.length > 0) {
      report(HALVES, scored(halves))
      report(OPEN, scored(halvesOpen))
    }
    const models = wanted('model') ? leaveOneOut(measurements, PRIORS, 'model') : []
    if (models.length > 0) report(MODELS, scored(models))
    const gpus = wanted('gpu') ? leaveOneOut(measurements, PRIORS, 'gpu') : []
    if (gpus.length > 0) report(CARDS, scored(gpus))

    const newest = wanted('release') ? newestLeftOut(measurements) : []
    if (newest.length > 0) report('The newest releases of an engine left out, ten weeks of them', scored(newest))

    const loaded = fitCalibration(measurements, PRIORS)
    const seen = [...new Set(measurements.map((m) => hardwareClass(m.input.accelerator)))].sort()
    const calibration = other.measurements.length > 0 ? fitOther(other.measurements, prompts, loaded, seen) : loaded
    const errorsOf = (part: readonly Measurement[]) => part.map((m) => logErrors(m, calibration))
    // Questions with the flags told and with the flags left open are off by nearly the same: one interval serves both.
    const unseen =
      halves.length > 0
        ? [...halves, ...halvesOpen].flatMap(({errors, tested}) => errors.map((e, i) => ({e, m: tested[i]!})))
        : [...measurements, ...open.measurements].map((m) => ({e: logErrors(m, calibration), m}))
    const opened = halvesOpen.flatMap(({errors, tested}) => errors.map((e, i) => ({e, m: tested[i]!})))
    const engines = [...new Set(measurements.map((m) => m.input.engine))].sort()
    const together = Object.fromEntries(engines.map((engine) => [engine, spreadOf(unseen.filter(({m}) => m.input.engine === engine).map(({e}) => e))]))
    const widening = widenedBy(opened, together)
    const base = times(spreadOf(unseen.map(({e}) => e)), widening)
    const asRan = halves.length > 0 ? spreadOf(halves.flatMap(({errors}) => errors)) : base
    // Other hardware and older releases: each publisher predicted from the others.
    const onSeen = (m: Measurement) => seen.includes(hardwareClass(m.input.accelerator))
    const others = leaveOneOut(other.measurements, loaded, 'source', (part, start) => fitOther(part, withoutLeftOut(part), start, seen))
    // An interval is for the question that people can ask, and none of them tells what a harness does: other hardware is that far off as published.
    const published = await readMeasurements(options.other, catalogue, 'as-published')
    const othersAsked = others.map(({name, fitted, tested: [first]}): Holdout => {
      const tested = published.measurements.filter(({source}) => source === first!.source)
      return {name, tested, fitted, errors: tested.map((m) => logErrors(m, fitted))}
    })
    const believed = PRIORS.spread.extrapolated
    const classRemains = ({gpu, input}: Measurement) =>
      measurements.some((m) => m.gpu !== gpu && hardwareClass(m.input.accelerator) === hardwareClass(input.accelerator))
    calibration.spread = {
      base,
      byEngine: Object.fromEntries(engines.map((engine) => [engine, times(together[engine]!, widening)])),
      extrapolated: {
        hardware: addedBy(
          errorsWhere(othersAsked, (m) => !onSeen(m)),
          base,
          believed.hardware,
        ),
        model: believed.model,
        shape: addedBy(
          models.flatMap(({errors}) => errors),
          asRan,
          NOTHING,
        ),
        // A card whose class is measured without it.
        card: addedBy(
          gpus.filter(({tested}) => classRemains(tested[0]!)).flatMap(({errors}) => errors),
          asRan,
          NOTHING,
        ),
        // What a release, a model or a card adds is told by rows as they ran: flags that nobody mentioned are in the base already.
        release: addedBy(
          newest.flatMap(({errors}) => errors),
          asRan,
          believed.release,
        ),
        engine: addedBy(
          errorsWhere(othersAsked, (m) => onSeen(m) && isOlder(m, calibration)),
          base,
          believed.engine,
        ),
      },
    }
    calibration.name = 'serving'
    calibration.about = `${measurements.length} measurements of closed loops on ${[...new Set(measurements.map((m) => m.gpu))].sort().join(', ')}; ${other.measurements.length} of other hardware for its own rates`
    calibration.seen = {
      // Other hardware counts as extrapolated: its measurements are few and of mixed rigour.
      hardware: seen,
      engines,
      features: [...new Set(measurements.flatMap((m) => preparedModel(m.input, calibration).work.features))].sort(),
      cards: [...new Set(measurements.map((m) => m.gpu))].sort(),
      shapes: [...new Set(measurements.map((m) => shapeOf(m.input.architecture)))].sort(),
      enginesOf: enginesOf([...measurements, ...other.measurements]),
    }
    const {extrapolated} = calibration.spread
    tellInside(HALVES, halves, () => [])
    tellInside(OPEN, halvesOpen, () => [])
    tellInside(MODELS, models, () => [extrapolated.shape])
    tellInside(CARDS, gpus, (m) => [classRemains(m) ? extrapolated.card : extrapolated.hardware])
    calibration.residuals = residualsOf(measurements, calibration)
    report('Fitted to all', [
      ['all', scoreOf(errorsOf(measurements))],
      ...engines.map((engine): [string, Parameters<typeof row>[1]] => [engine, scoreOf(errorsOf(measurements.filter((m) => m.input.engine === engine)))]),
    ])
    if (others.length > 0) {
      const tested = others.flatMap((holdout) => holdout.tested)
      const by = (words: string, of: (m: Measurement) => string): [string, Score][] =>
        [...new Set(tested.map(of))].sort().map((value) => [`${words}${value}`, scoreOf(errorsWhere(others, (m) => of(m) === value))])
      report(PUBLISHERS, [
        ['all', scoreOf(errorsWhere(others, () => true))],
        ['other hardware', scoreOf(errorsWhere(others, (m) => !onSeen(m)))],
        ['older releases', scoreOf(errorsWhere(others, (m) => onSeen(m) && isOlder(m, calibration)))],
        ...by('', (m) => platformOf(m.input.accelerator)),
        ...by('', (m) => kindOf(m.input.workload)),
        ...by('published by ', (m) => m.source),
      ])
      const section = sections.find(({title}) => title === PUBLISHERS)!
      section.inside = insideAsAsked(others, calibration)
      console.log(insideWords(section.inside))
      report(PUBLISHED, [
        ['all', scoreOf(errorsWhere(othersAsked, () => true))],
        ['other hardware', scoreOf(errorsWhere(othersAsked, (m) => !onSeen(m)))],
      ])
      const asPublished = sections.find(({title}) => title === PUBLISHED)!
      asPublished.inside = insideAsAsked(othersAsked, calibration)
      console.log(insideWords(asPublished.inside))
    }
    if (options.check) {
      // The file itself: what is shipped holds classes of platforms that nobody measured beside it.
      const shipped: unknown = JSON.parse(readFileSync(join(root, 'data', 'calibration', 'serving.json'), 'utf8'))
      const differences = differing(shipped, rounded(calibration))
      for (const path of differences) console.error(`differs from data/calibration/serving.json: ${path}`)
      return differences.length > 0 ? 1 : 0
    }
    if (!options.dry) {
      writeFileSync(join(root, 'data', 'calibration', 'serving.json'), `${JSON.stringify(rounded(calibration), undefined, 2)}\n`)
      if (options.holdout === 'all') writeFileSync(join(root, LEFT_OUT), `${JSON.stringify(rounded(sections), undefined, 2)}\n`)
      // The page is of the calibration that was just written.
      return withCatalogue(root, async (fitted) => {
        writeFileSync(join(root, PAGE), await pageOf(root, fitted, options.serving, options.other))
        return 0
      })
    }
    return 0
  })
}
