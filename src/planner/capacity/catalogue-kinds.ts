import type {System} from '../../catalogue/system.ts'
import type {Accelerator} from '../../core/accelerator.ts'
import {diskBytes, distinctCheckpoints} from '../answer/index.ts'
import {type Context, machineFromName, machineFromSpec, modelOf} from '../world/index.ts'
import type {MachineKind} from './capacity.ts'
import type {DemandAsked} from './demand.ts'
import {machineMemoryBytes} from './fleet.ts'

/** Cards that came out at most so many years before the newest of the catalogue count as sold or rented out. */
const YEARS_SOLD = 6
/** Cards of this form go into a machine one by one: fewer of them than a catalogued machine has make a machine too. */
const SINGLY = 'PCIe'
const FEWER = [1, 2, 4]
/** Vendors whose cards all three engines are built for, and forms that data centres and workstations take. */
const VENDORS = new Set(['nvidia', 'amd'])
const FORMS = new Set(['SXM', 'OAM', 'PCIe', 'APU', 'superchip'])

/**
 * The machines that one would look at for these models today: single nodes of the catalogue with data-centre and workstation cards that are sold or
 * rented out, and smaller ones of the same PCIe cards, that hold the smallest checkpoint of each of the models, one for each card and number of
 * cards. Fewest cards first, of as many cards least memory first.
 */
export async function candidateKinds(context: Context, demands: readonly DemandAsked[], nodes?: number): Promise<MachineKind[]> {
  const {catalogue} = context
  const needed: number[] = []
  for (const {model: name, request} of demands) {
    const {model, checkpoint} = await modelOf(context, name)
    const sizes = (checkpoint ? [checkpoint] : distinctCheckpoints(model, request.weights)).map((known) => diskBytes(model, known))
    // A format that nobody published is told so where it is judged.
    needed.push(sizes.length > 0 ? Math.min(...sizes) : 0)
  }
  const newest = Math.max(...catalogue.gpus.filter(isCandidate).map(({releaseYear}) => releaseYear!))
  const seen = new Map<string, System>()
  for (const system of catalogue.systems) {
    const [gpu, ...others] = system.gpus
    if (!gpu || others.length > 0 || system.nodeCount > 1) continue
    const card = catalogue.gpu(gpu.id)
    if (!card || !isCandidate(card) || card.releaseYear! < newest - YEARS_SOLD) continue
    const memoryBytes = gpu.count * (gpu.memoryBytes ?? card.memoryBytes) * (nodes ?? 1)
    // Fewer of its cards hold no more.
    if (needed.some((bytes) => bytes > memoryBytes)) continue
    const key = `${gpu.id} ${gpu.count}`
    const known = seen.get(key)
    if (!known || standing(system) > standing(known)) seen.set(key, system)
  }
  const systems = [...seen.values()].map(({id, maxPowerWatts}) => ({
    name: id,
    machine: machineFromName(catalogue, id, nodes),
    ...(maxPowerWatts !== undefined && {maxPowerWatts: maxPowerWatts * (nodes ?? 1)}),
  }))
  const smaller = new Map<string, MachineKind>()
  for (const {gpus} of seen.values()) {
    const {id, count} = gpus[0]!
    const card = catalogue.gpu(id)!
    if (card.form !== SINGLY) continue
    for (const fewer of FEWER.filter((number) => number < count && !seen.has(`${id} ${number}`))) {
      const name = `${fewer}x${id}`
      if (needed.every((bytes) => bytes <= fewer * card.memoryBytes * (nodes ?? 1))) smaller.set(name, {name, machine: machineFromSpec(catalogue, name, nodes)})
    }
  }
  return [...systems, ...smaller.values()].sort(
    (a, b) => a.machine.gpus.length - b.machine.gpus.length || machineMemoryBytes(a.machine) - machineMemoryBytes(b.machine),
  )
}

const isCandidate = ({vendor, form, unifiedMemory, releaseYear, memoryBandwidthBytesPerSecond}: Accelerator): boolean =>
  VENDORS.has(vendor) && FORMS.has(form ?? '') && unifiedMemory !== true && releaseYear !== undefined && memoryBandwidthBytesPerSecond !== undefined

/** Of machines with the same cards: one that can be bought, and whose power is known. */
const standing = ({localDeployment, maxPowerWatts}: System): number => (localDeployment ? 2 : 0) + (maxPowerWatts === undefined ? 0 : 1)
