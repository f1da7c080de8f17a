/** The engine's own command, read through the flag table of a release: what it asks for, and what each flag does. */
import type {EngineId} from '../../../core/deployment.ts'
import {OVERRIDES} from '../../context.ts'
import {checkFlag, findFlag, type FlagTable} from '../../flags.ts'
import {type GivenFlag, readArguments, REPEATED} from './arguments.ts'
import type {Program} from './program.ts'
import {isSecretFlag, isSecretVariable, purposeOf, purposeOfVariable} from './purposes.ts'
import {type CommandRequest, type Effect, type FlagEffect, ignored, type Meaning, type Reading, type Value, wrong} from './reading.ts'
import {finishSglang, SGLANG_MEANINGS} from './sglang.ts'
import {finishTrtllm, TRTLLM_MEANINGS} from './trtllm.ts'
import {finishVllm, VLLM_MEANINGS} from './vllm.ts'

/** One flag of the command, accounted for. */
export interface FlagReport {
  flag: string
  /** As it was given; `true` for a switch. Secrets are not shown. */
  value: string | true | false | string[]
  effect: FlagEffect
  because: string
  suggestions?: string[]
  /** It could change memory or speed, and is not reckoned with. */
  uncounted?: boolean
}

export interface VariableReport {
  name: string
  /** Absent: a secret. */
  value?: string
  effect: FlagEffect
  because: string
  uncounted?: boolean
}

export interface CommandReading {
  engine: EngineId
  request: CommandRequest
  flags: FlagReport[]
  environment: VariableReport[]
  /** Options that are passed on, by the name in the table. */
  passedOn: Record<string, string | number | boolean | string[]>
  /** Why the engine itself would refuse the line, each with the right spelling where one is near. */
  refused: {message: string; suggestions: string[]}[]
  /** The context is left to the engine to find. */
  autoLength: boolean
  /** What the command says of a context beyond the model's own. */
  scalesContext: boolean
}

const NOT_SHOWN = '(not shown)'

const MEANINGS: Record<EngineId, {meanings: Record<string, Meaning>; finish(reading: Reading, version: string): void}> = {
  vllm: {meanings: VLLM_MEANINGS, finish: finishVllm},
  sglang: {meanings: SGLANG_MEANINGS, finish: finishSglang},
  trtllm: {meanings: TRTLLM_MEANINGS, finish: finishTrtllm},
}

/** Flags that name the model, or a file of further options. */
const MODEL_FLAGS = new Set(['--model', '--model-path'])
export const FILE_FLAGS = new Set(['--config', '--extra_llm_api_options'])

export interface ReadOptions {
  table: FlagTable
  version: string
  /** The table is that of another release than what runs: what it does not know may be newer. */
  unsure?: boolean
  /** What a file of further options holds, by its path; absent: it was not read. */
  files?: Record<string, unknown>
}

/** Paths of files with further options that a command names. */
export function filesOf(program: Program, table: FlagTable, version: string): string[] {
  const {flags} = readArguments(table, version, program.args)
  return flags.flatMap(({name, value}) => (name !== undefined && FILE_FLAGS.has(name) && typeof value === 'string' ? [value] : []))
}

export function readCommand(program: Program, {table, version, unsure = false, files = {}}: ReadOptions): CommandReading {
  const {meanings, finish} = MEANINGS[program.engine]!
  const reading: Reading = {request: {engine: program.engine}, words: new Map(), humanIntegers: table.humanIntegers ?? false}
  const {flags, positionals} = readArguments(table, version, withFileOptions(program, table, version, files))
  const refused: CommandReading['refused'] = []
  const refuse = (message: string, suggestions: string[] = []) => refused.push({message, suggestions})
  const reports: FlagReport[] = []
  const passedOn: CommandReading['passedOn'] = {}
  takePositionals(program, positionals, version, reading, refuse)
  const last = flags.filter(({note}) => note !== REPEATED)
  for (const {name, value} of last) if (name !== undefined) reading.words.set(name, value)
  for (const given of flags) {
    const effect = effectOf(given, meanings, reading, program, version)
    const isWrong = effect.effect === 'wrong'
    const soft = isWrong && unsure && given.row === undefined
    if (isWrong && !soft) refuse(given.problem ?? `${given.flag} ${shown(given)}: ${effect.because}`, given.suggestions)
    reports.push(reportOf(given, soft ? {...effect, because: `${effect.because}; it may be newer than what servefit knows`} : effect))
    // What raises the limit of the context is counted, and is to stand in the command all the same.
    const isKept = effect.effect === 'ignored-here' || (effect.effect === 'counted' && OVERRIDES.includes(given.name ?? ''))
    if (isKept && given.name !== undefined && given.note !== REPEATED && isPassedOn(given, table)) passedOn[given.name] = passedValue(given)
  }
  reports.push(...fileReports(program, flags, files, {table, version, reading, meanings, refuse, passedOn}))
  finish(reading, version)
  return {
    engine: program.engine,
    request: reading.request,
    flags: reports,
    environment: variableReports(program.environment),
    passedOn,
    refused,
    autoLength: /^(?:auto|-1)$/i.test(String(reading.words.get('--max-model-len') ?? '')),
    scalesContext: scalesContext(program, reading),
  }
}

/** vLLM's and SGLang's files hold options by their names: they are read as if they stood on the line, and the line wins. */
function withFileOptions(program: Program, table: FlagTable, version: string, files: Record<string, unknown>): string[] {
  if (program.engine === 'trtllm') return program.args
  const paths = filesOf(program, table, version)
  const words = paths.flatMap((path) => {
    const content = files[path]
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return []
    return Object.entries(content).flatMap(([key, value]): string[] => {
      const flag = `--${key}`
      if (value === true) return [flag]
      if (value === false || value === null) return []
      if (Array.isArray(value)) return [flag, ...value.map(String)]
      return [`${flag}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`]
    })
  })
  return [...words, ...program.args]
}

/**
 * The model as a word of its own. `vllm serve` up to 0.11.0 refuses it as a flag (vllm/utils/__init__.py FlexibleArgumentParser, 0.11.0); later
 * ones move it (vllm/utils/argparse_utils.py, 0.14.0 and 0.28.0). SGLang's module takes it as a flag only.
 */
function takePositionals(
  {entry, engine}: Program,
  positionals: string[],
  version: string,
  {request}: Reading,
  refuse: (message: string, suggestions?: string[]) => void,
): void {
  const [model, ...others] = positionals
  const takesModel = entry === 'vllm-serve' || entry === 'trtllm-serve' || entry === 'sglang-serve'
  if (model !== undefined && takesModel) request.model = model
  const extra = takesModel ? others : positionals
  if (extra.length > 0)
    refuse(
      `${engine} ${version} takes no further arguments: ${extra.slice(0, 3).join(' ').slice(0, 80)}`,
      takesModel ? [] : [engine === 'sglang' ? '--model-path' : '--model'],
    )
}

/** Last release whose `vllm serve` refuses the model as a flag. */
const FLAG_REFUSED_UNTIL = '0.11.0'

function effectOf(given: GivenFlag, meanings: Record<string, Meaning>, reading: Reading, program: Program, version: string): Effect {
  const {name, value, problem, note} = given
  if (problem !== undefined || name === undefined) return wrong(problem ?? 'unknown')
  if (note === REPEATED) return ignored(REPEATED)
  if (MODEL_FLAGS.has(name)) {
    if (program.entry === 'vllm-serve' && version === FLAG_REFUSED_UNTIL)
      return wrong('in this release the model is the first word after vllm serve, not a flag')
    reading.request.model = String(value)
    return {effect: 'counted', because: 'the model'}
  }
  if (FILE_FLAGS.has(name)) return {effect: 'counted', because: 'further options are in this file'}
  const meaning = meanings[name]
  if (meaning) {
    const effect = meaning(value, reading)
    return note === undefined ? effect : {...effect, because: `${effect.because} (${note})`}
  }
  if (given.row?.default !== undefined && String(value) === String(given.row.default)) return ignored('as by default')
  const {matters, because} = purposeOf(name)
  return ignored(note === undefined ? because : `${because} (${note})`, matters)
}

const shown = ({name, flag, value}: GivenFlag): string =>
  (isSecretFlag(name ?? flag) ? NOT_SHOWN : Array.isArray(value) ? value.join(' ') : String(value)).slice(0, 200)

function reportOf(given: GivenFlag, {effect, because, uncounted}: Effect): FlagReport {
  const {flag, name, value, suggestions} = given
  const isSecret = typeof value !== 'boolean' && isSecretFlag(name ?? flag)
  return {
    flag,
    value: isSecret ? NOT_SHOWN : value,
    effect,
    because: because.slice(0, 500),
    ...(effect === 'wrong' && suggestions && suggestions.length > 0 && {suggestions}),
    ...(uncounted && {uncounted}),
  }
}

/** Options that go on to a start command: not keys, and not what the layout decides. */
const isPassedOn = ({name = '', value}: GivenFlag, table: FlagTable): boolean =>
  !isSecretFlag(name) && !KEPT_BACK.has(name) && (value !== false || table.flags.some(({aliases}) => aliases?.includes(`--no-${name.slice(2)}`)))

/** What the layout over nodes writes itself. */
const KEPT_BACK = new Set([
  '--node-rank',
  '--master-addr',
  '--master-port',
  '--dist-init-addr',
  '--headless',
  '--data-parallel-size-local',
  '--data-parallel-start-rank',
  '--data-parallel-address',
  '--data-parallel-rank',
])

/** A list of one word is that word. */
const passedValue = ({value}: GivenFlag): string | boolean | string[] => (Array.isArray(value) && value.length === 1 ? value[0]! : value)

interface FileReading {
  table: FlagTable
  version: string
  reading: Reading
  meanings: Record<string, Meaning>
  refuse(message: string, suggestions?: string[]): void
  passedOn: CommandReading['passedOn']
}

/** Fields of TensorRT-LLM's file, by dotted path; they win over the line (commands/serve.py update_llm_args_with_extra_dict). */
function fileReports(
  program: Program,
  flags: readonly GivenFlag[],
  files: Record<string, unknown>,
  {table, version, reading, meanings, refuse, passedOn}: FileReading,
): FlagReport[] {
  if (program.engine !== 'trtllm') return []
  const path = flags.find(({name}) => name !== undefined && FILE_FLAGS.has(name))?.value
  const content = typeof path === 'string' ? files[path] : undefined
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return []
  return leavesOf(content as Record<string, unknown>, table).map(([name, raw]): FlagReport => {
    const value: Value = typeof raw === 'boolean' ? raw : Array.isArray(raw) ? raw.map(String) : typeof raw === 'object' ? JSON.stringify(raw) : String(raw)
    const report = ({effect, because, uncounted}: Effect, suggestions?: string[]): FlagReport => ({
      flag: name,
      value,
      effect,
      because,
      ...(suggestions && suggestions.length > 0 && {suggestions}),
      ...(uncounted && {uncounted}),
    })
    // An object whose fields the table does not list is taken as it is.
    const parent = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    const isOpen =
      parent !== '' &&
      findFlag(table, version, name).row === undefined &&
      !table.fields?.some(({name: other}) => other.startsWith(`${parent}.`)) &&
      findFlag(table, version, parent).row
    const problem = isOpen ? undefined : checkFlag(table, version, name, raw)
    if (problem) {
      refuse(problem.message.slice(0, 400), problem.suggestions)
      return report(wrong(problem.message.slice(0, 400)), problem.suggestions)
    }
    const canonical = isOpen ? name : (findFlag(table, version, name).row?.name ?? name)
    if (name === 'cuda_graph_config' && raw === null) {
      reading.request.enforceEager = true
      return report({effect: 'counted', because: 'enforceEager true'})
    }
    if (raw === null) return report(ignored('as by default'))
    reading.words.set(canonical, value)
    const meaning = meanings[canonical]
    const effect = meaning
      ? meaning(value, reading)
      : ignored(purposeOf(name.slice(name.lastIndexOf('.') + 1)).because, purposeOf(name.slice(name.lastIndexOf('.') + 1)).matters)
    if (effect.effect === 'wrong') refuse(`${name}: ${effect.because}`)
    if (effect.effect === 'ignored-here' && !isOpen) passedOn[name] = typeof raw === 'object' ? JSON.stringify(raw) : (raw as string | number | boolean)
    return report(effect)
  })
}

/** Fields of a file by dotted path, down to what the table knows as one value. */
function leavesOf(content: Record<string, unknown>, table: FlagTable, before = ''): [string, unknown][] {
  return Object.entries(content).flatMap(([key, value]): [string, unknown][] => {
    const name = `${before}${key}`
    const row = table.fields?.find((field) => field.name === name)
    const isMapping = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isMapping && row?.type !== 'json' ? leavesOf(value as Record<string, unknown>, table, `${name}.`) : [[name, value]]
  })
}

function variableReports(environment: Record<string, string>): VariableReport[] {
  return Object.entries(environment).map(([name, value]) => {
    const {matters, because} = purposeOfVariable(name)
    return {name, ...(!isSecretVariable(name) && {value: value.slice(0, 200)}), effect: 'ignored-here', because, ...(matters && {uncounted: true})}
  })
}

const LONGER = ['VLLM_ALLOW_LONG_MAX_MODEL_LEN', 'SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN']

const scalesContext = ({environment}: Program, {words}: Reading): boolean =>
  LONGER.some((name) => environment[name] !== undefined && environment[name] !== '0') ||
  ['--hf-overrides', '--rope-scaling', '--json-model-override-args', 'model_kwargs'].some((name) => words.has(name))

/** The field of a scenario that an option sets; undefined where it has none. */
export function fieldOf(engine: EngineId, name: string, value: unknown): string | undefined {
  if (MODEL_FLAGS.has(name)) return 'model'
  if (FILE_FLAGS.has(name)) return 'command'
  const meaning = MEANINGS[engine]?.meanings[name]
  if (!meaning) return undefined
  const reading: Reading = {request: {}, words: new Map([[name, true]]), humanIntegers: true}
  const {effect, because} = meaning(typeof value === 'boolean' ? value : String(value), reading)
  if (effect !== 'counted') return undefined
  const [field] = Object.keys(reading.request)
  return field ?? BESIDE.find(([word]) => because.includes(word))?.[1] ?? because
}

/** Fields of options that say something only together. */
const BESIDE: [string, string][] = [
  ['adapters', 'lora'],
  ['speculation', 'speculative'],
  ['drafts', 'speculative'],
  ['experts', 'ep'],
  ['graphs', 'enforceEager'],
]
