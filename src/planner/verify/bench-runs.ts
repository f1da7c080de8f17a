/** Measured loads beside what is predicted for them. */
import type {Workload} from '../../core/deployment.ts'
import {InputError} from '../../core/input-error.ts'
import type {Interval} from '../../core/terms.ts'
import type {Performance, PerformanceInput} from '../../core/throughput/input.ts'
import {performance} from '../../core/throughput/performance.ts'
import type {BenchPoint, Observed} from '../../verify/bench/bench-point.ts'
import {answer, type Evaluation, performanceInput} from '../answer/index.ts'
import {calibrationFor, type Context} from '../world/index.ts'
import type {Scenario} from '../scenario/index.ts'
import {printedModel} from './printed-model.ts'

export type Metric = keyof Observed
export const METRICS: readonly Metric[] = ['ttftMs', 'tpotMs', 'outputTokensPerSecond']

/** A run with the evaluation that answers it. */
export interface BenchRun {
  point: BenchPoint
  evaluation: Evaluation
  input: PerformanceInput
  performance: Performance
}

export interface ComparedFigure extends Interval {
  metric: Metric
  reported: number
  /** Reported less predicted, of the predicted. */
  relative: number
  /** Inside the stated interval. */
  inside: boolean
}

export interface ComparedRun {
  place: string
  format: BenchPoint['format']
  id?: string
  model: string
  gpu: string
  engine: string
  engineVersion: string
  workload: Workload
  calibration: string
  figures: ComparedFigure[]
}

/** A run that could not be answered, and why. */
export interface UnansweredRun {
  place: string
  error: {code: string; message: string}
}

/** What a client calls the model: a repository, a path or the name that the server gives it. @throws InputError MODEL_MISSING. */
async function printedName(context: Context, printed: string, place: string): Promise<string> {
  const known = await printedModel(context, printed)
  if (known) return known.name
  throw new InputError('MODEL_MISSING', `${place} names the model "${printed.slice(0, 200)}", which is not known: give it with --model`)
}

/** The file's own words over the flags'; a model that only the tool knows by (a path, an alias) gives way to a flag. */
async function scenarioOf(
  context: Context,
  {scenario, workload, format}: BenchPoint,
  {workload: _load, slo: _slo, id: _id, ...flags}: Partial<Scenario>,
  place: string,
): Promise<Scenario> {
  const {model: printed, gpu, machine, nodes, id: _own, ...rest} = scenario
  // Scenarios name their model; tools may know it only by a path or an alias, which a flag outdoes.
  const model =
    format === 'scenario' ? (printed ?? flags.model) : (flags.model ?? (printed === undefined ? undefined : await printedName(context, printed, place)))
  if (model === undefined) throw new InputError('MODEL_MISSING', `${place} does not say which model was measured: give it with --model`)
  const where = gpu !== undefined || machine !== undefined ? {gpu, machine, nodes} : {gpu: flags.gpu, machine: flags.machine, nodes: flags.nodes}
  const merged = {...flags, ...rest, ...where, model, workload}
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)) as unknown as Scenario
}

/** What runs in the log's free memory is the engine itself: a machine that is looked at now counts as idle. */
const atRest = (context: Context): Context => ({
  ...context,
  detect: async () => {
    const machine = await context.detect()
    return {...machine, gpus: machine.gpus.map(({freeBytes: _now, ...gpu}) => gpu)}
  },
})

/** Answers every run; those that cannot be are told apart. */
export async function benchRuns(
  context: Context,
  points: readonly BenchPoint[],
  flags: Partial<Scenario>,
): Promise<{runs: BenchRun[]; unanswered: UnansweredRun[]}> {
  const there = atRest(context)
  const runs: BenchRun[] = []
  const unanswered: UnansweredRun[] = []
  for (const point of points) {
    try {
      const {best} = await answer(there, await scenarioOf(there, point, flags, point.place))
      if (!best.performance) throw new InputError('NO_PREDICTION', `nothing is predicted for it: ${best.reasons[0]?.message ?? best.verdict}`)
      const {concurrency} = point.workload
      const rounds = point.requestCount !== undefined && typeof concurrency === 'number' ? {rounds: point.requestCount / concurrency} : {}
      const input = {...performanceInput(best, point.workload), ...rounds}
      const calibration = calibrationFor(context.catalogue.speedCalibration, best.engine.id, input.accelerator)
      runs.push({point, evaluation: best, input, performance: performance(input, calibration)})
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      unanswered.push({place: point.place, error: {code: error.code, message: error.message}})
    }
  }
  const [first] = unanswered
  if (runs.length === 0 && first) throw new InputError(first.error.code, `${first.place}: ${first.error.message}`)
  return {runs, unanswered}
}

export function comparedRun({point, evaluation, performance: expected}: BenchRun): ComparedRun {
  const {model, checkpoint, machine, deployment} = evaluation
  const figures = METRICS.flatMap((metric): ComparedFigure[] => {
    const reported = point.observed[metric]
    const predicted = expected[metric]
    if (reported === undefined || !(predicted.estimate > 0)) return []
    return [{metric, ...predicted, reported, relative: reported / predicted.estimate - 1, inside: reported >= predicted.low && reported <= predicted.high}]
  })
  return {
    place: point.place,
    format: point.format,
    ...(point.scenario.id !== undefined && {id: point.scenario.id}),
    model: checkpoint.hfId || model.id,
    gpu: `${evaluation.engine.gpuCount(deployment)}x${machine.gpus[0]!.accelerator.id}`,
    engine: deployment.engine,
    engineVersion: deployment.engineVersion,
    workload: point.workload,
    calibration: expected.basis.calibration,
    figures,
  }
}

/** Intervals hold 8 in 10: a comparison is good when no more than one figure in five lies outside. */
export function withinIntervals(runs: readonly ComparedRun[]): boolean {
  const figures = runs.flatMap((run) => run.figures)
  return figures.filter(({inside}) => !inside).length <= Math.floor(figures.length / 5)
}
