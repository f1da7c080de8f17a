import type {Calibration, Spread} from '../../core/throughput/calibration.ts'
import {percent, type Score} from './report.ts'

export interface Section {
  title: string
  rows: [string, Score][]
  /** Share of what was left out that lies inside the interval of 80% that such a question gets. */
  inside?: Spread
}

export const insideWords = ({throughput, tpot, ttft}: Spread): string =>
  `Inside the 80% interval that such a question gets: output tokens/s ${percent(throughput)}, TPOT ${percent(tpot)}, TTFT ${percent(ttft)}.`

const table = ({title, rows, inside}: Section): string =>
  [
    `## ${title}`,
    '',
    '| what | cases | output tokens/s: mean | median | 90th percentile | TPOT: mean | median | TTFT: median |',
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
    '| what | cases | output tokens/s: median | 90th percentile | inside | TPOT: median | 90th percentile | inside | TTFT: median | 90th percentile | inside |',
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
  hardware: 'the class of hardware',
  model: 'a kind of layer or feed-forward',
  engine: 'the engine, or a release older than the oldest measured',
  release: 'a release newer than the newest measured',
  shape: 'the model, of measured kinds of layers',
  card: 'the card, of a measured class',
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
  `## Compared with ${PEER.name}`,
  '',
  `Mean error of output tokens/s on the same measurements, which neither had seen, where both gave an answer; servefit at revision ${PEER.revision}. ${PEER.name.split(' ')[0]} has`,
  'measured kernels on the card itself. The tables above have what left-out models and GPUs come to today.',
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

This page is written by \`npm run accuracy\` from measurement files; do not edit it. Errors are absolute values, relative to the measurement.
Output tokens/s are those of the whole deployment, TPOT is the mean time per output token after the first, TTFT the time to first token.

Fitted to the set "${calibration.name}": ${calibration.about}.

The 80% interval reaches, up and down, ${within(spread.base.throughput)} for output tokens/s, ${within(spread.base.tpot)} for TPOT and
${within(spread.base.ttft)} for TTFT. Where something was never measured it is wider: these standard deviations of the logarithm are
added in quadrature.

| never measured | output tokens/s | TPOT | TTFT |
|---|---:|---:|---:|
${(Object.entries(OUTSIDE) as [keyof typeof OUTSIDE, string][])
  .map(
    ([what, words]) =>
      `| ${words} | ${[spread.extrapolated[what].throughput, spread.extrapolated[what].tpot, spread.extrapolated[what].ttft].map((deviation) => deviation.toFixed(2)).join(' | ')} |`,
  )
  .join('\n')}

The model is fitted to launches as they ran, with their flags where these are known ([why](decisions/0004-fitted-to-what-ran.md)), and the first
tables are about such launches. The tables from "By engine" on ask as somebody would who knows the model, the machine, the engine's release and the
layout, and leaves every other flag open; there, "inside" is the share of measurements inside the stated 80% interval.

Not covered: speculative decoding (acceptance rates are assumed), several nodes, pipeline stages under load, CPU offload, releases newer than the newest
measured one (they get its speed and a wider interval), and consumer cards with many users (few sources, of mixed rigour).

Measurements of other hardware come from many publishers, who each measured in their own way. An estimate is compared with what the harness in question
measures: a single burst and the mean of the rates for llama-benchy, decoding alone where the prompts were already cached, the newest release of the day where
none is named. Rows that are faster than their weights and caches can be read must have run something else, and are left out. One table below takes the
figures as published instead, as somebody would who knows nothing of the harness; the intervals for such hardware are wide enough for that. The
rates of such hardware also rest on published times to first token of single prompts (\`src/build/fit/prompts.yaml\`), which no table counts.

${leftOut.map(table).join('\n\n')}

${peerTable}

${tables.map(groupTable).join('\n\n')}

## Fitted numbers

Share of the memory bandwidth that is reached: ${named(calibration.kernels.bandwidth)}.
Share of the peak dense rate that is reached: ${named(calibration.kernels.compute)}.
The same for experts: ${named(calibration.kernels.expertCompute)}.
Fixed time of a kernel, in microseconds: ${named(calibration.launchMicroseconds)}.

The values are in \`data/calibration/serving.json\`; \`src/core/throughput/calibration.ts\` says what each one means.
`
}
