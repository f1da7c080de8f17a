/** What a speculation method loads beside the model. */
import type {Architecture} from '../core/architecture.ts'
import type {Speculation} from '../core/deployment.ts'

/** Methods that draft from the text itself: no weights, no cache. */
const WITHOUT_MODEL = ['ngram', 'suffix', 'prompt-lookup', 'prompt_lookup']
/** Methods whose draft is a checkpoint of its own. */
const WITH_OWN_MODEL = ['eagle3', 'dflash', 'dspark', 'standalone', 'draft_model', 'draft', 'medusa']

/** The method runs the multi-token-prediction layers of the checkpoint. */
export const usesDraftLayers = (architecture: Architecture, speculative: Speculation | undefined): boolean =>
  speculative !== undefined && architecture.draft !== undefined && !WITHOUT_MODEL.includes(speculative.method) && !WITH_OWN_MODEL.includes(speculative.method)

/** Layers of a draft that is a checkpoint of its own, by method: one for EAGLE-3; block drafters have about five (DFlash, DSpark). */
export function ownDraftLayers(speculative: Speculation | undefined): number {
  if (speculative === undefined) return 0
  if (speculative.method === 'eagle3') return 1
  return speculative.method === 'dflash' || speculative.method === 'dspark' ? 5 : 0
}

/**
 * Bytes of such a draft on one rank at 16 bits: dense layers as wide as the model, a projection of three hidden states, and a head of
 * 32,000 tokens for EAGLE-3. An assumption: its own configuration is not asked for.
 */
export function ownDraftBytes(architecture: Architecture, speculative: Speculation | undefined, tp: number): number {
  const layers = ownDraftLayers(speculative)
  if (layers === 0) return 0
  const hidden = architecture.hiddenSize
  const width = Math.max(...architecture.layerKinds.map(({feedForward}) => (feedForward?.kind === 'dense' ? feedForward.intermediateSize : 0)), 3 * hidden)
  const head = speculative?.method === 'eagle3' ? 32000 * hidden : 0
  return (2 * (layers * (3 * hidden * width + 4 * hidden * hidden) + 3 * hidden * hidden + head)) / tp
}
