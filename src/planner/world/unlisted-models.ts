/** Names that the catalogue does not list: closed models, models known by size, builds by their names. Loaded only for them. */
import type {Catalogue, ClosedModel, KnownModel, ModelEntry} from '../../catalogue/catalogue.ts'
import {buildNamed, draftedBy, type ForeignBuild, isForeign, type NamedBuild, promisedCheckpoint, publisherOf, withoutForm} from '../../catalogue/build-name.ts'
import {findModel} from '../../catalogue/find-model.ts'
import {editDistance, nearest, quotedShort} from '../../core/nearest.ts'
import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import type {FoundRepository, NamedModel} from './found-model.ts'
import {ClosedModelError} from './closed-model.ts'
import {knownByName, standIn} from './known-models.ts'

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '')

function closedModel(catalogue: Catalogue, name: string): ClosedModel | undefined {
  const asked = plain(name.slice(name.lastIndexOf('/') + 1))
  return catalogue.closedModels.find(({names}) => names.some((known) => asked === plain(known) || (known.endsWith('*') && asked.startsWith(plain(known)))))
}

/** What can be said of a name that is in no catalogue. @throws InputError MODEL_CLOSED, MODEL_FORMAT_FOREIGN, MODEL_UNKNOWN. */
export function unlisted(catalogue: Catalogue, name: string, {absent, because}: FoundRepository): NamedModel {
  const sized = knownByName(catalogue, name)
  if (sized) return sizedModel(catalogue, sized)
  const closed = closedModel(catalogue, name)
  if (closed)
    throw new ClosedModelError(`The weights of ${name.slice(0, 200)} are not published (${closed.vendor}): it cannot run on your own machines`, closed.nearest)
  const tagged = ollamaTag(catalogue, name)
  if (tagged) return tagged
  const build = absent ? undefined : buildNamed(name)
  if (build && isForeign(build)) throw foreignError(catalogue, name, build)
  const named = (build && promisedBuild(catalogue, build)) ?? (absent ? undefined : mirrored(catalogue, name))
  if (named) return named
  throw draftError(catalogue, name) ?? unknownModel(catalogue, name.slice(0, 200), because)
}

/** A model of which there is only the size. */
function sizedModel(catalogue: Catalogue, {known, repository = known.hfId}: {known: KnownModel; repository?: string}): NamedModel {
  const model = standIn(known, catalogue.file<string[]>('publishers'))
  const checkpoint = model.checkpoints.find(({hfId}) => hfId === repository) ?? model.checkpoints[0]
  return {model, ...(checkpoint && {checkpoint}), warnings: []}
}

/** What a tag of Ollama's library says behind the size: how the model was tuned, and how its file keeps the weights (`8b-instruct-q4_K_M`). */
const TAG_ENDING = /-(?:instruct|chat|it|text|qat|fp16|bf16|i?q\d\w*)$/i

/** A tag of Ollama's library is the model under that name and size: the files behind it are llama.cpp's. */
function ollamaTag(catalogue: Catalogue, name: string): NamedModel | undefined {
  if (!/^[a-z][\w.-]*:\w[\w.-]*$/i.test(name.trim())) return undefined
  let tag = name.trim()
  while (TAG_ENDING.test(tag)) {
    tag = tag.replace(TAG_ENDING, '')
    const found = findModel(tag, catalogue.modelEntries)
    if (!found) continue
    const model = catalogue.model(found.id)
    return {
      model,
      warnings: [],
      notes: [
        {
          code: 'recipe-assumed',
          message: `${name.trim()} is a tag of Ollama's, whose files are for llama.cpp: this is about the builds of ${model.name} that are published for the engines here`,
        },
      ],
    }
  }
  return undefined
}

/** Names of models that begin with the maker's, as some publishers write them: `Qwen_Qwen3-32B`. */
const spellingsOf = (base: string): string[] => [base, base.replace(/^[^_]+_/, '')]

/** The one model that a build's name says it was made from; undefined where that is not told. */
function baseOf(catalogue: Catalogue, base: string): Model | undefined {
  for (const spelling of spellingsOf(base).flatMap((one) => [one, `${one}-BF16`])) {
    const found = spelling.includes('/') ? undefined : findModel(spelling, catalogue.modelEntries)
    if (found) return catalogue.model(found.id)
  }
  return undefined
}

/** A repository that nobody looked into, by what its name says. */
function promisedBuild(catalogue: Catalogue, build: NamedBuild): NamedModel | undefined {
  const model = baseOf(catalogue, build.base)
  if (!model) return undefined
  const details = build.assumed.length > 0 ? `; assumed: ${build.assumed.join(', ')}` : ''
  return {
    model,
    checkpoint: promisedCheckpoint(build, model, catalogue.file<string[]>('publishers')),
    warnings: [],
    notes: [
      {
        code: 'recipe-assumed',
        message: `the files of ${build.repository} were not read: going by its name it is ${model.name} with ${build.weights} weights, and the usual tensors are assumed to stay at 16 bits${details}`,
      },
    ],
  }
}

/** Another publisher's copy under the very name of a catalogued repository. */
function mirrored(catalogue: Catalogue, name: string): NamedModel | undefined {
  const [, last] = /^[\w.-]+\/([\w.-]+)$/.exec(name.trim()) ?? []
  if (last === undefined) return undefined
  const same = catalogue.modelEntries.filter(({hfId}) => hfId.split('/').at(-1)!.toLowerCase() === last.toLowerCase())
  if (same.length !== 1) return undefined
  const model = catalogue.model(same[0]!.id)
  const original = model.checkpoints.find(({hfId}) => hfId === model.hfId)
  if (!original) return undefined
  return {
    model,
    checkpoint: {
      ...original,
      hfId: name.trim(),
      publisher: publisherOf(name.trim(), model, catalogue.file<string[]>('publishers')),
      thirdParty: true,
      formatsAssumed: true,
    },
    warnings: [],
    notes: [{code: 'recipe-assumed', message: `the files of ${name.trim()} were not read: going by its name it is a copy of ${model.hfId}`}],
  }
}

function foreignError(catalogue: Catalogue, name: string, {base, form, program}: ForeignBuild): InputError {
  const model = baseOf(catalogue, base)
  return new InputError(
    'MODEL_FORMAT_FOREIGN',
    `${name.slice(0, 200)} is in the ${form} format, which ${program} runs and vLLM, SGLang and TensorRT-LLM do not: expected another build of the model${model ? `, such as ${model.hfId}` : ''}`,
    {suggestions: model ? [model.id] : nearestModels(catalogue, base)},
  )
}

/** A draft does not run alone; undefined where the name is not that of a draft of a known model. */
function draftError(catalogue: Catalogue, name: string): InputError | undefined {
  const drafted = draftedBy(name)
  const model = drafted === undefined ? undefined : baseOf(catalogue, drafted)
  return (
    model &&
    new InputError(
      'MODEL_IS_DRAFT',
      `${name.slice(0, 200)} is, going by its name, a draft for speculative decoding with ${model.name} and does not run alone: ask about ${model.hfId} with --speculative and --draft`,
      {suggestions: [model.id]},
    )
  )
}

/** The same base comes first: what only says how weights are kept, or who tuned them, does not count. */
function nearestModels(catalogue: Catalogue, name: string): string[] {
  const entries = catalogue.modelEntries
  const bare = withoutForm(name)
  const asked = plain(bare)
  const bases = entries
    .map(({id, hfId}) => ({id, length: Math.max(...[id, hfId.split('/').at(-1)!].map((known) => (beginsWith(asked, plain(known)) ? plain(known).length : 0)))}))
    .filter(({length}) => length >= FEW_LETTERS)
    .sort((a, b) => b.length - a.length)
    .slice(0, 1)
  const known = entries.map((entry) => ({name: entry.id, spellings: [entry.name, entry.hfId, ...entry.names, ...entry.checkpointIds]}))
  const alike =
    bare === name
      ? []
      : nearest(
          bare,
          entries.map(({id, hfId}) => ({name: id, spellings: [hfId.split('/').at(-1)!]})),
          3,
        )
  const likely = [...bases.map(({id}) => id), ...(bases.length > 0 ? [] : withEveryWord(catalogue, bare)), ...sameGeneration(entries, bare), ...alike]
  // Other builds in the same format are no help to somebody whose base is known.
  const [first, ...others] = bases.length > 0 ? likely : [...likely, ...nearest(name, known)]
  return [...new Set([...(first === undefined ? [] : [first]), ...repositoriesLike(entries, name), ...others])].slice(0, 5)
}

/** A slip in the name of a build is answered with the build too. */
function repositoriesLike(entries: readonly ModelEntry[], name: string): string[] {
  if (!name.includes('/')) return []
  const known = entries.flatMap(({hfId, checkpointIds}) => checkpointIds.filter((id) => id !== hfId))
  return nearest(name, [...new Set(known)], 2).filter((repository) => editDistance(plain(name), plain(repository), FEW_SLIPS) <= FEW_SLIPS)
}

/** More slips than these make another name. */
const FEW_SLIPS = 2

/**
 * Models whose names have every word of the asked one, which says too little to choose (`llama 70b`, `gemma4`): those that begin with it before those
 * that begin with its first word, and of these the newest first.
 */
function withEveryWord(catalogue: Catalogue, name: string): string[] {
  const asked = wordsOf(name)
  const [first = ''] = asked
  if (first.length < 3) return []
  // `deepseek-v4` begins deepseek-v4-flash and not deepseek-v4.1-flash.
  const begins = new RegExp(`^${asked.join('[^a-z0-9]*')}(?!\\.?\\d)`)
  // What another is a version of comes before it: deepseek-v4-flash before deepseek-v4-flash-vision-exp.
  const isVariant = (id: string): boolean => catalogue.modelEntries.some((other) => id.startsWith(`${other.id}-`))
  return catalogue.modelEntries
    .map(({id, pooling}) => ({id, pooling, words: wordsOf(id)}))
    .filter(({words}) => asked.every((word) => words.includes(word)))
    .map(({id, pooling, words}) => ({
      id,
      nearness: (words[0] === first ? 1 : 0) + (begins.test(id) ? 1 : 0) - (pooling ? 2 : 0) - (isVariant(id) ? 0.5 : 0),
      released: catalogue.model(id).released ?? '',
    }))
    .sort((a, b) => b.nearness - a.nearness || (a.released < b.released ? 1 : a.released > b.released ? -1 : a.id < b.id ? -1 : 1))
    .slice(0, 5)
    .map(({id}) => id)
}

/** Runs of letters and runs of digits. */
const wordsOf = (name: string): string[] => name.toLowerCase().match(/[a-z]+|\d+/g) ?? []

/** What comes before the size in a name, and the size in billions: `gemma-4` and 27. */
function generationOf(name: string): {generation: string; size: number} | undefined {
  const [, before = '', size, unit] = /^(.*?)[-_ ](\d+(?:\.\d+)?)([bmt])(?![a-z\d])/i.exec(name) ?? []
  if (size === undefined || plain(before).length < FEW_LETTERS) return undefined
  return {generation: plain(before), size: Number(size) * ({m: 0.001, b: 1, t: 1000}[unit!.toLowerCase()] ?? 1)}
}

/** Models of the asked one's generation in other sizes, the nearest size first. */
function sameGeneration(entries: readonly ModelEntry[], bare: string): string[] {
  const asked = generationOf(bare)
  if (!asked) return []
  return entries
    .flatMap(({id, hfId}) => {
      const own = generationOf(hfId.split('/').at(-1)!)
      return own?.generation === asked.generation ? [{id, away: Math.abs(Math.log(own.size / asked.size))}] : []
    })
    .sort((a, b) => a.away - b.away)
    .slice(0, 3)
    .map(({id}) => id)
}

/** A number is not cut: `minimaxm2` does not begin `minimaxm26`. */
const beginsWith = (name: string, begin: string): boolean => name.startsWith(begin) && !/^\d\d$/.test(name.slice(begin.length - 1, begin.length + 1))

/** A shorter name is the beginning of too many. */
const FEW_LETTERS = 5

/** Repositories of GGUF files hold many: which is meant is told by the type. */
const untypedGguf = (name: string): string => (/-gguf$/i.test(name) ? `. For a GGUF file of a known model say its type: ${name}:Q4_K_M` : '')

function unknownModel(catalogue: Catalogue, name: string, because: string | undefined): InputError {
  return new InputError(
    'MODEL_UNKNOWN',
    `No model named ${quotedShort(name)} in the catalogue: expected a name (qwen3-32b), a repository (Qwen/Qwen3-32B) or a path (./config.json)${untypedGguf(name)}${because === undefined ? '' : `. Outside the catalogue: ${because}`}`,
    {suggestions: nearestModels(catalogue, name)},
  )
}
