import type {ComparedFigure, ComparedRun, UnansweredRun, Verification, VerifiedLine} from '../planner/verify/index.ts'
import {bytesInWords} from '../core/words.ts'
import {machineTitle} from './hardware.ts'
import {count, duration, rate} from './numbers.ts'
import {harmless, type Paint, padEnd, padStart, paint, widthOf, wrap} from './style.ts'

interface View {
  columns: number
  colour: boolean
}

const LABEL = 16
const row = (label: string, text: string, {columns}: View): string => `  ${padEnd(label, LABEL)}${wrap(text, columns - LABEL - 2, LABEL + 2)}`

const GIB = 1024 ** 3
const figure = (value: number, unit: VerifiedLine['unit']): string =>
  unit === 'bytes' ? (value / GIB).toFixed(2) : unit === 'tokens' ? count(value) : Number.isInteger(value) ? count(value) : value.toFixed(value < 100 ? 2 : 0)
const signed = (value: number, words: (value: number) => string): string => `${value < 0 ? '-' : '+'}${words(Math.abs(value))}`
const percent = (share: number): string => signed(share * 100, (value) => `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)}%`)

function title(left: string, right: string, {columns}: View, style: Paint): string {
  const gap = columns - widthOf(left) - widthOf(right)
  return gap >= 2 ? style.bold(left) + ' '.repeat(gap) + style.dim(right) : `${style.bold(wrap(left, columns))}\n${style.dim(right)}`
}

const OUTCOMES: Record<string, string> = {
  started: 'started',
  'kv-too-small': 'refused: the cache is too small',
  'out-of-memory': 'ran out of memory',
  'memory-taken': 'refused: the memory is taken',
  unknown: 'is not told',
  unsupported: 'would be refused',
}

function verdictLine({within, decisive, spreadBytes, outcome}: Verification, view: View, style: Paint): string {
  const word = within ? 'right' : 'off'
  const painted = within ? style.good(style.bold(word)) : style.warn(style.bold(word))
  const text = decisive
    ? `${decisive.name} differs by ${bytesInWords(Math.abs(decisive.differenceBytes))}, ${within ? 'within' : 'more than'} the estimate's own error (${bytesInWords(spreadBytes)})`
    : `the engine ${OUTCOMES[outcome.reported]}, predicted was: ${OUTCOMES[outcome.predicted]}`
  return `  ${painted}   ${wrap(text, view.columns - widthOf(word) - 5, widthOf(word) + 5)}`
}

function linesTable(lines: readonly VerifiedLine[]): string[] {
  const cells = lines.map(({name, unit, predicted, reported, difference, relative}) => [
    `${name}${unit === 'bytes' ? ', GiB' : ''}`,
    figure(predicted, unit),
    figure(reported, unit),
    signed(difference, (value) => figure(value, unit)),
    relative === undefined ? '' : percent(relative),
  ])
  const titles = ['', 'predicted', 'reported', 'difference', '']
  const widths = titles.map((text, column) => Math.max(text.length, ...cells.map((line) => line[column]!.length)))
  return [titles, ...cells].map((line) =>
    `  ${line.map((cell, column) => (column === 0 ? padEnd(cell, widths[0]!) : padStart(cell, widths[column]!))).join('  ')}`.trimEnd(),
  )
}

/** A start-up log beside its prediction, for people. */
export function renderVerification(verified: Verification, savedTo: string | undefined, view: View): string {
  const style = paint(view.colour)
  const {
    report,
    answer: {best, machine},
    lines,
    worst,
    outcome,
    changes,
    warnings,
    correction,
  } = verified
  const text = [
    title(`${harmless(best.model.name)} on ${machineTitle(machine)}`, `${best.engine.title} ${best.deployment.engineVersion}`, view, style),
    '',
    verdictLine(verified, view, style),
  ]
  if (lines.length > 0) text.push('', ...linesTable(lines))
  const rows: [string, string][] = []
  const processes = report.ranks.filter(({figures}) => figures.weightsBytes !== undefined || figures.kvCacheBytes !== undefined).length
  if (processes > 1) rows.push(['Processes', `${processes} printed their memory; the one with least room decides`])
  if (outcome.reported !== 'unknown')
    rows.push([
      'Engine',
      outcome.reported === 'started'
        ? `started${outcome.predicted === 'started' ? ', as predicted' : '; predicted was that it would not'}`
        : `${OUTCOMES[outcome.reported]}${outcome.predicted === 'started' ? '; predicted was that it would start' : ''}`,
    ])
  if (worst && Math.abs(worst.difference) >= GIB / 100)
    rows.push([
      'Most off',
      `${worst.name}: ${bytesInWords(Math.abs(worst.difference))} ${worst.difference < 0 ? 'less' : 'more'} than predicted${worst.because ? ` (${worst.because})` : ''}`,
    ])
  for (const [index, {flag, because}] of changes.entries()) rows.push([index === 0 ? 'Change' : '', `${harmless(flag)}: ${because}`])
  for (const {message} of warnings) rows.push(['Note', harmless(message)])
  if (savedTo !== undefined) rows.push(['Saved', `${savedTo}: later answers for this GPU, engine and release carry it (--no-corrections leaves it out)`])
  else if (correction && !verified.within) rows.push(['Next', '--save keeps the difference: later answers for this GPU, engine and release carry it'])
  if (rows.length > 0) text.push('', ...rows.map(([label, words]) => row(label, words, view)))
  return `${text.join('\n')}\n`
}

const METRIC_NAMES: Record<ComparedFigure['metric'], string> = {ttftMs: 'first token', tpotMs: 'per token', outputTokensPerSecond: 'tok/s in all'}
const speed = (metric: ComparedFigure['metric'], value: number): string => (metric === 'outputTokensPerSecond' ? rate(value) : duration(value))

function loadWords({inputTokens, outputTokens, concurrency, requestRate}: ComparedRun['workload']): string {
  const load = requestRate !== undefined ? `${rate(requestRate)} requests/s` : concurrency === 'max' ? 'as many as fit' : `${count(concurrency ?? 1)} at once`
  return `${count(inputTokens)} in, ${count(outputTokens)} out, ${load}`
}

/** Benchmark results beside what was predicted, for people. */
export function renderBench(runs: readonly ComparedRun[], unanswered: readonly UnansweredRun[], within: boolean, view: View): string {
  const style = paint(view.colour)
  const figures = runs.flatMap((run) => run.figures)
  const inside = figures.filter((one) => one.inside).length
  const word = within ? 'right' : 'off'
  const text = [
    `  ${within ? style.good(style.bold(word)) : style.warn(style.bold(word))}   ${wrap(`${inside} of ${figures.length} figures lie in their stated interval; 8 in 10 should`, view.columns - 10, 8)}`,
  ]
  for (const {place, model, gpu, engine, engineVersion, workload, calibration, figures: own} of runs) {
    text.push(
      '',
      ...wrap(`${harmless(model)} on ${gpu}, ${engine} ${harmless(engineVersion)}: ${loadWords(workload)}`, view.columns).split('\n'),
      ...`  ${style.dim(wrap(`${harmless(place)}; calibration: ${harmless(calibration)}`, view.columns - 2, 2))}`.split('\n'),
    )
    const cells = own.map(({metric, estimate, low, high, reported, relative, inside: ok}) => [
      METRIC_NAMES[metric],
      speed(metric, estimate),
      `(${speed(metric, low)} to ${speed(metric, high)})`,
      speed(metric, reported),
      percent(relative),
      ok ? '' : 'outside',
    ])
    const titles = ['', 'predicted', '', 'measured', '', '']
    const widths = titles.map((name, column) => Math.max(name.length, ...cells.map((line) => line[column]!.length)))
    text.push(
      ...[titles, ...cells].map((line) =>
        `  ${line.map((cell, column) => (column === 0 || column === 2 || column === 5 ? padEnd(cell, widths[column]!) : padStart(cell, widths[column]!))).join('  ')}`.trimEnd(),
      ),
    )
  }
  for (const {place, error} of unanswered) text.push('', `  ${wrap(`${harmless(place)}: ${harmless(error.message)}`, view.columns - 4, 4)}`)
  return `${text.join('\n')}\n`
}
