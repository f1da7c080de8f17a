import {InputError} from '../../core/input-error.ts'
import type {GgufHeader, GgufTensor, GgufValue} from './header.ts'

/** One block's tensors by what stands behind `blk.N.`: `attn_q.weight`. */
export type Block = ReadonlyMap<string, GgufTensor>

const MAX_COUNT = 2 ** 28

/** The keys of one architecture and the tensors, block by block. */
export class GgufFile {
  readonly architecture: string
  readonly blocks: Block[]
  readonly outer: ReadonlyMap<string, GgufTensor>
  readonly title: string
  private readonly metadata: ReadonlyMap<string, GgufValue>

  constructor(title: string, header: GgufHeader) {
    this.title = title
    this.metadata = header.metadata
    const architecture = header.metadata.get('general.architecture')
    if (typeof architecture !== 'string' || !/^[\w.-]{1,64}$/.test(architecture))
      throw this.invalid('general.architecture is missing; expected a name such as llama')
    this.architecture = architecture
    const blocks: Array<Map<string, GgufTensor>> = []
    const outer = new Map<string, GgufTensor>()
    for (const tensor of header.tensors) {
      const match = /^blk\.(\d{1,4})\.(.+)$/.exec(tensor.name)
      if (!match) outer.set(tensor.name, tensor)
      else {
        const layer = Number(match[1])
        if (layer >= 2000) throw this.invalid(`tensor ${tensor.name}: expected at most 2,000 layers`)
        while (blocks.length <= layer) blocks.push(new Map())
        blocks[layer]!.set(match[2]!, tensor)
      }
    }
    this.blocks = blocks
    this.outer = outer
  }

  invalid(message: string): InputError {
    return new InputError('MODEL_CONFIG_INVALID', `${this.title}: ${message}`)
  }

  text(key: string): string | undefined {
    const value = this.metadata.get(key)
    return typeof value === 'string' && value !== '' ? value : undefined
  }

  /** Entries of an array, kept or not. */
  length(key: string): number | undefined {
    const value = this.metadata.get(key)
    return typeof value === 'object' ? value.length : undefined
  }

  general(key: string): number | undefined {
    const value = this.metadata.get(key)
    return typeof value === 'number' ? value : undefined
  }

  name(key: string): string {
    return `${this.architecture}.${key}`
  }

  /** A whole number of this architecture; of a list with one entry for each layer, the layer's. */
  optional(key: string, layer?: number): number | undefined {
    const value = this.metadata.get(this.name(key))
    if (value === undefined) return undefined
    const one = Array.isArray(value) ? value[layer === undefined ? 0 : Math.min(layer, value.length - 1)] : value
    if (typeof one !== 'number' || !Number.isInteger(one) || one < 0 || one > MAX_COUNT)
      throw this.invalid(`${this.name(key)} is ${JSON.stringify(one)?.slice(0, 60)}; expected a whole number from 0 to ${MAX_COUNT}`)
    return one
  }

  /** The same where it must be there and more than nothing. */
  count(key: string, layer?: number): number {
    const value = this.optional(key, layer)
    if (!value) throw this.invalid(`${this.name(key)} is ${value === 0 ? '0' : 'missing'}; expected a whole number from 1`)
    return value
  }

  /** One entry for each layer; undefined where the key is absent or one number. */
  list(key: string): number[] | undefined {
    const value = this.metadata.get(this.name(key))
    return Array.isArray(value) ? value : undefined
  }

  flag(key: string): boolean {
    const value = this.metadata.get(this.name(key))
    return value === true || value === 1
  }
}
