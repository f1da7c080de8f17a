import {describe, expect, it} from 'vitest'
import type {Option} from '../../../src/build/learn/facts.ts'
import {flagFileWith, readFlagFile} from '../../../src/build/learn/flag-file.ts'
import {optionsAt, withRelease} from '../../../src/build/learn/flag-rows.ts'
import {checkFlag, type FlagTable, findFlag} from '../../../src/engines/flags.ts'

const FILE = `# Options of an engine.
# Kept by hand: two lines.
engine: vllm
underscores: true # kept as well
commit: 2f41c894e320a07a46a360ee72149dd84d6f4bec
repository: example/engine
sources:
  a: vllm/engine/arg_utils.py
flags:
  - {name: --model, type: str, default: "some/model", source: a}
  - {name: --mode, aliases: [-m], type: enum, choices: [all, align, none], default: none, source: a}
  - {name: --ratio, type: float, default: 5.0, source: a}
  - {name: --swap-space, until: 0.17.0}
`

const option = (name: string, rest: Partial<Option>): Option => ({name, type: 'str', source: 'vllm/engine/arg_utils.py', ...rest})
const model = option('--model', {default: 'some/model'})
const mode = option('--mode', {type: 'enum', aliases: ['-m'], choices: ['all', 'align', 'none'], default: 'none'})
const ratio = option('--ratio', {type: 'float', default: 5})

/** The table of 0.28.0 as read, then 0.29.0 with what is given. */
function released(...options: Option[]): FlagTable {
  return withRelease(withRelease(readFlagFile(FILE), '0.28.0', [model, mode, ratio]), '0.29.0', options)
}
const row = (table: FlagTable, name: string) => table.flags.find((each) => each.name === name)
const plain = (options: readonly Option[]) => options.filter(({unread}) => !unread).map(({source: _source, ...rest}) => rest)

describe('a release read into the table', () => {
  it('dates what is new, and puts it behind the option it follows', () => {
    const table = released(model, option('--new', {type: 'int', default: 3}), mode, ratio)
    expect(row(table, '--new')).toEqual({name: '--new', type: 'int', default: 3, since: '0.29.0', source: 'a'})
    expect(table.flags.map(({name}) => name)).toEqual(['--model', '--new', '--mode', '--ratio', '--swap-space'])
    expect(table.release).toBe('0.29.0')
  })

  it('says until when there was what is gone, and keeps what was known of its values', () => {
    const table = released(model, ratio)
    expect(row(table, '--mode')).toMatchObject({until: '0.28.0', type: 'enum', choices: ['all', 'align', 'none']})
    expect(findFlag(table, '0.29.0', '--mode').problem?.code).toBe('flag-gone')
    expect(checkFlag(table, '0.28.0', '--mode', 'sideways')?.code).toBe('value-illegal')
  })

  it('dates choices that come and go', () => {
    const table = released(model, {...mode, choices: ['align', 'none', 'lazy']}, ratio)
    expect(row(table, '--mode')).toMatchObject({choices: ['align', 'none', 'lazy', 'all'], choicesSince: {lazy: '0.29.0'}, choicesUntil: {all: '0.28.0'}})
    expect(checkFlag(table, '0.28.0', '--mode', 'all')).toBeUndefined()
    expect(checkFlag(table, '0.29.0', '--mode', 'all')?.code).toBe('value-illegal')
    expect(checkFlag(table, '0.28.0', '--mode', 'lazy')?.code).toBe('value-illegal')
  })

  it('remembers what changed: a default, a type, a standing', () => {
    const table = released(model, {...mode, default: undefined, deprecated: true}, {...ratio, type: 'int', default: 2})
    expect(row(table, '--mode')?.earlier).toEqual([{until: '0.28.0', type: 'enum', default: 'none'}])
    expect(row(table, '--ratio')?.earlier).toEqual([{until: '0.28.0', type: 'float', default: 5}])
    expect(checkFlag(table, '0.28.0', '--ratio', '0.5')).toBeUndefined()
    expect(checkFlag(table, '0.29.0', '--ratio', '0.5')?.code).toBe('value-illegal')
  })

  it('dates spellings that come and go', () => {
    const table = released(model, {...mode, aliases: ['--kind']}, ratio)
    expect(findFlag(table, '0.28.0', '-m').row?.name).toBe('--mode')
    expect(findFlag(table, '0.29.0', '-m').row).toBeUndefined()
    expect(findFlag(table, '0.29.0', '--kind').row?.name).toBe('--mode')
    expect(findFlag(table, '0.28.0', '--kind').row).toBeUndefined()
  })

  it('keeps what the data says where it could not be read', () => {
    const table = released(model, {name: '--mode', type: 'str', unread: ['choices', 'default'], aliases: ['-m']}, ratio)
    expect(row(table, '--mode')).toMatchObject({type: 'enum', choices: ['all', 'align', 'none'], default: 'none'})
    expect(row(table, '--mode')?.earlier).toBeUndefined()
  })

  it('corrects the release it stands at without dating anything', () => {
    const table = withRelease(withRelease(readFlagFile(FILE), '0.28.0', [model, mode, ratio]), '0.28.0', [model, {...mode, default: 'align'}, ratio])
    expect(row(table, '--mode')).toEqual({name: '--mode', aliases: ['-m'], type: 'enum', choices: ['all', 'align', 'none'], default: 'align', source: 'a'})
  })

  it('takes back a change that was only misread', () => {
    const misread = released(model, {...mode, type: 'str', choices: undefined}, ratio)
    expect(row(misread, '--mode')?.earlier).toHaveLength(1)
    const table = withRelease(misread, '0.29.0', [model, mode, ratio])
    expect(row(table, '--mode')).toEqual(row(readFlagFile(FILE), '--mode'))
  })
})

it('gives every release back as it was read', () => {
  const releases: [string, Option[]][] = [
    ['0.28.0', [model, mode, ratio]],
    ['0.29.0', [model, {...mode, choices: ['align', 'none', 'lazy'], default: 'lazy', aliases: ['-m', '--kind']}, ratio]],
    [
      '0.30.0',
      [
        model,
        {...mode, choices: ['align', 'none'], deprecated: true, instead: '--other', aliases: ['--kind']},
        option('--other', {type: 'bool', default: false}),
      ],
    ],
    ['0.31.0', [model, option('--other', {type: 'str'}), ratio]],
  ]
  const table = releases.reduce((made, [version, options]) => withRelease(made, version, options), readFlagFile(FILE))
  for (const [version, options] of releases.slice(0, 3)) {
    // In the order of the table, which is not the engine's once something is gone.
    const byName = (list: readonly Option[]) =>
      [...plain(list)]
        .sort((left, right) => (left.name < right.name ? -1 : 1))
        .map((each) => ({...each, choices: each.choices && [...each.choices].sort(), aliases: each.aliases && [...each.aliases].sort()}))
    // --ratio is gone in 0.30.0 and back in 0.31.0: one span holds no gap, so it is taken for present throughout.
    const expected = version === '0.30.0' ? [...options, ratio] : options
    expect(byName(optionsAt(table, version)), version).toEqual(byName(expected))
  }
})

describe('the file', () => {
  it('keeps what a hand wrote, and rows that say the same as they are written', () => {
    const made = flagFileWith(FILE, withRelease(readFlagFile(FILE), '0.28.0', [model, mode, ratio, option('--new', {type: 'int'})]))
    const lines = FILE.split('\n')
    expect(made.split('\n')).toEqual([
      ...lines.slice(0, 3),
      'release: 0.28.0',
      lines[3],
      ...lines.slice(5, 12),
      '  - {name: --new, type: int, since: 0.28.0, source: a}',
      ...lines.slice(12),
    ])
  })

  it('is read back as the table it was written from, with whatever needs quotes', () => {
    const odd = option('--odd', {type: 'enum', choices: ['on', '1', 'null', 'a b', 'x: y', '{z}', '', '~', '0x10', '1e3', '#']})
    const table = withRelease(readFlagFile(FILE), '0.28.0', [model, mode, ratio, odd])
    expect(readFlagFile(flagFileWith(FILE, table)).flags).toEqual(JSON.parse(JSON.stringify(table.flags)))
  })
})
