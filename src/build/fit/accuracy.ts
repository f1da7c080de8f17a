import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {hardwareClass} from '../../core/throughput/hardware.ts'
import {performance} from '../../core/throughput/performance.ts'
import type {Interval} from '../../core/terms.ts'
import type {Task} from '../task.ts'
import {withCatalogue} from '../with-catalogue.ts'
import {accuracyPage, type Group, type GroupTable, type Section} from './accuracy-page.ts'
import type {Measurement} from './fit.ts'
import {readMeasurements} from './measurements.ts'
import {scoreOf} from './report.ts'

const USAGE = `usage: npm run accuracy -- [--check] SERVING.jsonl [--other OTHER.jsonl]

Writes docs/accuracy.md: what \`npm run fit\` left out and predicted, and how the estimates that are given meet the files.
--check: compares with the page and exits with 1 where they differ.`

/** What the fit wrote of measurements that it had left out. */
export const LEFT_OUT = join('src', 'build', 'fit', 'left-out.json')
export const PAGE = join('docs', 'accuracy.md')

function groupOf(name: string, part: readonly Measurement[], calibration: Calibration): Group {
  const inside: boolean[][] = [[], [], []]
  const errors = part.map(({input, observed}): [number, number, number] => {
    const {ttftMs, tpotMs, outputTokensPerSecond} = performance(input, calibration)
    const compare = (index: number, interval: Interval, seen: number | undefined): number => {
      if (seen === undefined) return NaN
      inside[index]!.push(interval.low <= seen && seen <= interval.high)
      return Math.log(interval.estimate / seen)
    }
    const rate = compare(0, outputTokensPerSecond, observed.outputTokensPerSecond)
    const perToken = compare(1, tpotMs, observed.tpotMs)
    return [compare(2, ttftMs, observed.ttftMs), perToken, rate]
  })
  const share = (flags: readonly boolean[]) => (flags.length > 0 ? flags.filter(Boolean).length / flags.length : undefined)
  return {name, score: scoreOf(errors), inside: [share(inside[0]!), share(inside[1]!), share(inside[2]!)]}
}

function tableBy(title: string, measurements: readonly Measurement[], calibration: Calibration, of: (m: Measurement) => string): GroupTable {
  const names = [...new Set(measurements.map(of))].sort()
  return {
    title,
    groups: names.map((name) =>
      groupOf(
        name,
        measurements.filter((m) => of(m) === name),
        calibration,
      ),
    ),
  }
}

/** The page for the calibration of the catalogue, from measurement files. */
export async function pageOf(root: string, catalogue: Catalogue, serving: readonly string[], other: readonly string[]): Promise<string> {
  const calibration = catalogue.speedCalibration
  const {measurements} = await readMeasurements(serving, catalogue, 'open')
  const elsewhere = (await readMeasurements(other, catalogue)).measurements
  const leftOut = JSON.parse(readFileSync(join(root, LEFT_OUT), 'utf8')) as Section[]
  const tables = [
    tableBy('By engine', measurements, calibration, (m) => m.input.engine),
    tableBy('By GPU', measurements, calibration, (m) => m.gpu),
    tableBy('By model', measurements, calibration, (m) => m.model),
    tableBy('By precision of the weights', measurements, calibration, (m) => m.input.checkpoint.weights),
    {title: 'All', groups: [groupOf('all', measurements, calibration)]},
  ]
  if (elsewhere.length > 0)
    tables.push(tableBy('Other hardware and older releases, by class of hardware', elsewhere, calibration, (m) => hardwareClass(m.input.accelerator)))
  return accuracyPage(calibration, leftOut, tables)
}

/** Writes docs/accuracy.md, or compares it with what it would be. */
export async function main({root, args}: Task): Promise<number> {
  const other = args.flatMap((argument, index) => (argument === '--other' ? [args[index + 1] ?? ''] : []))
  const serving = args.filter((argument, index) => !argument.startsWith('--') && args[index - 1] !== '--other')
  if (serving.length === 0 || args.some((argument) => argument.startsWith('--') && !['--check', '--other'].includes(argument))) {
    console.error(USAGE)
    return 2
  }
  return withCatalogue(root, async (catalogue) => {
    const page = await pageOf(root, catalogue, serving, other)
    if (!args.includes('--check')) writeFileSync(join(root, PAGE), page)
    else if (readFileSync(join(root, PAGE), 'utf8') !== page) {
      console.error(`${PAGE} is not what these measurements give: npm run accuracy -- ${args.filter((argument) => argument !== '--check').join(' ')}`)
      return 1
    }
    return 0
  })
}
