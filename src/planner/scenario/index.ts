/** The door of this room. A question as it is asked. */
export {INTERACTIVE_LIMITS} from './interactive.ts'
export {requireLimits} from './required-limits.ts'
export {LIMITS, type Link, LINKS, type Objective, type Objectives, OBJECTIVES, type Scenario} from './scenario.ts'
export {parseSpeculation} from './speculation.ts'
