import {withoutActing} from '../../core/acting-characters.ts'

/** Strings that stay strings without quotes in YAML 1.1 and 1.2: a letter or a slash, then letters, digits and a few joints. */
const PLAIN = /^[A-Za-z/][A-Za-z0-9_]*(?:[./-]+[A-Za-z0-9_]+)*$/

/** An option as it stands in a list of arguments: two dashes cannot begin anything else there. */
const OPTION = /^--[A-Za-z][A-Za-z0-9_-]*$/

/** Plain words that YAML 1.1 (PyYAML) reads as something else. */
const RESERVED = new Set(['true', 'false', 'yes', 'no', 'on', 'off', 'null', 'y', 'n'])

/** What PyYAML calls unprintable and is no control character. */
const UNPRINTABLE = /[\uFFFE\uFFFF]/g

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`
}

/** A string as a YAML scalar: plain where that is safe, else in double quotes, whose escapes JSON shares. */
function scalar(text: string): string {
  if ((PLAIN.test(text) || OPTION.test(text)) && !RESERVED.has(text.toLowerCase())) return text
  // What JSON leaves as it is and YAML does not: line breaks of its own, and what a terminal acts on.
  return withoutActing(JSON.stringify(text), escaped).replace(UNPRINTABLE, escaped)
}

/** A value with a remark behind it, on the line where the value begins. */
export class Remarked {
  readonly value: unknown
  readonly remark: string

  constructor(value: unknown, remark: string) {
    this.value = value
    this.remark = remark
  }
}

/** A value with a remark behind it; without a remark the value itself. */
export const remarked = (value: unknown, remark: string | undefined): unknown => (remark === undefined || remark === '' ? value : new Remarked(value, remark))

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Remarked)
const isFilled = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : isMapping(value) && Object.keys(value).length > 0)

/** Nothing in a remark can end its line, in YAML 1.1 either. */
export const commentText = (text: string): string => withoutActing(text, () => ' ').replace(/[\uFFFE\uFFFF\uD800-\uDFFF]+/g, ' ')

const commentOf = (remark: string | undefined): string => (remark === undefined ? '' : ` # ${commentText(remark)}`)

/** Lines before a document, each as a comment. */
export const commentLines = (text: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `${`# ${commentText(line)}`.trimEnd()}\n`)
    .join('')

/** Text of several lines that may stand as it is, indented: printable ASCII that ends with one line break. */
const isBlockText = (text: string): boolean => /^[\x21-\x7E][\x20-\x7E]*\n(?:[\x20-\x7E]*\n)+$/.test(text) && !/\n *\n$/.test(text)

function inline(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return scalar(value)
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (isMapping(value))
    return `{${Object.entries(value)
      .map(([key, part]) => `${scalar(key)}: ${inline(part)}`)
      .join(', ')}}`
  throw new RangeError(`${typeof value} has no place in a configuration file`)
}

interface Place {
  indent: string
  /** Dotted path of the mapping, for `because`. */
  path: string
  because: Record<string, string>
}

/**
 * A nested mapping as YAML, in the order of its keys. A comment stands after each value that `because` explains by its
 * dotted path or that is `remarked`. Mappings, lists, strings, numbers, booleans, null; a list of plain values stands on one
 * line, any other has a line for each entry. Keys whose value is undefined are left out.
 */
export function yamlText(content: Record<string, unknown>, because: Record<string, string> = {}): string {
  const lines = mappingLines(content, {because, indent: '', path: ''})
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`
}

/** Every value with a remark, by the last two keys that lead to it: what `--explain` says of a document. */
export function aroundIn(content: unknown, path: readonly string[] = []): {what: string; because: string}[] {
  const value = content instanceof Remarked ? content.value : content
  const key = path.slice(-2).join('.')
  const isPlain = !isMapping(value) && !(Array.isArray(value) && value.some((entry) => isFilled(entry) || entry instanceof Remarked))
  const own = content instanceof Remarked ? [{what: isPlain ? `${key}: ${inline(value)}` : key, because: content.remark}] : []
  if (Array.isArray(value)) return [...own, ...value.flatMap((entry) => aroundIn(entry, path))]
  if (isMapping(value)) return [...own, ...Object.entries(value).flatMap(([key, entry]) => aroundIn(entry, [...path, key]))]
  return own
}

/** Several documents in one text. */
export const yamlDocuments = (documents: readonly Record<string, unknown>[]): string => documents.map((document) => yamlText(document)).join('---\n')

function mappingLines(content: Record<string, unknown>, {because, indent, path}: Place): string[] {
  return Object.entries(content).flatMap(([key, given]) => {
    if (given === undefined) return []
    const own = path === '' ? key : `${path}.${key}`
    const value = given instanceof Remarked ? given.value : given
    const remark = given instanceof Remarked ? given.remark : Object.hasOwn(because, own) ? because[own] : undefined
    return entryLines(`${indent}${scalar(key)}:`, value, remark, {because, indent, path: own})
  })
}

/** Lines of one value behind what introduces it: `key:` or a dash. */
function entryLines(start: string, value: unknown, remark: string | undefined, place: Place): string[] {
  const comment = commentOf(remark)
  const inner = `${place.indent}  `
  if (isMapping(value) && isFilled(value)) return [`${start}${comment}`, ...mappingLines(value, {...place, indent: inner})]
  if (Array.isArray(value) && value.some((entry) => isFilled(entry) || entry instanceof Remarked))
    return [`${start}${comment}`, ...value.flatMap((entry) => listLines(entry, {...place, indent: inner}))]
  if (typeof value === 'string' && isBlockText(value))
    return [
      `${start} |${comment}`,
      ...value
        .slice(0, -1)
        .split('\n')
        .map((line) => (line === '' ? '' : `${inner}${line}`)),
    ]
  return [`${start} ${inline(value)}${comment}`]
}

/** An entry of a list; a mapping begins on the line of its dash. */
function listLines(given: unknown, place: Place): string[] {
  const value = given instanceof Remarked ? given.value : given
  const remark = given instanceof Remarked ? given.remark : undefined
  if (isMapping(value) && isFilled(value) && remark === undefined) {
    const lines = mappingLines(value, {...place, indent: `${place.indent}  `})
    if (lines.length > 0) return [`${place.indent}- ${lines[0]!.slice(place.indent.length + 2)}`, ...lines.slice(1)]
  }
  return entryLines(`${place.indent}-`, value, remark, place)
}
