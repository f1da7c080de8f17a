import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import {memorySource} from '../../src/import/byte-source.ts'
import {readGgufHeader} from '../../src/import/gguf/header.ts'
import {importPath} from '../../src/import/import-model.ts'
import {gguf, type GgufEntry, GgufWriter, type Value} from './support/gguf.ts'
import {folderWith, TINY_QWEN3_KEYS, TINY_QWEN3_PARAMETERS, tinyQwen3Gguf} from './support/tiny-models.ts'
import {effortOf} from '../effort.ts'

const read = (bytes: Uint8Array) => readGgufHeader(memorySource('model.gguf', bytes))

async function imported(keys: Record<string, Value>, tensors: readonly GgufEntry[], name = 'model.gguf') {
  return importPath(`${await folderWith({[name]: gguf(keys, tensors)})}/${name}`)
}

describe('a GGUF file', () => {
  it('gives the architecture, exact bytes and formats by tensor', async () => {
    const file = gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q4_K'))
    const {model, warnings} = await importPath(`${await folderWith({'Tiny-Q4_K_M.gguf': file})}/Tiny-Q4_K_M.gguf`)
    expect(warnings).toEqual([])
    expect(countParameters(model.architecture).total).toBe(TINY_QWEN3_PARAMETERS)
    expect(model).toMatchObject({
      name: 'Tiny Qwen3',
      family: 'qwen3',
      architecture: {className: 'Qwen3ForCausalLM', vocabularySize: 1000, contextTokens: 4096, tiedEmbeddings: false},
    })
    expect(model.architecture.layerKinds[0]).toMatchObject({
      mixers: [{kind: 'full', queryHeadCount: 16, kvHeadCount: 4, headDim: 64, queryKeyNorm: 'head'}],
      feedForward: {kind: 'dense', intermediateSize: 512, gated: true},
      normCount: 2,
    })
    const checkpoint = model.checkpoints[0]!
    expect(checkpoint).toMatchObject({weights: 'q4_k_m', bytes: file.length, quantMethod: 'gguf', formats: {default: 'q4_k', embedding: 'q4_k', head: 'q6_k'}})
    // Layer 0 keeps v and down at six bits, as llama.cpp's mixtures do. v and down are half and half: either may be the rule.
    const six = (tensorClass: string, layer: number) =>
      (checkpoint.exceptions?.find((e) => e.tensors === tensorClass && e.layers.includes(layer))?.format ??
        checkpoint.formats[tensorClass] ??
        checkpoint.formats.default) === 'q6_k'
    expect([six('attention.value', 0), six('attention.value', 1), six('mlp.out', 0), six('mlp.out', 1)]).toEqual([true, false, true, false])
    const tensorBytes = (await read(file)).tensors.reduce((sum, {bytes}) => sum + bytes, 0)
    expect(Math.abs(checkpointBytes(model.architecture, checkpoint) / tensorBytes - 1)).toBeLessThan(0.01)
  })

  it('is read in both byte orders and in version 2', async () => {
    const normal = await read(gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0')))
    expect((await read(gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0'), {bigEndian: true}))).tensors).toEqual(normal.tensors)
    expect((await read(gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0'), {version: 2}))).metadata.get('qwen3.block_count')).toBe(2)
  })

  it('comes in parts', async () => {
    const tensors = tinyQwen3Gguf('Q8_0')
    const folder = await folderWith({
      'tiny-Q8_0-00001-of-00002.gguf': gguf({...TINY_QWEN3_KEYS, 'general.file_type': 7, 'split.count': 2}, tensors.slice(0, 9)),
      'tiny-Q8_0-00002-of-00002.gguf': gguf({'split.no': 1, 'split.count': 2}, tensors.slice(9)),
    })
    for (const path of [folder, `${folder}/tiny-Q8_0-00001-of-00002.gguf`, `${folder}/tiny-Q8_0-00002-of-00002.gguf`]) {
      const {model} = await importPath(path)
      expect(countParameters(model.architecture).total).toBe(TINY_QWEN3_PARAMETERS)
      expect(model.checkpoints[0]!.weights).toBe('q8_0')
    }
    const half = await folderWith({'tiny-00001-of-00002.gguf': gguf(TINY_QWEN3_KEYS, tensors)})
    await expect(importPath(half)).rejects.toMatchObject({code: 'MODEL_FILES_MISSING', message: expect.stringContaining('tiny-00002-of-00002.gguf')})
  })

  it('asks which of several is meant, a vision tower not being one', async () => {
    const file = gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0'))
    const tower = gguf({'general.architecture': 'clip', 'general.type': 'mmproj'}, [['v.patch_embd.weight', 'F16', [4]]])
    expect((await importPath(await folderWith({'tiny-Q8_0.gguf': file, 'mmproj-F16.gguf': tower}))).model.checkpoints[0]!.weights).toBe('q8_0')
    await expect(importPath(await folderWith({'tiny-Q8_0.gguf': file, 'tiny-Q4_K_M.gguf': file}))).rejects.toMatchObject({
      code: 'MODEL_AMBIGUOUS',
      message: expect.stringContaining('Q4_K_M, Q8_0'),
    })
    await expect(imported({'general.architecture': 'clip'}, [['v.patch_embd.weight', 'F16', [4]]])).rejects.toMatchObject({
      message: expect.stringContaining('vision tower'),
    })
  })

  it('is known by its beginning where its name says nothing, and holds towers at times', async () => {
    const file = gguf({...TINY_QWEN3_KEYS, 'general.file_type': 7}, [
      ...tinyQwen3Gguf('Q8_0'),
      ['v.patch_embd.weight', 'F16', [100, 10]],
      ['mm.0.weight', 'F16', [10, 256]],
    ])
    const {model} = await importPath(`${await folderWith({'sha256-0123': file})}/sha256-0123`)
    expect(model).toMatchObject({
      name: 'Tiny Qwen3',
      modality: ['text', 'vision'],
      checkpoints: [{weights: 'q8_0'}],
      architecture: {encoders: [{modality: 'vision', parameterCount: 1000 + 2560}]},
    })
    expect(countParameters(model.architecture)).toMatchObject({language: TINY_QWEN3_PARAMETERS, encoders: 3560})
  })

  it('reads experts, shared experts, sinks and windows', async () => {
    const keys: Record<string, Value> = {
      'general.architecture': 'gpt-oss',
      'gpt-oss.block_count': 2,
      'gpt-oss.context_length': 131_072,
      'gpt-oss.embedding_length': 64,
      'gpt-oss.attention.head_count': 8,
      'gpt-oss.attention.head_count_kv': 2,
      'gpt-oss.attention.key_length': 32,
      'gpt-oss.attention.value_length': 32,
      'gpt-oss.attention.sliding_window': 128,
      'gpt-oss.expert_count': 4,
      'gpt-oss.expert_used_count': 2,
      'gpt-oss.expert_feed_forward_length': 96,
    }
    const tensors: GgufEntry[] = [
      ['token_embd.weight', 'F16', [64, 100]],
      ['output.weight', 'F16', [64, 100]],
      ['output_norm.weight', 'F32', [64]],
    ]
    for (const block of ['blk.0', 'blk.1']) {
      tensors.push(
        [`${block}.attn_q.weight`, 'Q8_0', [64, 256]],
        [`${block}.attn_k.weight`, 'Q8_0', [64, 64]],
        [`${block}.attn_v.weight`, 'Q8_0', [64, 64]],
        [`${block}.attn_output.weight`, 'Q8_0', [256, 64]],
        [`${block}.attn_q.bias`, 'F32', [256]],
        [`${block}.attn_k.bias`, 'F32', [64]],
        [`${block}.attn_v.bias`, 'F32', [64]],
        [`${block}.attn_output.bias`, 'F32', [64]],
        [`${block}.attn_sinks.weight`, 'F32', [8]],
        [`${block}.ffn_gate_inp.weight`, 'F32', [64, 4]],
        [`${block}.ffn_gate_inp.bias`, 'F32', [4]],
        [`${block}.ffn_gate_exps.weight`, 'MXFP4', [64, 96, 4]],
        [`${block}.ffn_up_exps.weight`, 'MXFP4', [64, 96, 4]],
        [`${block}.ffn_down_exps.weight`, 'MXFP4', [96, 64, 4]],
        [`${block}.ffn_gate_exps.bias`, 'F32', [96, 4]],
        [`${block}.ffn_up_exps.bias`, 'F32', [96, 4]],
        [`${block}.ffn_down_exps.bias`, 'F32', [64, 4]],
        [`${block}.attn_norm.weight`, 'F32', [64]],
        [`${block}.post_attention_norm.weight`, 'F32', [64]],
      )
    }
    const {model, warnings} = await imported(keys, tensors)
    expect(warnings).toEqual([])
    expect(model.architecture.layerKinds).toMatchObject([
      {
        mixers: [{kind: 'full', window: {kind: 'sliding', tokens: 128}, sinks: true, queryKeyValueBias: true, outputBias: true}],
        feedForward: {kind: 'moe', expertCount: 4, expertsPerToken: 2, expertIntermediateSize: 96, gated: true, expertBias: true, routerBias: true},
      },
      {mixers: [{kind: 'full', sinks: true}]},
    ])
    expect(model.architecture.layerKinds[1]!.mixers[0]).not.toHaveProperty('window')
    expect(model.architecture.layerKinds.every(({extraElementCount}) => extraElementCount === undefined)).toBe(true)
    const stored = tensors.reduce((sum, [, , shape]) => sum + shape.reduce((a, b) => a * b, 1), 0)
    expect(countParameters(model.architecture).total).toBe(stored)
    expect(model.checkpoints[0]!.formats).toMatchObject({default: 'mxfp4', 'attention.query': 'q8_0', router: 'fp32'})
  })

  it('reads latent attention of old and new converters, and draft layers', async () => {
    const keys = (mla: Record<string, Value>): Record<string, Value> => ({
      'general.architecture': 'deepseek2',
      'deepseek2.block_count': 2,
      'deepseek2.context_length': 4096,
      'deepseek2.embedding_length': 64,
      'deepseek2.attention.head_count': 4,
      'deepseek2.attention.kv_lora_rank': 32,
      'deepseek2.attention.q_lora_rank': 48,
      'deepseek2.rope.dimension_count': 8,
      'deepseek2.nextn_predict_layers': 1,
      ...mla,
    })
    const block = (name: string): GgufEntry[] => [
      [`${name}.attn_q_a.weight`, 'F16', [64, 48]],
      [`${name}.attn_q_a_norm.weight`, 'F32', [48]],
      [`${name}.attn_q_b.weight`, 'F16', [48, 4 * 24]],
      [`${name}.attn_kv_a_mqa.weight`, 'F16', [64, 40]],
      [`${name}.attn_kv_a_norm.weight`, 'F32', [32]],
      [`${name}.attn_k_b.weight`, 'F16', [16, 32, 4]],
      [`${name}.attn_v_b.weight`, 'F16', [32, 16, 4]],
      [`${name}.attn_output.weight`, 'F16', [64, 64]],
      [`${name}.attn_norm.weight`, 'F32', [64]],
      [`${name}.ffn_norm.weight`, 'F32', [64]],
      [`${name}.ffn_gate.weight`, 'F16', [64, 128]],
      [`${name}.ffn_up.weight`, 'F16', [64, 128]],
      [`${name}.ffn_down.weight`, 'F16', [128, 64]],
    ]
    const tensors: GgufEntry[] = [
      ['token_embd.weight', 'F16', [64, 100]],
      ['output.weight', 'F16', [64, 100]],
      ['output_norm.weight', 'F32', [64]],
      ...block('blk.0'),
      ...block('blk.1'),
      ['blk.1.nextn.eh_proj.weight', 'F16', [128, 64]],
      ['blk.1.nextn.enorm.weight', 'F32', [64]],
      ['blk.1.nextn.hnorm.weight', 'F32', [64]],
    ]
    for (const mla of [
      {'deepseek2.attention.key_length': 24, 'deepseek2.attention.value_length': 16},
      {
        'deepseek2.attention.key_length': 40,
        'deepseek2.attention.value_length': 32,
        'deepseek2.attention.key_length_mla': 24,
        'deepseek2.attention.value_length_mla': 16,
      },
    ] as Record<string, Value>[]) {
      const {model, warnings} = await imported(keys(mla), tensors)
      expect(warnings).toEqual([])
      expect(model.architecture.layerSequence).toEqual([0])
      expect(model.architecture.layerKinds[0]!.mixers).toEqual([
        {kind: 'mla', queryHeadCount: 4, queryLoraRank: 48, kvLoraRank: 32, nopeHeadDim: 16, ropeHeadDim: 8, valueHeadDim: 16},
      ])
      expect(model.architecture.draft).toMatchObject({layerCount: 1, extraElementCount: 128 * 64 + 2 * 64})
    }
  })

  it('reads hybrids: which layers attend is told by their tensors', async () => {
    const keys: Record<string, Value> = {
      'general.architecture': 'granitehybrid',
      'granitehybrid.block_count': 2,
      'granitehybrid.context_length': 8192,
      'granitehybrid.embedding_length': 64,
      'granitehybrid.attention.head_count': 4,
      'granitehybrid.attention.head_count_kv': [0, 2],
      'granitehybrid.ssm.conv_kernel': 4,
      'granitehybrid.ssm.state_size': 16,
      'granitehybrid.ssm.inner_size': 128,
      'granitehybrid.ssm.time_step_rank': 8,
      'granitehybrid.ssm.group_count': 1,
    }
    // In: 2 x 128 (gate and values) + 2 x 16 (B and C) + 8 (time steps); convolution over 128 + 2 x 16.
    const tensors: GgufEntry[] = [
      ['token_embd.weight', 'F16', [64, 100]],
      ['output_norm.weight', 'F32', [64]],
      ['blk.0.ssm_in.weight', 'F16', [64, 296]],
      ['blk.0.ssm_conv1d.weight', 'F32', [4, 160]],
      ['blk.0.ssm_conv1d.bias', 'F32', [160]],
      ['blk.0.ssm_dt.bias', 'F32', [8]],
      ['blk.0.ssm_a', 'F32', [1, 8]],
      ['blk.0.ssm_d', 'F32', [1, 8]],
      ['blk.0.ssm_norm.weight', 'F32', [128, 1]],
      ['blk.0.ssm_out.weight', 'F16', [128, 64]],
      ['blk.1.attn_q.weight', 'F16', [64, 64]],
      ['blk.1.attn_k.weight', 'F16', [64, 32]],
      ['blk.1.attn_v.weight', 'F16', [64, 32]],
      ['blk.1.attn_output.weight', 'F16', [64, 64]],
      ...[0, 1].flatMap((layer): GgufEntry[] => [
        [`blk.${layer}.attn_norm.weight`, 'F32', [64]],
        [`blk.${layer}.ffn_norm.weight`, 'F32', [64]],
        [`blk.${layer}.ffn_gate.weight`, 'F16', [64, 128]],
        [`blk.${layer}.ffn_up.weight`, 'F16', [64, 128]],
        [`blk.${layer}.ffn_down.weight`, 'F16', [128, 64]],
      ]),
    ]
    const {model, warnings} = await imported(keys, tensors)
    expect(warnings).toEqual([])
    expect(model.architecture.tiedEmbeddings).toBe(true)
    expect(model.architecture.layerKinds.map(({mixers}) => mixers)).toEqual([
      [{kind: 'mamba2', headCount: 8, headDim: 16, groupCount: 1, stateSize: 16, convKernelTokens: 4, convBias: true, gatedNorm: true}],
      [{kind: 'full', queryHeadCount: 4, kvHeadCount: 2, headDim: 16}],
    ])
    expect(countParameters(model.architecture).total).toBe(tensors.reduce((sum, [, , shape]) => sum + shape.reduce((a, b) => a * b, 1), 0))
  })

  it('reads gated delta nets beside gated attention, fused or not', async () => {
    const keys: Record<string, Value> = {
      'general.architecture': 'qwen35',
      'qwen35.block_count': 2,
      'qwen35.context_length': 8192,
      'qwen35.embedding_length': 64,
      'qwen35.attention.head_count': 4,
      'qwen35.attention.head_count_kv': 2,
      'qwen35.attention.key_length': 32,
      'qwen35.attention.value_length': 32,
      'qwen35.ssm.conv_kernel': 4,
      'qwen35.ssm.state_size': 16,
      'qwen35.ssm.inner_size': 128,
      'qwen35.ssm.time_step_rank': 8,
      'qwen35.ssm.group_count': 4,
      'qwen35.full_attention_interval': 2,
    }
    // Keys 4 x 16 twice and values 8 x 16: 256 rows, and as many taps of the convolution.
    const linear: GgufEntry[] = [
      ['blk.0.attn_qkv.weight', 'Q8_0', [64, 256]],
      ['blk.0.attn_gate.weight', 'Q8_0', [64, 128]],
      ['blk.0.ssm_conv1d.weight', 'F32', [4, 256]],
      ['blk.0.ssm_dt.bias', 'F32', [8]],
      ['blk.0.ssm_a', 'F32', [8]],
      ['blk.0.ssm_beta.weight', 'Q8_0', [64, 8]],
      ['blk.0.ssm_alpha.weight', 'Q8_0', [64, 8]],
      ['blk.0.ssm_norm.weight', 'F32', [16]],
      ['blk.0.ssm_out.weight', 'Q8_0', [128, 64]],
    ]
    const rest: GgufEntry[] = [
      ['token_embd.weight', 'Q8_0', [64, 100]],
      ['output_norm.weight', 'F32', [64]],
      ['blk.1.attn_output.weight', 'Q8_0', [128, 64]],
      ['blk.1.attn_q_norm.weight', 'F32', [32]],
      ['blk.1.attn_k_norm.weight', 'F32', [32]],
      ...[0, 1].flatMap((layer): GgufEntry[] => [
        [`blk.${layer}.attn_norm.weight`, 'F32', [64]],
        [`blk.${layer}.post_attention_norm.weight`, 'F32', [64]],
        [`blk.${layer}.ffn_gate.weight`, 'Q8_0', [64, 96]],
        [`blk.${layer}.ffn_up.weight`, 'Q8_0', [64, 96]],
        [`blk.${layer}.ffn_down.weight`, 'Q8_0', [96, 64]],
      ]),
    ]
    // Queries and their gate 2 x 4 x 32, keys and values 2 x 32 each.
    const apart: GgufEntry[] = [
      ['blk.1.attn_q.weight', 'Q8_0', [64, 256]],
      ['blk.1.attn_k.weight', 'Q8_0', [64, 64]],
      ['blk.1.attn_v.weight', 'Q8_0', [64, 64]],
    ]
    const fused: GgufEntry[] = [['blk.1.attn_qkv.weight', 'Q8_0', [64, 384]]]
    for (const attention of [apart, fused]) {
      const tensors = [...rest, ...linear, ...attention]
      const {model, warnings} = await imported(keys, tensors)
      expect(warnings).toEqual([])
      expect(model.architecture.layerKinds.map(({mixers}) => mixers)).toEqual([
        [{kind: 'gated-delta-net', keyHeadCount: 4, keyHeadDim: 16, valueHeadCount: 8, valueHeadDim: 16, convKernelTokens: 4}],
        [{kind: 'full', queryHeadCount: 4, kvHeadCount: 2, headDim: 32, queryKeyNorm: 'head', outputGate: 'element'}],
      ])
      expect(countParameters(model.architecture).total).toBe(tensors.reduce((sum, [, , shape]) => sum + shape.reduce((a, b) => a * b, 1), 0))
    }
  })

  it('takes an architecture nobody has heard of, with a warning, and refuses one whose cache cannot be told', async () => {
    const renamed = Object.fromEntries(
      Object.entries(TINY_QWEN3_KEYS).map(([key, value]) => [key.replace(/^qwen3/, 'newcomer'), value === 'qwen3' ? 'newcomer' : value]),
    )
    const {model, warnings} = await imported(renamed, tinyQwen3Gguf('Q8_0'))
    expect(countParameters(model.architecture).total).toBe(TINY_QWEN3_PARAMETERS)
    expect(warnings.join()).toContain('"newcomer" is not an architecture this importer knows')
    const rwkv: GgufEntry[] = [
      ['token_embd.weight', 'F16', [64, 100]],
      ['blk.0.time_mix_key.weight', 'F16', [64, 64]],
      ['blk.0.time_mix_value.weight', 'F16', [64, 64]],
    ]
    await expect(imported({'general.architecture': 'rwkv7', 'rwkv7.block_count': 1, 'rwkv7.embedding_length': 64}, rwkv)).rejects.toMatchObject({
      code: 'MODEL_CONFIG_INVALID',
      message: expect.stringMatching(/layer 0 .*cannot be computed/),
    })
  })

  it('names the key that is missing or wrong', async () => {
    const {'qwen3.attention.head_count': _, ...without} = TINY_QWEN3_KEYS
    await expect(imported(without, tinyQwen3Gguf('Q8_0'))).rejects.toMatchObject({
      code: 'MODEL_CONFIG_INVALID',
      message: expect.stringContaining('qwen3.attention.head_count is missing'),
    })
    await expect(imported({...TINY_QWEN3_KEYS, 'qwen3.block_count': 1.5}, tinyQwen3Gguf('Q8_0'))).rejects.toMatchObject({
      message: expect.stringContaining('qwen3.block_count is 1.5'),
    })
  })
})

describe('a hostile GGUF header', () => {
  const magic = () => new GgufWriter().raw(0x47, 0x47, 0x55, 0x46).u32(3)
  const one = (dimensions: (writer: GgufWriter) => GgufWriter) => dimensions(magic().u64(1).u64(0).text('w')).done(64)
  const arrays = (depth: number) => {
    const writer = magic().u64(0).u64(1).text('deep').u32(9)
    for (let index = 0; index < depth; index++) writer.u32(9).u64(1)
    return writer.u32(4).u64(1).u32(7).done(64)
  }
  const HOSTILE: Record<string, [Uint8Array, string, RegExp]> = {
    'another kind of file': [new TextEncoder().encode('PK\u0003\u0004 this is a zip file, really'), 'GGUF_INVALID', /begin with GGUF/],
    'version 1': [gguf({}, [], {version: 1}).slice(0, 24), 'GGUF_INVALID', /version 1/],
    'version 99': [gguf({}, [], {version: 99}), 'GGUF_INVALID', /version 99/],
    'a million tensors': [gguf({}, [], {tensorCount: 1_000_000n}), 'GGUF_INVALID', /1,000,000 tensors/],
    '2^64 - 1 tensors': [gguf({}, [], {tensorCount: 2n ** 64n - 1n}), 'GGUF_INVALID', /number of tensors/],
    'a million keys': [gguf({}, [], {keyCount: 1_000_000n}), 'GGUF_INVALID', /1,000,000 keys/],
    'a text of 10 GB': [magic().u64(0).u64(1).text('k').u32(8).u64(10_000_000_000).done(64), 'FILE_TRUNCATED', /cut off/],
    'an array of 2^60 numbers': [
      magic()
        .u64(0)
        .u64(1)
        .text('k')
        .u32(9)
        .u32(4)
        .u64(2n ** 60n)
        .done(64),
      'GGUF_INVALID',
      /length of "k"/,
    ],
    'an array of 2^52 texts': [
      magic()
        .u64(0)
        .u64(1)
        .text('k')
        .u32(9)
        .u32(8)
        .u64(2n ** 52n)
        .done(2 ** 20),
      'FILE_TRUNCATED',
      /cut off/,
    ],
    'arrays nested 1,000 deep': [arrays(1000), 'GGUF_INVALID', /nested deeper/],
    'the same key twice': [magic().u64(0).u64(2).text('k').u32(4).u32(1).text('k').u32(4).u32(1).done(64), 'GGUF_INVALID', /"k" occurs twice/],
    'the same tensor twice': [
      gguf({}, [
        ['w', 'F32', [1]],
        ['w', 'F32', [1]],
      ]),
      'GGUF_INVALID',
      /"w" occurs twice/,
    ],
    'no dimensions': [one((writer) => writer.u32(0).u32(0).u64(0)), 'GGUF_INVALID', /0 dimensions/],
    'a thousand dimensions': [one((writer) => writer.u32(1000)), 'GGUF_INVALID', /1000 dimensions/],
    'a dimension of 2^63': [
      one((writer) =>
        writer
          .u32(1)
          .u64(2n ** 63n)
          .u32(0)
          .u64(0),
      ),
      'GGUF_INVALID',
      /dimension/,
    ],
    'an empty dimension': [one((writer) => writer.u32(2).u64(0).u64(5).u32(0).u64(0)), 'GGUF_INVALID', /0 x 5/],
    'more elements than can be counted': [
      one((writer) =>
        writer
          .u32(2)
          .u64(2n ** 40n)
          .u64(2n ** 40n)
          .u32(0)
          .u64(0),
      ),
      'GGUF_INVALID',
      /cannot be/,
    ],
    'broken blocks': [one((writer) => writer.u32(1).u64(100).u32(12).u64(0)), 'GGUF_INVALID', /blocks of 256/],
    'an unknown type': [one((writer) => writer.u32(1).u64(1).u32(4711).u64(0)), 'GGUF_INVALID', /type 4711/],
    'an offset beyond the file': [one((writer) => writer.u32(1).u64(4).u32(0).u64(1_000_000)), 'FILE_TRUNCATED', /beyond/],
    'an alignment of 7.5': [gguf({'general.alignment': 7.5}, [['w', 'F32', [1]]]), 'GGUF_INVALID', /alignment/],
    'an unknown type of value': [magic().u64(0).u64(1).text('k').u32(77).done(64), 'GGUF_INVALID', /unknown type 77/],
    'tensors that are cut off': [gguf({}, [['w', 'F32', [100]]], {cut: 10}), 'FILE_TRUNCATED', /beyond it/],
  }
  for (const [name, [bytes, code, message]] of Object.entries(HOSTILE)) {
    it(`is refused: ${name}`, async () => {
      const effort = await effortOf(() => expect(read(bytes)).rejects.toMatchObject({name: 'InputError', code, message: expect.stringMatching(message)}))
      expect(effort).toBeLessThan(100)
    })
  }

  it('ends in a model or an InputError whatever the bytes', async () => {
    const good = gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0'))
    const headerLength = 2400
    const {GgufFile} = await import('../../src/import/gguf/metadata.ts')
    const {architectureOf} = await import('../../src/import/gguf/architecture.ts')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(headerLength), fc.nat(255)), {minLength: 1, maxLength: 8}), async (changes) => {
        const bytes = good.slice()
        for (const [at, value] of changes) bytes[at] = value
        try {
          const {total} = countParameters(architectureOf(new GgufFile('model.gguf', await read(bytes)), []))
          expect(total).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toBeInstanceOf(InputError)
        }
      }),
      {numRuns: 400},
    )
  })
})
