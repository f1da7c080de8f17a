/**
 * What TensorRT-LLM (trtllm-serve, PyTorch backend) chooses when an option is unset.
 *
 * Sources: tensorrt_llm/llmapi/llm_args.py (stored copies of main, 1.3.0rc line), tests/unittest/api_stability/
 * references/trtllm_serve_cli.yaml at 9e7f85f660d9abbd9033779cdd9f079f6af75c7e, and the option page of each release
 * (nvidia.github.io/TensorRT-LLM/<version>/commands/trtllm-serve). The limits are the same for every GPU.
 */
import {isAtLeast} from '../versions.ts'

/** Requests in flight, for each attention data-parallel rank: 2,048 (BuildConfig and the command line). */
export const MAX_BATCH_SIZE = 2048

/** Tokens of a step: 8,192. */
export const MAX_NUM_TOKENS = 8192

/** Share of the memory left after loading and a trial run that the cache gets: 0.9. */
export const FREE_GPU_MEMORY_FRACTION = 0.9

/** Tokens of a cache block on the PyTorch backend: 32 (kv_cache_config.tokens_per_block). DeepSeek-V4 is run with 128. */
export const TOKENS_PER_BLOCK = 32

/** Largest batch with a CUDA graph when only graphs are on: 128. */
export const GRAPH_MAX_BATCH_SIZE = 128

export interface GraphQuestion {
  version: string
  maxBatchSize: number
  /** `cuda_graph_config.max_batch_size` where it is set. */
  graphMaxBatchSize?: number
  /** `cuda_graph_config.enable_padding`. */
  padding?: boolean
  enforceEager?: boolean
  /** `cuda_graph_config.batch_sizes` where it is set. */
  sizes?: readonly number[]
}

const range = (from: number, to: number, step: number): number[] => {
  const values: number[] = []
  for (let value = from; value <= to; value += step) values.push(value)
  return values
}

/**
 * Batch sizes with a CUDA graph, ascending, never above the batch size.
 * With padding 1, 2, 4, 8 to 128 by 8, then by 64 (before the 1.3 line doubling from 256); without 1 to 32, 64, 128,
 * then doubling; the largest is always among them (CudaGraphConfig._generate_cuda_graph_batch_sizes, stored copies of
 * llm_args.py of 95,434, 139,423 and 256,191 characters).
 * Graphs are on by default from 1.0; in 0.x they are off unless asked for.
 */
export function cudaGraphSizes({version, maxBatchSize, graphMaxBatchSize, padding = false, enforceEager = false, sizes: given}: GraphQuestion): number[] {
  if (given && !enforceEager) return [...new Set(given)].filter((size) => size <= maxBatchSize).sort((left, right) => left - right)
  if (enforceEager || (graphMaxBatchSize === undefined && !isAtLeast(version, '1.0.0rc0'))) return []
  const largest = graphMaxBatchSize ?? GRAPH_MAX_BATCH_SIZE
  const bySixtyFour = padding && isAtLeast(version, '1.3.0rc0')
  const sizes = padding ? [1, 2, 4, ...range(8, 128, 8)] : [...range(1, 32, 1), 64, 128]
  if (bySixtyFour) sizes.push(...range(192, largest, 64))
  else for (let size = 256; size < largest; size *= 2) sizes.push(size)
  if (!sizes.includes(largest)) sizes.push(largest)
  return sizes.filter((size) => size <= Math.min(largest, maxBatchSize)).sort((left, right) => left - right)
}
