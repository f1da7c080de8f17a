import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {beforeAll, describe, expect, it} from 'vitest'
import {checkMeasuredFile} from '../../src/build/quality/measured-file.ts'
import {type Catalogue, openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {Checkpoint, Model} from '../../src/core/model.ts'
import type {Quality} from '../../src/core/quality.ts'
import {type Figure, isMeasurable, lossOf} from '../../src/planner/quality/figure.ts'
import {figuresBehind, modelWithQuality, withQuality} from '../../src/planner/quality/known.ts'
import {quantile, weightPools} from '../../src/planner/quality/pool.ts'
import {qualityClass} from '../../src/planner/quality/rank.ts'
import {statementOf} from '../../src/planner/quality/statement.ts'
import {qualityLegend, qualityWords, shortQuality} from '../../src/render/quality.ts'

const root = join(import.meta.dirname, '..', '..')

let catalogue: Catalogue
beforeAll(() => {
  catalogue = openCatalogue(join(root, 'dist', 'data'))
})

/** A line of data/quality, read here and nowhere else's way. */
interface Line {
  model?: string
  totalParams?: number
  checkpoint?: string
  weights: string
  kvCache?: string
  benchmark: string
  metric?: string
  baseline: number
  score: number
  unpooled?: string
  source: string
}

function linesOfData(): Line[] {
  const base = join(root, 'data', 'quality')
  return readdirSync(base, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => {
      const [head, ...rows] = readFileSync(join(base, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line)
      return rows.map((row) => ({...row, model: head!.model, totalParams: head!.totalParams}))
    })
}

const lines = linesOfData()

/** Of one kind, whatever the packing. */
const family = (weights: string): string => (/^(awq|gptq|compressed)-int4/.test(weights) ? 'INT4' : /^fp8/.test(weights) ? 'FP8' : weights)

const isScore = ({metric = 'accuracy', unpooled, baseline, kvCache}: Line): boolean =>
  !['perplexity', 'kld'].includes(metric) && unpooled === undefined && baseline >= 20 && kvCache === undefined

describe('a statement for every quantised checkpoint of the catalogue', () => {
  it('has a level, and sources or a reason for none', () => {
    let walked = 0
    for (const {id} of catalogue.modelEntries)
      for (const {hfId, quality} of catalogue.model(id).checkpoints) {
        expect(quality, hfId).toBeDefined()
        const {level, rows, models, sources, recovery, perplexityRise, meanKld, format} = quality!
        if (['original', 'released', 'rebuilt', 'unknown'].includes(level)) {
          expect({rows, models, sources, recovery}, hfId).toEqual({rows: 0, models: 0, sources: [], recovery: undefined})
          continue
        }
        walked += 1
        expect(rows, hfId).toBeGreaterThan(0)
        expect(models, hfId).toBeGreaterThan(0)
        expect(sources.length, hfId).toBeGreaterThan(0)
        expect(recovery ?? perplexityRise ?? meanKld, hfId).toBeDefined()
        expect(format !== undefined, hfId).toBe(level === 'format' || level === 'format-size')
      }
    expect(walked).toBeGreaterThan(300)
  })

  it('never stands at a finer level than its rows', () => {
    for (const {id} of catalogue.modelEntries) {
      const {checkpoints} = catalogue.model(id)
      for (const {hfId, aliases = [], weights, quality} of checkpoints) {
        const names = [hfId, ...aliases].map((name) => name.toLowerCase())
        const ofModel = lines.filter((line) => line.model === id && line.kvCache === undefined && line.unpooled === undefined)
        const own = ofModel.filter((line) => line.checkpoint !== undefined && names.includes(line.checkpoint.toLowerCase()))
        const alike = ofModel.filter((line) => family(line.weights) === family(weights) && !own.includes(line))
        const {level, recovery, rows} = quality!
        if (level === 'checkpoint' && recovery !== undefined) expect(rows, hfId).toBe(own.filter(isScore).length)
        if (level === 'checkpoint') expect(own.length, hfId).toBeGreaterThan(0)
        if (level === 'model-format' && recovery !== undefined) expect(rows, hfId).toBe(alike.filter(isScore).length)
        if (level === 'format-size' || level === 'format') expect([...own, ...alike].filter(isScore), hfId).toEqual([])
      }
    }
  })

  it('shows the rows that it counts', () => {
    const model = catalogue.model('qwen3.6-35b-a3b')
    for (const checkpoint of model.checkpoints) {
      const shown = figuresBehind(catalogue, model, checkpoint)
      if (checkpoint.quality!.rows > 0) expect(shown.length, checkpoint.hfId).toBeGreaterThanOrEqual(checkpoint.quality!.rows)
      else expect(shown).toEqual([])
    }
  })

  it('is never a bare figure, and never the mean of different kinds', () => {
    for (const {id} of catalogue.modelEntries)
      for (const {hfId, quality} of catalogue.model(id).checkpoints) {
        const {recovery, perplexityRise, meanKld} = quality!
        expect([recovery, perplexityRise, meanKld].filter((value) => value !== undefined).length, hfId).toBeLessThanOrEqual(1)
        expect(shortQuality(quality!), hfId).toMatch(/(itself|alike|typical|format|original|released|rebuilt|not known)$/)
        if (recovery !== undefined) expect(qualityWords(quality!), hfId).toMatch(/\d+ comparisons?/)
      }
  })

  it('calls models that were released in a low format just that', () => {
    for (const name of ['gpt-oss-120b', 'gpt-oss-20b', 'deepseek-v4-flash', 'kimi-k2.5', 'deepseek-v3.2']) {
      const model = catalogue.model(name)
      expect(model.checkpoints.find(({hfId}) => hfId === model.hfId)?.quality?.level, name).toBe('released')
    }
    expect(catalogue.model('gpt-oss-120b').checkpoints.find(({weights}) => weights === 'bf16')?.quality?.level).toBe('rebuilt')
  })
})

describe('the page', () => {
  it('has the medians that a few lines of its own compute from the rows', () => {
    const params = new Map(catalogue.modelEntries.map(({id, totalParams}) => [id, totalParams]))
    const bounds: Record<string, [number, number]> = {
      'all sizes': [0, Number.POSITIVE_INFINITY],
      'under 4B': [0, 4e9],
      '4-10B': [4e9, 10e9],
      '10-40B': [10e9, 40e9],
      '40-150B': [40e9, 150e9],
      'over 150B': [150e9, Number.POSITIVE_INFINITY],
    }
    const words: Record<string, (weights: string) => boolean> = {
      FP8: (weights) => /^fp8/.test(weights),
      INT4: (weights) => /^(awq|gptq|compressed)-int4$/.test(weights),
      NVFP4: (weights) => weights === 'nvfp4',
      MXFP4: (weights) => weights === 'mxfp4',
      'INT8 W8A8': (weights) => weights === 'int8',
    }
    const page = readFileSync(join(root, 'docs', 'quality.md'), 'utf8')
    const table = page.slice(page.indexOf('## Weights, by format and size'), page.indexOf('## Weights, by perplexity'))
    let compared = 0
    for (const [, format, size, rows, models, kept] of table.matchAll(/^\| ([^|]+?) \| ([^|]+?) \| (\d+) \| (\d+) \| ([\d.]+)% \|/gm)) {
      const matches = words[format!]
      if (!matches) continue
      const [low, high] = bounds[size!]!
      const used = lines.filter((line) => {
        const total = line.totalParams ?? params.get(line.model ?? '')
        return isScore(line) && matches(line.weights) && (size === 'all sizes' || (total !== undefined && total >= low && total < high))
      })
      const sorted = used.map(({baseline, score}) => score / baseline).sort((a, b) => a - b)
      const middle = (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.ceil((sorted.length - 1) / 2)]!) / 2
      expect(Number(rows), `${format} ${size}`).toBe(used.length)
      expect(Number(models), `${format} ${size}`).toBe(new Set(used.map(({model}) => model)).size)
      expect(Math.abs(Number(kept) - 100 * middle), `${format} ${size}`).toBeLessThan(0.06)
      compared += 1
    }
    expect(compared).toBeGreaterThanOrEqual(20)
  })
})

const figure = (fields: Partial<Figure>): Figure => ({
  model: 'own',
  weights: 'fp8',
  benchmark: 'GSM8K',
  kind: 'mathematics',
  metric: 'accuracy',
  baselineWeights: 'bf16',
  baseline: 80,
  score: 79,
  by: 'maker',
  source: 'https://example.org/card',
  ...fields,
})

describe('noise', () => {
  it('is two standard errors of the difference of two passes', () => {
    // 30 questions at 75.86: 10,000 x 0.7586 x 0.2414 / 30 = 61.0 points squared, 122.1 for two passes, 11.05 points; 13.79 are fewer than 22.1.
    expect(lossOf(figure({benchmark: 'AIME', baseline: 75.86, score: 62.07, questions: 30}))).toMatchObject({withinNoise: true, recovery: 0.8182})
    // 14,042 at 80: 0.114 for one pass, 0.477 points for the difference; 2 points are more than 0.95.
    expect(lossOf(figure({benchmark: 'MMLU', baseline: 80, score: 78, questions: 14_042}))).toMatchObject({withinNoise: false, recovery: 0.975})
    expect(lossOf(figure({})).withinNoise).toBeUndefined()
  })

  it('of several together is less than that of each', () => {
    // 1,319 at 80: 1.213 a pass, 1.558 points for the difference: 2.5 of one are no more than 3.1.
    const one = figure({baseline: 80, score: 77.5, questions: 1319})
    expect(isMeasurable([one])).toBe(false)
    // Of four: 10 points against 2 x sqrt(4 x 2.426) = 6.2.
    expect(isMeasurable([one, one, one, one])).toBe(true)
    // One far off: 3 x 1.558 = 4.7 are passed, whatever the others gain.
    expect(isMeasurable([figure({baseline: 80, score: 75, questions: 1319}), figure({baseline: 80, score: 85, questions: 1319})])).toBe(true)
    expect(isMeasurable([one, figure({}), figure({})])).toBeUndefined()
  })
})

const model = (checkpoints: Partial<Checkpoint>[], hfId = 'org/base'): Pick<Model, 'id' | 'hfId' | 'checkpoints'> => ({
  id: 'own',
  hfId,
  checkpoints: checkpoints.map((checkpoint) => ({hfId: 'org/base', weights: 'bf16', formats: {default: checkpoint.weights ?? 'bf16'}, ...checkpoint})),
})

describe('levels', () => {
  const built = model([{}, {hfId: 'org/base-FP8', weights: 'fp8'}])
  const at = (figures: Figure[], pooled: Figure[] = [], of: Partial<Checkpoint> = {}, params = 8e9): Quality =>
    statementOf(built, {...built.checkpoints[1]!, ...of}, params, {figures, pools: weightPools([...figures, ...pooled])})

  it('go from this checkpoint to other builds, to the size, to the format, to nothing', () => {
    const own = figure({checkpoint: 'ORG/base-fp8', baseline: 80, score: 79})
    const other = figure({checkpoint: 'else/base-FP8', weights: 'fp8-block', baseline: 80, score: 76})
    const pooled = [0.97, 0.98, 0.99].map((kept, index) => figure({model: `m${index}`, totalParams: 5e9, baseline: 50, score: 50 * kept}))
    expect(at([own, other], pooled)).toMatchObject({level: 'checkpoint', recovery: 0.9875, rows: 1, models: 1})
    expect(at([other], pooled)).toMatchObject({level: 'model-format', recovery: 0.95, rows: 1, models: 1})
    expect(at([], pooled)).toMatchObject({level: 'format-size', size: '4-10B', recovery: 0.98, rows: 3, models: 3})
    expect(at([], pooled, {}, 70e9)).toMatchObject({level: 'format', recovery: 0.98, rows: 3, models: 3})
    expect(at([], pooled, {weights: 'nvfp4', formats: {default: 'nvfp4'}})).toMatchObject({level: 'unknown', rows: 0})
  })

  it('use no row that says nothing', () => {
    const useless = [
      figure({checkpoint: 'org/base-FP8', unpooled: 'cross-harness', score: 95}),
      figure({checkpoint: 'org/base-FP8', unpooled: 'composite'}),
      figure({checkpoint: 'org/base-FP8', baseline: 12, score: 6}),
      figure({checkpoint: 'org/base-FP8', kvCache: 'fp8', score: 40}),
    ]
    expect(at(useless).level).toBe('unknown')
  })

  it('tell perplexity where there are no scores, and what the format scores elsewhere beside it', () => {
    const perplexity = figure({checkpoint: 'org/base-FP8', metric: 'perplexity', baseline: 6, score: 6.06})
    const pooled = [figure({model: 'a', totalParams: 5e9}), figure({model: 'b', totalParams: 5e9})]
    expect(at([perplexity])).toMatchObject({level: 'checkpoint', perplexityRise: 0.01})
    expect(at([perplexity], pooled)).toMatchObject({level: 'checkpoint', perplexityRise: 0.01, typical: {level: 'format-size', recovery: 0.9875}})
  })

  it('put long reasoning, code, long context and tools beside the rest', () => {
    const rows = [
      figure({checkpoint: 'org/base-FP8'}),
      figure({checkpoint: 'org/base-FP8', benchmark: 'AIME', kind: 'long-reasoning', baseline: 70, score: 63}),
    ]
    expect(at(rows)).toMatchObject({worst: {benchmark: 'AIME'}, apart: [{kind: 'long-reasoning', rows: 1, recovery: 0.9}]})
  })

  it('have quantiles in proportion between values', () => {
    // Of five values the tenth lies at 0.4 of the way from the first to the second.
    expect(quantile([1, 2, 3, 4, 5], 0.1)).toBeCloseTo(1.4)
    expect(quantile([1, 2, 3, 4, 5], 0.5)).toBe(3)
    expect(quantile([7], 0.9)).toBe(7)
  })
})

describe('the class that a checkpoint is chosen by', () => {
  const statement = (fields: Partial<Quality>): Quality => ({level: 'checkpoint', rows: 12, models: 1, sources: [], measurable: false, ...fields})
  const classOf = (weights: string, quality?: Quality, original = 'bf16') => {
    const built = model([
      {weights: original, formats: {default: original}},
      {hfId: 'else/base-q', weights, formats: {default: weights}, ...(quality && {quality})},
    ])
    return qualityClass(built, built.checkpoints[1]!)
  }

  it('goes by bits where nothing is known', () => {
    expect([classOf('fp8'), classOf('int8'), classOf('awq-int4'), classOf('nvfp4')]).toEqual(['kept', 'kept', 'loss', 'loss'])
  })

  it('lets fewer bits count as kept by clear figures alone', () => {
    expect(classOf('nvfp4', statement({recovery: 0.996}))).toBe('kept')
    // Too few comparisons, a measurable loss, code that falls off, less in the median.
    expect(classOf('nvfp4', statement({recovery: 0.996, rows: 9}))).toBe('small-loss')
    expect(classOf('nvfp4', statement({recovery: 0.996, measurable: true}))).toBe('small-loss')
    expect(classOf('nvfp4', statement({recovery: 0.996, apart: [{kind: 'code', rows: 2, recovery: 0.95}]}))).toBe('small-loss')
    expect(classOf('nvfp4', statement({recovery: 0.99}))).toBe('small-loss')
    expect(classOf('nvfp4', statement({recovery: 0.97}))).toBe('loss')
    expect(classOf('nvfp4', statement({recovery: 1, rows: 3}))).toBe('loss')
    const pool = {level: 'format-size', recovery: 0.996, recoveryLow: 0.975, rows: 54, models: 10} as const
    expect(classOf('awq-int4', statement(pool))).toBe('kept')
    expect(classOf('awq-int4', statement({...pool, models: 2}))).toBe('small-loss')
    expect(classOf('awq-int4', statement({...pool, recoveryLow: 0.96}))).toBe('small-loss')
  })

  it('takes 8 bits from nobody by noise', () => {
    expect(classOf('fp8', statement({recovery: 0.95}))).toBe('kept')
    expect(classOf('fp8', statement({recovery: 0.99, measurable: true}))).toBe('kept')
    expect(classOf('fp8', statement({recovery: 0.97, measurable: true}))).toBe('small-loss')
  })

  it('knows that more bits than the release bring nothing back', () => {
    expect(classOf('bf16', undefined, 'mxfp4')).toBe('rebuilt')
    expect(classOf('fp8', statement({recovery: 1}), 'mxfp4')).toBe('rebuilt')
  })
})

describe('what nobody catalogued', () => {
  it('is looked up by its format', () => {
    const known = catalogue.model('qwen3-8b')
    const int8 = withQuality(catalogue, known, {hfId: 'me/mine', weights: 'int8', formats: {default: 'int8'}})
    expect(int8.quality).toMatchObject({level: 'model-format', models: 1})
    const foreign: Model = {...known, id: 'mine', cacheQuality: undefined, checkpoints: [{hfId: 'me/mine-GGUF', weights: 'q4_k_m', formats: {default: 'q4_k'}}]}
    const {checkpoints, cacheQuality} = modelWithQuality(catalogue, foreign)
    expect(checkpoints[0]!.quality).toMatchObject({level: 'format-size', size: '4-10B'})
    expect(checkpoints[0]!.quality!.perplexityRise).toBeGreaterThan(0)
    expect(cacheQuality!.fp8).toMatchObject({level: 'format', rows: 2})
  })
})

describe('caches', () => {
  it('are told by format, those of the model first, without the row of a mended kernel', () => {
    const fp8 = (id: string) => catalogue.model(id).cacheQuality!.fp8!
    // MRCR to 256k: 43.1 of 45.8. Over models: that and 89 of 91 at 128k.
    expect(fp8('qwen3-30b-a3b-instruct-2507')).toMatchObject({level: 'model-format', recovery: 0.941, rows: 1})
    expect(fp8('qwen3-32b')).toMatchObject({level: 'format', recovery: 0.9595, rows: 2, apart: [{kind: 'long-context', rows: 2}]})
  })
})

describe('words', () => {
  it('name the level, the number and the worst', () => {
    const words = qualityWords({
      level: 'checkpoint',
      recovery: 0.993,
      worst: {benchmark: 'AIME 2025', baseline: 71.77, score: 64.27, recovery: 0.8955, withinNoise: true},
      measurable: false,
      rows: 9,
      models: 1,
      sources: ['https://example.org'],
    })
    expect(words).toBe(
      "keeps a median 99.3% of the original's scores, no measurable loss (9 comparisons of this checkpoint); AIME 2025 fell from 71.8 to 64.3, which may be noise",
    )
  })

  it('say no gain', () => {
    expect(shortQuality({level: 'checkpoint', recovery: 1.02, rows: 4, models: 1, sources: []})).toBe('100% itself')
    expect(qualityLegend([{level: 'original', rows: 0, models: 0, sources: []}])).toBeUndefined()
  })

  it('let nothing of a benchmark act on the terminal', () => {
    const worst = {benchmark: '\u001B[31mred', baseline: 50, score: 40, recovery: 0.8}
    expect(qualityWords({level: 'checkpoint', recovery: 0.8, worst, rows: 1, models: 1, sources: []})).not.toContain('\u001B')
  })
})

describe('a file of comparisons', () => {
  const head = '{"model": "qwen3-32b", "seen": "2026-11-28"}'
  const row = (fields: object) =>
    JSON.stringify({weights: 'fp8', benchmark: 'GSM8K', baseline: 91.1, score: 90.9, by: 'maker', source: 'https://example.org/card', ...fields})
  const problemsOf = (...rows: string[]) => checkMeasuredFile('data/quality/a.jsonl', [head, ...rows].join('\n')).problems

  it('takes one line for a comparison', () => {
    const {file, problems} = checkMeasuredFile('a.jsonl', `${head}\n${row({})}\n`)
    expect(problems).toEqual([])
    expect(file!.rows[0]).toMatchObject({metric: 'accuracy', baselineWeights: 'bf16', score: 90.9})
  })

  it('names what is wrong with its line', () => {
    expect(problemsOf(row({baseline: 0.91, score: 0.9}))).toEqual([expect.stringMatching(/^data\/quality\/a\.jsonl:2: .*fraction/)])
    expect(problemsOf(row({score: 190}))[0]).toMatch(/between 0 and 100/)
    expect(problemsOf(row({score: 5}))[0]).toMatch(/cannot both be right/)
    expect(problemsOf(row({metric: 'kld', score: 0.1}))[0]).toMatch(/baseline 0/)
    expect(problemsOf(row({source: 'a card'}))[0]).toMatch(/source/)
    expect(problemsOf(row({}), row({}))).toEqual(['data/quality/a.jsonl:3: repeats data/quality/a.jsonl:2'])
    expect(problemsOf('{')).toEqual(['data/quality/a.jsonl:2: not JSON'])
    expect(problemsOf(row({scored: 1}))[0]).toMatch(/scored/)
  })
})
