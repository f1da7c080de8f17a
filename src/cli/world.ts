import {readFile, stat} from 'node:fs/promises'
import {basename, dirname, join} from 'node:path'
import type {Catalogue} from '../catalogue/catalogue.ts'
import {matchDriverReport} from '../catalogue/find-gpu.ts'
import type {Accelerator, Machine} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import type {Context} from '../planner/context.ts'
import type {FoundModelFile} from '../planner/models.ts'

/** Largest file of a user's that is read whole. */
const MAX_FILE_BYTES = 32 * 2 ** 20

/** The planner's context with the real world behind it. */
export function realContext(catalogue: Catalogue): Context {
  const models = new Map<string, Promise<FoundModelFile>>()
  const machines = new Map<string, Promise<Machine>>()
  let here: Promise<Machine> | undefined
  const once = <T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
    const known = map.get(key) ?? make()
    map.set(key, known)
    return known
  }
  return {
    catalogue,
    engines: new Map(),
    detect: () => (here ??= detectHere(catalogue)),
    readMachine: (path) => once(machines, path, () => readMachine(catalogue, path)),
    readModel: (path) => once(models, path, () => readModel(path)),
  }
}

/** The catalogued card behind an id or what a driver prints. */
export const gpuFinder = (catalogue: Catalogue) => (name: string, memoryBytes?: number, pciDeviceId?: string): Accelerator | undefined => {
  const own = catalogue.gpus.find(({id}) => id === name)
  if (own) return own
  const match = matchDriverReport(catalogue.gpus, {name, memoryBytes, pciDeviceId})
  return match.kind === 'found' ? match.gpu : undefined
}

/** What `detect` prints of this machine. */
export async function detectDocument(catalogue: Catalogue): Promise<MachineDocument> {
  const [{detectMachine}, {realEffects}] = await Promise.all([import('../detect/detect-machine.ts'), import('../detect/effects.ts')])
  return detectMachine(realEffects(gpuFinder(catalogue)))
}

async function detectHere(catalogue: Catalogue): Promise<Machine> {
  const document = await detectDocument(catalogue)
  const {toMachine} = await import('../detect/to-machine.ts')
  const machine = toMachine(document, gpuFinder(catalogue))
  if (machine.gpus.length > 0) return machine
  const problem = document.problems[0]
  throw new InputError('NO_GPU', `No usable GPU in this machine${problem ? `: ${problem.message} (${problem.remedy})` : ''}. Ask about another with --gpu 1xrtx-4090 or --machine dgx-h200`)
}

async function readText(path: string, what: string): Promise<string> {
  let size: number
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new InputError('FILE_UNREADABLE', `${path} is a directory: expected ${what}`)
    size = found.size
    if (size > MAX_FILE_BYTES) throw new InputError('FILE_TOO_LARGE', `${path} has ${Math.round(size / 2 ** 20)} MiB: expected ${what} of at most ${MAX_FILE_BYTES / 2 ** 20} MiB`)
    const bytes = await readFile(path)
    if (bytes.subarray(0, 4096).includes(0)) throw new InputError('FILE_BINARY', `${path} is a binary file: expected ${what}`)
    return bytes.toString('utf8')
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'}): expected ${what}`)
  }
}

async function readMachine(catalogue: Catalogue, path: string): Promise<Machine> {
  const text = await readText(path, 'a machine as detect --json prints it')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new InputError('MACHINE_INVALID', `${path} is not JSON (${(error as Error).message}): expected a machine as detect --json prints it`)
  }
  const [{MachineDocumentSchema}, {problemsOf}, {toMachine}] = await Promise.all([import('../detect/machine-schema.ts'), import('../catalogue/zod-problems.ts'), import('../detect/to-machine.ts')])
  const parsed = MachineDocumentSchema.safeParse(value)
  if (!parsed.success) throw new InputError('MACHINE_INVALID', `${problemsOf(path, parsed.error).slice(0, 3).join('; ')}: expected a machine as detect --json prints it`)
  const machine = toMachine(parsed.data as MachineDocument, gpuFinder(catalogue))
  if (machine.gpus.length === 0) throw new InputError('NO_GPU', `${path} holds no GPU whose memory is known`)
  return machine
}

/** Files beside a config.json that say more about the weights. */
async function optionalJson(path: string): Promise<unknown> {
  const {parseTolerantJson} = await import('../catalogue/import/tolerant-json.ts')
  try {
    return parseTolerantJson(await readText(path, 'JSON'), basename(path))
  } catch (error) {
    if (error instanceof InputError && error.code === 'FILE_UNREADABLE') return undefined
    throw error
  }
}

async function readModel(path: string): Promise<FoundModelFile> {
  if (/\.gguf$/i.test(path)) throw new InputError('GGUF_UNREAD', `${path}: reading a GGUF header is not built yet; give the model's name with --weights q4_k_m`)
  const isDirectory = await stat(path).then((found) => found.isDirectory(), () => false)
  const file = isDirectory ? join(path, 'config.json') : path
  const text = await readText(file, "a model's config.json")
  const [{parseTolerantJson}, {importConfig}] = await Promise.all([import('../catalogue/import/tolerant-json.ts'), import('../catalogue/import/import-config.ts')])
  const folder = dirname(file)
  const besides = basename(file) === 'config.json'
  const [quantConfig, index] = besides ? await Promise.all([optionalJson(join(folder, 'hf_quant_config.json')), optionalJson(join(folder, 'model.safetensors.index.json'))]) : []
  try {
    const {model, warnings} = importConfig({config: parseTolerantJson(text, file), quantConfig, index})
    return {model: model.hfId === '' ? {...model, name: model.name === 'model' ? basename(isDirectory ? path : folder) : model.name} : model, warnings}
  } catch (error) {
    if (error instanceof InputError) throw new InputError(error.code, error.message.includes(file) ? error.message : `${file}: ${error.message}`, {suggestions: error.suggestions})
    throw error
  }
}

