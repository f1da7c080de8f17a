/**
 * Levenberg-Marquardt for small dense problems with a robust loss and a Gaussian prior on every parameter. Deterministic:
 * no randomness, a fixed order of sums, a fixed number of trials.
 */

export interface Problem {
  /** Start and centre of the prior. */
  prior: readonly number[]
  /** Standard deviations of the prior. */
  deviations: readonly number[]
  /** Residuals in units of their standard deviation, in a fixed order. */
  residuals(parameters: readonly number[]): Float64Array
  /** The residuals again after one parameter moved; those not affected may be left as they are in `base`. */
  residualsAfter?(parameters: readonly number[], moved: number, base: Float64Array): Float64Array
}

export interface Solution {
  parameters: number[]
  cost: number
  iterations: number
}

/** Beyond this many standard deviations a residual counts linearly (Huber 1964). */
const HUBER = 1.5

const huber = (r: number): number => (Math.abs(r) <= HUBER ? (r * r) / 2 : HUBER * (Math.abs(r) - HUBER / 2))
const weight = (r: number): number => (Math.abs(r) <= HUBER ? 1 : HUBER / Math.abs(r))

/** Solves a symmetric positive system in place by Cholesky; undefined when it is not positive. */
export function solveSymmetric(matrix: Float64Array[], right: Float64Array): Float64Array | undefined {
  const n = right.length
  const lower = matrix.map((row) => Float64Array.from(row))
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = lower[i]![j]!
      for (let k = 0; k < j; k++) sum -= lower[i]![k]! * lower[j]![k]!
      if (i === j) {
        if (sum <= 0) return undefined
        lower[i]![i] = Math.sqrt(sum)
      } else lower[i]![j] = sum / lower[j]![j]!
    }
  const x = Float64Array.from(right)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= lower[i]![k]! * x[k]!
    x[i]! /= lower[i]![i]!
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= lower[k]![i]! * x[k]!
    x[i]! /= lower[i]![i]!
  }
  return x
}

export function minimise(problem: Problem, mostIterations = 30): Solution {
  const n = problem.prior.length
  let at = [...problem.prior]
  const cost = (parameters: readonly number[], residuals: Float64Array): number => {
    let sum = 0
    for (const r of residuals) sum += huber(r)
    for (let p = 0; p < n; p++) sum += ((parameters[p]! - problem.prior[p]!) / problem.deviations[p]!) ** 2 / 2
    return sum
  }
  let residuals = problem.residuals(at)
  let current = cost(at, residuals)
  let damping = 1e-2
  let iterations = 0
  for (; iterations < mostIterations; iterations++) {
    const normal = Array.from({length: n}, () => new Float64Array(n))
    const gradient = new Float64Array(n)
    const columns: {index: number[]; value: number[]}[] = []
    for (let p = 0; p < n; p++) {
      const h = 1e-4 * problem.deviations[p]!
      const moved = [...at]
      moved[p]! += h
      const after = problem.residualsAfter?.(moved, p, residuals) ?? problem.residuals(moved)
      const column = {index: [] as number[], value: [] as number[]}
      for (let i = 0; i < residuals.length; i++) {
        const d = (after[i]! - residuals[i]!) / h
        if (d !== 0) {
          column.index.push(i)
          column.value.push(d)
        }
      }
      columns.push(column)
    }
    const weights = residuals.map(weight)
    const dense = new Float64Array(residuals.length)
    for (let p = 0; p < n; p++) {
      dense.fill(0)
      const column = columns[p]!
      for (let k = 0; k < column.index.length; k++) dense[column.index[k]!] = column.value[k]! * weights[column.index[k]!]!
      for (let q = 0; q <= p; q++) {
        const other = columns[q]!
        let sum = 0
        for (let k = 0; k < other.index.length; k++) sum += dense[other.index[k]!]! * other.value[k]!
        normal[p]![q] = sum
        normal[q]![p] = sum
      }
      let sum = 0
      for (let k = 0; k < column.index.length; k++) sum += column.value[k]! * weights[column.index[k]!]! * residuals[column.index[k]!]!
      const inverse = 1 / problem.deviations[p]! ** 2
      gradient[p] = sum + (at[p]! - problem.prior[p]!) * inverse
      normal[p]![p]! += inverse
    }
    let improved = false
    for (let trial = 0; trial < 8; trial++) {
      const damped = normal.map((row, p) => {
        const copy = Float64Array.from(row)
        copy[p]! *= 1 + damping
        return copy
      })
      const step = solveSymmetric(damped, gradient)
      if (step) {
        const next = at.map((value, p) => value - step[p]!)
        const nextResiduals = problem.residuals(next)
        const nextCost = cost(next, nextResiduals)
        if (nextCost < current) {
          const gain = current - nextCost
          at = next
          residuals = nextResiduals
          current = nextCost
          damping = Math.max(1e-7, damping / 5)
          improved = true
          if (gain < 1e-4 * current) return {parameters: at, cost: current, iterations: iterations + 1}
          break
        }
      }
      damping *= 4
    }
    if (!improved) break
  }
  return {parameters: at, cost: current, iterations}
}
