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
import {logErrors, type Measurement} from './fit.ts'
import {kindOf, platformOf} from './kinds.ts'
import {readMeasurements} from './measurements.ts'
import {isInside, scoreOf} from './report.ts'

const USAGE = `usage: npm run accuracy -- [--check | --against REF] SERVING.jsonl [--other OTHER.jsonl]

Writes docs/accuracy.md: what \`npm run fit\` left out and predicted, and how the estimates that are given meet the files.
--check: compares with the page and exits with 1 where they differ.
--against REF: writes nothing, and tells which estimates differ from those of a git revision, by how much, and what was measured.`

/** What the fit wrote of measurements that it had left out. */
export const LEFT_OUT = join('src', 'build', 'fit', 'left-out.json')
export const PAGE = join('docs', 'accuracy.md')

function groupOf(name: string, part: readonly Measurement[], calibration: Calibration): Group {
  const inside: boolean[][] = [[], [], []]
  const errors = part.map((measurement): [number, number, number] => {
    const {ttftMs, tpotMs, outputTokensPerSecond} = performance(measurement.input, calibration)
    const found = logErrors(measurement, calibration)
    for (const [index, of, interval] of [
      [0, 2, outputTokensPerSecond],
      [1, 1, tpotMs],
      [2, 0, ttftMs],
    ] as [number, 0 | 1 | 2, Interval][])
      if (!Number.isNaN(found[of])) inside[index]!.push(isInside(found[of], interval))
    return found
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
    tableBy('By weight format', measurements, calibration, (m) => m.input.checkpoint.weights),
    {title: 'All', groups: [groupOf('all', measurements, calibration)]},
  ]
  if (elsewhere.length > 0)
    tables.push(
      tableBy(
        'All measurements, by platform and load',
        [...measurements, ...elsewhere],
        calibration,
        (m) => `${platformOf(m.input.accelerator)}: ${kindOf(m.input.workload)}`,
      ),
      tableBy('Other hardware and older releases, by compute capability or gfx target', elsewhere, calibration, (m) => hardwareClass(m.input.accelerator)),
    )
  return accuracyPage(calibration, leftOut, tables)
}

/** Values of an option that may be given several times. */
const valuesOf = (args: readonly string[], option: string): string[] => args.flatMap((argument, index) => (argument === option ? [args[index + 1] ?? ''] : []))

/** Writes docs/accuracy.md, compares it with what it would be, or compares estimates with those of a revision. */
export async function main({root, args}: Task): Promise<number> {
  const [other, refs] = [valuesOf(args, '--other'), valuesOf(args, '--against')]
  const serving = args.filter((argument, index) => !argument.startsWith('--') && !['--other', '--against'].includes(args[index - 1] ?? ''))
  const unknown = args.some((argument) => argument.startsWith('--') && !['--check', '--other', '--against'].includes(argument))
  if (serving.length + (refs.length > 0 ? other.length : 0) === 0 || refs.length > 1 || unknown) {
    console.error(USAGE)
    return 2
  }
  const [ref] = refs
  if (ref !== undefined) {
    const {against, RunError} = await import('./against.ts')
    try {
      console.log(against(root, ref, [...serving, ...other]))
      return 0
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      console.error(error.message)
      return 2
    }
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
