import {describe, expect, it} from 'vitest'
import {countParameters} from '../../src/core/tensors.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import {importPath} from '../../src/import/import-model.ts'
import {safetensors} from './support/safetensors.ts'
import {folderWith, type Storage, TINY_QWEN3, TINY_QWEN3_PARAMETERS, tinyQwen3Tensors} from './support/tiny-models.ts'

describe('a checkpoint directory', () => {
  it('gives exact bytes and parameters', async () => {
    const folder = await folderWith({'config.json': TINY_QWEN3, 'model.safetensors': safetensors(tinyQwen3Tensors())})
    const {model, warnings} = await importPath(folder)
    expect(warnings).toEqual([])
    expect(countParameters(model.architecture).total).toBe(TINY_QWEN3_PARAMETERS)
    expect(model.checkpoints[0]).toMatchObject({weights: 'bf16', bytes: 2 * TINY_QWEN3_PARAMETERS})
  })

  it('adds up shards, with and without an index', async () => {
    const all = tinyQwen3Tensors()
    const shards = {'model-00001-of-00002.safetensors': safetensors(all.slice(0, 7)), 'model-00002-of-00002.safetensors': safetensors(all.slice(7))}
    const map = Object.fromEntries(all.map(([name], index) => [name, `model-0000${index < 7 ? 1 : 2}-of-00002.safetensors`]))
    const indexes: Record<string, object>[] = [{}, {'model.safetensors.index.json': {metadata: {total_size: 1}, weight_map: map}}]
    for (const index of indexes) {
      const {model} = await importPath(await folderWith({'config.json': TINY_QWEN3, ...shards, ...index}))
      expect(model.checkpoints[0]!.bytes).toBe(2 * TINY_QWEN3_PARAMETERS)
    }
  })

  it('says so when shards are missing', async () => {
    const {model, warnings} = await importPath(
      await folderWith({
        'config.json': TINY_QWEN3,
        'model.safetensors.index.json': {
          metadata: {total_size: 2 * TINY_QWEN3_PARAMETERS},
          weight_map: {a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors'},
        },
      }),
    )
    expect(warnings.join()).toContain('2 of 2 weight files are missing')
    expect(model.checkpoints[0]!.bytes).toBe(2 * TINY_QWEN3_PARAMETERS)
  })

  // Each method stores a matrix of `rows` outputs and `columns` inputs in its own way; 16-bit scales unless said.
  const METHODS: Record<string, {config: object; store: Storage; format: string; weights: string}> = {
    'AWQ packs outputs': {
      config: {quant_method: 'awq', bits: 4, group_size: 128, zero_point: true},
      format: 'awq-int4',
      weights: 'awq-int4',
      store: (module, [rows, columns]) => [
        [`${module}.qweight`, 'I32', [columns, rows / 8]],
        [`${module}.qzeros`, 'I32', [columns / 128, rows / 8]],
        [`${module}.scales`, 'F16', [columns / 128, rows]],
      ],
    },
    'GPTQ packs inputs': {
      config: {quant_method: 'gptq', bits: 4, group_size: 128},
      format: 'gptq-int4',
      weights: 'gptq-int4',
      store: (module, [rows, columns]) => [
        [`${module}.qweight`, 'I32', [columns / 8, rows]],
        [`${module}.qzeros`, 'I32', [columns / 128, rows / 8]],
        [`${module}.scales`, 'F16', [columns / 128, rows]],
      ],
    },
    'FP8 in blocks': {
      config: {quant_method: 'fp8', weight_block_size: [128, 128], activation_scheme: 'dynamic'},
      format: 'fp8-block',
      weights: 'fp8-block',
      store: (module, [rows, columns]) => [
        [`${module}.weight`, 'F8_E4M3', [rows, columns]],
        [`${module}.weight_scale_inv`, 'F32', [Math.ceil(rows / 128), Math.ceil(columns / 128)]],
      ],
    },
    'NVFP4 with scales of 16': {
      config: {quant_method: 'modelopt', quant_algo: 'NVFP4', group_size: 16, ignore: ['lm_head']},
      format: 'nvfp4',
      weights: 'nvfp4',
      store: (module, [rows, columns]) => [
        [`${module}.weight`, 'U8', [rows, columns / 2]],
        [`${module}.weight_scale`, 'F8_E4M3', [rows, columns / 16]],
        [`${module}.weight_scale_2`, 'F32', []],
        [`${module}.input_scale`, 'F32', []],
      ],
    },
    'compressed-tensors, groups of 32': {
      config: {
        quant_method: 'compressed-tensors',
        format: 'pack-quantized',
        ignore: ['lm_head'],
        config_groups: {group_0: {targets: ['Linear'], weights: {num_bits: 4, type: 'int', strategy: 'group', group_size: 32, symmetric: true}}},
      },
      format: 'int4-group32',
      weights: 'native',
      store: (module, [rows, columns]) => [
        [`${module}.weight_packed`, 'I32', [rows, columns / 8]],
        [`${module}.weight_scale`, 'BF16', [rows, columns / 32]],
        [`${module}.weight_shape`, 'I64', [2]],
      ],
    },
  }
  for (const [name, {config, store, format, weights}] of Object.entries(METHODS)) {
    it(`reads ${name} as the configuration says`, async () => {
      const {model, warnings} = await importPath(
        await folderWith({'config.json': {...TINY_QWEN3, quantization_config: config}, 'model.safetensors': safetensors(tinyQwen3Tensors(store))}),
      )
      const checkpoint = model.checkpoints[0]!
      expect(warnings).toEqual([])
      expect(checkpoint).toMatchObject({weights, formats: {default: format}})
      expect(Math.abs(checkpointBytes(model.architecture, checkpoint) / checkpoint.bytes! - 1)).toBeLessThan(0.01)
    })

    it(`tells ${name} from the tensors alone`, async () => {
      const {model, warnings} = await importPath(await folderWith({'config.json': TINY_QWEN3, 'model.safetensors': safetensors(tinyQwen3Tensors(store))}))
      const checkpoint = model.checkpoints[0]!
      expect(warnings.join()).toContain('the formats in the files are used')
      expect(checkpoint.formats.default).toBe(format)
      // Packed elements are counted as the weights they stand for.
      expect(warnings.join()).not.toContain('parameters')
      expect(Math.abs(checkpointBytes(model.architecture, checkpoint) / checkpoint.bytes! - 1)).toBeLessThan(0.01)
    })
  }

  it('finds layers that are stored otherwise', async () => {
    const block = METHODS['FP8 in blocks']!
    const store: Storage = (module, shape) => (module.startsWith('model.layers.1.mlp') ? [[`${module}.weight`, 'BF16', shape]] : block.store(module, shape))
    const {model, warnings} = await importPath(
      await folderWith({'config.json': {...TINY_QWEN3, quantization_config: block.config}, 'model.safetensors': safetensors(tinyQwen3Tensors(store))}),
    )
    const checkpoint = model.checkpoints[0]!
    expect(warnings).toHaveLength(1)
    expect(checkpoint.exceptions).toEqual([
      {tensors: 'mlp.in', layers: [1], format: 'bf16'},
      {tensors: 'mlp.out', layers: [1], format: 'bf16'},
    ])
    expect(Math.abs(checkpointBytes(model.architecture, checkpoint) / checkpoint.bytes! - 1)).toBeLessThan(0.001)
  })

  it('warns where the parameters differ', async () => {
    const {warnings} = await importPath(
      await folderWith({'config.json': {...TINY_QWEN3, intermediate_size: 600}, 'model.safetensors': safetensors(tinyQwen3Tensors())}),
    )
    expect(warnings.join()).toContain(`the files hold ${TINY_QWEN3_PARAMETERS.toLocaleString('en-US')} parameters`)
    expect(warnings.join()).toContain('mlp')
  })

  it('sees that the head is tied or stored twice', async () => {
    const tensors = tinyQwen3Tensors()
    const tied = await importPath(await folderWith({'config.json': {...TINY_QWEN3, tie_word_embeddings: true}, 'model.safetensors': safetensors(tensors)}))
    expect(tied.model.architecture.headStoredTwice).toBe(true)
    const absent = await importPath(
      await folderWith({'config.json': TINY_QWEN3, 'model.safetensors': safetensors(tensors.filter(([name]) => name !== 'lm_head.weight'))}),
    )
    expect(absent.model.architecture.tiedEmbeddings).toBe(true)
    expect(absent.warnings.join()).toContain('lm_head')
  })

  it("prefers a directory's configuration over publishers' own files", async () => {
    const consolidated = safetensors([['layers.0.attention.wq.weight', 'BF16', [1024, 256]]])
    const {model} = await importPath(
      await folderWith({'config.json': TINY_QWEN3, 'consolidated.safetensors': consolidated, 'model.safetensors': safetensors(tinyQwen3Tensors())}),
    )
    expect(model.checkpoints[0]!.bytes).toBe(2 * TINY_QWEN3_PARAMETERS)
  })

  it('says what a directory without a model lacks', async () => {
    await expect(importPath(await folderWith({'tokenizer.json': {}}))).rejects.toMatchObject({
      code: 'MODEL_FILES_MISSING',
      message: expect.stringContaining('config.json'),
    })
    await expect(importPath('./nowhere/config.json')).rejects.toMatchObject({code: 'FILE_UNREADABLE'})
  })
})
