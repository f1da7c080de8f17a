/** What a speculation method loads beside the model. */
import type {Architecture} from '../core/architecture.ts'
import type {Speculation} from '../core/deployment.ts'
import type {Warning} from '../core/terms.ts'

/**
 * none: drafted from the text itself. layers: the multi-token-prediction layers of the checkpoint. Others are checkpoints of their
 * own: `eagle` one layer, `block` a few layers that draft a block at once, `model` a small language model.
 */
export type DraftKind = 'none' | 'layers' | 'eagle' | 'block' | 'model'

const WITHOUT_MODEL = ['ngram', 'suffix', 'prompt-lookup', 'prompt_lookup']
const BLOCK = ['dflash', 'dflash2', 'dspark', 'medusa']
const MODEL = ['standalone', 'draft_model', 'draft-model', 'draft']

/** Methods are written with what follows them ("dflash n=5", "EAGLE3, org/draft"): the first word says which. */
const methodOf = ({method}: Speculation): string => /^[a-z0-9_-]+/i.exec(method.trim())?.[0]?.toLowerCase() ?? ''

export function draftKind(architecture: Architecture, speculative: Speculation | undefined): DraftKind {
  if (speculative === undefined) return 'none'
  const method = methodOf(speculative)
  if (WITHOUT_MODEL.includes(method)) return 'none'
  if (BLOCK.includes(method)) return 'block'
  if (MODEL.includes(method)) return 'model'
  if (method === 'eagle3') return 'eagle'
  if (architecture.draft !== undefined) return 'layers'
  // Gemma 4's assistants read the model's own cache and are small: nothing is counted for them.
  return method.includes('mtp') ? 'none' : 'eagle'
}

/** The method runs the multi-token-prediction layers of the checkpoint. */
export const usesDraftLayers = (architecture: Architecture, speculative: Speculation | undefined): boolean => draftKind(architecture, speculative) === 'layers'

/** Layers of a block drafter: Qwen's have five, Laguna's six, gpt-oss' eight (DFlash checkpoints, 2026). */
const BLOCK_LAYERS = 5
/** The usual small model: Llama 3.2 1B has 1.24 billion parameters in 16 layers, Qwen3 0.6B 0.6 in 28. */
const MODEL_LAYERS = 16
const MODEL_PARAMETERS = 1.24e9
/** Tokens of the reduced vocabulary that EAGLE-3 heads cover. */
const EAGLE_VOCABULARY = 32000

/** Layers of a draft that is a checkpoint of its own. */
export function ownDraftLayers(architecture: Architecture, speculative: Speculation | undefined): number {
  switch (draftKind(architecture, speculative)) {
    case 'eagle':
      return 1
    case 'block':
      return BLOCK_LAYERS
    case 'model':
      return MODEL_LAYERS
    default:
      return 0
  }
}

/**
 * Bytes of such a draft on one rank at 16 bits: dense layers as wide as the model and a projection of three hidden states, for EAGLE-3 a
 * head of 32,000 tokens; or a small model, whole on every rank. An assumption: its own configuration is not asked for.
 */
export function ownDraftBytes(architecture: Architecture, speculative: Speculation | undefined, tp: number): number {
  const kind = draftKind(architecture, speculative)
  if (kind === 'model') return (2 * MODEL_PARAMETERS) / tp
  const layers = ownDraftLayers(architecture, speculative)
  if (layers === 0) return 0
  const hidden = architecture.hiddenSize
  const width = Math.max(...architecture.layerKinds.map(({feedForward}) => (feedForward?.kind === 'dense' ? feedForward.intermediateSize : 0)), 3 * hidden)
  const head = kind === 'eagle' ? EAGLE_VOCABULARY * hidden : 0
  return (2 * (layers * (3 * hidden * width + 4 * hidden * hidden) + 3 * hidden * hidden + head)) / tp
}

/** What is assumed of a draft, in words. */
export function ownDraftWords(architecture: Architecture, speculative: Speculation | undefined): string {
  const method = speculative === undefined ? '' : methodOf(speculative)
  return draftKind(architecture, speculative) === 'model'
    ? `a ${method} draft of 1.2 billion parameters in ${MODEL_LAYERS} layers, at 16 bits`
    : `a ${method} draft of ${ownDraftLayers(architecture, speculative)} layers as wide as the model, at 16 bits`
}

/** A draft that is a checkpoint of its own is assumed, not known. */
export function draftWarnings(architecture: Architecture, speculative: Speculation | undefined): Warning[] {
  return ownDraftLayers(architecture, speculative) === 0
    ? []
    : [
        {
          code: 'draft-assumed',
          message: `the draft is a checkpoint of its own, whose size is not asked for: ${ownDraftWords(architecture, speculative)} is assumed`,
        },
      ]
}
