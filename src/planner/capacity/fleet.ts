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

/** What runs on one machine: how many units of each demand. */
export type MachineLoad = Map<number, number>

/**
 * Packs units onto machines of so many GPUs, largest first into the first with room. Sizes are powers of two or whole machines, for which this wastes
 * nothing that another order would not.
 */
export function packed(units: readonly Units[], gpusPerMachine: number): MachineLoad[] {
  const machines: {free: number; load: MachineLoad}[] = []
  for (const {demand, gpus, count} of [...units].sort((a, b) => b.gpus - a.gpus)) {
    for (let unit = 0; unit < count; unit++) {
      let machine = machines.find(({free}) => free >= gpus)
      if (!machine) {
        machine = {free: gpusPerMachine, load: new Map()}
        machines.push(machine)
      }
      machine.free -= gpus
      machine.load.set(demand, (machine.load.get(demand) ?? 0) + 1)
    }
  }
  return machines.map(({load}) => load)
}

/** Units of each demand that remain when the machine is lost that hurts most: the highest load share of any demand afterwards. */
export function shareAfterLoss(machines: readonly MachineLoad[], demands: readonly {needed: number}[], unitCounts: readonly number[]): number {
  let worst = 0
  for (const lost of machines)
    for (const [demand, units] of lost) {
      const left = unitCounts[demand]! - units
      worst = Math.max(worst, left > 0 ? demands[demand]!.needed / left : Number.POSITIVE_INFINITY)
    }
  return worst
}

/** Whole units for an amount; a sliver beyond a whole number is rounding, not load. */
export const unitsFor = (amount: number, each: number): number => Math.max(1, Math.ceil(amount / each - 1e-9))
