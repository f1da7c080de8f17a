/** The door of this room. Checkpoints side by side. */
export {compare, type ComparisonRow, type Computation} from './compare.ts'
