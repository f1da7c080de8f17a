import {type Imported, importConfig} from '../catalogue/import/import-config.ts'
import {parseTolerantJson} from '../catalogue/import/tolerant-json.ts'
import {InputError} from '../core/input-error.ts'
import {ADAPTER_FILE, adapterFrom} from './adapter.ts'
import {eachOf, type ModelFolder, turns} from './model-folder.ts'
import type {StoredTensor} from './safetensors-header.ts'

/** Weight files of one checkpoint that are looked into; the largest published ones have under 300. */
const MAX_SHARDS = 2000
/** Tensors of one checkpoint; the largest published ones have about 700,000 (experts with their scales). */
const MAX_TENSORS = 2_000_000

const INDEX = 'model.safetensors.index.json'

/** What a folder holds: a model, and how much of its weights. */
export interface ImportedFolder extends Imported {
  weights: 'whole' | 'partial' | 'none'
}

export interface FolderQuestion {
  /** One of several GGUF files, by its type (`Q4_K_M`) or its name. */
  variant?: string
  /** The configuration was named: GGUF files beside it are not meant. */
  configuration?: boolean
}

/**
 * The model in a folder: its configuration held against the headers of its weight files, or a GGUF file's own header.
 *
 * @throws InputError naming the file and what is wrong with it.
 */
export async function importFolder(folder: ModelFolder, {variant, configuration = false}: FolderQuestion = {}): Promise<ImportedFolder> {
  const ggufs = [...folder.files.keys()].filter((name) => /\.gguf$/i.test(name))
  if (variant !== undefined || (ggufs.length > 0 && !configuration && !hasSafetensors(folder))) {
    const {importGgufFrom} = await import('./gguf/import-gguf.ts')
    return {...(await importGgufFrom(folder, ggufs, variant)), weights: 'whole'}
  }
  if (!folder.files.has('config.json')) {
    if (folder.files.has(ADAPTER_FILE)) throw await adapterError(folder)
    const instead = folder.files.has('params.json') ? " (params.json, the publisher's own form, is not read)" : ''
    throw new InputError(
      'MODEL_FILES_MISSING',
      `${folder.title} has no config.json and no .gguf file${instead}: expected a model as Hugging Face Transformers stores it`,
    )
  }
  const [config, quantConfig, generation, index] = await Promise.all([
    json(folder, 'config.json'),
    optionalJson(folder, 'hf_quant_config.json'),
    optionalJson(folder, 'generation_config.json'),
    optionalJson(folder, INDEX),
  ])
  const weights = await tensorsOf(folder, index)
  const imported = importConfig({
    config,
    quantConfig,
    generation,
    index: weights.tensors ? indexFrom(weights.tensors) : index,
    ...(folder.hfId !== undefined && {hfId: folder.hfId}),
  })
  const {model, warnings} = imported
  warnings.push(...weights.warnings)
  if (folder.licence !== undefined) model.licence ??= folder.licence
  // The list of stages that Sentence Transformers reads: engines take it for the sign of an embedding model too (vllm/transformers_utils/config.py get_pooling_config).
  if (folder.files.has('modules.json')) model.pooling ??= {task: 'embed'}
  if (!weights.tensors) return {...imported, weights: weights.partial ? 'partial' : 'none'}
  const {checkAgainstFiles} = await import('./checkpoint-contents.ts')
  return {...checkAgainstFiles(imported, weights.tensors), weights: 'whole'}
}

/** A LoRA adapter given as a model: what it belongs to, and how to ask. */
async function adapterError(folder: ModelFolder): Promise<InputError> {
  const {rank, base} = adapterFrom(await json(folder, ADAPTER_FILE), folder.title)
  const of = base === undefined ? '' : ` of ${base}`
  return new InputError(
    'MODEL_IS_ADAPTER',
    `${folder.title} is a LoRA adapter of rank ${rank}${of}, not a model: expected the model that it was trained on, with the adapter beside it: servefit check ${base ?? 'MODEL'} --lora ${folder.title}`,
  )
}

const hasSafetensors = (folder: ModelFolder): boolean => [...folder.files.keys()].some((name) => name.endsWith('.safetensors'))

async function json(folder: ModelFolder, file: string): Promise<unknown> {
  return parseTolerantJson(await folder.text(file), `${folder.title}: ${file}`)
}

const optionalJson = async (folder: ModelFolder, file: string): Promise<unknown> => (folder.files.has(file) ? json(folder, file) : undefined)

interface Weights {
  tensors?: StoredTensor[]
  /** Some files are there and some are not. */
  partial?: boolean
  warnings: string[]
}

/** Every tensor of the weight files, from their headers; undefined where the files are not all there. */
async function tensorsOf(folder: ModelFolder, index: unknown): Promise<Weights> {
  const shards = shardsOf(folder, index)
  if (shards.length === 0) return {warnings: []}
  if (shards.length > MAX_SHARDS)
    throw new InputError('MODEL_TOO_MANY_FILES', `${folder.title} names ${shards.length} weight files; expected at most ${MAX_SHARDS}`)
  const missing = shards.filter((shard) => !folder.files.has(shard))
  if (missing.length > 0)
    return {
      partial: missing.length < shards.length,
      warnings: [
        `${missing.length} of ${shards.length} weight files are missing (${missing[0]}${missing.length > 1 ? ', ...' : ''}): the size follows from the configuration`,
      ],
    }
  const {readSafetensorsHeader} = await import('./safetensors-header.ts')
  let count = 0
  const inTurn = turns()
  const headers = await eachOf(shards, folder.parallel, async (shard) => {
    const source = await folder.open(shard)
    try {
      const tensors = await readSafetensorsHeader(source, inTurn)
      count += tensors.length
      if (count > MAX_TENSORS) throw new InputError('SAFETENSORS_INVALID', `${folder.title} holds more than ${MAX_TENSORS.toLocaleString('en-US')} tensors`)
      return tensors
    } finally {
      await source.close()
    }
  })
  const tensors = new Map<string, StoredTensor>()
  const warnings: string[] = []
  for (const tensor of headers.flat()) {
    if (tensors.has(tensor.name) && warnings.length === 0)
      warnings.push(`tensor ${JSON.stringify(tensor.name.slice(0, 200))} is in two weight files; one is counted`)
    tensors.set(tensor.name, tensor)
  }
  return {tensors: [...tensors.values()], warnings}
}

/** The index names the shards; without one, the files beside the configuration, in one of the two forms some publishers ship side by side. */
function shardsOf(folder: ModelFolder, index: unknown): string[] {
  const map = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined
  if (typeof map === 'object' && map !== null) {
    const named = new Set(Object.values(map).slice(0, MAX_TENSORS))
    const shards = [...named].filter((name): name is string => typeof name === 'string' && /^[\w][\w.-]{0,200}\.safetensors$/.test(name))
    if (shards.length === named.size && shards.length > 0) return shards.sort()
  }
  const all = [...folder.files.keys()].filter((name) => /^[^/]+\.safetensors$/.test(name)).sort()
  const usual = all.filter((name) => /^model/.test(name))
  const unadapted = all.filter((name) => !/^(?:adapter|consolidated)/.test(name))
  return usual.length > 0 ? usual : unadapted.length > 0 ? unadapted : all.filter((name) => name.startsWith('consolidated'))
}

/** The index that files without one would have. */
const indexFrom = (tensors: readonly StoredTensor[]): unknown => ({
  metadata: {total_size: tensors.reduce((sum, {bytes}) => sum + bytes, 0)},
  weight_map: Object.fromEntries(tensors.map(({name}) => [name, ''])),
})
