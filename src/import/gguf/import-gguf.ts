import type {Imported} from '../../catalogue/import/import-config.ts'
import {displayName, modelId} from '../../catalogue/import/model-names.ts'
import {InputError} from '../../core/input-error.ts'
import type {Checkpoint, Model} from '../../core/model.ts'
import {checkpointBytes} from '../../core/weights.ts'
import {formatsFrom, type StoredFormat} from '../class-formats.ts'
import {eachOf, type ModelFolder} from '../model-folder.ts'
import {architectureOf} from './architecture.ts'
import {FAMILIES} from './families.ts'
import {type GgufHeader, readGgufHeader} from './header.ts'
import {GgufFile} from './metadata.ts'
import {classesOf, OUTER_CLASSES} from './tensor-classes.ts'
import {FILE_TYPES, type GgmlType, nearestFormat} from './types.ts'

const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i
/** Parts of one model; the largest published ones have some 50. */
const MAX_PARTS = 512

/** The model of one of a folder's GGUF files; `variant` is its name or the type in it (`Q4_K_M`). */
export async function importGgufFrom(folder: ModelFolder, names: readonly string[], variant?: string): Promise<Imported> {
  const file = chosen(folder, names, variant)
  const parts = partsOf(folder, file)
  const headers = await eachOf(parts, folder.parallel, async (part) => {
    const source = await folder.open(part)
    try {
      return await readGgufHeader(source)
    } finally {
      await source.close()
    }
  })
  const whole: GgufHeader = {version: headers[0]!.version, metadata: headers[0]!.metadata, tensors: headers.flatMap(({tensors}) => tensors)}
  const title = folder.title.endsWith(file) ? folder.title : `${folder.title}: ${file}`
  if (new Set(whole.tensors.map(({name}) => name)).size < whole.tensors.length)
    throw new InputError('GGUF_INVALID', `${title}: two parts hold the same tensor; expected the parts of one model`)
  const sizes = parts.map((part) => folder.files.get(part))
  return modelOf(
    new GgufFile(title, whole),
    whole,
    file,
    folder,
    sizes.some((size) => size === undefined) ? undefined : sizes.reduce((sum: number, size) => sum + size!, 0),
  )
}

/** Files of vision towers lie beside the language model's. */
const isTower = (name: string): boolean => /(?:^|\/)mmproj|\bmmproj\b/i.test(name)

function chosen(folder: ModelFolder, names: readonly string[], variant: string | undefined): string {
  const models = names.filter((name) => !isTower(name) && Number(SPLIT.exec(name)?.[1] ?? 1) === 1)
  if (variant !== undefined) {
    const exact = names.find((name) => name === variant)
    if (exact) return exact
    const tagged = models.filter((name) => tagOf(name) === variant.toLowerCase())
    if (tagged.length > 0) return tagged.sort((a, b) => a.length - b.length)[0]!
    throw new InputError('VARIANT_UNKNOWN', `${folder.title} has no GGUF file of type "${variant}"`, {suggestions: tagsOf(models)})
  }
  if (models.length === 1) return models[0]!
  if (models.length === 0) throw new InputError('MODEL_FILES_MISSING', `${folder.title} has no GGUF file of a language model`)
  const tags = tagsOf(models)
  const how =
    folder.hfId === undefined
      ? `give one of them: ${folder.title.replace(/[\\/]+$/, '')}/${models[0]}`
      : `say which: ${folder.hfId}:${tags.find((tag) => tag === 'Q4_K_M') ?? tags[0]}`
  throw new InputError('MODEL_AMBIGUOUS', `${folder.title} has ${models.length} GGUF files (${tags.slice(0, 12).join(', ')}): ${how}`)
}

/** The type in a file's name: `Qwen3-32B-UD-Q4_K_XL.gguf` has `q4_k_xl`. */
const typeIn = (name: string): string | undefined =>
  /[-.]((?:I?Q\d\w*|TQ\d_\d|MXFP4\w*|NVFP4|BF16|F16|F32))(?:-\d{5}-of-\d{5})?\.gguf$/i.exec(name)?.[1]?.toLowerCase()
const tagOf = (name: string): string => typeIn(name) ?? name.toLowerCase()
const tagsOf = (names: readonly string[]): string[] => [...new Set(names.map((name) => tagOf(name).toUpperCase()))].sort()

function partsOf(folder: ModelFolder, file: string): string[] {
  const split = SPLIT.exec(file)
  if (!split) return [file]
  const count = Number(split[2])
  if (count < 1 || count > MAX_PARTS) throw new InputError('GGUF_INVALID', `${file} says that it is one of ${count} parts; expected at most ${MAX_PARTS}`)
  const parts = Array.from({length: count}, (_, index) => `${file.slice(0, split.index)}-${String(index + 1).padStart(5, '0')}-of-${split[2]}.gguf`)
  const missing = parts.filter((part) => !folder.files.has(part))
  if (missing.length > 0) throw new InputError('MODEL_FILES_MISSING', `${missing.length} of ${count} parts are missing: ${missing[0]}`)
  return parts
}

function modelOf(file: GgufFile, header: GgufHeader, name: string, folder: ModelFolder, fileBytes: number | undefined): Imported {
  if (file.architecture === 'clip' || file.text('general.type') === 'mmproj')
    throw new InputError('MODEL_CONFIG_INVALID', `${file.title} holds a vision tower alone: give the language model's file`)
  const kind = file.text('general.type')
  if (kind !== undefined && kind !== 'model')
    throw new InputError('MODEL_CONFIG_INVALID', `${file.title} holds no model but ${JSON.stringify(kind.slice(0, 40))}`)
  const warnings: string[] = []
  const architecture = architectureOf(file, warnings)
  const dataBytes = header.tensors.reduce((sum, {bytes}) => sum + bytes, 0)
  const unknown = new Set<string>()
  const recipe = formatsFrom(
    storedFormats(
      file,
      architecture.layerSequence.map((index) => architecture.layerKinds[index]!.mixers),
      unknown,
    ),
  )
  if (unknown.size > 0) warnings.push(`${[...unknown].join(', ')}: this type is not known; its tensors are counted as the nearest known one`)
  const type = FILE_TYPES[file.general('general.file_type') ?? -1]
  const tag = typeIn(name)?.replace(/^f(16|32)$/, 'fp$1')
  // Mixtures beyond llama.cpp's own (UD-Q4_K_XL) are told by the name alone.
  const weights = tag ?? type ?? recipe.formats.default
  const checkpoint: Checkpoint = {hfId: folder.hfId ?? '', weights, ...recipe, bytes: fileBytes ?? dataBytes, quantMethod: 'gguf'}
  // Norms, biases and constants are 32-bit here; they are reckoned at 16 bits, as the engines load them.
  const reckoned = header.tensors.reduce((sum, {name: tensor, bytes, elements}) => sum + (isSmall(tensor) ? Math.min(bytes, 2 * elements) : bytes), 0)
  const computed = checkpointBytes(architecture, checkpoint)
  if (Math.abs(computed - reckoned) > 0.01 * reckoned)
    warnings.push(
      `the tensors take ${dataBytes.toLocaleString('en-US')} bytes, but the layers that were understood take ${Math.round(computed).toLocaleString('en-US')}`,
    )
  return {model: named(file, name, folder, {architecture, checkpoints: [checkpoint]}), warnings}
}

const isSmall = (tensor: string): boolean => !Object.hasOwn(OUTER_CLASSES, tensor) && classesOf(tensor.replace(/^blk\.\d+\./, ''), []).length === 0

function named(file: GgufFile, name: string, folder: ModelFolder, rest: Pick<Model, 'architecture' | 'checkpoints'>): Model {
  const source = file.text('general.source.huggingface.repository') ?? file.text('general.source.repo_url') ?? file.text('general.base_model.0.repo_url')
  const original = source?.replace(/^https?:\/\/(?:www\.)?huggingface\.co\//, '')
  const hfId = folder.hfId ?? (original !== undefined && /^[\w.-]+\/[\w.-]+$/.test(original) ? original : '')
  const title =
    file.text('general.name') ??
    (hfId !== ''
      ? displayName(hfId)
      : name
          .replace(/^.*\//, '')
          .replace(SPLIT, '')
          .replace(/\.gguf$/i, ''))
  const licence = file.text('general.license') ?? folder.licence
  return {
    id: modelId(title.replaceAll(' ', '-')),
    hfId,
    name: title.slice(0, 200),
    family: FAMILIES[file.architecture]?.family ?? file.architecture,
    ...(licence !== undefined && /^[\w .+-]{1,80}$/.test(licence) && {licence}),
    modality: ['text', ...(rest.architecture.encoders ?? []).map(({modality}) => modality)],
    ...rest,
  }
}

function* storedFormats(file: GgufFile, mixers: readonly Parameters<typeof classesOf>[1][], unknown: Set<string>): Generator<StoredFormat> {
  const formatOf = (type: GgmlType): string => {
    if (type.format !== undefined) return type.format
    unknown.add(type.name)
    return nearestFormat(type)
  }
  for (const [layer, block] of file.blocks.entries()) {
    const draft = layer >= mixers.length
    for (const [name, {type, elements}] of block) {
      if (name.startsWith('nextn.')) continue
      for (const tensorClass of classesOf(name, draft ? [] : mixers[layer]!))
        yield {tensorClass, format: formatOf(type), elements, ...(draft ? {draft: true} : {layer})}
    }
  }
  for (const [name, tensorClass] of Object.entries(OUTER_CLASSES)) {
    const tensor = file.outer.get(name)
    if (tensor) yield {tensorClass, format: formatOf(tensor.type), elements: tensor.elements}
  }
}
