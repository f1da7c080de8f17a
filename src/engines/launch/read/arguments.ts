/** Flags of a command line, found in the engine's flag table as its own parser finds them. */
import {nearest} from '../../../core/nearest.ts'
import {checkFlag, findFlag, type FlagRow, type FlagTable, legalChoices, rowAt} from '../../flags.ts'
import {isAtLeast} from '../../versions.ts'
import {setField} from '../fields.ts'
import {dictionary} from '../../../core/dictionary.ts'

/** One flag as it was given. `value: true` is a switch, false one that is switched off. */
export interface GivenFlag {
  /** As it was written. */
  flag: string
  /** Name in the table; absent: the table has none. */
  name?: string
  row?: FlagRow
  /** The whole spelling that was meant, as the table knows it; absent: the name. */
  spelling?: string
  value: string | true | false | string[]
  /** What is wrong with it. */
  problem?: string
  suggestions?: string[]
  /** Remarks that are no problem: deprecated, short for another. */
  note?: string
}

export interface Arguments {
  flags: GivenFlag[]
  positionals: string[]
}

/** How an engine's parser differs: argparse takes the beginning of a name where it is the only one, click does not. */
interface ParserRules {
  abbreviations: boolean
}

const isFlagWord = (word: string): boolean => /^-/.test(word) && !/^-\d/.test(word) && word !== '-'

interface Found {
  row: FlagRow
  name: string
  /** The whole spelling that was meant. */
  spelling: string
  negated: boolean
  note?: string
}

/** Characters of a name that is looked up. */
const LONGEST_NAME = 120
/** Flags that are wrong and told: a line with more is no line for this engine. */
const MOST_WRONG = 20

/** The flag of a word. `--no-x` is the same option as `--x`, switched off. */
function find(table: FlagTable, version: string, word: string, rules: ParserRules): Found | {problem: string; suggestions?: string[]} {
  // No option is this long: looking for ones near it would only take time.
  if (word.length > LONGEST_NAME) return {problem: `${table.engine} ${version} has no option ${word.slice(0, 60)}...`}
  const exact = findFlag(table, version, word)
  if (exact.row) return foundIn(table, version, exact.row, word)
  const typed = table.underscores && word.startsWith('--') ? word.replaceAll('_', '-') : word
  if (rules.abbreviations && word.startsWith('--')) {
    const spellings = table.flags.flatMap((row) =>
      [row.name, ...(row.aliases ?? [])].filter((name) => name.startsWith(typed) && findFlag(table, version, name).row === row).map((name) => ({row, name})),
    )
    const rows = [...new Set(spellings.map(({row}) => row))]
    if (rows.length === 1 && typed.length > 3) return {...foundIn(table, version, rows[0]!, spellings[0]!.name), note: `short for ${spellings[0]!.name}`}
    if (rows.length > 1 && exact.problem.code === 'flag-unknown') {
      const names = spellings.map(({name}) => name)
      return {problem: `${word} could be any of ${names.slice(0, 4).join(', ')}`, suggestions: names.slice(0, 3)}
    }
  }
  // Dashes for underscores and the other way round are the commonest slip of all.
  const swapped = [word.replaceAll('_', '-'), `--${word.slice(2).replaceAll('-', '_')}`].find((other) => other !== word && findFlag(table, version, other).row)
  const {message, suggestions = []} = exact.problem
  const first = swapped ?? replacementOf(table, version, word)
  return {problem: message, suggestions: [...new Set([...(first === undefined ? [] : [first]), ...suggestions])].slice(0, 3)}
}

/** Options that took the place of others which are gone, or that the other engines call differently. */
const REPLACED: Record<string, string[]> = dictionary({
  '--guided-decoding-backend': ['--structured-outputs-config'],
  '--disable-log-requests': ['--no-enable-log-requests'],
  '--swap-space': ['--kv-offloading-size'],
  '--task': ['--runner', '--convert'],
  '--rope-scaling': ['--hf-overrides'],
  '--rope-theta': ['--hf-overrides'],
  '--cuda-graph-sizes': ['--max-cudagraph-capture-size'],
  '--max-seq-len-to-capture': ['--max-cudagraph-capture-size'],
  '--override-pooler-config': ['--pooler-config'],
  '--enable-ep-moe': ['--ep-size'],
  '--enable-deepep-moe': ['--moe-a2a-backend'],
  '--mem-fraction-static': ['--gpu-memory-utilization', '--free_gpu_memory_fraction'],
  '--gpu-memory-utilization': ['--mem-fraction-static', '--free_gpu_memory_fraction'],
  '--context-length': ['--max-model-len', '--max_seq_len'],
  '--max-model-len': ['--context-length', '--max_seq_len'],
  '--max-num-seqs': ['--max-running-requests', '--max_batch_size'],
  '--max-running-requests': ['--max-num-seqs', '--max_batch_size'],
  '--max-num-batched-tokens': ['--chunked-prefill-size', '--max_num_tokens'],
  '--chunked-prefill-size': ['--max-num-batched-tokens', '--max_num_tokens'],
  '--enforce-eager': ['--disable-cuda-graph'],
  '--enable-expert-parallel': ['--ep-size', '--ep_size'],
})

const replacementOf = (table: FlagTable, version: string, word: string): string | undefined =>
  REPLACED[word.replaceAll('_', '-')]?.find((other) => findFlag(table, version, other).row !== undefined)

function foundIn(table: FlagTable, version: string, newest: FlagRow, word: string): Found {
  const row = rowAt(newest, version)
  const plain = table.underscores ? word.replaceAll('_', '-') : word
  const negated = plain.startsWith('--no-') && row.name !== plain && (row.aliases ?? []).includes(plain)
  return {
    row,
    name: row.name,
    spelling: word,
    negated,
    ...(row.deprecated && {note: `deprecated in this release${row.instead === undefined ? '' : `: use ${row.instead} instead`}`}),
  }
}

/** Reads words by the table of a release. */
export function readArguments(table: FlagTable, version: string, args: readonly string[]): Arguments {
  const rules = {abbreviations: table.engine !== 'trtllm'}
  const flags: GivenFlag[] = []
  const positionals: string[] = []
  /** JSON options whose keys were given one by one (`--x.key value`). */
  const dotted = new Map<string, {content: Record<string, unknown>; given: GivenFlag}>()
  let wrong = 0
  for (let at = 0; at < args.length && wrong < MOST_WRONG; at++) {
    const word = args[at]!
    if (!isFlagWord(word)) {
      positionals.push(word)
      continue
    }
    if (table.engine === 'vllm' && /^-O/.test(word)) {
      const joined = word.slice(word[2] === '=' ? 3 : 2)
      flags.push(
        checked(table, version, {
          flag: '-O',
          name: '--optimization-level',
          row: findFlag(table, version, '--optimization-level').row,
          value: joined || (args[++at] ?? ''),
        }),
      )
      continue
    }
    const equals = word.indexOf('=')
    const written = equals < 0 ? word : word.slice(0, equals)
    const joined = equals < 0 ? undefined : word.slice(equals + 1)
    const isDotted = table.dottedKeys === true && /^--?[\w-]+\./.test(written)
    const found = find(table, version, isDotted ? written.slice(0, written.indexOf('.')) : written, rules)
    if ('problem' in found) {
      wrong++
      // Words behind it are taken for its value, as long as they are no flags.
      const values = joined === undefined ? valuesFrom(args, at + 1) : []
      at += values.length
      flags.push({
        flag: written,
        value: joined ?? (values.length === 0 ? true : values.length === 1 ? values[0]! : values),
        problem: found.problem,
        suggestions: found.suggestions,
      })
      continue
    }
    const {row, name, spelling, negated, note} = found
    const base = {flag: written, name, row, spelling, ...(note !== undefined && {note})}
    if (isDotted) {
      const value = joined ?? args[++at] ?? ''
      const path = written.slice(written.indexOf('.') + 1)
      const entry = dotted.get(name) ?? {content: {}, given: {...base, flag: written.slice(0, written.indexOf('.')), value: ''}}
      if (!dotted.has(name)) flags.push(entry.given)
      dotted.set(name, entry)
      setDotted(entry.content, path, value)
      entry.given.value = JSON.stringify(entry.content)
    } else if (row.type === 'bool') {
      const optional = joined === undefined && row.default === undefined && /^(?:true|false)$/i.test(args[at + 1] ?? '') ? args[++at] : joined
      const isWord = optional !== undefined && row.default === undefined && /^(?:true|false)$/i.test(optional)
      flags.push(
        optional !== undefined && !isWord
          ? {...base, value: optional, problem: `${written} of ${table.engine} ${version} is a switch and takes no value`}
          : {...base, value: isWord ? /^true$/i.test(optional!) : !negated},
      )
    } else if (row.type === undefined) {
      // An option that is gone by now: nothing is known of its values.
      const values = joined === undefined ? valuesFrom(args, at + 1) : [joined]
      if (joined === undefined) at += values.length
      flags.push({...base, value: values.length === 0 ? true : values.length === 1 ? values[0]! : values})
    } else if (row.type === 'list') {
      const values = joined === undefined ? valuesFrom(args, at + 1) : [joined]
      if (joined === undefined) at += values.length
      flags.push(checked(table, version, {...base, value: values}))
    } else {
      const next = args[at + 1]
      const takes = joined === undefined && next !== undefined && !isFlagWord(next)
      if (takes) at++
      const value = joined ?? (takes ? next : undefined)
      flags.push(
        value === undefined
          ? {...base, value: true, problem: `${written} of ${table.engine} ${version} expects a value, but none follows`}
          : checked(table, version, {...base, value}),
      )
    }
  }
  return {flags: lastOfEach(flags), positionals}
}

function valuesFrom(args: readonly string[], from: number): string[] {
  const end = args.findIndex((word, at) => at >= from && isFlagWord(word))
  return args.slice(from, end < 0 ? args.length : end)
}

function setDotted(content: Record<string, unknown>, path: string, text: string): void {
  const isList = path.endsWith('+')
  let value: unknown = text
  try {
    value = JSON.parse(text)
  } catch {
    // A plain word is its own value.
  }
  setField(content, isList ? path.slice(0, -1) : path, isList ? text.split(',') : value)
}

/** Checks a value by its row. Lists are checked one by one where the row has choices. */
function checked(table: FlagTable, version: string, given: GivenFlag): GivenFlag {
  const {row, name, spelling = name, value} = given
  if (!row || name === undefined) return given
  const unknown = (Array.isArray(value) ? value : [String(value)])
    .map((word) => /\$\{?([A-Za-z_]\w*)/.exec(word)?.[1])
    .find((variable) => variable !== undefined)
  if (unknown !== undefined && row.type !== 'str' && row.type !== 'json' && row.type !== 'list')
    return {...given, problem: `${given.flag} uses the shell variable $${unknown}, whose value is not known here: write the value`}
  if (Array.isArray(value)) {
    const choices = row.open ? undefined : legalChoices(row, version)
    const wrong = choices && value.find((word) => !choices.some((choice) => String(choice) === word))
    return wrong === undefined || !choices
      ? given
      : {
          ...given,
          problem: `${given.flag} of ${table.engine} ${version} takes ${choices.join(', ')}, not ${JSON.stringify(wrong.slice(0, 60))}`,
          suggestions: nearest(wrong, choices.map(String), 3),
        }
  }
  const problem = checkFlag(table, version, spelling ?? name, value)
  if (!problem) return given
  const autoLength = name === '--max-model-len' && /^(?:-1|auto)$/i.test(String(value)) && isAtLeast(version, AUTO_LENGTH_SINCE)
  return autoLength ? given : {...given, problem: problem.message.slice(0, 400), suggestions: problem.suggestions}
}

/** First release seen that finds the longest context itself (vllm/engine/arg_utils.py human_readable_int_or_auto, 0.14.0; not in 0.11.0). */
const AUTO_LENGTH_SINCE = '0.14.0'

/** Of a flag that is given twice the last one counts. */
function lastOfEach(flags: GivenFlag[]): GivenFlag[] {
  const last = new Map(flags.map((given, index) => [given.name ?? `${given.flag} ${index}`, index]))
  return flags.map((given, index) => (given.name !== undefined && last.get(given.name) !== index ? {...given, note: REPEATED} : given))
}

export const REPEATED = 'given again later, and the last one counts'
