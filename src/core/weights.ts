import {type Architecture, layerCounts} from './architecture.ts'
import {PairMemo} from './bounded-map.ts'
import {matrixBytes, weightFormat} from './formats.ts'
import type {Checkpoint, TensorClass, TensorFormats} from './model.ts'
import {draftTensors, layerTensors, outerTensors, type WeightTensor} from './tensors.ts'

/** How one replica's ranks divide the weights. Sizes are counts of ranks. */
export interface ShardLayout {
  attentionTp: number
  denseTp: number
  vocabularyTp: number
  /** Ranks that share the input embedding, where they are not those of the head (data-parallel attention). */
  embeddingTp?: number
  /** Ranks that share one expert's matrices. */
  expertTp: number
  /** Ranks that divide the experts among them. */
  expertParallel: number
  encoderTp: number
}

export const WHOLE: ShardLayout = {attentionTp: 1, denseTp: 1, vocabularyTp: 1, expertTp: 1, expertParallel: 1, encoderTp: 1}

/** Layers `first` to `last` (exclusive) with what stands before and behind them: one pipeline stage. */
export interface Stage {
  first: number
  last: number
  embedding: boolean
  head: boolean
}

export const wholeModel = (architecture: Architecture): Stage => ({first: 0, last: architecture.layerSequence.length, embedding: true, head: true})

/** Small tensors that no recipe quantises stay at the model's 16 bits. */
const NATIVE = weightFormat('bf16')
/** Tables and norms are left alone by a `default` format: a recipe that quantises them says so by name. */
const KEPT_BY_DEFAULT: readonly string[] = ['embedding', 'head', 'router', 'norm', 'linear.small', 'extra', 'encoder', 'indexer.small']

/**
 * Name of the format of a tensor class under a recipe: the longest prefix that the recipe names, else `default`, except
 * for classes that recipes leave at 16 bits unless named.
 */
export function formatOf(formats: TensorFormats, tensorClass: string): string {
  for (let name = tensorClass; ; name = name.slice(0, name.lastIndexOf('.'))) {
    const format = formats[name]
    if (format !== undefined) return format
    if (!name.includes('.')) break
  }
  if (KEPT_BY_DEFAULT.some((kept) => tensorClass === kept || tensorClass.startsWith(`${kept}.`)))
    return formats.default === 'fp32' || formats.default === 'fp16' ? formats.default : 'bf16'
  return formats.default
}

const covers = (prefix: string, tensorClass: string): boolean => prefix === '*' || tensorClass === prefix || tensorClass.startsWith(`${prefix}.`)

/** Format of a tensor class in one layer, its exceptions considered. */
function formatInLayer(checkpoint: Checkpoint, tensorClass: string, layer: number): string {
  const exception = checkpoint.exceptions?.findLast((e) => covers(e.tensors, tensorClass) && e.layers.includes(layer))
  return exception?.format ?? formatOf(checkpoint.formats, tensorClass)
}

const paddedTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple

/** Rows, columns and count of a tensor on one rank of a layout. Uneven splits give the fuller rank. */
export function shardOf(tensor: WeightTensor, layout: ShardLayout): {rows: number; columns: number; count: number} {
  const {axis, domain} = tensor.shard
  let {rows, columns, count} = tensor
  if (domain === 'experts') count = Math.ceil(count / layout.expertParallel)
  const ranks =
    domain === 'attention'
      ? layout.attentionTp
      : domain === 'dense'
        ? layout.denseTp
        : domain === 'experts'
          ? layout.expertTp
          : tensor.class === 'embedding'
            ? (layout.embeddingTp ?? layout.vocabularyTp)
            : layout.vocabularyTp
  if (ranks === 1 || axis === 'none') return {rows, columns, count}
  switch (axis) {
    case 'rows':
      rows = Math.ceil(rows / ranks)
      break
    case 'columns':
      columns = Math.ceil(columns / ranks)
      break
    case 'vocabulary':
      rows = paddedTo(rows, 64) / ranks
      break
    case 'kv': {
      const heads = tensor.kvHeadCount ?? 1
      rows = (rows / heads) * Math.max(1, Math.ceil(heads / ranks))
      break
    }
  }
  return {rows, columns, count}
}

/** Bytes of a tensor on one rank in a format. */
export function tensorBytes(tensor: WeightTensor, format: string, layout: ShardLayout): number {
  const {rows, columns, count} = shardOf(tensor, layout)
  return count * matrixBytes(tensor.unquantised ? NATIVE : weightFormat(format), rows, columns)
}

type BytesByClass = Map<TensorClass, number>

const addTo = (sums: BytesByClass, tensorClass: TensorClass, bytes: number) => sums.set(tensorClass, (sums.get(tensorClass) ?? 0) + bytes)

/** Sums that were made already, by what they depend on: a plan asks for the same ones at every context and load. */
const KNOWN_SUMS = new PairMemo<Architecture, Checkpoint, ReadonlyMap<TensorClass, number>>(10_000)

/** Bytes of a stage's weights on one rank, by tensor class. Draft layers and encoders are reckoned apart. */
export function weightBytes(
  architecture: Architecture,
  checkpoint: Checkpoint,
  layout: ShardLayout,
  stage: Stage = wholeModel(architecture),
): ReadonlyMap<TensorClass, number> {
  const {attentionTp, denseTp, vocabularyTp, embeddingTp, expertTp, expertParallel} = layout
  const key = `${attentionTp} ${denseTp} ${vocabularyTp} ${embeddingTp} ${expertTp} ${expertParallel} ${stage.first} ${stage.last} ${stage.embedding} ${stage.head}`
  return KNOWN_SUMS.once(architecture, checkpoint, key, () => sumWeights(architecture, checkpoint, layout, stage))
}

function sumWeights(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout, stage: Stage): BytesByClass {
  const sums: BytesByClass = new Map()
  const whole = stage.first === 0 && stage.last === architecture.layerSequence.length
  const layersOfKind: number[][] = architecture.layerKinds.map(() => [])
  if (checkpoint.exceptions?.length || !whole)
    for (let layer = stage.first; layer < stage.last; layer++) layersOfKind[architecture.layerSequence[layer]!]!.push(layer)
  const counts = whole ? layerCounts(architecture) : layersOfKind.map((layers) => layers.length)
  architecture.layerKinds.forEach((kind, index) => {
    if (counts[index] === 0) return
    for (const tensor of layerTensors(architecture, kind)) {
      const general = formatOf(checkpoint.formats, tensor.class)
      const special = tensor.unquantised ? [] : (checkpoint.exceptions ?? []).filter((e) => covers(e.tensors, tensor.class))
      if (special.length === 0) addTo(sums, tensor.class, counts[index]! * tensorBytes(tensor, general, layout))
      else for (const layer of layersOfKind[index]!) addTo(sums, tensor.class, tensorBytes(tensor, formatInLayer(checkpoint, tensor.class, layer), layout))
    }
  })
  for (const tensor of outerTensors(architecture)) {
    const isHead = tensor.class === 'head'
    const tiedCopy = tensor.class === 'embedding' && architecture.tiedEmbeddings && stage.head
    if (isHead ? stage.head : stage.embedding || tiedCopy) addTo(sums, tensor.class, tensorBytes(tensor, formatOf(checkpoint.formats, tensor.class), layout))
  }
  return sums
}

/** Bytes of all draft layers on one rank; 0 where the checkpoint has none. Formats are looked up under `draft.` first. */
export function draftWeightBytes(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout): number {
  if (!architecture.draft || checkpoint.draftIncluded === false) return 0
  let bytes = 0
  for (const tensor of draftTensors(architecture)) bytes += tensorBytes(tensor, draftFormat(checkpoint.formats, tensor.class), layout)
  return bytes * architecture.draft.layerCount
}

export function draftFormat(formats: TensorFormats, tensorClass: string): string {
  for (let name = `draft.${tensorClass}`; ; name = name.slice(0, name.lastIndexOf('.'))) {
    const format = formats[name]
    if (format !== undefined) return format
    if (!name.includes('.')) break
  }
  return formatOf(formats, tensorClass)
}

/** Bytes of the encoders on one rank, at 16 bits unless the recipe names them. */
export function encoderWeightBytes(architecture: Architecture, checkpoint: Checkpoint, layout: ShardLayout): number {
  if (checkpoint.encodersIncluded === false) return 0
  const elements = (architecture.encoders ?? []).reduce((sum, encoder) => sum + encoder.parameterCount, 0)
  return (elements * weightFormat(formatOf(checkpoint.formats, 'encoder')).elementBits) / 8 / layout.encoderTp
}

export const sumOf = (sums: ReadonlyMap<TensorClass, number>): number => [...sums.values()].reduce((a, b) => a + b, 0)

/** Bytes of the weight files: everything once, the head twice where a tied model stores it. */
export function checkpointBytes(architecture: Architecture, checkpoint: Checkpoint): number {
  const stored = architecture.headStoredTwice ? architecture.vocabularySize * architecture.hiddenSize * 2 : 0
  return (
    sumOf(weightBytes(architecture, checkpoint, WHOLE)) +
    draftWeightBytes(architecture, checkpoint, WHOLE) +
    encoderWeightBytes(architecture, checkpoint, WHOLE) +
    stored
  )
}
