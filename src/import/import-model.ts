import {readdir, stat} from 'node:fs/promises'
import {homedir} from 'node:os'
import {basename, dirname, join, resolve, sep} from 'node:path'
import {displayName, modelId} from '../catalogue/import/model-names.ts'
import type {Imported} from '../catalogue/import/import-config.ts'
import {InputError} from '../core/input-error.ts'
import {fileSource} from './byte-source.ts'
import {cachedRepository, type Environment, isRepositoryId, snapshotOf} from './hf-cache.ts'
import type {Hub} from './hub/open-hub.ts'
import {type ImportedFolder, importFolder} from './import-folder.ts'
import {localFolder, readTextFile} from './local-folder.ts'
import type {ModelFolder} from './model-folder.ts'

/** A repository by its name, with the GGUF type that is meant where one is given: `org/name:Q4_K_M`. */
export interface RepositoryName {
  id: string
  variant?: string
}

export function repositoryName(name: string): RepositoryName | undefined {
  const plain = name
    .trim()
    .replace(/^https?:\/\/(?:www\.)?huggingface\.co\//, '')
    .replace(/\/+$/, '')
  const [id, variant, ...more] = plain.split(':')
  if (id === undefined || more.length > 0 || !isRepositoryId(id)) return undefined
  return variant === undefined || variant === '' ? {id} : {id, variant}
}

/** Directory and file of a path, a tilde standing for the home directory. */
const expanded = (path: string): string => path.replace(/^~(?=$|[\\/])/, homedir())

/** `.../models--Qwen--Qwen3-32B/snapshots/0123abc` is Qwen/Qwen3-32B in the local cache. */
function repositoryOfSnapshot(path: string): string | undefined {
  const match = /[\\/]models--([^\\/]+?)--([^\\/]+)[\\/]snapshots[\\/]/.exec(resolve(path) + sep)
  return match ? `${match[1]}/${match[2]}` : undefined
}

/** A model of a path, and what an engine finds there. */
export interface ImportedPath extends Imported {
  /** Absolute path that an engine can be started with; absent where its repository is known, or weights are missing. */
  path?: string
  /** What is missing for a start, in words. */
  missing?: string
  /** A file of the catalogue's form, with checkpoints to choose from. */
  isCatalogueFile?: boolean
}

/**
 * The model of a path: a directory, a `.gguf` file, a `config.json` with what lies beside it, or a configuration by any
 * other name, which stands alone.
 *
 * @throws InputError naming the file and what was expected of it.
 */
export async function importPath(given: string): Promise<ImportedPath> {
  const path = (await snapshotIn(expanded(given))) ?? expanded(given)
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) {
    const imported = await importFolder(await folderAt(path, given))
    const isNamed = imported.model.hfId !== '' || imported.model.checkpoints[0]?.quantMethod === 'gguf'
    return {...(isNamed ? imported : named(imported, basename(resolve(path)))), ...(await startOf(path, given, imported))}
  }
  const name = basename(path)
  const folder = dirname(path)
  if (found?.isFile() && !/\.(json|gguf|safetensors)$/i.test(name) && (await isGgufFile(path))) {
    const {importGgufFrom} = await import('./gguf/import-gguf.ts')
    return {...(await importGgufFrom(singleFile(path, given, found.size), [name], name)), path: resolve(path)}
  }
  if (/\.gguf$/i.test(name)) {
    if (!found) throw new InputError('FILE_UNREADABLE', `${given} cannot be read (ENOENT): expected a GGUF file`)
    const {importGgufFrom} = await import('./gguf/import-gguf.ts')
    const all = await localFolder(folder, {title: given})
    const first = name.replace(/-\d{5}(?=-of-\d{5}\.gguf$)/i, '-00001')
    return {...(await importGgufFrom(all, [...all.files.keys()], all.files.has(first) ? first : name)), path: resolve(path)}
  }
  const inFolder = name === 'config.json' || /\.safetensors(\.index\.json)?$/i.test(name)
  if (inFolder && found) {
    const title = folder === '.' ? '.' : dirname(given)
    const imported = await importFolder(await folderAt(folder, title), {configuration: true})
    return {...withName(imported, basename(resolve(folder))), ...(await startOf(folder, title, imported))}
  }
  if (/\.ya?ml$/i.test(name)) {
    const {readModelFile} = await import('./user-catalogue.ts')
    return {model: await readModelFile(path, given), warnings: [], isCatalogueFile: true}
  }
  const [{importConfig}, {parseTolerantJson}] = await Promise.all([
    import('../catalogue/import/import-config.ts'),
    import('../catalogue/import/tolerant-json.ts'),
  ])
  const config = parseTolerantJson(await readTextFile(path, "a model's config.json"), given)
  try {
    const alone = withName(importConfig({config}), name.replace(/\.json$/i, ''))
    return {...alone, ...(alone.model.hfId === '' && {missing: `${given} is only a configuration, without weights`})}
  } catch (error) {
    if (!(error instanceof InputError) || error.message.includes(given)) throw error
    throw new InputError(error.code, `${given}: ${error.message}`, {suggestions: error.suggestions})
  }
}

/** The snapshot of a repository in a cache folder that was given whole: `.../models--Qwen--Qwen3-32B`. */
const snapshotIn = async (path: string): Promise<string | undefined> =>
  /^models--.+--.+$/.test(basename(resolve(path))) ? snapshotOf(resolve(path)) : undefined

/**
 * What an engine is started with: the folder where it holds all weights. A repository of the cache is started by its name, which finds it
 * there; a name that only the configuration gives may be that of the base of a fine-tune, and is what is started where there are no weights.
 */
async function startOf(path: string, given: string, {weights, model}: ImportedFolder): Promise<Pick<ImportedPath, 'path' | 'missing'>> {
  if (repositoryOfSnapshot(path) !== undefined) return {}
  if (weights === 'whole' || (weights === 'none' && (await hasOtherWeights(path)))) return {path: resolve(path)}
  if (weights === 'partial') return {missing: `some weight files that ${given} names are missing`}
  return model.hfId === '' ? {missing: `${given} has a configuration but no weights`} : {}
}

/** Weights in a form that is not looked into: engines load it all the same. */
const hasOtherWeights = (path: string): Promise<boolean> =>
  readdir(path).then(
    (names) => names.some((name) => /^(?:pytorch_model.*\.bin|.*\.pth?)$/.test(name)),
    () => false,
  )

/** Some stores (Ollama's) name their files by hash: the first four bytes tell. */
async function isGgufFile(path: string): Promise<boolean> {
  const source = await fileSource(path)
  try {
    return new TextDecoder().decode(await source.read(0, 4)) === 'GGUF'
  } finally {
    await source.close()
  }
}

const singleFile = (path: string, title: string, sizeBytes: number): ModelFolder => ({
  title,
  files: new Map([[basename(path), sizeBytes]]),
  parallel: 1,
  text: () => readTextFile(path, 'JSON'),
  open: () => fileSource(path),
})

const folderAt = (path: string, title: string) => localFolder(path, {title, hfId: repositoryOfSnapshot(path)})

/** What a file does not name is named after where it lies. */
const withName = (imported: Imported, name: string): Imported =>
  imported.model.hfId === '' && imported.model.name === 'model' ? named(imported, name) : imported

function named({model, warnings}: Imported, name: string): Imported {
  return {model: name === '' ? model : {...model, id: modelId(name), name: displayName(name)}, warnings}
}

export interface RepositoryQuestion {
  env: Environment
  /** Absent: asking is forbidden. */
  hub?: Hub
  /** What lies in the local cache is passed over. */
  refresh?: boolean
}

/** The model of a repository: from the local cache, else from the hub. undefined where it is in neither or the hub may not be asked. */
export async function importRepository({id, variant}: RepositoryName, {env, hub, refresh = false}: RepositoryQuestion): Promise<Imported | undefined> {
  const cached = refresh ? undefined : await cachedRepository(id, env)
  if (cached && (variant === undefined || [...cached.files.keys()].some((name) => /\.gguf$/i.test(name)))) return importFolder(cached, {variant})
  if (!hub) return undefined
  return importFolder(await hub.repository(id), {variant})
}

/** A directory that is written like a repository (`models/qwen`) and holds a model. */
export async function isModelDirectory(name: string): Promise<boolean> {
  const has = (file: string) =>
    stat(join(name, file)).then(
      (found) => found.isFile(),
      () => false,
    )
  return (await has('config.json')) || (await has('model.safetensors.index.json'))
}
