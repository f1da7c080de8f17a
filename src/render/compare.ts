import type {ComparisonRow} from '../planner/compare.ts'
import {duration, gib, rate, tokens} from './numbers.ts'
import {harmless, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

/** `compare` for people: what fits first, refusals last with their reason. */
export function renderCompare(rows: readonly ComparisonRow[], title: string, {columns, colour}: {columns: number; colour: boolean}): string {
  const style = paint(colour)
  const good = rows.filter(({result}) => result.verdict === 'fits' || result.verdict === 'tight')
  const bad = rows.filter((row) => !good.includes(row))
  const several = new Set(rows.map(({model}) => model)).size > 1
  const machines = new Set(rows.map(({gpu, gpus}) => `${gpus}x${gpu}`)).size > 1
  const shown: Column<ComparisonRow>[] = [
    {title: 'Checkpoint', value: ({hfId}) => harmless(several ? hfId : hfId.slice(hfId.indexOf('/') + 1))},
    ...(machines ? [{title: 'On', value: ({gpu, gpus}: ComparisonRow) => `${gpus}x${gpu}`}] : []),
    {title: 'KV', value: ({kvCache}) => kvCache},
    {title: 'GiB', value: ({checkpointBytes}) => gib(checkpointBytes), right: true},
    {title: 'Verdict', value: ({result}) => result.verdict},
    {title: 'Context', value: ({result}) => tokens(result.deployment.maxModelLen), right: true},
    {title: 'tok/s user', value: ({result}) => (result.performance ? rate(1000 / result.performance.tpotMs.estimate) : ''), right: true},
    {title: 'tok/s', value: ({result}) => (result.performance ? rate(result.performance.outputTokensPerSecond.estimate) : ''), right: true},
    {title: 'TTFT', value: ({result}) => (result.performance ? duration(result.performance.ttftMs.estimate) : ''), right: true, expendable: 2},
    {title: 'Computes', value: ({computation}) => computation, expendable: 3},
    {title: 'Quality', value: ({quality}) => quality, expendable: 4},
  ]
  const lines = [style.bold(wrap(title, columns)), '']
  if (good.length > 0) lines.push(table(good, shown, columns).trimEnd())
  else lines.push('None of them fits.')
  for (const [index, {hfId, kvCache, gpu, gpus, result}] of bad.entries()) {
    if (index === 0) lines.push('')
    const where = machines ? ` on ${gpus}x${gpu}` : ''
    lines.push(`  ${wrap(`${harmless(hfId)}${kvCache === 'fp8' ? ' with FP8 cache' : ''}${where} ${result.verdict === 'unsupported' ? 'is refused' : 'does not fit'}: ${result.reasons[0]?.message ?? ''}`, columns - 4, 4)}`)
  }
  return `${lines.join('\n')}\n`
}
