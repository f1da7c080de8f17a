/** A tensor type of ggml: how its blocks are packed, and which of our weight formats that is. */
export interface GgmlType {
  name: string
  /** Weights in a block, along the first dimension. */
  blockElements: number
  blockBytes: number
  format?: string
}

const type = (name: string, blockElements: number, blockBytes: number, format?: string): GgmlType => ({name, blockElements, blockBytes, format})

/** By the number in the file: `enum ggml_type` in ggml-org/llama.cpp ggml/include/ggml.h, block sizes of ggml/src/ggml-common.h. */
export const GGML_TYPES: Readonly<Record<number, GgmlType>> = {
  0: type('F32', 1, 4, 'fp32'),
  1: type('F16', 1, 2, 'fp16'),
  2: type('Q4_0', 32, 18, 'q4_0'),
  3: type('Q4_1', 32, 20, 'q4_1'),
  6: type('Q5_0', 32, 22, 'q5_0'),
  7: type('Q5_1', 32, 24, 'q5_1'),
  8: type('Q8_0', 32, 34, 'q8_0'),
  9: type('Q8_1', 32, 36),
  10: type('Q2_K', 256, 84, 'q2_k'),
  11: type('Q3_K', 256, 110, 'q3_k'),
  12: type('Q4_K', 256, 144, 'q4_k'),
  13: type('Q5_K', 256, 176, 'q5_k'),
  14: type('Q6_K', 256, 210, 'q6_k'),
  15: type('Q8_K', 256, 292),
  16: type('IQ2_XXS', 256, 66, 'iq2_xxs'),
  17: type('IQ2_XS', 256, 74, 'iq2_xs'),
  18: type('IQ3_XXS', 256, 98, 'iq3_xxs'),
  19: type('IQ1_S', 256, 50, 'iq1_s'),
  20: type('IQ4_NL', 32, 18, 'iq4_nl'),
  21: type('IQ3_S', 256, 110, 'iq3_s'),
  22: type('IQ2_S', 256, 82, 'iq2_s'),
  23: type('IQ4_XS', 256, 136, 'iq4_xs'),
  24: type('I8', 1, 1),
  25: type('I16', 1, 2),
  26: type('I32', 1, 4),
  27: type('I64', 1, 8),
  28: type('F64', 1, 8),
  29: type('IQ1_M', 256, 56, 'iq1_m'),
  30: type('BF16', 1, 2, 'bf16'),
  34: type('TQ1_0', 256, 54),
  35: type('TQ2_0', 256, 66),
  39: type('MXFP4', 32, 17, 'mxfp4'),
  40: type('NVFP4', 64, 36, 'nvfp4'),
  41: type('Q1_0', 128, 18),
}

/** Our format whose weights take the nearest number of bits, for types that none stands for. */
export function nearestFormat({blockBytes, blockElements}: GgmlType): string {
  const bits = (8 * blockBytes) / blockElements
  const candidates: ReadonlyArray<[number, string]> = [
    [1.5625, 'iq1_s'],
    [1.75, 'iq1_m'],
    [2.0625, 'iq2_xxs'],
    [2.625, 'q2_k'],
    [3.4375, 'q3_k'],
    [4.5, 'q4_k'],
    [8.5, 'q8_0'],
    [16, 'bf16'],
    [32, 'fp32'],
  ]
  return candidates.reduce((best, entry) => (Math.abs(entry[0] - bits) < Math.abs(best[0] - bits) ? entry : best))[1]
}

/** The mixture that `general.file_type` names: `enum llama_ftype` in include/llama.h. */
export const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'fp32',
  1: 'fp16',
  2: 'q4_0',
  3: 'q4_1',
  7: 'q8_0',
  8: 'q5_0',
  9: 'q5_1',
  10: 'q2_k',
  11: 'q3_k_s',
  12: 'q3_k_m',
  13: 'q3_k_l',
  14: 'q4_k_s',
  15: 'q4_k_m',
  16: 'q5_k_s',
  17: 'q5_k_m',
  18: 'q6_k',
  19: 'iq2_xxs',
  20: 'iq2_xs',
  21: 'q2_k_s',
  22: 'iq3_xs',
  23: 'iq3_xxs',
  24: 'iq1_s',
  25: 'iq4_nl',
  26: 'iq3_s',
  27: 'iq3_m',
  28: 'iq2_s',
  29: 'iq2_m',
  30: 'iq4_xs',
  31: 'iq1_m',
  32: 'bf16',
  36: 'tq1_0',
  37: 'tq2_0',
  38: 'mxfp4',
  39: 'nvfp4',
}
