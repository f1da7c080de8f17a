import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {checkpointBytes} from '../../src/core/weights.ts'
import {answer, subjectOf, toResult} from '../../src/planner/answer/index.ts'
import {modelOf} from '../../src/planner/world/index.ts'
import type {Context} from '../../src/planner/world/index.ts'
import {plannerContext} from './plan-context.ts'

/**
 * Names of the checkpoints that the recipes of vLLM 0.33.0 (recipes/models of its source distribution) give as a model or a variant,
 * without embedding, decision, speech and OCR models.
 */
const names = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'recipes', 'vllm-0.33.0-checkpoints.json'), 'utf8')) as string[]

const plain = plannerContext()
const {catalogue} = plain
const context: Context = {...plain, repository: async () => ({because: 'offline'})}

async function isAnswered(name: string): Promise<boolean> {
  return modelOf(context, name).then(
    () => true,
    () => false,
  )
}

describe('checkpoints that the recipes of vLLM name', () => {
  it('are answered by their repository without a network, 95 in 100 at least', async () => {
    const unknown: string[] = []
    for (const name of names) if (!(await isAnswered(name))) unknown.push(name)
    expect(unknown.length, unknown.join(', ')).toBeLessThanOrEqual(0.05 * names.length)
  })

  it('have a result each, whatever it says, on a machine that holds most', async () => {
    for (const name of names.filter((_, index) => index % 20 === 0)) {
      const {best} = await answer(context, {model: name, gpu: '8xb300'})
      const result = toResult(best)
      expect(['fits', 'tight', 'does-not-fit', 'unsupported', 'too-slow'], name).toContain(result.verdict)
      expect(result.model.hfId, name).toBeTruthy()
      if (result.verdict !== 'unsupported') expect(result.memory!.perGpu.weightsBytes, name).toBeGreaterThan(0)
    }
  })

  it.each([
    // 64 layers of 487.6M weights in NVFP4 (0.5625 bytes), two tables of 777.9M at 16 bits.
    ['RedHatAI/Qwen3-32B-NVFP4', 'qwen3-32b', 'nvfp4', 20.67e9],
    // 19.8 GB in the recipe.
    ['RedHatAI/Qwen3.8-27B-MXFP4', 'qwen3.8-27b', 'mxfp4', 19.83e9],
    // 2,325 GiB in the recipe.
    ['Qwen/Qwen3.8-2.4T-A95B-FP8', 'qwen3.8-2.4t-a95b', 'fp8-block', 2325 * 2 ** 30],
    // 1,348 GiB in the recipe.
    ['Inferact/Qwen3.8-2.4T-A95B-NVFP4', 'qwen3.8-2.4t-a95b', 'nvfp4', 1348 * 2 ** 30],
    // 1.04 TiB in the recipe: 384 of 512 experts.
    ['RedHatAI/Qwen3.8-2.4T-A95B-NVFP4-REAP-25', 'qwen3.8-2.4t-a95b-reap-25', 'nvfp4', 1.04 * 2 ** 40],
    // 1.45 TiB in the recipe.
    ['Inferact/Qwen3.8-2.4T-A95B-MXFP4', 'qwen3.8-2.4t-a95b', 'mxfp4', 1.45 * 2 ** 40],
    // 372 GiB in the recipe.
    ['gpustack/GLM-5.3-W4A8', 'glm-5.3', 'w4a8', 372 * 2 ** 30],
  ])('%s has the size that is published', async (name, id, weights, bytes) => {
    const {model, checkpoint} = await modelOf(context, name)
    expect(model.id).toBe(id)
    expect(checkpoint).toMatchObject({hfId: name, weights})
    // The figures are rounded to three digits.
    expect(checkpointBytes(model.architecture, checkpoint!) / bytes).toBeGreaterThan(0.995)
    expect(checkpointBytes(model.architecture, checkpoint!) / bytes).toBeLessThan(1.005)
  })

  it('that are packed for Ascend NPUs are refused on other cards', async () => {
    const {best} = await answer(context, {model: 'Eco-Tech/Qwen3.6-27B-w8a8', gpu: '1xh100-sxm'})
    expect(toResult(best)).toMatchObject({verdict: 'unsupported', reasons: [{code: 'quantization-unsupported', message: expect.stringContaining('Ascend')}]})
  })
})

describe('the context of a checkpoint', () => {
  it('goes before that of the model', async () => {
    const contextOf = async (model: string) => toResult((await answer(context, {model, gpu: '8xb200'})).best).deployment.maxModelLen
    expect(await contextOf('MiniMaxAI/MiniMax-M2.7')).toBe(204_800)
    expect(await contextOf('nvidia/MiniMax-M2.7-NVFP4')).toBe(196_608)
    const {best} = await answer(context, {model: 'nvidia/MiniMax-M2.7-NVFP4', gpu: '8xb200', maxModelLen: 204_800})
    expect(best.reasons.map(({code}) => code)).toEqual(['context-exceeds-model'])
    // Its own limit needs no flag.
    const own = await answer(context, {model: 'nvidia/MiniMax-M2.7-NVFP4', gpu: '8xb200'})
    expect(own.best.engine.launch(subjectOf(own.best), own.best.deployment).flags.map(({flag}) => flag)).not.toContain('--max-model-len')
  })

  it('of Qwen3.8 2.4T is 262,144 tokens, and 1,010,000 with the limit raised', () => {
    const {architecture, extendedContext} = catalogue.model('qwen3.8-2.4t-a95b')
    expect(architecture.contextTokens).toBe(262_144)
    expect(extendedContext).toMatchObject({tokens: 1_010_000, raisedLimit: true})
  })
})
