import type {EngineOptions} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import type {Launch} from '../engine.ts'
import {setField} from './fields.ts'
import {checkFlag, findFlag, type FlagTable} from '../flags.ts'
import {dictionary} from '../../core/dictionary.ts'

/** One `--set`: an option of the engine, or a field of TensorRT-LLM's file by its dotted path. */
export interface Setting {
  name: string
  /** Absent: a switch. */
  value?: string
  /** Several words behind one option. */
  values?: string[]
  /** The name is as the engine spells it: without dashes it is a field of the file. */
  exact?: boolean
}

const BECAUSE = 'set by hand'

/** Options that a scenario passes on, as settings; `true` is a switch. */
export const passedOn = (flags: EngineOptions['engineFlags'] = {}): Setting[] =>
  Object.entries(flags).map(([name, value]) => ({
    name,
    exact: true,
    ...(Array.isArray(value) ? {values: value} : value !== true && {value: String(value)}),
  }))

/** `max-num-seqs=16`, `--max-num-seqs=16`, `enforce-eager`, `kv_cache_config.dtype=fp8`. */
export function parseSetting(text: string): Setting {
  const at = text.indexOf('=')
  const name = (at === -1 ? text : text.slice(0, at)).trim()
  if (name === '' || /\s/.test(name)) throw new InputError('SETTING_INVALID', `--set ${text}: expected FLAG=VALUE, or FLAG for a switch`)
  return at === -1 ? {name} : {name, value: text.slice(at + 1)}
}

/** What the plan decides: set by hand it would disagree with the rest of what is written. The servefit option is given. */
const PLANNED: Record<string, string> = dictionary({
  '--tensor-parallel-size': '--tp',
  '--tp-size': '--tp',
  '--tensor_parallel_size': '--tp',
  tensor_parallel_size: '--tp',
  '--pipeline-parallel-size': '--pp',
  '--pp-size': '--pp',
  '--pipeline_parallel_size': '--pp',
  pipeline_parallel_size: '--pp',
  '--data-parallel-size': '--dp',
  '--dp-size': '--dp',
  '--ep-size': '--ep',
  '--moe_expert_parallel_size': '--ep',
  moe_expert_parallel_size: '--ep',
  '--enable-expert-parallel': '--ep',
  '--enable-dp-attention': '--dp-attention',
  '--attn-dp-size': '--dp and --dp-attention',
  '--enable_attention_dp': '--dp-attention',
  enable_attention_dp: '--dp-attention',
  '--enable-lora': '--lora (its memory is counted then)',
  '--max-loras': '--lora',
  '--max-loras-per-batch': '--lora',
  '--max-lora-rank': '--lora-rank',
  lora_config: '--lora',
  '--nnodes': '--nodes',
  '--node-rank': '--nodes',
  '--master-addr': '--nodes',
  '--dist-init-addr': '--nodes',
  '--headless': '--nodes',
  '--data-parallel-size-local': '--nodes',
  '--data-parallel-start-rank': '--nodes',
  '--data-parallel-address': '--nodes',
  '--model': 'the MODEL argument',
  '--model-path': 'the MODEL argument',
  model: 'the MODEL argument',
  '--config': '--format file',
  '--extra_llm_api_options': '--format file',
})

const SECRETS = /^--?(?:hf[-_]token|(?:admin[-_])?api[-_]key|ssl[-_]keyfile[-_]password)$/

/**
 * A launch with options set by hand: each exists in that version with a legal value, takes the place of the same option
 * where it is there already, and goes last where not. `false` takes a switch away.
 * @throws InputError naming the option, with the nearest names or the legal values.
 */
export function withSettings(launch: Launch, settings: readonly Setting[], table: FlagTable, version: string): Launch {
  return settings.reduce((changed, setting) => withSetting(changed, setting, table, version), launch)
}

function withSetting(launch: Launch, {name: given, value, values, exact}: Setting, table: FlagTable, version: string): Launch {
  const name = exact ? given : spelled(given, table)
  if (SECRETS.test(name))
    throw new InputError('SETTING_SECRET', `--set ${given}: a secret would be written into the file; give it to the server through its environment`)
  const {row, problem} = findFlag(table, version, name)
  if (problem) throw new InputError('SETTING_UNKNOWN', problem.message, {suggestions: problem.suggestions})
  const planned = PLANNED[row.name]
  if (planned !== undefined) throw new InputError('SETTING_PLANNED', `--set ${given}: the plan rests on it; use ${planned} instead`)
  const isField = !name.startsWith('-')
  if (isField) return withField(launch, name, value, table, version)
  const isSwitch = row.type === 'bool'
  if (isSwitch && value === 'false') return withoutSwitch(launch, row.name, table, version)
  const typed = values ? values.join(' ') : isSwitch && (value === undefined || value === 'true') ? true : (value ?? true)
  const wrong = checkFlag(table, version, name, typed)
  if (wrong) throw new InputError('SETTING_ILLEGAL', wrong.message, {suggestions: wrong.suggestions})
  const same = (flag: string): boolean => findFlag(table, version, flag).row?.name === row.name
  if (values) return withWords(launch, row.name, values, table, version)
  const number = (row.type === 'int' || row.type === 'float') && /^[+-]?\d+(?:\.\d+)?$/.test(String(typed)) ? Number(typed) : typed
  const flag = {flag: name, value: number as string | number | true, because: BECAUSE}
  const at = launch.flags.findIndex((candidate) => same(candidate.flag) && !name.includes('.'))
  // What is there already keeps its reason.
  if (at !== -1 && String(launch.flags[at]!.value) === String(typed)) return launch
  return {...launch, flags: at === -1 ? [...launch.flags, flag] : launch.flags.with(at, flag)}
}

/** An option with several words, in the place of the same one where it is there. */
function withWords(launch: Launch, name: string, values: readonly string[], table: FlagTable, version: string): Launch {
  const at = launch.flags.findIndex(({flag}) => findFlag(table, version, flag).row?.name === name)
  const flag = {flag: name, value: values, because: BECAUSE}
  if (at === -1) return {...launch, flags: [...launch.flags, flag]}
  return String(launch.flags[at]!.value) === String(values) ? launch : {...launch, flags: launch.flags.with(at, flag)}
}

/** With two dashes where the table has such an option; fields of a file have none. */
function spelled(name: string, table: FlagTable): string {
  if (name.startsWith('-')) return name
  if (table.fields?.some((field) => field.name === name) && !table.flags.some((flag) => flag.name === `--${name}`)) return name
  return name.includes('.') && table.fields !== undefined ? name : `--${name}`
}

/** A switch that is not to be: left out where we wrote it; else its `--no-` form, where there is one. */
function withoutSwitch(launch: Launch, name: string, table: FlagTable, version: string): Launch {
  const flags = launch.flags.filter(({flag}) => findFlag(table, version, flag).row?.name !== name)
  if (flags.length < launch.flags.length) return {...launch, flags}
  const negated = `--no-${name.replace(/^--/, '')}`
  const row = table.flags.find((candidate) => candidate.aliases?.includes(negated))
  if (!row)
    throw new InputError(
      'SETTING_ILLEGAL',
      `--set ${name.replace(/^--/, '')}=false: it is off unless it is set, and ${table.engine} ${version} has no ${negated}`,
    )
  return {...launch, flags: [...launch.flags, {flag: negated, value: true, because: BECAUSE}]}
}

function withField(launch: Launch, path: string, value: string | undefined, table: FlagTable, version: string): Launch {
  const typed = fieldValue(value)
  const wrong = checkFlag(table, version, path, typed)
  if (wrong) throw new InputError('SETTING_ILLEGAL', wrong.message, {suggestions: wrong.suggestions})
  const {
    file = {flag: findFlag(table, version, '--config').row ? '--config' : '--extra_llm_api_options', name: 'servefit-trtllm.yaml', content: {}, because: {}},
  } = launch
  if (JSON.stringify(fieldAt(file.content, path)) === JSON.stringify(typed)) return launch
  const content = structuredClone(file.content)
  setField(content, path, typed)
  return {...launch, file: {...file, content, because: {...file.because, [path]: BECAUSE}}}
}

const fieldAt = (content: Record<string, unknown>, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined), content)

/** JSON where it is JSON, else the text itself. */
function fieldValue(value: string | undefined): unknown {
  if (value === undefined) return true
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}
