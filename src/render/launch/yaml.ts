/** Strings that stay strings without quotes in YAML 1.1 and 1.2: a letter, then letters, digits and a few joints. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_]*(?:[./-][A-Za-z0-9_]+)*$/

/** Plain words that YAML 1.1 (PyYAML) reads as something else. */
const RESERVED = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'null', 'y', 'n'])

/** A string as a YAML scalar: plain where that is safe, else in double quotes, whose escapes JSON shares. */
function scalar(text: string): string {
  if (PLAIN.test(text) && !RESERVED.has(text.toLowerCase())) return text
  // U+2028, U+2029 and U+0085 break lines in YAML but not in JSON.
  return JSON.stringify(text).replace(/[\u007F-\u009F\u2028\u2029\uFEFF]/g, character => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function inline(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return scalar(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (isMapping(value)) return `{${Object.entries(value).map(([key, part]) => `${scalar(key)}: ${inline(part)}`).join(', ')}}`
  throw new RangeError(`${typeof value} has no place in a configuration file`)
}

/**
 * A nested mapping as YAML, in the order of its keys, with a comment after each value that `because` explains by its
 * dotted path. Enough for configuration files: mappings, lists of scalars, strings, numbers, booleans, null.
 */
export function yamlText(content: Record<string, unknown>, because: Record<string, string> = {}): string {
  const lines = yamlLines(content, because, '', '')
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`
}

function yamlLines(content: Record<string, unknown>, because: Record<string, string>, indent: string, path: string): string[] {
  return Object.entries(content).flatMap(([key, value]) => {
    const own = path === '' ? key : `${path}.${key}`
    const reason = Object.hasOwn(because, own) ? because[own] : undefined
    const comment = reason === undefined ? '' : ` # ${reason.replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]+/g, ' ')}`
    if (isMapping(value) && Object.keys(value).length > 0) return [`${indent}${scalar(key)}:${comment}`, ...yamlLines(value, because, `${indent}  `, own)]
    return [`${indent}${scalar(key)}: ${inline(value)}${comment}`]
  })
}
