import {describe, expect, it} from 'vitest'
import {answer} from '../../src/planner/answer/index.ts'
import {toResult} from '../../src/planner/answer/result.ts'
import type {Scenario} from '../../src/planner/scenario/index.ts'
import {plannerContext} from '../planner/plan-context.ts'

const context = plannerContext()
const warnings = async (engine: string, engineVersion?: string) => {
  const scenario = {model: 'llama-3.1-8b', gpu: '1xh100-sxm', engine, ...(engineVersion !== undefined && {engineVersion})} as Scenario
  return toResult((await answer(context, scenario)).best).warnings.filter(({code}) => /^engine-/.test(code))
}

describe('a release whose sources were not to be had', () => {
  it('is known by name, and its rules are said to be those of the last one that was read', async () => {
    expect(await warnings('trtllm')).toEqual([
      {
        code: 'engine-rules-assumed',
        message: 'the rules of TensorRT-LLM 1.4.0rc1 are assumed to be those of 1.3.0rc24: the packages of later releases hold no sources',
      },
    ])
    expect(await warnings('trtllm', '1.3.0rc25')).toHaveLength(1)
    expect(await warnings('trtllm', '1.3.0rc24')).toEqual([])
    expect(await warnings('trtllm', '1.2.1')).toEqual([])
  })

  it('is another thing than one that nobody knows', async () => {
    expect((await warnings('trtllm', '1.9.0')).map(({code}) => code)).toEqual(['engine-version-unknown'])
    expect(await warnings('sglang')).toEqual([])
  })
})
