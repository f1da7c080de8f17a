import type {PlanPoint} from '../planner/plan/index.ts'
import {rate} from './numbers.ts'
import {padEnd, wrap} from './style.ts'

const ROWS = 10
const LEGEND = 8

/** Throughput of a GPU against speed of a user, on the points that no other beats in both. */
export function chart(front: readonly PlanPoint[], width: number, layout: (point: PlanPoint) => string): string[] {
  if (front.length < 2) return []
  const points = front.map(({performance}) => ({x: 1000 / performance.tpotMs.estimate, y: performance.outputTokensPerSecondPerGpu}))
  const [right, top] = [Math.max(...points.map(({x}) => x)), Math.max(...points.map(({y}) => y))]
  const margin = rate(top).length + 1
  const inner = width - margin - 2
  const cells = Array.from({length: ROWS}, () => Array.from({length: inner}, () => ' '))
  for (const [index, {x, y}] of points.entries()) {
    const column = Math.min(inner - 1, Math.round((x / right) * (inner - 1)))
    const row = ROWS - 1 - Math.min(ROWS - 1, Math.round((y / top) * (ROWS - 1)))
    cells[row]![column] = letter(index)
  }
  const half = rate(top / 2)
  const label = (index: number) => (index === 0 ? rate(top) : index === Math.round(ROWS / 2) - 1 + (ROWS % 2) ? half : '')
  const lines = cells.map((row, index) => `${padEnd(label(index), margin)}|${row.join('').trimEnd()}`)
  const axis = `${' '.repeat(margin)}+${'-'.repeat(inner)}`
  const middle = rate(right / 2)
  const gap = Math.max(1, Math.floor(inner / 2) - Math.ceil(middle.length / 2) - 1)
  const foot = `${' '.repeat(margin + 1)}0${' '.repeat(gap)}${middle}${' '.repeat(Math.max(1, inner - gap - middle.length - rate(right).length - 1))}${rate(right)}`
  return [...wrap('tok/s per GPU (up) against tok/s per user (right)', width).split('\n'), ...lines, axis, foot, ...legend(front, layout, width)]
}

const letter = (index: number): string => (index < 26 ? String.fromCharCode(97 + index) : '*')

/** Neighbours of one deployment share a line: a-c vllm fp8 tp 8, 1 to 4 in flight. */
function legend(front: readonly PlanPoint[], layout: (point: PlanPoint) => string, width: number): string[] {
  const groups: {first: number; last: number; name: string}[] = []
  for (const [index, point] of front.entries()) {
    const {engine, checkpoint, deployment} = point.evaluation
    const name = `${engine.id} ${checkpoint.weights} ${layout(point)}, ${deployment.kvCache} cache`
    const group = groups.at(-1)
    if (group?.name === name) group.last = index
    else groups.push({first: index, last: index, name})
  }
  const shown = groups.slice(0, LEGEND).flatMap(({first, last, name}) => {
    const loads = [...new Set([front[first]!, front[last]!].map(({concurrency}) => concurrency ?? '-'))].join(' to ')
    const users = loads === '1' ? '1 user' : loads === '-' ? 'the requests that arrive' : `${loads} users`
    return `${padEnd(first === last ? letter(first) : `${letter(first)}-${letter(last)}`, 4)}${wrap(`${name}, ${users}`, width - 4, 4)}`.split('\n')
  })
  return groups.length > LEGEND ? [...shown, `and ${groups.length - LEGEND} more`] : shown
}
