import type {MemoryCalibration} from '../../engines/overheads.ts'
import {percent} from '../fit/report.ts'
import {FITTED} from './priors.ts'

const MIB = 1024 ** 2
const size = (name: string, value: number): string =>
  /bytes/i.test(name) && value >= 100_000 ? `${(value / MIB).toFixed(value < MIB ? 2 : 0)} MiB` : String(value)

/** The fitted numbers as Markdown tables. */
export function tablesOf(calibration: MemoryCalibration): string {
  const residuals = Object.entries(calibration).map(
    ([id, {residuals, spreadBytes, basis}]) =>
      `| ${id} | ${residuals?.n ?? 0} | ${percent(residuals?.median)} | ${percent(residuals?.p90)} | ${size('bytes', spreadBytes)} | ${basis} |`,
  )
  const parameters = Object.entries(calibration).flatMap(([id, values]) =>
    (FITTED[id] ?? []).map(({name, meaning, get}) => `| ${id} | ${name} | ${size(name, get(values))} | ${meaning} |`),
  )
  return [
    '| engine | cases | median error of the cache | nine in ten within | spread kept clear | from |',
    '| --- | --- | --- | --- | --- | --- |',
    ...residuals,
    '',
    '| engine | parameter | value | meaning |',
    '| --- | --- | --- | --- |',
    ...parameters,
    '',
  ].join('\n')
}
