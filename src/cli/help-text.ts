import type {Config} from '@oclif/core/config'
import {InputError} from '../core/input-error.ts'
import {nearest} from '../core/nearest.ts'
import {padEnd, wrap} from '../render/style.ts'
import {typedName} from './flag-names.ts'

type Loadable = Config['commands'][number]
type FlagEntry = Loadable['flags'][string]
type ArgEntry = Loadable['args'][string]

/** Commands by what somebody wants; a command that stands in none comes last. */
const GROUPS: {title: string; ids: string[]}[] = [
  {title: 'Ask', ids: ['check', 'models', 'compare', 'plan', 'capacity']},
  {title: 'Start', ids: ['config']},
  {title: 'Check predictions, and learn from them', ids: ['verify', 'calibrate']},
  {title: 'This machine', ids: ['here', 'detect', 'doctor']},
  {title: 'Look up', ids: ['models:show', 'gpus', 'machines', 'engines', 'engines:support']},
  {title: 'Models of your own', ids: ['models:import']},
  {title: 'In a browser', ids: ['web']},
  {title: 'For scripts, shells and agents', ids: ['batch', 'diff', 'schema', 'completion', 'mcp']},
]

/** Flag groups in the order of the question; those not named come after them. */
const FLAG_GROUPS = ['WHERE', 'LOAD', 'LIMITS', 'FILTER', 'FITTING', 'FLEET', 'FLAGS', 'DEPLOYMENT', 'ENGINE SETTINGS', 'SOURCE', 'GLOBAL']

const BIN = 'servefit'
/** Left column; what is longer has its text on the next line. */
const LEFT = 28
const WIDEST = 100

const spaced = (id: string): string => id.replaceAll(':', ' ')

/**
 * `servefit --help`, and `servefit COMMAND --help` with the command's usage, examples, arguments and flags. Flags stand under the name that people
 * type, with the engines' own spellings beside it.
 * @throws InputError COMMAND_UNKNOWN where the first word is no command.
 */
export function helpText(config: Config, argv: readonly string[], terminalColumns: number): string {
  const columns = Math.max(40, Math.min(terminalColumns, WIDEST))
  const end = argv.indexOf('--')
  const before = (end < 0 ? argv : argv.slice(0, end)).filter((word) => word !== '--help' && word !== '-h')
  // Ids and words may be joined by colons or blanks.
  const words = before.flatMap((word) => word.split(':'))
  const [first, second] = words
  if (first === undefined || first.startsWith('-')) return rootHelp(config, columns)
  const commands = config.commands.filter(({hidden}) => !hidden)
  const command = commands.find(({id}) => id === `${first}:${second}`) ?? commands.find(({id}) => id === first)
  if (!command)
    throw new InputError('COMMAND_UNKNOWN', `No command "${first}": servefit --help lists them`, {
      suggestions: nearest(
        first,
        commands.map(({id}) => spaced(id)),
      ),
    })
  return commandHelp(command, commands, columns)
}

function rootHelp(config: Config, columns: number): string {
  const commands = new Map(config.commands.filter(({hidden}) => !hidden).map((command) => [command.id, command]))
  const named = new Set(GROUPS.flatMap(({ids}) => ids))
  const others = [...commands.keys()].filter((id) => !named.has(id)).sort()
  const lines = [
    wrap('Does an open-weights model fit my machines, how fast will it be under my load, and what exactly do I start?', columns),
    '',
    ...section(
      'Usage',
      [
        [BIN, 'what this machine is, and what fits it'],
        [`${BIN} COMMAND ...`, 'one of the commands below'],
        [`${BIN} help COMMAND`, 'its arguments, flags and examples'],
      ],
      columns,
    ),
  ]
  for (const {title, ids} of [...GROUPS, {title: 'Others', ids: others}]) {
    const own = ids.flatMap((id) => commands.get(id) ?? [])
    if (own.length > 0)
      lines.push(
        '',
        ...section(
          title,
          own.map((command) => [titleOf(command), command.summary ?? '']),
          columns,
        ),
      )
  }
  lines.push(
    '',
    'Examples',
    `  $ ${BIN} check qwen3-32b --gpu 2xrtx-4090 --users 8 --input 2k --output 500`,
    `  $ ${BIN} models coding --fits --gpu 1xrtx-4090`,
    `  $ ${BIN} config gpt-oss-120b --gpu 1xh100-sxm`,
    '',
    wrap('Without --gpu or --machine a command asks about this machine. Every command takes --json. Exit codes: 0 yes, 1 no, 2 the input was wrong.', columns),
  )
  return `${lines.join('\n')}\n`
}

/** `check MODEL`: a command with the arguments that it takes. */
function titleOf({id, args, strict}: Loadable): string {
  return [spaced(id), ...argumentNames(args, strict)].join(' ')
}

function argumentNames(args: Record<string, ArgEntry>, strict: boolean | undefined): string[] {
  return Object.values(args).map(({name, required}) => {
    const many = strict === false ? '...' : ''
    return required ? `${name.toUpperCase()}${many}` : `[${name.toUpperCase()}${many}]`
  })
}

function commandHelp(command: Loadable, commands: readonly Loadable[], columns: number): string {
  const lines: string[] = [wrap(sentence(command.summary ?? ''), columns), '', 'Usage']
  const usages = (command.usage === undefined ? [] : [command.usage].flat()).map((usage) => filled(usage, command))
  for (const usage of usages.length > 0 ? usages : [`${BIN} ${titleOf(command)} [FLAGS]`]) lines.push(`  $ ${usage}`)
  const examples = (command.examples ?? []).map((example) => filled(typeof example === 'string' ? example : example.command, command))
  if (examples.length > 0) lines.push('', 'Examples', ...examples.map((example) => `  $ ${example}`))
  if (command.description)
    lines.push(
      '',
      ...filled(command.description, command)
        .split('\n')
        .map((line) => wrapped(line, columns)),
    )
  const args = Object.values(command.args)
  if (args.length > 0)
    lines.push(
      '',
      ...section(
        'Arguments',
        args.map(({name, description = ''}) => [name.toUpperCase(), description]),
        columns,
      ),
    )
  for (const [group, flags] of flagGroups(command)) lines.push('', ...section(group, flags.map(flagLine), columns))
  const below = commands.filter(({id}) => id.startsWith(`${command.id}:`))
  if (below.length > 0)
    lines.push(
      '',
      ...section(
        'See also',
        below.map((one) => [`${BIN} ${titleOf(one)}`, one.summary ?? '']),
        columns,
      ),
    )
  return `${lines.join('\n')}\n`
}

/** Indented lines of a description are an example file: they stay as they are. */
const wrapped = (line: string, columns: number): string => (/^\s/.test(line) ? line : wrap(line, columns))

function flagGroups({flags}: Loadable): [string, FlagEntry[]][] {
  const groups = new Map<string, FlagEntry[]>()
  for (const flag of Object.values(flags)) {
    if (flag.hidden) continue
    const group = flag.name === 'json' ? 'GLOBAL' : (flag.helpGroup ?? 'FLAGS')
    groups.set(group, [...(groups.get(group) ?? []), flag])
  }
  const place = (group: string) => (FLAG_GROUPS.includes(group) ? FLAG_GROUPS.indexOf(group) : FLAG_GROUPS.length - 1.5)
  return [...groups].sort(([a], [b]) => place(a) - place(b)).map(([group, own]) => [sentence(group === 'GLOBAL' ? 'EVERYWHERE' : group), own])
}

/** `--users N|max`, and what it means with its other spellings. */
function flagLine(flag: FlagEntry): [string, string] {
  const name = typedName(flag.name)
  if (flag.name === 'json') return ['--json', 'one JSON document instead of text']
  const others = [flag.name, ...(flag.aliases ?? [])].filter((other) => other !== name)
  const description = flag.summary ?? flag.description ?? ''
  const also = others.length === 0 ? '' : `; also ${others.map((other) => `--${other}`).join(', ')}`
  if (flag.type === 'boolean') return [`--${flag.allowNo ? '[no-]' : ''}${name}`, `${description}${also}`]
  const choices = flag.options && !flag.options.every((option) => description.includes(option)) ? `: ${flag.options.join(', ')}` : ''
  const value = flag.helpValue === undefined ? 'VALUE' : [flag.helpValue].flat().join(' ')
  return [`--${name} ${value}`, `${description}${choices}${also}`]
}

function section(title: string, rows: readonly (readonly [string, string])[], columns: number): string[] {
  const left = Math.min(LEFT, Math.max(...rows.map(([name]) => name.length)))
  return [
    sentence(title),
    ...rows.map(([name, text]) => {
      const words = wrap(text, columns - left - 4, left + 4)
      return name.length > left ? `  ${name}\n${' '.repeat(left + 4)}${words}` : `  ${padEnd(name, left)}  ${words}`
    }),
  ]
}

/** The marks of oclif's templates that our texts use. */
const filled = (text: string, {id}: Loadable): string => text.replaceAll('<%= config.bin %>', BIN).replaceAll('<%= command.id %>', spaced(id))

const sentence = (title: string): string => (/^[A-Z ]+$/.test(title) ? title.charAt(0) + title.slice(1).toLowerCase() : title)
