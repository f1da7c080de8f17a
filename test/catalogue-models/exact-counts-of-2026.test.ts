import {describe, expect, test} from 'vitest'
import {countParameters} from '../../src/core/tensors.ts'
import {catalogued} from './model-files.ts'

/**
 * Tensor element counts of repositories, as llmfit 1.1.17 collected them (hf_models.json), against what the layers add up to: to the last
 * element. A width that stands in no configuration that could be read has one whole number that does this.
 */
test.each([
  ['a.x-k1', 'total', 518_983_059_456],
  ['granite-4.1-30b', 'total', 28_865_728_512],
  ['granite-4.1-3b', 'total', 3_402_836_480],
  ['granite-4.1-8b', 'total', 8_791_592_960], // not tied
  ['granite-swash-2b', 'total', 2_144_463_840],
  ['hy3', 'with draft', 298_786_155_776],
  ['hy4-preview', 'with draft', 779_960_992_733], // two hyper-connections a layer, none in the draft
  ['hyperclovax-seed-think-14b', 'total', 14_748_112_896],
  ['intern-s2-397b', 'with draft', 403_423_094_768], // Qwen3.5 397B with 251,392 tokens
  ['iquest-coder-v1-14b-instruct', 'total', 14_439_183_360],
  ['iquest-coder-v1-40b-instruct', 'total', 39_794_283_520],
  ['iquest-coder-v1-7b-instruct', 'total', 7_612_810_240],
  ['k-exaone-236b-a23b', 'with draft', 237_099_669_632],
  ['k2-horizon-0.9b', 'total', 1_078_285_824],
  ['k2-horizon-3.7b', 'total', 5_058_255_360],
  ['k2-horizon-32b', 'total', 34_779_304_960],
  ['k2-horizon-375b-a23b', 'total', 379_167_159_168], // three dense layers of 16,384 and one shared expert
  ['k2-horizon-7b', 'total', 8_999_178_240],
  ['kolibri-1', 'total', 78_103_074_560],
  ['laguna-m.1', 'total', 225_795_725_568], // a gate for each element
  ['lfm2.5-2.6b', 'total', 2_697_198_592],
  ['lfm2.5-230m', 'total', 229_693_184],
  ['lfm2.5-8b-a1b', 'total', 8_467_856_832],
  ['ling-2.6-1t', 'with draft', 1_025_414_425_344],
  ['ling-2.6-flash', 'with draft', 107_494_409_216], // one latent layer in eight
  ['ling-3.0-flash', 'with draft', 127_486_405_600], // its draft layer is a latent one
  ['ling-3.0-tiny', 'total', 7_893_392_800],
  ['macaron-v1-coding-venti', 'with draft', 753_329_940_480],
  ['mellum2-12b-a2.5b-instruct', 'total', 12_149_923_072],
  ['minicpm5-1b', 'total', 1_080_632_832],
  ['minicpm5-2b', 'total', 2_516_756_480],
  ['north-mini-code-1.0', 'total', 30_484_303_872],
  ['param2-17b-a2.4b-thinking', 'total', 17_151_125_376], // tied, two shared experts
  ['qwen3guard-gen-4b', 'total', 4_411_424_256],
  ['solar-open-100b', 'total', 102_651_793_408], // no bias on the router
  ['step-3.5-flash', 'with draft', 199_384_301_376], // three dense draft layers with a head each
  ['translategemma-12b', 'total', 13_194_203_760],
  ['translategemma-27b', 'total', 28_842_036_848],
  ['translategemma-4b', 'total', 4_971_331_952],
  ['trinity-large-thinking', 'total', 398_635_286_016], // dense layers of 12,288
  ['sarvam-105b', 'total', 106_031_767_424],
  ['sarvam-30b', 'total', 32_152_650_368],
  ['jais-2-8b-chat', 'total', 8_090_401_280],
  ['olmoe-1b-7b-0924-instruct', 'total', 6_919_161_856],
  ['qwen1.5-moe-a2.7b-chat', 'total', 14_315_784_192],
  ['exaone-3.5-2.4b-instruct', 'total', 2_405_327_360],
  ['exaone-3.5-7.8b-instruct', 'total', 7_818_448_896],
  ['exaone-3.5-32b-instruct', 'total', 32_003_200_000],
  ['longcat-flash-chat', 'with draft', 561_862_880_256],
  ['longcat-flash-chat', 'total', 560_664_980_480], // of LongCat-Flash-Prover, which has no draft layer
  ['phi-2', 'total', 2_779_683_840],
  ['granite-swash-3b-a600m', 'total', 3_020_382_000],
] as const)('%s: %s %d parameters', (id, what, elements) => {
  const {total, draft} = countParameters(catalogued(id).architecture)
  expect(what === 'total' ? total : total + draft).toBe(elements)
})

const towerOf = (id: string): number => countParameters(catalogued(id).architecture).encoders

describe('towers that were told by the exact count are those of the family', () => {
  // Projector: a norm over four joined rows of the tower, and two matrices with biases (arXiv:2508.18265).
  const projector = (width: number, hidden: number) => 2 * 4 * width + 4 * width * hidden + hidden + hidden * hidden + hidden

  test.each([
    ['internvl3.5-1b', 1024],
    ['internvl3.5-2b', 2048],
    ['internvl3.5-4b', 2560],
    ['internvl3.5-8b', 4096],
    ['internvl3.5-14b', 5120],
    ['internvl3.5-30b-a3b', 2048],
    ['intern-s1-mini', 4096],
  ])('%s has InternViT 300M', (id, hidden) => {
    expect(towerOf(id) - projector(1024, hidden)).toBe(304_012_288)
  })

  test.each([
    ['internvl3.5-38b', 5120],
    ['internvl3.5-241b-a28b', 4096],
    ['intern-s1', 4096],
    ['skywork-r1v-38b', 5120],
  ])('%s has InternViT 6B', (id, hidden) => {
    expect(towerOf(id) - projector(3200, hidden)).toBe(5_536_496_000)
  })

  test('LFM2.5 VL of 1.6B and of 3B have the same tower, in front of the same width', () => {
    expect(towerOf('lfm2.5-vl-3b')).toBe(towerOf('lfm2.5-vl-1.6b'))
  })

  test('Step 3.7 Flash and Step3 VL 10B have the same tower: the other model was not looked at', () => {
    expect(towerOf('step-3.7-flash')).toBe(towerOf('step3-vl-10b'))
  })

  test('Ling 3.0 flash VL: 27 layers of width 1,152 and the merger of Qwen3 VL', () => {
    // Tower: 27 x (4 matrices of 1,152 squared, two of 1,152 x 4,304, biases and norms), about 411 M; the rest is the merger.
    const layer = 4 * 1152 * 1152 + 4 * 1152 + 2 * 1152 * 4304 + 4304 + 1152 + 4 * 1152
    const merger = towerOf('ling-3.0-flash-vl') - 27 * layer
    expect(merger).toBeGreaterThan(4608 * 4608)
    expect(merger).toBeLessThan(2 * 4608 * 4608)
  })
})

test('Qwen3.8 Flash Next: 51 of 176 billion parameters are a table of which a token reads sixteen rows', () => {
  const {architecture} = catalogued('qwen3.8-flash-next')
  const {language, active} = countParameters(architecture)
  // Two sizes of n-grams with 8 heads each, 20 million rows a head of 2,560 / 16 elements.
  const table = 2 * 8 * 20_000_200 * 160
  expect(architecture.lookupTables!.reduce((sum, {rowCount, width}) => sum + rowCount * width, 0)).toBe(table)
  expect(Math.round((language - table) / 1e9)).toBe(126)
  expect(active).toBeLessThan(7e9)
})
