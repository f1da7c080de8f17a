import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Quality} from '../../core/quality.ts'
import {countParameters} from '../../core/tensors.ts'
import {type Figure, kinTitle, ofWeights, type Pool, type PoolFile, SIZE_CLASSES} from '../../planner/quality/index.ts'
import {lossWords} from '../../render/quality.ts'

const share = (value: number | undefined): string => (value === undefined ? '' : `${(value * 100).toFixed(1)}%`)
const signed = (value: number): string => `${value < 0 ? '' : '+'}${(value * 100).toFixed(1)}%`

const TOLD_KINDS = ['long-reasoning', 'code', 'long-context', 'tools'] as const

const kindOf = (pool: Pool, kind: string): string => {
  const found = pool.apart?.find((entry) => entry.kind === kind)
  return found ? `${share(found.recovery)} (${found.rows})` : ''
}

function recoveryTable(pools: readonly Pool[]): string {
  const rows = pools.map(
    (pool) =>
      `| ${kinTitle(pool.format)} | ${pool.size ?? 'all sizes'} | ${pool.rows} | ${pool.models} | ${share(pool.median)} | ${
        pool.low === undefined ? '' : `${share(pool.low)} to ${share(pool.high)}`
      } | ${TOLD_KINDS.map((kind) => kindOf(pool, kind)).join(' | ')} |`,
  )
  return [
    '| format | total parameters | comparisons | models | kept, median | 10th to 90th percentile | long reasoning | code | long context | tools |',
    '|---|---|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n')
}

function textTable(pools: readonly Pool[], title: string, value: (pool: Pool) => string): string {
  const rows = pools.map((pool) => `| ${kinTitle(pool.format)} | ${pool.rows} | ${pool.models} | ${value(pool)} |`)
  return [`| format | comparisons | models | ${title} |`, '|---|---:|---:|---:|', ...rows].join('\n')
}

const inOrder = (pools: readonly Pool[]): Pool[] => {
  const formats = [...new Set(pools.map(({format}) => format))].sort(
    (a, b) =>
      (pools.find((pool) => pool.format === b && pool.size === undefined)?.rows ?? 0) -
      (pools.find((pool) => pool.format === a && pool.size === undefined)?.rows ?? 0),
  )
  const place = ({size}: Pool) => (size === undefined ? -1 : SIZE_CLASSES.indexOf(size))
  return formats.flatMap((format) => pools.filter((pool) => pool.format === format).sort((a, b) => place(a) - place(b)))
}

const LEVELS: [Quality['level'], string][] = [
  ['checkpoint', 'comparisons of exactly this checkpoint'],
  ['model-format', 'other builds of the same model in the same format'],
  ['format-size', 'the format, on models of this size'],
  ['format', 'the format, on models of other sizes'],
  ['released', 'no comparison is possible: the model was released in this format'],
  ['rebuilt', 'a rebuild of such a release in more bits'],
  ['unknown', 'nothing is known'],
]

function coverageTable(catalogue: Catalogue): string {
  const counts = new Map<string, number>()
  for (const {id} of catalogue.modelEntries)
    for (const {quality} of catalogue.model(id).checkpoints) if (quality) counts.set(quality.level, (counts.get(quality.level) ?? 0) + 1)
  return [
    '| level | what it rests on | checkpoints in the catalogue |',
    '|---|---|---:|',
    ...LEVELS.map(([level, words]) => `| \`${level}\` | ${words} | ${counts.get(level) ?? 0} |`),
  ].join('\n')
}

/** Checkpoints with figures of their own, the largest models first. */
function ownTable(catalogue: Catalogue): string {
  const rows = catalogue.modelEntries
    .map(({id}) => catalogue.model(id))
    .sort((a, b) => countParameters(b.architecture).total - countParameters(a.architecture).total || (a.id < b.id ? -1 : 1))
    .flatMap(({checkpoints}) =>
      checkpoints.flatMap(({hfId, quality}) => (quality?.level === 'checkpoint' && quality.recovery !== undefined ? [{hfId, quality}] : [])),
    )
    .map(
      ({hfId, quality: {recovery, rows: number, worst, measurable}}) =>
        `| ${hfId} | ${number} | ${share(recovery)} | ${worst && worst.recovery < 1 ? lossWords(worst) : ''} | ${measurable === undefined ? '' : measurable ? 'yes' : 'no'} |`,
    )
  return ['| checkpoint | comparisons | kept, median | largest loss | more than noise |', '|---|---:|---:|---|---|', ...rows].join('\n')
}

function leftOutTable(figures: readonly Figure[]): string {
  const words: Record<NonNullable<Figure['unpooled']>, string> = {
    'cross-harness': 'the baseline was measured elsewhere, not alongside',
    composite: 'an average of others that are counted themselves',
    'answers-not-read': "the harness misread the model's answers",
    'kernel-fault': 'a kernel bug that has been fixed since',
    'tuned-file': 'a file tuned further than the ones usually found under its format',
  }
  return [
    '| why | comparisons |',
    '|---|---:|',
    ...Object.entries(words).map(([reason, text]) => `| \`${reason}\`: ${text} | ${figures.filter(({unpooled}) => unpooled === reason).length} |`),
    `| the baseline is below 20%: a ratio of small scores means nothing | ${figures.filter(({unpooled, metric, baseline}) => unpooled === undefined && metric !== 'perplexity' && metric !== 'kld' && baseline < 20).length} |`,
    `| weights and cache were quantised together | ${figures.filter((figure) => !ofWeights(figure) && figure.weights !== 'bf16' && figure.weights !== 'fp16').length} |`,
  ].join('\n')
}

/** docs/quality.md: what is pooled, how far it reaches, how to add to it. */
export function qualityPage(catalogue: Catalogue): string {
  const {weights, caches, formats} = catalogue.file<PoolFile>('quality/pools')
  const figures = [...formats.flatMap((kin) => catalogue.file<Figure[]>(`quality/formats/${kin}`)), ...catalogue.file<Figure[]>('quality/caches')]
  const of = (measure: Pool['measure']) => inOrder(weights.filter((pool) => pool.measure === measure))
  const whole = (pools: readonly Pool[]) => pools.filter(({size}) => size === undefined)
  const models = new Set(figures.map(({model}) => model)).size
  return `# What quantising costs in quality

This page is written by \`npm run quality\` from data/quality; do not edit it. It rests on ${figures.length.toLocaleString('en-US')} published comparisons of ${models} models: the same
benchmark before and after quantising, each with its source. ${figures.filter(({by}) => by === 'independent').length} of them come from somebody other than the maker of the build.

"Kept" is the share of the baseline's score that is left; above 100% is noise, not a gain. \`compare\`, \`check\`, \`models show\` and \`engines support\` report the finest
of these levels for each checkpoint, and always say which one it is:

${coverageTable(catalogue)}

AWQ, GPTQ and other packings of 4-bit integers count as one format, and so does FP8 with scales per tensor, row or block: how a build was made matters more than how it is packed.
Scores, perplexity and divergence are never mixed into one figure; where a level has scores, only those are reported.

## Weights, by format and size

${recoveryTable(of('recovery'))}

At 4 bits, what is lost depends most on the size of the model. Comparisons from one model card are not independent, and one card can bring twenty: look at the number of
models too. The last four columns are those abilities alone, with the number of comparisons in brackets, because they suffer first. MXFP4 here means rounding
after training; it says nothing about models that were released in MXFP4.

## Weights, by perplexity

Formats of llama.cpp, models of all sizes but mostly 8B. Lower is better.

${textTable(whole(of('perplexity')), 'perplexity, median', ({median}) => signed(median))}
${
  whole(of('kld')).length === 0
    ? ''
    : `
## Weights, by divergence alone

${textTable(whole(of('kld')), 'mean KLD, median', ({median}) => median.toFixed(3))}
`
}
## The cache

Measured with 16-bit weights: INT8 and INT4 on 7B models at short contexts, FP8 at long contexts, the hardest test.

${recoveryTable(inOrder(caches))}

## Checkpoints with their own comparisons

"More than noise" means that all comparisons together, or a single one by a wide margin, lost more than two runs of the original may differ by. It is left empty where the
number of questions is unknown for most of the benchmarks.

${ownTable(catalogue)}

## Comparisons on file but not used

${leftOutTable(figures)}

## How it is used

[How a checkpoint is chosen](planning.md#which-checkpoint-is-meant), and [why that way](decisions/0006-quality-by-figures.md).

## Adding a comparison

Add a line to the model's file, \`data/quality/<organisation>/<model>.jsonl\`:

\`\`\`json
{"checkpoint": "org/Model-FP8", "weights": "fp8", "benchmark": "GSM8K", "baseline": 91.1, "score": 90.9, "by": "maker", "source": "https://example.org/card"}
\`\`\`

The first line of the file says what all of its lines share: \`{"model": "qwen3-32b", "seen": "2026-11-28"}\`, with the catalogue's id, or a repository and \`totalParams\`
for a model that is not catalogued. Leave out \`checkpoint\` where the source names only the format. Scores are percentages. Further fields, where they apply: \`metric\`
(accuracy if not given), \`baselineWeights\` (bf16 if not given), \`kvCache\`, \`harness\`, \`samples\` (questions in one pass), \`uncertainty\`, \`note\`, \`seen\`, and
\`unpooled\` with one of the reasons above where the comparison must not be used. \`npm run build\` checks the file; \`npm run quality\` rewrites this page.
`
}
