import type {Machine} from '../../core/accelerator.ts'

/** Memory of all its cards. */
export const machineMemoryBytes = ({gpus, nodeCount}: Machine): number => nodeCount * gpus.reduce((sum, {memoryBytes}) => sum + memoryBytes, 0)

/** Equal parts of machines that serve one model. */
export interface Units {
  /** Index of the demand. */
  demand: number
  gpus: number
  count: number
}

/** Machines on which the same runs: how many units of each demand on each of them. */
export interface AlikeMachines {
  load: ReadonlyMap<number, number>
  count: number
}

/**
 * Packs units onto machines of so many GPUs, largest first into the first with room. Sizes are powers of two or whole machines, for which this wastes
 * nothing that another order would not. Machines that come out alike are counted together: millions take no longer than a few.
 */
export function packed(units: readonly Units[], gpusPerMachine: number): AlikeMachines[] {
  let machines: (AlikeMachines & {free: number})[] = []
  for (const {demand, gpus, count} of [...units].sort((a, b) => b.gpus - a.gpus)) {
    let left = count
    /** So many machines that are alike, with as many of the units as are left to place and find room on them. */
    const filled = (alike: AlikeMachines & {free: number}, most: number): (AlikeMachines & {free: number})[] => {
      const withUnits = (each: number, machineCount: number) => ({
        free: alike.free - each * gpus,
        load: each === 0 ? alike.load : new Map([...alike.load, [demand, (alike.load.get(demand) ?? 0) + each]]),
        count: machineCount,
      })
      const full = Math.min(alike.count, Math.floor(left / most))
      left -= full * most
      const last = full < alike.count ? left : 0
      left -= last
      return [withUnits(most, full), withUnits(last, last > 0 ? 1 : 0), withUnits(0, alike.count - full - (last > 0 ? 1 : 0))].filter((one) => one.count > 0)
    }
    machines = machines.flatMap((alike) => (left > 0 && alike.free >= gpus ? filled(alike, Math.floor(alike.free / gpus)) : [alike]))
    if (left === 0) continue
    const most = Math.max(1, Math.floor(gpusPerMachine / gpus))
    machines.push(...filled({free: gpusPerMachine, load: new Map(), count: Math.ceil(left / most)}, most))
  }
  return machines.map(({load, count}) => ({load, count}))
}

export const machineCount = (machines: readonly AlikeMachines[]): number => machines.reduce((sum, {count}) => sum + count, 0)

/** Units of each demand that remain when the machine is lost that hurts most: the highest load share of any demand afterwards. */
export function shareAfterLoss(machines: readonly AlikeMachines[], demands: readonly {needed: number}[], unitCounts: readonly number[]): number {
  let worst = 0
  for (const {load} of machines)
    for (const [demand, units] of load) {
      const left = unitCounts[demand]! - units
      worst = Math.max(worst, left > 0 ? demands[demand]!.needed / left : Number.POSITIVE_INFINITY)
    }
  return worst
}

/** Whole units for an amount; a sliver beyond a whole number is rounding, not load. */
export const unitsFor = (amount: number, each: number): number => Math.max(1, Math.ceil(amount / each - 1e-9))
