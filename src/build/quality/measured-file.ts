import * as z from 'zod'
import {problemsOf} from '../../catalogue/zod-problems.ts'

const day = z.string().regex(/^\d{4}-\d\d-\d\d$/, 'expected a day: 2026-11-28')
const format = z.string().regex(/^[a-z0-9][a-z0-9_.-]*$/, 'expected a format in lower case: fp8, awq-int4, q4_k_m')
const repository = z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'expected a repository: org/name')

/** The first line of a file under data/quality: what its comparisons are of. */
const Head = z.strictObject({
  /** A catalogue id, or the repository of a model that is not catalogued. Absent: the sources name none. */
  model: z.string().min(1).optional(),
  /** Of a model that is not catalogued: the size class goes by it. */
  totalParams: z.int().positive().optional(),
  /** The day on which the sources were read; pages change. */
  seen: day,
})

/** Metrics in per cent, those of text, and which way is better: all but the two of text count what is right. */
const METRICS = ['accuracy', 'pass@1', 'pass@2', 'pass@10', 'resolved', 'win-rate', 'rougeL', 'auc', 'perplexity', 'kld'] as const

/** Every further line: one comparison. */
const Row = z
  .strictObject({
    /** The quantised repository; absent where the source names only the format. */
    checkpoint: repository.optional(),
    weights: format,
    /** Where the cache was quantised: with 16-bit weights it is the cache that is measured. */
    kvCache: format.optional(),
    benchmark: z.string().min(1),
    metric: z.enum(METRICS).default('accuracy'),
    baselineWeights: format.default('bf16'),
    baseline: z.number(),
    score: z.number(),
    /** Questions of one pass, where the benchmark's own number does not hold. */
    samples: z.int().positive().optional(),
    uncertainty: z.string().optional(),
    harness: z.string().min(1).optional(),
    by: z.enum(['maker', 'independent']),
    unpooled: z.enum(['cross-harness', 'composite', 'answers-not-read', 'kernel-fault', 'tuned-file']).optional(),
    note: z.string().min(1).optional(),
    seen: day.optional(),
    source: z.url(),
  })
  .superRefine((row, context) => {
    for (const message of scoreProblems(row)) context.addIssue({code: 'custom', message})
  })

export type MeasuredRow = z.infer<typeof Row>

export interface MeasuredFile {
  model?: string
  totalParams?: number
  rows: MeasuredRow[]
}

/** What no two honest scores are: a fraction where per cent is meant, more than all, a loss or a gain that is a slip of the pen. */
function scoreProblems({
  metric,
  baseline,
  score,
  benchmark,
  unpooled,
}: Pick<MeasuredRow, 'metric' | 'baseline' | 'score' | 'benchmark' | 'unpooled'>): string[] {
  const pair = `${benchmark}: ${baseline} and ${score}`
  if (metric === 'kld') return baseline === 0 && score >= 0 && score < 10 ? [] : [`${pair}: a divergence has the baseline 0 and lies between 0 and 10`]
  if (metric === 'perplexity') return baseline > 1 && score > 1 && score < 1000 ? [] : [`${pair}: a perplexity lies between 1 and 1000`]
  if (Math.min(baseline, score) < 0 || Math.max(baseline, score) > 100) return [`${pair}: a score lies between 0 and 100`]
  if (baseline > 0 && baseline <= 1 && score <= 1) return [`${pair}: looks like a fraction; per cent is meant`]
  const kept = score / baseline
  if (baseline >= 20 && unpooled === undefined && (kept < 0.1 || kept > 1.6)) return [`${pair}: cannot both be right`]
  return []
}

/** Reads a file of comparisons: JSON Lines, the first line says what they are of. Every problem is told with its line. */
export function checkMeasuredFile(path: string, text: string): {file?: MeasuredFile; problems: string[]} {
  const problems: string[] = []
  const values = text
    .split('\n')
    .map((line, index) => ({line, place: `${path}:${index + 1}`}))
    .filter(({line}) => line.trim() !== '')
    .flatMap(({line, place}): {value: unknown; place: string}[] => {
      try {
        return [{value: JSON.parse(line), place}]
      } catch {
        problems.push(`${place}: not JSON`)
        return []
      }
    })
  const [first, ...rest] = values
  const head = Head.safeParse(first?.value)
  if (!head.success) return {problems: [...problems, ...problemsOf(first?.place ?? path, head.error)]}
  const rows: MeasuredRow[] = []
  const seen = new Map<string, string>()
  for (const {value, place} of rest) {
    const parsed = Row.safeParse(value)
    if (!parsed.success) {
      problems.push(...problemsOf(place, parsed.error))
      continue
    }
    const {checkpoint, weights, kvCache, benchmark, metric, baselineWeights, source, note} = parsed.data
    const key = JSON.stringify([checkpoint, weights, kvCache, benchmark, metric, baselineWeights, source, note])
    if (seen.has(key)) problems.push(`${place}: repeats ${seen.get(key)}`)
    seen.set(key, place)
    rows.push(parsed.data)
  }
  const {model, totalParams} = head.data
  return {file: {...(model !== undefined && {model}), ...(totalParams !== undefined && {totalParams}), rows}, problems}
}

const BenchmarksFile = z.strictObject({
  kinds: z.array(z.strictObject({kind: z.string().regex(/^[a-z-]+$/), pattern: z.string().min(1)})),
  questions: z.array(z.strictObject({pattern: z.string().min(1), questions: z.int().positive(), source: z.url()})),
})

/** What a benchmark asks for, and how many questions it has. */
export type BenchmarkFacts = (benchmark: string) => {kind: string; questions?: number}

export function checkBenchmarksFile(path: string, value: unknown): {facts: BenchmarkFacts; problems: string[]} {
  const parsed = BenchmarksFile.safeParse(value)
  if (!parsed.success) return {facts: () => ({kind: 'other'}), problems: problemsOf(path, parsed.error)}
  const kinds = parsed.data.kinds.map(({kind, pattern}) => ({kind, pattern: new RegExp(pattern, 'i')}))
  const counts = parsed.data.questions.map(({pattern, questions}) => ({questions, pattern: new RegExp(pattern, 'i')}))
  const facts: BenchmarkFacts = (benchmark) => {
    const questions = counts.find(({pattern}) => pattern.test(benchmark))?.questions
    return {kind: kinds.find(({pattern}) => pattern.test(benchmark))?.kind ?? 'other', ...(questions !== undefined && {questions})}
  }
  return {facts, problems: []}
}
