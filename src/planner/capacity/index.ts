/** The door of this room. How many machines. */
export {candidateKinds} from './catalogue-kinds.ts'
export {type Capacity, capacity, type CapacityAsked, type CapacityReport, type FleetOption, type MachineKind, type Period, type Placement} from './capacity.ts'
export type {DemandAsked, Lengths} from './demand.ts'
export {parseGrowth, parsePrice} from './money.ts'
export {parseTrace, readTrace, type TracePiece} from './trace.ts'
export {USUAL_MONTHS, USUAL_UTILISATION} from './usual.ts'
