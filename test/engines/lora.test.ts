import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest, Lora} from '../../src/core/deployment.ts'
import {vllmLoraRank} from '../../src/engines/lora.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import type {Context} from '../../src/planner/world/context.ts'

const refuse = () => Promise.reject(new Error('not here'))
const context: Context = {
  catalogue: openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data')),
  engines: new Map(),
  detect: refuse,
  readMachine: refuse,
  readModel: refuse,
}

async function termOf(model: string, gpu: string, lora: Lora, request: DeploymentRequest = {}): Promise<number> {
  const {best} = await answer(context, {model, gpu, lora, ...request})
  return best.memory.terms.find(({name}) => name === 'weights: LoRA adapters')?.bytes ?? 0
}

/*
 * Qwen3 32B on two GPUs, at rank 1, by hand: hidden 5,120; 64 heads and 8 KV heads of 128; feed-forward 25,600.
 * q, k, v: three first factors of 5,120 and half of 8,192 + 1,024 + 1,024 outputs: 15,360 + 5,120
 * o: half of 8,192 inputs and 5,120 outputs: 4,096 + 5,120; gate and up: 2 x 5,120 + half of 51,200: 10,240 + 25,600
 * down: half of 25,600 inputs and 5,120 outputs: 12,800 + 5,120. In all 83,456 for each of 64 layers.
 */
const LAYERS = 64 * 83_456
/** Embedding and head, whole on every GPU: 151,936 tokens and 5,120. */
const OUTER = 2 * (151_936 + 5120)

describe('memory of LoRA adapters', () => {
  it('is, on vLLM, slots x rank on every linear layer, with embedding and head whole', async () => {
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 8, maxRank: 64}, {tp: 2})).toBe(8 * 64 * 2 * (LAYERS + OUTER))
  })

  it('takes the next rank that vLLM allows', async () => {
    expect([1, 9, 24, 512, 513].map((rank) => vllmLoraRank('0.28.0', rank))).toEqual([1, 16, 32, 512, undefined])
    expect(vllmLoraRank('0.10.2', 1)).toBe(8)
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 1, maxRank: 24}, {tp: 2})).toBe(32 * 2 * (LAYERS + OUTER))
  })

  it('is, with targets, that of their whole groups; releases before the option take room everywhere', async () => {
    const lora = {count: 2, maxRank: 16, targets: ['q_proj', 'v_proj']}
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', lora, {tp: 2})).toBe(2 * 16 * 2 * 64 * (15_360 + 5120))
    // Rows for tokens that adapters add: 256 of 5,120 behind embedding and head, and 256 ranks in the embedding's first factor.
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', lora, {tp: 2, engineVersion: '0.11.0'})).toBe(
      2 * 2 * (16 * (LAYERS + OUTER) + 2 * 256 * 5120 + 256 * 16),
    )
  })

  it('counts every expert on vLLM from 0.11.1, and none before', async () => {
    // Qwen3 30B A3B on one GPU: hidden 2,048; 32 heads and 4 KV heads of 128; 128 experts of 768; router to 128.
    const attention = 3 * 2048 + (4096 + 2 * 512) + (4096 + 2048)
    const experts = 128 * (2 * 2048 + 2 * 768 + 768 + 2048)
    const router = 2048 + 128
    const outer = 2 * (151_936 + 2048)
    const lora = {count: 1, maxRank: 16}
    expect(await termOf('Qwen/Qwen3-30B-A3B', '1xh100-sxm', lora, {tp: 1})).toBe(16 * 2 * (48 * (attention + experts + router) + outer))
    expect(await termOf('Qwen/Qwen3-30B-A3B', '1xh100-sxm', lora, {tp: 1, engineVersion: '0.11.0'})).toBe(
      2 * (16 * (48 * (attention + router) + outer) + 2 * 256 * 2048 + 256 * 16),
    )
  })

  it('is, on SGLang, that of the modules it is told, the usual ones where nobody says', async () => {
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 8, maxRank: 64}, {tp: 2, engine: 'sglang'})).toBe(8 * 64 * 2 * LAYERS)
  })

  it('is, on TensorRT-LLM, pages of slots as wide as the smallest module', async () => {
    // Widths at rank 1: q and o 9,216, k and v 5,632, the three of the feed-forward 17,920: 2, 1, 1, 2, 4, 4, 4 slots of 5,632.
    // 64 x 64 layers x 7 modules x 8 adapters x 4 slots = 917,504, in pages of 8 x 64 x 18 = 9,216 slots: 100 pages.
    expect(await termOf('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 8, maxRank: 64}, {tp: 2, engine: 'trtllm'})).toBe(100 * 9216 * 5632 * 2)
  })

  it('lowers the cache by as much, and the more adapters the less is left', async () => {
    const tokens = async (lora?: Lora) =>
      (await answer(context, {model: 'Qwen/Qwen3-32B', gpu: '2xa100-80gb-sxm', tp: 2, ...(lora && {lora})})).best.memory.kvCacheTokens
    const [none, few, many] = [await tokens(), await tokens({count: 1, maxRank: 16}), await tokens({count: 8, maxRank: 256})]
    expect(none).toBeGreaterThan(few)
    expect(few).toBeGreaterThan(many)
  })

  it('says what it does not count', async () => {
    const {best} = await answer(context, {model: 'Qwen/Qwen3-32B', gpu: '2xa100-80gb-sxm', lora: {count: 1, maxRank: 16, targets: ['q_proj', 'made_up']}})
    expect(best.warnings.some(({code, message}) => code === 'not-counted' && message.includes('made_up') && !message.includes('q_proj'))).toBe(true)
  })

  it('refuses what the engine refuses', async () => {
    const reasons = async (model: string, gpu: string, lora: Lora, more: DeploymentRequest = {}) =>
      (await answer(context, {model, gpu, lora, ...more})).best.reasons.map(({code}) => code)
    expect(await reasons('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 1, maxRank: 1024})).toContain('lora-unsupported')
    expect(await reasons('kimi-k2.5', '8xb200', {count: 1, maxRank: 16})).toContain('lora-unsupported')
    expect(await reasons('Qwen/Qwen3-32B', '2xa100-80gb-sxm', {count: 1, maxRank: 16})).toEqual([])
  })
})
