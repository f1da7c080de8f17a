import {nearest, quotedShort} from '../core/nearest.ts'
import {FORMAT_IDS} from '../render/launch/format-ids.ts'
import {engineProgram, markCommand} from './argv.ts'
import {spelledAs} from './flag-names.ts'

/** Commands with one model as their argument: people write its name, or the card, in several words. */
const TAKES_MODEL: ReadonlySet<string> = new Set(['check', 'config', 'plan'])

/** Formats of `config`, which people take for flags. */
const FORMATS: ReadonlySet<string> = new Set(FORMAT_IDS)

/** What flags are called in llama.cpp, Ollama, calculators and benchmark clients, whose spelling says nothing of ours. */
const OTHERS_FLAGS: {flag: string; words: string[]}[] = [
  {flag: 'context', words: ['ctx', 'ctx-size', 'ctx-len', 'num-ctx', 'n-ctx', 'context-size', 'context-window', 'seq-len', 'c']},
  {flag: 'weights', words: ['quant', 'quants', 'quantize', 'quant-type', 'precision', 'bits', 'format', 'q']},
  {flag: 'gpu', words: ['vram', 'gpus', 'num-gpus', 'gpu-count', 'gpu-type', 'hardware', 'device', 'devices', 'card', 'cards', 'g']},
  {flag: 'users', words: ['batch-size', 'parallel', 'num-parallel', 'np', 'concurrent', 'max-concurrency', 'concurrent-users', 'clients', 'u']},
  {flag: 'input', words: ['prompt', 'prompt-tokens', 'prompt-len', 'input-len', 'random-input-len', 'isl', 'n-prompt']},
  {flag: 'output', words: ['max-tokens', 'gen-tokens', 'output-len', 'random-output-len', 'osl', 'n-predict', 'n-gen']},
  {flag: 'request-rate', words: ['rps', 'qps', 'rate', 'requests-per-second']},
  {flag: 'slo-ttft-ms', words: ['ttft', 'ttft-ms', 'max-ttft']},
  {flag: 'slo-tpot-ms', words: ['tpot', 'itl', 'tpot-ms', 'max-tpot']},
  {flag: 'cpu-offload-gb', words: ['n-gpu-layers', 'ngl', 'gpu-layers', 'num-gpu', 'offload', 'cpu-offload', 'n-cpu-moe', 'cpu-moe']},
]

/** What people call our commands who know other programs. */
const OTHERS_COMMANDS: {command: string; words: string[]}[] = [
  {command: 'check', words: ['fit', 'fits', 'estimate', 'calc', 'calculate', 'calculator', 'size', 'ask']},
  {command: 'config', words: ['run', 'serve', 'start', 'launch', 'deploy', 'generate', 'command']},
  {command: 'models', words: ['list', 'ls', 'search', 'find', 'recommend']},
  {command: 'here', words: ['info', 'system', 'me']},
  {command: 'models show', words: ['show', 'inspect']},
]

/** What was typed, for messages that name it: the command and the words behind it. */
export interface Typed {
  command?: string
  argv: readonly string[]
  /** Commands below this one. */
  below?: readonly string[]
}

/** What oclif's parser throws, told by its shape: names of classes do not survive bundling. */
export interface ParserError extends Error {
  oclif?: {exit?: number}
  /** Arguments that are missing, or that are too many. */
  args?: {name: string; description?: string}[] | string[]
  /** Flags that the command does not have, as they were written. */
  flags?: string[]
  parse?: {input?: {flags?: Record<string, {aliases?: string[]}>}}
}

/** Words before the first flag. */
function wordsBefore(argv: readonly string[]): readonly string[] {
  const flag = argv.findIndex((word) => word.startsWith('-'))
  return flag < 0 ? argv : argv.slice(0, flag)
}

interface Wrong {
  code: string
  message: string
  suggestions: string[]
}

/** For "did you mean" before any command is loaded. */
const COMMAND_NAMES = [
  'check',
  'config',
  'plan',
  'compare',
  'capacity',
  'diff',
  'here',
  'detect',
  'doctor',
  'models',
  'models show',
  'models import',
  'gpus',
  'machines',
  'engines',
  'engines support',
  'batch',
  'verify',
  'calibrate',
  'schema',
  'web',
  'mcp',
  'completion',
  'help',
]

/** One, two or three. */
export const inWords = (names: readonly string[]): string => (names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : (names[0] ?? ''))

/** What the parser found wrong, in our words; undefined for what is not its error. */
export function parserFailure(error: ParserError, typed: Typed): Wrong | undefined {
  const unknown = /^command (.+) not found$/.exec(error.message)
  if (unknown) {
    // oclif takes the arguments for parts of the command's name.
    return unknownCommand(unknown[1]!.split(':'))
  }
  if (error.oclif?.exit !== 2) return undefined
  const missing = /^Missing \d+ required arg/.test(error.message) ? error.args?.[0] : undefined
  if (typeof missing === 'object') {
    const message = `Missing ${missing.name.toUpperCase()}: expected ${missing.description ?? 'a value'}`
    return {code: 'ARGUMENT_MISSING', message, suggestions: []}
  }
  const text = error.message
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^See more help/i.test(line) && !/^The following errors? occurred/i.test(line))
    .map((line) => line.trim())
    .join('; ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(':;', ':')
    .replace(/\.$/, '')
  return {code: 'FLAGS_INVALID', ...(wordsOf(text, error, typed) ?? {message: `${text}: see ${helpOf(typed)}`, suggestions: []})}
}

/** A command that does not exist: an engine's own, a word for one of ours, a slip, or the name of a model. */
function unknownCommand(words: readonly string[]): Wrong {
  const [asked = ''] = words
  if (engineProgram(words) !== undefined) return {code: 'COMMAND_UNKNOWN', message: markCommand(words), suggestions: []}
  const meant = OTHERS_COMMANDS.filter(({words: others}) => others.includes(asked.toLowerCase())).map(({command}) => command)
  const suggestions = [...new Set([...meant, ...nearest(asked, COMMAND_NAMES)])]
  const isModel = suggestions.length === 0 && /^[\w./-]*\d[\w./-]*$/.test(asked)
  return {
    code: 'COMMAND_UNKNOWN',
    message: `No command "${asked}": servefit --help lists them${isModel ? `; about a model: servefit check ${asked}` : ''}`,
    suggestions,
  }
}

const helpOf = ({command}: Typed): string => `servefit ${command === undefined ? '' : `${command.replaceAll(':', ' ')} `}--help`

function wordsOf(text: string, error: ParserError, typed: Typed): Omit<Wrong, 'code'> | undefined {
  const flags = error.parse?.input?.flags ?? {}
  const name = (flag: string) => `--${spelledAs(flag, flags[flag]?.aliases ?? [], typed.argv)}`
  const said = (message: string, suggestions: string[] = []) => ({message, suggestions})
  const choice = /^Expected --(\S+?)=(.*) to be one of: (.+)$/.exec(text)
  if (choice) return said(`${name(choice[1]!)} ${choice[2]}: expected ${inWords(choice[3]!.split(', '))}`, nearest(choice[2]!, choice[3]!.split(', ')))
  const valueless = /^Flag --(\S+) expects a value$/.exec(text)
  if (valueless) return said(`${name(valueless[1]!)} has no value: ${helpOf(typed)} says what it takes`)
  const integer = /^Parsing --([\w-]+);? Expected an integer( .*)? but received: (.*)$/.exec(text)
  if (integer) return said(`${name(integer[1]!)} ${integer[3]}: expected a whole number${integer[2] ?? ''}`)
  const both = /^--([\w-]+)(?:=.*?)? cannot also be provided when using --([\w-]+)/.exec(text)
  if (both) return said(`${name(both[2]!)} and ${name(both[1]!)} exclude each other: give one of them`)
  const needs = /^(?:All|One) of the following must be provided when using --([\w-]+): (.+)$/.exec(text)
  if (needs)
    return said(`${name(needs[1]!)} means nothing without ${needs[2]!.replaceAll(/--([\w-]+)/g, (_, flag: string) => name(flag))}: give both, or neither`)
  const absent = /^Nonexistent flags?: (.+)$/.exec(text)
  if (absent) {
    const spellings = Object.entries(flags).flatMap(([own, {aliases = []}]) => [own, ...aliases])
    const written = (error.flags?.[0] ?? '').replace(/^-+/, '')
    if (written === 'model' && TAKES_MODEL.has(typed.command ?? ''))
      return said(`No flag --model: the model is the argument of ${typed.command}, such as servefit ${typed.command} qwen3-32b`)
    // `config --docker`: the word is a format.
    if (typed.command === 'config' && FORMATS.has(written)) return said(`No flag --${written}: formats are given with --format`, [`--format ${written}`])
    // What other programs call it comes first.
    const meant = OTHERS_FLAGS.find(({words}) => words.includes(written.toLowerCase().replaceAll('_', '-')))
    const own = meant && spellings.includes(meant.flag) ? [meant.flag] : []
    const near = [...new Set([...own, ...nearest(written, spellings)])].map((flag) => `--${flag}`)
    return said(`No flag ${absent[1]}: ${helpOf(typed)} lists them`, near)
  }
  const extra = /^Unexpected arguments?: (.+)$/.exec(text)
  if (extra) {
    const [first = ''] = typed.argv
    // A misspelt command below this one is taken for this one's argument.
    const meant = nearest(first, typed.below ?? []).map((below) => `${typed.command} ${below}`)
    const unexpected = extra[1]!.split(', ')[0]!
    if (meant.length === 0 && TAKES_MODEL.has(typed.command ?? '')) {
      const words = wordsBefore(typed.argv)
      const quoted = words.length > 1 && words.includes(unexpected) ? ` (${quotedShort(words.join(' '))})` : ''
      return said(`Unexpected "${unexpected}": a name of several words is given in quotes${quoted}, and a card with --gpu; ${helpOf(typed)} lists the rest`)
    }
    return said(`Unexpected "${unexpected}": ${helpOf(typed)} says what ${typed.command?.replaceAll(':', ' ') ?? 'it'} takes`, meant)
  }
  return undefined
}
