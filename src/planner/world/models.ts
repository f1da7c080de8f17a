import type {Catalogue} from '../../catalogue/catalogue.ts'
import {type FoundModel, findModel} from '../../catalogue/find-model.ts'
import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import {modelWithQuality, withQuality} from '../quality/index.ts'
import type {Context} from './context.ts'
import type {FoundModelFile, FoundRepository, NamedModel} from './found-model.ts'

/** Names that read as a path: they are looked for on disk, never in the catalogue. */
export const looksLikeModelPath = (name: string): boolean =>
  /^(\.{1,2}|~)?[\\/]|^\.{1,2}$|\.(json|ya?ml|gguf|safetensors)$/i.test(name) || /^[a-z]:[\\/]/i.test(name)

/** `org/name`, `org/name:TYPE` or the address of its page. */
const looksLikeRepository = (name: string): boolean => /^(https?:\/\/[^/\s]+\/)?[^/\s:]+\/[^/\s:]+(:[\w.-]+)?\/?$/.test(name.trim())

const imported = ({model, warnings, missing, isCatalogueFile}: FoundModelFile): NamedModel => ({
  model,
  ...(!isCatalogueFile && {checkpoint: model.checkpoints[0]}),
  warnings,
  ...(missing !== undefined && {missing}),
})

/** A path that an engine can be started with is what is started: it is spelled as it was given, where a shell takes it so. */
function startedByPath(named: NamedModel, path: string | undefined, given: string): NamedModel {
  const {checkpoint} = named
  if (checkpoint === undefined || path === undefined) return named
  const spelled = given.startsWith('~') || /\.(json|safetensors)$/i.test(given) || /^models--|[\\/]models--/.test(given) ? path : given
  return {...named, checkpoint: {...checkpoint, hfId: spelled, path}}
}

/**
 * The model of a name, a repository or a path. A repository that the catalogue does not have is looked for in the local cache
 * and on the hub, where the context allows it.
 * @throws InputError MODEL_UNKNOWN with the closest names, MODEL_CLOSED for one whose weights are not published.
 */
export const modelOf = (context: Context, name: string): Promise<NamedModel> =>
  context.named ? context.named.once(name, () => modelAnew(context, name)) : modelAnew(context, name)

async function modelAnew(context: Context, name: string): Promise<NamedModel> {
  const named = await namedModel(context, name)
  const model = modelWithQuality(context.catalogue, named.model)
  return {...named, model, ...(named.checkpoint && {checkpoint: withQuality(context.catalogue, model, named.checkpoint)})}
}

async function namedModel(context: Context, name: string): Promise<NamedModel> {
  if (looksLikeModelPath(name)) {
    const file = await context.readModel(name)
    return startedByPath(imported(file), file.path, name)
  }
  const {catalogue} = context
  const known = findModel(name, catalogue.modelEntries)
  if (known && !context.refresh) return catalogued(catalogue, known, name)
  const repository = known ? (known.checkpoint ?? catalogue.model(known.id).hfId) : name
  const outside: FoundRepository = (looksLikeRepository(repository) && (await context.repository?.(repository))) || {}
  if (outside.found) return startedByPath(imported(outside.found), outside.found.path, `./${name}`)
  if (known) throw new InputError('MODEL_UNKNOWN', `${repository} could not be read again: ${outside.because ?? 'it is on no hub that could be asked'}`)
  const {unlisted} = await import('./unlisted-models.ts')
  return unlisted(catalogue, name, outside)
}

function catalogued(catalogue: Catalogue, {id, checkpoint: repository}: FoundModel, name: string): NamedModel {
  const model = catalogue.model(id)
  const file = catalogue.modelEntries.find((entry) => entry.id === id)?.file
  const warnings = file === undefined ? [] : [`${model.name} is described by your own file ${file}, which takes precedence over the catalogue`]
  if (repository === undefined) return {model, warnings}
  const asked = repository.toLowerCase()
  const own = model.checkpoints.find(({hfId}) => hfId.toLowerCase() === asked)
  // Another repository of the same weights: it is the one that was asked for, and the one to start.
  const twin = model.checkpoints.find(({aliases}) => aliases?.some((alias) => alias.toLowerCase() === asked))
  // A repository that shares all but its weights with the model's own: what is started must be the one that was asked for.
  const sibling = siblingsOf(model).find((alias) => name.trim().toLowerCase().endsWith(alias.toLowerCase()))
  const checkpoint = own ?? (twin && {...twin, hfId: repository}) ?? model.checkpoints[0]
  if (sibling !== undefined && checkpoint !== undefined) return {model: siblingOf(model, sibling), checkpoint: {...checkpoint, hfId: sibling}, warnings}
  const ofSibling = twin && siblingsOf(model).find((alias) => asked.startsWith(alias.toLowerCase()))
  return {model: ofSibling === undefined ? model : siblingOf(model, ofSibling), checkpoint, warnings}
}

const siblingsOf = ({aliases = []}: Model): string[] => aliases.filter((alias) => alias.includes('/'))

/** A model that shares all but its weights with the catalogued one: it has its own name, and no builds but its own. */
function siblingOf(model: Model, repository: string): Model {
  const builds = model.checkpoints.flatMap((checkpoint) =>
    (checkpoint.aliases ?? []).filter((alias) => alias.toLowerCase().startsWith(repository.toLowerCase())).map((alias) => ({...checkpoint, hfId: alias})),
  )
  const [original] = model.checkpoints
  return {
    ...model,
    name: repository.slice(repository.indexOf('/') + 1).replaceAll('-', ' '),
    checkpoints: [...(original ? [{...original, hfId: repository}] : []), ...builds],
  }
}
