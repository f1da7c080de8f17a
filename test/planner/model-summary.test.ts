import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {detailsOf} from '../../src/planner/models/summary.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))

/** Growing bytes for each token of the whole model, in BF16 and FP8. */
const CACHE: [string, number, number][] = [
  // layers x (K and V) x KV heads x head width x 2 bytes
  ['llama-2-7b', 32 * 2 * 32 * 128 * 2, 262_144],
  ['llama-3.1-8b', 32 * 2 * 8 * 128 * 2, 65_536],
  ['llama-3.1-405b', 126 * 2 * 8 * 128 * 2, 258_048],
  ['qwen3-0.6b', 28 * 4096, 57_344],
  ['qwen3-32b', 262_144, 131_072],
  ['qwen3-235b-a22b', 94 * 2 * 4 * 128 * 2, 96_256],
  ['minimax-m2.5', 253_952, 126_976],
  ['glm-4.5-air', 188_416, 94_208],
  // MLA: 61 layers x 576 elements; the rows of sparse attention are packed to 656 bytes, with 132 for the index key.
  ['deepseek-v3', 70_272, 35_136],
  ['kimi-k2.5', 70_272, 35_136],
  ['deepseek-v3.2', 61 * (1152 + 132), 61 * (656 + 132)],
  ['glm-5.1', 100_152, 61_464],
  // 21 of 78 layers have an indexer of their own.
  ['glm-5.2', 78 * 1152 + 21 * 132, 78 * 656 + 21 * 132],
  // Full layers only; windows and states do not grow: 10 of 62, 18 of 36, 16 of 64, 10 of 40.
  ['gemma-3-27b', 81_920, 40_960],
  ['gpt-oss-120b', 36_864, 18_432],
  ['qwen3.6-27b', 65_536, 32_768],
  ['qwen3.6-35b-a3b', 20_480, 10_240],
  ['nemotron-3-super-120b-a12b', 8192, 4096],
  // DeepSeek-V4-Pro: 30 layers of one row for 4 tokens with an index key, 31 of one row for 128; rows of 1,024 or 584 bytes.
  ['deepseek-v4-pro', 30 * (1024 / 4 + 256 / 4) + (31 * 1024) / 128, Math.round(30 * (584 / 4 + 132 / 4) + (31 * 584) / 128)],
]

describe('cache for each token', () => {
  it.each(CACHE)('%s', (id, bf16, fp8) => expect(detailsOf(catalogue.model(id)).kvBytesPerToken).toEqual({bf16, fp8}))
})

describe('one sequence', () => {
  // vLLM's announcement of 2026-04-24: about 9.62 GiB for 1,048,576 tokens of DeepSeek-V4-Pro in bf16; windows add 62 x 128 rows.
  it('DeepSeek-V4-Pro at a million tokens', () => {
    const million = detailsOf(catalogue.model('deepseek-v4-pro')).sequenceBytes.find(({tokens}) => tokens === 1_048_576)!
    expect(million.bf16 / 2 ** 30).toBeGreaterThan(9.62)
    expect(million.bf16 / 2 ** 30).toBeLessThan(9.67)
  })
  // 48 gated delta net layers: conv (2 x 16 x 128 + 48 x 128) x 3 x 2 bytes and 48 x 128 x 128 x 4: 146.8 MiB.
  it('Qwen3.6 27B keeps 146.8 MiB of state', () => expect(detailsOf(catalogue.model('qwen3.6-27b')).stateBytesPerSequence! / 2 ** 20).toBeCloseTo(146.8, 1))
})

describe('parameters', () => {
  it.each([
    ['qwen3-32b', 32_762_123_264, 31_984_210_944],
    ['gpt-oss-120b', 116_829_156_672, 5_132_849_472],
    ['mixtral-8x7b', 46_702_792_704, undefined],
  ])('%s', (id, total, active) => {
    const details = detailsOf(catalogue.model(id))
    expect(details.totalParams).toBe(total)
    if (active) expect(details.activeParams).toBe(active)
  })
})
