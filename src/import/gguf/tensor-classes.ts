import type {Mixer} from '../../core/architecture.ts'
import type {TensorClass} from '../../core/model.ts'
import {dictionary} from '../../core/dictionary.ts'

/** Classes that a tensor of a block holds, by its name without `.weight`. Absent: norms, biases and constants. */
const CLASSES: Readonly<Record<string, TensorClass[]>> = dictionary({
  attn_q: ['attention.query'],
  attn_k: ['attention.key'],
  attn_v: ['attention.value'],
  attn_output: ['attention.output'],
  attn_qkv: ['attention.query', 'attention.key', 'attention.value'],
  attn_gate: ['attention.gate'],
  attn_q_a: ['attention.query-a'],
  attn_q_b: ['attention.query-b'],
  attn_kv_a_mqa: ['attention.kv-a'],
  attn_kv_b: ['attention.kv-b'],
  attn_k_b: ['attention.kv-b'],
  attn_v_b: ['attention.kv-b'],
  attn_kv: ['attention.kv-a'],
  attn_output_a: ['attention.output-a'],
  attn_output_b: ['attention.output'],
  attn_compressor_kv: ['attention.compressor'],
  attn_compressor_gate: ['attention.compressor'],
  'indexer.attn_q_b': ['indexer'],
  'indexer.attn_k': ['indexer'],
  'indexer.proj': ['indexer'],
  indexer_compressor_kv: ['indexer'],
  indexer_compressor_gate: ['indexer'],
  ffn_up: ['mlp.in'],
  ffn_gate: ['mlp.in'],
  ffn_down: ['mlp.out'],
  ffn_up_exps: ['experts.in'],
  ffn_gate_exps: ['experts.in'],
  ffn_gate_up_exps: ['experts.in'],
  ffn_down_exps: ['experts.out'],
  ffn_up_shexp: ['shared-experts.in'],
  ffn_gate_shexp: ['shared-experts.in'],
  ffn_down_shexp: ['shared-experts.out'],
  ffn_latent_down: ['latent'],
  ffn_latent_up: ['latent'],
  ffn_gate_inp: ['router'],
  ffn_gate_inp_shexp: ['router'],
  ssm_in: ['linear.in'],
  ssm_out: ['linear.out'],
  'shortconv.in_proj': ['linear.in'],
  'shortconv.out_proj': ['linear.out'],
  ssm_ba: ['linear.small'],
  ssm_alpha: ['linear.small'],
  ssm_beta: ['linear.small'],
  ssm_x: ['linear.small'],
  ssm_dt: ['linear.small'],
  ssm_f_a: ['linear.gate'],
  ssm_f_b: ['linear.gate'],
  ssm_g_a: ['linear.gate'],
  ssm_g_b: ['linear.gate'],
  inp_gate: ['extra'],
  proj: ['extra'],
})

/** The same names where they mean a linear attention's projections. */
const LINEAR: Readonly<Record<string, TensorClass[]>> = dictionary({
  attn_q: ['linear.in'],
  attn_k: ['linear.in'],
  attn_v: ['linear.in'],
  attn_qkv: ['linear.in'],
  attn_gate: ['linear.in'],
  attn_output: ['linear.out'],
})

/** Classes of a block's tensor; none for what no recipe quantises. */
export function classesOf(name: string, mixers: readonly Mixer[]): TensorClass[] {
  if (!name.endsWith('.weight')) return []
  const stem = name.slice(0, -'.weight'.length).replace(/^ffn_(up|gate|down)\.\d+$/, 'ffn_$1_exps')
  const linear = mixers.some(({kind}) => kind === 'gated-delta-net' || kind === 'kimi-delta') && mixers.length === 1
  if (linear && Object.hasOwn(LINEAR, stem)) return LINEAR[stem]!
  return Object.hasOwn(CLASSES, stem) ? CLASSES[stem]! : []
}

/** Classes of the tensors outside the blocks. */
export const OUTER_CLASSES: Readonly<Record<string, TensorClass>> = dictionary({
  'token_embd.weight': 'embedding',
  'output.weight': 'head',
  'per_layer_token_embd.weight': 'embedding.per-layer',
})
