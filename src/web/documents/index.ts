/** Answers as plain data, for pages and reports alike. */
export {type CapacityDocument, capacityDocument} from './capacity.ts'
export {type CheckDocument, checkDocument, type CurvePoint} from './check.ts'
export {type CompareDocument, compareDocument, type CompareRow, compareTitle} from './compare.ts'
export {type ModelsDocument, modelsDocument, type ModelsRow} from './models.ts'
export {type PlanDocument, planDocument, planTitle} from './plan.ts'
export type {StartDocument, StartFormat} from './start.ts'

import type {CapacityDocument} from './capacity.ts'
import type {CheckDocument} from './check.ts'
import type {CompareDocument} from './compare.ts'
import type {ModelsDocument} from './models.ts'
import type {PlanDocument} from './plan.ts'

/** What can be handed on as a report. */
export type ReportDocument = CheckDocument | PlanDocument | CompareDocument | CapacityDocument
export type AnswerDocument = ReportDocument | ModelsDocument

/** Which data an answer was made from, where it says so. */
export const dataVersionOf = (document: ReportDocument): string | undefined =>
  document.kind === 'check' ? document.result.dataVersion : 'report' in document ? (document.report as {dataVersion?: string}).dataVersion : undefined
