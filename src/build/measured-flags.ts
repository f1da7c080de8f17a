import type {Catalogue} from '../catalogue/catalogue.ts'
import type {EngineData} from '../engines/engine.ts'
import type {FlagTable} from '../engines/flags.ts'
import {OVERRIDES} from '../engines/context.ts'
import {readProgram} from '../engines/launch/read/program.ts'
import {readCommand} from '../engines/launch/read/read-command.ts'
import {resolveVersion} from '../engines/versions.ts'

interface Logged {
  engine: string
  engineVersion?: string
  model?: string
  flags?: string[]
}

const STARTS: Record<string, string[]> = {sglang: ['sglang', 'serve', '--model-path'], vllm: ['vllm', 'serve']}

/** A flag and its value, which may be a mapping as Python prints it, or for an override of the configuration one field and its number. */
function wordsOf(flag: string): string[] {
  const [, name = flag, value] = /^(--[\w-]+)(?:[\s=]+(.+))?$/s.exec(flag) ?? []
  if (value === undefined) return [name]
  const [, field, number] = /^(\w+)=(\d+)$/.exec(value) ?? []
  if (OVERRIDES.includes(name) && field !== undefined) return [name, JSON.stringify({[field]: Number(number)})]
  return value.startsWith('{') ? [name, value.replaceAll("'", '"')] : [name, ...value.split(/\s+/)]
}

/**
 * What the engine's flags beside a log say in a scenario's own fields; fields that stand beside them win. What the flag table does not
 * know, and words that are no flags, are left out.
 */
export function withFlags<Line extends Logged>(catalogue: Catalogue, line: Line): Line {
  const words = (line.flags ?? []).filter((flag) => flag.startsWith('--')).flatMap(wordsOf)
  const start = STARTS[line.engine]
  if (start === undefined || words.length === 0) return line
  const {version} = resolveVersion(line.engineVersion, catalogue.file<EngineData>(`engines/${line.engine}`).newestVersion)
  const program = readProgram([...start, line.model ?? '', ...words])
  const {request, passedOn} = readCommand(program, {table: catalogue.file<FlagTable>(`engines/${line.engine}-flags`), version, unsure: true})
  return {...request, ...(Object.keys(passedOn).length > 0 && {engineFlags: passedOn}), ...line}
}
