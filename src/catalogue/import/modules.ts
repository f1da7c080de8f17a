import type {LayerKind, Mixer} from '../../core/architecture.ts'
import type {TensorClass} from '../../core/model.ts'

/**
 * Names that the families give to the modules behind our tensor classes, relative to a layer. Ignore lists and per-layer
 * maps are resolved against them: a class is named by a pattern when any of its modules is.
 */
type Names = Partial<Record<TensorClass, string[]>>

const under = (parents: string[], modules: string[]): string[] => parents.flatMap((parent) => modules.map((module) => `${parent}.${module}`))

const ATTENTION = ['self_attn', 'attn', 'attention', 'mixer']

const FULL: Names = {
  'attention.query': under(ATTENTION, ['q_proj', 'qkv_proj', 'query_key_value', 'wq']),
  'attention.key': under(ATTENTION, ['k_proj', 'qkv_proj', 'query_key_value', 'wk']),
  'attention.value': under(ATTENTION, ['v_proj', 'qkv_proj', 'query_key_value', 'wv']),
  'attention.output': under(ATTENTION, ['o_proj', 'out_proj', 'dense', 'wo']),
  'attention.gate': under(ATTENTION, ['g_proj', 'gate_proj']),
  indexer: under(ATTENTION, ['index_q_proj', 'index_k_proj']),
}

const LATENT: Names = {
  'attention.query': under(ATTENTION, ['q_proj']),
  'attention.query-a': under(ATTENTION, ['q_a_proj']),
  'attention.query-b': under(ATTENTION, ['q_b_proj']),
  'attention.kv-a': under(ATTENTION, ['kv_a_proj_with_mqa']),
  'attention.kv-b': under(ATTENTION, ['kv_b_proj']),
  'attention.output': under(ATTENTION, ['o_proj', 'dense']),
  'attention.gate': under(ATTENTION, ['g_proj']),
  indexer: under(ATTENTION, ['indexer.wq_b', 'indexer.wk']),
}

const COMPRESSED: Names = {
  'attention.query-a': ['attn.wq_a'],
  'attention.query-b': ['attn.wq_b'],
  'attention.kv-a': ['attn.wkv'],
  'attention.output-a': ['attn.wo_a'],
  'attention.output': ['attn.wo_b'],
  'attention.compressor': ['attn.compressor.wkv', 'attn.compressor.wgate'],
  indexer: ['attn.indexer.wq_b', 'attn.indexer.weights_proj'],
}

const RECURRENT: Record<Exclude<Mixer['kind'], 'full' | 'mla' | 'compressed'>, Names> = {
  'gated-delta-net': {'linear.in': under(['linear_attn'], ['in_proj_qkv', 'in_proj_z', 'in_proj_qkvz']), 'linear.out': ['linear_attn.out_proj']},
  'kimi-delta': {
    'linear.in': under(['self_attn'], ['q_proj', 'k_proj', 'v_proj']),
    'linear.gate': under(['self_attn'], ['f_a_proj', 'f_b_proj', 'g_a_proj', 'g_b_proj', 'g_proj']),
    'linear.out': ['self_attn.o_proj'],
  },
  lightning: {
    'linear.in': under(['self_attn', 'attention'], ['qkv_proj', 'query_key_value']),
    'linear.gate': under(['self_attn', 'attention'], ['output_gate', 'g_proj']),
    'linear.out': under(['self_attn', 'attention'], ['out_proj', 'dense']),
  },
  mamba2: {'linear.in': under(['mixer', 'mamba'], ['in_proj']), 'linear.out': under(['mixer', 'mamba'], ['out_proj'])},
  mamba1: {'linear.in': under(['mamba', 'mixer'], ['in_proj']), 'linear.out': under(['mamba', 'mixer'], ['out_proj'])},
  'short-conv': {'linear.in': ['conv.in_proj'], 'linear.out': ['conv.out_proj']},
}

const EXPERT_HOMES = ['mlp', 'block_sparse_moe', 'feed_forward', 'mixer', 'ffn', 'moe']

const FEED_FORWARD: Names = {
  'mlp.in': [...under(['mlp', 'feed_forward'], ['gate_proj', 'up_proj', 'gate_up_proj', 'w1', 'w3']), 'mixer.up_proj', 'ffn.w1'],
  'mlp.out': [...under(['mlp', 'feed_forward'], ['down_proj', 'w2']), 'mixer.down_proj', 'ffn.w2'],
}

const EXPERTS: Names = {
  'experts.in': [
    ...under(EXPERT_HOMES, [
      'experts.0.gate_proj',
      'experts.0.up_proj',
      'experts.0.w1',
      'experts.0.w3',
      'experts.gate_up_proj',
      'experts.w1',
      'experts.w13_weight',
    ]),
    'experts.0.gate_proj',
    'experts.0.up_proj',
    'experts.gate_up_proj',
    'block_sparse_moe.input_linear',
  ],
  'experts.out': [
    ...under(EXPERT_HOMES, ['experts.0.down_proj', 'experts.0.w2', 'experts.down_proj', 'experts.w2']),
    'experts.0.down_proj',
    'experts.down_proj',
    'block_sparse_moe.output_linear',
  ],
  'shared-experts.in': [
    ...EXPERT_HOMES.flatMap((home) =>
      under([`${home}.shared_experts`, `${home}.shared_expert`, `${home}.shared_mlp`], ['gate_proj', 'up_proj', 'w1', 'gate_up_proj']),
    ),
    'shared_mlp.input_linear',
    'share_expert.gate_proj',
    'share_expert.up_proj',
  ],
  'shared-experts.out': [
    ...EXPERT_HOMES.flatMap((home) => under([`${home}.shared_experts`, `${home}.shared_expert`, `${home}.shared_mlp`], ['down_proj', 'w2'])),
    'shared_mlp.output_linear',
    'share_expert.down_proj',
  ],
  latent: under(EXPERT_HOMES, ['fc1_latent_proj', 'fc2_latent_proj']),
}

const withoutParent = (names: Names, parent: string): Names =>
  Object.fromEntries(Object.entries(names).map(([tensorClass, modules]) => [tensorClass, modules.filter((module) => !module.startsWith(`${parent}.`))]))

/** Module names, relative to the layer, of every class of a kind of layer that a recipe may quantise. */
export function moduleNames(kind: LayerKind): Map<TensorClass, string[]> {
  const names = new Map<TensorClass, string[]>()
  const add = (more: Names) => {
    for (const [tensorClass, modules] of Object.entries(more))
      names.set(tensorClass as TensorClass, [...(names.get(tensorClass as TensorClass) ?? []), ...modules])
  }
  for (const mixer of kind.mixers) {
    if (mixer.kind === 'full') add(FULL)
    else if (mixer.kind === 'mla') add(LATENT)
    else if (mixer.kind === 'compressed') add(COMPRESSED)
    else add(RECURRENT[mixer.kind])
  }
  if (kind.feedForward?.kind === 'dense') add(FEED_FORWARD)
  if (kind.feedForward?.kind === 'moe') {
    // Gemma 4 has experts beside `mlp`, not inside it: a pattern such as `mlp*` must not take them along.
    const beside = kind.feedForward.parallelDenseIntermediateSize !== undefined
    add(beside ? withoutParent(EXPERTS, 'mlp') : EXPERTS)
    if (beside) add(FEED_FORWARD)
  }
  return names
}

/** What stands before the layer number; the longest first so that none hides another. */
export const LAYER_ROOTS = [
  'model.layers',
  'model.language_model.layers',
  'language_model.model.layers',
  'backbone.layers',
  'layers',
  'language_model.layers',
  'transformer.layers',
  'thinker.model.layers',
]

/** What stands before the modules of a draft layer, the layers being numbered on after the last one. */
export const draftRoots = (layerCount: number): string[] => [
  'mtp.layers.0',
  'mtp.0',
  'mtp',
  'model.mtp.layers.0',
  `model.layers.${layerCount}`,
  `layers.${layerCount}`,
  `model.language_model.layers.${layerCount}`,
  `language_model.model.layers.${layerCount}`,
]

export const HEAD_NAMES = ['lm_head', 'model.lm_head', 'language_model.lm_head', 'head', 'output_layer']
