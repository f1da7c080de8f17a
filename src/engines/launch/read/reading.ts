/** What is read of a command: the request that it makes, and what each flag does to the answer. */
import type {DeploymentRequest} from '../../../core/deployment.ts'

export type FlagEffect = 'counted' | 'ignored-here' | 'wrong'

export interface Effect {
  effect: FlagEffect
  because: string
  /** It could change memory or speed, and is not reckoned with. */
  uncounted?: boolean
}

/** What a command asks for. */
export interface CommandRequest extends DeploymentRequest {
  model?: string
  nodes?: number
}

export type Value = string | true | false | string[]

/** What flags have said so far. Some say only together what they mean: `words` holds those until all are read. */
export interface Reading {
  request: CommandRequest
  words: Map<string, Value>
  /** Integers may be written 32k. */
  humanIntegers: boolean
}

/** What one option means. */
export type Meaning = (value: Value, reading: Reading) => Effect

export const counted = (because: string): Effect => ({effect: 'counted', because})
export const ignored = (because: string, uncounted = false): Effect => ({effect: 'ignored-here', because, ...(uncounted && {uncounted})})
export const wrong = (because: string): Effect => ({effect: 'wrong', because})

/** 32768, 32k (32,000), 32K (32,768): vllm/utils/argparse_utils.py human_readable_int, 0.28.0. */
export function wholeNumber(value: Value, human: boolean): number | undefined {
  if (typeof value !== 'string') return undefined
  if (/^[+-]?\d+$/.test(value.trim())) return Number(value)
  const [, digits, unit] = human ? (/^(\d+(?:\.\d+)?)([kKmMgGtT])$/.exec(value.trim()) ?? []) : []
  if (digits === undefined || unit === undefined) return undefined
  const power = 'kmgt'.indexOf(unit.toLowerCase()) + 1
  return Math.trunc(Number(digits) * (unit === unit.toLowerCase() ? 1000 : 1024) ** power)
}

type NumberField = {[K in keyof CommandRequest]-?: CommandRequest[K] extends number | undefined ? K : never}[keyof CommandRequest]

/** A whole number of at least `least`, as a field. */
export const count =
  (field: NumberField, {least = 1, words = field}: {least?: number; words?: string} = {}): Meaning =>
  (value, {request, humanIntegers}) => {
    const number = wholeNumber(value, humanIntegers)
    if (number === undefined || number < least || number > Number.MAX_SAFE_INTEGER) return wrong(`expects a whole number of at least ${least}`)
    request[field] = number
    return counted(`${words} ${number}`)
  }

/** A share above 0 and up to 1. */
export const share =
  (field: NumberField): Meaning =>
  (value, {request}) => {
    const number = Number(value)
    if (!(number > 0 && number <= 1)) return wrong('expects a share above 0 and up to 1')
    request[field] = number
    return counted(`${field} ${number}`)
  }

export const ratio =
  (field: NumberField): Meaning =>
  (value, {request}) => {
    const number = Number(value)
    if (!(number > 0)) return wrong('expects a number above 0')
    request[field] = number
    return counted(`${field} ${number}`)
  }

/** GiB, fractions too, as bytes. */
export const gibibytes =
  (field: NumberField): Meaning =>
  (value, {request}) => {
    const number = Number(value)
    if (!(number >= 0)) return wrong('expects GiB')
    request[field] = Math.round(number * 2 ** 30)
    return counted(`${field} ${request[field]}`)
  }

/** A word that says something only beside others. */
export const beside =
  (because: string): Meaning =>
  () =>
    counted(because)

/** A switch for a field that is on or off. */
export const flagOf =
  (field: 'enforceEager' | 'dpAttention', on = true): Meaning =>
  (value, {request}) => {
    request[field] = value === true ? on : !on
    return counted(`${field} ${request[field]}`)
  }

export const textOf = (value: Value | undefined): string | undefined => (typeof value === 'string' ? value : Array.isArray(value) ? value[0] : undefined)

/** JSON that is a mapping. */
export function mappingOf(value: Value): Record<string, unknown> | undefined {
  if (typeof value !== 'string') return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
