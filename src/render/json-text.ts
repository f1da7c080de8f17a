import {jsonEscape, linesWithoutActing} from '../core/acting-characters.ts'

/**
 * The one way to JSON on standard output and in files: the same value to whoever parses it, and nothing in it that a terminal acts on. JSON itself
 * escapes only what is below a blank.
 */
export const jsonText = (value: unknown, indent?: number): string => escapedJson(JSON.stringify(value, undefined, indent))

/** JSON that something else wrote. */
export const escapedJson = (json: string): string => linesWithoutActing(json, jsonEscape)
