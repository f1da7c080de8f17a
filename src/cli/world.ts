import type {Catalogue} from '../catalogue/catalogue.ts'
import {gpuFinder} from '../catalogue/gpu-finder.ts'
import type {Machine} from '../core/accelerator.ts'
import {BoundedMap} from '../core/bounded-map.ts'
import {InputError} from '../core/input-error.ts'
import type {Examination} from '../detect/doctor.ts'
import type {MachineDocument, MachineProblem} from '../detect/machine-document.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import {type Context, type FoundModelFile, type FoundRepository, type LocalCalibration, measuredCalibration} from '../planner/world/index.ts'
import {measuredForAnswers} from './measured-file.ts'
import type {Hub} from '../import/hub/open-hub.ts'

/** Largest file of a user's that is read whole. */
const MAX_FILE_BYTES = 32 * 2 ** 20
/** Models and machines from files, and answers about repositories, that are kept: `batch` meets more names than memory holds. */
const MOST_MODELS = 64
/** Machines of the catalogue, and lists of its cards, that are kept with what they stand for. */
const MOST_LISTED = 500
const MOST_REPOSITORIES = 500

/** The planner's context with the real world behind it. */
export function realContext(catalogue: Catalogue, sources: ModelSources = {}): Context {
  const models = new BoundedMap<string, Promise<FoundModelFile>>(MOST_MODELS)
  const repositories = new BoundedMap<string, Promise<FoundRepository>>(MOST_REPOSITORIES)
  const findRepository = repositoryFinder(sources)
  const machines = new BoundedMap<string, Promise<Machine>>(MOST_MODELS)
  let here: Promise<Machine> | undefined
  const measured = sources.corrections === false ? undefined : measuredForAnswers(process.env)
  return {
    catalogue: measured && measured.calibrations.length > 0 ? withLocalSpeed(catalogue, measured.calibrations) : catalogue,
    corrections: measured?.corrections,
    engines: new Map(),
    listed: new BoundedMap(MOST_LISTED),
    named: new BoundedMap(MOST_MODELS),
    detect: () => (here ??= detectHere(catalogue)),
    readMachine: (path) =>
      machines.once(path, async () => {
        const {readMachineFile} = await import('./machine-file.ts')
        return readMachineFile(catalogue, path, gpuFinder(catalogue))
      }),
    readModel: (path) => models.once(path, () => readModel(path)),
    repository: (name) => repositories.once(name, () => findRepository(name)),
    refresh: sources.refresh ?? false,
  }
}

/** The catalogue whose speed calibration knows the user's own. */
function withLocalSpeed(catalogue: Catalogue, local: readonly LocalCalibration[]): Catalogue {
  let calibration: Calibration | undefined
  return Object.create(catalogue, {speedCalibration: {get: () => (calibration ??= measuredCalibration(catalogue.speedCalibration, local))}}) as Catalogue
}

/** What `detect` prints of this machine, or of the one whose recorded outputs stand at `replay`. */
export async function detectDocument(catalogue: Catalogue, {replay}: {replay?: string} = {}): Promise<MachineDocument> {
  const {detectMachine} = await import('../detect/detect-machine.ts')
  if (replay !== undefined) {
    const [{readReplay}, {replayed}] = await Promise.all([import('../detect/replay-source.ts'), import('../detect/recording.ts')])
    return detectMachine(replayed(await readReplay(replay), gpuFinder(catalogue)))
  }
  const {realEffects} = await import('../detect/effects.ts')
  return detectMachine(realEffects(gpuFinder(catalogue)))
}

/** What `doctor` has to tell of this machine. */
export async function examine(catalogue: Catalogue): Promise<Examination> {
  const [{examineMachine}, {realEffects, knownNames}] = await Promise.all([import('../detect/doctor.ts'), import('../detect/effects.ts')])
  return examineMachine(realEffects(gpuFinder(catalogue)), knownNames())
}

/** The machine of a document as the arithmetic takes it; without any usable GPU it has none. */
export async function machineFromDocument(catalogue: Catalogue, document: MachineDocument): Promise<Machine> {
  const {toMachine} = await import('../detect/to-machine.ts')
  return toMachine(document, gpuFinder(catalogue))
}

async function detectHere(catalogue: Catalogue): Promise<Machine> {
  const [{detectWithIdentities}, {realEffects}, {toMachine}] = await Promise.all([
    import('../detect/detect-machine.ts'),
    import('../detect/effects.ts'),
    import('../detect/to-machine.ts'),
  ])
  const {document, identities} = await detectWithIdentities(realEffects(gpuFinder(catalogue)))
  const machine = toMachine(document, gpuFinder(catalogue), identities)
  if (machine.gpus.length > 0) return machine
  const problem = document.problems[0]
  throw new InputError('NO_GPU', noGpuWords(problem))
}

/** Why no GPU was found, once, and how to ask about one. */
function noGpuWords(problem: MachineProblem | undefined): string {
  // A machine without a card is no news beyond that; a driver that is broken is.
  const found = problem === undefined || problem.code === 'no-devices' ? 'This machine has no GPU that can be used' : `${problem.message}: ${problem.remedy}`
  return `${found}. Name another machine with --gpu 1xrtx-4090 or --machine dgx-h200, or its processors with --gpu 2xcpu:memory=512GiB,bandwidth=400GB/s,vendor=cpu, one for each socket (most people run llama.cpp or Ollama there, which servefit does not model)`
}

/** A text file of a user's, or standard input for `-`, whole. @throws InputError FILE_UNREADABLE, FILE_TOO_LARGE, FILE_BINARY, INPUT_MISSING, INPUT_TWICE. */
export async function readText(path: string, what: string): Promise<string> {
  const {isStandardInput, textOfFile} = await import('../import/text-file.ts')
  const limits = {what, bytes: MAX_FILE_BYTES}
  if (!isStandardInput(path)) return textOfFile(path, limits)
  const {standardInputText} = await import('./standard-input.ts')
  return standardInputText(limits, 'a command that prints it in front of | servefit ...')
}

/** Where models that are not in the catalogue may come from. */
export interface ModelSources {
  /** The hub is not asked, whatever the name. */
  offline?: boolean
  /** Repositories come from the hub even where the catalogue or the local cache has them. */
  refresh?: boolean
  /** false: what verify and calibrate saved is left out. */
  corrections?: boolean
}

async function readModel(path: string): Promise<FoundModelFile> {
  const {importPath} = await import('../import/import-model.ts')
  return importPath(path)
}

/** Looks for a repository in the working directory, in Hugging Face's local cache, and on the hub where that is allowed. */
function repositoryFinder({offline = false, refresh = false}: ModelSources): (name: string) => Promise<FoundRepository> {
  let hub: Promise<Hub> | undefined
  return async (name) => {
    const {importPath, importRepository, isModelDirectory, repositoryName} = await import('../import/import-model.ts')
    const repository = repositoryName(name)
    if (!repository) return {}
    if (!refresh && (await isModelDirectory(name))) return {found: await importPath(`./${name}`)}
    const {isOffline, openHub} = await import('../import/hub/open-hub.ts')
    const forbidden = offline || isOffline(process.env)
    if (!forbidden) hub ??= Promise.resolve(openHub(process.env))
    try {
      const found = await importRepository(repository, {env: process.env, hub: forbidden ? undefined : await hub, refresh})
      return found ? {found} : {because: `the hub was not asked (${offline ? '--offline' : 'HF_HUB_OFFLINE'})`}
    } catch (error) {
      if (error instanceof InputError && (error.code === 'HUB_UNREACHABLE' || error.code === 'HUB_NOT_FOUND' || error.code === 'HUB_TIMEOUT'))
        return {because: error.message, ...(error.code === 'HUB_NOT_FOUND' && {absent: true})}
      throw error
    }
  }
}
