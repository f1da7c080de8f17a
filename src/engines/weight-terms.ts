import type {Architecture} from '../core/architecture.ts'
import type {Speculation} from '../core/deployment.ts'
import type {MemoryPart} from '../core/memory.ts'
import type {Checkpoint, Draft, TensorClass} from '../core/model.ts'
import type {Term} from '../core/terms.ts'
import {bytesInWords} from '../core/words.ts'
import {draftLayerCount, draftsBlocks, ownDraftBytes, ownDraftWords, publishedDraftBytes, usesDraftLayers} from './drafts.ts'
import {type ExpertTile, expertPaddingBytes} from './expert-padding.ts'
import type {OffloadUse} from './engine.ts'
import {draftWeightBytes, encoderWeightBytes, type ShardLayout, type Stage, sumOf, weightBytes} from '../core/weights.ts'

export type PartTerm = Term & {part: MemoryPart}

const OUTSIDE_LAYERS = 'embedding and head'
const GROUPS: {name: string; classes: string[]}[] = [
  {name: 'experts', classes: ['experts', 'latent']},
  {name: 'feed-forward and shared experts', classes: ['mlp', 'shared-experts']},
  {name: 'attention', classes: ['attention', 'indexer']},
  {name: 'linear attention and SSM', classes: ['linear']},
  {name: OUTSIDE_LAYERS, classes: ['embedding', 'head']},
]

const groupOf = (tensorClass: TensorClass): string =>
  GROUPS.find(({classes}) => classes.some((name) => tensorClass === name || tensorClass.startsWith(`${name}.`)))?.name ??
  'routers, norms and other small tensors'

function formatNames(checkpoint: Checkpoint): string {
  const names = [...new Set(Object.values(checkpoint.formats))]
  return names.length === 1 ? names[0]! : `${checkpoint.formats.default} with ${names.filter((name) => name !== checkpoint.formats.default).join(', ')}`
}

/** How a rank divides the weights, in words. */
export function layoutWords(layout: ShardLayout, stageCount: number): string {
  const words = []
  if (layout.attentionTp > 1) words.push(`attention over ${layout.attentionTp} GPUs`)
  if (layout.expertParallel > 1) words.push(`experts dealt to ${layout.expertParallel}`)
  else if (layout.expertTp > 1 && layout.expertTp !== layout.attentionTp) words.push(`experts split over ${layout.expertTp}`)
  if (stageCount > 1) words.push(`${stageCount} pipeline stages`)
  return words.length === 0 ? 'on one GPU' : words.join(', ')
}

/** Bytes of kv_b_proj's two halves that engines keep at 16 bits for absorbed decoding (vllm/v1/attention/backends/mla/common.py process_weights_after_loading). */
export function absorbedBytes(architecture: Architecture, layout: ShardLayout, stage: Stage): number {
  let bytes = 0
  for (let layer = stage.first; layer < stage.last; layer++)
    for (const mixer of architecture.layerKinds[architecture.layerSequence[layer]!]!.mixers)
      if (mixer.kind === 'mla') bytes += (2 * mixer.kvLoraRank * mixer.queryHeadCount * (mixer.nopeHeadDim + mixer.valueHeadDim)) / layout.attentionTp
  return bytes
}

export interface WeightQuestion {
  architecture: Architecture
  checkpoint: Checkpoint
  layout: ShardLayout
  stage: Stage
  stageCount: number
  speculative?: Speculation
  /** What is known of its draft. */
  draft?: Draft
  /** Of one rank, and how; absent: none. */
  offload?: {bytes: number; use: OffloadUse}
  /** Tiles that MXFP4 experts are rounded up to. */
  expertTile?: ExpertTile
}

/** Terms of the weights that one rank of a stage holds. */
export function weightTerms(question: WeightQuestion): PartTerm[] {
  const {architecture, checkpoint, layout, stage} = question
  const byGroup = new Map<string, number>()
  for (const [tensorClass, bytes] of weightBytes(architecture, checkpoint, layout, stage)) {
    const group = groupOf(tensorClass)
    byGroup.set(group, (byGroup.get(group) ?? 0) + bytes)
  }
  const how = `${formatNames(checkpoint)}, ${layoutWords(layout, question.stageCount)}`
  const terms: PartTerm[] = [...byGroup].map(([name, bytes]) => ({
    name: `weights: ${name}`,
    bytes: Math.round(bytes),
    kind: 'exact',
    part: 'weights',
    because: how,
  }))
  const add = (name: string, bytes: number, because: string, kind: Term['kind'] = 'exact') => {
    if (bytes !== 0) terms.push({name, bytes: Math.round(bytes), kind, part: 'weights', because})
  }
  add(
    'weights: absorbed latent projections',
    absorbedBytes(architecture, layout, stage),
    'the K and V halves of kv_b are kept again at 16 bits for decoding',
    'derived',
  )
  if (question.expertTile)
    add(
      'weights: padding of MXFP4 experts',
      expertPaddingBytes(architecture, checkpoint, layout, stage, question.expertTile),
      question.expertTile.because,
      'derived',
    )
  if (stage.embedding)
    add(
      'weights: encoders',
      encoderWeightBytes(architecture, checkpoint, layout),
      `${architecture.encoders?.map((encoder) => `${encoder.modality} ${encoder.parameterCount} parameters`).join(', ')}`,
    )
  if (stage.head && usesDraftLayers(architecture, question.speculative))
    add(
      'weights: draft layers',
      (draftWeightBytes(architecture, checkpoint, layout) / architecture.draft!.layerCount) * draftLayerCount(architecture, question.speculative),
      draftsBlocks(architecture, question.speculative)
        ? `speculation is on: the ${draftLayerCount(architecture, question.speculative)} layers of the block drafter are loaded`
        : 'speculation is on: the multi-token-prediction layers are loaded',
    )
  if (stage.head)
    add(
      'weights: draft model',
      ownDraftBytes(architecture, question.speculative, layout.attentionTp, question.draft),
      ownDraftWords(architecture, question.speculative, question.draft),
      publishedDraftBytes(question.draft) === undefined ? 'assumed' : 'derived',
    )
  terms.push(...offloadTerms(question, byGroup))
  return terms
}

/** Engines offload what their layers hold (make_layers in vLLM, in SGLang likewise): embedding, head, encoders and drafts stay. */
function offloadTerms({offload, architecture, checkpoint, layout, stage}: WeightQuestion, byGroup: ReadonlyMap<string, number>): PartTerm[] {
  if (!offload || offload.use.ignored !== undefined) return []
  const {of, layers} = offload.use
  const term = (name: string, bytes: number, because: string): PartTerm[] =>
    Math.round(bytes) === 0 ? [] : [{name, bytes: Math.round(bytes), kind: 'exact', part: 'weights', because}]
  const name = 'weights: offloaded to host memory'
  if (layers) {
    const sizes = Array.from({length: stage.last - stage.first}, (_, index) =>
      sumOf(weightBytes(architecture, checkpoint, layout, {first: stage.first + index, last: stage.first + index + 1, embedding: false, head: false})),
    )
    const moved = sizes.filter((_, index) => index % layers.groupSize >= layers.groupSize - layers.inGroup)
    return [
      ...term(name, -moved.reduce((sum, bytes) => sum + bytes, 0), `the last ${layers.inGroup} of each ${layers.groupSize} layers`),
      ...term(
        'weights: buffers for offloaded layers',
        Math.min(layers.buffers, moved.length) * Math.max(0, ...moved),
        `${layers.buffers} layers are copied ahead`,
      ),
    ]
  }
  const movable = (group: string) => (of === 'experts' ? group === 'experts' : group !== OUTSIDE_LAYERS)
  const held = [...byGroup].reduce((sum, [group, bytes]) => sum + (movable(group) ? Math.round(bytes) : 0), 0)
  return term(
    name,
    -Math.min(offload.bytes, held),
    offload.bytes > held ? `all that the ${of ?? 'layers'} hold: room for ${bytesInWords(offload.bytes)} of each GPU is offered` : 'cpu offload, for each GPU',
  )
}
