import type {Calibration, Spread} from '../../core/throughput/calibration.ts'
import {percent, type Score} from './report.ts'

export interface Section {
  title: string
  rows: [string, Score][]
  /** Share of what was left out that lies inside the interval of 80% that such a question gets. */
  inside?: Spread
}

export const insideWords = ({throughput, tpot, ttft}: Spread): string =>
  `Inside the interval that such a question gets: ${[throughput, tpot, ttft].map(percent).join(', ')} (output rate, time per token, first token).`

const table = ({title, rows, inside}: Section): string =>
  [
    `## ${title}`,
    '',
    '| what | cases | output rate: mean | median | nine in ten within | time per token: mean | median | first token: median |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(
      ([name, {n, throughput, tpot, ttft}]) =>
        `| ${name} | ${n} | ${percent(throughput?.mean)} | ${percent(throughput?.median)} | ${percent(throughput?.p90)} | ${percent(tpot?.mean)} | ${percent(tpot?.median)} | ${percent(ttft?.median)} |`,
    ),
    ...(inside ? ['', insideWords(inside)] : []),
  ].join('\n')

/** Errors of the estimates that are given, and the shares that lie inside their intervals: output rate, time per token, first token. */
export interface Group {
  name: string
  score: Score
  inside: [number | undefined, number | undefined, number | undefined]
}

export interface GroupTable {
  title: string
  groups: Group[]
}

const groupTable = ({title, groups}: GroupTable): string =>
  [
    `## ${title}`,
    '',
    '| what | cases | output rate: median | nine in ten within | inside | time per token: median | nine in ten within | inside | first token: median | nine in ten within | inside |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...groups.map(({name, score: {n, throughput, tpot, ttft}, inside}) =>
      [
        `| ${name} | ${n}`,
        ...[throughput, tpot, ttft].map((errors, index) => `${percent(errors?.median)} | ${percent(errors?.p90)} | ${percent(inside[index])}`),
      ]
        .join(' | ')
        .concat(' |'),
    ),
  ].join('\n')

const OUTSIDE = {
  hardware: 'a class of hardware',
  model: 'a kind of layer or feed-forward',
  engine: 'an engine, or a release before the oldest measured',
  release: 'a release after the newest measured',
  shape: 'a model of measured kinds of layers',
  card: 'a card of a measured class',
}

/** Another planner's figures on rows that both answered, asked blind: mean absolute errors of the output rate. */
const PEER = {
  name: 'aiconfigurator 0.12.0',
  revision: '4f57d50',
  rows: [
    ['an unseen configuration', 0.074, 0.146],
    ['an unseen GPU', 0.132, 0.255],
    ['an unseen model', 0.178, 0.153],
  ],
} as const

const peerTable = [
  `## Beside ${PEER.name}`,
  '',
  `Mean error of the output rate on the same measurements, none of which either had seen, where both gave an answer; servefit as of ${PEER.revision}. ${PEER.name.split(' ')[0]} measures kernels on the`,
  'card itself. What left-out models and GPUs come to since stands in the tables above.',
  '',
  `| what | servefit | ${PEER.name.split(' ')[0]} |`,
  '|---|---:|---:|',
  ...PEER.rows.map(([what, ours, theirs]) => `| ${what} | ${percent(ours)} | ${percent(theirs)} |`),
].join('\n')

/** docs/accuracy.md: how far the speed model is off, on what it had seen and on what it had not. */
export function accuracyPage(calibration: Calibration, leftOut: readonly Section[], tables: readonly GroupTable[]): string {
  const {spread} = calibration
  const within = (deviation: number) => `a factor of ${Math.exp(1.2816 * deviation).toFixed(2)}`
  const named = (values: Record<string, number>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  return `# How accurate the speed estimates are

This page is written by \`npm run accuracy\` from measurement files; do not edit it. Errors are absolute and relative to the measurement.

Set "${calibration.name}": ${calibration.about}.

An interval of 80% reaches, up and down, ${within(spread.base.throughput)} for the output rate, ${within(spread.base.tpot)} for the time per token and
${within(spread.base.ttft)} for the time to first token. What nobody measured widens it: deviations of the logarithm that are added in squares.

| outside what was measured | output rate | time per token | first token |
|---|---:|---:|---:|
${(Object.entries(OUTSIDE) as [keyof typeof OUTSIDE, string][])
  .map(([what, words]) => `| ${words} | ${spread.extrapolated[what].throughput} | ${spread.extrapolated[what].tpot} | ${spread.extrapolated[what].ttft} |`)
  .join('\n')}

What is fitted is what ran: the rows say their launch flags, where they are known
([why](decisions/0004-fitted-to-what-ran.md)). The first tables are of such rows. Those from "By engine" on ask as a person would who knows the
model, the machine, the engine's release and the layout, and leaves every other flag open; "inside" is the share of measurements within the stated
interval of 80%.

Not covered: speculation (acceptance rates are assumed), several nodes, pipeline stages under load, CPU offload, releases later than the newest measured one
(it lends its speed, and the interval is wider), and consumer cards under many users (few sources, of mixed rigour).

Other hardware comes from many publishers, and each measured in its own way. Rows are compared with what their harness measures: one burst and the mean of
rates where llama-benchy ran, decoding alone where prompts were in the cache, the newest release of the day where none is named. Rows that are faster than
their weights and caches can be read ran something else, and are left out. A table below has them as they were published instead, as somebody compares them who
knows nothing of the harness: intervals on such hardware are as wide as that takes.

${leftOut.map(table).join('\n\n')}

${peerTable}

${tables.map(groupTable).join('\n\n')}

## Numbers that were fitted

Shares of bandwidth: ${named(calibration.kernels.bandwidth)}.
Shares of the dense rate: ${named(calibration.kernels.compute)}.
Experts: ${named(calibration.kernels.expertCompute)}.
Fixed time of a kernel in microseconds: ${named(calibration.launchMicroseconds)}.

All of them stand in \`data/calibration/serving.json\` with what each means in \`src/core/throughput/calibration.ts\`.
`
}
