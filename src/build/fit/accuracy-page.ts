import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Score} from './report.ts'

export interface Section {
  title: string
  rows: [string, Score][]
}

const percent = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '-' : `${(100 * value).toFixed(1)}%`)

const table = ({title, rows}: Section): string =>
  [
    `## ${title}`,
    '',
    '| what | cases | output rate: mean | median | nine in ten within | time per token: mean | median | first token: median |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(
      ([name, {n, throughput, tpot, ttft}]) =>
        `| ${name} | ${n} | ${percent(throughput?.mean)} | ${percent(throughput?.median)} | ${percent(throughput?.p90)} | ${percent(tpot?.mean)} | ${percent(tpot?.median)} | ${percent(ttft?.median)} |`,
    ),
  ].join('\n')

/** docs/accuracy.md: how far the speed model is off, on what it had seen and on what it had not. */
export function accuracyPage(calibration: Calibration, sections: readonly Section[]): string {
  const {spread} = calibration
  const within = (deviation: number) => `a factor of ${Math.exp(1.2816 * deviation).toFixed(2)}`
  return `# How accurate the speed estimates are

This page is written by \`npm run fit\`; do not edit it. Errors are absolute and relative to the measurement.

Set "${calibration.name}": ${calibration.about}.

An interval of 80% reaches, up and down, ${within(spread.base.throughput)} for the output rate, ${within(spread.base.tpot)} for the time per token and
${within(spread.base.ttft)} for the time to first token; wider for hardware, models or engines that the set has not seen
(deviations of the logarithm that are added in squares, for output rate, time per token and first token: ${(['hardware', 'model', 'engine'] as const)
    .map((what) => `${what} ${spread.extrapolated[what].throughput}, ${spread.extrapolated[what].tpot}, ${spread.extrapolated[what].ttft}`)
    .join('; ')}).

What is fitted is what ran: launch flags, and a few precisions and layouts that the rows name wrongly, are put right first
(\`src/build/fit/launches.ts\`, each with its source).

${sections.map(table).join('\n\n')}

## Numbers that were fitted

Shares of bandwidth: ${Object.entries(calibration.kernels.bandwidth)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}.
Shares of the dense rate: ${Object.entries(calibration.kernels.compute)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}.
Experts: ${Object.entries(calibration.kernels.expertCompute)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}.
Fixed time of a kernel in microseconds: ${Object.entries(calibration.launchMicroseconds)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')}.

All of them stand in \`data/calibration/serving.json\` with what each means in \`src/core/throughput/calibration.ts\`.
`
}
