import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {importConfig} from '../../src/catalogue/import/import-config.ts'
import {isWeightFormat} from '../../src/core/formats.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import {checkAgainstFiles} from '../../src/import/checkpoint-contents.ts'
import type {StoredTensor} from '../../src/import/safetensors-header.ts'
import {storedModules} from '../../src/import/stored-modules.ts'
import {TINY_QWEN3} from './support/tiny-models.ts'

const tensor = (name: string, dtype: string, shape: number[], elementBytes: number): StoredTensor => ({
  name,
  dtype,
  shape,
  bytes: shape.reduce((product, size) => product * size, 1) * elementBytes,
})

describe('what tensors stand for', () => {
  it('tells MXFP4 experts of gpt-oss, fused and with biases', () => {
    const [experts, bias] = storedModules([
      tensor('model.layers.0.mlp.experts.gate_up_proj_blocks', 'U8', [32, 5760, 90, 16], 1),
      tensor('model.layers.0.mlp.experts.gate_up_proj_scales', 'U8', [32, 5760, 90], 1),
      tensor('model.layers.0.mlp.experts.gate_up_proj_bias', 'BF16', [32, 5760], 2),
    ])
    expect(experts).toEqual({
      name: 'model.layers.0.mlp.experts.gate_up_proj',
      format: 'mxfp4',
      elements: 32 * 5760 * 2880,
      bytes: (32 * 5760 * 2880 * 17) / 32,
      vector: false,
    })
    expect(bias).toMatchObject({format: 'bf16', elements: 32 * 5760})
  })

  it('tells four-bit floats in bytes from eight-bit integers', () => {
    // DeepSeek-V4's experts: two values in a signed byte, one power of two for 32.
    expect(storedModules([tensor('e.w1.weight', 'I8', [2048, 2048], 1), tensor('e.w1.scale', 'F8_E8M0', [2048, 128], 1)])).toMatchObject([
      {format: 'mxfp4', elements: 2048 * 4096},
    ])
    expect(storedModules([tensor('q.weight', 'I8', [2048, 2048], 1), tensor('q.weight_scale', 'BF16', [2048, 1], 2)])).toMatchObject([
      {format: 'int8', elements: 2048 ** 2},
    ])
    expect(
      storedModules([
        tensor('q.weight', 'U8', [2048 * 1024, 1], 1),
        tensor('q.weight.absmax', 'U8', [65_536], 1),
        tensor('q.weight.quant_state.bitsandbytes__nf4', 'U8', [80], 1),
      ]),
    ).toMatchObject([{format: 'nf4', elements: 2 * 2048 * 1024}])
  })

  it('tells the four ways FP8 is scaled', () => {
    const scaled = (name: string, dtype: string, shape: number[], bytes: number) =>
      storedModules([tensor('q.weight', 'F8_E4M3', [4096, 2048], 1), tensor(name, dtype, shape, bytes)])[0]!.format
    expect(scaled('q.weight_scale', 'F32', [], 4)).toBe('fp8')
    expect(scaled('q.weight_scale', 'BF16', [4096, 1], 2)).toBe('fp8-channel')
    expect(scaled('q.weight_scale_inv', 'F32', [32, 16], 4)).toBe('fp8-block')
    expect(scaled('q.weight_scale', 'U8', [4096, 64], 1)).toBe('mxfp8')
  })

  it('tells the width of packed integers', () => {
    const gptq = (bits: number) =>
      storedModules([
        tensor('q.qweight', 'I32', [(2048 * bits) / 32, 4096], 4),
        tensor('q.qzeros', 'I32', [16, (4096 * bits) / 32], 4),
        tensor('q.scales', 'F16', [16, 4096], 2),
        tensor('q.g_idx', 'I32', [2048], 4),
      ])[0]!
    expect(gptq(4)).toMatchObject({format: 'gptq-int4', elements: 4096 * 2048})
    expect(gptq(8)).toMatchObject({format: 'gptq-int8', elements: 4096 * 2048})
    const packed = (bits: number, groups: number) =>
      storedModules([tensor('q.weight_packed', 'I32', [4096, (2048 * bits) / 32], 4), tensor('q.weight_scale', 'BF16', [4096, groups], 2)])[0]!
    expect(packed(4, 64)).toMatchObject({format: 'int4-group32', elements: 4096 * 2048})
    expect(packed(8, 16)).toMatchObject({format: 'int8-group', elements: 4096 * 2048})
  })

  it('never fails, whatever lies in the files', () => {
    const name = fc.constantFrom(
      ...[
        'weight',
        'qweight',
        'qzeros',
        'scales',
        'weight_packed',
        'weight_scale',
        'weight_scale_inv',
        'g_idx',
        'bias',
        'weight.absmax',
        'weight_shape',
      ].flatMap((suffix) =>
        [
          'model.layers.0.self_attn.q_proj',
          'model.layers.1.mlp.down_proj',
          'model.layers.7.mlp.up_proj',
          'lm_head',
          'visual.blocks.0.attn.qkv',
          '__proto__',
        ].map((module) => `${module}.${suffix}`),
      ),
      'model.layers.0.mlp.experts.gate_up_proj_blocks',
      'constructor',
      '',
      '.',
      'model.layers.00000.x',
    )
    const any = fc.record({
      name,
      dtype: fc.constantFrom('BF16', 'F32', 'F8_E4M3', 'U8', 'I8', 'I32', 'F4', 'F8_E8M0', 'I64', 'BOOL'),
      shape: fc.array(fc.nat(300), {maxLength: 4}),
    })
    fc.assert(
      fc.property(fc.array(any, {maxLength: 20}), (entries) => {
        const tensors = entries.map(({name: own, dtype, shape}) => tensor(own, dtype, shape, 1))
        for (const {format, elements} of storedModules(tensors)) expect((format === undefined || isWeightFormat(format)) && elements >= 0).toBe(true)
        const {model} = checkAgainstFiles(importConfig({config: TINY_QWEN3}), tensors)
        expect(checkpointBytes(model.architecture, model.checkpoints[0]!)).toBeGreaterThan(0)
      }),
      {numRuns: 500},
    )
  })
})
