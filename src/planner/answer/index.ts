/** The door of this room. One question answered: a deployment chosen and judged. */
export {type Advice, adviseOn, shortageInWords} from './advice.ts'
export {answer, type Answer, machineOf} from './answer.ts'
export {bestLayout, byFidelity, checkpointsOfWeights, type ChoiceQuestion, diskBytes, distinctCheckpoints} from './choose.ts'
export {evaluate, type Evaluation, performanceInput, type Question, subjectOf} from './evaluate.ts'
export {layoutsFor} from './layouts.ts'
export {type Result, SCHEMA_VERSION, toResult} from './result.ts'
export {simulateEvaluation, type Simulation, simulationOf} from './simulate.ts'
