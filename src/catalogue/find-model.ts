import type {Model} from '../core/model.ts'

/** A model of the index and every name it goes by. */
export interface NamedModel {
  id: string
  hfId: string
  name?: string
  names: readonly string[]
  checkpointIds: readonly string[]
  /** Repository by a former name of it or by a mirror's. */
  checkpointAliases?: Readonly<Record<string, string>>
}

/** The entry of a model in the index. */
export function namedModel(model: Model): NamedModel {
  const aliases = Object.fromEntries(model.checkpoints.flatMap(({hfId, aliases = []}) => aliases.map((alias) => [alias, hfId] as const)))
  return {
    id: model.id,
    hfId: model.hfId,
    name: model.name,
    names: model.aliases ?? [],
    checkpointIds: model.checkpoints.map((checkpoint) => checkpoint.hfId),
    ...(Object.keys(aliases).length > 0 ? {checkpointAliases: aliases} : {}),
  }
}

/** What a name means: a model of the catalogue, and the checkpoint where a repository was named. */
export interface FoundModel {
  id: string
  /** The repository as the catalogue spells it. */
  checkpoint?: string
}

/**
 * The model of a name, a remark in brackets behind it being ignored: catalogue id (`qwen3-32b`), repository (`Qwen/Qwen3-32B-AWQ`, any case), title (`Qwen3 32B`), alias or
 * Ollama tag (`qwen3:32b`). A repository names a checkpoint, anything else the model. undefined when nobody goes by that
 * name or several do.
 */
export function findModel(asked: string, index: readonly NamedModel[]): FoundModel | undefined {
  const name = asked
    .trim()
    .replace(/^https?:\/\/(?:www\.)?huggingface\.co\//, '')
    .replace(/\/+$/, '')
    .replace(/\s+\([^()]*\)$/, '')
  if (name === '' || name.length > 300) return undefined
  if (/^[^/\s]+\/[^/\s]+$/.test(name)) return byRepository(name.toLowerCase(), index)
  const lower = name.toLowerCase()
  const exact = index.find((model) => model.id === lower) ?? index.find((model) => model.names.some((known) => known.toLowerCase() === lower))
  if (exact) return {id: exact.id}
  return byWords(name, index)
}

function byRepository(name: string, index: readonly NamedModel[]): FoundModel | undefined {
  for (const model of index) {
    const checkpoint = model.checkpointIds.find((id) => id.toLowerCase() === name)
    if (checkpoint) return {id: model.id, checkpoint}
    const alias = Object.entries(model.checkpointAliases ?? {}).find(([known]) => known.toLowerCase() === name)
    if (alias) return {id: model.id, checkpoint: alias[1]}
  }
  for (const model of index) {
    if (model.hfId.toLowerCase() === name) return {id: model.id, checkpoint: model.hfId}
    if (model.names.some((known) => known.toLowerCase() === name)) return {id: model.id, checkpoint: mainCheckpoint(model)}
  }
  return undefined
}

/** A repository given as an alias holds what the model's own repository holds. */
const mainCheckpoint = (model: NamedModel): string | undefined =>
  model.checkpointIds.find((id) => id.toLowerCase() === model.hfId.toLowerCase()) ?? model.checkpointIds[0]

/** Letters and digits only: `Qwen3 32B`, `qwen3:32b` and `qwen3_32b` are the same. */
const plain = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')

/** The same without what only says how a model was tuned. */
const bare = (name: string): string => plain(name.replace(/[-_\s:](?:instruct|it|chat|hf)\b/gi, ''))

function byWords(name: string, index: readonly NamedModel[]): FoundModel | undefined {
  for (const reduce of [plain, bare]) {
    const wanted = reduce(name)
    if (wanted === '') return undefined
    const models = index.filter((model) => spellings(model).some((spelling) => reduce(spelling) === wanted))
    if (models.length === 1) return {id: models[0]!.id}
    // Several models share a bare name (base and instruct): the one whose id it is wins.
    const own = models.find((model) => reduce(model.id) === wanted)
    if (own) return {id: own.id}
    if (models.length > 1) return undefined
    const checkpoints = index.flatMap((model) =>
      model.checkpointIds.filter((id) => reduce(lastPart(id)) === wanted).map((checkpoint) => ({id: model.id, checkpoint})),
    )
    if (new Set(checkpoints.map((found) => found.id)).size === 1) return checkpoints.length === 1 ? checkpoints[0] : {id: checkpoints[0]!.id}
  }
  return undefined
}

const lastPart = (repository: string): string => repository.split('/').at(-1) ?? repository

const spellings = (model: NamedModel): string[] => [
  model.id,
  lastPart(model.hfId),
  ...(model.name === undefined ? [] : [model.name]),
  ...model.names.map(lastPart),
]
