import {describe, expect, test} from 'vitest'
import {imported} from './fixtures.ts'

/** The context and the positions of a configuration with these fields changed. */
function context(file: string, change: Record<string, unknown>): [number, number | undefined] {
  const {contextTokens, positionTokens} = imported(file, change).model.architecture
  return [contextTokens, positionTokens]
}

const yarn = {rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32_768}

describe('scaling in a configuration', () => {
  test('YaRN reaches its factor times where it starts, whatever the positions say', () => {
    expect(context('qwen3-14b', {max_position_embeddings: 40_960, rope_scaling: yarn})).toEqual([131_072, 40_960])
    expect(context('qwen3-14b', {max_position_embeddings: 40_960, rope_parameters: {...yarn, rope_theta: 1e6}})).toEqual([131_072, 40_960])
    expect(context('qwen3-14b', {max_position_embeddings: 131_072, rope_scaling: yarn})).toEqual([131_072, undefined])
    expect(context('qwen3-14b', {max_position_embeddings: 32_768, rope_scaling: {type: 'yarn', factor: 2}})).toEqual([65_536, 32_768])
  })

  test('the publishers that count it in are not counted twice', () => {
    // DeepSeek-V3: 40 x 4,096 = 163,840; Kimi K2.5: 64 x 4,096 = 262,144; gpt-oss: 32 x 4,096 = 131,072.
    expect(context('deepseek-v3', {})).toEqual([163_840, undefined])
    expect(context('kimi-k2.5', {})).toEqual([262_144, undefined])
    expect(context('gpt-oss-120b', {})).toEqual([131_072, undefined])
    expect(context('llama-3.2-1b', {})).toEqual([131_072, undefined])
    expect(context('gemma-3-27b', {})[0]).toBe(131_072)
    expect(context('gemma-4-26b-a4b', {})).toEqual([262_144, undefined])
  })

  test('linear scaling multiplies the positions, in every engine', () => {
    expect(context('qwen3-14b', {max_position_embeddings: 4096, rope_scaling: {type: 'linear', factor: 4}})).toEqual([16_384, undefined])
    expect(context('qwen3-14b', {max_position_embeddings: 4096, rope_scaling: {type: 'longrope', factor: 32}})).toEqual([4096, undefined])
    expect(context('qwen3-14b', {max_position_embeddings: 4096, rope_scaling: {type: 'default'}})).toEqual([4096, undefined])
  })

  test('a factor that is none is refused by name', () => {
    expect(() => context('qwen3-14b', {rope_scaling: {...yarn, factor: 'four'}})).toThrow('rope_scaling.factor is "four"; expected a number above 0')
    expect(() => context('qwen3-14b', {rope_scaling: {...yarn, original_max_position_embeddings: -1}})).toThrow(
      'rope_scaling.original_max_position_embeddings is -1',
    )
  })
})
