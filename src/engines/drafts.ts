/** What a speculation method loads beside the model. */
import type {Architecture, LayerKind} from '../core/architecture.ts'
import type {Speculation} from '../core/deployment.ts'
import type {Draft, DraftShape, Model} from '../core/model.ts'
import type {Warning} from '../core/terms.ts'
import {methodWord} from './speculation/methods.ts'

/**
 * none: drafted from the text itself. layers: the multi-token-prediction layers of the checkpoint. Others are checkpoints of their
 * own: `assistant` a small model that reads the cache of its target, `eagle` one layer, `block` a few layers that draft a block at once,
 * `model` a small language model.
 */
export type DraftKind = 'none' | 'layers' | 'assistant' | 'eagle' | 'block' | 'model'

const WITHOUT_MODEL = ['ngram', 'suffix', 'prompt-lookup', 'prompt_lookup']
const BLOCK = ['dflash', 'dflash2', 'dspark', 'medusa', 'mlp_speculator']
const MODEL = ['standalone', 'draft_model', 'draft-model', 'draft', 'pard']

export function draftKind(architecture: Architecture, speculative: Speculation | undefined): DraftKind {
  if (speculative === undefined) return 'none'
  const method = methodWord(speculative.method)
  if (WITHOUT_MODEL.includes(method)) return 'none'
  // DeepSeek-V4's drafter lies in the model's own checkpoint.
  if (method === 'dspark' && architecture.draft !== undefined && speculative.draft === undefined) return 'layers'
  if (BLOCK.includes(method)) return 'block'
  if (MODEL.includes(method)) return 'model'
  if (method === 'eagle3') return 'eagle'
  const predicts = method.includes('mtp') || method === 'nextn'
  // A named draft of another method drafts, whatever the model has itself.
  if (architecture.draft !== undefined && (predicts || speculative.draft === undefined)) return 'layers'
  if (!predicts) return 'eagle'
  // Gemma 4's assistants read the model's own cache and are small: nothing is counted for one that is not known.
  return speculative.draft === undefined ? 'none' : 'assistant'
}

/** The method runs the multi-token-prediction layers of the checkpoint. */
export const usesDraftLayers = (architecture: Architecture, speculative: Speculation | undefined): boolean => draftKind(architecture, speculative) === 'layers'

/** Layers of DeepSeek-V4's block drafter where the configuration does not say (vllm/models/deepseek_v4/nvidia/dspark.py n_mtp_layers, 0.26.0 to 0.33.0). */
const DSPARK_LAYERS = 3

/** Draft layers of the checkpoint that a method loads: each of them has weights and a cache. */
export function draftLayerCount({draft}: Architecture, speculative: Speculation | undefined): number {
  if (!draft) return 0
  if (draft.builtAsDrafted && speculative !== undefined) return Math.min(draft.layerCount, speculative.tokens)
  return speculative !== undefined && methodWord(speculative.method) === 'dspark' ? Math.max(DSPARK_LAYERS, draft.layerCount) : draft.layerCount
}

/** What each of them is, first to last. */
export function draftLayers(architecture: Architecture, speculative: Speculation | undefined): LayerKind[] {
  const {draft} = architecture
  if (!draft) return []
  const {kind, others} = draft
  return Array.from({length: draftLayerCount(architecture, speculative)}, (_, place) => (others?.places.includes(place) ? others.kind : kind))
}

/** A block is drafted at once, by layers of the checkpoint or by a model of its own. */
export const draftsBlocks = (architecture: Architecture, speculative: Speculation | undefined): boolean =>
  draftKind(architecture, speculative) === 'block' || (speculative !== undefined && methodWord(speculative.method) === 'dspark')

/** What is known of the draft that a deployment names. */
export const knownDraft = ({drafts = []}: Pick<Model, 'drafts'>, speculative: Speculation | undefined): Draft | undefined =>
  speculative?.draft === undefined ? undefined : drafts.find(({hfId}) => hfId.toLowerCase() === speculative.draft!.toLowerCase())

/** Layers of a block drafter: Qwen's have five, Laguna's six, gpt-oss' eight (DFlash checkpoints, 2026). */
const BLOCK_LAYERS = 5
/** The usual small model: Llama 3.2 1B has 1.24 billion parameters in 16 layers, Qwen3 0.6B 0.6 in 28. */
const MODEL_LAYERS = 16
const MODEL_PARAMETERS = 1.24e9
/** Tokens of the reduced vocabulary that EAGLE-3 heads cover. */
const EAGLE_VOCABULARY = 32000
/** Layers of Gemma 4's assistants. */
const ASSISTANT_LAYERS = 4

/** Layers with a cache of their own that a draft has. */
export function ownDraftLayers(architecture: Architecture, speculative: Speculation | undefined, draft?: Draft): number {
  const known = draft?.shape?.layerCount ?? draft?.layerCount
  switch (draftKind(architecture, speculative)) {
    case 'eagle':
      return known ?? 1
    case 'block':
      return known ?? BLOCK_LAYERS
    case 'model':
      return known ?? MODEL_LAYERS
    default:
      return 0
  }
}

/** As wide as the model's widest dense layer; three hidden states wide where it has none. */
function assumedWidth({layerKinds, hiddenSize}: Architecture): number {
  return Math.max(...layerKinds.map(({feedForward}) => (feedForward?.kind === 'dense' ? feedForward.intermediateSize : 0)), 3 * hiddenSize)
}

/**
 * Parameters of a draft of known shape. Attention takes the embedding beside the hidden state in EAGLE-3 (twice as wide), three hidden states of
 * the target (EAGLE-3) or one for each layer (block drafters, five in DFlash) are projected to one; norms are left out.
 * With the configurations of SpecForge this is what the repositories hold: 1.40 billion for Llama 3.3 70B (2.81 GB).
 */
export function shapeParameters(
  method: string,
  {layerCount, hiddenSize, intermediateSize, queryHeadCount, kvHeadCount, headDim, vocabularySize = 0}: DraftShape,
): number {
  const chained = method === 'eagle3'
  const inputs = chained ? 2 : 1
  const attention = inputs * hiddenSize * (queryHeadCount + 2 * kvHeadCount) * headDim + queryHeadCount * headDim * hiddenSize
  const fused = chained ? 3 : method === 'eagle' ? 2 : layerCount
  return layerCount * (attention + 3 * hiddenSize * intermediateSize) + fused * hiddenSize * hiddenSize + vocabularySize * hiddenSize
}

/** Bytes of a draft as published, or by its published shape at 16 bits; undefined where neither is known. */
export function publishedDraftBytes(draft: Draft | undefined): number | undefined {
  if (draft === undefined) return undefined
  if (draft.bytes !== undefined) return draft.bytes
  const parameters = draft.shape ? shapeParameters(draft.method, draft.shape) : draft.parameters
  return parameters === undefined ? undefined : 2 * parameters
}

/**
 * Elements of the matrix that joins the target's hidden states, which every rank holds whole: three states of an EAGLE-3 head, two of an EAGLE head, one
 * for each layer of a block drafter (ReplicatedLinear fc in vllm/model_executor/models/llama_eagle3.py, llama_eagle.py and qwen3_dflash.py, 0.33.0;
 * nn.Linear or ReplicatedLinear in sglang/srt/models/llama_eagle3.py and dflash.py, 0.5.23).
 */
function joiningElements(architecture: Architecture, speculative: Speculation | undefined, draft?: Draft): number {
  const kind = draftKind(architecture, speculative)
  if (kind !== 'eagle' && kind !== 'block') return 0
  const hidden = draft?.shape?.hiddenSize ?? architecture.hiddenSize
  const states = kind === 'block' ? ownDraftLayers(architecture, speculative, draft) : methodWord(speculative!.method) === 'eagle3' ? 3 : 2
  return states * hidden * hidden
}

/**
 * Bytes of such a draft on one rank at 16 bits: as published, else dense layers as wide as the model and a projection of its hidden states,
 * for EAGLE-3 a head of 32,000 tokens; or a small model. Split over the ranks like the model, but for what joins the states.
 */
export function ownDraftBytes(architecture: Architecture, speculative: Speculation | undefined, tp: number, draft?: Draft): number {
  const kind = draftKind(architecture, speculative)
  if (kind === 'none' || kind === 'layers') return 0
  const published = publishedDraftBytes(draft)
  const whole = 2 * joiningElements(architecture, speculative, draft)
  if (published !== undefined) return Math.max(0, published - whole) / tp + Math.min(published, whole)
  if (kind === 'model') return (2 * MODEL_PARAMETERS) / tp
  const layers = ownDraftLayers(architecture, speculative, draft)
  if (layers === 0) return 0
  const hidden = architecture.hiddenSize
  const head = kind === 'eagle' ? EAGLE_VOCABULARY * hidden : 0
  return (2 * (layers * (3 * hidden * assumedWidth(architecture) + 4 * hidden * hidden) + head)) / tp + whole
}

/** The kind of layer that a draft has, where its shape is published. */
export function shapeLayer({queryHeadCount, kvHeadCount, headDim, intermediateSize}: DraftShape): LayerKind {
  return {
    name: 'draft',
    mixers: [{kind: 'full', queryHeadCount, kvHeadCount, headDim}],
    feedForward: {kind: 'dense', intermediateSize, gated: true},
    normCount: 2,
  }
}

/** The usual small model: Llama 3.2 1B. */
const SMALL_MODEL: DraftShape = {
  layerCount: MODEL_LAYERS,
  hiddenSize: 2048,
  intermediateSize: 8192,
  queryHeadCount: 32,
  kvHeadCount: 8,
  headDim: 64,
}
/** Gemma 4 12B's assistant: four layers, 1,024 wide; the rest is that of its kind. */
const ASSISTANT: DraftShape = {layerCount: ASSISTANT_LAYERS, hiddenSize: 1024, intermediateSize: 4096, queryHeadCount: 4, kvHeadCount: 1, headDim: 256}
const USUAL_HEAD_DIM = 128

/** The shape of a draft that is a checkpoint of its own: as published, else as assumed for its kind. Undefined where there is none. */
export function draftShape(architecture: Architecture, speculative: Speculation | undefined, draft?: Draft): DraftShape | undefined {
  const kind = draftKind(architecture, speculative)
  if (kind === 'none' || kind === 'layers') return undefined
  if (draft?.shape) return draft.shape
  if (kind === 'model') return SMALL_MODEL
  if (kind === 'assistant') return ASSISTANT
  const full = architecture.layerKinds.flatMap(({mixers}) => mixers).find((mixer) => mixer.kind === 'full')
  const {hiddenSize} = architecture
  return {
    layerCount: ownDraftLayers(architecture, speculative, draft),
    hiddenSize,
    intermediateSize: assumedWidth(architecture),
    queryHeadCount: full?.queryHeadCount ?? Math.max(1, Math.round(hiddenSize / USUAL_HEAD_DIM)),
    kvHeadCount: full?.kvHeadCount ?? 8,
    headDim: full?.headDim ?? USUAL_HEAD_DIM,
    ...(kind === 'eagle' && {vocabularySize: EAGLE_VOCABULARY}),
  }
}

const billions = (count: number): string => `${Number((count / 1e9).toPrecision(2))} billion parameters`

/** What is known or assumed of a draft, in words. */
export function ownDraftWords(architecture: Architecture, speculative: Speculation | undefined, draft?: Draft): string {
  const method = speculative === undefined ? '' : methodWord(speculative.method)
  if (draft && publishedDraftBytes(draft) !== undefined)
    return `${draft.hfId}: ${draft.bytes === undefined ? `${billions(publishedDraftBytes(draft)! / 2)} at 16 bits` : `${Number((draft.bytes / 1e9).toPrecision(3))} GB as published`}`
  const name = speculative?.draft === undefined ? '' : `${speculative.draft}: `
  const some = `${name}${/^[aeiou]/.test(method) ? 'an' : 'a'} ${method} draft of`
  const layers = ownDraftLayers(architecture, speculative, draft)
  return draftKind(architecture, speculative) === 'model'
    ? `${some} 1.2 billion parameters in ${MODEL_LAYERS} layers, at 16 bits`
    : `${some} ${layers} layer${layers === 1 ? '' : 's'} as wide as the model, at 16 bits`
}

/** The size of a draft that is a checkpoint of its own is assumed where nobody published it. */
export function draftWarnings(architecture: Architecture, speculative: Speculation | undefined, draft?: Draft): Warning[] {
  const kind = draftKind(architecture, speculative)
  if (kind === 'none' || kind === 'layers' || publishedDraftBytes(draft) !== undefined) return []
  const what = speculative?.draft === undefined ? 'the draft is a checkpoint of its own' : `${speculative.draft} is a checkpoint of its own`
  if (kind === 'assistant') return [{code: 'draft-assumed', message: `${what}, and its size is not known: no memory is counted for it`}]
  const assumed = ownDraftWords(architecture, speculative && {method: speculative.method, tokens: speculative.tokens}, draft)
  return [{code: 'draft-assumed', message: `${what}, and its size is not known: ${assumed} is assumed`}]
}
