import {type MemoryModules, parseDmidecode, runDmidecode} from './dmidecode.ts'
import type {MachineProblem} from './machine-document.ts'
import {type DetectionEffects, printedBy} from './probe.ts'

export type {MemoryModules} from './dmidecode.ts'

/** The modules of the host's memory, where this user may read them. */
export async function runMemoryModules(effects: DetectionEffects): Promise<MemoryModules | undefined> {
  if (effects.system && effects.system.platform !== 'linux') return undefined
  return parseDmidecode(printedBy(await runDmidecode(effects.exec)))
}

/** Memory that runs well below what its modules could: commonly four of them on a desktop board, or a profile that is off. */
export function memorySpeedProblem(modules: MemoryModules | undefined): MachineProblem[] {
  const {megatransfersPerSecond: runs, ratedMegatransfersPerSecond: rated} = modules ?? {}
  if (!runs || !rated || runs >= rated * 0.9) return []
  return [
    {
      code: 'memory-below-rating',
      message: `Host memory runs at ${runs} MT/s, but its modules are rated for ${rated}: offloading to it is slower by as much`,
      remedy: 'turn on the memory profile (XMP, EXPO) in the firmware, or use fewer modules for each channel',
    },
  ]
}
