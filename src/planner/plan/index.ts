/** The door of this room. The best deployment and load for a machine. */
export {parseFailOn} from './fail.ts'
export {endToEndMs, reached} from './objectives.ts'
export {pause} from './pause.ts'
export {finalEvaluation, type Plan, plan, type PlanReport} from './plan.ts'
export type {PlanPoint} from './point.ts'
export type {RankedPlan} from './ranking.ts'
export type {Floor, Reach} from './reach.ts'
export {legalDeployments, type PlanQuestion, type Refusal, settledFor} from './search.ts'
