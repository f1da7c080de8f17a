import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../../src/catalogue/catalogue.ts'
import {cacheFormat, type WeightFormat} from '../../../src/core/formats.ts'
import {workOf} from '../../../src/core/throughput/work.ts'
import {WHOLE} from '../../../src/core/weights.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', '..', 'dist', 'data'))

/** A product of 16-bit operands takes the matrix units twice as long as one of 8 bits; 4-bit experts are multiplied with 8-bit activations. */
const inEightBits = ({elementBits}: WeightFormat): number => (elementBits >= 16 ? 2 : 1)

/** Operations of one decoded token with so much context before it, by what they are for: two for each multiply-add. */
function operationsOfToken(id: string, contextTokens: number) {
  const {architecture, checkpoints} = catalogue.model(id)
  const cache = {attentionTp: 1, format: cacheFormat('fp8'), stateElementBytes: 2, convolutionElementBytes: 2, speculativeTokens: 0}
  const work = workOf(architecture, checkpoints[0]!, WHOLE, cache)
  const parameters =
    [...work.products, work.head].reduce((sum, product) => sum + inEightBits(product.format) * 2 * product.times * product.macsPerToken, 0) +
    work.experts.reduce((sum, expert) => sum + 2 * expert.times * expert.expertsPerToken * expert.macsPerPair, 0)
  let attention = 0
  let selection = 0
  for (const part of work.attention) {
    const rows = Math.min(contextTokens / part.tokensPerRow, part.tokenLimit) + part.furtherRows
    attention += part.times * rows * part.decodeOperationsPerPair
    selection += part.times * contextTokens * part.indexOperationsPerPair
  }
  return {parameters, attention, selection}
}

describe('operations of one token', () => {
  it('DeepSeek-V3.2 at one million tokens: choosing the rows takes most of it', () => {
    const {attention, selection} = operationsOfToken('deepseek-v3.2', 1_000_000)
    // 61 layers, 64 index heads of 128 over every token; 128 heads over 2,048 rows of 512 + 64 and 512.
    expect(selection).toBe(61 * 2 * 64 * 128 * 1_000_000)
    expect(attention).toBe(61 * 2 * 128 * (512 + 64 + 512) * 2048)
  })

  // https://huggingface.co/deepseek-ai/DeepSeek-V4-Pro: 27% and 10% of V3.2's operations at one million tokens, counted as
  // operations of 8 bits: attention is computed in 16, V3.2 chooses rows in 8, V4 in 4 bits.
  it.each([
    ['deepseek-v4-pro', 0.27],
    ['deepseek-v4-flash', 0.1],
  ])('%s needs a small part of what V3.2 does', (id, stated) => {
    const v4 = operationsOfToken(id, 1_000_000)
    const v32 = operationsOfToken('deepseek-v3.2', 1_000_000)
    const share = (v4.parameters + 2 * v4.attention + v4.selection / 2) / (v32.parameters + 2 * v32.attention + v32.selection)
    expect(share).toBeCloseTo(stated, 2)
  })
})
