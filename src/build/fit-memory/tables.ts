import type {MemoryCalibration} from '../../engines/overheads.ts'
import {percent} from '../fit/report.ts'
import {FITTED} from './priors.ts'

const MIB = 1024 ** 2
const size = (name: string, value: number): string =>
  /bytes/i.test(name) && value >= 100_000 ? `${(value / MIB).toFixed(value < MIB ? 2 : 0)} MiB` : String(value)

const factors = (of: Record<string, number>): string =>
  Object.entries(of)
    .map(([name, factor]) => `${name} ${factor}`)
    .join(', ')

/** The fitted numbers as Markdown tables. */
export function tablesOf(calibration: MemoryCalibration): string {
  const residuals = Object.entries(calibration).map(
    ([id, {residuals, spreadBytes, basis}]) =>
      `| ${id} | ${residuals?.n ?? 0} | ${percent(residuals?.median)} | ${percent(residuals?.p90)} | ${size('bytes', spreadBytes)} | ${basis} |`,
  )
  const parameters = Object.entries(calibration).flatMap(([id, values]) =>
    (FITTED[id] ?? []).map(({name, meaning, get}) => `| ${id} | ${name} | ${size(name, get(values))} | ${meaning} |`),
  )
  const errors = Object.entries(calibration).flatMap(([id, {errors: of}]) =>
    of
      ? [
          `| ${id} | ${of.cases} | ${percent(of.inside)} | ${of.margins} | ${factors(of.kinds)} | ${factors(of.platforms)} | ${of.releases.map(({since, factor}) => `${since} ${factor}`).join(', ')}, after ${of.newest} ${of.unseen.release} |`,
        ]
      : [],
  )
  return [
    '| engine | cases | error of the cache: median | 90th percentile | spread | from |',
    '| --- | --- | --- | --- | --- | --- |',
    ...residuals,
    '',
    '| engine | parameter | value | meaning |',
    '| --- | --- | --- | --- |',
    ...parameters,
    '',
    '| engine | cases left out | inside the interval | multiple | by kind of attention | by platform | by release |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...errors,
    '',
  ].join('\n')
}
