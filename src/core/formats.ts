import {dictionary} from './dictionary.ts'

/**
 * Data types that weights and caches are stored in. Bits are of the stored element; what is stored beside the elements
 * (scales, zero points) is part of the format, so that bytes come out as they are on disk and in memory.
 */

export interface WeightFormat {
  id: string
  title: string
  /** Bits of one stored element. */
  elementBits: number
  /** How many elements share a scale: whole tensor, one output row, a group along the input, or a square block. */
  scale?: {per: 'tensor' | 'row' | 'group' | 'block'; size?: number; bits: number; zeroPointBits?: number; perTensorBits?: number}
  /** What the matrix units are fed when the hardware can: otherwise elements are converted to 16 bits first. */
  computeType: 'bf16' | 'fp8' | 'int8' | 'fp4'
  /** Activations keep 16 bits by definition of the format, whatever the hardware. */
  weightOnly: boolean
  /** Ordering of how much is lost, for "the least quantised that fits": higher is closer to the original. */
  fidelity: number
}

const group = (size: number, bits: number, zeroPointBits?: number, perTensorBits?: number): WeightFormat['scale'] => ({
  per: 'group',
  size,
  bits,
  zeroPointBits,
  perTensorBits,
})

/**
 * Sources of the layouts: compressed-tensors and AutoAWQ/GPTQ packing (scales bf16 or fp16 per group, zero points of the
 * element's width per group); OCP Microscaling 1.0 section 5 (MXFP4, MXFP8: one e8m0 byte per 32); NVFP4: one e4m3 byte
 * per 16 and one fp32 per tensor (NVIDIA Model Optimizer); FP8 128 x 128 blocks with fp32 scales (DeepSeek-V3, arXiv
 * 2412.19437 section 3.3.2); GGUF block sizes from ggml-org/llama.cpp ggml/src/ggml-common.h.
 */
const FORMATS: WeightFormat[] = [
  {id: 'fp32', title: 'FP32', elementBits: 32, computeType: 'bf16', weightOnly: false, fidelity: 101},
  {id: 'bf16', title: 'BF16', elementBits: 16, computeType: 'bf16', weightOnly: false, fidelity: 100},
  {id: 'fp16', title: 'FP16', elementBits: 16, computeType: 'bf16', weightOnly: false, fidelity: 100},
  {id: 'fp8', title: 'FP8', elementBits: 8, scale: {per: 'tensor', bits: 32}, computeType: 'fp8', weightOnly: false, fidelity: 89},
  {id: 'fp8-channel', title: 'FP8 per channel', elementBits: 8, scale: {per: 'row', bits: 16}, computeType: 'fp8', weightOnly: false, fidelity: 90},
  {
    id: 'fp8-block',
    title: 'FP8 128x128 blocks',
    elementBits: 8,
    scale: {per: 'block', size: 128, bits: 32},
    computeType: 'fp8',
    weightOnly: false,
    fidelity: 91,
  },
  {id: 'mxfp8', title: 'MXFP8', elementBits: 8, scale: group(32, 8), computeType: 'fp8', weightOnly: false, fidelity: 90},
  {id: 'int8', title: 'INT8 W8A8', elementBits: 8, scale: {per: 'row', bits: 16}, computeType: 'int8', weightOnly: false, fidelity: 85},
  {id: 'gptq-int8', title: 'GPTQ INT8', elementBits: 8, scale: group(128, 16, 8), computeType: 'bf16', weightOnly: true, fidelity: 88},
  {id: 'int8-group', title: 'INT8 weight-only', elementBits: 8, scale: group(128, 16), computeType: 'bf16', weightOnly: true, fidelity: 88},
  {id: 'awq-int4', title: 'AWQ INT4', elementBits: 4, scale: group(128, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 60},
  {id: 'gptq-int4', title: 'GPTQ INT4', elementBits: 4, scale: group(128, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 59},
  {id: 'awq-int4-group64', title: 'AWQ INT4, groups of 64', elementBits: 4, scale: group(64, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 61},
  {id: 'awq-int4-group32', title: 'AWQ INT4, groups of 32', elementBits: 4, scale: group(32, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 62},
  {id: 'gptq-int4-group64', title: 'GPTQ INT4, groups of 64', elementBits: 4, scale: group(64, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 60},
  {id: 'gptq-int4-group32', title: 'GPTQ INT4, groups of 32', elementBits: 4, scale: group(32, 16, 4), computeType: 'bf16', weightOnly: true, fidelity: 61},
  {id: 'int4-channel', title: 'INT4, one scale a row', elementBits: 4, scale: {per: 'row', bits: 16}, computeType: 'bf16', weightOnly: true, fidelity: 54},
  {id: 'int4-group128', title: 'INT4, groups of 128', elementBits: 4, scale: group(128, 16), computeType: 'bf16', weightOnly: true, fidelity: 59},
  {id: 'int4-group64', title: 'INT4, groups of 64', elementBits: 4, scale: group(64, 16), computeType: 'bf16', weightOnly: true, fidelity: 60},
  {id: 'int4-group32', title: 'INT4, groups of 32', elementBits: 4, scale: group(32, 16), computeType: 'bf16', weightOnly: true, fidelity: 61},
  {id: 'w4a8', title: 'INT4 weights, FP8 activations', elementBits: 4, scale: group(128, 16), computeType: 'fp8', weightOnly: false, fidelity: 55},
  {id: 'nf4', title: 'NF4', elementBits: 4, scale: group(64, 32), computeType: 'bf16', weightOnly: true, fidelity: 50},
  {id: 'mxfp4', title: 'MXFP4', elementBits: 4, scale: group(32, 8), computeType: 'fp4', weightOnly: false, fidelity: 57},
  {id: 'nvfp4', title: 'NVFP4', elementBits: 4, scale: group(16, 8, undefined, 32), computeType: 'fp4', weightOnly: false, fidelity: 58},
  {
    id: 'nvfp4-weight-only',
    title: 'NVFP4, 16-bit activations',
    elementBits: 4,
    scale: group(16, 8, undefined, 32),
    computeType: 'bf16',
    weightOnly: true,
    fidelity: 58,
  },
  {id: 'q8_0', title: 'GGUF Q8_0', elementBits: 8, scale: group(32, 16), computeType: 'bf16', weightOnly: true, fidelity: 87},
  {id: 'q6_k', title: 'GGUF Q6_K', elementBits: 6.5625, computeType: 'bf16', weightOnly: true, fidelity: 75},
  {id: 'q5_k', title: 'GGUF Q5_K', elementBits: 5.5, computeType: 'bf16', weightOnly: true, fidelity: 68},
  {id: 'q5_0', title: 'GGUF Q5_0', elementBits: 5.5, computeType: 'bf16', weightOnly: true, fidelity: 66},
  {id: 'q5_1', title: 'GGUF Q5_1', elementBits: 6, computeType: 'bf16', weightOnly: true, fidelity: 67},
  {id: 'q4_k', title: 'GGUF Q4_K', elementBits: 4.5, computeType: 'bf16', weightOnly: true, fidelity: 56},
  {id: 'q4_0', title: 'GGUF Q4_0', elementBits: 4.5, computeType: 'bf16', weightOnly: true, fidelity: 52},
  {id: 'q4_1', title: 'GGUF Q4_1', elementBits: 5, computeType: 'bf16', weightOnly: true, fidelity: 53},
  {id: 'iq4_xs', title: 'GGUF IQ4_XS', elementBits: 4.25, computeType: 'bf16', weightOnly: true, fidelity: 54},
  {id: 'iq4_nl', title: 'GGUF IQ4_NL', elementBits: 4.5, computeType: 'bf16', weightOnly: true, fidelity: 55},
  {id: 'q3_k', title: 'GGUF Q3_K', elementBits: 3.4375, computeType: 'bf16', weightOnly: true, fidelity: 40},
  {id: 'iq3_xxs', title: 'GGUF IQ3_XXS', elementBits: 3.0625, computeType: 'bf16', weightOnly: true, fidelity: 35},
  {id: 'iq3_s', title: 'GGUF IQ3_S', elementBits: 3.4375, computeType: 'bf16', weightOnly: true, fidelity: 38},
  {id: 'q2_k', title: 'GGUF Q2_K', elementBits: 2.625, computeType: 'bf16', weightOnly: true, fidelity: 20},
  {id: 'iq2_xxs', title: 'GGUF IQ2_XXS', elementBits: 2.0625, computeType: 'bf16', weightOnly: true, fidelity: 10},
  {id: 'iq2_xs', title: 'GGUF IQ2_XS', elementBits: 2.3125, computeType: 'bf16', weightOnly: true, fidelity: 12},
  {id: 'iq2_s', title: 'GGUF IQ2_S', elementBits: 2.5625, computeType: 'bf16', weightOnly: true, fidelity: 15},
  {id: 'iq1_s', title: 'GGUF IQ1_S', elementBits: 1.5625, computeType: 'bf16', weightOnly: true, fidelity: 5},
  {id: 'iq1_m', title: 'GGUF IQ1_M', elementBits: 1.75, computeType: 'bf16', weightOnly: true, fidelity: 7},
]

const byId: ReadonlyMap<string, WeightFormat> = new Map(FORMATS.map((format) => [format.id, format]))

export const weightFormatIds: readonly string[] = FORMATS.map((format) => format.id)

/** The format of this id. @throws RangeError for an id that is not in the table: callers check names at the door. */
export function weightFormat(id: string): WeightFormat {
  const format = byId.get(id)
  if (!format) throw new RangeError(`no weight format "${id}"`)
  return format
}

export const isWeightFormat = (id: string): boolean => byId.has(id)

/**
 * Bytes of one stored matrix of `rows` outputs and `columns` inputs, scales included. A last group or block that is not
 * full still has its scale.
 */
export function matrixBytes(format: WeightFormat, rows: number, columns: number): number {
  const elements = (rows * columns * format.elementBits) / 8
  const {scale} = format
  if (!scale) return elements
  const tensorBytes = (scale.perTensorBits ?? 0) / 8
  const scaleBytes = (scale.bits + (scale.zeroPointBits ?? 0)) / 8
  switch (scale.per) {
    case 'tensor':
      return elements + scaleBytes
    case 'row':
      return elements + rows * scaleBytes
    case 'group':
      return elements + rows * Math.ceil(columns / scale.size!) * scaleBytes + tensorBytes
    case 'block':
      return elements + Math.ceil(rows / scale.size!) * Math.ceil(columns / scale.size!) * scaleBytes
  }
}

/** How a cache element is stored. `scaleBytesPerHead`: scales kept for every token and head. */
export interface CacheFormat {
  id: string
  title: string
  elementBytes: number
  scaleBytesPerHead: number
}

/** Sizes per vllm-project/vllm vllm/v1/kv_cache_interface.py at 001cabc1be16. NVFP4: half a byte and one scale byte for 16. */
const CACHE_FORMATS: CacheFormat[] = [
  {id: 'fp32', title: 'FP32', elementBytes: 4, scaleBytesPerHead: 0},
  {id: 'bf16', title: 'BF16', elementBytes: 2, scaleBytesPerHead: 0},
  {id: 'fp16', title: 'FP16', elementBytes: 2, scaleBytesPerHead: 0},
  {id: 'fp8', title: 'FP8', elementBytes: 1, scaleBytesPerHead: 0},
  {id: 'int8', title: 'INT8', elementBytes: 1, scaleBytesPerHead: 8},
  {id: 'nvfp4', title: 'NVFP4', elementBytes: 0.5625, scaleBytesPerHead: 0},
  {id: 'mxfp4', title: 'MXFP4', elementBytes: 0.53125, scaleBytesPerHead: 0},
  {id: 'int4', title: 'INT4', elementBytes: 0.5, scaleBytesPerHead: 8},
]

const CACHE_ALIASES: Record<string, string> = dictionary({
  bfloat16: 'bf16',
  float16: 'fp16',
  half: 'fp16',
  fp8_e4m3: 'fp8',
  fp8_e5m2: 'fp8',
  fp8_inc: 'fp8',
  fp8_ds_mla: 'fp8',
  nvfp4_ds_mla: 'nvfp4',
  fp4_e2m1: 'mxfp4',
  int8_per_token_head: 'int8',
  int4_per_token_head: 'int4',
  float32: 'fp32',
})

/** The cache format of this name or of an engine's spelling of it; undefined when there is none. */
export const cacheFormatIds: readonly string[] = CACHE_FORMATS.map(({id}) => id)

export function findCacheFormat(name: string): CacheFormat | undefined {
  const id = CACHE_ALIASES[name] ?? name
  return CACHE_FORMATS.find((format) => format.id === id)
}

/** Cache formats of vLLM that are not sized here, by the first release that takes them (vllm/config/cache.py CacheDType, 0.20.0 to 0.33.0). */
const UNSIZED_CACHE_FORMATS: Record<string, string> = dictionary({
  turboquant_k8v4: '0.20.0',
  turboquant_4bit_nc: '0.20.0',
  turboquant_k3v4_nc: '0.20.0',
  turboquant_3bit_nc: '0.20.0',
  fp8_per_token_head: '0.20.0',
  nvfp4_4over6: '0.28.0',
  ultraquant_4bit: '0.32.0',
  octave_k3v4: '0.33.0',
  octave_k3v3: '0.33.0',
  octave_k3v3_compact: '0.33.0',
})

/** First release of vLLM with a cache format that is known by name only; undefined for any other. */
export const unsizedCacheFormat = (name: string): string | undefined => (Object.hasOwn(UNSIZED_CACHE_FORMATS, name) ? UNSIZED_CACHE_FORMATS[name] : undefined)

export function cacheFormat(name: string): CacheFormat {
  const format = findCacheFormat(name)
  if (!format) throw new RangeError(`no cache format "${name}"`)
  return format
}
