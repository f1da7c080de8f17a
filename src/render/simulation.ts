import type {Distribution} from '../core/simulator/distribution.ts'
import type {Evaluation, Simulation} from '../planner/answer/index.ts'
import {type Look, tablesOf} from './look.ts'
import {count, inOneUnit, rate} from './numbers.ts'
import {wrap} from './style.ts'
import {table} from './tables.ts'

interface Row {
  name: string
  closed?: number
  simulated?: Distribution
}

/** Percentiles next to the means of the closed form. */
export function renderSimulation(simulation: Simulation, {performance, workload}: Evaluation, look: Pick<Look, 'columns' | 'tableColumns'>): string {
  const {columns} = look
  const further = Math.max(0, (workload?.outputTokens ?? 1) - 1)
  const rows: Row[] = [
    {name: 'First token', closed: performance?.ttftMs.estimate, simulated: simulation.ttftMs},
    {name: 'Further token', closed: performance?.tpotMs.estimate, simulated: simulation.tpotMs},
    {name: 'Whole answer', closed: performance && performance.ttftMs.estimate + further * performance.tpotMs.estimate, simulated: simulation.endToEndMs},
  ]
  const shownTimes = ({closed, simulated}: Row) => [closed, ...(simulated ? [simulated.mean, simulated.p50, simulated.p90, simulated.p95, simulated.p99] : [])]
  const inUnit = inOneUnit(rows.flatMap(shownTimes))
  const time = (value: number | undefined) => (value === undefined ? '-' : inUnit(value))
  const shown = table(
    rows,
    [
      {title: 'Time', value: ({name}) => name},
      {title: 'estimate', value: ({closed}) => time(closed), right: true},
      {title: 'mean', value: ({simulated}) => time(simulated?.mean), right: true},
      {title: 'p50', value: ({simulated}) => time(simulated?.p50), right: true},
      {title: 'p90', value: ({simulated}) => time(simulated?.p90), right: true},
      {title: 'p95', value: ({simulated}) => time(simulated?.p95), right: true},
      {title: 'p99', value: ({simulated}) => time(simulated?.p99), right: true},
    ],
    tablesOf(look) - 2,
  )
  const share = (value: number) => `${Math.round(value * 100)}%`
  const words = [
    `${rate(simulation.outputTokensPerSecond)} tok/s (estimate ${rate(performance?.outputTokensPerSecond.estimate ?? 0)})`,
    `a step runs ${share(simulation.busyShare)} of the time`,
    `${rate(simulation.meanRunning)} requests run and ${rate(simulation.meanWaiting)} wait on average`,
    ...(simulation.peakCacheShare === undefined ? [] : [`the cache is ${share(simulation.peakCacheShare)} full at its fullest`]),
    ...(simulation.preemptions > 0 ? [`${count(simulation.preemptions)} requests lose their place and start again`] : []),
    ...(simulation.refused > 0 ? [`${count(simulation.refused)} requests are longer than the cache and are turned away`] : []),
  ]
  const lines = [
    `  ${wrap(`Simulated: ${count(simulation.requests)} requests, step by step`, columns - 4, 2)}`,
    ...shown
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
    `  ${wrap(words.join(', '), columns - 4, 2)}`,
  ]
  return `\n${lines.join('\n')}\n`
}
