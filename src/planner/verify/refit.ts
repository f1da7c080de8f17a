/**
 * Refits the few parameters of speed that matter for one GPU under one engine to a user's own runs: a factor of memory bandwidth, a
 * factor of compute, and the host's time for each step. Few, bounded, and pulled towards what ships, so that a handful of runs
 * cannot bend them far; the same runs give the same numbers.
 */
import type {Accelerator} from '../../core/accelerator.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {busyReplicas, servingOf} from '../../core/throughput/performance.ts'
import {type BenchRun, METRICS, type Metric} from './bench-runs.ts'
import {type LocalCalibration, type MetricErrors, type SpeedFactors, UNCHANGED, withFactors} from '../world/index.ts'

export interface RefitResidual {
  place: string
  metric: Metric
  /** Reported over predicted, less 1. */
  before: number
  after: number
}

export interface Refit {
  gpu: string
  engine: string
  runs: number
  factors: SpeedFactors
  fitted: (keyof SpeedFactors)[]
  /** Why each of the others was left. */
  left: {parameter: keyof SpeedFactors; because: string}[]
  residuals: RefitResidual[]
  medianErrorBefore: number
  medianErrorAfter: number
  /** Figure by figure: what the fit gains for one it may lose for another. */
  metrics: MetricErrors[]
  /** Worth keeping: something was fitted, and the runs are closer to it than to what ships, in the median too. */
  better: boolean
}

/** Runs that a parameter needs: two are the fewest that can contradict each other. */
const FEWEST_RUNS = 2
/** A run says something of a parameter when a tenth more of it moves a figure by at least this share. */
const SENSITIVE = 0.02
/** Errors beyond this (logarithmic) count linearly: a run that went wrong must not decide. */
const ROBUST = 0.05
/** How far a factor strays without a reason (logarithmic standard deviation), and for the host in milliseconds. */
const PRIOR = {bandwidth: 0.35, compute: 0.5, hostMilliseconds: 8}
const BOUNDS: Record<keyof SpeedFactors, [number, number]> = {bandwidth: [0.25, 2], compute: [0.15, 3], hostMilliseconds: [-20, 60]}
/** First tokens wait on queues and front ends that these parameters do not describe: they weigh less. */
const WEIGHT: Record<Metric, number> = {ttftMs: 0.4, tpotMs: 1, outputTokensPerSecond: 1}

const PARAMETERS: (keyof SpeedFactors)[] = ['bandwidth', 'compute', 'hostMilliseconds']

/** A tenth more of a factor; for the host a step that shows against steps of a few milliseconds. */
const nudged = (factors: SpeedFactors, parameter: keyof SpeedFactors): SpeedFactors => ({
  ...factors,
  [parameter]: parameter === 'hostMilliseconds' ? factors.hostMilliseconds + 1 : factors[parameter] * 1.1,
})

class Fit {
  private readonly runs: readonly BenchRun[]
  private readonly base: Calibration
  private readonly engine: string
  private readonly accelerator: Accelerator

  constructor(runs: readonly BenchRun[], base: Calibration, engine: string, accelerator: Accelerator) {
    this.runs = runs
    this.base = base
    this.engine = engine
    this.accelerator = accelerator
  }

  /** Logarithms of reported over predicted, run by run. */
  errors(factors: SpeedFactors): {run: BenchRun; metric: Metric; error: number}[] {
    const calibration = withFactors(this.base, this.engine, this.accelerator, factors)
    return this.runs.flatMap((run) => {
      const serving = servingOf(run.input, calibration)
      const predicted = {
        ttftMs: serving.ttft * 1000,
        tpotMs: serving.tpot * 1000,
        outputTokensPerSecond: serving.requestsPerSecond * busyReplicas(run.input) * run.input.workload.outputTokens,
      }
      return METRICS.flatMap((metric) => {
        const reported = run.point.observed[metric]
        const error = reported === undefined ? Number.NaN : Math.log(reported / predicted[metric])
        return Number.isFinite(error) ? [{run, metric, error}] : []
      })
    })
  }

  loss(factors: SpeedFactors): number {
    const misfit = this.errors(factors).reduce((sum, {metric, error}) => {
      const size = Math.abs(error) / ROBUST
      return sum + WEIGHT[metric] * (size <= 1 ? size * size : 2 * size - 1)
    }, 0)
    return (
      misfit +
      (Math.log(factors.bandwidth) / PRIOR.bandwidth) ** 2 +
      (Math.log(factors.compute) / PRIOR.compute) ** 2 +
      (factors.hostMilliseconds / PRIOR.hostMilliseconds) ** 2
    )
  }

  /** Runs of which some figure moves with the parameter. */
  sensitiveRuns(parameter: keyof SpeedFactors): number {
    const [still, moved] = [this.errors(UNCHANGED), this.errors(nudged(UNCHANGED, parameter))]
    return new Set(still.filter(({error}, index) => Math.abs(error - (moved[index]?.error ?? error)) >= SENSITIVE).map(({run}) => run)).size
  }

  /** Moves one parameter at a time, by steps that halve, until none helps. */
  minimum(parameters: readonly (keyof SpeedFactors)[]): SpeedFactors {
    let best: SpeedFactors = {...UNCHANGED}
    let least = this.loss(best)
    for (let step = 0.25; step > 0.001; step /= 2) {
      for (let moved = true, rounds = 0; moved && rounds < 40; rounds++) {
        moved = false
        for (const parameter of parameters)
          for (const sign of [1, -1]) {
            const [min, max] = BOUNDS[parameter]
            const next = parameter === 'hostMilliseconds' ? best.hostMilliseconds + sign * step * 8 : best[parameter] * Math.exp(sign * step)
            const candidate = {...best, [parameter]: Math.min(max, Math.max(min, next))}
            const loss = this.loss(candidate)
            if (loss < least - 1e-9) [best, least, moved] = [candidate, loss, true]
          }
      }
    }
    return best
  }
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length === 0 ? 0 : sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

const rounded = (value: number): number => Number(value.toPrecision(5))

/** Fits one group of runs: all on one GPU under one engine. */
export function refit(runs: readonly BenchRun[], base: Calibration): Refit {
  const {engine, accelerator} = runs[0]!.input
  const fit = new Fit(runs, base, engine, accelerator)
  const left: Refit['left'] = []
  const fitted: (keyof SpeedFactors)[] = []
  // Each parameter takes two runs of its own; the one that most runs speak of comes first.
  const asked = PARAMETERS.map((parameter) => ({parameter, runs: fit.sensitiveRuns(parameter)})).sort(
    (a, b) => b.runs - a.runs || PARAMETERS.indexOf(a.parameter) - PARAMETERS.indexOf(b.parameter),
  )
  for (const {parameter, runs: speaking} of asked) {
    if (speaking < FEWEST_RUNS)
      left.push({parameter, because: `${speaking} of ${runs.length} ${runs.length === 1 ? 'run depends' : 'runs depend'} on it, but ${FEWEST_RUNS} are needed`})
    else if (runs.length < FEWEST_RUNS * (fitted.length + 1))
      left.push({parameter, because: `${runs.length} runs are too few for ${fitted.length + 1} parameters: each needs ${FEWEST_RUNS}`})
    else fitted.push(parameter)
  }
  const found = fit.minimum(fitted)
  const factors = {bandwidth: rounded(found.bandwidth), compute: rounded(found.compute), hostMilliseconds: rounded(found.hostMilliseconds)}
  const before = fit.errors(UNCHANGED)
  const after = fit.errors(factors)
  const share = (error: number) => rounded(Math.expm1(error))
  const size = (errors: typeof before) => rounded(median(errors.map(({error}) => Math.expm1(Math.abs(error)))))
  const metrics = METRICS.flatMap((metric): MetricErrors[] => {
    const of = (errors: typeof before) => errors.filter((one) => one.metric === metric)
    return of(before).length === 0 ? [] : [{metric, figures: of(before).length, before: size(of(before)), after: size(of(after))}]
  })
  return {
    gpu: accelerator.id,
    engine,
    runs: runs.length,
    factors,
    fitted: PARAMETERS.filter((parameter) => fitted.includes(parameter)),
    left,
    residuals: before.map(({run, metric, error}, index) => ({place: run.point.place, metric, before: share(error), after: share(after[index]!.error)})),
    medianErrorBefore: size(before),
    medianErrorAfter: size(after),
    metrics,
    better: fitted.length > 0 && fit.loss(factors) < fit.loss(UNCHANGED) - 1e-6 && size(after) < size(before),
  }
}

/** Runs by GPU and engine, in the order in which they first appear. */
export function groupsOf(runs: readonly BenchRun[]): BenchRun[][] {
  const groups = new Map<string, BenchRun[]>()
  for (const run of runs) {
    const key = `${run.input.engine} ${run.input.accelerator.id}`
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()]
}

export const localCalibration = (
  {gpu, engine, runs, factors, fitted, medianErrorBefore, medianErrorAfter, metrics}: Refit,
  date: string,
): LocalCalibration => ({
  gpu,
  engine,
  date,
  factors,
  fitted,
  runs,
  medianErrorBefore,
  medianErrorAfter,
  metrics,
})
