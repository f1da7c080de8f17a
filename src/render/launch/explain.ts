import type {Launch, NodeFlag} from '../../engines/engine.ts'
import type {Around} from './format.ts'
import {harmless, padEnd, wrap} from '../style.ts'

/** An option, a variable or a key of a file that a start has, and why. */
export interface LaunchReason {
  option: string
  because: string
}

/** Every option of a start with the reason it is there; values as they are, to be made harmless where they are shown. */
export function launchReasons({flags, environment, file, key, nodes}: Launch): LaunchReason[] {
  return [
    ...environment.map(({name, value, because, secret, given}) => ({
      option: secret ? `$${name}` : `${name}=${given ? `$${given.variable}` : value}`,
      because,
    })),
    ...flags.map(({flag, value, because}) => ({option: value === true ? flag : `${flag} ${[value].flat().join(' ')}`, because})),
    ...(nodes?.own?.every ?? []).map(({flag, value, because}) => ({option: `${flag} ${nodeValue(value)}`, because})),
    ...(nodes?.own?.followers ?? []).map(({flag, value, because}) => ({
      option: `${flag} ${nodeValue(value)}`.trimEnd(),
      because: `${because} (all nodes but the first)`,
    })),
    ...(key === undefined ? [] : [{option: `${key.flag} $${key.variable}`, because: key.because}]),
    ...Object.entries(file?.because ?? {}).map(([name, because]) => ({option: `${file!.name}: ${name}`, because})),
  ]
}

/** A table of every flag with its value and the reason it is there; behind it what the format puts around the launch. */
export function explainLaunch(launch: Launch, columns: number, around: readonly Around[] = []): string {
  const {program} = launch
  const rows = launchReasons(launch).map(({option, because}): [string, string] => [option, because])
  const lines = [wrap(harmless(program.join(' ')), columns), '']
  if (rows.length === 0) lines.push(`  ${wrap("No flag is needed: the engine's defaults serve this best.", columns - 4, 2)}`)
  lines.push(...tableOf(rows, columns))
  if (around.length > 0) lines.push('', 'Around it', '', ...tableOf(distinct(around), columns))
  return `${lines.join('\n')}\n`
}

/** Each part once: pods of several kinds share most of them. */
function distinct(around: readonly Around[]): [string, string][] {
  const rows = around.map(({what, because}): [string, string] => [what, because])
  return [...new Map(rows.map((row) => [row.join('\n'), row])).values()]
}

function tableOf(rows: readonly [string, string][], columns: number): string[] {
  const shown = rows.map(([name, because]): [string, string] => [harmless(name), harmless(because)])
  const width = Math.min(Math.max(...shown.map(([name]) => name.length), 0), 40, Math.floor(columns / 2) - 4)
  return shown.flatMap(([name, because]) => {
    const words = wrap(because, columns - width - 4, width + 4)
    return name.length > width ? [`  ${wrap(name, columns - 4, 4)}`, `  ${' '.repeat(width)}  ${words}`] : [`  ${padEnd(name, width)}  ${words}`]
  })
}

/** What only the node knows, in words. */
function nodeValue(value: NodeFlag['value']): string {
  if (value === true) return ''
  if (typeof value !== 'object') return String(value)
  const text = value.of === 'address' ? 'ADDRESS' : (value.times ?? 1) === 1 ? 'RANK' : `RANK x ${value.times}`
  return `${text}${value.after ?? ''}`
}
