import type {Refit, UnansweredRun} from '../planner/verify/index.ts'
import {changeOf, type MetricErrors, type SpeedFactors} from '../planner/world/index.ts'
import {duration} from './numbers.ts'
import {type Look, tablesOf} from './look.ts'
import {harmless, padEnd, paint, wrap} from './style.ts'
import {table} from './tables.ts'

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

function fitLines({gpu, engine, runs, factors, fitted, left, residuals, medianErrorBefore, medianErrorAfter, metrics, better}: Refit, look: Look): string[] {
  const {columns} = look
  const style = paint(look.colour)
  const lines = [style.bold(wrap(`${engine} on ${gpu}, ${runs} run${runs === 1 ? '' : 's'}`, columns)), '']
  if (better) lines.push(`  ${wrap(`median error ${(medianErrorAfter * 100).toFixed(1)}%, was ${(medianErrorBefore * 100).toFixed(1)}%`, columns - 4, 2)}`)
  else
    lines.push(
      `  ${wrap(fitted.length === 0 ? 'nothing was fitted' : 'nothing is kept: the calibration that ships is as close to these runs', columns - 4, 2)}`,
    )
  for (const one of metrics) lines.push(`  ${padEnd(METRICS[one.metric], 18)}${wrap(metricWords(one), columns - 22, 20)}`)
  for (const parameter of fitted) lines.push(`  ${padEnd(NAMES[parameter], 18)}${valueWords(parameter, factors)}`)
  for (const {parameter, because} of left) lines.push(`  ${padEnd(NAMES[parameter], 18)}${style.dim(wrap(`unchanged: ${because}`, columns - 22, 20))}`)
  const shown = table(
    residuals.slice(0, MOST_RESIDUALS),
    [
      {title: 'Measured against predicted', value: ({place}) => harmless(place), names: true},
      {title: 'Figure', value: ({metric}) => METRICS[metric], names: true},
      {title: 'Before', value: ({before}) => percent(before), right: true},
      {
        title: 'After',
        value: ({after}) => percent(after),
        right: true,
        style: ({before, after}) => (Math.abs(after) <= Math.abs(before) ? style.good : style.warn),
      },
    ],
    tablesOf(look) - 2,
  )
  lines.push('', ...shown.trimEnd().replaceAll(/^/gm, '  ').split('\n'))
  if (residuals.length > MOST_RESIDUALS) lines.push(`  and ${residuals.length - MOST_RESIDUALS} more (--json)`)
  return lines
}

/** What was fitted, from what, and what it brought. */
export function renderCalibration(fits: readonly Refit[], unanswered: readonly UnansweredRun[], savedTo: string | undefined, view: Look): string {
  const blocks = fits.map((fit) => fitLines(fit, view).join('\n'))
  for (const {place, error} of unanswered) blocks.push(`  ${wrap(`${harmless(place)}: ${harmless(error.message)}`, view.columns - 4, 4)}`)
  if (savedTo !== undefined)
    blocks.push(
      `  ${padEnd('Saved', 10)}${wrap(`${savedTo}: later answers for this GPU and engine use it and say so (--no-corrections ignores it)`, view.columns - 14, 12)}`,
    )
  return `${blocks.join('\n\n')}\n`
}
