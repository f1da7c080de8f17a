import type {Machine, MachineGpu} from '../core/accelerator.ts'
import {harmless} from './style.ts'

const GIB = 1024 ** 3

/** 2 x RTX 4090 (24 GiB), with the nodes where there are several. */
export function machineTitle(machine: Machine): string {
  const groups = new Map<string, {gpu: MachineGpu; count: number}>()
  for (const gpu of machine.gpus) {
    const key = `${gpu.accelerator.id} ${gpu.memoryBytes}`
    const group = groups.get(key)
    if (group) group.count += 1
    else groups.set(key, {gpu, count: 1})
  }
  const parts = [...groups.values()].map(({gpu, count}) => `${count > 1 ? `${count} x ` : ''}${shortName(gpu)}${memoryNote(gpu)}`)
  return `${machine.nodeCount > 1 ? `${machine.nodeCount} nodes of ` : ''}${parts.join(' and ')}`
}

/** A card's name without what everybody knows: GeForce RTX 4090 is an RTX 4090. */
export const shortName = ({accelerator}: MachineGpu): string => harmless(accelerator.name).replace(/^(NVIDIA |AMD |Apple |Intel )?(GeForce |Instinct )?/, '')

/** The memory, where the name does not say it already. */
function memoryNote(gpu: MachineGpu): string {
  const rounded = Math.round(gpu.memoryBytes / GIB)
  return new RegExp(`\\b${rounded} ?G`, 'i').test(gpu.accelerator.name) ? '' : ` (${rounded} GiB)`
}
