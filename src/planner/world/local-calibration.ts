/** What a user's own benchmarks say of the speed of a GPU under an engine: a few factors on top of the calibration that ships. */
import type {Accelerator} from '../../core/accelerator.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import {classModifiers, hardwareClass} from '../../core/throughput/hardware.ts'

/** Multipliers of rates, and time of the host for each step on top; 1, 1 and 0 change nothing. */
export interface SpeedFactors {
  bandwidth: number
  compute: number
  hostMilliseconds: number
}

export const UNCHANGED: SpeedFactors = {bandwidth: 1, compute: 1, hostMilliseconds: 0}

export interface LocalCalibration {
  gpu: string
  engine: string
  /** Day of the fit, as 2026-01-31. */
  date: string
  factors: SpeedFactors
  fitted: (keyof SpeedFactors)[]
  runs: number
  /** Median error of times and rates, as a share, before and after. */
  medianErrorBefore: number
  medianErrorAfter: number
  /** The same for each figure that the runs hold; absent in what older versions kept. */
  metrics?: MetricErrors[]
}

/** Median error of one figure over the runs, as a share, with what ships and refitted. */
export interface MetricErrors {
  metric: 'ttftMs' | 'tpotMs' | 'outputTokensPerSecond'
  figures: number
  before: number
  after: number
}

const METRIC_WORDS: Record<MetricErrors['metric'], string> = {
  ttftMs: 'the first token',
  tpotMs: 'the time per token',
  outputTokensPerSecond: 'the total rate',
}

/** Errors that differ by less are the same. */
const SAME_ERROR = 0.005

/** Whether a refit brought a figure nearer to the runs, or farther from them. */
export const changeOf = ({before, after}: MetricErrors): 'better' | 'worse' | 'same' =>
  Math.abs(after - before) < SAME_ERROR ? 'same' : after < before ? 'better' : 'worse'

const shareWords = (share: number): string => `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)}%`

/** From how many runs, and figure by figure what it came to. */
export function ownRunsWords({runs, date, metrics = []}: LocalCalibration): string {
  const told = metrics.map((one) => {
    const change = changeOf(one)
    return `${METRIC_WORDS[one.metric]} ${change === 'same' ? `off by ${shareWords(one.after)} as before` : `off by ${shareWords(one.after)} instead of ${shareWords(one.before)}${change === 'worse' ? ' (worse)' : ''}`}`
  })
  return `refitted to ${runs} runs of your own on ${date}${told.length > 0 ? `: ${told.join(', ')}` : ''}`
}

/** The calibration with factors for one GPU under one engine. Only for questions about both. */
export function withFactors(base: Calibration, engine: string, accelerator: Accelerator, {bandwidth, compute, hostMilliseconds}: SpeedFactors): Calibration {
  const hardware = hardwareClass(accelerator)
  const own = classModifiers(accelerator, base)
  const engineOwn = base.engines[engine] ?? base.defaultEngine
  return {
    ...base,
    hardwareClasses: {...base.hardwareClasses, [hardware]: {...own, memory: own.memory * bandwidth, compute: own.compute * compute}},
    engines: {...base.engines, [engine]: {...engineOwn, hostMilliseconds: Math.max(0, engineOwn.hostMilliseconds + hostMilliseconds)}},
  }
}

export const localName = (base: Calibration, {runs, gpu, engine, date}: LocalCalibration): string =>
  `${base.name}, refitted to ${runs} runs of your own on ${gpu} under ${engine} (${date})`

/** A calibration that knows what was measured on the user's own machines. */
export interface MeasuredCalibration extends Calibration {
  locally(engine: string, accelerator: Accelerator): Calibration
}

export function measuredCalibration(base: Calibration, local: readonly LocalCalibration[]): MeasuredCalibration {
  const made = new Map<LocalCalibration, Calibration>()
  return {
    ...base,
    locally(engine, accelerator) {
      const own = local.findLast((one) => one.engine === engine && one.gpu === accelerator.id)
      if (!own) return base
      const {seen} = base
      const calibration = made.get(own) ?? {
        ...withFactors(base, engine, accelerator, own.factors),
        name: localName(base, own),
        ownRuns: ownRunsWords(own),
        // The card and the engine are no longer beyond what was measured.
        seen: {
          ...seen,
          hardware: [...new Set([...seen.hardware, hardwareClass(accelerator)])],
          cards: [...new Set([...seen.cards, accelerator.id])],
          engines: [...new Set([...seen.engines, engine])],
        },
      }
      made.set(own, calibration)
      return calibration
    },
  }
}

/** The calibration to answer with: the user's own for this GPU and engine where there is one. */
export const calibrationFor = (calibration: Calibration, engine: string, accelerator: Accelerator): Calibration =>
  'locally' in calibration ? (calibration as MeasuredCalibration).locally(engine, accelerator) : calibration
