import type {ComparisonRow, Computation} from '../planner/compare/index.ts'
import type {Figure} from '../planner/quality/index.ts'
import {type Look, tablesOf} from './look.ts'
import {count, gib, inOneUnit, rate, tokens} from './numbers.ts'
import {figureLines, qualityLegend, qualityWords, scoresOf, shortQuality} from './quality.ts'
import {byVerdict, harmless, type Paint, paint, wrap} from './style.ts'
import {type Column, table} from './tables.ts'

interface CompareView extends Look {
  /** With `--explain`: the comparisons behind each statement, by repository. */
  figures?: ReadonlyMap<string, readonly Figure[]>
}

/** `compare` for people: what would be taken first, refusals last with their reason; a table for each model on each machine. */
export function renderCompare(rows: readonly ComparisonRow[], title: string, view: CompareView): string {
  const style = paint(view.colour)
  const groups = new Map<string, ComparisonRow[]>()
  for (const row of rows) {
    const key = `${row.model} on ${row.gpus} x ${row.gpu}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const lines = [style.bold(wrap(harmless(title), view.columns)), '']
  for (const [name, group] of groups) {
    if (groups.size > 1) lines.push(style.bold(harmless(name)))
    lines.push(...groupLines(group, view, style), '')
  }
  if (view.figures) lines.push(...explained(rows, view.figures, view))
  return `${lines.join('\n').trimEnd()}\n`
}

const isGood = ({result}: ComparisonRow): boolean => result.verdict === 'fits' || result.verdict === 'tight'

/** Over a list of refusals: whether it is room that they lack, or speed. */
function noneWords(rows: readonly ComparisonRow[]): string {
  if (rows.every(({result}) => result.reasons.some(({code}) => code === 'architecture-unknown'))) return 'servefit cannot tell whether any of them fits.'
  const slow = rows.filter(({result}) => result.verdict === 'too-slow').length
  return slow === 0 ? 'None of them fits.' : slow === rows.length ? 'All of them fit, but none is fast enough.' : 'None of them both fits and is fast enough.'
}

const organisation = (hfId: string): string => (hfId.includes('/') ? hfId.slice(0, hfId.indexOf('/')) : '')
const repository = (hfId: string): string => hfId.slice(hfId.indexOf('/') + 1)

function groupLines(rows: readonly ComparisonRow[], look: CompareView, style: Paint): string[] {
  const {columns} = look
  const good = rows.filter(isGood)
  if (good.length === 0) return [noneWords(rows), ...refusals(rows, columns)]
  const lines = table(good, columnsFor(good, style), tablesOf(look)).trimEnd().split('\n')
  const text = (words: string | undefined) => {
    if (words !== undefined) lines.push(`  ${wrap(words, columns - 4, 2)}`)
  }
  lines.push('')
  text(adviceOn(good))
  lines.push('')
  for (const words of [...qualityStatements(good), ...cacheWords(good)]) lines.push(`  ${wrap(words, columns - 4, 4)}`)
  lines.push(
    ...[qualityLegend(good.map(({quality}) => quality)), computesWords(good)]
      .filter((words) => words !== undefined)
      .map((words) => style.dim(`  ${wrap(words, columns - 4, 2)}`)),
  )
  return [...lines, ...refusals(rows, columns)]
}

const atOnce = ({requestsHeld}: ComparisonRow): string => (requestsHeld === undefined ? '' : count(requestsHeld))

/** Names lose their publisher before columns go, and only where no two are the same without it. */
function columnsFor(rows: readonly ComparisonRow[], style: Paint): Column<ComparisonRow>[] {
  const abbreviated = abbreviatedBy(rows)
  const times = (name: 'ttftMs' | 'tpotMs') => {
    const words = inOneUnit(rows.map(({result}) => result.performance?.[name].estimate))
    return ({result}: ComparisonRow) => words(result.performance?.[name].estimate)
  }
  return [
    {
      title: 'Checkpoint',
      value: ({hfId}) => harmless(hfId),
      shorter: [
        {value: ({hfId}) => harmless(repository(hfId)), expendable: 8},
        {value: ({hfId}) => harmless(abbreviated(hfId)), expendable: 3},
      ],
    },
    {title: 'KV', value: ({kvCache}) => kvCache},
    {title: 'GiB', value: ({checkpointBytes}) => gib(checkpointBytes), right: true, expendable: 4},
    ...(rows.some(({result}) => result.verdict !== 'fits')
      ? [
          {
            title: 'Verdict',
            value: ({result}: ComparisonRow) => VERDICTS[result.verdict] ?? result.verdict,
            style: ({result}: ComparisonRow) => byVerdict(style, result.verdict),
          },
        ]
      : []),
    {title: 'Context', value: ({result}) => tokens(result.deployment.maxModelLen), right: true, expendable: 1},
    {title: 'Requests at once', value: atOnce, right: true, expendable: 2, shorter: [{title: 'At once', value: atOnce, expendable: 9}]},
    {title: 'TTFT', value: times('ttftMs'), right: true},
    {title: 'TPOT', value: times('tpotMs'), right: true, expendable: 6},
    {title: 'tok/s', value: (row) => (row.result.performance ? rate(speedOf(row)) : ''), right: true},
    {title: 'Computes', value: ({computation}) => COMPUTES[computation], expendable: 7},
    {title: 'Quality', value: ({quality}) => shortQuality(quality)},
  ]
}

const VERDICTS: Partial<Record<ComparisonRow['result']['verdict'], string>> = {'too-slow': 'too slow', 'does-not-fit': 'does not fit'}

/** Names without the words that all repositories share, and what stands before these, where publishers tell them apart: nvidia/...-NVFP4. */
function abbreviatedBy(rows: readonly ComparisonRow[]): (hfId: string) => string {
  const names = rows.map(({hfId}) => repository(hfId))
  const words = names.reduce((a, b) => (b.length < a.length ? b : a)).split('-')
  const runs = words.flatMap((_, from) => words.slice(from).map((_word, length) => words.slice(from, from + length + 1).join('-')))
  const shared = runs.filter((run) => names.every((name) => name.includes(run))).reduce((a, b) => (b.length > a.length ? b : a), '')
  return (hfId) => {
    const name = repository(hfId)
    // Red Hat AI's `-quantized.w4a16` says no more than `-w4a16`.
    const rest = name.slice(name.indexOf(shared) + shared.length).replace(/^-quantized\./, '-')
    return shared === '' ? hfId : rest === '' ? name : `${organisation(hfId)}/...${rest}`
  }
}

const COMPUTES: Record<Computation, string> = {native: 'native', 'weight-only': '16-bit', emulated: 'emulated', unsupported: '-'}

const COMPUTES_WORDS: Record<Computation, string> = {
  native: 'computed as stored',
  'weight-only': 'unpacked and computed at 16 bits',
  emulated: 'emulated',
  unsupported: 'not supported',
}

/** How this GPU computes the formats. */
function computesWords(rows: readonly ComparisonRow[]): string {
  const byComputation = new Map<Computation, Set<string>>()
  for (const row of rows) {
    const {computation, weights} = row
    // A format that is computed in two ways is told with who published it.
    const differs = rows.some((other) => other.weights === weights && other.computation !== computation)
    // Of one publisher there may be both: NVFP4 with and without quantised activations.
    const isUnclear = rows.some((other) => named(other) === named(row) && other.computation !== computation)
    byComputation.set(
      computation,
      (byComputation.get(computation) ?? new Set()).add(isUnclear ? harmless(repository(row.hfId)) : differs ? named(row) : weights),
    )
  }
  return `On this GPU ${[...byComputation].map(([computation, weights]) => `${[...weights].join(', ')}: ${COMPUTES_WORDS[computation]}`).join('; ')}.`
}

/** One row of each checkpoint. */
const distinctCheckpoints = (rows: readonly ComparisonRow[]): ComparisonRow[] =>
  rows.filter((row, index) => rows.findIndex(({hfId}) => hfId === row.hfId) === index)

/** What is known of each checkpoint, once for those of which the same is known. */
function qualityStatements(rows: readonly ComparisonRow[]): string[] {
  const byWords = new Map<string, string[]>()
  for (const {hfId, quality} of distinctCheckpoints(rows).filter((row) => row.quality.rows > 0)) {
    const words = qualityWords(quality)
    byWords.set(words, [...(byWords.get(words) ?? []), harmless(hfId)])
  }
  return [...byWords].map(([words, names]) => `${names.join(', ')}: ${words}.`)
}

/** What the cache formats cost, one line for each. */
function cacheWords(rows: readonly ComparisonRow[]): string[] {
  const told = new Map<string, string>()
  for (const {kvCache, quality} of rows)
    if (quality.kvCache && !told.has(kvCache)) told.set(kvCache, `${kvCache.toUpperCase()} cache: ${qualityWords(quality.kvCache, 'cache')}.`)
  return [...told.values()]
}

/** What a comparison says beside its table: for every view the same. */
export function comparisonWords(rows: readonly ComparisonRow[]): {advice?: string; statements: string[]; legends: string[]; none?: string} {
  const good = rows.filter(isGood)
  if (good.length === 0) return {statements: [], legends: [], none: noneWords(rows)}
  return {
    advice: adviceOn(good),
    statements: [...qualityStatements(good), ...cacheWords(good)],
    legends: [qualityLegend(good.map(({quality}) => quality)), computesWords(good)].filter((words) => words !== undefined),
  }
}

/** What the column tok/s shows: in all, and for one user what that user gets, as `check` says it. */
const speedOf = ({result: {performance, workload}}: ComparisonRow): number =>
  (workload?.concurrency === 1 ? performance?.outputTokensPerSecondPerUser : performance?.outputTokensPerSecond.estimate) ?? 0

/** Speeds closer than this are told as equal. */
const WORTH_TELLING = 0.05

/** A checkpoint by its format and who published it: FP8-BLOCK by Qwen. */
const named = ({hfId, weights}: ComparisonRow): string => `${weights.toUpperCase()} by ${harmless(organisation(hfId) || hfId)}`

/** Of the rows that a test picks the quickest. */
const quickestOf = (rows: readonly ComparisonRow[], picks: (row: ComparisonRow) => boolean): ComparisonRow | undefined =>
  rows.filter(picks).reduce<ComparisonRow | undefined>((best, row) => (best === undefined || speedOf(row) > speedOf(best) ? row : best), undefined)

/** One line: what would be taken and why, against the quickest of the others, and against the quickest that loses nothing where that is another. */
function adviceOn(rows: readonly ComparisonRow[]): string {
  const first = rows[0]!
  const own = `${named(first)}: ${first.computation === 'native' ? 'native here' : first.computation === 'emulated' ? 'emulated here' : 'computed at 16 bits here'}, ${lossInShort(first)}`
  const quickest = quickestOf(rows, ({hfId}) => hfId !== first.hfId)
  if (!quickest || speedOf(first) === 0) return `${own}.`
  const lossless = quickestOf(rows, ({hfId, loss}) => hfId !== first.hfId && loss === 'kept')
  const besides =
    lossless && lossless.hfId !== quickest.hfId && quickest.loss !== 'kept' && speedOf(lossless) > (1 + WORTH_TELLING) * speedOf(first)
      ? `; ${named(lossless)} is ${percent(speedOf(lossless) / speedOf(first) - 1)} faster, ${lossInShort(lossless)}`
      : ''
  const same = quickest.weights === first.weights && shortQuality(quickest.quality) === shortQuality(first.quality)
  return `${own}, ${speedAgainst(first, quickest)} ${named(quickest)}, ${same ? 'of which the same is known' : lossClause(quickest)}${besides}.`
}

const percent = (share: number): string => `${Math.round(share * 100)}%`

function speedAgainst(row: ComparisonRow, other: ComparisonRow): string {
  const slower = 1 - speedOf(row) / speedOf(other)
  if (slower > WORTH_TELLING) return `${percent(slower)} slower than`
  return speedOf(row) / speedOf(other) - 1 > WORTH_TELLING ? `${percent(speedOf(row) / speedOf(other) - 1)} faster than` : 'as fast as'
}

const AS_KNOWN: Partial<Record<ComparisonRow['quality']['level'], string>> = {
  'model-format': ' in other builds of this model',
  'format-size': ' going by the format on models of this size',
  format: ' going by the format on other models',
}

const median = (recovery: number): string => (recovery >= 1 ? 'nothing' : `${((1 - recovery) * 100).toFixed(1)}%`)

/** no measurable loss; 0.7% lost in the median */
function lossInShort({quality}: ComparisonRow): string {
  const {level, recovery, measurable} = scoresOf(quality)
  if (level === 'original') return 'the original'
  if (level === 'released') return 'as it was released'
  if (level === 'rebuilt') return 'rebuilt with more bits than the release'
  if (recovery === undefined) return 'its loss is not known'
  return `${measurable === false ? 'no measurable loss' : `${median(recovery)} lost in the median`}${AS_KNOWN[level] ?? ''}`
}

/** which loses 0.7% in the median and 9 points of AIME 2025 */
function lossClause({quality}: ComparisonRow): string {
  const {level, recovery, worst, measurable} = scoresOf(quality)
  if (level === 'original') return 'which is the original'
  if (level === 'released') return 'which is as it was released'
  if (level === 'rebuilt') return 'which was rebuilt with more bits than the release'
  if (recovery === undefined) return 'whose loss is not known'
  if (measurable === false) return `which has no measurable loss${AS_KNOWN[level] ?? ''}`
  const lostPoints = worst ? worst.baseline - worst.score : 0
  const benchmark = worst && harmless(worst.benchmark.replace(/ \(.*\)$/, ''))
  const points = lostPoints >= 1 ? ` and ${Math.round(lostPoints)} points of ${benchmark}${worst?.withinNoise ? ', which may be noise' : ''}` : ''
  const loses = level === 'model-format' ? 'whose other builds lose' : level === 'checkpoint' ? 'which loses' : 'a format that loses'
  const where = level === 'format-size' ? ' at this size' : level === 'format' ? ' elsewhere' : ''
  return `${loses} ${median(recovery)} in the median${where}${points}`
}

function explained(rows: readonly ComparisonRow[], figures: ReadonlyMap<string, readonly Figure[]>, look: Look): string[] {
  return distinctCheckpoints(rows).flatMap(({hfId}) => {
    const own = figures.get(hfId) ?? []
    return own.length === 0 ? [] : [`  ${wrap(`Measurements behind ${harmless(hfId)}`, look.columns - 4, 4)}`, ...figureLines(own, look), '']
  })
}

const REFUSED: Partial<Record<ComparisonRow['result']['verdict'], string>> = {
  unsupported: 'is refused',
  'does-not-fit': 'does not fit',
  'too-slow': 'is too slow',
}

/** A line for each checkpoint that is refused: for both cache formats where the reason is the same. */
function refusals(rows: readonly ComparisonRow[], columns: number): string[] {
  const [first, ...others] = rows.filter((row) => !isGood(row)).map(({result}) => result.reasons[0])
  // What no build of the engine is for is said once, with the way out.
  if (first?.code === 'hardware-unsupported' && others.every((other) => other?.message === first.message))
    return [`\n  ${wrap(harmless(`${first.message}; ${first.remedy}`), columns - 4, 2)}`]
  const byText = new Map<string, string[]>()
  for (const {hfId, kvCache, result} of rows.filter((row) => !isGood(row))) {
    const text = `${harmless(hfId)}\u0000${REFUSED[result.verdict] ?? ''}: ${harmless(result.reasons[0]?.message ?? '')}`
    byText.set(text, [...(byText.get(text) ?? []), kvCache])
  }
  return [...byText].map(([text, caches], index) => {
    const [name, why] = text.split('\u0000')
    return `${index === 0 ? '\n' : ''}  ${wrap(`${name}${caches.length === 1 && rows.some(({hfId, kvCache}) => hfId === name && kvCache !== caches[0]) ? ` with ${caches[0]} cache` : ''} ${why}`, columns - 4, 4)}`
  })
}
