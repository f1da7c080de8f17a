import {createHash} from 'node:crypto'
import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {dirname, join, relative, sep} from 'node:path'
import type {CompletionWords} from '../completion/names.ts'
import {ENGINES} from '../engines/registry.ts'
import {FORMATS} from '../render/launch/formats.ts'
import {parse} from 'yaml'
import * as z from 'zod'
import type {ClosedModel, KnownModel, ModelEntry} from '../catalogue/catalogue.ts'
import {checkAcceptanceFile, checkDraftFile, checkMethodsFile, type DraftEntry} from '../engines/draft-schema.ts'
import {checkGpuFile} from '../catalogue/gpu-schema.ts'
import {checkMachineFile} from '../catalogue/machine-schema.ts'
import {checkMigFile} from '../catalogue/mig-schema.ts'
import {entryOf} from '../catalogue/model-entry.ts'
import {checkModelFile} from '../catalogue/model-schema.ts'
import {compileLogLines, compileReleaseDays} from './log-lines.ts'
import type {System} from '../catalogue/system.ts'
import {problemsOf} from '../catalogue/zod-problems.ts'
import type {Accelerator} from '../core/accelerator.ts'
import type {Checkpoint, Model} from '../core/model.ts'
import type {Calibration} from '../core/throughput/calibration.ts'
import type {EngineData} from '../engines/engine.ts'
import {checkEngineFile, type EngineFile} from '../engines/engine-schema.ts'
import type {FlagTable} from '../engines/flags.ts'
import type {NeedsTable} from '../engines/launch/needs-table.ts'
import type {LoraTable} from '../engines/lora-table.ts'
import type {MemoryCalibration} from '../engines/overheads.ts'
import type {PlatformsFile} from '../engines/platforms-schema.ts'
import type {SpeculationTable} from '../engines/speculation/table.ts'
import type {SupportTable} from '../engines/support-formats.ts'
import {platformClasses, platformImages, platformsFor} from './compile-platforms.ts'
import {compileQuality} from './quality/compile-quality.ts'

interface Source {
  /** Path from the repository's root, with forward slashes: data/gpus/nvidia/rtx-4090.yaml. */
  path: string
  value: unknown
}

/** Everything under data/, checked, or every problem of every file. */
export interface Compiled {
  files: Map<string, unknown>
  problems: string[]
}

function yamlFiles(root: string, folder: string, problems: string[]): Source[] {
  const base = join(root, 'data', folder)
  if (!existsSync(base)) return []
  const sources: Source[] = []
  for (const name of readdirSync(base, {recursive: true, encoding: 'utf8'}).sort()) {
    if (!name.endsWith('.yaml')) continue
    const path = relative(root, join(base, name)).split(sep).join('/')
    try {
      sources.push({path, value: parse(readFileSync(join(base, name), 'utf8'), {maxAliasCount: 0})})
    } catch (error) {
      problems.push(`${path}: not YAML: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return sources
}

function jsonFile<T>(root: string, path: string): T {
  return JSON.parse(readFileSync(join(root, 'data', path), 'utf8')) as T
}

/** Everything under data/drafts: drafts by target, the methods, and the accepted lengths that were published. */
function compileDrafts(root: string, problems: string[]): {drafts: DraftEntry[]; speculation: SpeculationTable} {
  const drafts: DraftEntry[] = []
  const speculation: SpeculationTable = {methods: {}, acceptance: []}
  for (const {path, value} of yamlFiles(root, 'drafts', problems)) {
    if (path.endsWith('/methods.yaml')) {
      const {methods, problems: found} = checkMethodsFile(path, value)
      problems.push(...found)
      speculation.methods = methods
    } else if (path.endsWith('/acceptance.yaml')) {
      const {rows, problems: found} = checkAcceptanceFile(path, value)
      problems.push(...found)
      speculation.acceptance = rows
    } else {
      const {entries, problems: found} = checkDraftFile(path, value)
      problems.push(...found)
      drafts.push(...entries)
    }
  }
  return {drafts, speculation}
}

/** Names in data/drafts that mean nothing: methods that the table lacks, models that the catalogue lacks, a draft named twice for a model. */
function unknownDraftNames(drafts: readonly DraftEntry[], {methods, acceptance}: SpeculationTable, entries: readonly ModelEntry[]): string[] {
  const models = new Set(entries.map(({id}) => id))
  const seen = new Set<string>()
  const problems: string[] = []
  for (const {target, draft} of drafts) {
    if (!models.has(target)) problems.push(`data/drafts: ${draft.hfId}: no model "${target}" in data/models`)
    if (!Object.hasOwn(methods, draft.method)) problems.push(`data/drafts: ${draft.hfId}: no method "${draft.method}" in data/drafts/methods.yaml`)
    const key = `${target} ${draft.hfId.toLowerCase()}`
    if (seen.has(key)) problems.push(`data/drafts: ${draft.hfId} stands twice for ${target}`)
    seen.add(key)
  }
  for (const {method, model} of acceptance) {
    if (!Object.hasOwn(methods, method)) problems.push(`data/drafts/acceptance.yaml: no method "${method}" in data/drafts/methods.yaml`)
    if (model !== undefined && !models.has(model)) problems.push(`data/drafts/acceptance.yaml: no model "${model}" in data/models`)
  }
  return problems
}

function compileModels(root: string, problems: string[], files: Map<string, unknown>, drafts: readonly DraftEntry[]): void {
  const entries: ModelEntry[] = []
  const publishers = knownPublishers(root, problems)
  const paths = new Map<string, string>()
  const models: Model[] = []
  for (const {path, value} of yamlFiles(root, 'models', problems)) {
    const {model, problems: found} = checkModelFile(path, value)
    problems.push(...found)
    if (!model) continue
    if (model.checkpoints.some((checkpoint) => checkpoint.path !== undefined)) problems.push(`${path}: checkpoints: a path belongs into a user's own file`)
    const other = paths.get(model.id)
    if (other) problems.push(`${path}: the id ${model.id} is also that of ${other}`)
    paths.set(model.id, path)
    const own = drafts.filter(({target}) => target === model.id).map(({draft}) => draft)
    models.push({...withPublishers(model, publishers), ...(own.length > 0 && {drafts: own})})
    entries.push(entryOf(model))
  }
  const quality = compileQuality(root, models)
  problems.push(...quality.problems)
  for (const [name, value] of quality.files) files.set(name, value)
  for (const model of models) {
    const checkpoints = model.checkpoints.map((checkpoint): Checkpoint => ({...checkpoint, quality: quality.of(model, checkpoint)}))
    files.set(`models/${model.id}`, {...model, checkpoints, cacheQuality: quality.caches(model)} satisfies Model)
  }
  problems.push(...doubleNames(entries))
  files.set('models', entries)
  files.set('publishers', [...publishers])
}

const PublishersFile = z.strictObject({
  publishers: z.array(
    z.strictObject({
      organisation: z.string().regex(/^[\w.-]+$/),
      title: z.string().min(1),
      kind: z.enum(['hardware-maker', 'engine-project', 'quantiser', 'community']),
      source: z.url(),
    }),
  ),
})

/** Organisations, in lower case, whose builds of other makers' models are no community uploads. */
function knownPublishers(root: string, problems: string[]): Set<string> {
  const path = 'data/publishers.yaml'
  const parsed = PublishersFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
  if (!parsed.success) problems.push(...problemsOf(path, parsed.error))
  return new Set(parsed.data?.publishers.filter(({kind}) => kind !== 'community').map(({organisation}) => organisation.toLowerCase()))
}

/** Who published each checkpoint: what is not said is the maker. */
function withPublishers(model: Model, known: ReadonlySet<string>): Model {
  const organisation = (repository: string) => repository.slice(0, repository.indexOf('/')).toLowerCase()
  const maker = organisation(model.hfId)
  return {
    ...model,
    checkpoints: model.checkpoints.map((checkpoint): Checkpoint => {
      const own = organisation(checkpoint.hfId)
      return own === maker && !checkpoint.thirdParty ? checkpoint : {...checkpoint, publisher: known.has(own) ? 'known' : 'community'}
    }),
  }
}

/** A repository that two models claim would be found by luck. */
function doubleNames(entries: readonly ModelEntry[]): string[] {
  const owners = new Map<string, string>()
  const problems: string[] = []
  for (const {id, hfId, names, checkpointIds} of entries)
    for (const name of new Set([hfId, ...names, ...checkpointIds].map((text) => text.toLowerCase()))) {
      const owner = owners.get(name)
      if (owner !== undefined && owner !== id) problems.push(`data/models: "${name}" is claimed by ${owner} and by ${id}`)
      owners.set(name, id)
    }
  return problems
}

function compileHardware(root: string, problems: string[], files: Map<string, unknown>): void {
  const gpus: Accelerator[] = []
  for (const {path, value} of yamlFiles(root, 'gpus', problems)) {
    const {accelerator, problems: found} = checkGpuFile(path, value)
    problems.push(...found)
    if (accelerator) gpus.push(accelerator)
  }
  const known = new Set(gpus.map(({id}) => id))
  const systems: System[] = []
  for (const {path, value} of yamlFiles(root, 'machines', problems)) {
    const {system, problems: found} = checkMachineFile(path, value)
    problems.push(...found, ...(system?.gpus ?? []).filter(({id}) => !known.has(id)).map(({id}) => `${path}: gpus: no GPU "${id}" in data/gpus`))
    if (system) systems.push(system)
  }
  files.set('gpus', gpus)
  for (const gpu of gpus) files.set(`gpus/${gpu.id}`, gpu)
  files.set('machines', systems)
  const mig = checkMigFile('data/mig.yaml', parse(readFileSync(join(root, 'data/mig.yaml'), 'utf8')), known)
  problems.push(...mig.problems)
  files.set('mig', mig.table)
  files.set('pci-names', pciNames(root, problems, known))
}

const PciNamesFile = z.strictObject({
  source: z.strictObject({url: z.url(), retrieved: z.string().regex(/^\d{4}-\d\d-\d\d$/)}),
  nvidia: z.record(z.string().regex(/^0x[0-9a-f]{4}$/), z.array(z.string()).min(1)),
  amd: z.record(z.string().regex(/^0x[0-9a-f]{4}$/), z.array(z.string()).min(1)),
  intel: z.record(z.string().regex(/^0x[0-9a-f]{4}$/), z.array(z.string()).min(1)),
})

/** GPU ids by maker and PCI id: `nvidia 0x2330`. */
function pciNames(root: string, problems: string[], known: ReadonlySet<string>): Record<string, string[]> {
  const path = 'data/pci-names.yaml'
  const parsed = PciNamesFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
  if (!parsed.success) {
    problems.push(...problemsOf(path, parsed.error))
    return {}
  }
  const {source: _source, ...makers} = parsed.data
  const entries = Object.entries(makers).flatMap(([maker, chips]) => Object.entries(chips).map(([chip, ids]) => [`${maker} ${chip}`, ids] as const))
  for (const [chip, ids] of entries) problems.push(...ids.filter((id) => !known.has(id)).map((id) => `${path}: ${chip}: no GPU "${id}" in data/gpus`))
  return Object.fromEntries(entries)
}

function compileEngines(root: string, problems: string[], files: Map<string, unknown>, speculation: SpeculationTable): void {
  const engines = new Map<string, EngineFile>()
  let support: Pick<SupportTable, 'formats' | 'cacheFormats' | 'architectures'> | undefined
  let builds: Pick<SupportTable, 'builds' | 'attention'> | undefined
  let needs: NeedsTable | undefined
  let lora: LoraTable | undefined
  let platforms: PlatformsFile | undefined
  for (const {path, value} of yamlFiles(root, 'engines', problems)) {
    const checked = checkEngineFile(path, value)
    problems.push(...checked.problems)
    const stem = path.slice(path.lastIndexOf('/') + 1, -'.yaml'.length)
    if (checked.kind === 'engine') engines.set(stem, checked.value)
    else if (checked.kind === 'flags') files.set(`engines/${stem}`, checked.value satisfies FlagTable)
    else if (checked.kind === 'support') support = checked.value
    else if (checked.kind === 'builds') builds = checked.value
    else if (checked.kind === 'needs') needs = checked.value
    else if (checked.kind === 'lora') lora = checked.value
    else if (checked.kind === 'platforms') platforms = checked.value
  }
  if (!support || !builds || !needs || !lora || !platforms) {
    problems.push('data/engines: support.yaml, builds.yaml, needs.yaml, lora.yaml and platforms.yaml are all needed')
    return
  }
  const overheads = jsonFile<MemoryCalibration>(root, 'calibration/memory.json')
  for (const [id, {title, docsUrl, newestVersion, versions, images, ...rest}] of engines) {
    const measured = overheads[id]
    if (!measured) problems.push(`data/calibration/memory.json: no parameters for ${id}`)
    else
      files.set(`engines/${id}`, {
        title,
        docsUrl,
        newestVersion,
        versions: versions.map(({version}) => version),
        vendors: [...new Set(images.map(({vendor}) => vendor))],
        platforms: platformsFor(id, platforms.platforms),
        overheads: measured,
        images: [...images, ...platformImages(id, platforms.platforms)],
        ...rest,
      } satisfies Omit<EngineData, 'support' | 'needs'> & Record<string, unknown>)
  }
  compileReleaseDays(engines, files)
  files.set('engines/support', {...support, ...builds, speculation, lora} satisfies SupportTable)
  files.set('engines/needs', needs)
  files.set('engines/usual', platforms.usual)
  const calibration = jsonFile<Calibration>(root, 'calibration/serving.json')
  // What was fitted comes before what is assumed of a platform.
  files.set('calibration/serving', {...calibration, hardwareClasses: {...platformClasses(platforms.platforms), ...calibration.hardwareClasses}})
}

/** Reads and checks all of data/. */
export function compile(root: string): Compiled {
  const files = new Map<string, unknown>()
  const problems: string[] = []
  compileLogLines(root, problems, files)
  const {drafts, speculation} = compileDrafts(root, problems)
  compileModels(root, problems, files, drafts)
  problems.push(...unknownDraftNames(drafts, speculation, files.get('models') as ModelEntry[]))
  compileHardware(root, problems, files)
  compileEngines(root, problems, files, speculation)
  files.set('closed-models', closedModels(root, problems, files.get('models') as ModelEntry[]))
  files.set('tasks', tasks(root, problems))
  files.set('known-models', knownModels(root, problems, files.get('models') as ModelEntry[]))
  files.set('completion', completionWords(files))
  files.set('version', {dataVersion: dataVersionOf(files)})
  return {files, problems}
}

/** Words that completion asks for at every key and that would else lie in code or in large files. */
function completionWords(files: ReadonlyMap<string, unknown>): CompletionWords {
  const engines = Object.keys(ENGINES).flatMap((id) => {
    const data = files.get(`engines/${id}`) as {title: string; versions: string[]} | undefined
    return data ? [{id, title: data.title, versions: data.versions}] : []
  })
  return {engines, formats: FORMATS.map(({id, summary}) => ({id, summary}))}
}

/** A hash of everything that was compiled, in the order of the names: 12 hexadecimal digits tell any two apart that anybody compares. */
export function dataVersionOf(files: ReadonlyMap<string, unknown>): string {
  const hash = createHash('sha256')
  for (const name of [...files.keys()].sort()) hash.update(`${name}\0${JSON.stringify(files.get(name))}\0`)
  return hash.digest('hex').slice(0, 12)
}

const TasksFile = z.strictObject({
  source: z.string().min(1),
  tasks: z.array(
    z.strictObject({
      words: z.array(z.string().min(1)).min(1),
      names: z.array(z.string().min(1)).optional(),
      modality: z.enum(['vision', 'audio', 'video']).optional(),
      pooling: z.boolean().optional(),
    }),
  ),
})

/** Words by which people look for models. A word of two tasks would mean either by luck. */
function tasks(root: string, problems: string[]): z.output<typeof TasksFile>['tasks'] {
  const path = 'data/tasks.yaml'
  const parsed = TasksFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
  if (!parsed.success) {
    problems.push(...problemsOf(path, parsed.error))
    return []
  }
  const words = parsed.data.tasks.flatMap(({words: own}) => own)
  problems.push(...words.filter((word, at) => words.indexOf(word) < at).map((word) => `${path}: "${word}" stands in two tasks`))
  return parsed.data.tasks
}

const KnownModelsFile = z.strictObject({
  models: z.array(
    z.strictObject({
      hfId: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
      name: z.string().min(1),
      totalParams: z.int().positive(),
      activeParams: z.int().positive().optional(),
      contextTokens: z.int().positive().optional(),
      since: z.record(z.string(), z.string()).optional(),
      checkpoints: z.array(z.strictObject({hfId: z.string().regex(/^[\w.-]+\/[\w.-]+$/), weights: z.string().min(1)})).min(1),
      source: z.string().min(1),
    }),
  ),
})

/** Models known by name and size only; one that is catalogued has no place among them. */
function knownModels(root: string, problems: string[], entries: readonly ModelEntry[]): KnownModel[] {
  const path = 'data/known-models.yaml'
  if (!existsSync(join(root, path))) return []
  const parsed = KnownModelsFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
  if (!parsed.success) {
    problems.push(...problemsOf(path, parsed.error))
    return []
  }
  const catalogued = new Set(entries.flatMap(({hfId, names, checkpointIds}) => [hfId, ...names, ...checkpointIds]).map((name) => name.toLowerCase()))
  for (const {hfId} of parsed.data.models) if (catalogued.has(hfId.toLowerCase())) problems.push(`${path}: ${hfId} is in data/models`)
  return parsed.data.models
}

const ClosedModelsFile = z.strictObject({
  models: z.array(
    z.strictObject({names: z.array(z.string().min(1)).min(1), vendor: z.string().min(1), nearest: z.array(z.string().min(1)), source: z.string().optional()}),
  ),
})

/** Models known by name whose weights are not published; what is suggested instead must be in the catalogue. */
function closedModels(root: string, problems: string[], entries: readonly ModelEntry[]): ClosedModel[] {
  const path = 'data/closed-models.yaml'
  if (!existsSync(join(root, path))) return []
  const parsed = ClosedModelsFile.safeParse(parse(readFileSync(join(root, path), 'utf8')))
  if (!parsed.success) {
    problems.push(...problemsOf(path, parsed.error))
    return []
  }
  const known = new Set(entries.map(({id}) => id))
  for (const {names, nearest} of parsed.data.models)
    problems.push(...nearest.filter((id) => !known.has(id)).map((id) => `${path}: ${names[0]}: no model "${id}" in data/models`))
  return parsed.data.models.map(({names, vendor, nearest}) => ({names, vendor, nearest}))
}

/** Compiles data/ into a folder of JSON; nothing is written when there is any problem, and all of them are returned. */
export async function writeData(root: string, folder: string): Promise<string[]> {
  const {files, problems} = compile(root)
  if (problems.length > 0) return problems
  for (const [name, value] of files) {
    const path = join(folder, `${name}.json`)
    await mkdir(dirname(path), {recursive: true})
    await writeFile(path, JSON.stringify(value))
  }
  return []
}
