import {groupLayers} from '../../catalogue/import/layer-names.ts'
import {tidy} from '../../catalogue/import/mixers.ts'
import type {Architecture, DraftLayers, Encoder, LayerKind} from '../../core/architecture.ts'
import {elementCount, layerTensors} from '../../core/tensors.ts'
import {FAMILIES} from './families.ts'
import {feedForwardOf} from './feed-forward.ts'
import type {Block, GgufFile} from './metadata.ts'
import {mixersOf} from './mixers.ts'

type Plan = Omit<LayerKind, 'name'>

/** A part of a block's elements that may stay unexplained before a warning is due. */
const TOLERANCE = 0.01

/**
 * The architecture that the tensors and keys of a GGUF file describe. Which tensors a block has decides what it is; names of
 * architectures only supply what llama.cpp itself has no key for.
 *
 * @throws InputError MODEL_CONFIG_INVALID where a block's cache cannot be told.
 */
export function architectureOf(file: GgufFile, warnings: string[]): Architecture {
  const hiddenSize = file.count('embedding_length')
  const perLayerWidth = file.optional('embedding_length_per_layer_input')
  const embedding = file.outer.get('token_embd.weight')
  const vocabularySize = embedding?.shape[1] ?? file.optional('vocab_size') ?? file.length('tokenizer.ggml.tokens')
  if (!vocabularySize) throw file.invalid('token_embd.weight is missing; expected the table of embeddings')
  const blocks = file.blocks
  const stated = file.count('block_count')
  if (blocks.length === 0) throw file.invalid('it holds no layers (blk.0.*); expected a language model')
  if (blocks.length < stated) warnings.push(`${file.name('block_count')} is ${stated}, but there are ${blocks.length} layers`)
  const base = {
    vocabularySize,
    hiddenSize,
    ...(perLayerWidth && {
      perLayerEmbedding: {vocabularySize: file.outer.get('per_layer_token_embd.weight')?.shape[1] ?? vocabularySize, width: perLayerWidth},
    }),
  }
  const firstDraft = firstDraftBlock(file)
  const plans = blocks.slice(0, firstDraft).map((block, layer) => planOf(file, base, block, layer, warnings))
  const family = FAMILIES[file.architecture]
  if (!family) warnings.push(`"${file.architecture}" is not an architecture this importer knows: layers were read from their tensors`)
  const contextTokens = file.optional('context_length')
  if (!contextTokens) warnings.push(`${file.name('context_length')} is missing; 4,096 tokens are assumed`)
  return {
    ...tidy({
      className: classNameOf(file, plans),
      ...base,
      headBias: file.outer.has('output.bias'),
      contextTokens: contextTokens || 4096,
      ...groupLayers(plans),
      draft: firstDraft < blocks.length ? draftOf(file, base, firstDraft, warnings) : undefined,
      encoders: encodersOf(file),
      extraElementCount: outerElements(file, hiddenSize) || undefined,
    }),
    tiedEmbeddings: !file.outer.has('output.weight'),
  }
}

/** llama.cpp has one architecture for what the engines have several classes for. */
function classNameOf({architecture}: GgufFile, plans: readonly Plan[]): string | undefined {
  const family = FAMILIES[architecture]
  const experts = plans.map(({feedForward}) => feedForward).filter((feedForward) => feedForward?.kind === 'moe')
  // DeepSeek-V2 routes without the correction bias that V3 brought.
  if (architecture === 'deepseek2' && !experts.some(({routerBias}) => routerBias)) return 'DeepseekV2ForCausalLM'
  return (experts.length > 0 && family?.expertClassName) || family?.className
}

/** Draft layers stand behind the others and have `nextn` tensors. */
function firstDraftBlock(file: GgufFile): number {
  const first = file.blocks.findIndex((block) => [...block.keys()].some((name) => name.startsWith('nextn.')))
  return first <= 0 ? file.blocks.length : first
}

type Base = Pick<Architecture, 'vocabularySize' | 'hiddenSize' | 'perLayerEmbedding'>

function planOf(file: GgufFile, base: Base, block: Block, layer: number, warnings: string[]): Plan {
  const mixers = mixersOf(file, block, layer, FAMILIES[file.architecture], warnings)
  const feedForward = feedForwardOf(file, block, layer)
  if (mixers.length === 0 && [...block.keys()].some((name) => /^(?:attn|ssm|time_mix|attention|mixer)/.test(name) && !/norm/.test(name))) {
    throw file.invalid(`layer ${layer} mixes tokens in an unknown way (${[...block.keys()].slice(0, 4).join(', ')}, ...): its cache cannot be computed`)
  }
  if (mixers.length === 0 && !feedForward) throw file.invalid(`layer ${layer} has neither attention nor feed-forward: expected tensors such as attn_q.weight`)
  const norms = [...block].filter(
    ([name, {shape}]) => /norm(?:_\d)?\.weight$/.test(name) && shape.length === 1 && shape[0] === base.hiddenSize && !/^attn_[qk]_norm|^nextn/.test(name),
  ).length
  const plan: Plan = {mixers, ...(feedForward && {feedForward}), normCount: norms}
  const rest = unexplained(base, plan, block)
  const stored = sum(block)
  if (Math.abs(rest) > TOLERANCE * stored && warnings.length < 20)
    warnings.push(`layer ${layer} holds ${stored.toLocaleString('en-US')} parameters, ${(stored - rest).toLocaleString('en-US')} of which are understood`)
  return rest > 0 ? {...plan, extraElementCount: rest} : plan
}

const sum = (block: Block): number =>
  [...block].reduce((total, [name, {elements}]) => (name.startsWith('nextn.') || /^(?:rope_|attn_rot)/.test(name) ? total : total + elements), 0)

/** Elements of a block that the plan does not account for: small vectors, mostly. */
function unexplained(base: Base, plan: Plan, block: Block): number {
  const planned = layerTensors(base as Architecture, {name: '', ...plan}).reduce((total, tensor) => total + elementCount(tensor), 0)
  return sum(block) - planned
}

function draftOf(file: GgufFile, base: Base, first: number, warnings: string[]): DraftLayers {
  const block = file.blocks[first]!
  const outside = [...block].filter(([name]) => name.startsWith('nextn.'))
  const storesEmbeddings = block.has('nextn.embed_tokens.weight') && block.has('nextn.shared_head_head.weight')
  const extraElementCount = outside
    .filter(([name]) => !storesEmbeddings || !/embed_tokens|shared_head_head/.test(name))
    .reduce((total, [, {elements}]) => total + elements, 0)
  return tidy({
    layerCount: file.blocks.length - first,
    kind: {name: 'draft', ...planOf(file, base, block, first, warnings)},
    extraElementCount,
    storesEmbeddings,
  })
}

/** Towers in the same file, as Ollama packs them (`v.blk.0.*`, `mm.*`, `a.blk.0.*`). */
function encodersOf(file: GgufFile): Encoder[] | undefined {
  const count = (pattern: RegExp) => [...file.outer].filter(([name]) => pattern.test(name)).reduce((sum, [, {elements}]) => sum + elements, 0)
  const encoders = (
    [
      ['vision', count(VISION)],
      ['audio', count(AUDIO)],
    ] as const
  )
    .filter(([, parameterCount]) => parameterCount > 0)
    .map(([modality, parameterCount]) => ({modality, parameterCount}))
  return encoders.length > 0 ? encoders : undefined
}

const VISION = /^(?:v|mm|vision)\./
const AUDIO = /^(?:a|audio)\./

/** What stands outside the layers beside embeddings, head and final norm; rotary tables are constants, not weights. */
function outerElements(file: GgufFile, hiddenSize: number): number {
  const known = /^(?:token_embd|output|output_norm|rope_freqs|rope_factors_long|rope_factors_short|per_layer_)/
  let elements = 0
  for (const [name, tensor] of file.outer) if (!known.test(name) && !VISION.test(name) && !AUDIO.test(name)) elements += tensor.elements
  return Math.max(0, elements + (file.outer.has('output_norm.bias') ? hiddenSize : 0))
}
