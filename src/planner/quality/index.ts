/** The door of this room. What quantising costs in quality, and at which level that is known. */
export {type Figure, ofWeights} from './figure.ts'
export {cacheQualities, figuresBehind, modelWithQuality, type PoolFile, withQuality} from './known.ts'
export {cachePools, kinOf, kinTitle, type Pool, SIZE_CLASSES, weightPools} from './pool.ts'
export {QUALITY_CLASSES, type QualityClass, qualityClass} from './rank.ts'
export {bitsOf, statementOf} from './statement.ts'
