import type {Launch, NodeFlag} from '../../engines/engine.ts'
import {harmless, padEnd, wrap} from '../style.ts'

/** A table of every flag with its value and the reason it is there. */
export function explainLaunch({program, flags, environment, file, key, nodes}: Launch, columns: number): string {
  const rows: [string, string][] = [
    ...environment.map(({name, value, because, secret}): [string, string] => [secret ? `$${name}` : `${name}=${value}`, because]),
    ...flags.map(({flag, value, because}): [string, string] => [value === true ? flag : `${flag} ${[value].flat().join(' ')}`, because]),
    ...(nodes?.own?.every ?? []).map(({flag, value, because}): [string, string] => [`${flag} ${nodeValue(value)}`, because]),
    ...(nodes?.own?.followers ?? []).map(({flag, value, because}): [string, string] => [
      `${flag} ${nodeValue(value)}`.trimEnd(),
      `${because} (all nodes but the first)`,
    ]),
    ...(key === undefined ? [] : [[`${key.flag} $${key.variable}`, key.because] as [string, string]]),
    ...Object.entries(file?.because ?? {}).map(([key, because]): [string, string] => [`${file!.name}: ${key}`, because]),
  ]
  const shown = rows.map(([name, because]): [string, string] => [harmless(name), harmless(because)])
  const width = Math.min(Math.max(...shown.map(([name]) => name.length), 0), 40)
  const lines = [harmless(program.join(' ')), '']
  if (rows.length === 0) lines.push("  No flag is needed: the engine's defaults serve this best.")
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
