import {readFile, stat} from 'node:fs/promises'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {matchDriverReport} from '../catalogue/find-gpu.ts'
import type {Accelerator, Machine} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import type {Examination} from '../detect/doctor.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import {type Context, type FoundModelFile, type FoundRepository, type LocalCalibration, measuredCalibration} from '../planner/world/index.ts'
import {measuredForAnswers} from './measured-file.ts'
import type {Hub} from '../import/hub/open-hub.ts'

/** Largest file of a user's that is read whole. */
const MAX_FILE_BYTES = 32 * 2 ** 20

/** The planner's context with the real world behind it. */
export function realContext(catalogue: Catalogue, sources: ModelSources = {}): Context {
  const models = new Map<string, Promise<FoundModelFile>>()
  const repositories = new Map<string, Promise<FoundRepository>>()
  const findRepository = repositoryFinder(sources)
  const machines = new Map<string, Promise<Machine>>()
  let here: Promise<Machine> | undefined
  const measured = sources.corrections === false ? undefined : measuredForAnswers(process.env)
  const once = <T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const known = map.get(key) ?? make()
    map.set(key, known)
    return known
  }
  return {
    catalogue: measured && measured.calibrations.length > 0 ? withLocalSpeed(catalogue, measured.calibrations) : catalogue,
    corrections: measured?.corrections,
    engines: new Map(),
    detect: () => (here ??= detectHere(catalogue)),
    readMachine: (path) => once(machines, path, () => readMachine(catalogue, path)),
    readModel: (path) => once(models, path, () => readModel(path)),
    repository: (name) => once(repositories, name, () => findRepository(name)),
    refresh: sources.refresh ?? false,
  }
}

/** The catalogue whose speed calibration knows the user's own. */
function withLocalSpeed(catalogue: Catalogue, local: readonly LocalCalibration[]): Catalogue {
  let calibration: Calibration | undefined
  return Object.create(catalogue, {speedCalibration: {get: () => (calibration ??= measuredCalibration(catalogue.speedCalibration, local))}}) as Catalogue
}

/** The catalogued card behind an id or what a driver prints. */
export const gpuFinder =
  (catalogue: Catalogue) =>
  (name: string, memoryBytes?: number, pciDeviceId?: string, gpuCoreCount?: number): Accelerator | undefined => {
    const own = catalogue.gpus.find(({id}) => id === name)
    if (own) return own
    const match = matchDriverReport(catalogue.gpus, {name, memoryBytes, pciDeviceId, gpuCoreCount})
    return match.kind === 'found' ? match.gpu : undefined
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

async function detectHere(catalogue: Catalogue): Promise<Machine> {
  const document = await detectDocument(catalogue)
  const {toMachine} = await import('../detect/to-machine.ts')
  const machine = toMachine(document, gpuFinder(catalogue))
  if (machine.gpus.length > 0) return machine
  const problem = document.problems[0]
  throw new InputError(
    'NO_GPU',
    `No usable GPU in this machine${problem ? `: ${problem.message} (${problem.remedy})` : ''}. Ask about another with --gpu 1xrtx-4090 or --machine dgx-h200`,
  )
}

export async function readText(path: string, what: string): Promise<string> {
  let size: number
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new InputError('FILE_UNREADABLE', `${path} is a directory: expected ${what}`)
    size = found.size
    if (size > MAX_FILE_BYTES)
      throw new InputError('FILE_TOO_LARGE', `${path} has ${Math.round(size / 2 ** 20)} MiB: expected ${what} of at most ${MAX_FILE_BYTES / 2 ** 20} MiB`)
    const bytes = await readFile(path)
    if (bytes.subarray(0, 4096).includes(0)) throw new InputError('FILE_BINARY', `${path} is a binary file: expected ${what}`)
    return bytes.toString('utf8')
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${what}`)
  }
}

/** A machine written by hand may leave out what a plan can do without. */
const UNSTATED = {interconnect: {kind: 'unknown'}, cpu: {}, disk: [], problems: []}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

async function readMachine(catalogue: Catalogue, path: string): Promise<Machine> {
  const text = await readText(path, 'a machine as detect --json prints it')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new InputError('MACHINE_INVALID', `${path} is not JSON (${(error as Error).message}): expected a machine as detect --json prints it`)
  }
  const [{MachineDocumentSchema}, {problemsOf}, {toMachine}] = await Promise.all([
    import('../detect/machine-schema.ts'),
    import('../catalogue/zod-problems.ts'),
    import('../detect/to-machine.ts'),
  ])
  const parsed = MachineDocumentSchema.safeParse(isObject(value) ? {...UNSTATED, ...value} : value)
  if (!parsed.success)
    throw new InputError('MACHINE_INVALID', `${problemsOf(path, parsed.error).slice(0, 3).join('; ')}: expected a machine as detect --json prints it`)
  const machine = toMachine(parsed.data as MachineDocument, gpuFinder(catalogue))
  if (machine.gpus.length === 0) throw new InputError('NO_GPU', `${path} holds no GPU whose memory is known`)
  return machine
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
