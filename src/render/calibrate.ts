import type {Refit, UnansweredRun} from '../planner/verify/index.ts'
import {changeOf, type MetricErrors, type SpeedFactors} from '../planner/world/index.ts'
import {duration} from './numbers.ts'
import {harmless, padEnd, padStart, paint, wrap} from './style.ts'

interface View {
  columns: number
  colour: boolean
}

const NAMES: Record<keyof SpeedFactors, string> = {bandwidth: 'memory bandwidth', compute: 'compute', hostMilliseconds: 'host time per step'}
const METRICS = {ttftMs: 'first token', tpotMs: 'per token', outputTokensPerSecond: 'total tok/s'}
const percent = (share: number): string => `${share < 0 ? '-' : '+'}${Math.abs(share * 100).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)}%`

const valueWords = (parameter: keyof SpeedFactors, {bandwidth, compute, hostMilliseconds}: SpeedFactors): string =>
  parameter === 'hostMilliseconds'
    ? `${hostMilliseconds < 0 ? '-' : '+'}${duration(Math.abs(hostMilliseconds))}`
    : `x ${(parameter === 'bandwidth' ? bandwidth : compute).toFixed(3)}`

const CHANGES = {better: 'better', worse: 'worse', same: 'as before'}
const metricWords = (one: MetricErrors): string =>
  `${CHANGES[changeOf(one)]}: median error ${(one.after * 100).toFixed(1)}%, was ${(one.before * 100).toFixed(1)}% (${one.figures} figure${one.figures === 1 ? '' : 's'})`

/** Longest list of residuals on a screen; --json has them all. */
const MOST_RESIDUALS = 24

function fitLines(
  {gpu, engine, runs, factors, fitted, left, residuals, medianErrorBefore, medianErrorAfter, metrics, better}: Refit,
  {columns, colour}: View,
): string[] {
  const style = paint(colour)
  const lines = [style.bold(`${engine} on ${gpu}, ${runs} run${runs === 1 ? '' : 's'}`), '']
  if (better) lines.push(`  ${wrap(`median error ${(medianErrorAfter * 100).toFixed(1)}%, was ${(medianErrorBefore * 100).toFixed(1)}%`, columns - 4, 2)}`)
  else
    lines.push(
      `  ${wrap(fitted.length === 0 ? 'nothing was fitted' : 'nothing is kept: the calibration that ships is as close to these runs', columns - 4, 2)}`,
    )
  for (const one of metrics) lines.push(`  ${padEnd(METRICS[one.metric], 18)}${metricWords(one)}`)
  for (const parameter of fitted) lines.push(`  ${padEnd(NAMES[parameter], 18)}${valueWords(parameter, factors)}`)
  for (const {parameter, because} of left) lines.push(`  ${padEnd(NAMES[parameter], 18)}${style.dim(wrap(`unchanged: ${because}`, columns - 22, 20))}`)
  lines.push('', `  ${padEnd('measured against predicted', 50)}  ${padStart('before', 7)}  ${padStart('after', 7)}`)
  for (const {place, metric, before, after} of residuals.slice(0, MOST_RESIDUALS)) {
    const name = harmless(place)
    lines.push(
      `  ${padEnd(name.length > 36 ? `...${name.slice(-33)}` : name, 36)}  ${padEnd(METRICS[metric], 12)}  ${padStart(percent(before), 7)}  ${padStart(percent(after), 7)}`,
    )
  }
  if (residuals.length > MOST_RESIDUALS) lines.push(`  and ${residuals.length - MOST_RESIDUALS} more (--json)`)
  return lines
}

/** What was fitted, from what, and what it brought. */
export function renderCalibration(fits: readonly Refit[], unanswered: readonly UnansweredRun[], savedTo: string | undefined, view: View): string {
  const blocks = fits.map((fit) => fitLines(fit, view).join('\n'))
  for (const {place, error} of unanswered) blocks.push(`  ${wrap(`${harmless(place)}: ${harmless(error.message)}`, view.columns - 4, 4)}`)
  if (savedTo !== undefined)
    blocks.push(
      `  ${padEnd('Saved', 10)}${wrap(`${savedTo}: later answers for this GPU and engine use it and say so (--no-corrections ignores it)`, view.columns - 14, 12)}`,
    )
  return `${blocks.join('\n\n')}\n`
}
