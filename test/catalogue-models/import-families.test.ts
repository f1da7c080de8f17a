import {describe, expect, test} from 'vitest'
import {importConfig} from '../../src/catalogue/import/import-config.ts'
import {formatLayerPattern} from '../../src/catalogue/layer-pattern.ts'
import type {FullAttention, LatentAttention} from '../../src/core/architecture.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {fixture, imported} from './fixtures.ts'

/**
 * What each family's own spelling must come to: the kinds of layers in their order, and the parameters of the language
 * model (counts of the hubs' safetensors where the model is not in exact-counts.test.ts).
 */
const families: Array<[file: string, pattern: string, language: number]> = [
  ['llama-3.2-1b', 'full x16', 1_235_814_400],
  ['qwen2.5-7b', 'full x28', 7_615_616_512],
  ['qwen3-14b', 'full x40', 14_768_307_200],
  ['qwen3-30b-a3b', 'full x48', 30_532_122_624],
  ['qwen3-next', '(linear x3, full) x12', 79_674_391_296],
  ['qwen3.5-35b-a3b', '(linear x3, full) x10', 34_660_610_688],
  ['qwen3-vl-8b', 'full x36', 8_190_735_360],
  ['qwen3-omni', 'full x48', 30_532_122_624 + 2 * 128 * 2048], // 152,064 rows of embedding and head, not 151,936
  ['deepseek-v2-lite', 'mla-dense, mla-moe x26', 15_706_484_224],
  ['deepseek-v3', 'mla-dense x3, mla-moe x58', 671_026_419_200],
  ['deepseek-v3.2', 'dsa-dense x3, dsa-moe x58', 671_877_944_064],
  ['kimi-k2.5', 'mla-dense, mla-moe x60', 1_026_408_232_448],
  ['kimi-linear', 'kda-dense, kda-moe, (kda-moe, mla-moe, kda-moe x2) x6, mla-moe', 49_122_681_728],
  ['glm-4.5', 'full-dense x3, full-moe x89', 352_797_829_024],
  ['glm-5', 'dsa-dense x3, dsa-moe x75', 743_911_218_432],
  ['minimax-m2.5', 'full x62', 228_689_764_864],
  ['minimax-m3', 'full-dense x3, sparse-moe x57', 426_174_572_928],
  ['gpt-oss-120b', '(sliding, full) x18', 116_829_156_672],
  ['llama-4-scout', '(chunked x3, full) x12', 107_769_861_120],
  ['gemma-2-9b', '(sliding, full) x21', 9_241_705_984],
  ['gemma-3-27b', '(sliding x5, full) x10, sliding x2', 27_009_346_304],
  ['gemma-4-26b-a4b', '(sliding x5, full) x5', 25_233_141_790],
  ['gemma-4-e2b', '(sliding x4, full) x3, (sliding-shared x4, full-shared) x4', 4_628_569_379],
  ['mixtral-8x7b', 'full x32', 46_702_792_704],
  ['mistral-7b-v0.1', 'sliding x32', 7_241_732_096],
  ['mistral-small-3.1', 'full x40', 23_572_403_200],
  ['falcon-h1-0.5b', 'full+mamba x36', 521_411_104],
  ['mimo-v2-flash', 'full-dense, sliding-moe x4, full-moe, (sliding-moe x5, full-moe) x7', 308_778_780_864],
  ['phi-3.5-moe', 'full x32', 41_873_153_344],
  ['smollm3-3b', 'full x36', 3_075_098_624],
  ['olmo-3-7b', '(sliding x3, full) x8', 7_298_011_136],
  ['command-a', '(sliding x3, full) x16', 111_057_580_032],
  ['exaone-4.0-32b', '(sliding x3, full) x16', 32_003_216_384],
  ['jamba-1.5-mini', '((mamba-dense, mamba-moe) x2, full-dense, mamba-moe, mamba-dense, mamba-moe) x4', 51_570_323_328],
  ['lfm2-1.2b', '(conv x2, full) x3, conv, (full, conv) x3', 1_170_340_608],
  ['seed-oss-36b', 'full x64', 36_151_104_512],
  ['starcoder2-7b', 'sliding x32', 7_173_923_840],
]

test.each(families)('%s: %s', (file, pattern, language) => {
  const {architecture} = imported(file).model
  expect(formatLayerPattern(architecture.layerSequence.map((index) => architecture.layerKinds[index]!.name))).toBe(pattern)
  expect(countParameters(architecture).language).toBe(language)
})

describe('what decides the cache', () => {
  const first = (file: string, kind: string) => imported(file).model.architecture.layerKinds.find(({name}) => name === kind)!.mixers[0]!

  test('head size is read, not divided: 64 heads of 128 in 5,120', () => {
    expect(first('qwen3-14b', 'full')).toEqual({kind: 'full', queryHeadCount: 40, kvHeadCount: 8, headDim: 128, queryKeyNorm: 'head'})
  })

  test('latent attention ignores head_dim and num_key_value_heads', () => {
    expect(first('glm-5', 'dsa-moe')).toEqual({
      kind: 'mla',
      queryHeadCount: 64,
      queryLoraRank: 2048,
      kvLoraRank: 512,
      nopeHeadDim: 192,
      ropeHeadDim: 64,
      valueHeadDim: 256,
      indexer: {headCount: 32, headDim: 128, topKTokens: 2048},
    })
  })

  test('GLM-5.2 shares the selection of 57 layers', () => {
    const {architecture} = imported('glm-5.2').model
    const shared = architecture.layerSequence.filter((index) => (architecture.layerKinds[index]!.mixers[0] as LatentAttention).indexer?.shared)
    expect(shared).toHaveLength(57)
    expect((architecture.draft!.kind.mixers[0] as LatentAttention).indexer).toEqual({headCount: 32, headDim: 128, topKTokens: 2048})
  })

  test('MiMo has keys of 192 and values of 128, and twice the heads within the window', () => {
    expect(first('mimo-v2-flash', 'full-moe')).toMatchObject({kvHeadCount: 4, headDim: 192, valueHeadDim: 128})
    expect(first('mimo-v2-flash', 'sliding-moe')).toMatchObject({
      kvHeadCount: 8,
      headDim: 192,
      valueHeadDim: 128,
      sinks: true,
      window: {kind: 'sliding', tokens: 128},
    })
  })

  test('Gemma 4 has heads of 512 in full layers, values from keys', () => {
    expect(first('gemma-4-26b-a4b', 'full')).toMatchObject({kvHeadCount: 2, headDim: 512, valueFromKey: true})
    const sliding = first('gemma-4-26b-a4b', 'sliding') as FullAttention
    expect(sliding).toMatchObject({kvHeadCount: 8, headDim: 256, window: {kind: 'sliding', tokens: 1024}})
    expect(sliding.valueFromKey).toBeUndefined()
  })

  test('Gemma 4 E2B: the last 20 of 35 layers own no cache and have twice the width', () => {
    const {architecture} = imported('gemma-4-e2b').model
    const owners = architecture.layerSequence.filter((index) => !(architecture.layerKinds[index]!.mixers[0] as FullAttention).sharesKvCache)
    expect(owners).toHaveLength(15)
    expect(architecture.layerKinds.find(({name}) => name === 'full-shared')!.feedForward).toMatchObject({intermediateSize: 12_288})
    expect(architecture.perLayerEmbedding).toEqual({vocabularySize: 262_144, width: 256})
  })

  test('DeepSeek-V4: 21 layers of ratio 4 with an index, 20 of ratio 128, 2 with the window alone; the draft has the window', () => {
    const {architecture} = imported('deepseek-v4-flash').model
    const kinds = architecture.layerSequence.map((index) => architecture.layerKinds[index]!)
    const ratio = (wanted: number) => kinds.filter(({mixers: [mixer]}) => mixer?.kind === 'compressed' && mixer.compressionRatio === wanted)
    expect([ratio(4).length, ratio(128).length, ratio(0).length]).toEqual([21, 20, 2])
    expect(ratio(4).every(({mixers: [mixer]}) => mixer?.kind === 'compressed' && mixer.indexer?.topKTokens === 512)).toBe(true)
    expect(kinds.filter(({feedForward}) => feedForward?.kind === 'moe' && feedForward.hashRouting)).toHaveLength(3)
    expect(architecture.draft!.kind.mixers[0]).toMatchObject({kind: 'compressed', compressionRatio: 0})
  })

  test('Nemotron 3 Super: one block a layer, experts in a latent of 1,024', () => {
    const {architecture} = imported('nemotron-3-super').model
    expect(architecture.layerKinds.map(({name}) => name)).toEqual(['mamba', 'moe', 'full'])
    expect(architecture.layerKinds[1]!.feedForward).toMatchObject({
      kind: 'moe',
      expertCount: 512,
      expertsPerToken: 22,
      latentSize: 1024,
      gated: false,
      sharedIntermediateSize: 5376,
    })
    expect(architecture.layerKinds[0]!.mixers[0]).toMatchObject({
      kind: 'mamba2',
      headCount: 128,
      headDim: 64,
      groupCount: 8,
      stateSize: 128,
      stateElementBytes: 4,
    })
  })

  test('Nemotron NAS: 31 of 80 blocks have no attention', () => {
    const {architecture} = imported('nemotron-nas-49b').model
    const counts = architecture.layerSequence.filter((index) => architecture.layerKinds[index]!.mixers.length === 0)
    expect(counts).toHaveLength(31)
    expect(countParameters(architecture).language).toBe(49_867_145_216)
  })

  test('Granite 4 H: 36 Mamba and 4 attention layers', () => {
    const {architecture} = imported('granite-4.0-h-small').model
    expect(architecture.layerSequence.filter((index) => architecture.layerKinds[index]!.name === 'full')).toHaveLength(4)
    expect(countParameters(architecture).language).toBe(32_207_337_984)
  })

  test('MiniMax-Text-01: seven lightning layers for each full one', () => {
    const {architecture} = imported('minimax-text-01').model
    expect(architecture.layerSequence.filter((index) => architecture.layerKinds[index]!.name === 'lightning')).toHaveLength(70)
  })

  test('Ring 2.5 and Ling 3.0: lightning or delta attention, latent attention at the end of each group', () => {
    const ring = imported('ring-2.5-1t').model.architecture
    expect(ring.layerSequence.filter((index) => ring.layerKinds[index]!.name.startsWith('mla'))).toHaveLength(10)
    const ling = imported('ling-3.0-flash').model.architecture
    expect(ling.layerSequence.flatMap((index, layer) => (ling.layerKinds[index]!.name === 'mla-moe' ? [layer] : []))).toEqual([5, 11, 17, 23, 29, 35, 41])
    expect(ling.layerKinds.find(({name}) => name === 'kda-moe')!.mixers[0]).toMatchObject({
      kind: 'kimi-delta',
      headCount: 32,
      headDim: 128,
      fullRankGate: true,
      fullRankForgetGate: true,
    })
  })

  test('Laguna and Step have more query heads within the window', () => {
    expect(first('laguna-s-2.1', 'full-moe')).toMatchObject({queryHeadCount: 48, outputGate: 'head'})
    expect(first('laguna-s-2.1', 'sliding-moe')).toMatchObject({queryHeadCount: 72, window: {tokens: 512}})
    expect(first('step-3.5-flash', 'sliding-moe')).toMatchObject({queryHeadCount: 96, kvHeadCount: 8})
    expect(imported('step-3.5-flash').model.architecture.draft!.layerCount).toBe(3)
  })
})

describe('towers', () => {
  // Published byte totals less the language model: parameter counts to the last element.
  test.each([
    ['qwen3.6-27b', 460_730_096],
    ['qwen3.5-35b-a3b', 446_571_248],
    ['qwen3-vl-8b', 576_388_336],
    ['gemma-4-26b-a4b', 572_794_416],
    ['llama-4-scout', 871_932_416],
    ['mistral-small-3.1', 438_958_080],
  ])('%s: %d parameters', (file, parameters) => {
    const {model, warnings} = imported(file)
    expect(model.architecture.encoders!.reduce((sum, encoder) => sum + encoder.parameterCount, 0)).toBe(parameters)
    expect(warnings).toEqual([])
  })

  test('a tower of unknown layout is estimated, and says so', () => {
    const {model, warnings} = imported('kimi-k2.5')
    expect(model.architecture.encoders![0]!.parameterCount).toBeGreaterThan(400e6)
    expect(warnings.join()).toContain('estimate')
  })

  test('a tower that cannot be sized is left out, and says so', () => {
    const {model, warnings} = imported('qwen3-14b', {vision_config: {model_type: 'novel'}})
    expect(model.architecture.encoders).toBeUndefined()
    expect(warnings.join()).toContain('vision_config: the vision tower is not counted')
  })
})

describe('fields decide, not names', () => {
  test('an architecture nobody has heard of works, with a warning', () => {
    const {model, warnings} = imported('qwen3-14b', {model_type: 'novel_lm', architectures: ['NovelForCausalLM']})
    expect(warnings).toEqual([
      '"novel_lm" is not a family this importer knows: layers were read from the fields; biases and norms (well under 1% of the weights) may be missing',
    ])
    expect(model.architecture.className).toBe('NovelForCausalLM')
    expect(Math.abs(countParameters(model.architecture).language / 14_768_307_200 - 1)).toBeLessThan(0.001)
  })

  test.each(['text_config', 'llm_config', 'language_config'])('the language model may lie under %s', (name) => {
    const {model} = imported('llama-3.2-1b', {}, {})
    const nested = {architectures: ['Wrapped'], model_type: 'wrapper', [name]: fixture('llama-3.2-1b')}
    expect(
      imported('llama-3.2-1b', {...Object.fromEntries(Object.keys(fixture('llama-3.2-1b')).map((key) => [key, undefined])), ...nested}).model.architecture,
    ).toEqual({...model.architecture, className: 'Wrapped'})
  })

  test('a cache layout that cannot be told is refused, naming the field', () => {
    expect(() => imported('granite-4.0-h-small', {layer_types: undefined})).toThrow('layer_types is missing')
    expect(() => imported('llama-3.2-1b', {layer_types: Array(16).fill('quantum_attention')})).toThrow('layer_types[0] is "quantum_attention"')
    expect(() => imported('deepseek-v3', {qk_rope_head_dim: undefined})).toThrow('qk_rope_head_dim is missing')
    expect(() => imported('gpt-oss-120b', {sliding_window: undefined})).toThrow('sliding_window (or sliding_window_size, window_size) is missing')
  })
})

describe('spellings of late 2026', () => {
  const moe = {
    hidden_size: 4096,
    vocab_size: 154_880,
    max_position_embeddings: 1_048_576,
    num_attention_heads: 64,
    moe_intermediate_size: 2048,
    tie_word_embeddings: false,
  }
  const read = (config: Record<string, unknown>) => importConfig({config: {...moe, ...config}}).model.architecture
  const kinds = (config: Record<string, unknown>) => {
    const {layerKinds, layerSequence} = read(config)
    return layerSequence.map((index) => layerKinds[index]!)
  }

  test('GLM 5.3 Flash: Kimi delta attention by `linear_num_heads`, latent rows without rotation, an index key for 16 tokens', () => {
    const latent = {kv_lora_rank: 512, q_lora_rank: 1536, qk_nope_head_dim: 256, qk_rope_head_dim: 0, v_head_dim: 256}
    const index = {index_n_heads: 32, index_head_dim: 128, index_topk: 2048, index_kpool: 16}
    const layers = kinds({
      model_type: 'glm5_next_text',
      ...latent,
      ...index,
      num_hidden_layers: 4,
      n_routed_experts: 288,
      num_experts_per_tok: 8,
      layer_types: ['linear_attention', 'linear_attention', 'linear_attention', 'indexed_attention'],
      linear_num_heads: 64,
      linear_head_dim: 128,
      linear_conv_kernel_dim: 4,
    })
    expect(layers[0]!.mixers).toMatchObject([{kind: 'kimi-delta', headCount: 64, headDim: 128, convKernelTokens: 4}])
    expect(layers[3]!.mixers).toMatchObject([{kind: 'mla', kvLoraRank: 512, ropeHeadDim: 0, indexer: {headCount: 32, topKTokens: 2048, tokensPerKey: 16}}])
  })

  test('dots3 note: windows of latent rows have ranks and heads of their own, and no index', () => {
    const layers = kinds({
      model_type: 'dots3_note',
      num_attention_heads: 128,
      num_hidden_layers: 2,
      n_routed_experts: 256,
      num_experts_per_tok: 8,
      kv_lora_rank: 512,
      q_lora_rank: 1024,
      qk_nope_head_dim: 128,
      qk_rope_head_dim: 64,
      v_head_dim: 128,
      index_n_heads: 64,
      index_head_dim: 128,
      index_topk: 2048,
      sliding_window: 512,
      swa_num_attention_heads: 64,
      swa_kv_lora_rank: 1024,
      swa_qk_nope_head_dim: 192,
      layer_types: ['indexed_attention', 'sliding_attention'],
    })
    expect(layers[0]!.mixers).toMatchObject([{kind: 'mla', queryHeadCount: 128, kvLoraRank: 512, indexer: {topKTokens: 2048}}])
    const [window] = layers[1]!.mixers as LatentAttention[]
    expect(window).toMatchObject({kind: 'mla', queryHeadCount: 64, kvLoraRank: 1024, nopeHeadDim: 192, ropeHeadDim: 64, window: {tokens: 512}})
    expect(window!.indexer).toBeUndefined()
  })

  test('Muse Spark: experts in a latent width, without which there would be twice as many parameters', () => {
    const {layerKinds} = read({
      model_type: 'muse_spark_text',
      hidden_size: 8192,
      num_attention_heads: 128,
      num_key_value_heads: 16,
      head_dim: 64,
      num_hidden_layers: 4,
      num_local_experts: 256,
      num_experts_per_tok: 8,
      moe_intermediate_size: 4096,
      moe_hidden_size: 4096,
      sliding_window: 2048,
      layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'sliding_attention'],
    })
    expect(layerKinds.map(({feedForward}) => feedForward)).toMatchObject([{latentSize: 4096, expertIntermediateSize: 4096}, {latentSize: 4096}])
  })
})
