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
  return `# Published launch commands compared with ours

Written by \`node src/build/run.mjs compare-recipes RELEASE FILE\`; do not edit by hand.

Others publish start commands for the models of the catalogue: ${sources.join('; ')}. For each of them servefit wrote its own command for the same repository on the same cards, with no load given (so for one user) and for the newest release it knows (${versions}), and the two were compared option by option under that release's names. From a vLLM recipe the comparison takes the base options, tool calling, reasoning, the variant, and the options for the brand, the generation and the card (H200, B200 and MI300X; MI355X, RTX PRO 6000, RTX 5090 and GB10 where the recipe names them). A benchmark script may start one model in several ways; every value that an option has there counts.

**${counted(judged.length, 'launch', 'launches')} compared: ${counted(equal, 'option')} equal, ${all.length} different. Of the differences, ${all.length - open.length} have a reason listed below and ${open.length} have none.** ${counted(leftOut.length, 'launch', 'launches')} could not be compared (see the last section).

| model | engine | launches | equal | different, by reason | unexplained |
| --- | --- | ---: | ---: | --- | ---: |
${rows.join('\n')}

## Why they differ

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

Besides the model's options, recipes have options for a generation of cards or for one card. servefit's commands have ${there} of these with the same value and lack ${missing.length}, for these reasons: ${byClass(missing)}. The launches below are those with the most such options, taking one card after another.

${list.map(launchText).join('\n\n')}`
}

function launchText({launch, equal, differences}: Judged): string {
  const rows = differences.map(
    (difference) =>
      `| ${code(difference.name)}${difference.isForCard ? ' (for the card)' : ''} | ${cell(values(difference)).replace('\\|', '|')} | ${difference.class ?? 'unexplained'} |`,
  )
  const table = rows.length === 0 ? 'Nothing differs.' : `| option | theirs | ours | reason |\n| --- | --- | --- | --- |\n${rows.join('\n')}`
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

/** Repositories that the catalogue lacks by name alone, the others with their cards and what was said of those. */
function leftOutText(because: string, list: readonly LeftOut[]): string {
  const repositories = grouped(list, ({launch}) => launch.repository)
  const words = [...repositories].flatMap(([repository, own]) =>
    [...grouped(own, ({detail = ''}) => detail)].map(([detail, same]) => {
      const where = [...new Set(same.map(({launch}) => `${launch.count}x${launch.gpu} (${launch.engine})`))].join(', ')
      return detail === '' ? repository : `${repository} on ${where}: ${cell(detail)}`
    }),
  )
  return `- **${because}** (${counted(list.length, 'launch', 'launches')} of ${counted(repositories.size, 'repository', 'repositories')}): ${words.join('; ')}`
}
