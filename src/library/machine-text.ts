import type {Catalogue} from '../catalogue/catalogue.ts'
import {cardsOnBus} from '../catalogue/bus-names.ts'
import {cardsBehindCutName} from '../catalogue/cut-names.ts'
import {type MigTable, namesSlice, sliceOf} from '../catalogue/mig.ts'
import type {Machine} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {FindGpu} from '../detect/probe.ts'
import {usualLink} from '../planner/world/index.ts'

const TAKEN =
  'expected what detect --json prints, or the output of nvidia-smi, nvidia-smi -q (-x), nvidia-smi -L, nvidia-smi --query-gpu=..., amd-smi static, amd-smi, rocm-smi, rocminfo, xpu-smi discovery, npu-smi info, hl-smi, lspci -nn or system_profiler SPDisplaysDataType SPHardwareDataType, several after one another if you like'
const COMMANDS =
  'Run there: (nvidia-smi; nvidia-smi -L; nvidia-smi topo -m) > box.txt, or for AMD (amd-smi static; amd-smi metric --mem-usage; amd-smi topology) > box.txt, and give --machine ./box.txt; or ssh HOST nvidia-smi | servefit check MODEL --machine -'

/**
 * The machine of a text: a document of `detect --json`, or pasted outputs of tools. `place` is where it came from, for messages; `howTo` says how to
 * get a text that tells more.
 *
 * @throws InputError MACHINE_INVALID, MACHINE_UNREADABLE, MACHINE_SEVERAL, NO_GPU.
 */
export async function machineOfText(catalogue: Catalogue, text: string, place: string, findGpu: FindGpu, howTo = COMMANDS): Promise<Machine> {
  if (text.trim() === '') throw new InputError('MACHINE_UNREADABLE', `${place} is empty: ${TAKEN}. ${howTo}`)
  const document = documentOf(text, place)
  return document === undefined ? pastedMachine(catalogue, text, place, findGpu, howTo) : documentMachine(document, place, findGpu)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of a machine document; nothing where the text is of another kind. */
function documentOf(text: string, place: string): Record<string, unknown> | undefined {
  if (!/^\s*\{/.test(text)) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // Tools print JSON among other lines; this begins as a document and is broken.
    if (/^\s*\{\s*"(?:schemaVersion|hostname|gpus|interconnect)"/.test(text))
      throw new InputError('MACHINE_INVALID', `${place} is not JSON (${(error as Error).message}): expected a machine as detect --json prints it`)
    return undefined
  }
  return isObject(value) && ('gpus' in value || 'interconnect' in value || Object.keys(value).length === 0) ? value : undefined
}

/** A machine written by hand may leave out what a plan can do without. */
const UNSTATED = {schemaVersion: 1, interconnect: {kind: 'unknown'}, cpu: {}, disk: [], problems: []}

async function documentMachine(value: Record<string, unknown>, place: string, findGpu: FindGpu): Promise<Machine> {
  const [{MachineDocumentSchema}, {unknownKeys}, {problemsOf}, {toMachine}] = await Promise.all([
    import('../detect/machine-schema.ts'),
    import('../detect/machine-keys.ts'),
    import('../catalogue/zod-problems.ts'),
    import('../detect/to-machine.ts'),
  ])
  const numbered = Array.isArray(value.gpus) ? value.gpus.map((gpu, index) => (isObject(gpu) ? {index, ...gpu} : gpu)) : value.gpus
  const parsed = MachineDocumentSchema.safeParse({...UNSTATED, ...value, ...(numbered !== undefined && {gpus: numbered})})
  if (!parsed.success) {
    const [unknown] = unknownKeys(MachineDocumentSchema, parsed.error)
    if (unknown)
      throw new InputError(
        'MACHINE_INVALID',
        `${place}: ${unknown.path === '' ? '' : `${unknown.path}: `}unknown key "${unknown.key.slice(0, 80)}": servefit schema machine lists the known ones`,
        {suggestions: unknown.near},
      )
    throw new InputError('MACHINE_INVALID', `${problemsOf(place, parsed.error).slice(0, 3).join('; ')}: expected a machine as detect --json prints it`)
  }
  const machine = toMachine(parsed.data as MachineDocument, findGpu)
  if (machine.gpus.length === 0) throw new InputError('NO_GPU', `${place} holds no GPU whose memory is known`)
  // Where the document leaves the memory out, it is the catalogue's.
  const impossible = machine.gpus.find(({memoryBytes, freeBytes}) => freeBytes !== undefined && freeBytes > memoryBytes)
  if (impossible)
    throw new InputError(
      'MACHINE_INVALID',
      `${place}: GPU ${impossible.index} has ${impossible.freeBytes} bytes free of ${impossible.memoryBytes}: expected a machine as detect --json prints it`,
    )
  return machine
}

async function pastedMachine(catalogue: Catalogue, text: string, place: string, findGpu: FindGpu, howTo: string): Promise<Machine> {
  const [{readPastedMachine}, {toMachine}] = await Promise.all([import('../detect/pasted/pasted-machine.ts'), import('../detect/to-machine.ts')])
  const guesses: string[] = []
  const found = await readPastedMachine(text, {
    findGpu,
    findOnBus: (name, _memory, pciId) => {
      const [taken, ...others] = cardsOnBus(catalogue, name, pciId)
      if (taken && others.length > 0) guesses.push(`${[taken, ...others].map(({id}) => id).join(', ')} look the same on the bus: ${taken.id} is assumed`)
      return taken
    },
    sliceBytes: (cardId, profile) => sliceBytes(catalogue, cardId, profile),
  })
  if (!found) throw new InputError('MACHINE_UNREADABLE', `${place} has no output about GPUs: ${TAKEN}. ${howTo}`)
  const {document, kinds, failure, several} = found
  const told = kinds.length > 0 ? ` (it has ${kinds.join(', ')})` : ''
  if (several)
    throw new InputError('MACHINE_SEVERAL', `${place} holds the same output of different machines: give those of one, and --nodes N where N are alike`)
  if (failure) throw new InputError('NO_GPU', `${place}: ${failure.message}; ${failure.remedy}`)
  const named = {...document, gpus: document.gpus.filter((gpu) => !isNameless(gpu))}
  const machine = toMachine(named, findGpu)
  if (machine.gpus.length === 0) throw new InputError('NO_GPU', withoutUsableGpu(document, place, told, howTo))
  const {gpus} = machine
  const notes = [...new Set(guesses), ...notesOn(catalogue, document, machine)]
  const joined = document.interconnect.kind === 'unknown' && gpus.length > 1
  return {...machine, ...(joined && {link: usualLink(gpus[0]!.accelerator, gpus.length)}), ...(notes.length > 0 && {notes})}
}

/** Memory of a slice as the catalogue has it; nothing where the card has no such profile. */
function sliceBytes(catalogue: Catalogue, cardId: string, profile: string): number | undefined {
  const card = catalogue.gpu(cardId)
  if (!card || !namesSlice(profile)) return undefined
  try {
    return sliceOf(card, profile, catalogue.file<MigTable>('mig')).memoryBytes
  } catch (error) {
    if (error instanceof InputError) return undefined
    throw error
  }
}

/** A card of which neither the tool nor the catalogue knows what it is: memory alone could be anything's. */
const isNameless = ({id, name}: MachineDocument['gpus'][number]): boolean => id === undefined && /^(?:NVIDIA|AMD|Intel) GPU\b/.test(name)

/** Why none of the GPUs that a text names can be planned for, and what would tell more. */
function withoutUsableGpu({gpus, problems}: MachineDocument, place: string, told: string, howTo: string): string {
  const mig = problems.find(({code}) => code === 'mig-without-slices')
  if (gpus.length === 0 && mig) return `${place}: a card is in MIG mode and the text does not list its slices${told}: add what nvidia-smi -L prints`
  if (gpus.length === 0) return `${place} names no GPU${told}. ${howTo}`
  if (gpus.every(isNameless)) return `${place} does not say which GPUs these are (${gpus.length} x ${gpus[0]!.name})${told}. ${howTo}`
  const names = [...new Set(gpus.map(({name}) => name))].slice(0, 3).join(', ')
  return `${place} does not say how much memory its GPUs have (${names}), nor does the catalogue${told}. ${howTo}. A card by its figures: --gpu 2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6`
}

/** All cards of a text by name, as `--gpu` takes them; nothing where one is not in the catalogue. */
function mixOf({gpus}: MachineDocument): string | undefined {
  const counts = new Map<string, number>()
  for (const {id} of gpus) {
    if (id === undefined) return undefined
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return [...counts].map(([id, number]) => `${number}x${id}`).join(',')
}

/** What the text leaves open and was assumed. */
function notesOn(catalogue: Catalogue, document: MachineDocument, {gpus}: Machine): string[] {
  const notes: string[] = []
  const shown = document.gpus.filter(({index}) => gpus.some((gpu) => gpu.index === index))
  const unknown = shown.find(({id}) => id === undefined)
  if (unknown)
    notes.push(
      `${unknown.name} is not in the catalogue: its memory is taken from the text, and its speed is not known (--gpu 1xcard:memory=...,bandwidth=... gives its figures)`,
    )
  const [first] = gpus
  for (const {name, memoryBytes} of new Map(shown.map((gpu) => [gpu.name, gpu])).values()) {
    const [taken, ...others] = cardsBehindCutName(catalogue.gpus, name, memoryBytes)
    if (taken && others.length > 0)
      notes.push(
        `"${name}" is cut: ${taken.id} is assumed, the slowest of those it may be (${others.map(({id}) => id).join(', ')}); nvidia-smi -L prints the whole name`,
      )
  }
  if (first && shown.some(({memoryBytes}) => memoryBytes === undefined))
    notes.push(
      `the text does not say how much memory there is: the ${Math.round(first.memoryBytes / 2 ** 30)} GiB of the catalogue is assumed${first.accelerator.unifiedMemory ? `, the most that is sold (${first.accelerator.vendor === 'apple' ? 'sysctl hw.memsize' : 'cat /proc/meminfo'} tells)` : ''}`,
    )
  if (shown.some(({mig}) => mig) && document.gpus.some(({mig, processesBytes, freeBytes}) => mig && processesBytes === undefined && freeBytes === undefined))
    notes.push('the memory of a slice is derived from its profile; nvidia-smi -q reports it, and how much is free')
  if (shown.some(({freeBytes}) => freeBytes === undefined)) notes.push('the text does not say how much is in use: all memory is counted as free')
  if (document.interconnect.kind === 'unknown' && gpus.length > 1)
    notes.push(
      `the text does not say how the GPUs are connected: what is usual for ${first?.accelerator.name} is assumed (nvidia-smi topo -m or amd-smi topology reports it)`,
    )
  const left = shown.some(({mig}) => mig) ? 0 : document.gpus.length - gpus.length
  if (left > 0) {
    const mix = mixOf(document)
    notes.push(
      `${left} more ${left === 1 ? 'GPU of another kind is' : 'GPUs of other kinds are'} in the text and left out: ${mix === undefined ? '--gpu can name a mix' : `--gpu ${mix} asks about all`}`,
    )
  }
  return notes
}
