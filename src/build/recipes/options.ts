import {findFlag, type FlagTable} from '../../engines/flags.ts'
import type {Launch} from '../../engines/engine.ts'
import type {Published} from './read.ts'

/** An option by its one name, with every value it was given; a variable of the environment has `$` before its name. */
export interface Option {
  name: string
  values: string[]
  /** Not in this version of the engine. */
  unknown?: boolean
  /** What the version does without it. */
  isDefault?: boolean
  because?: string
}

export type Side = 'theirs' | 'ours' | 'other'

export interface Difference {
  side: Side
  name: string
  theirs?: Option
  ours?: Option
  /** Theirs is there for this card. */
  isForCard?: boolean
}

export interface Comparison {
  equal: string[]
  differences: Difference[]
}

const isFlag = (word: string): boolean => /^--?[a-z]/i.test(word) && !/^-\d/.test(word)

/** Its names are read in any case. */
const ANY_CASE = new Set(['--attention-backend'])

/** Values in one form: JSON without blanks and in order, numbers as numbers, no quotes around. */
function plainValue(text: string): string {
  const bare = text.trim().replace(/^(['"])(.*)\1$/s, '$2')
  if (/^[+-]?\d+(?:\.\d+)?$/.test(bare)) return String(Number(bare))
  if (/^(?:true|false)$/i.test(bare)) return bare.toLowerCase()
  try {
    const value: unknown = JSON.parse(bare)
    return typeof value === 'object' && value !== null ? JSON.stringify(sorted(value)) : bare
  } catch {
    return bare
  }
}

const sorted = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sorted)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, inner]) => [key, sorted(inner)]),
        )
      : value

/** Beginnings of an option's name, which argparse takes for the whole, and two names of one thing. */
const SAME: Record<string, string> = {
  '--tp': '--tp-size',
  '--dp': '--dp-size',
  '--pp': '--pp-size',
  '-tp': '--tensor-parallel-size',
  '-dp': '--data-parallel-size',
  '-pp': '--pipeline-parallel-size',
  '--kernel-config.enable_flashinfer_autotune': '--enable-flashinfer-autotune',
  '--extra_llm_api_options': '--config',
}

/** `--no-x` is x with the value false; `-cc.a.b` sets one key of `--compilation-config`. */
function named(table: FlagTable, version: string, word: string): {name: string; negated: boolean; row?: ReturnType<typeof findFlag>['row']} {
  // A name of old scripts for what vLLM calls otherwise; SGLang has an option of that name.
  const isOldName = word === '--disable-flashinfer-autotune' && findFlag(table, version, word).row === undefined
  const spelled = isOldName ? '--no-enable-flashinfer-autotune' : (SAME[word] ?? word.replace(/^-cc\b/, '--compilation-config'))
  const [head = spelled, ...keys] = table.dottedKeys ? spelled.split('.') : [spelled]
  const {row} = findFlag(table, version, head)
  const tail = keys.length > 0 ? `.${keys.join('.')}` : ''
  const normal = table.underscores ? head.replaceAll('_', '-') : head
  const negated = normal.startsWith('--no-') && row !== undefined && !row.name.startsWith('--no-')
  return {name: `${row?.name ?? normal}${tail}`, negated, row: tail === '' ? row : row && {...row, default: undefined}}
}

/** What a published command gives, by the names of our version. */
export function theirOptions({words, environment, merged}: Published, table: FlagTable, version: string): Map<string, Option> {
  const options = new Map<string, Option>()
  const put = (option: Option): void => {
    const known = options.get(option.name)
    options.set(option.name, known && merged ? {...known, values: [...new Set([...known.values, ...option.values])]} : option)
  }
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!
    if (!isFlag(word)) continue
    const {name, negated, row} = named(table, version, word)
    const next = words[index + 1]
    const takes = row === undefined ? next !== undefined && !isFlag(next) : row.type !== 'bool' || (next !== undefined && /^(?:true|false)$/i.test(next))
    const value = negated ? 'false' : takes && next !== undefined && !isFlag(next) ? plainValue(next) : 'true'
    // An object of keys that have names of their own.
    if (name === '--attention-config' && value.startsWith('{')) {
      for (const [key, inner] of Object.entries(JSON.parse(value) as Record<string, unknown>)) put({name: `${name}.${key}`, values: [String(inner)]})
      continue
    }
    put({
      name,
      values: [value],
      unknown: row === undefined,
      isDefault: row?.default !== undefined && row.default !== null && plainValue(String(row.default)) === value,
    })
  }
  for (const [name, value] of Object.entries(environment)) put({name: `$${name}`, values: [String(value)]})
  return options
}

/** What our launch gives: flags, the fields of TensorRT-LLM's file under their names on the command line where there are any, environment. */
export function ourOptions({flags, environment, file}: Launch, table: FlagTable, version: string): Map<string, Option> {
  const options = new Map<string, Option>()
  for (const {flag, value, because} of flags) {
    const {name, negated} = named(table, version, flag)
    options.set(name, {name, values: [negated ? 'false' : value === true ? 'true' : plainValue(String(value))], because})
  }
  for (const {name, value, because} of environment) options.set(`$${name}`, {name: `$${name}`, values: [value], because})
  if (file) options.set(file.flag, {name: file.flag, values: [file.name], because: 'options that only the file takes'})
  return options
}

export function compared(theirs: ReadonlyMap<string, Option>, ours: ReadonlyMap<string, Option>): Comparison {
  const equal: string[] = []
  const differences: Difference[] = []
  for (const [name, option] of theirs) {
    const own = ours.get(name)
    if (!own) differences.push({side: 'theirs', name, theirs: option})
    else if (option.values.some((value) => value === own.values[0] || (ANY_CASE.has(name) && value.toUpperCase() === own.values[0]!.toUpperCase())))
      equal.push(name)
    else differences.push({side: 'other', name, theirs: option, ours: own})
  }
  for (const [name, option] of ours) if (!theirs.has(name)) differences.push({side: 'ours', name, ours: option})
  return {equal, differences}
}
