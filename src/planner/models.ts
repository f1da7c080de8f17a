import type {Catalogue, ClosedModel} from '../catalogue/catalogue.ts'
import {findModel} from '../catalogue/find-model.ts'
import {nearest} from '../core/nearest.ts'
import {InputError} from '../core/input-error.ts'
import type {Checkpoint, Model} from '../core/model.ts'
import type {Context} from './context.ts'

/** A model that a file of the user's describes, with what was odd about it. */
export interface FoundModelFile {
  model: Model
  warnings: string[]
}

export interface NamedModel {
  model: Model
  /** Set where the name was a repository or a file: exactly this checkpoint is meant. */
  checkpoint?: Checkpoint
  warnings: string[]
}

/** Names that read as a path: they are looked for on disk, never in the catalogue. */
export const looksLikeModelPath = (name: string): boolean => /^(\.{1,2}|~)?[\\/]|^\.{1,2}$|\.(json|gguf)$/i.test(name) || /^[a-z]:[\\/]/i.test(name)

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')

function closedModel(catalogue: Catalogue, name: string): ClosedModel | undefined {
  const asked = plain(name.slice(name.lastIndexOf('/') + 1))
  return catalogue.closedModels.find(({names}) => names.some((known) => asked === plain(known) || (known.endsWith('*') && asked.startsWith(plain(known)))))
}

/**
 * The model of a name, a repository or a path.
 * @throws InputError MODEL_UNKNOWN with the closest names, MODEL_CLOSED for one whose weights are not published.
 */
export async function modelOf(context: Context, name: string): Promise<NamedModel> {
  if (looksLikeModelPath(name)) {
    const {model, warnings} = await context.readModel(name)
    return {model, checkpoint: model.checkpoints[0], warnings}
  }
  const {catalogue} = context
  const found = findModel(name, catalogue.modelEntries)
  if (found) {
    const model = catalogue.model(found.id)
    const asked = found.checkpoint?.toLowerCase()
    return {model, checkpoint: asked === undefined ? undefined : (model.checkpoints.find(({hfId}) => hfId.toLowerCase() === asked) ?? model.checkpoints[0]), warnings: []}
  }
  const closed = closedModel(catalogue, name)
  if (closed) throw new InputError('MODEL_CLOSED', `The weights of ${name} are not published (${closed.vendor}): it cannot be run on machines of one's own`, {suggestions: closed.nearest})
  const known = catalogue.modelEntries.map((entry) => ({name: entry.id, spellings: [entry.name, entry.hfId, ...entry.names, ...entry.checkpointIds]}))
  throw new InputError('MODEL_UNKNOWN', `No model named "${name.slice(0, 200)}" in the catalogue: expected a name (qwen3-32b), a repository (Qwen/Qwen3-32B) or a path (./config.json)`, {suggestions: nearest(name.slice(0, 200), known)})
}
