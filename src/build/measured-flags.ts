import type {Catalogue} from '../catalogue/catalogue.ts'
import type {EngineData} from '../engines/engine.ts'
import type {FlagTable} from '../engines/flags.ts'
import {type Program, readProgram} from '../engines/launch/read/program.ts'
import {readCommand} from '../engines/launch/read/read-command.ts'
import {resolveVersion} from '../engines/versions.ts'

interface Logged {
  engine: string
  engineVersion?: string
  model?: string
  flags?: string[]
}

const ENTRIES: Record<string, string[]> = {sglang: ['sglang', 'serve', '--model-path'], vllm: ['vllm', 'serve']}

/** `{'image': 0}` and `{image:0}`, as logs print them, in JSON. */
const asJson = (value: string): string => (value.startsWith('{') ? value.replaceAll("'", '"').replace(/([{,]\s*)([A-Za-z_][\w.]*)\s*:/g, '$1"$2":') : value)

/** Switches are noted by their names in the engine's settings too: `enable_prefix_caching`. */
const asFlag = (flag: string): string => (/^enable(?:_[a-z]+)+$/.test(flag) ? `--${flag.replaceAll('_', '-')}` : flag)

/** Words of a flag as it was noted: the value behind the first blank or equals sign; an object stays whole. */
function wordsOf(flag: string): string[] {
  const [, name = flag, value] = /^([^\s=]+)(?:[\s=]+(.*))?$/s.exec(flag) ?? []
  if (value === undefined || value === '') return [name]
  return value.startsWith('{') ? [name, asJson(value)] : [name, ...value.split(/[\s=]+/)]
}

/**
 * What an engine's flags beside a log say in a scenario's own fields; fields that stand beside them win. What the flag table does not know,
 * and words that are no flags, are left out.
 */
export function withFlags<Line extends Logged>(catalogue: Catalogue, line: Line): Line {
  const words = (line.flags ?? [])
    .map(asFlag)
    .filter((flag) => flag.startsWith('--'))
    .flatMap(wordsOf)
  const entry = ENTRIES[line.engine]
  if (!entry || words.length === 0) return line
  const {version} = resolveVersion(line.engineVersion, catalogue.file<EngineData>(`engines/${line.engine}`).newestVersion)
  const program: Program = readProgram([...entry, line.model ?? '', ...words])
  const {request, passedOn} = readCommand(program, {table: catalogue.file<FlagTable>(`engines/${line.engine}-flags`), version, unsure: true})
  return {...request, ...(Object.keys(passedOn).length > 0 && {engineFlags: passedOn}), ...line}
}
