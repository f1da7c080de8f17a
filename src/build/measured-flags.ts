import type {Catalogue} from '../catalogue/catalogue.ts'
import type {EngineData} from '../engines/engine.ts'
import type {FlagTable} from '../engines/flags.ts'
import {readProgram} from '../engines/launch/read/program.ts'
import {readCommand} from '../engines/launch/read/read-command.ts'
import {resolveVersion} from '../engines/versions.ts'

interface Logged {
  engine: string
  engineVersion?: string
  model?: string
  flags?: string[]
}

/**
 * What the flags beside a log of vLLM or SGLang say in a scenario's own fields; fields that stand beside them win. What the flag table does not know,
 * and words that are no flags, are left out.
 */
export function withFlags<Line extends Logged>(catalogue: Catalogue, line: Line): Line {
  const words = (line.flags ?? []).filter((flag) => flag.startsWith('--')).flatMap((flag) => flag.split(/[\s=]+/))
  const {engine} = line
  if ((engine !== 'sglang' && engine !== 'vllm') || words.length === 0) return line
  const {version} = resolveVersion(line.engineVersion, catalogue.file<EngineData>(`engines/${engine}`).newestVersion)
  const program = readProgram([engine, 'serve', ...(engine === 'sglang' ? ['--model-path'] : []), line.model ?? '', ...words])
  const {request, passedOn} = readCommand(program, {table: catalogue.file<FlagTable>(`engines/${engine}-flags`), version, unsure: true})
  return {...request, ...(Object.keys(passedOn).length > 0 && {engineFlags: passedOn}), ...line}
}
