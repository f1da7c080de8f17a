import type {Launch, NodeFlag} from '../../engines/engine.ts'
import {harmless, padEnd, wrap} from '../style.ts'

/** An option, a variable or a key of a file that a start has, and why. */
export interface LaunchReason {
  option: string
  because: string
}

/** Every option of a start with the reason it is there; values as they are, to be made harmless where they are shown. */
export function launchReasons({flags, environment, file, key, nodes}: Launch): LaunchReason[] {
  return [
    ...environment.map(({name, value, because, secret}) => ({option: secret ? `$${name}` : `${name}=${value}`, because})),
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

/** A table of every flag with its value and the reason it is there. */
export function explainLaunch(launch: Launch, columns: number): string {
  const {program} = launch
  const rows = launchReasons(launch)
  const shown = rows.map(({option: name, because}): [string, string] => [harmless(name), harmless(because)])
  const width = Math.min(Math.max(...shown.map(([name]) => name.length), 0), 40)
  const lines = [harmless(program.join(' ')), '']
  if (rows.length === 0) lines.push("  No flag is needed: the engine's own defaults serve this best.")
  for (const [name, because] of shown) {
    if (name.length > width) lines.push(`  ${name}`, `  ${' '.repeat(width)}  ${wrap(because, columns - width - 4, width + 4)}`)
    else lines.push(`  ${padEnd(name, width)}  ${wrap(because, columns - width - 4, width + 4)}`)
  }
  return `${lines.join('\n')}\n`
}

/** What only the node knows, in words. */
function nodeValue(value: NodeFlag['value']): string {
  if (value === true) return ''
  if (typeof value !== 'object') return String(value)
  const text = value.of === 'address' ? 'ADDRESS' : (value.times ?? 1) === 1 ? 'RANK' : `RANK x ${value.times}`
  return `${text}${value.after ?? ''}`
}
