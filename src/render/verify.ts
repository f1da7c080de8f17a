import {minorOf} from '../engines/versions.ts'
import type {ComparedFigure, ComparedRun, Decisive, UnansweredRun, Verification, VerifiedLine} from '../planner/verify/index.ts'
import {bytesInWords} from '../core/words.ts'
import {machineTitle} from './hardware.ts'
import {type Look, tablesOf} from './look.ts'
import {count, inOneUnit, rate} from './numbers.ts'
import {harmless, type Paint, padEnd, paint, widthOf, wrap} from './style.ts'
import {type Column, table} from './tables.ts'
import {dictionary} from '../core/dictionary.ts'

const LABEL = 16
const row = (label: string, text: string, {columns}: Look): string => `  ${padEnd(label, LABEL)}${wrap(text, columns - LABEL - 2, LABEL + 2)}`

const GIB = 1024 ** 3
const figure = (value: number, unit: VerifiedLine['unit']): string =>
  unit === 'bytes' ? (value / GIB).toFixed(2) : unit === 'tokens' ? count(value) : Number.isInteger(value) ? count(value) : value.toFixed(value < 100 ? 2 : 0)
const signed = (value: number, words: (value: number) => string): string => `${value < 0 ? '-' : '+'}${words(Math.abs(value))}`
const percent = (share: number): string => signed(share * 100, (value) => `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)}%`)

/** What was expected of the start. */
const PREDICTED: Record<Verification['outcome']['predicted'], string> = {
  started: 'that it starts',
  'kv-too-small': 'that it does not start',
  unsupported: 'that it is refused',
}

function title(left: string, right: string, {columns}: Look, style: Paint): string {
  const gap = columns - widthOf(left) - widthOf(right)
  return gap >= 2 ? style.bold(left) + ' '.repeat(gap) + style.dim(right) : `${style.bold(wrap(left, columns))}\n${style.dim(right)}`
}

const OUTCOMES: Record<string, string> = dictionary({
  started: 'started',
  'kv-too-small': 'refused: the cache is too small',
  'out-of-memory': 'ran out of memory',
  'memory-taken': 'refused: the memory is taken',
  unknown: 'is not said',
  unsupported: 'refused: what was asked for is not supported here',
})

/** By how much, in the figure's own unit: counts are not spoken of in GiB. */
function differenceWords({name, unit, difference, differenceBytes}: Decisive, {lines, spreadBytes, within}: Verification): string {
  const relation = within ? 'within' : 'more than'
  if (unit === 'bytes') return `${name} differs by ${bytesInWords(Math.abs(difference))}, ${relation} the margin of error (${bytesInWords(spreadBytes)})`
  const relative = lines.find((line) => line.name === name)?.relative
  // As many as the estimate's error in bytes holds.
  const spread = differenceBytes === 0 ? undefined : Math.abs((difference / differenceBytes) * spreadBytes)
  const share = relative === undefined ? '' : ` (${percent(relative)})`
  return `${name} differ by ${count(Math.abs(difference))}${share}, ${relation} the margin of error${spread === undefined ? '' : ` (${count(spread)})`}`
}

function verdictLine(verified: Verification, view: Look, style: Paint): string {
  const {within, decisive, outcome, mismatches} = verified
  const word = mismatches.length > 0 ? 'not comparable' : within ? 'right' : 'off'
  const painted = within && mismatches.length === 0 ? style.good(style.bold(word)) : style.warn(style.bold(word))
  const text =
    mismatches.length > 0
      ? mismatches.map(({message}) => message).join('; ')
      : decisive
        ? differenceWords(decisive, verified)
        : `the engine ${OUTCOMES[outcome.reported]}; the prediction was ${PREDICTED[outcome.predicted]}`
  return `  ${painted}   ${wrap(text, view.columns - widthOf(word) - 5, widthOf(word) + 5)}`
}

/** A table below an indent of two. */
const indented = (text: string): string[] => text.trimEnd().replaceAll(/^/gm, '  ').split('\n')

/** Foreign words that are quoted from their beginning. */
const shortened = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}...` : text)

/** From this difference on a figure is coloured. */
const NOTICEABLE = 0.05

function linesTable(lines: readonly VerifiedLine[], look: Look, style: Paint): string[] {
  const columns: Column<VerifiedLine>[] = [
    {title: 'Figure', value: ({name, unit}) => `${name}${unit === 'bytes' ? ', GiB' : ''}`},
    {title: 'Predicted', value: ({predicted, unit}) => figure(predicted, unit), right: true},
    {title: 'Reported', value: ({reported, unit}) => figure(reported, unit), right: true},
    {title: 'Difference', value: ({difference, unit}) => signed(difference, (value) => figure(value, unit)), right: true, expendable: 1},
    {
      title: 'Off by',
      value: ({relative}) => (relative === undefined ? '' : percent(relative)),
      right: true,
      style: ({relative = 0}) => (Math.abs(relative) >= NOTICEABLE ? style.warn : undefined),
    },
  ]
  return indented(table(lines, columns, tablesOf(look) - 2))
}

function engineWords({reported, predicted}: Verification['outcome']): string {
  if (reported === 'started') return `started${predicted === 'started' ? ', as predicted' : '; the prediction was that it would not'}`
  return `${OUTCOMES[reported]}${predicted === 'started' ? '; the prediction was that it would start' : ', as predicted'}`
}

/** A failure behind the start: what was predicted of the start is not touched by it. */
const laterWords = ({during, message}: NonNullable<Verification['outcome']['later']>): string =>
  during === 'wake-up'
    ? 'it served requests; later it failed to wake up from sleep, because the memory that it had given back was taken meanwhile: whatever starts beside it must leave that much free'
    : `it served requests, and failed later: ${shortened(harmless(message), 160)}`

/** A start-up log beside its prediction, for people. */
export function renderVerification(verified: Verification, savedTo: string | undefined, view: Look): string {
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
    mismatches,
  } = verified
  const text = [
    title(`${harmless(best.model.name)} on ${machineTitle(machine)}`, `${best.engine.title} ${best.deployment.engineVersion}`, view, style),
    '',
    verdictLine(verified, view, style),
  ]
  if (lines.length > 0) text.push('', ...linesTable(lines, view, style))
  const rows: [string, string][] = []
  const processes = report.ranks.filter(({figures}) => figures.weightsBytes !== undefined || figures.kvCacheBytes !== undefined).length
  if (processes > 1) rows.push(['Processes', `${processes} printed their memory; the one with the least room decides`])
  if (outcome.reported !== 'unknown') rows.push(['Engine', engineWords(outcome)])
  if (outcome.reported === 'unsupported' && report.refusal) rows.push(['It said', shortened(harmless(report.refusal.message), 240)])
  if (outcome.later) rows.push(['Later', laterWords(outcome.later)])
  if (mismatches.length === 0 && worst && Math.abs(worst.difference) >= GIB / 100)
    rows.push([
      'Largest gap',
      `${worst.name}: ${bytesInWords(Math.abs(worst.difference))} ${worst.difference < 0 ? 'less' : 'more'} than predicted${worst.because ? ` (${worst.because})` : ''}`,
    ])
  for (const [index, {flag, because}] of changes.entries()) rows.push([index === 0 ? 'Change' : '', `${harmless(flag)}: ${because}`])
  for (const {code, message} of warnings) if (code !== 'log-of-another') rows.push(['Note', harmless(message)])
  if (savedTo !== undefined)
    rows.push([
      'Saved',
      `${savedTo}: later answers for this GPU, this engine and its ${minorOf(best.deployment.engineVersion)} releases use it (--no-corrections ignores it)`,
    ])
  else if (correction && !verified.within && verified.mismatches.length === 0)
    rows.push([
      'Next',
      verified.releaseAssumed
        ? '--engine-version RELEASE: a difference can be kept once it is known which release ran'
        : `--save keeps the difference: later answers for this GPU, this engine and its ${minorOf(best.deployment.engineVersion)} releases will use it`,
    ])
  if (rows.length > 0) text.push('', ...rows.map(([label, words]) => row(label, words, view)))
  return `${text.join('\n')}\n`
}

const METRIC_NAMES: Record<ComparedFigure['metric'], string> = {ttftMs: 'First token', tpotMs: 'Per token', outputTokensPerSecond: 'Total tok/s'}

function loadWords({inputTokens, outputTokens, concurrency, requestRate}: ComparedRun['workload']): string {
  const load =
    requestRate !== undefined
      ? `${rate(requestRate)} requests/s`
      : concurrency === 'max'
        ? 'as many as fit'
        : `${count(concurrency ?? 1)} user${(concurrency ?? 1) === 1 ? '' : 's'}`
  return `${count(inputTokens)} in, ${count(outputTokens)} out, ${load}`
}

/** Benchmark results beside what was predicted, for people. */
export function renderBench(runs: readonly ComparedRun[], unanswered: readonly UnansweredRun[], within: boolean, view: Look): string {
  const style = paint(view.colour)
  const figures = runs.flatMap((run) => run.figures)
  const inside = figures.filter((one) => one.inside).length
  const word = within ? 'right' : 'off'
  const text = [
    `  ${within ? style.good(style.bold(word)) : style.warn(style.bold(word))}   ${wrap(`${inside} of ${figures.length} ${figures.length === 1 ? 'figure lies' : 'figures lie'} within the stated interval; 8 in 10 should`, view.columns - 10, 8)}`,
  ]
  for (const {place, model, gpu, engine, engineVersion, workload, calibration, figures: own} of runs) {
    text.push(
      '',
      ...wrap(`${harmless(model)} on ${gpu}, ${engine} ${harmless(engineVersion)}: ${loadWords(workload)}`, view.columns).split('\n'),
      ...`  ${style.dim(wrap(`${harmless(place)}; calibration: ${harmless(calibration)}`, view.columns - 2, 2))}`.split('\n'),
    )
    text.push(...indented(table(own, benchColumns(own, style), tablesOf(view) - 2)))
  }
  for (const {place, error} of unanswered) text.push('', `  ${wrap(`${harmless(place)}: ${harmless(error.message)}`, view.columns - 4, 4)}`)
  return `${text.join('\n')}\n`
}

/** Times of one run stand in one unit; rates are no times. */
function benchColumns(figures: readonly ComparedFigure[], style: Paint): Column<ComparedFigure>[] {
  const isRate = (metric: ComparedFigure['metric']) => metric === 'outputTokensPerSecond'
  const time = inOneUnit(figures.filter(({metric}) => !isRate(metric)).flatMap(({estimate, low, high, reported}) => [estimate, low, high, reported]))
  const words = (metric: ComparedFigure['metric'], value: number) => (isRate(metric) ? rate(value) : time(value))
  return [
    {title: 'Figure', value: ({metric}) => METRIC_NAMES[metric]},
    {title: 'Predicted', value: ({metric, estimate}) => words(metric, estimate), right: true},
    {title: 'Interval', value: ({metric, low, high}) => `${words(metric, low)} to ${words(metric, high)}`, expendable: 1},
    {title: 'Measured', value: ({metric, reported}) => words(metric, reported), right: true},
    {title: 'Off by', value: ({relative}) => percent(relative), right: true},
    {title: 'Within', value: ({inside}) => (inside ? 'yes' : 'no'), style: ({inside}) => (inside ? style.good : style.warn)},
  ]
}
