import type {Architecture} from './architecture.ts'

/**
 * What a weight tensor is for. A checkpoint names a format for `default` and for the classes that differ; the longest
 * matching prefix wins (`attention.output` before `attention` before `default`), and draft layers look under
 * `draft.<class>` and `draft` first.
 */
export type TensorClass =
  | 'embedding'
  | 'embedding.per-layer'
  | 'head'
  | 'attention.query'
  | 'attention.key'
  | 'attention.value'
  | 'attention.output'
  | 'attention.gate'
  | 'attention.query-a'
  | 'attention.query-b'
  | 'attention.kv-a'
  | 'attention.kv-b'
  | 'attention.output-a'
  | 'attention.compressor'
  | 'linear.in'
  | 'linear.gate'
  | 'linear.out'
  | 'linear.small'
  | 'indexer'
  | 'mlp.in'
  | 'mlp.out'
  | 'experts.in'
  | 'experts.out'
  | 'shared-experts.in'
  | 'shared-experts.out'
  | 'latent'
  | 'router'
  | 'norm'
  | 'extra'
  | 'encoder'

/** Weight formats by tensor class or by a prefix of one; `default` covers the rest. */
export type TensorFormats = {default: string} & Record<string, string>

/** Some layers of a class kept in another format (the first and last ones, often). */
export interface FormatException {
  tensors: string
  layers: number[]
  format: string
}

/** A published set of weights of an architecture. */
export interface Checkpoint {
  hfId: string
  /** Short name of the dominant format, as in the contract: bf16, fp8, fp8-block, awq-int4, nvfp4, native, q4_k_m, ... */
  weights: string
  formats: TensorFormats
  exceptions?: FormatException[]
  /** Bytes of the weight files, where a source states them. */
  bytes?: number
  /** Cache format that `auto` resolves to when the checkpoint carries cache scales. */
  kvCache?: string
  /** The draft layers are in the files. Default: as the architecture has them. */
  draftIncluded?: boolean
  /** The encoders are in the files. Default: true. */
  encodersIncluded?: boolean
  /** `quant_method` of its configuration, for the engines' support tables. */
  quantMethod?: string
  /** Publisher of the quantised build differs from the model's. */
  thirdParty?: boolean
  /** The publisher's recipe could not be read: `formats` are those that the method leaves by default. */
  formatsAssumed?: boolean
  /** Further names of the same repository or of mirrors of it. */
  aliases?: string[]
  source?: string
}

/** Layers of a draft that is a checkpoint of its own: dense, with grouped-query attention. */
export interface DraftShape {
  layerCount: number
  hiddenSize: number
  intermediateSize: number
  queryHeadCount: number
  kvHeadCount: number
  headDim: number
  /** Tokens that its own head covers; absent: it has none and uses the model's. */
  vocabularySize?: number
}

/** A checkpoint that drafts tokens for a model (speculative decoding). Figures that nobody published are absent. */
export interface Draft {
  hfId: string
  /** Method by the scenario's name: eagle3, dflash, mtp (an assistant), ... */
  method: string
  /** Engines that its publisher offers it for; absent: not said. Others may load it too. */
  engines?: string[]
  parameters?: number
  bytes?: number
  layerCount?: number
  shape?: DraftShape
  source: string[]
}

/** A model of the catalogue, or one imported from a file. */
export interface Model {
  /** Name within the catalogue: qwen3-32b. */
  id: string
  /** Repository of the reference checkpoint. */
  hfId: string
  name: string
  family: string
  aliases?: string[]
  licence?: string
  released?: string
  modality?: string[]
  architecture: Architecture
  checkpoints: Checkpoint[]
  /** Checkpoints that draft for it. */
  drafts?: Draft[]
  /** Figures the publisher states, for checking what is computed. */
  published?: {totalParams?: number; activeParams?: number; source: string}
  /** Longest context with the scaling that the publisher documents (YaRN). */
  extendedContextTokens?: number
  notes?: string[]
}
