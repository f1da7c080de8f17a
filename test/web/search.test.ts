import {describe, expect, it} from 'vitest'
import {called, found} from '../../src/web/page/combobox.tsx'
import type {Choice} from '../../src/web/planner/protocol.ts'

const choice = (value: string, title: string, names: string[] = []): Choice => ({value, title, note: '', names})
const CARDS = [
  choice('h100-nvl', 'H100 NVL 94GB'),
  choice('h100-sxm', 'H100 80GB SXM5', ['NVIDIA H100 80GB HBM3', 'h100']),
  choice('h200-sxm', 'H200 141GB SXM5', ['h200']),
]
const MODELS = [choice('starcoder2-3b', 'StarCoder2 3B'), choice('qwen3-coder-next', 'Qwen3 Coder Next'), choice('qwen3-32b', 'Qwen3 32B', ['Qwen/Qwen3-32B'])]
const names = (choices: Choice[]) => choices.map(({value}) => value)

describe('a search while one types', () => {
  it('puts first what is called so', () => {
    expect(names(found(CARDS, 'h100'))).toEqual(['h100-sxm', 'h100-nvl'])
  })

  it('prefers words to parts of words', () => {
    expect(names(found(MODELS, 'coder'))).toEqual(['qwen3-coder-next', 'starcoder2-3b'])
  })

  it('takes words in any order and spelling, and names of other makers', () => {
    expect(names(found(MODELS, 'Next QWEN3'))).toEqual(['qwen3-coder-next'])
    expect(names(found(MODELS, 'qwen/qwen3-32b'))).toEqual(['qwen3-32b'])
    expect(found(MODELS, 'no such model')).toEqual([])
  })

  it('takes another spelling of one name for that name, and nothing else', () => {
    expect(called(MODELS, 'Qwen3 32B')).toBe('qwen3-32b')
    expect(called(MODELS, ' qwen3-Coder  next')).toBe('qwen3-coder-next')
    expect(called(MODELS, 'qwen3-32b')).toBe('qwen3-32b')
    // A repository, a path and a part of a name are what was typed.
    for (const typed of ['Qwen/Qwen3-32B', './model', 'qwen3', '']) expect(called(MODELS, typed)).toBe(typed)
    expect(called([...MODELS, choice('qwen3.32b', 'Another')], 'qwen3 32b')).toBe('qwen3-32b')
    expect(called([...MODELS, choice('qwen3_32b', 'Another')], 'qwen3 32b')).toBe('qwen3 32b')
  })
})
