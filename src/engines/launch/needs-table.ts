import type {EngineId} from '../../core/deployment.ts'

/** An option that a model wants, from the release that has it. */
export interface NeededOption {
  flag: string
  value: string | number | true
  since?: string
  /** Only in the image of this vendor, where the file that it names lies. */
  inImage?: 'nvidia'
  because: string
}

/** What one model wants from one engine besides its layout; `data/engines/needs.yaml`. */
export interface ModelNeed {
  toolCallParser?: string
  /** Of releases that do not have the first. */
  earlierToolCallParser?: string
  reasoningParser?: string
  trustRemoteCode?: boolean
  tokenizerMode?: string
  /** TensorRT-LLM's name for the same. */
  customTokenizer?: string
  configFormat?: string
  loadFormat?: string
  kvCacheDtype?: string
  /** Tokens of a cache block. */
  blockSize?: number
  tokensPerBlock?: number
  environment?: Record<string, string>
  /** Further options that its publisher or a recipe gives it in every case. */
  options?: NeededOption[]
}

export interface NeedEntry {
  match: string[]
  architectures?: string[]
  source: string[]
  vllm?: ModelNeed
  sglang?: ModelNeed
  trtllm?: ModelNeed
}

/** What models are run with on certain cards, or on any where none is named: what every entry that fits has. */
export interface HardwareNeed {
  engine: EngineId
  /** AMD targets that it is for. */
  gfx?: string[]
  /** NVIDIA's compute capabilities that it is for, by their whole number: 9 is Hopper, 10 the Blackwell of data centres. */
  capabilities?: number[]
  /** Names of the checkpoint or of its model. */
  match?: string[]
  /** Names of checkpoints alone: kernels belong to a format of weights. */
  checkpoints?: string[]
  /** Architecture classes: kernels belong to the shape of a model. */
  architectures?: string[]
  environment?: Record<string, string>
  options?: NeededOption[]
  source: string[]
}

/** First release with each parser's name; `any`: every release that is known. */
export type ParserReleases = Record<'toolCallParser' | 'reasoningParser', Record<string, string>>

export interface NeedsTable {
  parsers: Record<EngineId, ParserReleases>
  models: NeedEntry[]
  hardware?: HardwareNeed[]
  revisions?: Revision[]
}

/** A checkpoint that its maker has released anew under another name. */
export interface Revision {
  of: string
  newer: string
  source: string[]
}
