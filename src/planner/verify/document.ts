/** What `verify --json` and `calibrate --json` print: the documented view of a comparison. */
import type {Deployment} from '../../core/deployment.ts'
import type {Warning} from '../../core/terms.ts'
import type {LogReport} from '../../verify/log-report.ts'
import type {Change} from './changes.ts'
import type {Correction} from '../world/index.ts'
import type {ComparedRun, UnansweredRun} from './bench-runs.ts'
import type {Mismatch} from './mismatch.ts'
import type {Decisive, VerifiedLine, Verification} from './verification.ts'
import type {Refit} from './refit.ts'

export interface VerificationDocument {
  schemaVersion: 2
  /** Every part lies within the estimate's own error. */
  within: boolean
  log?: {
    engine: string
    engineVersion: string
    model: {id: string; hfId: string}
    hardware: {gpu: string; gpus: number}
    deployment: Deployment
    outcome: Verification['outcome']
    refusal?: LogReport['refusal']
    ranks: number
    lines: VerifiedLine[]
    worstPart?: string
    decisive?: Decisive
    /** Why the log cannot be of what was asked about. */
    mismatches?: Mismatch[]
    spreadBytes: number
    within: boolean
    changes: Change[]
    /** Starts that the log holds, where there are several. */
    starts?: number
    /** The difference as --save keeps it; absent where there are mismatches, or the release is assumed. */
    correction?: Correction
  }
  bench?: {runs: ComparedRun[]; unanswered: UnansweredRun[]; within: boolean}
  /** Where --save put the correction. */
  savedTo?: string
  warnings: Warning[]
}

export function logDocument({
  report,
  answer: {best},
  lines,
  worst,
  decisive,
  spreadBytes,
  within,
  outcome,
  changes,
  correction,
  mismatches,
  releaseAssumed,
}: Verification): NonNullable<VerificationDocument['log']> {
  const {model, checkpoint, machine, engine, deployment} = best
  return {
    engine: engine.id,
    engineVersion: deployment.engineVersion,
    model: {id: model.id, hfId: checkpoint.hfId},
    hardware: {gpu: machine.gpus[0]!.accelerator.id, gpus: engine.gpuCount(deployment)},
    deployment,
    outcome,
    ...(report.refusal && {refusal: report.refusal}),
    ranks: report.ranks.length,
    lines,
    ...(worst && {worstPart: worst.name}),
    ...(decisive && {decisive}),
    spreadBytes,
    within,
    changes,
    ...(mismatches.length > 0 && {mismatches}),
    ...(report.starts !== undefined && {starts: report.starts}),
    ...(correction && mismatches.length === 0 && !releaseAssumed && {correction}),
  }
}

export interface CalibrationDocument {
  schemaVersion: 2
  fits: Refit[]
  unanswered: UnansweredRun[]
  /** Where the fits were kept; absent where none was better, or with --dry-run. */
  savedTo?: string
}
