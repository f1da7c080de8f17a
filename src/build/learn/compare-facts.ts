import type {Facts, Option} from './facts.ts'

/** What can be told of a release from its sources and from the data alike. */
export type Known = Pick<Facts, 'options' | 'architectures' | 'plugins' | 'quantization' | 'speculativeMethods' | 'builds'>

export interface Difference {
  /** The heading that it stands under. */
  kind: string
  text: string
}

/** What is different in `after`, for a person to review; nothing where both say the same. */
export function differences(before: Known, after: Known): Difference[] {
  return [
    ...optionDifferences(before.options, after.options),
    ...(after.architectures.length > 0 ? listDifferences('architectures', before.architectures, after.architectures) : []),
    ...mapDifferences('classes that a package serves', before.plugins, after.plugins),
    ...mapDifferences('capability floors of weight formats', floors(before), floors(after)),
    ...(after.speculativeMethods ? listDifferences('speculative methods', before.speculativeMethods ?? [], after.speculativeMethods) : []),
    ...mapDifferences('builds', buildsOf(before), buildsOf(after)),
  ]
}

const floors = ({quantization}: Known): Record<string, string> =>
  Object.fromEntries(quantization.map(({name, minCapability}) => [name, minCapability === undefined ? 'not given' : minCapability.toFixed(1)]))

const buildsOf = ({builds: {cudaSources, requires, ...lists}}: Known): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(lists).map(([name, value]) => [name, Array.isArray(value) ? value.join(' ') : String(value)])),
  ...Object.fromEntries((cudaSources ?? []).map(({cudaFrom, capabilities}) => [`cudaSources from CUDA ${cudaFrom ?? 'any'}`, capabilities.join(' ')])),
  ...Object.fromEntries(Object.entries(requires ?? {}).map(([name, version]) => [`requires ${name}`, version])),
})

function listDifferences(kind: string, before: readonly string[], after: readonly string[]): Difference[] {
  const had = new Set(before)
  const has = new Set(after)
  return [
    ...after.filter((name) => !had.has(name)).map((name) => ({kind, text: `new: ${name}`})),
    ...before.filter((name) => !has.has(name)).map((name) => ({kind, text: `gone: ${name}`})),
  ]
}

function mapDifferences(kind: string, before: Record<string, string>, after: Record<string, string>): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name): Difference[] => {
    const [was, is] = [before[name], after[name]]
    if (was === is) return []
    if (was === undefined) return [{kind, text: `new: ${name}: ${is}`}]
    return [{kind, text: is === undefined ? `gone: ${name} (was ${was})` : `${name}: ${was} -> ${is}`}]
  })
}

function optionDifferences(before: readonly Option[], after: readonly Option[]): Difference[] {
  const had = new Map(before.map((option) => [option.name, option]))
  const has = new Set(after.map(({name}) => name))
  const found: Difference[] = []
  for (const option of after) {
    const old = had.get(option.name)
    if (!old) found.push({kind: 'new options', text: described(option)})
    else found.push(...changes(old, option))
  }
  for (const {name} of before) if (!has.has(name)) found.push({kind: 'options that are gone', text: name})
  return found
}

function described({name, type, choices, default: standard, deprecated}: Option): string {
  const values = choices === undefined ? '' : ` (${choices.join(', ')})`
  return `${name}: ${type}${values}${standard === undefined ? '' : `, default ${JSON.stringify(standard)}`}${deprecated ? ', deprecated' : ''}`
}

function changes(old: Option, option: Option): Difference[] {
  const found: Difference[] = []
  const {name} = option
  const unread = new Set([...(option.unread ?? []), ...(old.unread ?? [])])
  if (old.type !== option.type && !unread.has('type') && !unread.has('choices')) found.push({kind: 'types', text: `${name}: ${old.type} -> ${option.type}`})
  if (!unread.has('default') && JSON.stringify(old.default ?? null) !== JSON.stringify(option.default ?? null))
    found.push({kind: 'defaults', text: `${name}: ${shown(old.default)} -> ${shown(option.default)}`})
  const choices = unread.has('choices') ? [] : listDifferences('', (old.choices ?? []).map(String), (option.choices ?? []).map(String))
  for (const {text} of choices) found.push({kind: 'choices', text: `${name}: ${text}`})
  const aliases = unread.has('type') ? [] : listDifferences('', old.aliases ?? [], option.aliases ?? [])
  for (const {text} of aliases) found.push({kind: 'spellings', text: `${name}: ${text}`})
  if (!unread.has('choices') && (old.open ?? false) !== (option.open ?? false))
    found.push({kind: 'choices', text: `${name}: ${option.open ? 'takes other names too' : 'takes no other names'}`})
  if (!unread.has('type') && ((old.deprecated ?? false) !== (option.deprecated ?? false) || old.instead !== option.instead)) {
    const successor = option.instead === undefined ? '' : `, ${option.instead} in its place`
    found.push({kind: 'deprecated', text: `${name}: ${option.deprecated ? `deprecated${successor}` : 'no longer deprecated'}`})
  }
  return found
}

const shown = (value: unknown): string => (value === undefined ? 'unset' : JSON.stringify(value))

/** Differences under their headings, a line each. */
export function reviewList(found: readonly Difference[]): string {
  const kinds = [...new Set(found.map(({kind}) => kind))]
  return kinds
    .map((kind) => {
      const own = found.filter((each) => each.kind === kind)
      return `${kind} (${own.length})\n${own.map(({text}) => `  ${text}`).join('\n')}`
    })
    .join('\n\n')
}
