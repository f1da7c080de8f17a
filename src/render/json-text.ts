/** Characters that JSON takes as they are and a terminal acts on: DEL, C1, marks of writing direction, what breaks lines or has no width. */
const ACTING = /[\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/g

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * The one way to JSON on standard output: the same value to whoever parses it, and nothing in it that a terminal acts on. JSON itself escapes only
 * what is below a blank.
 */
export const jsonText = (value: unknown, indent?: number): string => JSON.stringify(value, undefined, indent).replaceAll(ACTING, escaped)
