import {describe, expect, it} from 'vitest'
import {cudaGraphSizes} from '../../src/engines/trtllm/defaults.ts'

// CudaGraphConfig._generate_cuda_graph_batch_sizes in tensorrt_llm/llmapi/llm_args.py.
describe('TensorRT-LLM: CUDA graph sizes', () => {
  it('captures 1 to 32, 64 and 128 by default', () => {
    const sizes = cudaGraphSizes({version: '1.3.0rc24', maxBatchSize: 2048})
    expect(sizes).toHaveLength(34)
    expect(sizes.slice(-3)).toEqual([32, 64, 128])
  })

  it('never goes beyond the batch size', () => expect(cudaGraphSizes({version: '1.2.0', maxBatchSize: 16}).at(-1)).toBe(16))

  it('with padding: by 8 to 128, then by 64; doubling before the 1.3 line', () => {
    expect(cudaGraphSizes({version: '1.3.0rc24', maxBatchSize: 2048, padding: true, graphMaxBatchSize: 512})).toEqual([
      1, 2, 4, 8, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 192, 256, 320, 384, 448, 512,
    ])
    expect(cudaGraphSizes({version: '1.2.0', maxBatchSize: 2048, padding: true, graphMaxBatchSize: 512}).slice(-3)).toEqual([128, 256, 512])
  })

  it('captures none when graphs are off, and in 0.x unless asked', () => {
    expect(cudaGraphSizes({version: '1.3.0rc24', maxBatchSize: 64, enforceEager: true})).toEqual([])
    expect(cudaGraphSizes({version: '0.20.0', maxBatchSize: 64})).toEqual([])
  })
})
