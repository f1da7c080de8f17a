/**
 * How near a figure is to the checkpoint it is said of. `original`: nothing was lost, it is what the maker trained; `released`: quantised, and no
 * better version exists; `rebuilt`: made from such a release with more bits, which bring nothing back; `checkpoint`: measured on exactly this one;
 * `model-format`: on another build of the same model in the same format; `format-size`: on models of this size in the format; `format`: on models of
 * any size in it; `unknown`: nowhere.
 */
export type QualityLevel = 'original' | 'released' | 'rebuilt' | 'checkpoint' | 'model-format' | 'format-size' | 'format' | 'unknown'

/** Kinds of benchmark that lose first, and so are told beside the rest. */
export type ApartKind = 'long-reasoning' | 'code' | 'long-context' | 'tools'

/** A score before and after, in per cent or as the benchmark counts. */
export interface Loss {
  benchmark: string
  baseline: number
  score: number
  /** Share of the baseline that is kept: 0.98. */
  recovery: number
  /** No more than two runs of the baseline itself may differ by. Absent: how many questions it has is not known. */
  withinNoise?: boolean
}

/** What is known of a checkpoint's loss against the original, at the finest level there is. Figures of different kinds are never averaged. */
export interface Quality {
  level: QualityLevel
  /** Median share of the baseline's score that is kept, over `rows` comparisons. Above 1 is noise, not a gain. */
  recovery?: number
  /** Of ten comparisons one keeps less. Absent with fewer than ten. */
  recoveryLow?: number
  /** Of ten comparisons one keeps more. */
  recoveryHigh?: number
  /** Median rise of perplexity, as a share: 0.017. Only where nobody measured scores at this level. */
  perplexityRise?: number
  /** Median divergence of the mean token from the original's. Only where nobody measured more at this level. */
  meanKld?: number
  /** The comparison that kept least; of a single checkpoint or model. */
  worst?: Loss
  /** Whether the comparisons together, or one of them, lost more than noise explains. Absent: cannot be told. */
  measurable?: boolean
  /** What loses first, each by itself. */
  apart?: {kind: ApartKind; rows: number; recovery: number; worst?: Loss}[]
  /** Formats of the baselines where those are not the 16-bit original: their own loss is hidden. */
  against?: string[]
  /** Where nobody measured scores at this level: what the format keeps on other models. */
  typical?: Quality
  /** Format that the figures are pooled over. */
  format?: string
  /** Size class that the figures are pooled over, by total parameters. */
  size?: string
  /** Comparisons that the figures rest on. */
  rows: number
  /** Models that they are of. */
  models: number
  sources: string[]
}
