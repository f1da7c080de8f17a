import {detectMachine} from '../detect-machine.ts'
import {interconnectOf} from '../interconnect.ts'
import type {DetectedGpu, MachineDocument, MachineProblem} from '../machine-document.ts'
import {parseNvidiaCards} from '../nvidia-mig.ts'
import {parseNvidiaFailure} from '../nvidia-failures.ts'
import {parseNvidiaTable} from '../nvidia-table.ts'
import {parseNvidiaXml} from '../nvidia-xml.ts'
import {plainGpus} from '../plain-gpus.ts'
import type {FindGpu} from '../probe.ts'
import {replayed} from '../recording.ts'
import {readReport} from '../report.ts'
import {pastedEffects} from './effects.ts'
import {type ListedPciCard, parseLspci} from './lspci.ts'
import {type OutputKind, outputsIn, type PastedOutput} from './outputs.ts'
import {pastedLines} from './pasted-lines.ts'

/** What reading needs of the catalogue. */
export interface Knowledge {
  findGpu: FindGpu
  /** The card that a line of `lspci` means, whose memory no driver tells. */
  findOnBus: FindGpu
  /** Memory of a MIG slice by its card and profile. */
  sliceBytes(cardId: string, profile: string): number | undefined
}

/** What came of a pasted text. */
export interface PastedMachine {
  document: MachineDocument
  /** The outputs that were found, each once. */
  kinds: OutputKind[]
  /** What the tool itself said was wrong, where it printed nothing else. */
  failure?: MachineProblem
  /** The text holds the outputs of more than one machine. */
  several?: boolean
}

/** Said of a machine on which tools were run: of a text it says nothing that nobody knows. */
const OF_LIVE_MACHINES = new Set([
  'tool-missing',
  'tool-timeout',
  'unreadable-output',
  'driver-not-loaded',
  'host-memory-unknown',
  'no-devices',
  'container-toolkit-missing',
])

/**
 * The machine that a pasted text tells of: outputs of tools as `OutputKind` lists them, in any number and order, between prompts and
 * other lines, or a report of `doctor`. They are read by what reads them on a machine. Nothing where none is found.
 */
export async function readPastedMachine(text: string, known: Knowledge): Promise<PastedMachine | undefined> {
  const {findGpu, findOnBus} = known
  const recording = readReport(text.replaceAll('\r\n', '\n'))
  if (recording) return {document: await detectMachine(replayed(recording, findGpu)), kinds: []}
  const lines = pastedLines(text)
  const outputs = outputsIn(lines)
  const [failure] = parseNvidiaFailure(lines.join('\n').slice(0, 16 * 1024), {container: false, wsl: false})
  if (outputs.length === 0 && !failure) return undefined
  const found = await detectMachine(pastedEffects(outputs, findGpu))
  const gpus = [...found.gpus.map((gpu) => sizedSlice(gpu, known)), ...listedOnBus(outputs, found.gpus, findOnBus)]
  const {interconnect} = gpus.length > found.gpus.length ? interconnectOf(gpus, found.interconnect.pairs ?? []) : found
  const document: MachineDocument = {...found, gpus, interconnect, problems: found.problems.filter(({code}) => !OF_LIVE_MACHINES.has(code))}
  return {
    document,
    kinds: [...new Set(outputs.map(({kind}) => kind))],
    ...(failure && gpus.length === 0 ? {failure} : {}),
    ...(ofSeveral(outputs) ? {several: true} : {}),
  }
}

/** Cards of which only the bus tells: makers whose own tool said nothing. Of those that the catalogue lacks the first would be a display's. */
function listedOnBus(outputs: readonly PastedOutput[], known: readonly DetectedGpu[], findGpu: FindGpu): DetectedGpu[] {
  const cards = outputs.filter(({kind}) => kind === 'lspci').flatMap(({text}) => parseLspci(text))
  const makers = [...new Set(cards.map(({maker}) => maker))].filter(({vendor}) => !known.some((gpu) => gpu.vendor === vendor))
  const listed = makers.flatMap((maker) => {
    const own = unique(cards.filter((card) => card.maker === maker && !card.passedOn))
    return plainGpus(own, maker, findGpu).value
  })
  const catalogued = listed.filter(({id}) => id !== undefined)
  const from = Math.max(-1, ...known.map(({index}) => index)) + 1
  return (catalogued.length > 0 || known.length > 0 ? catalogued : listed).map((gpu, at) => ({...gpu, index: from + at}))
}

/** A slice of which only the profile is known, as `nvidia-smi -L` prints it, with the memory that slices of this profile have. */
function sizedSlice(gpu: DetectedGpu, {findGpu, sliceBytes}: Knowledge): DetectedGpu {
  if (!gpu.mig?.profile || gpu.memoryBytes !== undefined || gpu.id === undefined) return gpu
  const memoryBytes = sliceBytes(gpu.id, gpu.mig.profile)
  if (memoryBytes === undefined) return gpu
  return {...gpu, memoryBytes, mig: {...gpu.mig, parentMemoryBytes: gpu.mig.parentMemoryBytes ?? findGpu(gpu.id)?.memoryBytes}}
}

/** A bus that was listed twice has each card once; its order is that of the addresses, which drivers follow. */
const unique = (cards: ListedPciCard[]): ListedPciCard[] =>
  [...new Map(cards.map((card) => [card.pciAddress, card])).values()].sort((a, b) => (a.pciAddress ?? '').localeCompare(b.pciAddress ?? ''))

/** The same output twice with other cards: two machines, which cannot be told from one that changed. */
function ofSeveral(outputs: readonly PastedOutput[]): boolean {
  const cardsOf: Partial<Record<OutputKind, (text: string) => string[]>> = {
    'nvidia-smi': (text) => parseNvidiaTable(text).map(({index, name, cutName, memoryBytes}) => `${index} ${name ?? cutName} ${memoryBytes}`),
    'nvidia-smi -q': (text) => parseNvidiaXml(text).map(({index, name, memoryBytes}) => `${index} ${name} ${memoryBytes}`),
    'nvidia-smi -L': (text) => parseNvidiaCards(text).map(({index, name, uuid}) => `${index} ${name} ${uuid}`),
  }
  return Object.entries(cardsOf).some(([kind, read]) => {
    const told = outputs.filter((output) => output.kind === kind).map(({text}) => read(text).join('\n'))
    return new Set(told.filter((cards) => cards !== '')).size > 1
  })
}
