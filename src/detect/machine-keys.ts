import type * as z from 'zod'
import {nearest} from '../core/nearest.ts'

/** A key that a document has and its schema does not. */
export interface UnknownKey {
  /** Where it stands: `gpus.0`; empty for the document itself. */
  path: string
  key: string
  /** Those that may have been meant. */
  near: string[]
}

/** Unknown keys among the issues of a strict schema, each with the known ones that are close. */
export function unknownKeys(schema: z.ZodType, error: z.ZodError): UnknownKey[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return []
    const known = keysAt(schema, issue.path)
    return issue.keys.map((key) => ({path: issue.path.map(String).join('.'), key, near: nearest(key, known, 2)}))
  })
}

/** What wraps another schema, as zod keeps it. */
interface Definition {
  shape?: Record<string, z.ZodType>
  innerType?: z.ZodType
  element?: z.ZodType
  in?: z.ZodType
}

/** Keys of the object at a path of names and positions. */
function keysAt(schema: z.ZodType | undefined, path: readonly PropertyKey[]): string[] {
  const {shape, innerType, element, in: from} = (schema?.def ?? {}) as Definition
  if (innerType ?? from) return keysAt(innerType ?? from, path)
  if (path.length === 0) return Object.keys(shape ?? {})
  return element ? keysAt(element, path.slice(1)) : keysAt(shape?.[String(path[0])], path.slice(1))
}
