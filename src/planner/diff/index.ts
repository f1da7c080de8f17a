/** The door of this room. Two results compared. */
export {type Upgrade, upgradeOf} from './upgrade.ts'
export {type DiffChange, diffOf, type DiffReport, parseTolerance} from './diff.ts'
