import type {Launch} from '../../engines/engine.ts'
import {padEnd, wrap} from '../style.ts'

/** A table of every flag with its value and the reason it is there. */
export function explainLaunch({program, flags, environment, file}: Launch, columns: number): string {
  const rows: [string, string][] = [
    ...environment.map(({name, value, because}): [string, string] => [`${name}=${value}`, because]),
    ...flags.map(({flag, value, because}): [string, string] => [value === true ? flag : `${flag} ${value}`, because]),
    ...Object.entries(file?.because ?? {}).map(([key, because]): [string, string] => [`${file!.name}: ${key}`, because]),
  ]
  const width = Math.min(Math.max(...rows.map(([name]) => name.length), 0), 40)
  const lines = [program.join(' '), '']
  if (rows.length === 0) lines.push("  No flag is needed: the engine's own defaults serve this best.")
  for (const [name, because] of rows) {
    if (name.length > width) lines.push(`  ${name}`, `  ${' '.repeat(width)}  ${wrap(because, columns - width - 4, width + 4)}`)
    else lines.push(`  ${padEnd(name, width)}  ${wrap(because, columns - width - 4, width + 4)}`)
  }
  return `${lines.join('\n')}\n`
}
