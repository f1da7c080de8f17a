import type {ApartKind, Loss} from '../../core/quality.ts'

/** Why a comparison says nothing about its format: it is shown, and used for nothing. */
export type Unpooled = 'cross-harness' | 'composite' | 'answers-not-read' | 'kernel-fault' | 'tuned-file'

/** One measured comparison, as it is compiled from `data/quality`. */
export interface Figure {
  /** Catalogue id, else the repository of the base; absent: the source names none. */
  model?: string
  totalParams?: number
  checkpoint?: string
  weights: string
  kvCache?: string
  benchmark: string
  kind: string
  metric: string
  baselineWeights: string
  baseline: number
  score: number
  /** Questions of one pass, where known. */
  questions?: number
  by: 'maker' | 'independent'
  harness?: string
  unpooled?: Unpooled
  note?: string
  source: string
}

/** Kinds told beside the rest, in the order of telling. */
export const APART: readonly ApartKind[] = ['long-reasoning', 'code', 'long-context', 'tools']

/** Below this, in per cent, a ratio of two scores means nothing: guessing alone gives as much. */
const LEAST_BASELINE = 20

const LOWER_IS_BETTER = ['perplexity', 'kld']

/** Whether a comparison's ratio of scores may stand for its format: a share of right answers, held against what was measured beside it. */
export const isShare = ({metric, unpooled, baseline}: Figure): boolean =>
  unpooled === undefined && !LOWER_IS_BETTER.includes(metric) && baseline >= LEAST_BASELINE

export const isOfMetric =
  (wanted: 'perplexity' | 'kld') =>
  ({metric, unpooled, benchmark}: Figure): boolean =>
    unpooled === undefined && metric === wanted && !/median/i.test(benchmark)

/** Figures of weights alone: a comparison that also changed the cache is neither the one's nor the other's. */
export const ofWeights = ({kvCache}: Figure): boolean => kvCache === undefined

/** Figures of a cache format alone, beside 16-bit weights. */
export const ofCache = ({kvCache, weights}: Figure): boolean => kvCache !== undefined && (weights === 'bf16' || weights === 'fp16')

export const recoveryOf = ({baseline, score}: Pick<Figure, 'baseline' | 'score'>): number => score / baseline

/** Variance of a score of one pass, in points squared; undefined where the number of questions is not known. */
function variance(score: number, questions: number | undefined): number | undefined {
  if (questions === undefined) return undefined
  const share = Math.min(1, Math.max(0, score / 100))
  return (1e4 * share * (1 - share)) / questions
}

/** Variance of the difference of two passes; that of the baseline stands for both. */
const differenceVariance = ({baseline, questions}: Figure): number | undefined => {
  const one = variance(baseline, questions)
  return one === undefined ? undefined : 2 * one
}

/** Standard errors from which on a difference is no longer put down to noise. */
const TOLD = 2
/** The same for the largest of several, some of which are far off by chance. */
const TOLD_OF_MANY = 3

export function lossOf(figure: Figure): Loss {
  const {benchmark, baseline, score} = figure
  const noise = differenceVariance(figure)
  return {
    benchmark,
    baseline,
    score,
    recovery: rounded(recoveryOf(figure)),
    ...(noise !== undefined && {withinNoise: baseline - score <= TOLD * Math.sqrt(noise)}),
  }
}

/**
 * Whether scores fell by more than noise explains: all together, or one of them by far. Only comparisons whose number of questions is known count;
 * undefined where those are fewer than half. Repeated passes are not counted in, which errs towards noise.
 */
export function isMeasurable(figures: readonly Figure[]): boolean | undefined {
  let [loss, sum, far, known] = [0, 0, false, 0]
  for (const figure of figures) {
    const noise = differenceVariance(figure)
    if (noise === undefined) continue
    const own = figure.baseline - figure.score
    known += 1
    loss += own
    sum += noise
    far ||= own > TOLD_OF_MANY * Math.sqrt(noise)
  }
  return known * 2 < figures.length || sum === 0 ? undefined : far || loss > TOLD * Math.sqrt(sum)
}

/** Four places: a hundredth of a per cent. */
export const rounded = (value: number): number => Math.round(value * 1e4) / 1e4
