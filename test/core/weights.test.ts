import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {checkpointBytes, formatOf, type ShardLayout, sumOf, WHOLE, weightBytes, wholeModel} from '../../src/core/weights.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const model = (id: string) => catalogue.model(id)
const bf16 = {hfId: 'x/y', weights: 'bf16', formats: {default: 'bf16'}}
const tensorParallel = (ranks: number): ShardLayout => ({...WHOLE, attentionTp: ranks, denseTp: ranks, vocabularyTp: ranks, expertTp: ranks})

describe('bytes of the whole', () => {
  // 8,030,261,248 parameters (hub count of meta-llama/Llama-3.1-8B), two bytes each.
  it('Llama 3.1 8B in BF16', () => expect(checkpointBytes(model('llama-3.1-8b').architecture, bf16)).toBe(16_060_522_496))

  // gpt-oss-120b: 36 layers of 128 experts of 3 x 2880 x 2880 weights at 17/32 byte, the rest (with 128 x 36 biases of 3 x 2880) at two bytes.
  it('gpt-oss-120b in MXFP4', () => {
    const {architecture, checkpoints} = model('gpt-oss-120b')
    const experts = 36 * 128 * 3 * 2880 * 2880
    const rest = 116_829_156_672 - experts
    expect(checkpointBytes(architecture, checkpoints[0]!)).toBe((experts * 17) / 32 + rest * 2)
  })

  it('agrees with two bytes for each counted parameter, for every model', () => {
    for (const {id} of catalogue.modelEntries) {
      const {architecture} = model(id)
      const {total, draft} = countParameters(architecture)
      expect(Math.abs(checkpointBytes(architecture, bf16) / (2 * (total + draft)) - 1), id).toBeLessThan(1e-9)
    }
  })
})

describe('sharding', () => {
  it('Llama 3.1 8B over two GPUs: halves, but for the norms', () => {
    const {architecture} = model('llama-3.1-8b')
    // 65 norms of 4,096 are kept whole by both: 266,240 parameters.
    const norms = 65 * 4096
    expect(sumOf(weightBytes(architecture, bf16, tensorParallel(2)))).toBe(2 * ((8_030_261_248 - norms) / 2 + norms))
  })

  it('key and value heads are repeated when there are fewer than ranks', () => {
    const {architecture} = model('llama-3.1-8b')
    const at = (ranks: number) => weightBytes(architecture, bf16, tensorParallel(ranks))
    // 8 KV heads of 128 over 4,096 inputs in 32 layers: one head a rank from 8 ranks on.
    const head = 32 * 128 * 4096 * 2
    expect(at(1).get('attention.key')).toBe(8 * head)
    expect(at(8).get('attention.key')).toBe(head)
    expect(at(16).get('attention.key')).toBe(head)
  })

  it('latent projections stand on every rank', () => {
    const {architecture} = model('deepseek-v3')
    const at = (ranks: number) => weightBytes(architecture, bf16, tensorParallel(ranks)).get('attention.kv-a')
    // 61 layers of (512 + 64) x 7,168.
    expect(at(1)).toBe(61 * 576 * 7168 * 2)
    expect(at(8)).toBe(at(1))
  })

  it('the vocabulary is padded to 64 and split', () => {
    const {architecture} = model('qwen3-32b')
    // 151,936 is 2,374 x 64; over 3 ranks that is 50,645.33 rows in the mean.
    expect(weightBytes(architecture, bf16, {...WHOLE, vocabularyTp: 8}).get('head')).toBe((151_936 / 8) * 5120 * 2)
  })

  it('experts stay whole under expert parallelism, to the same bytes', () => {
    const {architecture} = model('qwen3-235b-a22b')
    const whole = weightBytes(architecture, bf16, {...WHOLE, expertParallel: 8}).get('experts.in')
    const split = weightBytes(architecture, bf16, {...WHOLE, expertTp: 8}).get('experts.in')
    // 94 layers, 128 experts, gate and up of 1,536 over 4,096 inputs.
    expect(whole).toBe((94 * 128 * 2 * 1536 * 4096 * 2) / 8)
    expect(split).toBe(whole)
  })

  it('stages add up to the whole', () => {
    const {architecture} = model('qwen3.6-27b')
    const middle = 30
    const whole = sumOf(weightBytes(architecture, bf16, WHOLE))
    const first = sumOf(weightBytes(architecture, bf16, WHOLE, {first: 0, last: middle, embedding: true, head: false}))
    const last = sumOf(weightBytes(architecture, bf16, WHOLE, {first: middle, last: architecture.layerSequence.length, embedding: false, head: true}))
    // The final norm is counted where the embedding is.
    expect(first + last).toBe(whole)
    expect(sumOf(weightBytes(architecture, bf16, WHOLE, wholeModel(architecture)))).toBe(whole)
  })
})

describe('recipes', () => {
  it('the longest name wins, and what recipes leave alone stays at 16 bits', () => {
    const formats = {default: 'nvfp4', attention: 'bf16', 'attention.output': 'fp8'}
    expect(formatOf(formats, 'attention.output')).toBe('fp8')
    expect(formatOf(formats, 'attention.query')).toBe('bf16')
    expect(formatOf(formats, 'mlp.in')).toBe('nvfp4')
    for (const kept of ['embedding', 'head', 'router', 'norm', 'linear.small', 'encoder']) expect(formatOf(formats, kept)).toBe('bf16')
    expect(formatOf({default: 'nvfp4', head: 'fp8'}, 'head')).toBe('fp8')
  })

  it('an exception counts in its layers only', () => {
    const {architecture} = model('llama-3.1-8b')
    const plain = {hfId: 'x/y', weights: 'fp8', formats: {default: 'fp8'}}
    const mixed = {...plain, exceptions: [{tensors: 'mlp', layers: [0, 31], format: 'bf16'}]}
    // Two layers of 3 x 14,336 x 4,096 at two bytes instead of one; gate with up and down have a scale of four bytes each.
    expect(checkpointBytes(architecture, mixed) - checkpointBytes(architecture, plain)).toBe(2 * (3 * 14_336 * 4096 - 2 * 4))
  })
})

describe('laws, over every model of the catalogue', () => {
  const ids = catalogue.modelEntries.map(({id}) => id)
  it('one more doubling of ranks never needs more bytes on one', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ids),
        fc.constantFrom(1, 2, 4, 8, 16),
        fc.constantFrom(...['bf16', 'fp8', 'fp8-block', 'awq-int4', 'nvfp4']),
        (id, ranks, format) => {
          const {architecture} = model(id)
          const checkpoint = {hfId: 'x/y', weights: format, formats: {default: format}}
          expect(sumOf(weightBytes(architecture, checkpoint, tensorParallel(ranks * 2)))).toBeLessThanOrEqual(
            sumOf(weightBytes(architecture, checkpoint, tensorParallel(ranks))),
          )
        },
      ),
      {numRuns: 200},
    )
  })
  it('all ranks together hold at least the model', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.constantFrom(2, 4, 8), (id, ranks) => {
        const {architecture} = model(id)
        expect(ranks * sumOf(weightBytes(architecture, bf16, tensorParallel(ranks)))).toBeGreaterThanOrEqual(sumOf(weightBytes(architecture, bf16, WHOLE)))
      }),
      {numRuns: 100},
    )
  })
})
