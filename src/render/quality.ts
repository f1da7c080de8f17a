import type {ApartKind, Loss, Quality} from '../core/quality.ts'
import {type Figure, kinTitle} from '../planner/quality/index.ts'
import {type Look, tablesOf} from './look.ts'
import {count} from './numbers.ts'
import {harmless, wrap} from './style.ts'

/** A share of the original's score: 99.3%, 100.2%. */
const share = (value: number): string => `${(value * 100).toFixed(1)}%`

const LABELS: Partial<Record<Quality['level'], string>> = {
  original: 'original',
  released: 'released',
  rebuilt: 'rebuilt',
  checkpoint: 'itself',
  'model-format': 'alike',
  'format-size': 'typical',
  format: 'format',
}

/** What the words of `shortQuality` mean, those that were used. */
const MEANINGS: [Quality['level'], string][] = [
  ['checkpoint', 'itself: measured on this checkpoint'],
  ['model-format', 'alike: measured on another build of this model in the same format'],
  ['format-size', 'typical: the format on models of this size'],
  ['format', 'format: the format on models of other sizes'],
  ['released', 'released: its maker published it in this format, and no better version exists'],
  ['rebuilt', 'rebuilt: with more bits than the release, which restore nothing'],
]

/** The statement, or what is typical where it has no scores. */
export const scoresOf = (quality: Quality): Quality => (quality.recovery === undefined && quality.typical ? quality.typical : quality)

/** A statement in a column: its figure never without the level at which it is known. */
export function shortQuality(quality: Quality): string {
  const {level, recovery, perplexityRise, meanKld} = scoresOf(quality)
  const label = LABELS[level]
  if (label === undefined) return 'not known'
  // Above all is noise, and no gain.
  if (recovery !== undefined) return `${recovery >= 1 ? '100%' : share(recovery)} ${label}`
  if (perplexityRise !== undefined) return `ppl ${signed(perplexityRise)} ${label}`
  return meanKld === undefined ? label : `KLD ${meanKld.toFixed(3)} ${label}`
}

const signed = (value: number): string => `${value < 0 ? '-' : '+'}${(Math.abs(value) * 100).toFixed(1)}%`

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The legend of a column of `shortQuality`; undefined where every word explains itself. */
export function qualityLegend(statements: readonly Quality[]): string | undefined {
  const told = statements.map(scoresOf)
  const levels = new Set(told.map(({level}) => level))
  const used = MEANINGS.filter(([level]) => levels.has(level)).map(([, words]) => words)
  if (used.length === 0) return undefined
  const figures = told.some(({recovery}) => recovery !== undefined)
  return `${figures ? "Quality: share of the original's scores that is kept, in the median. " : ''}${capital(used.join('; '))}.`
}

const KINDS: Record<ApartKind, string> = {'long-reasoning': 'long reasoning', code: 'code', 'long-context': 'long context', tools: 'tools'}

/** AIME 2025 fell from 71.8 to 64.3, within noise. */
export const lossWords = ({benchmark, baseline, score, withinNoise}: Loss): string =>
  `${harmless(benchmark)} ${score < baseline ? 'fell' : 'went'} from ${baseline.toFixed(1)} to ${score.toFixed(1)}${withinNoise ? ', which may be noise' : ''}`

const comparisons = (rows: number): string => `${count(rows)} comparison${rows === 1 ? '' : 's'}`
const models = (number: number): string => `${count(number)} model${number === 1 ? '' : 's'}`

/** What is known of a checkpoint, without a subject: "keeps a median 99.3% ...". */
export function qualityWords(quality: Quality, what = 'build'): string {
  const {level, recovery, worst, rows, size, format} = quality
  switch (level) {
    case 'original':
      return 'the original: nothing was quantised'
    case 'released':
      return 'released in this format, so there is no better version'
    case 'rebuilt':
      return 'more bits than the release that it was made from, which restores nothing'
    case 'unknown':
      return what === 'cache' ? 'not measured with any model' : 'not measured, and neither was its format'
    case 'checkpoint':
      return `${figureWords(quality)} (${comparisons(rows)} of this checkpoint${againstWords(quality)})${details(worst, quality)}${typicalWords(quality)}`
    case 'model-format':
      return `${figureWords(quality)} (${comparisons(rows)} ${what === 'build' ? 'of other builds of this model in this format' : 'with this model'}${againstWords(quality)})${details(worst, quality)}${typicalWords(quality)}`
    case 'format-size':
    case 'format': {
      const where = size === undefined ? `of models of ${what === 'build' ? 'other' : 'all'} sizes` : `of models of ${size}`
      const spread =
        recovery !== undefined && quality.recoveryLow !== undefined && quality.recoveryHigh !== undefined
          ? `, eight in ten between ${share(quality.recoveryLow)} and ${share(quality.recoveryHigh)}`
          : ''
      return `${what === 'cache' ? 'not measured with this model' : 'not measured'}; ${kinTitle(format!)} ${what}s ${where} ${pooledWords(quality)}${spread} (${comparisons(rows)}, ${models(quality.models)})${details(undefined, quality)}`
    }
  }
}

/** Scores of the format, where the build has none. */
const typicalWords = ({typical}: Quality): string => (typical ? `. Its scores were not measured; ${qualityWords(typical).replace(/^not measured; /, '')}` : '')

const againstWords = ({against}: Quality): string => (against ? `, against ${against.map(kinTitle).join(' or ')}` : '')

/** keeps a median 99.3% of the original's scores, no measurable loss */
function figureWords({recovery, perplexityRise, meanKld, measurable}: Quality): string {
  if (recovery !== undefined)
    return `keeps ${recovery > 1 ? 'all' : `a median ${share(recovery)}`} of the original's scores${measurable === false ? ', no measurable loss' : ''}`
  if (perplexityRise !== undefined) return `raises perplexity by ${(perplexityRise * 100).toFixed(1)}%`
  return `diverges by ${meanKld!.toFixed(3)} (mean KLD)`
}

function pooledWords({recovery, perplexityRise, meanKld}: Quality): string {
  if (recovery !== undefined) return `keep a median ${share(recovery)} of the original's scores`
  if (perplexityRise !== undefined) return `change perplexity by a median ${signed(perplexityRise)}`
  return `diverge by a median ${meanKld!.toFixed(3)} (mean KLD)`
}

/** The worst benchmark, and what loses first by itself. */
function details(worst: Loss | undefined, {apart = []}: Quality): string {
  const kinds = apart.map(({kind, recovery, rows}) => `${KINDS[kind]} ${share(recovery)} (${comparisons(rows)})`)
  return `${worst && worst.recovery < 1 ? `; ${lossWords(worst)}` : ''}${kinds.length > 0 ? `; by kind, ${kinds.join(', ')}` : ''}`
}

const UNUSED: Record<NonNullable<Figure['unpooled']>, string> = {
  'cross-harness': 'not used: the baseline was measured elsewhere',
  composite: 'not used: an average of other benchmarks',
  'answers-not-read': "not used: the harness misread this model's answers",
  'kernel-fault': 'not used: a kernel bug, fixed since',
  'tuned-file': 'not used: a tuned file, unlike ordinary ones',
}

/** Comparisons under the page that each stands on. */
export function figureLines(figures: readonly Figure[], look: Pick<Look, 'columns' | 'tableColumns'>): string[] {
  const {columns} = look
  // In a file an address stays whole.
  const addressColumns = Number.isFinite(tablesOf(look)) ? columns - 8 : Number.POSITIVE_INFINITY
  const bySource = new Map<string, Figure[]>()
  for (const figure of figures) bySource.set(figure.source, [...(bySource.get(figure.source) ?? []), figure])
  return [...bySource].flatMap(([source, own]) => {
    const names = [...new Set(own.map(({checkpoint, model, weights}) => checkpoint ?? `${model ?? 'a model that is not named'} in ${weights}`))]
    const by = own[0]!.by === 'maker' ? 'by the maker of the build' : 'independent'
    return [
      `    ${wrap(harmless(source), addressColumns, 6)}`,
      `      ${wrap(`${names.map(harmless).join(', ')}; ${by}`, columns - 8, 6)}`,
      ...[...new Set(own.map(figureWordsOf))].map((words) => `      ${wrap(words, columns - 10, 8)}`),
    ]
  })
}

function figureWordsOf({benchmark, metric, baselineWeights, baseline, score, unpooled, note}: Figure): string {
  const from = metric === 'kld' ? `${score}` : `${baseline} to ${score}`
  const unit = metric === 'accuracy' || benchmark.includes(metric) ? '' : ` (${metric})`
  const against = baselineWeights === 'bf16' ? '' : `, against ${baselineWeights}`
  return harmless(`${benchmark}${unit}: ${from}${against}${unpooled ? `; ${UNUSED[unpooled]}` : ''}${note ? ` [${note}]` : ''}`)
}
