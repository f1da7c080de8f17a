import type {DetectedGpu, GpuPair, MachineDocument} from './machine-document.ts'

/** GPUs that are equal, as a person sees the machine: cards of one kind and size, or slices of one profile. */
export interface GpuGroup {
  gpus: DetectedGpu[]
  /** Among them; empty where no tool told. */
  pairs: GpuPair[]
}

/** Largest group first, those with memory of their own before graphics that borrow the host's: the order in which plans take them. */
export function groupsOf({gpus, interconnect}: MachineDocument): GpuGroup[] {
  const groups = new Map<string, DetectedGpu[]>()
  for (const gpu of gpus) {
    const key = `${gpu.id ?? gpu.name} ${Math.round((gpu.memoryBytes ?? 0) / 1024 ** 3)} ${gpu.mig ? (gpu.mig.profile ?? 'slice') : ''}`
    groups.set(key, [...(groups.get(key) ?? []), gpu])
  }
  const size = (group: DetectedGpu[]) => group.reduce((sum, {memoryBytes}) => sum + (memoryBytes ?? 0), 0)
  const borrows = (group: DetectedGpu[]) => Number(group[0]?.unifiedMemory ?? false)
  return [...groups.values()]
    .sort((a, b) => borrows(a) - borrows(b) || size(b) - size(a))
    .map((group) => ({
      gpus: group,
      pairs: (interconnect.pairs ?? []).filter(({gpus: ends}) => ends.every((end) => group.some(({index}) => index === end))),
    }))
}
