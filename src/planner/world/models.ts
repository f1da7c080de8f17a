import type {Catalogue, ClosedModel} from '../../catalogue/catalogue.ts'
import {type FoundModel, findModel} from '../../catalogue/find-model.ts'
import {nearest} from '../../core/nearest.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {modelWithQuality} from '../quality/index.ts'
import type {Context} from './context.ts'
import type {FoundModelFile, FoundRepository} from './found-model.ts'

export interface NamedModel {
  model: Model
  /** Set where the name was a repository or a file: exactly this checkpoint is meant. */
  checkpoint?: Checkpoint
  warnings: string[]
}

/** Names that read as a path: they are looked for on disk, never in the catalogue. */
export const looksLikeModelPath = (name: string): boolean => /^(\.{1,2}|~)?[\\/]|^\.{1,2}$|\.(json|gguf|safetensors)$/i.test(name) || /^[a-z]:[\\/]/i.test(name)

/** `org/name`, `org/name:TYPE` or the address of its page. */
const looksLikeRepository = (name: string): boolean => /^(https?:\/\/[^/\s]+\/)?[^/\s:]+\/[^/\s:]+(:[\w.-]+)?\/?$/.test(name.trim())

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')

function closedModel(catalogue: Catalogue, name: string): ClosedModel | undefined {
  const asked = plain(name.slice(name.lastIndexOf('/') + 1))
  return catalogue.closedModels.find(({names}) => names.some((known) => asked === plain(known) || (known.endsWith('*') && asked.startsWith(plain(known)))))
}

function imported(catalogue: Catalogue, {model: found, warnings}: FoundModelFile): NamedModel {
  const model = modelWithQuality(catalogue, found)
  return {model, checkpoint: model.checkpoints[0], warnings}
}

/** A path that an engine can be started with: weights lie there, and no repository is named in them. */
function startedByPath(named: NamedModel, path: string): NamedModel {
  const {checkpoint} = named
  const holdsWeights = checkpoint !== undefined && checkpoint.hfId === '' && checkpoint.bytes !== undefined && !/\.(json|safetensors)$/i.test(path)
  return holdsWeights ? {...named, checkpoint: {...checkpoint, hfId: path}} : named
}

/**
 * The model of a name, a repository or a path. A repository that the catalogue does not have is looked for in the local cache
 * and on the hub, where the context allows it.
 * @throws InputError MODEL_UNKNOWN with the closest names, MODEL_CLOSED for one whose weights are not published.
 */
export async function modelOf(context: Context, name: string): Promise<NamedModel> {
  if (looksLikeModelPath(name)) return startedByPath(imported(context.catalogue, await context.readModel(name)), name)
  const {catalogue} = context
  const known = findModel(name, catalogue.modelEntries)
  if (known && !context.refresh) return catalogued(catalogue, known, name)
  const repository = known ? (known.checkpoint ?? catalogue.model(known.id).hfId) : name
  const outside: FoundRepository = (looksLikeRepository(repository) && (await context.repository?.(repository))) || {}
  if (outside.found) return imported(catalogue, outside.found)
  const closed = known ? undefined : closedModel(catalogue, name)
  if (closed)
    throw new InputError('MODEL_CLOSED', `The weights of ${name} are not published (${closed.vendor}): it cannot be run on machines of one's own`, {
      suggestions: closed.nearest,
    })
  if (known) throw new InputError('MODEL_UNKNOWN', `${repository} was not read anew: ${outside.because ?? 'it is on no hub that could be asked'}`)
  throw unknownModel(catalogue, name.slice(0, 200), outside.because)
}

function catalogued(catalogue: Catalogue, {id, checkpoint: repository}: FoundModel, name: string): NamedModel {
  const model = catalogue.model(id)
  if (repository === undefined) return {model, warnings: []}
  const asked = repository.toLowerCase()
  const own = model.checkpoints.find(({hfId}) => hfId.toLowerCase() === asked)
  // Another repository of the same weights: it is the one that was asked for, and the one to start.
  const twin = model.checkpoints.find(({aliases}) => aliases?.some((alias) => alias.toLowerCase() === asked))
  // A repository that shares all but its weights with the model's own: what is started must be the one that was asked for.
  const sibling = model.aliases?.find((alias) => alias.includes('/') && name.trim().toLowerCase().endsWith(alias.toLowerCase()))
  const checkpoint = own ?? (twin && {...twin, hfId: repository}) ?? model.checkpoints[0]
  return {model, checkpoint: sibling === undefined || checkpoint === undefined ? checkpoint : {...checkpoint, hfId: sibling}, warnings: []}
}

function unknownModel(catalogue: Catalogue, name: string, because: string | undefined): InputError {
  const known = catalogue.modelEntries.map((entry) => ({name: entry.id, spellings: [entry.name, entry.hfId, ...entry.names, ...entry.checkpointIds]}))
  return new InputError(
    'MODEL_UNKNOWN',
    `No model named "${name}" in the catalogue: expected a name (qwen3-32b), a repository (Qwen/Qwen3-32B) or a path (./config.json)${because === undefined ? '' : `. Outside the catalogue: ${because}`}`,
    {suggestions: nearest(name, known)},
  )
}
