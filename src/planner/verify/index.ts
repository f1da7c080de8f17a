/** The door of this room. What an engine reported, beside what was predicted. */
export {benchRuns, type ComparedFigure, type ComparedRun, comparedRun, type UnansweredRun, withinIntervals} from './bench-runs.ts'
export {type CalibrationDocument, logDocument, type VerificationDocument} from './document.ts'
export {groupsOf, localCalibration, type Refit, refit} from './refit.ts'
export {type Decisive, type Verification, verification, type VerifiedLine} from './verification.ts'
