import {describe, expect, test} from 'vitest'
import type {Checkpoint} from '../../src/core/model.ts'
import {imported} from './fixtures.ts'

const checkpoint = (
  file: string,
  quantization_config: unknown,
  more: {quantConfig?: unknown; hfId?: string; change?: Record<string, unknown>} = {},
): Checkpoint => imported(file, {...more.change, quantization_config}, {quantConfig: more.quantConfig, hfId: more.hfId}).model.checkpoints[0]!

const linear = (weights: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  quant_method: 'compressed-tensors',
  config_groups: {group_0: {targets: ['Linear'], weights, ...more}},
})

describe('FP8', () => {
  test('blocks of 128 by 128', () => {
    expect(checkpoint('qwen3-14b', {quant_method: 'fp8', weight_block_size: [128, 128], activation_scheme: 'dynamic'})).toMatchObject({
      weights: 'fp8-block',
      formats: {default: 'fp8-block'},
      quantMethod: 'fp8',
    })
  })

  test('one scale for a tensor (Devstral)', () => {
    expect(
      checkpoint('mistral-small-3.1', {
        quant_method: 'fp8',
        weight_block_size: null,
        activation_scheme: 'static',
        modules_to_not_convert: ['model.vision_tower', 'lm_head'],
      }),
    ).toMatchObject({weights: 'fp8', formats: {default: 'fp8'}})
  })

  test('one scale for a row (compressed-tensors), attention left alone', () => {
    const scheme = linear({num_bits: 8, type: 'float', strategy: 'channel'}, {input_activations: {num_bits: 8, type: 'float', dynamic: true}})
    expect(checkpoint('llama-4-scout', {...scheme, ignore: ['language_model.lm_head', 're:.*self_attn.*', 're:vision_model.*']})).toMatchObject({
      weights: 'fp8',
      formats: {default: 'fp8-channel', attention: 'bf16'},
    })
  })

  test('a list that names routers and norms leaves nothing else out (MiniMax-M2)', () => {
    expect(
      checkpoint('minimax-m2.5', {quant_method: 'fp8', weight_block_size: [128, 128], modules_to_not_convert: ['gate', 'e_score_correction_bias', 'lm_head']})
        .formats,
    ).toEqual({default: 'fp8-block'})
  })

  test('DeepSeek-V4: experts in FP4, the rest in FP8, compressors at 16 bits: native', () => {
    const config = {quant_method: 'fp8', weight_block_size: [128, 128], scale_fmt: 'ue8m0'}
    expect(checkpoint('deepseek-v4-flash', config, {change: {expert_dtype: 'fp4'}})).toMatchObject({
      weights: 'native',
      formats: {default: 'mxfp4', attention: 'fp8-block', 'attention.compressor': 'bf16', 'shared-experts': 'fp8-block', indexer: 'fp8-block'},
    })
    expect(checkpoint('deepseek-v4-flash', config)).toMatchObject({weights: 'fp8-block'})
  })
})

describe('four-bit integers', () => {
  test('Kimi K2.5: experts alone, groups of 32: native', () => {
    const scheme = {
      ...linear({num_bits: 4, type: 'int', strategy: 'group', group_size: 32, symmetric: true}),
      format: 'pack-quantized',
      ignore: ['lm_head', 're:.*self_attn.*', 're:.*shared_experts.*', 're:.*mlp\\.(gate|up|gate_up|down)_proj.*'],
    }
    expect(checkpoint('kimi-k2.5', scheme, {hfId: 'moonshotai/Kimi-K2.5'})).toMatchObject({
      weights: 'native',
      formats: {default: 'int4-group32', attention: 'bf16', mlp: 'bf16', 'shared-experts': 'bf16'},
    })
  })

  test("the repository's name says who packed it", () => {
    const scheme = {...linear({num_bits: 4, type: 'int', strategy: 'group', group_size: 128, symmetric: true}), ignore: ['lm_head']}
    expect(checkpoint('qwen3-14b', scheme, {hfId: 'someone/Qwen3-14B-AWQ-4bit'}).weights).toBe('awq-int4')
    expect(checkpoint('qwen3-14b', scheme, {hfId: 'someone/Qwen3-14B-GPTQ-4bit'}).weights).toBe('gptq-int4')
    expect(checkpoint('qwen3-14b', scheme, {hfId: 'someone/Qwen3-14B-quantized.w4a16'})).toMatchObject({
      weights: 'compressed-int4',
      formats: {default: 'int4-group128'},
    })
  })

  test('AWQ and its group size', () => {
    expect(checkpoint('qwen3-14b', {quant_method: 'awq', bits: 4, group_size: 128, zero_point: true})).toMatchObject({
      weights: 'awq-int4',
      formats: {default: 'awq-int4'},
    })
    expect(checkpoint('qwen3-14b', {quant_method: 'awq', w_bit: 4, q_group_size: 64, zero_point: true})).toMatchObject({
      weights: 'awq-int4',
      formats: {default: 'awq-int4-group64'},
    })
  })

  test('GPTQ: eight bits, the head, and rules for some modules', () => {
    expect(checkpoint('qwen3-14b', {quant_method: 'gptq', bits: 8, group_size: 128}).weights).toBe('gptq-int8')
    expect(checkpoint('qwen3-14b', {quant_method: 'gptq', bits: 4, group_size: 128, lm_head: true}).formats).toEqual({default: 'gptq-int4', head: 'gptq-int4'})
    expect(
      checkpoint('qwen3-14b', {quant_method: 'gptq', bits: 4, group_size: 128, dynamic: {'-:.*self_attn.*': {}, '+:.*down_proj': {bits: 8}}}),
    ).toMatchObject({formats: {default: 'gptq-int4', attention: 'bf16', 'mlp.out': 'gptq-int8'}})
  })

  test('layers left alone become exceptions', () => {
    const {formats, exceptions} = checkpoint('qwen3-14b', {quant_method: 'gptq', bits: 4, group_size: 128, dynamic: {'-:model\\.layers\\.(0|1|39)\\..*': {}}})
    expect(formats).toEqual({default: 'gptq-int4'})
    expect(exceptions).toEqual([
      {tensors: 'attention', layers: [0, 1, 39], format: 'bf16'},
      {tensors: 'mlp', layers: [0, 1, 39], format: 'bf16'},
    ])
  })
})

describe('NVIDIA Model Optimizer', () => {
  test('its own file tells format and cache', () => {
    const quantConfig = {producer: {name: 'modelopt'}, quantization: {quant_algo: 'FP8', kv_cache_quant_algo: 'FP8', exclude_modules: ['lm_head']}}
    expect(checkpoint('qwen3-14b', undefined, {quantConfig})).toMatchObject({
      weights: 'fp8',
      formats: {default: 'fp8'},
      kvCache: 'fp8',
      quantMethod: 'modelopt',
    })
  })

  test('NVFP4 with lists layer by layer: latent projections of every layer, the draft layer whole', () => {
    const ignored = [
      'lm_head',
      ...Array.from({length: 61}, (_, l) =>
        ['kv_a_proj_with_mqa', 'kv_b_proj', 'q_a_proj', 'q_b_proj'].map((name) => `model.layers.${l}.self_attn.${name}`),
      ).flat(),
      'model.layers.61*',
    ]
    expect(
      checkpoint('deepseek-v3', {
        quant_method: 'modelopt',
        quant_algo: 'NVFP4',
        group_size: 16,
        kv_cache_scheme: {num_bits: 8, type: 'float'},
        ignore: ignored,
      }),
    ).toMatchObject({
      weights: 'nvfp4',
      kvCache: 'fp8',
      formats: {default: 'nvfp4', attention: 'bf16', 'attention.output': 'nvfp4', draft: 'bf16'},
    })
  })

  test("a mamba layer before each attention layer left alone (Nemotron 3 Nano's way)", () => {
    const {formats, exceptions} = checkpoint('nemotron-3-super', {
      quant_method: 'modelopt',
      quant_algo: 'NVFP4',
      exclude_modules: ['lm_head', 'backbone.layers.6.mixer.in_proj', 'backbone.layers.6.mixer.out_proj', '*q_proj', '*k_proj', '*v_proj', '*o_proj', 'mtp*'],
    })
    expect(formats).toMatchObject({default: 'nvfp4', attention: 'bf16', draft: 'bf16'})
    expect(exceptions).toEqual([{tensors: 'linear', layers: [6], format: 'bf16'}])
  })

  test('Gemma 4: `mlp*` means the dense part beside the experts, not the experts', () => {
    const ignored = Array.from({length: 30}, (_, l) => ['mlp*', 'router*', 'self_attn*'].map((name) => `model.language_model.layers.${l}.${name}`)).flat()
    expect(checkpoint('gemma-4-26b-a4b', {quant_method: 'modelopt', quant_algo: 'NVFP4', ignore: ignored}).formats).toEqual({
      default: 'nvfp4',
      attention: 'bf16',
      mlp: 'bf16',
    })
  })

  test('mixed precision: a format for each module, the rest at 16 bits', () => {
    const layer = (l: number, kind: string) =>
      Object.fromEntries([
        ...(kind === 'full'
          ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => `self_attn.${name}`)
          : ['in_proj_qkv', 'in_proj_z', 'out_proj'].map((name) => `linear_attn.${name}`)
        ).map((name) => [`model.language_model.layers.${l}.${name}`, {quant_algo: 'FP8'}]),
        [`model.language_model.layers.${l}.mlp.experts`, {quant_algo: 'W4A16_NVFP4', group_size: 16}],
      ])
    const quantized_layers = Object.assign(
      {lm_head: {quant_algo: 'W4A16_NVFP4'}},
      ...Array.from({length: 40}, (_, l) => layer(l, (l + 1) % 4 === 0 ? 'full' : 'linear')),
    )
    expect(checkpoint('qwen3.5-35b-a3b', {quant_method: 'modelopt', quant_algo: 'MIXED_PRECISION', quantized_layers, ignore: ['mtp*']})).toMatchObject({
      weights: 'nvfp4',
      formats: {default: 'nvfp4-weight-only', linear: 'fp8', attention: 'fp8', 'shared-experts': 'bf16', head: 'nvfp4-weight-only', draft: 'bf16'},
    })
  })

  test('NVFP4 experts on top of an FP8 original keep the rest as it was', () => {
    const quantized_layers = Object.fromEntries(Array.from({length: 43}, (_, l) => [`layers.${l}.ffn.experts`, {quant_algo: 'NVFP4', group_size: 16}]))
    const config = {quant_method: 'fp8', weight_block_size: [128, 128], quant_algo: 'MIXED_PRECISION', quantized_layers, ignore: ['*.attn.*', 'mtp.*']}
    expect(checkpoint('deepseek-v4-flash', config, {change: {expert_dtype: 'fp4'}})).toMatchObject({
      weights: 'nvfp4',
      formats: {default: 'nvfp4', attention: 'fp8-block', 'shared-experts': 'fp8-block', 'draft.experts.in': 'mxfp4'},
    })
  })

  test('mixed precision without the map is refused', () => {
    expect(() => checkpoint('qwen3-14b', {quant_method: 'modelopt', quant_algo: 'MIXED_PRECISION'})).toThrow('quantized_layers is missing')
  })
})

describe('others', () => {
  test('gpt-oss: experts in MXFP4, everything else at 16 bits', () => {
    expect(
      checkpoint('gpt-oss-120b', {
        quant_method: 'mxfp4',
        modules_to_not_convert: ['model.layers.*.self_attn', 'model.layers.*.mlp.router', 'model.embed_tokens', 'lm_head'],
      }),
    ).toMatchObject({weights: 'mxfp4', formats: {default: 'mxfp4', attention: 'bf16'}})
  })

  test('INT8 weights and activations', () => {
    expect(
      checkpoint('qwen3-14b', {
        ...linear({num_bits: 8, type: 'int', strategy: 'channel'}, {input_activations: {num_bits: 8, type: 'int'}}),
        ignore: ['lm_head'],
      }),
    ).toMatchObject({weights: 'int8', formats: {default: 'int8'}})
  })

  test('bitsandbytes and Quark', () => {
    expect(checkpoint('qwen3-14b', {quant_method: 'bitsandbytes', load_in_4bit: true}).weights).toBe('nf4')
    expect(
      checkpoint('qwen3-14b', {
        quant_method: 'quark',
        global_quant_config: {weight: {dtype: 'fp4', qscheme: 'per_group', group_size: 32}},
        exclude: ['lm_head', '*self_attn*'],
        kv_cache_quant_config: {'*k_proj': {dtype: 'fp8_e4m3'}},
      }),
    ).toMatchObject({weights: 'mxfp4', formats: {default: 'mxfp4', attention: 'bf16'}, kvCache: 'fp8'})
  })

  test('the section may lie under the text', () => {
    const {model} = imported('kimi-k2.5', {}, {})
    expect(model.checkpoints[0]!.weights).toBe('bf16')
  })

  test('a method nobody knows is refused, naming it', () => {
    expect(() => checkpoint('qwen3-14b', {quant_method: 'magic'})).toThrow('quantization_config.quant_method is "magic"; expected fp8, compressed-tensors')
    expect(() => checkpoint('qwen3-14b', {quant_method: 'awq', bits: 3})).toThrow('quantization_config.bits is 3')
  })

  test('a pattern that is not understood is said', () => {
    const {warnings} = imported('qwen3-14b', {quantization_config: {...linear({num_bits: 4, type: 'int', group_size: 32}), ignore: ['re:(?=lm)', 'lm_head']}})
    expect(warnings.join()).toContain('"re:(?=lm)" is not understood')
  })
})

describe('the index of the weight files', () => {
  const index = (names: string[], total_size?: number) => ({
    metadata: {total_size},
    weight_map: Object.fromEntries(names.map((name) => [name, 'model-00001.safetensors'])),
  })

  test('tells the bytes, a head that is stored although tied, and what is missing', () => {
    const smollm = imported('smollm3-3b', {}, {index: index(['model.embed_tokens.weight', 'lm_head.weight'], 6_150_197_248)}).model
    expect(smollm.checkpoints[0]!.bytes).toBe(6_150_197_248)
    expect(smollm.architecture.headStoredTwice).toBe(true)
    expect(imported('deepseek-v3', {}, {index: index(['model.layers.0.mlp.up_proj.weight'])}).model.checkpoints[0]!.draftIncluded).toBe(false)
    expect(imported('deepseek-v3', {}, {index: index(['model.layers.61.eh_proj.weight'])}).model.checkpoints[0]!.draftIncluded).toBeUndefined()
  })
})
