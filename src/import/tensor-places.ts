import {moduleNames} from '../catalogue/import/modules.ts'
import type {Architecture, LayerKind} from '../core/architecture.ts'
import type {TensorClass} from '../core/model.ts'

/** Where a stored module stands in the model. */
export interface Place {
  part: 'layers' | 'outer' | 'draft' | 'encoder'
  /** Classes it holds; several where projections are stored as one (`qkv_proj`). Empty: a small tensor that no recipe quantises. */
  classes: TensorClass[]
  layer?: number
}

const ENCODER = /(?:^|[._])(?:vision|visual|audio|vit|multi_modal_projector|mm_projector|embed_vision|embed_audio|aligner|merger|image_newline|sound)(?:[._]|$)/
const LAYER = /^(.*?)(?:^|\.)(?:layers|h|blocks)\.(\d{1,5})\.(.+)$/
const OUTER: ReadonlyArray<[RegExp, TensorClass]> = [
  [/(?:^|\.)embed_tokens_per_layer$/, 'embedding.per-layer'],
  [/(?:^|\.)(?:embed_tokens|wte|word_embeddings|tok_embeddings|embeddings|embed)$/, 'embedding'],
  [/(?:^|\.)(?:lm_head|output_layer)$|^(?:head|output)$/, 'head'],
]
const ROUTER = /(?:^|\.)(?:gate|router|router\.layer|shared_expert_gate|gate\.wg|router_proj|router\.proj)$/

/** Finds the place of modules of an architecture by their names. */
export function placeFinder(architecture: Architecture): (module: string) => Place {
  const byKind = architecture.layerKinds.map(classesByName)
  const draft = architecture.draft && classesByName(architecture.draft.kind)
  const layerCount = architecture.layerSequence.length
  return (module) => {
    if (ENCODER.test(module)) return {part: 'encoder', classes: []}
    const match = LAYER.exec(module)
    const inDraft = /(?:^|\.)mtp(?:\.|_|$)/.test(module) || (match !== null && Number(match[2]) >= layerCount)
    const relative = (match?.[3] ?? module).replace(/(^|\.)experts\.\d+(?=\.|$)/, '$1experts.0')
    if (inDraft) return {part: 'draft', classes: draft?.get(relative) ?? outerClass(module)}
    if (!match) return {part: 'outer', classes: outerClass(module)}
    const layer = Number(match[2])
    const known = byKind[architecture.layerSequence[layer]!]!.get(relative)
    return {part: 'layers', classes: known ?? (ROUTER.test(relative) ? ['router'] : []), layer}
  }
}

function outerClass(module: string): TensorClass[] {
  const found = OUTER.find(([pattern]) => pattern.test(module))
  return found ? [found[1]] : []
}

function classesByName(kind: LayerKind): Map<string, TensorClass[]> {
  const classes = new Map<string, TensorClass[]>()
  for (const [tensorClass, names] of moduleNames(kind)) for (const name of names) classes.set(name, [...(classes.get(name) ?? []), tensorClass])
  return classes
}
