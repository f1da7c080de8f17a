import {int4Format} from '../catalogue/import/number-formats.ts'
import type {StoredTensor} from './safetensors-header.ts'
import {dictionary} from '../core/dictionary.ts'

/** A weight and what is stored beside it: scales, zero points, permutations. */
export interface StoredModule {
  /** Without what only says how it is stored: `model.layers.0.self_attn.q_proj`. */
  name: string
  /** Weight format; absent where the tensors fit none that is known. */
  format?: string
  /** Weights, however many share a stored element. */
  elements: number
  /** Everything of the module in the file. */
  bytes: number
  /** One-dimensional: a norm, a bias, a constant. */
  vector: boolean
}

type Role = 'main' | 'scale' | 'zero' | 'side'

/** How the quantisation tools name what they store beside a weight. */
const ROLES: Record<string, Role> = dictionary({
  weight: 'main',
  qweight: 'main',
  weight_packed: 'main',
  _blocks: 'main',
  weight_scale: 'scale',
  weight_scale_inv: 'scale',
  scale: 'scale',
  scales: 'scale',
  _scales: 'scale',
  _scale: 'scale',
  _scale_inv: 'scale',
  'weight.absmax': 'scale',
  'weight.SCB': 'scale',
  SCB: 'scale',
  qzeros: 'zero',
  weight_zero_point: 'zero',
  weight_scale_2: 'side',
  weight_global_scale: 'side',
  input_scale: 'side',
  input_global_scale: 'side',
  activation_scale: 'side',
  weight_shape: 'side',
  weight_g_idx: 'side',
  g_idx: 'side',
  k_scale: 'side',
  v_scale: 'side',
  output_scale: 'side',
  weight_format: 'side',
  _scale_2: 'side',
  _input_scale: 'side',
  _weight_scale_2: 'side',
})

const SUFFIX =
  /(?:\.(weight(?:_packed|_scale_inv|_scale_2|_scale|_global_scale|_zero_point|_shape|_g_idx|_format)?|qweight|qzeros|scales|scale|g_idx|SCB|input_scale|input_global_scale|activation_scale|output_scale|k_scale|v_scale|weight\.absmax|weight\.SCB)|(_blocks|_scales|_scale_inv|_weight_scale_2|_scale_2|_input_scale|_scale))$/
const BITSANDBYTES = /\.weight\.(?:quant_map|nested_absmax|nested_quant_map|quant_state\..{1,100})$/

function partsOf(name: string): {module: string; role: Role; suffix: string} {
  if (BITSANDBYTES.test(name)) return {module: name.replace(BITSANDBYTES, ''), role: 'side', suffix: ''}
  const suffix = SUFFIX.exec(name)
  const found = suffix?.[1] ?? suffix?.[2]
  return found === undefined ? {module: name, role: 'main', suffix: ''} : {module: name.slice(0, suffix!.index), role: ROLES[found]!, suffix: found}
}

interface Parts {
  main?: StoredTensor
  mainSuffix: string
  scale?: StoredTensor
  zero?: StoredTensor
  bytes: number
}

const count = ({shape}: StoredTensor): number => shape.reduce((product, size) => product * size, 1)
const PLAIN: Record<string, string> = dictionary({F64: 'fp32', F32: 'fp32', BF16: 'bf16', F16: 'fp16'})

/** The modules of a checkpoint's tensors, in the order of the file. */
export function storedModules(tensors: Iterable<StoredTensor>): StoredModule[] {
  const modules = new Map<string, Parts>()
  for (const tensor of tensors) {
    const {module, role, suffix} = partsOf(tensor.name)
    const parts = modules.get(module) ?? {bytes: 0, mainSuffix: ''}
    modules.set(module, parts)
    parts.bytes += tensor.bytes
    if (role === 'main') Object.assign(parts, {main: tensor, mainSuffix: suffix})
    else if (role === 'scale') parts.scale = tensor
    else if (role === 'zero') parts.zero = tensor
  }
  return [...modules].map(([name, parts]) => ({name, bytes: parts.bytes, vector: (parts.main?.shape.length ?? 0) < 2, ...formatOf(parts)}))
}

function formatOf(parts: Parts): {format?: string; elements: number} {
  const {main, scale} = parts
  if (!main) return {elements: 0}
  const stored = count(main)
  const plain = PLAIN[main.dtype]
  if (plain) return {format: plain, elements: stored}
  if (main.dtype.startsWith('F8_E')) return {format: eightBitFloat(main, scale), elements: stored}
  if (main.dtype === 'I32') return packedInts(parts, main)
  // Two four-bit floats a byte, or one a stored element; the scale's type and number tell the format.
  const fourBit = main.dtype === 'F4' ? stored : main.dtype === 'U8' || main.dtype === 'I8' ? 2 * stored : undefined
  if (fourBit !== undefined && scale) {
    if (count(scale) * 16 === fourBit && scale.dtype === 'F8_E4M3') return {format: 'nvfp4', elements: fourBit}
    if (count(scale) * 32 === fourBit && (scale.dtype === 'U8' || scale.dtype === 'F8_E8M0')) return {format: 'mxfp4', elements: fourBit}
    if (main.dtype === 'U8' && (scale.dtype === 'F32' || scale.dtype === 'U8') && main.shape.at(-1) === 1) return {format: 'nf4', elements: fourBit}
  }
  if (main.dtype === 'I8') return {...(scale && {format: 'int8'}), elements: stored}
  return {elements: stored}
}

function eightBitFloat(main: StoredTensor, scale: StoredTensor | undefined): string {
  if (!scale || count(scale) === 1) return 'fp8'
  const rows = main.shape.at(-2) ?? 1
  const scales = count(scale)
  if (scales * 32 === count(main) && scale.dtype !== 'F32' && scale.dtype !== 'BF16') return 'mxfp8'
  // Fused experts have one scale each, or one for each row of each.
  const experts = main.shape.slice(0, -2).reduce((product, size) => product * size, 1)
  if (scales === experts) return 'fp8'
  return scales === rows * experts ? 'fp8-channel' : 'fp8-block'
}

/** Eight four-bit or four eight-bit integers a word: AutoGPTQ packs inputs, AutoAWQ outputs, compressed-tensors inputs of a transposed matrix. */
function packedInts({scale, zero, mainSuffix}: Parts, main: StoredTensor): {format?: string; elements: number} {
  const [rows, columns] = [main.shape.at(-2) ?? 1, main.shape.at(-1) ?? 1]
  const times = main.shape.slice(0, -2).reduce((product, size) => product * size, 1)
  const [scaleRows, scaleColumns] = [scale?.shape.at(-2) ?? 1, scale?.shape.at(-1) ?? 1]
  if (!scale) return {elements: 8 * count(main)}
  if (mainSuffix === 'weight_packed') {
    const bits = packedBits((8 * columns) / scaleColumns)
    const inputs = (columns * 32) / bits
    const group = scaleColumns === 1 ? -1 : inputs / scaleColumns
    return {format: bits === 8 ? 'int8-group' : int4Format(zero ? 'awq' : 'plain', group), elements: times * rows * inputs}
  }
  if (columns === scaleColumns) {
    const bits = zero && scaleColumns > 0 ? ((zero.shape.at(-1) ?? 0) * 32) / scaleColumns : 4
    const inputs = (rows * 32) / bits
    if (bits !== 4 && bits !== 8) return {elements: times * columns * inputs}
    return {format: bits === 8 ? 'gptq-int8' : int4Format('gptq', scaleRows === 1 ? -1 : inputs / scaleRows), elements: times * columns * inputs}
  }
  const bits = (32 * columns) / scaleColumns
  return {...(bits === 4 && {format: int4Format('awq', scaleRows === 1 ? -1 : rows / scaleRows)}), elements: times * rows * scaleColumns}
}

/** Groups of more than 128 at four bits are groups of half as many at eight: nobody publishes wider groups. */
const packedBits = (groupAtFourBits: number): 4 | 8 => (groupAtFourBits > 128 && groupAtFourBits <= 512 && Number.isInteger(groupAtFourBits) ? 8 : 4)
