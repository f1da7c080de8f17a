import {COUNTED_OFFLOAD_FLAGS} from '../../engines/offload.ts'
import type {DeploymentRequest} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import {nearest} from '../../core/nearest.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import {checkFlag, findFlag, type FlagTable} from '../../engines/flags.ts'
import {programOfDocument} from '../../engines/launch/read/compose.ts'
import {type Program, readProgram} from '../../engines/launch/read/program.ts'
import {type CommandReading, fieldOf, filesOf, readCommand} from '../../engines/launch/read/read-command.ts'
import {isAtLeast, isVersion, resolveVersion} from '../../engines/versions.ts'
import {type Answer, answer} from '../answer/index.ts'
import type {Scenario} from '../scenario/index.ts'
import {type Context, engineOf, looksLikeModelPath, modelOf} from '../world/index.ts'
import {type CommandReport, printsOf, risksOf} from './report.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Files that a command names: read only where it does. */
export interface Documents {
  /** A YAML or JSON file. */
  read(path: string, what: string): Promise<unknown>
  /** The same as text. */
  parse(text: string): Promise<unknown>
  /** A file as it is. */
  text(path: string): Promise<string>
}

/** A scenario without a command: what the command says is in its fields. */
export interface SpelledScenario {
  scenario: Scenario
  reading?: CommandReading
  report?: Omit<CommandReport, 'prints' | 'risks'>
}

export interface SpelledAnswer {
  answered: Answer
  command?: CommandReport
}

/** Fields of a scenario that a command may say too. */
const OTHERS = new Set(['id', 'command', 'workload', 'slo', 'gpu', 'machine'])

/** Formats that say nothing of how a checkpoint was quantised. */
const UNQUANTISED = new Set(['bf16', 'fp16', 'fp32'])

const isDocument = (word: string): boolean => !/\s/.test(word) && /\.(?:ya?ml|json)$/i.test(word)

async function programOf(words: readonly string[], documents: Documents): Promise<Program> {
  const [first = '', second] = words
  if (words.length <= 2 && isDocument(first)) return programOfDocument(await documents.read(first, 'a compose file or a manifest'), first, second)
  if (words.length === 1 && /\.(?:sh|bash|txt)$/i.test(first) && !/\s/.test(first)) return readProgram([await documents.text(first)])
  return readProgram(words)
}

/** The scenario that a command and the fields beside it make. @throws InputError COMMAND_REFUSED where the engine itself would refuse the line. */
export async function spelledOut(context: Context, scenario: Scenario, documents: Documents): Promise<SpelledScenario> {
  if (scenario.command === undefined) return {scenario: checkedFlags(context, scenario)}
  const program = await programOf(scenario.command, documents)
  const engine = engineOf(context, program.engine)
  if (scenario.engine !== undefined && engineOf(context, scenario.engine).id !== engine.id)
    throw new InputError('COMMAND_ENGINE', `The command starts ${engine.title}, but engine ${scenario.engine.slice(0, 60)} was given too: give one of the two`)
  const asked = scenario.engineVersion ?? program.version
  const {version} = resolveVersion(asked, engine.newestVersion)
  const unsure = asked === undefined ? program.image !== undefined : !isVersion(asked) || !isAtLeast(engine.newestVersion, version)
  const table = context.catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  const {files, missing} = await filesFor(program, table, version, documents)
  const reading = readCommand(program, {table, version, unsure, files})
  if (reading.refused.length > 0) throw refusal(reading, `${engine.title} ${version}`, asked === undefined)
  for (const flag of reading.flags)
    if (missing.includes(String(flag.value)))
      Object.assign(flag, {effect: 'ignored-here', because: 'the file was not found here, so its contents are not counted', uncounted: true})
  const request = await requestOf(context, scenario, reading)
  const merged = {engine: engine.id, ...(asked !== undefined && {engineVersion: asked}), tp: 1, pp: 1, dp: 1, ...request} as Record<string, unknown>
  const replaced: CommandReport['replaced'] = []
  for (const [field, given] of Object.entries(scenario)) {
    if (given === undefined || OTHERS.has(field) || (field === 'model' && given === '')) continue
    const said = (request as Record<string, unknown>)[field] ?? (field === 'engineVersion' ? program.version : undefined)
    if (said !== undefined && JSON.stringify(said) !== JSON.stringify(given)) replaced.push({field, command: said, given})
    merged[field] = given
  }
  if (typeof merged.model !== 'string' || merged.model === '')
    throw new InputError(
      'ARGUMENT_MISSING',
      `The command names no model: give it before the command, such as servefit check qwen3-32b -- ${scenario.command.slice(0, 2).join(' ').slice(0, 60)}`,
    )
  const {command: _command, ...rest} = scenario
  const passed = {...reading.passedOn, ...scenario.engineFlags}
  const spelled = {...rest, ...merged, ...(Object.keys(passed).length > 0 && {engineFlags: passed})} as Scenario
  const {flags, environment} = reading
  return {
    scenario: spelled,
    reading,
    report: {engine: engine.id, engineVersion: version, ...(program.image !== undefined && {image: program.image}), flags, environment, replaced},
  }
}

/** Files of further options: those that the command's own text writes, else those that lie here. One that is missing leaves the rest standing. */
async function filesFor(
  program: Program,
  table: FlagTable,
  version: string,
  documents: Documents,
): Promise<{files: Record<string, unknown>; missing: string[]}> {
  const files: Record<string, unknown> = dictionary()
  const missing: string[] = []
  for (const path of filesOf(program, table, version)) {
    const own = Object.hasOwn(program.files, path) ? program.files[path] : undefined
    try {
      files[path] = own === undefined ? await documents.read(path, 'options of the engine') : await documents.parse(own)
    } catch (error) {
      if (!(error instanceof InputError) || error.code !== 'FILE_UNREADABLE') throw error
      missing.push(path)
    }
  }
  return {files, missing}
}

function refusal({refused}: CommandReading, engine: string, assumed: boolean): InputError {
  const release = assumed ? ' (the newest that servefit knows: name another with --engine-version)' : ''
  // Of one option the suggestion stands below the message.
  const meant = refused.map(({message, suggestions}) => `${message}${suggestions.length > 0 && refused.length > 1 ? `; did you mean ${suggestions[0]}?` : ''}`)
  return new InputError('COMMAND_REFUSED', `${engine}${release} would refuse this command: ${meant.slice(0, 6).join('; ')}`, {
    suggestions: [...new Set(refused.flatMap(({suggestions}) => suggestions))].slice(0, 5),
  })
}

/** What the command asks for, once the model is known: a method of quantisation is news only for weights that are not quantised. */
async function requestOf(context: Context, scenario: Scenario, reading: CommandReading): Promise<DeploymentRequest & {model?: string; nodes?: number}> {
  const {request} = reading
  if (request.weights === undefined) return request
  const {checkpoint} = await modelOf(context, scenario.model === '' ? (request.model ?? '') : scenario.model)
  if (checkpoint === undefined || UNQUANTISED.has(checkpoint.weights)) return request
  for (const flag of reading.flags)
    if (/^(?:--quantization|-q|--dtype)$/.test(flag.flag)) Object.assign(flag, {effect: 'ignored-here', because: 'the checkpoint says how it is quantised'})
  return {...request, weights: undefined}
}

/** Options that are passed on: each is one of the release with a legal value, and none that has a field. @throws InputError. */
function checkedFlags(context: Context, scenario: Scenario): Scenario {
  if (scenario.engineFlags === undefined) return scenario
  const engine = engineOf(context, scenario.engine)
  const {version} = resolveVersion(scenario.engineVersion, engine.newestVersion)
  const table = context.catalogue.file<FlagTable>(`engines/${engine.id}-flags`)
  for (const [name, value] of Object.entries(scenario.engineFlags)) {
    const {row, problem} = findFlag(table, version, name)
    if (problem) throw new InputError('ENGINE_FLAG_UNKNOWN', problem.message.slice(0, 400), {suggestions: problem.suggestions ?? nearest(name, [])})
    const field = fieldOf(engine.id, row.name, value)
    if (field !== undefined)
      throw new InputError('ENGINE_FLAG_COUNTED', `${name} has its own field, ${field}: give it there, so that it counts`, {
        suggestions: [field],
      })
    const isOff = value === false && row.type === 'bool'
    const wrong = isOff
      ? undefined
      : checkFlag(table, version, name, value === true ? true : name.startsWith('-') ? (Array.isArray(value) ? value.join(' ') : String(value)) : value)
    if (wrong) throw new InputError('ENGINE_FLAG_ILLEGAL', wrong.message.slice(0, 400), {suggestions: wrong.suggestions})
  }
  return scenario
}

/** Answers a question in the engine's words: what the command leaves open is what the engine does by itself. */
export async function answerSpelled(context: Context, asked: Scenario, documents: Documents): Promise<SpelledAnswer> {
  const {scenario, reading, report} = await spelledOut(context, asked, documents)
  if (!reading || !report) return {answered: withNotCounted(await answer(context, scenario), Object.keys(scenario.engineFlags ?? {}))}
  let answered = await literalAnswer(context, scenario)
  if (reading.autoLength && scenario.maxModelLen === undefined) {
    const {memory, deployment} = answered.best
    const longest = Math.min(memory.largestMaxModelLen, deployment.maxModelLen)
    if (longest > 0) answered = await literalAnswer(context, {...scenario, maxModelLen: longest})
  }
  answered = withContextRule(answered, reading)
  const uncounted = [
    ...report.flags.filter((flag) => flag.uncounted).map(({flag}) => flag),
    ...report.environment.filter((variable) => variable.uncounted).map(({name}) => name),
  ]
  answered = withNotCounted(answered, uncounted)
  return {answered, command: {...report, prints: printsOf(answered.best), risks: risksOf(answered.best, report.flags, report.environment)}}
}

async function literalAnswer(context: Context, scenario: Scenario): Promise<Answer> {
  try {
    return await answer(context, scenario, {asRan: true})
  } catch (error) {
    // A path inside a container, or of another machine.
    if (error instanceof InputError && looksLikeModelPath(scenario.model))
      throw new InputError(
        error.code,
        `${error.message}; if the path is another machine's, name the model before the command: servefit check qwen3-32b -- ...`,
        {suggestions: error.suggestions},
      )
    throw error
  }
}

function withNotCounted(answered: Answer, given: readonly string[]): Answer {
  const {engine, warnings} = answered.best
  const names = engine.id === 'vllm' ? given.filter((name) => !COUNTED_OFFLOAD_FLAGS.has(name)) : given
  return names.length === 0 ? answered : {...answered, best: {...answered.best, warnings: [...warnings, notCounted(names)]}}
}

const notCounted = (names: readonly string[]): Warning => {
  const distinct = [...new Set(names)]
  const more = distinct.length > 12 ? ` and ${distinct.length - 12} more` : ''
  return {code: 'not-counted', message: `passed on, but the figures do not account for ${distinct.slice(0, 12).join(', ')}${more}`}
}

/**
 * A context beyond the model's own that the command does nothing for: vLLM refuses to start (config/model.py _get_and_verify_max_len, 0.28.0),
 * and SGLang from 0.5.1 on (srt/configs/model_config.py). Servefit's own commands say what is needed.
 */
function withContextRule(answered: Answer, {engine, scalesContext}: CommandReading): Answer {
  const {best} = answered
  const {contextTokens} = best.model.architecture
  const {maxModelLen, engineVersion} = best.deployment
  const refuses = engine === 'vllm' || (engine === 'sglang' && isAtLeast(engineVersion, '0.5.1'))
  if (!refuses || scalesContext || maxModelLen <= contextTokens || best.verdict === 'unsupported') return answered
  const reason: Reason = {
    code: 'context-exceeds-model',
    message: `the command asks for a context of ${countInWords(maxModelLen)} tokens, but the model's configuration says ${countInWords(contextTokens)} and nothing in the command extends it: ${best.engine.title} refuses to start`,
    remedy: `use --max-model-len ${contextTokens}, or what servefit config writes for ${countInWords(maxModelLen)}`,
  }
  const {performance: _performance, tail: _tail, ...stood} = best
  // What would do is looked for under the same rule.
  const {extendedContext: _extended, ...model} = best.model
  const memory = {...best.memory, largestMaxModelLen: Math.min(best.memory.largestMaxModelLen, contextTokens)}
  const warnings = best.warnings.filter(({code}) => code !== 'context-beyond-model')
  return {...answered, question: {...answered.question, model}, best: {...stood, model, memory, warnings, verdict: 'does-not-fit', reasons: [reason]}}
}
