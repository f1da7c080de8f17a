import {dictionary} from '../core/dictionary.ts'
import type {Manifest, ManifestCommand, ManifestFlag} from './manifest.ts'

/** A word that may stand at the cursor, with what it is. */
export interface Candidate {
  value: string
  description?: string
}

/** Words for the cursor; or the shell's own completion of paths. */
export type Completion = Candidate[] | 'files' | 'folders'

/** Names that are completed; each list is made when it is asked for. */
export interface Names {
  models(): Candidate[]
  repositories(): Candidate[]
  gpus(): Candidate[]
  machines(): Candidate[]
  engines(): Candidate[]
  /** Releases of an engine, the newest first. */
  versions(engine: string | undefined): Candidate[]
  weights(): Candidate[]
  cacheFormats(): Candidate[]
  formats(): Candidate[]
}

type Kind = 'model' | 'gpu' | 'machine' | 'engine' | 'engine-version' | 'weights' | 'kv-cache' | 'format' | 'files' | 'folders'

/** What values of flags are; others are completed by their options alone. */
const OF_FLAG: Record<string, Kind> = dictionary({
  model: 'model',
  gpu: 'gpu',
  machine: 'machine',
  engine: 'engine',
  'engine-version': 'engine-version',
  weights: 'weights',
  quantization: 'weights',
  'kv-cache': 'kv-cache',
  'kv-cache-dtype': 'kv-cache',
  format: 'format',
  scenario: 'files',
  bench: 'files',
  trace: 'files',
  replay: 'files',
  html: 'files',
  svg: 'files',
  junit: 'files',
  sarif: 'files',
  save: 'folders',
  out: 'folders',
  catalogue: 'folders',
})

/** What arguments are, by command and name. */
const OF_ARGUMENT: Record<string, Kind> = dictionary({
  'gpus name': 'gpu',
  'machines name': 'machine',
  'engines name': 'engine',
  'engines engine': 'engine',
})
const ARGUMENTS: Record<string, Kind> = dictionary({model: 'model', file: 'files', log: 'files', before: 'files', after: 'files', words: 'model'})

/** More than this nobody reads. */
const LONGEST_LIST = 2000

/** The completion of the last of the words behind the program's name. */
export function complete(words: readonly string[], manifest: Manifest, names: Names): Completion {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  // Behind -- stands an engine's own command.
  if (before.includes('--')) return 'files'
  const ids = Object.values(manifest.commands).filter(({hidden}) => !hidden)
  const {command, rest} = commandOf(before, ids)
  const next = commandWords(before, ids)
  if (!command) return begun(next, current)
  const previous = before.at(-1) ?? ''
  const awaiting = rest.length > 0 && previous.startsWith('-') && !previous.includes('=') ? flagOf(command, previous) : undefined
  if (awaiting && awaiting.type === 'option') return valuesOf(awaiting, previous.replace(/^-+/, ''), current, before, names)
  const inline = /^--([\w-]+)=(.*)$/s.exec(current)
  if (inline) {
    const flag = flagOf(command, `--${inline[1]}`)
    const values = flag ? valuesOf(flag, inline[1]!, inline[2]!, before, names) : []
    return typeof values === 'string' ? values : values.map(({value, ...words}) => ({value: `--${inline[1]}=${value}`, ...words}))
  }
  if (current.startsWith('-')) return begun(flagsOf(command, before), current)
  const deeper = rest.length === 0 ? begun(next, current) : []
  const argument = argumentAt(command, rest)
  const own = argument === undefined ? [] : argumentValues(command, argument, current, before, names)
  return typeof own === 'string' ? (deeper.length > 0 && current !== '' ? deeper : own) : [...deeper, ...own].slice(0, LONGEST_LIST)
}

const begun = (candidates: readonly Candidate[], current: string): Candidate[] =>
  candidates.filter(({value}) => value.toLowerCase().startsWith(current.toLowerCase())).slice(0, LONGEST_LIST)

/** The command that words name, and what stands behind its name. */
function commandOf(words: readonly string[], commands: readonly ManifestCommand[]): {command?: ManifestCommand; rest: readonly string[]} {
  for (let length = Math.min(words.length, 2); length > 0; length--) {
    const command = commands.find(({id}) => id === words.slice(0, length).join(':'))
    if (command) return {command, rest: words.slice(length)}
  }
  return {rest: words}
}

/** The next word of commands whose names begin with these. */
function commandWords(words: readonly string[], commands: readonly ManifestCommand[]): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const {id, summary} of commands) {
    const parts = id.split(':')
    const [own, next] = [parts.slice(0, words.length), parts[words.length]]
    if (next === undefined || own.join(' ') !== words.join(' ')) continue
    const whole = parts.length === words.length + 1
    if (whole || !found.has(next)) found.set(next, {value: next, ...(whole && summary !== undefined && {description: summary})})
  }
  return [...found.values()]
}

const spellingsOf = ({name, aliases = []}: ManifestFlag): string[] => [name, ...aliases]

function flagOf({flags}: ManifestCommand, word: string): ManifestFlag | undefined {
  const name = word.replace(/^--?/, '')
  return Object.values(flags).find((flag) => (word.startsWith('--') ? spellingsOf(flag).includes(name) : flag.char === name))
}

/** Flags that may still be given, each under the names that people type. */
function flagsOf({flags}: ManifestCommand, before: readonly string[]): Candidate[] {
  return Object.values(flags)
    .filter(({hidden}) => !hidden)
    .filter((flag) => flag.multiple === true || !spellingsOf(flag).some((name) => before.includes(`--${name}`)))
    .flatMap((flag) => [
      ...spellingsOf(flag).map((name) => ({value: `--${name}`, description: flag.description})),
      ...(flag.allowNo ? [{value: `--no-${flag.name}`, description: flag.description}] : []),
    ])
}

function valuesOf({options, name}: ManifestFlag, spelled: string, current: string, before: readonly string[], names: Names): Completion {
  if (options)
    return begun(
      options.map((value) => ({value})),
      current,
    )
  const kind = OF_FLAG[spelled] ?? OF_FLAG[name]
  return kind === undefined ? [] : ofKind(kind, current, before, names)
}

/** The argument that the next plain word is. */
function argumentAt(command: ManifestCommand, rest: readonly string[]): string | undefined {
  let count = 0
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!
    if (!word.startsWith('-') || word === '-') count += 1
    else if (!word.includes('=') && flagOf(command, word)?.type === 'option') at += 1
  }
  const args = Object.keys(command.args)
  return args[count] ?? (command.strict === false ? args.at(-1) : undefined)
}

function argumentValues(command: ManifestCommand, argument: string, current: string, before: readonly string[], names: Names): Completion {
  const {options} = command.args[argument]!
  if (options)
    return begun(
      options.map((value) => ({value})),
      current,
    )
  const kind = OF_ARGUMENT[`${command.id} ${argument}`] ?? ARGUMENTS[argument]
  return kind === undefined ? [] : ofKind(kind, current, before, names)
}

const looksLikePath = (word: string): boolean => /^(?:\.{0,2}[\\/]|~|\.{1,2}$)/.test(word)

function ofKind(kind: Kind, current: string, before: readonly string[], names: Names): Completion {
  switch (kind) {
    case 'files':
    case 'folders':
      return kind
    case 'model': {
      if (looksLikePath(current)) return 'files'
      const found = begun(current.includes('/') || /^[A-Z]/.test(current) ? names.repositories() : names.models(), current)
      return found.length > 0 ? found : begun(names.repositories(), current)
    }
    case 'machine':
      return looksLikePath(current) ? 'files' : begun(names.machines(), current)
    case 'gpu':
      return gpusLike(current, names)
    case 'engine':
      return begun(names.engines(), current)
    case 'engine-version':
      return begun(names.versions(givenTo('engine', before)), current)
    case 'weights':
      return begun(names.weights(), current)
    case 'kv-cache':
      return begun(names.cacheFormats(), current)
    case 'format':
      return begun(names.formats(), current)
  }
}

/** `2xrtx`: a number of cards stays, and so do those before a comma. */
function gpusLike(current: string, names: Names): Candidate[] {
  const [, given = '', card = ''] = /^((?:.*,)?(?:\d+x)?)(.*)$/is.exec(current)!
  return begun(names.gpus(), card).map(({value, description}) => ({value: `${given}${value}`, description}))
}

/** The value that a flag was given. */
function givenTo(name: string, words: readonly string[]): string | undefined {
  const inline = words.find((word) => word.startsWith(`--${name}=`))
  const at = words.lastIndexOf(`--${name}`)
  return inline?.slice(name.length + 3) ?? (at < 0 ? undefined : words[at + 1])
}
