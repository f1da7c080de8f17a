import {describe, expect, it} from 'vitest'
import type {Deployment} from '../../src/core/deployment.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {sglangNodes} from '../../src/engines/sglang/nodes.ts'
import {trtllmNodes} from '../../src/engines/trtllm/nodes.ts'
import {vllmNodes} from '../../src/engines/vllm/nodes.ts'
import {deployment, mixture} from './launch-fixtures.ts'

/** The mixture on nodes of eight GPUs. */
const eights: Subject = {...mixture, machine: {...mixture.machine, nodeCount: 4, gpus: Array.from({length: 8}, (_, index) => ({...mixture.gpu, index}))}}
const of = (engine: string, given: Partial<Deployment>): Deployment =>
  deployment({engine, engineVersion: '0.28.0', maxModelLen: 4096, maxNumSeqs: 1, maxNumBatchedTokens: 1, gpuMemoryUtilization: 0.9, ...given})
const names = (flags: {flag: string}[] = []): string[] => flags.map(({flag}) => flag)

describe('several nodes', () => {
  it('are not spoken of where one is enough', () => {
    expect(vllmNodes(eights, of('vllm', {tp: 8}))).toBeUndefined()
    expect(sglangNodes(eights, of('sglang', {tp: 8, dp: 8, dpAttention: true}))).toBeUndefined()
    expect(trtllmNodes(eights, of('trtllm', {tp: 4, pp: 2}))).toBeUndefined()
  })

  it('vLLM: one replica by ranks, from 0.11.1; by Ray before', () => {
    const plan = vllmNodes(eights, of('vllm', {tp: 8, pp: 2}))
    expect(plan).toMatchObject({count: 2, gpusPerNode: 8})
    expect(names(plan?.own?.every)).toEqual(['--nnodes', '--node-rank', '--master-addr'])
    expect(names(plan?.own?.followers)).toEqual(['--headless'])
    expect(vllmNodes(eights, of('vllm', {tp: 8, pp: 2, engineVersion: '0.11.0'}))?.own).toBeUndefined()
  })

  it('vLLM: replicas on each node, counted from the first', () => {
    // 16 replicas of one GPU: 8 a node; 4 of four GPUs: 2 a node.
    expect(vllmNodes(eights, of('vllm', {dp: 16}))?.own?.followers.at(-1)).toMatchObject({flag: '--data-parallel-start-rank', value: {of: 'rank', times: 8}})
    expect(vllmNodes(eights, of('vllm', {dp: 4, tp: 4}))?.own?.every[0]).toMatchObject({flag: '--data-parallel-size-local', value: 2})
    expect(vllmNodes(eights, of('vllm', {dp: 2, tp: 16}))?.problem).toMatch(/16 GPUs does not fit into nodes of 8/)
    expect(vllmNodes(eights, of('vllm', {dp: 16, engineVersion: '0.8.5'}))?.problem).toMatch(/0\.9\.0/)
  })

  it('SGLang: sizes of the whole, plain replicas refused', () => {
    expect(names(sglangNodes(eights, of('sglang', {tp: 16}))?.own?.every)).toEqual(['--nnodes', '--node-rank', '--dist-init-addr'])
    expect(sglangNodes(eights, of('sglang', {tp: 8, dp: 2}))?.problem).toMatch(/--dp-attention/)
  })

  it('TensorRT-LLM: one process a GPU', () => {
    expect(trtllmNodes(eights, of('trtllm', {tp: 16}))).toEqual({count: 2, gpusPerNode: 8, mpi: {wrapper: 'trtllm-llmapi-launch'}})
  })

  it('must divide', () => {
    // 12 GPUs on two nodes are 6 each; 17 on three do not divide.
    expect(vllmNodes(eights, of('vllm', {tp: 4, pp: 3}))).toMatchObject({count: 2, gpusPerNode: 6})
    expect(trtllmNodes(eights, of('trtllm', {tp: 17}))?.problem).toMatch(/17 GPUs cannot be spread evenly over 3 nodes/)
  })
})
