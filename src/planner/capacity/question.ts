import type {Machine} from '../../core/accelerator.ts'
import type {Calibration} from '../../core/throughput/calibration.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Demand} from './demand.ts'
import type {Reached} from '../answer/index.ts'
import type {LoadPoint} from './points.ts'

/** What bounds the load of a machine. */
export type CarryLimit = 'limits' | 'percentile' | 'utilisation' | 'cache' | 'most-looked-at'

/** How much a deployment carries. */
export interface Carries {
  /** In the demand's unit. */
  amount: number
  requestsPerSecond: number
  limitedBy: CarryLimit
  /** At that load: its numbers are those of `check` with it. */
  point: LoadPoint
  /** People who pause: how many are being answered, in the mean and when it is busy. The limits are kept at the second. */
  inFlight?: {mean: number; busy: number}
  /** Share of simulated requests within the limits, where a percentile was asked for. */
  shareWithinLimits?: number
  /** The same deployment with less to carry. */
  at(amount: number): {point: LoadPoint; inFlight?: {mean: number; busy: number}}
}

/** The most that one machine (or a part of one) carries of a demand at the estimate, and how. */
export interface Carried extends Carries {
  /** The same deployment at the slow end of every interval. Absent: there not even one request alone keeps the limits. */
  cautious?: Carries
}

export interface CarryQuestion {
  demand: Demand
  machine: Machine
  engines: Engine[]
  calibration: Calibration
  /** Loads that are looked at in the end, in the demand's unit: what it grows to. */
  amounts: readonly number[]
  /** Share of the rate at which the queue would grow without end that is planned with, where requests arrive at a rate. */
  maxUtilisation: number
  /** The slow end is not looked at. */
  onlyEstimate?: boolean
}

/** Why a machine carries nothing: what the nearest deployment reaches with one request alone, or the reason that nothing starts. */
export interface CarriesNothing {
  code: string
  because: string
  remedy?: string
  nearest?: {point: LoadPoint; limits: Reached[]; shareWithinLimits?: number}
}
