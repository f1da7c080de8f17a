/** The door of this room. A question as it is asked. */
export {INTERACTIVE_LIMITS} from './interactive.ts'
export {LIMITS, type Objective, type Objectives, OBJECTIVES, type Preference, PREFERENCES, type Scenario} from './scenario.ts'
export {parseSpeculation} from './speculation.ts'
