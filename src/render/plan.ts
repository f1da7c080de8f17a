import type {PlanPoint, Refusal} from '../planner/search.ts'
import {count, duration, rate, tokens} from './numbers.ts'
import {deploymentWords} from './check.ts'
import {paint, padEnd, wrap} from './style.ts'
import {table} from './tables.ts'

export interface PlanView {
  columns: number
  colour: boolean
}

export interface PlanPicture {
  title: string
  /** Ranked, the best load of each deployment. */
  ranking: PlanPoint[]
  front: PlanPoint[]
  refusals: Refusal[]
  considered: number
  /** Limits that were asked for, in words; empty when there were none. */
  limits: string
  next: string
}

/** Layout of a point in a few letters: tp 4 dp 2. */
export function layoutLetters({evaluation: {deployment: {tp, pp, dp, ep, dpAttention}}}: PlanPoint): string {
  const parts = [`tp ${tp}`]
  if (pp > 1) parts.push(`pp ${pp}`)
  if (dp > 1) parts.push(dpAttention ? `attn-dp ${dp}` : `dp ${dp}`)
  if (ep > 1) parts.push(`ep ${ep}`)
  return parts.join(' ')
}

/** `plan` for people: the ranking, why the next best lost, a chart, and what was refused. */
export function renderPlan(picture: PlanPicture, {columns, colour}: PlanView): string {
  const style = paint(colour)
  const [best, second] = picture.ranking
  const lines = [style.bold(wrap(picture.title, columns)), '']
  if (!best) lines.push(`  ${style.bad('nothing can be started')}: all ${count(picture.considered)} deployments are refused`)
  else {
    const word = best.meets || picture.limits === '' ? style.good(style.bold('best')) : style.bad(style.bold('no plan meets the limits'))
    lines.push(`  ${word}   ${wrap(`${best.evaluation.engine.title} ${best.evaluation.deployment.engineVersion}, ${deploymentWords(best.evaluation)}`, columns - 12, 9)}`)
    lines.push(`         ${wrap(pointWords(best), columns - 12, 9)}`)
    if (!best.meets && picture.limits !== '') lines.push(`  ${wrap(`The limits are ${picture.limits}; this comes nearest, by the cautious end of its interval.`, columns - 4, 2)}`)
    lines.push('', rankingTable(picture.ranking.slice(0, 8), columns).trimEnd())
    if (second) lines.push('', `  ${wrap(whyNot(best, second), columns - 4, 2)}`)
    const drawn = chart(picture.front, Math.min(columns - 4, 70))
    if (drawn.length > 0) lines.push('', ...drawn.map((line) => `  ${line}`))
  }
  if (picture.refusals.length > 0) lines.push('', `  Refused, of ${count(picture.considered)} deployments`)
  for (const {count: times, message, remedy, examples} of picture.refusals.slice(0, 5)) lines.push(`  ${padEnd(`${count(times)} x`, 7)}${wrap(`${message}${remedy ? `; ${remedy}` : ''} (${examples[0]})`, columns - 11, 9)}`)
  lines.push('', `  Next   ${wrap(picture.next, columns - 12, 9)}`)
  return `${lines.join('\n')}\n`
}

const loadWords = ({concurrency}: PlanPoint): string => (concurrency === undefined ? 'at the given rate' : concurrency === 'max' ? 'with as many requests as fit' : `with ${count(concurrency)} in flight`)

function pointWords(point: PlanPoint): string {
  const {outputTokensPerSecond: out, tpotMs, ttftMs} = point.performance
  return `${rate(out.estimate)} tok/s (${rate(out.low)} to ${rate(out.high)}) ${loadWords(point)}: ${rate(1000 / tpotMs.estimate)} tok/s for each user (${rate(1000 / tpotMs.high)} to ${rate(1000 / tpotMs.low)}), first token ${duration(ttftMs.estimate)} (${duration(ttftMs.low)} to ${duration(ttftMs.high)})`
}

const rankingTable = (points: readonly PlanPoint[], width: number): string =>
  table(points, [
    {title: 'Engine', value: ({evaluation}) => evaluation.engine.id},
    {title: 'Weights', value: ({evaluation}) => evaluation.checkpoint.weights},
    {title: 'KV', value: ({evaluation}) => evaluation.deployment.kvCache},
    {title: 'Layout', value: layoutLetters},
    {title: 'Users', value: ({concurrency}) => (concurrency === undefined ? '-' : String(concurrency)), right: true},
    {title: 'tok/s', value: ({performance: {outputTokensPerSecond: {estimate}}}) => rate(estimate), right: true},
    {title: 'at least', value: ({performance: {outputTokensPerSecond: {low}}}) => rate(low), right: true},
    {title: 'user', value: ({performance: {tpotMs}}) => rate(1000 / tpotMs.estimate), right: true},
    {title: 'TTFT', value: ({performance: {ttftMs}}) => duration(ttftMs.estimate), right: true},
    {title: 'Context', value: ({evaluation}) => tokens(evaluation.deployment.maxModelLen), right: true, expendable: 1},
  ], width)

function whyNot(best: PlanPoint, second: PlanPoint): string {
  const [a, b] = [best.performance, second.performance]
  const name = `${second.evaluation.engine.title} ${second.evaluation.checkpoint.weights} ${layoutLetters(second)}`
  if (best.meets && !second.meets) return `The next, ${name}, does not keep the limits at any load.`
  const share = 1 - b.outputTokensPerSecond.low / a.outputTokensPerSecond.low
  const overlap = b.outputTokensPerSecond.high > a.outputTokensPerSecond.low
  return share > 0.005
    ? `The next, ${name}, is ${(share * 100).toFixed(0)}% behind at the cautious end${overlap ? '; the intervals overlap, so measure both if it matters' : ''}.`
    : `The next, ${name}, is as good within the error.`
}

const ROWS = 10

/** Throughput of a GPU against speed of a user, on the points that no other beats in both. */
export function chart(front: readonly PlanPoint[], width: number): string[] {
  if (front.length < 2) return []
  const points = front.map(({performance}) => ({x: 1000 / performance.tpotMs.estimate, y: performance.outputTokensPerSecondPerGpu}))
  const [right, top] = [Math.max(...points.map(({x}) => x)), Math.max(...points.map(({y}) => y))]
  const margin = rate(top).length + 1
  const inner = width - margin - 2
  const cells = Array.from({length: ROWS}, () => Array.from({length: inner}, () => ' '))
  for (const [index, {x, y}] of points.entries()) {
    const column = Math.min(inner - 1, Math.round((x / right) * (inner - 1)))
    const row = ROWS - 1 - Math.min(ROWS - 1, Math.round((y / top) * (ROWS - 1)))
    cells[row]![column] = index < 26 ? String.fromCharCode(97 + index) : '*'
  }
  const lines = cells.map((row, index) => `${padEnd(index === 0 ? rate(top) : '', margin)}|${row.join('').trimEnd()}`)
  const axis = `${' '.repeat(margin)}+${'-'.repeat(inner)}`
  const foot = `${' '.repeat(margin + 1)}0${' '.repeat(Math.max(1, inner - rate(right).length - 1))}${rate(right)}`
  const legend = front.slice(0, 6).map((point, index) => `${String.fromCharCode(97 + index)} ${point.evaluation.engine.id} ${point.evaluation.checkpoint.weights} ${layoutLetters(point)}, ${point.concurrency ?? '-'} in flight`)
  return ['tok/s for each GPU (up) against tok/s for each user (right)', ...lines, axis, foot, ...legend]
}
