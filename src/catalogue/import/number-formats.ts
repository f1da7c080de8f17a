import {Fields} from './fields.ts'

/**
 * Which of our weight formats a recipe's numbers mean. Every function gives undefined for what no format stands for, so
 * that the caller can name the field.
 */

const nearestGroup = (size: number, sizes: readonly number[]): number =>
  sizes.reduce((best, known) => (Math.abs(known - size) < Math.abs(best - size) ? known : best))

/** Four-bit integers in groups. `flavour` decides whether zero points are stored. */
export function int4Format(flavour: 'awq' | 'gptq' | 'plain', groupSize: number): string {
  if (groupSize <= 0) return 'int4-channel'
  const size = nearestGroup(groupSize, [32, 64, 128])
  if (flavour === 'plain') return `int4-group${size}`
  return size === 128 ? `${flavour}-int4` : `${flavour}-int4-group${size}`
}

/** `quant_algo` of NVIDIA Model Optimizer. */
export function modelOptFormat(algorithm: string): string | undefined {
  switch (algorithm.toUpperCase()) {
    case 'FP8':
      return 'fp8'
    case 'FP8_PER_CHANNEL_PER_TOKEN':
    case 'FP8_PER_CHANNEL':
      return 'fp8-channel'
    case 'FP8_PB_WO':
    case 'FP8_PB_REAL':
    case 'FP8_BLOCK_SCALES':
      return 'fp8-block'
    case 'MXFP8':
      return 'mxfp8'
    case 'NVFP4':
    case 'NVFP4_AWQ':
    case 'W4A4_NVFP4':
      return 'nvfp4'
    case 'W4A16_NVFP4':
      return 'nvfp4-weight-only'
    case 'MXFP4':
    case 'W4A8_MXFP4_FP8':
      return 'mxfp4'
    case 'W4A16_AWQ':
    case 'W4A16':
      return 'int4-group128'
    case 'W4A8_AWQ':
      return 'w4a8'
    case 'W8A16':
      return 'int8-group'
    case 'W8A8_SQ_PER_CHANNEL':
    case 'INT8_SQ':
      return 'int8'
    default:
      return undefined
  }
}

/** A scheme of compressed-tensors: `weights` and `input_activations` of a config group, `format` as it is packed. */
export function compressedTensorsFormat(group: Fields, packing: string | undefined): string | undefined {
  const weights = group.child('weights')
  if (!weights) return undefined
  const bits = weights.integer('num_bits', {max: 32})
  const type = weights.string('type') ?? 'int'
  const strategy = weights.string('strategy')
  const groupSize = weights.optionalInteger('group_size', {min: -1}) ?? -1
  const activations = group.child('input_activations')
  if (type === 'float') {
    if (bits === 4) return groupSize === 32 || packing?.includes('mxfp4') ? 'mxfp4' : activations || strategy === undefined ? 'nvfp4' : 'nvfp4-weight-only'
    if (bits !== 8) return undefined
    if (strategy === 'block') return 'fp8-block'
    if (strategy === 'channel') return 'fp8-channel'
    return strategy === 'group' && groupSize === 32 ? 'mxfp8' : 'fp8'
  }
  if (bits === 8) return activations ? 'int8' : 'int8-group'
  if (bits !== 4) return undefined
  if (activations) return 'w4a8'
  const symmetric = weights.boolean('symmetric') ?? true
  return int4Format(symmetric ? 'plain' : 'awq', strategy === 'channel' ? -1 : groupSize > 0 ? groupSize : strategy === 'group' ? 128 : 32)
}

/** A weight setting of AMD Quark. */
export function quarkFormat(weight: Fields): string | undefined {
  const type = weight.string('dtype') ?? ''
  const scheme = weight.string('qscheme') ?? ''
  if (type === 'fp4' || type === 'mxfp4') return 'mxfp4'
  if (type.startsWith('fp8'))
    return scheme === 'per_channel'
      ? 'fp8-channel'
      : scheme === 'per_group' && weight.optionalInteger('group_size') === 32
        ? 'mxfp8'
        : scheme.includes('block')
          ? 'fp8-block'
          : 'fp8'
  if (type === 'int8') return 'int8'
  if (type === 'int4' || type === 'uint4') return int4Format(type === 'uint4' ? 'awq' : 'plain', weight.optionalInteger('group_size', {min: -1}) ?? 128)
  return undefined
}

const CACHE: ReadonlyArray<[RegExp, string]> = [
  [/^fp8|^float8|^e4m3/i, 'fp8'],
  [/^nvfp4|^fp4/i, 'nvfp4'],
  [/^int8/i, 'int8'],
]

/** Cache format that a recipe calibrated for: a name (`FP8`) or a scheme of bits and type. */
export function cacheFormatOf(quantisation: Fields): string | undefined {
  for (const field of ['kv_cache_quant_algo', 'kv_cache_scheme', 'kv_cache_quant_config']) {
    const value = quantisation.raw(field)
    if (typeof value === 'string') return CACHE.find(([pattern]) => pattern.test(value))?.[1]
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue
    const scheme = new Fields(value as Record<string, unknown>, quantisation.name(field))
    const bits = scheme.raw('num_bits')
    if (bits === 8) return scheme.raw('type') === 'int' ? 'int8' : 'fp8'
    if (bits === 4) return 'nvfp4'
    if (JSON.stringify(value).slice(0, 2000).includes('fp8')) return 'fp8'
  }
  return undefined
}
