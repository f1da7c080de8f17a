import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join, sep} from 'node:path'
import {parse} from 'yaml'
import type {Checkpoint, Model} from '../../core/model.ts'
import type {Quality} from '../../core/quality.ts'
import {countParameters} from '../../core/tensors.ts'
import {cachePools, cacheQualities, type Figure, kinOf, ofWeights, type PoolFile, statementOf, weightPools} from '../../planner/quality/index.ts'
import {type BenchmarkFacts, checkBenchmarksFile, checkMeasuredFile, type MeasuredFile, type MeasuredRow} from './measured-file.ts'

const FOLDER = 'data/quality'

export interface CompiledQuality {
  figures: Figure[]
  /** `quality/pools`, `quality/caches` and a file of figures for each format. */
  files: Map<string, unknown>
  /** What is known of a checkpoint of the catalogue. */
  of(model: Model, checkpoint: Checkpoint): Quality
  /** What is known of a model's cache, by format. */
  caches(model: Model): Record<string, Quality>
  problems: string[]
}

/** Everything under data/quality, checked against the catalogue. */
export function compileQuality(root: string, models: readonly Model[]): CompiledQuality {
  const problems: string[] = []
  const {facts, problems: found} = checkBenchmarksFile(`${FOLDER}/benchmarks.yaml`, parse(readFileSync(join(root, FOLDER, 'benchmarks.yaml'), 'utf8')))
  problems.push(...found)
  const byId = new Map(models.map((model) => [model.id, model]))
  const figures: Figure[] = []
  for (const {path, text} of measuredFiles(root)) {
    const {file, problems: own} = checkMeasuredFile(path, text)
    problems.push(...own)
    if (!file) continue
    const wrong = nameProblems(path, file, models, byId)
    problems.push(...wrong)
    if (wrong.length === 0) figures.push(...figuresOf(file, byId, facts))
  }
  const weights = weightPools(figures)
  const caches = cachePools(figures)
  const ofFormat = groupedBy(figures.filter(ofWeights), ({weights: format}) => kinOf(format))
  const ofModel = groupedBy(figures, ({model}) => model ?? '')
  const cacheFigures = figures.filter(({kvCache}) => kvCache !== undefined)
  const files = new Map<string, unknown>([
    ['quality/pools', {weights, caches, formats: [...ofFormat.keys()]} satisfies PoolFile],
    ['quality/caches', cacheFigures],
    ...[...ofFormat].map(([kin, own]): [string, unknown] => [`quality/formats/${kin}`, own]),
  ])
  return {
    figures,
    files,
    of: (model, checkpoint) =>
      statementOf(model, checkpoint, countParameters(model.architecture).total, {figures: ofModel.get(model.id) ?? [], pools: weights}),
    caches: (model) => cacheQualities(model, {figures: cacheFigures, pools: caches}),
    problems,
  }
}

function groupedBy(figures: readonly Figure[], key: (figure: Figure) => string): Map<string, Figure[]> {
  const groups = new Map<string, Figure[]>()
  for (const figure of figures) groups.set(key(figure), [...(groups.get(key(figure)) ?? []), figure])
  return groups
}

function measuredFiles(root: string): {path: string; text: string}[] {
  const base = join(root, FOLDER)
  if (!existsSync(base)) return []
  return readdirSync(base, {recursive: true, encoding: 'utf8'})
    .sort()
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => ({path: `${FOLDER}/${name.split(sep).join('/')}`, text: readFileSync(join(base, name), 'utf8')}))
}

const figuresOf = ({model, totalParams, rows}: MeasuredFile, byId: ReadonlyMap<string, Model>, facts: BenchmarkFacts): Figure[] => {
  const known = model === undefined ? undefined : byId.get(model)
  const params = known ? countParameters(known.architecture).total : totalParams
  return rows.map((row) => figureOf(row, model, params, facts))
}

function figureOf(row: MeasuredRow, model: string | undefined, totalParams: number | undefined, facts: BenchmarkFacts): Figure {
  const {samples, uncertainty: _uncertainty, seen: _seen, ...rest} = row
  const known = facts(row.benchmark)
  return {
    ...(model !== undefined && {model}),
    ...(totalParams !== undefined && {totalParams}),
    ...rest,
    ...known,
    ...(samples !== undefined && row.metric !== 'perplexity' && row.metric !== 'kld' && {questions: samples}),
  }
}

/** Names that would file a comparison under the wrong model or format. */
function nameProblems(path: string, {model, totalParams, rows}: MeasuredFile, models: readonly Model[], byId: ReadonlyMap<string, Model>): string[] {
  const problems: string[] = []
  if (model !== undefined && !byId.has(model)) {
    const same = models.find(({hfId}) => hfId.toLowerCase() === model.toLowerCase())
    if (same) problems.push(`${path}: model: ${model} is in the catalogue: expected its id, ${same.id}`)
    else if (!model.includes('/'))
      problems.push(`${path}: model: no model "${model}" in data/models: expected an id, or the repository of a model that is not there`)
  }
  if (model !== undefined && byId.has(model) && totalParams !== undefined) problems.push(`${path}: totalParams: ${model} has its own in data/models`)
  for (const {checkpoint, weights} of rows) {
    if (checkpoint === undefined) continue
    const owner = models.find((one) => one.checkpoints.some(({hfId}) => hfId.toLowerCase() === checkpoint.toLowerCase()))
    if (!owner) continue
    if (owner.id !== model) problems.push(`${path}: ${checkpoint} is a checkpoint of ${owner.id}`)
    const own = owner.checkpoints.find(({hfId}) => hfId.toLowerCase() === checkpoint.toLowerCase())!
    if (own.weights !== 'native' && kinOf(own.weights) !== kinOf(weights))
      problems.push(`${path}: ${checkpoint} is catalogued as ${own.weights}, a comparison calls it ${weights}`)
  }
  return [...new Set(problems)]
}
