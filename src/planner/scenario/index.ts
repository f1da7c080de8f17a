/** The door of this room. A question as it is asked. */
export {INTERACTIVE_LIMITS} from './interactive.ts'
export {isStateFormat, stateFormatOf, weightsOf} from './words.ts'
export {GRAPH_MODES, LIMITS, type Objective, type Objectives, OBJECTIVES, type Scenario} from './scenario.ts'
export {parseSpeculation, speculationFrom, speculationFromJson} from './speculation.ts'
