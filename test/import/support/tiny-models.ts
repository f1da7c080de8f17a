import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {onTestFinished} from 'vitest'
import type {GgufEntry, Value} from './gguf.ts'
import type {Entry} from './safetensors.ts'

/** A Qwen3 of two layers: 16 heads of 64, 4 KV heads, width 256, feed-forward 512, 1,000 tokens, untied. */
export const TINY_QWEN3 = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  hidden_size: 256,
  num_hidden_layers: 2,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  head_dim: 64,
  intermediate_size: 512,
  vocab_size: 1000,
  max_position_embeddings: 4096,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
}

/**
 * Its parameters by hand: embeddings 2 x 1000 x 256 = 512,000; a layer has q and o 2 x 1024 x 256 = 524,288, k and v 2 x 256 x 256 =
 * 131,072, feed-forward 3 x 256 x 512 = 393,216, norms 2 x 256 + 2 x 64 = 640, in all 1,049,216; final norm 256.
 */
export const TINY_QWEN3_PARAMETERS = 512_000 + 2 * 1_049_216 + 256

const LAYER: ReadonlyArray<readonly [string, readonly number[]]> = [
  ['self_attn.q_proj', [1024, 256]],
  ['self_attn.k_proj', [256, 256]],
  ['self_attn.v_proj', [256, 256]],
  ['self_attn.o_proj', [256, 1024]],
  ['mlp.gate_proj', [512, 256]],
  ['mlp.up_proj', [512, 256]],
  ['mlp.down_proj', [256, 512]],
]
const NORMS: ReadonlyArray<readonly [string, number]> = [
  ['input_layernorm', 256],
  ['post_attention_layernorm', 256],
  ['self_attn.q_norm', 64],
  ['self_attn.k_norm', 64],
]

/** How the matrices of the layers are stored; everything else is BF16. */
export type Storage = (module: string, shape: readonly [number, number]) => Entry[]

export const asBf16: Storage = (module, shape) => [[`${module}.weight`, 'BF16', shape]]

export function tinyQwen3Tensors(store: Storage = asBf16): Entry[] {
  const entries: Entry[] = [
    ['model.embed_tokens.weight', 'BF16', [1000, 256]],
    ['lm_head.weight', 'BF16', [1000, 256]],
    ['model.norm.weight', 'BF16', [256]],
  ]
  for (const layer of [0, 1]) {
    for (const [module, shape] of LAYER) entries.push(...store(`model.layers.${layer}.${module}`, shape as [number, number]))
    for (const [module, size] of NORMS) entries.push([`model.layers.${layer}.${module}.weight`, 'BF16', [size]])
  }
  return entries
}

/** The same model as llama.cpp's converter writes it. */
export const TINY_QWEN3_KEYS: Record<string, Value> = {
  'general.architecture': 'qwen3',
  'general.name': 'Tiny Qwen3',
  'general.file_type': 15,
  'qwen3.block_count': 2,
  'qwen3.context_length': 4096,
  'qwen3.embedding_length': 256,
  'qwen3.feed_forward_length': 512,
  'qwen3.attention.head_count': 16,
  'qwen3.attention.head_count_kv': 4,
  'qwen3.attention.key_length': 64,
  'qwen3.attention.value_length': 64,
  'qwen3.rope.freq_base': 1e6 + 0.5,
  'tokenizer.ggml.tokens': ['a', 'b', 'c'],
}

export function tinyQwen3Gguf(type: string): GgufEntry[] {
  const entries: GgufEntry[] = [
    ['token_embd.weight', type, [256, 1000]],
    ['output.weight', 'Q6_K', [256, 1000]],
    ['output_norm.weight', 'F32', [256]],
  ]
  for (const layer of [0, 1]) {
    const block = `blk.${layer}`
    entries.push(
      [`${block}.attn_q.weight`, type, [256, 1024]],
      [`${block}.attn_k.weight`, type, [256, 256]],
      [`${block}.attn_v.weight`, layer === 0 ? 'Q6_K' : type, [256, 256]],
      [`${block}.attn_output.weight`, type, [1024, 256]],
      [`${block}.ffn_gate.weight`, type, [256, 512]],
      [`${block}.ffn_up.weight`, type, [256, 512]],
      [`${block}.ffn_down.weight`, layer === 0 ? 'Q6_K' : type, [512, 256]],
      [`${block}.attn_norm.weight`, 'F32', [256]],
      [`${block}.ffn_norm.weight`, 'F32', [256]],
      [`${block}.attn_q_norm.weight`, 'F32', [64]],
      [`${block}.attn_k_norm.weight`, 'F32', [64]],
    )
  }
  return entries
}

/** A directory with these files, removed after the test. */
export async function folderWith(files: Record<string, Uint8Array | object | string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'servefit-import-'))
  onTestFinished(() => rm(folder, {recursive: true, force: true}))
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), content instanceof Uint8Array || typeof content === 'string' ? content : JSON.stringify(content))
  return folder
}
