/** The door of this room. Two results compared. */
export {type DiffChange, diffOf, type DiffReport, parseTolerance} from './diff.ts'
