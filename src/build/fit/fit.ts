import type {Calibration} from '../../core/throughput/calibration.ts'
import {hardwareClass} from '../../core/throughput/hardware.ts'
import type {PerformanceInput} from '../../core/throughput/input.ts'
import {busyReplicas, servingOf} from '../../core/throughput/performance.ts'
import {isLater, releaseYear} from '../../core/throughput/engine-version.ts'
import {minimise} from './optimise.ts'
import {type Parameter, parametersFor, readParameter, writeParameter} from './parameters.ts'

/** A deployment with what was measured of it. Times in milliseconds, rate in output tokens a second. */
export interface Measurement {
  id: string
  input: PerformanceInput
  observed: {ttftMs?: number; tpotMs?: number; outputTokensPerSecond?: number}
  /** What it can be held out by. */
  model: string
  gpu: string
  /** Who published it: the part of the source before a colon, a hash or a stroke of an address. */
  source: string
  /**
   * How the time per token of one burst was told, where not as the mean of its requests: as that of their mean rate, or of all tokens from the first to the last.
   */
  told?: 'mean-rate' | 'window'
  /** How much it counts relative to others; 1 when absent. */
  weight?: number
}

/** What a residual of one standard deviation is, in logarithms: the targets for unseen measurements. */
const DEVIATIONS = {ttft: 0.15, tpot: 0.08, throughput: 0.08}

/**
 * A burst's time per token as it was told. The last of its requests decodes undisturbed, the first beside all other prompts, those between evenly: their times lie
 * between `least` and 2 `mean` - `least`. The mean of 1 / t over that range is its logarithm over its width; the window from the first token to the last is as long as
 * the first request takes.
 */
export function asTold(told: Measurement['told'], mean: number, least: number): number {
  const width = 2 * (mean - least)
  if (told === undefined || width <= 1e-6 * least) return mean
  return told === 'window' ? least + width : width / Math.log1p(width / least)
}

/** Logarithms of predicted over observed: time to first token, time per token, rate. NaN where nothing was measured. */
export function logErrors({observed, input, told}: Measurement, calibration: Calibration): [number, number, number] {
  const serving = servingOf(input, calibration)
  const tpot = asTold(told, serving.tpot, Math.min(serving.tpot, serving.step.total / serving.stepTokens))
  const ratio = (predicted: number, seen: number | undefined) => (seen === undefined ? NaN : Math.log(predicted / seen))
  return [
    ratio(serving.ttft * 1000, observed.ttftMs),
    ratio(tpot * 1000, observed.tpotMs),
    ratio(serving.requestsPerSecond * busyReplicas(input) * input.workload.outputTokens, observed.outputTokensPerSecond),
  ]
}

/** Fits the numbers that the measurements can tell; the rest stays at `start`. */
export function fitCalibration(
  measurements: readonly Measurement[],
  start: Calibration,
  chosen: (parameter: Parameter) => boolean = () => true,
  mostIterations = 18,
): Calibration {
  const classes = new Set(measurements.map((m) => hardwareClass(m.input.accelerator)))
  const parameters = parametersFor(
    Object.keys(start.engines).filter((engine) => measurements.some((m) => m.input.engine === engine)),
    // One class is the yardstick of the common efficiencies.
    Object.keys(start.hardwareClasses).filter((name) => name !== YARDSTICK && classes.has(name)),
    Object.keys(start.links).filter((link) => measurements.some((m) => m.input.link.kind === link && m.input.gpuCount > 1)),
  ).filter(chosen)
  const working = structuredClone(start)
  for (const [id, engine] of Object.entries(working.engines)) {
    if (engine.measuredYears) continue
    const years = measurements.filter((m) => m.input.engine === id).map((m) => releaseYear(m.input.engineVersion, engine))
    if (years.length > 0) engine.measuredYears = {oldest: Math.min(...years), newest: Math.max(...years)}
    for (const {input} of measurements)
      if (
        input.engine === id &&
        (engine.newestMeasured === undefined ? isLater(input.engineVersion, '0') : isLater(input.engineVersion, engine.newestMeasured))
      )
        engine.newestMeasured = input.engineVersion
  }
  const prior = parameters.map((parameter) => readParameter(start, parameter))
  const concerns = (parameter: Parameter, m: Measurement) =>
    (parameter.engine === undefined || parameter.engine === m.input.engine) &&
    (parameter.hardwareClass === undefined || parameter.hardwareClass === hardwareClass(m.input.accelerator))
  const put = (values: readonly number[]) => {
    for (const [i, parameter] of parameters.entries()) writeParameter(working, parameter, values[i]!)
  }
  const into = (m: Measurement, i: number, target: Float64Array) => {
    const [ttft, tpot, throughput] = logErrors(m, working)
    const weight = Math.sqrt(m.weight ?? 1)
    target[3 * i] = Number.isNaN(ttft) ? 0 : (weight * ttft) / DEVIATIONS.ttft
    target[3 * i + 1] = Number.isNaN(tpot) ? 0 : (weight * tpot) / DEVIATIONS.tpot
    target[3 * i + 2] = Number.isNaN(throughput) ? 0 : (weight * throughput) / DEVIATIONS.throughput
  }
  const solution = minimise(
    {
      prior,
      deviations: parameters.map((parameter) => parameter.deviation),
      residuals(values) {
        put(values)
        const target = new Float64Array(3 * measurements.length)
        for (const [i, m] of measurements.entries()) into(m, i, target)
        return target
      },
      residualsAfter(values, moved, base) {
        put(values)
        const target = Float64Array.from(base)
        for (const [i, m] of measurements.entries()) if (concerns(parameters[moved]!, m)) into(m, i, target)
        return target
      },
    },
    mostIterations,
  )
  put(solution.parameters)
  return working
}

/** The class whose modifiers stay at 1. */
const YARDSTICK = 'nvidia-9'
