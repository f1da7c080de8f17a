import * as z from 'zod'
import {parseBandwidth, parseMemory, parseNetwork, parsePower} from './quantity.ts'

/** A string with its unit on the way in, a plain number on the way out; what the parser throws becomes a problem of the field. */
const quantity = (parse: (text: string) => number) =>
  z.string().transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue({code: 'custom', message: error instanceof Error ? error.message : String(error)})
      return z.NEVER
    }
  })

/** Out: bytes. */
export const memory = quantity(parseMemory)
/** Out: bytes a second. */
export const bandwidth = quantity(parseBandwidth)
/** Out: bytes a second. */
export const networkRate = quantity(parseNetwork)
/** Out: watts. */
export const power = quantity(parsePower)

/** A text that says something: not empty, no blanks at the ends. */
export const text = z.string().regex(/^\S(?:.*\S)?$/s, 'expected text without blanks at its ends')
export const count = z.int().positive()
export const confidence = z.enum(['high', 'medium', 'low'])
/** Ids are file names: lower case letters, digits, dots and hyphens. */
export const id = z.string().regex(/^[a-z0-9]+(?:[-.][a-z0-9]+)*$/, 'expected an id such as rtx-4090')
