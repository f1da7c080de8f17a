/** The door of this room. A question as it is asked. */
export {ASSUMED_LOAD, assumedLoad} from './assumed-load.ts'
export {INTERACTIVE_LIMITS} from './interactive.ts'
export {requireLimits} from './required-limits.ts'
export {GRAPH_MODES, LIMITS, type Link, LINKS, type Objective, type Objectives, OBJECTIVES, type Preference, PREFERENCES, type Scenario} from './scenario.ts'
export {parseSpeculation, speculationFromJson} from './speculation.ts'
