import type {Quality} from '../../core/quality.ts'
import {APART, isOfMetric, isShare, ofCache, ofWeights, recoveryOf, rounded, type Figure} from './figure.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Formats that are told as one: who packs 4-bit integers how, or where the scales of 8-bit floats stand, moves less than the recipe does. */
const KIN: Record<string, string> = dictionary({
  'fp8-block': 'fp8',
  'fp8-channel': 'fp8',
  'awq-int4': 'int4',
  'gptq-int4': 'int4',
  'compressed-int4': 'int4',
  'awq-int4-group64': 'int4',
  'awq-int4-group32': 'int4',
  'gptq-int4-group64': 'int4',
  'gptq-int4-group32': 'int4',
  'int4-group128': 'int4',
  'int4-group64': 'int4',
  'int4-group32': 'int4',
  'int4-channel': 'int4',
  'gptq-int8': 'int8-weight-only',
  'compressed-int8': 'int8-weight-only',
  'int8-group': 'int8-weight-only',
  'nvfp4-weight-only': 'nvfp4',
})

/** The format that a word is told under. */
export const kinOf = (weights: string): string => KIN[weights] ?? weights

const TITLES: Record<string, string> = dictionary({fp8: 'FP8', int4: 'INT4', int8: 'INT8 W8A8', 'int8-weight-only': 'INT8 weight-only'})

export const kinTitle = (kin: string): string => TITLES[kin] ?? kin.toUpperCase()

/** Size classes by total parameters: what 4 bits cost depends on size more than on anything else. */
const SIZES = [
  {size: 'under 4B', belowParams: 4e9},
  {size: '4-10B', belowParams: 10e9},
  {size: '10-40B', belowParams: 40e9},
  {size: '40-150B', belowParams: 150e9},
  {size: 'over 150B', belowParams: Number.POSITIVE_INFINITY},
] as const

export const SIZE_CLASSES: readonly string[] = SIZES.map(({size}) => size)

export const sizeOf = (totalParams: number): string => SIZES.find(({belowParams}) => totalParams < belowParams)!.size

/** What comparisons of one format come to. Each measure is of its own rows. */
export interface Pool {
  format: string
  /** Absent: models of all sizes. */
  size?: string
  measure: 'recovery' | 'perplexity' | 'kld'
  rows: number
  models: number
  median: number
  /** The tenth and the ninetieth of a hundred; absent with fewer than ten rows. */
  low?: number
  high?: number
  /** What loses first, each by itself. */
  apart?: Quality['apart']
  sources: string[]
}

/** Rows from which on the ends of a spread are told. */
const LEAST_FOR_SPREAD = 10

/** The value below which this share of the sorted values lies, between two of them in proportion. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  return low + (at - below) * ((sorted[below + 1] ?? low) - low)
}

export const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

/** Different models that figures are of; those that no source names are one. */
export const modelCount = (figures: readonly Figure[]): number => new Set(figures.map(({model}) => model)).size

export const sourcesOf = (figures: readonly Figure[]): string[] => [...new Set(figures.map(({source}) => source))]

/** The finest thing that these figures say: scores, else perplexity, else divergence. Undefined: nothing. */
export function measured(figures: readonly Figure[]): {measure: Pool['measure']; figures: Figure[]; values: number[]} | undefined {
  const shares = figures.filter(isShare)
  if (shares.length > 0) return {measure: 'recovery', figures: shares, values: shares.map(recoveryOf)}
  const perplexities = figures.filter(isOfMetric('perplexity'))
  if (perplexities.length > 0) return {measure: 'perplexity', figures: perplexities, values: perplexities.map((figure) => recoveryOf(figure) - 1)}
  const divergences = figures.filter(isOfMetric('kld'))
  return divergences.length > 0 ? {measure: 'kld', figures: divergences, values: divergences.map(({score}) => score)} : undefined
}

/** Kinds of benchmark that lose first, each by itself. */
export function apart(figures: readonly Figure[]): Pick<Quality, 'apart'> {
  const list = APART.flatMap((kind) => {
    const own = figures.filter((figure) => figure.kind === kind)
    return own.length === 0 ? [] : [{kind, rows: own.length, recovery: rounded(median(own.map(recoveryOf)))}]
  })
  return list.length > 0 ? {apart: list} : {}
}

function poolOf(format: string, size: string | undefined, figures: readonly Figure[]): Pool | undefined {
  const found = measured(figures)
  if (!found) return undefined
  const values = [...found.values].sort((a, b) => a - b)
  const spread = values.length >= LEAST_FOR_SPREAD
  return {
    format,
    ...(size !== undefined && {size}),
    measure: found.measure,
    rows: values.length,
    models: modelCount(found.figures),
    median: rounded(quantile(values, 0.5)),
    ...(spread && {low: rounded(quantile(values, 0.1)), high: rounded(quantile(values, 0.9))}),
    ...(found.measure === 'recovery' && apart(found.figures)),
    sources: sourcesOf(found.figures),
  }
}

/** Pools of weight formats: each format over all sizes, then in each size class. */
export function weightPools(figures: readonly Figure[]): Pool[] {
  const groups = new Map<string, Figure[]>()
  for (const figure of figures.filter(ofWeights)) {
    const kin = kinOf(figure.weights)
    groups.set(kin, [...(groups.get(kin) ?? []), figure])
  }
  return [...groups].flatMap(([kin, own]) =>
    [undefined, ...SIZE_CLASSES].flatMap(
      (size) => poolOf(kin, size, size === undefined ? own : own.filter(({totalParams}) => totalParams !== undefined && sizeOf(totalParams) === size)) ?? [],
    ),
  )
}

/** Pools of cache formats, over all sizes: there are too few to tell those apart. */
export function cachePools(figures: readonly Figure[]): Pool[] {
  const groups = new Map<string, Figure[]>()
  for (const figure of figures.filter(ofCache)) groups.set(figure.kvCache!, [...(groups.get(figure.kvCache!) ?? []), figure])
  return [...groups].flatMap(([format, own]) => poolOf(format, undefined, own) ?? [])
}
