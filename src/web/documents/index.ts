/** Answers as plain data, for pages and reports alike. */
export {type CapacityDocument, capacityDocument} from './capacity.ts'
export {type CheckDocument, checkDocument, type CurvePoint} from './check.ts'
export {type CompareDocument, compareDocument, type CompareRow, compareTitle} from './compare.ts'
export {type PlanDocument, planDocument, planTitle} from './plan.ts'
export type {StartDocument, StartFormat} from './start.ts'

import type {CapacityDocument} from './capacity.ts'
import type {CheckDocument} from './check.ts'
import type {CompareDocument} from './compare.ts'
import type {PlanDocument} from './plan.ts'

export type AnswerDocument = CheckDocument | PlanDocument | CompareDocument | CapacityDocument
