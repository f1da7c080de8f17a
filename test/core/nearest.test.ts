import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {editDistance, nearest} from '../../src/core/nearest.ts'

const models = ['llama-3.1-8b-instruct', 'llama-3.1-70b-instruct', 'qwen3-32b', 'qwen3-8b', 'qwen2.5-32b-instruct', 'deepseek-v3', 'gpt-oss-120b']

describe('nearest', () => {
  test.each([
    ['qwen3-23b', 'qwen3-32b'],
    ['qwen3 32b', 'qwen3-32b'],
    ['Qwen/Qwen3-32B', 'qwen3-32b'],
    ['llama 8b', 'llama-3.1-8b-instruct'],
    ['lama-3.1-70b', 'llama-3.1-70b-instruct'],
    ['deepsek-v3', 'deepseek-v3'],
    ['gptoss-120b', 'gpt-oss-120b'],
  ])('%s first gives %s', (asked, name) => {
    expect(nearest(asked, models)[0]).toBe(name)
  })

  test('works on short names of engines and formats', () => {
    const engines = ['vllm', 'sglang', 'trtllm']
    expect(nearest('vlm', engines)).toEqual(['vllm'])
    expect(nearest('sg-lang', engines)).toEqual(['sglang'])
    expect(nearest('awq_int4', ['awq-int4', 'gptq-int4', 'fp8', 'nvfp4'])[0]).toBe('awq-int4')
  })

  test('looks at every spelling and gives the name once', () => {
    const known = [
      {name: 'gb10', spellings: ['NVIDIA GB10', 'dgx spark', 'spark']},
      {name: 'gb200', spellings: ['NVIDIA GB200']},
    ]
    expect(nearest('dgx sparc', known)).toEqual(['gb10'])
  })

  test('gives nothing when nothing is close', () => {
    expect(nearest('voodoo', models)).toEqual([])
    expect(nearest('', models)).toEqual([])
    expect(nearest('---', models)).toEqual([])
    expect(nearest('qwen3', [])).toEqual([])
  })

  test('gives five at most, the best first', () => {
    const known = ['a100-1', 'a100-2', 'a100-3', 'a100-4', 'a100-5', 'a100-6']
    expect(nearest('a100-4', known)).toEqual(['a100-4', 'a100-1', 'a100-2', 'a100-3', 'a100-5'])
  })
})

describe('editDistance', () => {
  test.each([
    ['', 'abc', 3],
    ['abc', 'abc', 0],
    ['4900', '4090', 1], // one swap of neighbours
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3], // optimal string alignment, not the unrestricted distance of 2
  ])('%s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
  })

  test('is the same both ways, and never more than the longer word', () => {
    fc.assert(
      fc.property(fc.string({maxLength: 12}), fc.string({maxLength: 12}), (a, b) => {
        const distance = editDistance(a, b)
        expect(editDistance(b, a)).toBe(distance)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})
