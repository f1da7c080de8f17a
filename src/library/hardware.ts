import {askedGpu} from '../catalogue/asked-gpu.ts'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {parseGpuSpec} from '../catalogue/gpu-spec.ts'
import {requireSystem, type System, systemSpellings} from '../catalogue/system.ts'
import type {Accelerator} from '../core/accelerator.ts'
import {type Found, foundByWords} from './listing.ts'
import {stamped} from './stamp.ts'

/** What `gpus --json` prints: one where a name was given, else those that a word is found in. */
export type GpusReport = {schemaVersion: 2; dataVersion: string} & ({gpus: Accelerator[]} | {gpu: Accelerator})

/** What `machines --json` prints. */
export type MachinesReport = {schemaVersion: 2; dataVersion: string} & ({machines: System[]} | {machine: System})

/** The cards that are known: all, one by its name, or those that a word is found in. @throws InputError GPU_UNKNOWN. */
export const gpusLike = (catalogue: Catalogue, name?: string): Found<Accelerator> =>
  foundByWords(
    catalogue.gpus,
    name,
    (asked) => askedGpu(catalogue, parseGpuSpec(asked)[0]!),
    ({id, name: title, aliases, nicknames = [], vendor, architecture = ''}) => [id, title, ...aliases, ...nicknames, vendor, architecture],
  )

/** The machines that are known by name. @throws InputError MACHINE_UNKNOWN. */
export const machinesLike = ({systems}: Catalogue, name?: string): Found<System> =>
  foundByWords(
    systems,
    name,
    (asked) => requireSystem(systems, asked),
    (system) => [...systemSpellings(system), system.kind, ...system.gpus.map(({id}) => id)],
  )

export const gpusReport = (catalogue: Catalogue, found: Found<Accelerator>): GpusReport =>
  stamped(catalogue, 'one' in found ? {schemaVersion: 2, gpu: found.one} : {schemaVersion: 2, gpus: found.all})

export const machinesReport = (catalogue: Catalogue, found: Found<System>): MachinesReport =>
  stamped(catalogue, 'one' in found ? {schemaVersion: 2, machine: found.one} : {schemaVersion: 2, machines: found.all})
