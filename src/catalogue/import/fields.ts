import {InputError} from '../../core/input-error.ts'

export type Json = Record<string, unknown>

export const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Largest layer count, vocabulary and width that are believed; the largest published ones are 126, 262,208 and 53,248. */
export const MAX_LAYERS = 2000
const MAX_SIZE = 2 ** 28

export const invalid = (message: string): InputError => new InputError('MODEL_CONFIG_INVALID', message)

const shown = (value: unknown): string => {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/**
 * Reads the fields of one object of a configuration. A field may have several spellings, one a publisher; the first that
 * is there counts, and null is the same as absent. Values of the wrong type are refused, never coerced.
 */
export class Fields {
  readonly record: Json
  readonly path: string

  constructor(record: Json, path = '') {
    this.record = record
    this.path = path
  }

  name(field: string): string {
    return this.path === '' ? field : `${this.path}.${field}`
  }

  /** First spelling that is there, with its value. */
  private find(spellings: readonly string[]): {field: string; value: unknown} | undefined {
    for (const field of spellings) {
      const value = Object.hasOwn(this.record, field) ? this.record[field] : undefined
      if (value !== undefined && value !== null) return {field, value}
    }
    return undefined
  }

  has(...spellings: string[]): boolean {
    return this.find(spellings) !== undefined
  }

  /** A whole number of at least `min`; undefined when absent. */
  optionalInteger(spellings: string | string[], {min = 1, max = MAX_SIZE}: {min?: number; max?: number} = {}): number | undefined {
    const found = this.find([spellings].flat())
    if (!found) return undefined
    const {field, value} = found
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw invalid(`${this.name(field)} is ${shown(value)}; expected a whole number from ${min} to ${max}`)
    }
    return value
  }

  integer(spellings: string | string[], range: {min?: number; max?: number} = {}): number {
    const value = this.optionalInteger(spellings, range)
    if (value === undefined) throw this.missing([spellings].flat())
    return value
  }

  number(spellings: string | string[]): number | undefined {
    const found = this.find([spellings].flat())
    if (!found) return undefined
    if (typeof found.value !== 'number' || !Number.isFinite(found.value)) throw invalid(`${this.name(found.field)} is ${shown(found.value)}; expected a number`)
    return found.value
  }

  boolean(...spellings: string[]): boolean | undefined {
    const found = this.find(spellings)
    if (!found) return undefined
    if (typeof found.value !== 'boolean') throw invalid(`${this.name(found.field)} is ${shown(found.value)}; expected true or false`)
    return found.value
  }

  string(...spellings: string[]): string | undefined {
    const found = this.find(spellings)
    if (!found) return undefined
    if (typeof found.value !== 'string') throw invalid(`${this.name(found.field)} is ${shown(found.value)}; expected text`)
    return found.value
  }

  list(...spellings: string[]): unknown[] | undefined {
    const found = this.find(spellings)
    if (!found) return undefined
    if (!Array.isArray(found.value)) throw invalid(`${this.name(found.field)} is ${shown(found.value)}; expected a list`)
    return found.value
  }

  /** A list of whole numbers, one for each layer or one layer number each. */
  integers(...spellings: string[]): number[] | undefined {
    return this.list(...spellings)?.map((value, index) => {
      if (typeof value !== 'number' || !Number.isInteger(value))
        throw invalid(`${this.name(spellings.find((s) => this.has(s)) ?? '')}[${index}] is ${shown(value)}; expected a whole number`)
      return value
    })
  }

  strings(...spellings: string[]): string[] | undefined {
    return this.list(...spellings)?.map((value, index) => {
      if (typeof value !== 'string') throw invalid(`${this.name(spellings.find((s) => this.has(s)) ?? '')}[${index}] is ${shown(value)}; expected text`)
      return value
    })
  }

  child(...spellings: string[]): Fields | undefined {
    const found = this.find(spellings)
    if (!found) return undefined
    if (!isRecord(found.value)) throw invalid(`${this.name(found.field)} is ${shown(found.value)}; expected an object`)
    return new Fields(found.value, this.name(found.field))
  }

  /** The value of an untyped field, for those that come as a number or as a list. */
  raw(...spellings: string[]): unknown {
    return this.find(spellings)?.value
  }

  missing(spellings: readonly string[]): InputError {
    const others = spellings.length > 1 ? ` (or ${spellings.slice(1).join(', ')})` : ''
    return invalid(`${this.name(spellings[0]!)}${others} is missing; expected a whole number`)
  }
}
