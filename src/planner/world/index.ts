/** The door of this room. What a question is about: the catalogue, the machine, the model, what was measured here. */
export {ClosedModelError} from './closed-model.ts'
export {type Context, engineData, engineInRelease, engineOf} from './context.ts'
export {type Correction, nameOfCheckpoint, withCorrection, withMoreRuntime} from './corrections.ts'
export type {FoundModelFile, FoundRepository, NamedModel} from './found-model.ts'
export {
  calibrationFor,
  changeOf,
  type LocalCalibration,
  measuredCalibration,
  type MetricErrors,
  type SpeedFactors,
  UNCHANGED,
  withFactors,
} from './local-calibration.ts'
export {linkWithin, usualLink} from './links.ts'
export {
  cardRemarks,
  cardsOf,
  hasSlices,
  isMixed,
  kindsOf,
  looksLikePath,
  machineFromName,
  machineFromSpec,
  makersLike,
  pacingAccelerator,
  servingGroups,
  tightestGpu,
} from './machines.ts'
export {looksLikeModelPath, modelOf} from './models.ts'
