import type {Difference} from './options.ts'
import type {Published} from './read.ts'
import {CLASSES} from './rules.ts'

export interface Judged {
  launch: Published
  /** Id in the catalogue. */
  model: string
  version: string
  equal: string[]
  /** Of them those that the recipe has for this card. */
  equalForCard: number
  differences: (Difference & {class?: string})[]
}

export interface LeftOut {
  launch: Published
  because: string
  detail?: string
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const code = (text: string): string => `\`${text.replaceAll('`', "'")}\``
const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const byClass = (differences: readonly {class?: string}[]): string =>
  [
    ...grouped(
      differences.filter((difference) => difference.class !== undefined),
      (difference) => difference.class!,
    ),
  ]
    .map(([name, list]) => `${name} ${list.length}`)
    .join(', ')

/** The page as Markdown. */
export function pageOf(judged: readonly Judged[], leftOut: readonly LeftOut[], sources: readonly string[]): string {
  const all = judged.flatMap(({launch, model, differences}) => differences.map((difference) => ({...difference, launch, model})))
  const open = all.filter((difference) => difference.class === undefined)
  const equal = judged.reduce((sum, entry) => sum + entry.equal.length, 0)
  const rows = [...grouped(judged, ({model, launch}) => `${model}\u0000${launch.engine}`)].map(([key, list]) => {
    const [model = '', engine = ''] = key.split('\u0000')
    const differences = list.flatMap((entry) => entry.differences)
    return `| ${model} | ${engine} | ${list.length} | ${list.reduce((sum, entry) => sum + entry.equal.length, 0)} | ${byClass(differences)} | ${differences.filter((difference) => difference.class === undefined).length} |`
  })
  const versions = [...grouped(judged, ({launch}) => launch.engine)].map(([engine, list]) => `${engine} ${list[0]!.version}`).join(', ')
  return `# Published launches against ours

Written by \`node src/build/run.mjs compare-recipes RELEASE FILE\`; do not edit by hand.

Others publish commands for the models of the catalogue: ${sources.join('; ')}. Each was put beside the command that servefit writes for the same repository on the same number of the same cards, with no load named (so for one user, as everywhere), for the newest release we know (${versions}), and compared option by option under the names of that release. A recipe of vLLM counts with its base options, those of tool calling and reasoning, those of the variant, and those of its brand, generation and card (H200, B200, MI300X, and MI355X, RTX PRO 6000, RTX 5090 and GB10 where the recipe names them). Benchmark scripts start one model in several ways; all values that an option gets there count.

**${counted(judged.length, 'launch', 'launches')} compared: ${counted(equal, 'option')} equal, ${all.length} different, of which ${all.length - open.length} are explained by a class below and ${open.length} are not.** ${counted(leftOut.length, 'launch', 'launches')} could not be compared (last section).

| model | engine | launches | equal | explained, by class | unexplained |
| --- | --- | ---: | ---: | --- | ---: |
${rows.join('\n')}

## Classes

${[
  ...grouped(
    all.filter((difference) => difference.class !== undefined),
    (difference) => difference.class!,
  ),
]
  .map(([name, list]) => classText(name, list))
  .join('\n\n')}

${flagByFlag(judged)}

## Unexplained

${open.length === 0 ? 'None.' : openText(open)}

## Not compared

${[...grouped(leftOut, ({because}) => because)].map(([because, list]) => leftOutText(because, list)).join('\n')}
`
}

/** So many launches are shown whole. */
const SHOWN = 30

/** Launches with options for their card, cards in turn, each model once for a card, those with the most options first. */
function shown(judged: readonly Judged[]): Judged[] {
  const options = ({launch: {card}}: Judged): number => (card ? card.words.length + Object.keys(card.environment).length : 0)
  const byCard = [
    ...grouped(
      judged.filter((entry) => options(entry) > 0),
      ({launch}) => launch.gpu,
    ).values(),
  ].map((list) => {
    const largest = list.toSorted((a, b) => options(b) - options(a) || (a.launch.repository < b.launch.repository ? -1 : 1))
    return largest.filter(({model}, index) => largest.findIndex((other) => other.model === model) === index)
  })
  const turns = Math.max(0, ...byCard.map((list) => list.length))
  return Array.from({length: turns}, (_, turn) => byCard.flatMap((list) => list.slice(turn, turn + 1)))
    .flat()
    .slice(0, SHOWN)
}

function flagByFlag(judged: readonly Judged[]): string {
  const ofCards = judged.filter(({launch}) => launch.card !== undefined)
  const there = ofCards.reduce((sum, {equalForCard}) => sum + equalForCard, 0)
  const missing = ofCards.flatMap(({differences}) => differences).filter(({isForCard, side}) => isForCard && side !== 'ours')
  const list = shown(judged)
  if (list.length === 0) return ''
  return `## ${list.length} launches, flag by flag

Recipes have options for a generation of cards or for one card besides those of the model. Of these, ${there} are in ours with the same value; ${missing.length} are not, by class: ${byClass(missing)}. The launches below are those with the most of them, cards in turn.

${list.map(launchText).join('\n\n')}`
}

function launchText({launch, equal, differences}: Judged): string {
  const rows = differences.map(
    (difference) =>
      `| ${code(difference.name)}${difference.isForCard ? ' (for the card)' : ''} | ${cell(values(difference)).replace('\\|', '|')} | ${difference.class ?? 'unexplained'} |`,
  )
  const table = rows.length === 0 ? 'Nothing differs.' : `| option | theirs | ours | class |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
  return `**${launch.repository}** on ${launch.count} x ${launch.gpu} (${launch.label}). Equal: ${equal.length === 0 ? 'none' : equal.map(code).join(', ')}.\n\n${table}`
}

/** What a class holds: its reason, then each option with how often it is met. */
function classText(name: string, list: readonly Difference[]): string {
  const options = [...grouped(list, (difference) => difference.name)].sort(([, a], [, b]) => b.length - a.length)
  return `**${name}** (${list.length}). ${CLASSES[name] ?? ''}\n\nOptions: ${options.map(([option, own]) => `${code(option)} ${own.length}`).join(', ')}`
}

const values = ({theirs, ours}: Difference): string => `${theirs ? code(theirs.values.join(' ')) : '-'} | ${ours ? code(ours.values.join(' ')) : '-'}`

function openText(open: readonly (Difference & {launch: Published; model: string})[]): string {
  const groups = grouped(open, (difference) => `${difference.name} ${difference.launch.engine} | ${values(difference)}`)
  return `| option | engine | theirs | ours | where |\n| --- | --- | --- | --- | --- |\n${[...groups.values()]
    .map((list) => {
      const [first] = list
      return `| ${code(first!.name)} | ${first!.launch.engine} | ${cell(values(first!)).replace('\\|', '|')} | ${cell([...grouped(list, ({launch}) => `${launch.repository} (${launch.from})`)].map(([where, own]) => `${where}: ${[...new Set(own.map(({launch}) => launch.label))].join('; ')}`).join('. '))} |`
    })
    .join('\n')}`
}

/** Those that the catalogue lacks by name, the others with the cards and the reason. */
function leftOutText(because: string, list: readonly LeftOut[]): string {
  const repositories = grouped(list, ({launch}) => launch.repository)
  const words = [...repositories].map(([repository, own]) => {
    const where = [...new Set(own.map(({launch}) => `${launch.count}x${launch.gpu} (${launch.engine})`))].join(', ')
    return own[0]!.detail === undefined ? repository : `${repository} on ${where}: ${cell(own[0]!.detail)}`
  })
  return `- **${because}** (${counted(list.length, 'launch', 'launches')} of ${counted(repositories.size, 'repository', 'repositories')}): ${words.join('; ')}`
}
