/** The drafter of a deployment as a small model, for the speed model. */
import type {Architecture} from '../../core/architecture.ts'
import {PairMemo} from '../../core/bounded-map.ts'
import type {Deployment, Speculation} from '../../core/deployment.ts'
import type {Checkpoint, DraftShape, TensorFormats} from '../../core/model.ts'
import type {Drafter, Drafting, Verification} from '../../core/throughput/drafting.ts'
import {draftFormat, formatOf} from '../../core/weights.ts'
import {draftKind, draftLayerCount, draftsBlocks, draftShape, knownDraft, shapeLayer} from '../drafts.ts'
import type {Subject} from '../engine.ts'
import {acceptedLength} from './acceptance.ts'
import type {SpeculationTable} from './table.ts'

/** Kernels between two passes of a chain: the token is chosen, positions and cache slots are moved on, embedding and state are joined (vllm/v1/spec_decode/llm_base_proposer.py propose, 0.28.0). */
const CHAIN_KERNELS = 12

/** The draft layers of a checkpoint as a model: one layer of its kind, all of them where they draft a block, with the head of the model. */
function layersModel(architecture: Architecture, speculative: Speculation): Architecture {
  const {draft, ...rest} = architecture
  const passed = draftsBlocks(architecture, speculative) ? draftLayerCount(architecture, speculative) : 1
  return {...rest, layerKinds: [draft!.kind], layerSequence: Array.from({length: passed}, () => 0), encoders: undefined, perLayerEmbedding: undefined}
}

/** Classes that a draft layer has formats of its own for, under their plain names; the head is the model's. */
function layersCheckpoint({formats, hfId, weights}: Checkpoint, architecture: Architecture): Checkpoint {
  const own: TensorFormats = {default: draftFormat(formats, 'default')}
  for (const name of Object.keys(formats)) {
    if (name === 'default' || name === 'draft') continue
    const plain = name.startsWith('draft.') ? name.slice('draft.'.length) : name
    own[plain] = draftFormat(formats, plain)
  }
  own.head = formatOf(formats, 'head')
  if (architecture.tiedEmbeddings) own.embedding = formatOf(formats, 'embedding')
  return {hfId, weights, formats: own}
}

/** A draft that is a checkpoint of its own, with its own head or the model's. */
function shapeModel(shape: DraftShape, target: Architecture): Architecture {
  return {
    vocabularySize: shape.vocabularySize ?? target.vocabularySize,
    hiddenSize: shape.hiddenSize,
    tiedEmbeddings: false,
    contextTokens: target.contextTokens,
    layerKinds: [shapeLayer(shape)],
    layerSequence: Array.from({length: shape.layerCount}, () => 0),
  }
}

/** Drafters by target, method and draft: the same objects each time, since the work of a step is remembered by them. Freed with the model. */
const KNOWN = new PairMemo<Architecture, Checkpoint, Pick<Drafter, 'architecture' | 'checkpoint'>>(1000)

function modelsOf({model, checkpoint}: Subject, {speculative}: Deployment): Pick<Drafter, 'architecture' | 'checkpoint'> | undefined {
  const {architecture} = model
  const kind = draftKind(architecture, speculative)
  if (kind === 'none' || !speculative) return undefined
  return KNOWN.once(architecture, checkpoint, `${kind} ${speculative.method} ${speculative.draft ?? ''}`, () => {
    if (kind === 'layers') return {architecture: layersModel(architecture, speculative), checkpoint: layersCheckpoint(checkpoint, architecture)}
    const shape = draftShape(architecture, speculative, knownDraft(model, speculative))
    return {architecture: shapeModel(shape!, architecture), checkpoint: {hfId: speculative.draft ?? '', weights: 'bf16', formats: {default: 'bf16'}}}
  })
}

export interface DraftingQuestion {
  table: SpeculationTable
  subject: Subject
  deployment: Deployment
  /** The engine's host launches what stands between the passes; otherwise the chain is one captured graph. */
  launchedByHost: boolean
  verification?: Verification
}

/** Drafting of a deployment for the speed model; undefined without. */
export function draftingOf({table, subject, deployment, launchedByHost, verification}: DraftingQuestion): Drafting | undefined {
  const {speculative} = deployment
  if (!speculative) return undefined
  const models = modelsOf(subject, deployment)
  const block = draftsBlocks(subject.model.architecture, speculative) || speculative.method === 'pard'
  return {
    tokens: speculative.tokens,
    ...acceptedLength(table.acceptance, subject.model, deployment, speculative),
    ...(models && {drafter: {...models, passes: block ? 1 : speculative.tokens, block, hostKernels: launchedByHost ? CHAIN_KERNELS : 0}}),
    ...(verification && {verification}),
  }
}
