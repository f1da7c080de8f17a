import {cleaned, type Known} from './clean.ts'
import {detectMachine} from './detect-machine.ts'
import type {MachineDocument} from './machine-document.ts'
import type {DetectionEffects} from './probe.ts'
import {type Recording, recorded, replayed} from './recording.ts'

export interface Examination {
  /** As the cleaned recording gives it: nothing of the machine's own names is in it. */
  machine: MachineDocument
  recording: Recording
  /** False where cleaning has changed what the parsers read: then the recording is no true copy. */
  faithful: boolean
  tookMs: number
}

/** Looks at the machine with everything noted, cleans the note, and reads the machine from it once more. */
export async function examineMachine(effects: DetectionEffects, known: Known): Promise<Examination> {
  const {effects: noted, recording} = recorded(effects)
  const started = performance.now()
  const live = await detectMachine(noted)
  const tookMs = Math.round(performance.now() - started)
  const clean = cleaned(recording(), known)
  const machine = await detectMachine(replayed(clean, effects.findGpu))
  return {machine, recording: clean, faithful: comparable(live) === comparable(machine), tookMs}
}

/** The document without what cleaning is meant to change: the host's name, and wording that quotes addresses. */
function comparable({hostname: _hostname, problems, disk, ...rest}: MachineDocument): string {
  return JSON.stringify({...rest, disk: disk.map(({use, totalBytes, freeBytes}) => ({use, totalBytes, freeBytes})), problems: problems.map(({code}) => code)})
}
