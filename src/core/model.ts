import type {Architecture} from './architecture.ts'
import type {Quality} from './quality.ts'

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
  /** The limit of its own configuration, where that is not the model's. */
  contextTokens?: number
  /** Cache format that `auto` resolves to when the checkpoint carries cache scales. */
  kvCache?: string
  /** The draft layers are in the files. Default: as the architecture has them. */
  draftIncluded?: boolean
  /** Its draft layers draft by this method, where that is not multi-token prediction alone. */
  draftMethod?: 'dspark'
  /** The encoders are in the files. Default: true. */
  encodersIncluded?: boolean
  /** `quant_method` of its configuration, for the engines' support tables. */
  quantMethod?: string
  /** Who published it: a known organisation or a community upload. Absent: the model's maker. */
  publisher?: 'known' | 'community'
  /** Publisher of the quantised build differs from the model's. */
  thirdParty?: boolean
  /** The publisher's recipe could not be read: `formats` are those that the method leaves by default. */
  formatsAssumed?: boolean
  /** Further names of the same repository or of mirrors of it. */
  aliases?: string[]
  /** Where its files lie on this machine, as an absolute path: what is started instead of a repository. */
  path?: string
  source?: string
  /** What is known of its loss against the original; filled when the catalogue is compiled. Absent: not looked up. */
  quality?: Quality
}

/**
 * A change of the rotation of positions that lets a model read further than it was trained: `factor` times `originalTokens`
 * (YaRN, arXiv:2309.00071).
 */
export interface RopeScaling {
  type: 'yarn'
  /** The largest that the publisher documents; a smaller one reads less and costs less. */
  factor: number
  originalTokens: number
  /** Base of the rotation. Newer engines read it from the same field as the scaling, so whoever writes one writes both. */
  theta: number
  /** Share of a head that is rotated, where it is not the whole. */
  partialRotaryFactor?: number
  /** Rotated pairs for time, height and width, in multimodal models. */
  mropeSection?: number[]
  mropeInterleaved?: boolean
}

/** How far a model reads beyond the limit of its own configuration, and what has to be changed in that for it. */
export interface ExtendedContext {
  tokens: number
  /** Neither this nor `raisedLimit`: the publisher names the length and not the way. */
  ropeScaling?: RopeScaling
  /** Nothing is scaled: the number in the configuration is lower than what the model reads. */
  raisedLimit?: true
  /** Where the configuration keeps the language model's fields, if not at its top. */
  configPath?: string
  /** First release of an engine that reads this model so, where it is later than what the engine takes from others. */
  since?: Record<string, string>
  source: string
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
  /** What the publisher documents beyond `architecture.contextTokens`. */
  extendedContext?: ExtendedContext
  notes?: string[]
  /** Nothing but name and size is known: the architecture is a stand-in of the right size. */
  knownByName?: {since?: Record<string, string>; contextTokens?: number}
  /** It turns texts into vectors or scores and writes none; absent: it writes. */
  pooling?: Pooling
  /** What is known of storing its cache in a format, by format; filled with the checkpoints' quality. */
  cacheQuality?: Record<string, Quality>
}

/** A model that reads a text once and gives a vector (embed) or a score (rerank). */
export interface Pooling {
  task: 'embed' | 'rerank'
  /** Every token sees every other: nothing is cached, and a text is read in one step. */
  bidirectional?: true
  /** Changes of its configuration that engines want to be told, as JSON. */
  hfOverrides?: Record<string, unknown>
  /** The repository brings code of its own. */
  trustRemoteCode?: true
}
