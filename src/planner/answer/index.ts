/** The door of this room. One question answered: a deployment chosen and judged. */
export {type Advice, adviseOn} from './advice.ts'
export {answer, type Answer, machineOf} from './answer.ts'
export {
  bestLayout,
  byFidelity,
  checkpointsOfWeights,
  diskBytes,
  distinctCheckpoints,
  holdingContext,
  keepsQuality,
  missingBytes,
  preferredCheckpoints,
  PUBLISHERS,
  reachableContext,
  taken,
} from './choose.ts'
export {evaluate, judge, type Question, standing} from './evaluate.ts'
export {type Evaluation, isYes, type Standing, TIGHT_CODES, VERDICT_ORDER, type Verdict} from './evaluation.ts'
export {largest} from './largest.ts'
export {placesFor} from './layouts.ts'
export {endToEndMs, excessOf, hasLimits, keepsLimits, type Reached, reachedLimits, type Tail} from './limits.ts'
export {knownByNameAnswer, knownByNameWords} from './known-by-name.ts'
export {marginOf} from './margin.ts'
export {requireNames} from './names.ts'
export {poolingOf, requireLayers, requireWriting, textsOf} from './pooling.ts'
export type {PoolingAnswer} from './pooling-answer.ts'
export {type Result, SCHEMA_VERSION, toResult} from './result.ts'
export {servedScore} from './score.ts'
export {requireSpeed, withoutAssumedSpeed} from './speed-unknown.ts'
export {simulateEvaluation, type Simulation, simulationOf} from './simulate.ts'
export {performanceInput, sharesExperts, speedUnder, subjectOf} from './speed-input.ts'
export {draftingGain} from './speculation.ts'
export {tailOf} from './tail.ts'
