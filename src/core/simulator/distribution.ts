/** What a set of durations looks like, in milliseconds. */
export interface Distribution {
  mean: number
  p50: number
  p90: number
  p95: number
  p99: number
  max: number
}

/** Value below which a share of sorted values lies, linear between neighbours as numpy and the engines' own benchmarks do. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)]!
  return low + (sorted[Math.ceil(at)]! - low) * (at - Math.floor(at))
}

/** Undefined for nothing. */
export function distributionOf(values: ArrayLike<number>): Distribution | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  let sum = 0
  for (const value of sorted) sum += value
  // Rounding must not lift the mean of equal values above them.
  const mean = Math.min(sorted[sorted.length - 1]!, Math.max(sorted[0]!, sum / sorted.length))
  return {
    mean,
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted[sorted.length - 1]!,
  }
}
