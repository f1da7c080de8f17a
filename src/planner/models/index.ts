/** The door of this room. What is known of models, and which fit. */
export {type Fit, fitOf, type Fitting, fittingModels, withoutBuild} from './fitting.ts'
export type {FittingModel} from './rank.ts'
export {matches, type ModelFilter} from './search.ts'
export {detailsOf, type ModelDetails, type ModelSummary, summaryOf} from './summary.ts'
export {modelsByWords, type TaskWords} from './words.ts'
export {distinctFormats, GPU_CLASSES, type SupportCell, supportCell, type SupportStatus} from './support.ts'
