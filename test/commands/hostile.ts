/**
 * What may not reach a terminal: every control character but the newline, what formats text without being seen (writing directions, joiners, tags),
 * separators of lines and paragraphs, halves of characters. By the categories of Unicode, and not by the list that the product uses.
 */
export const ACTING = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** A place of a text where something acts, with what stands around it, for messages of tests; undefined where nothing does. */
export function actingIn(text: string, allowed = /^$/): string | undefined {
  for (const {index, 0: character} of text.matchAll(new RegExp(ACTING, 'gu')))
    if (!allowed.test(character)) return JSON.stringify(text.slice(Math.max(0, index - 60), index + 30))
  return undefined
}

/** Sequences and characters by what they would do. No slash: they stand in names of files too. */
const KINDS = {
  'C0: bell, backspace, return, tab, form feed': 'a\u0007b\b c\rd\te\u000Bf\u000Cg\u000Eh',
  'CSI: clears, colours, moves': '\u001B[2J\u001B[31m\u001B[10A',
  'OSC 0, 8 and 52: title, link, clipboard': '\u001B]0;owned\u0007\u001B]8;;http:x\u001B\\link\u001B]8;;\u001B\\\u001B]52;c;cm0gLXJm\u0007',
  'C1: the same in one character': '\u009B31m\u009D0;owned\u009C\u0085\u0090q\u009C',
  DEL: 'x\u007Fy',
  'writing direction': '\u202Egnp.exe\u202C\u2066ab\u2069\u200F\u061C',
  'line and paragraph separators': 'a\u2028b\u2029c',
  'no width': 'a\u200Bb\u200Dc\u2060d\uFEFFe\u00ADf\u034Fg\u3164h',
  tags: 'a\u{E0041}\u{E0042}\u{E007F}b',
}

/** Everything at once, as a name might hold it. */
export const HOSTILE = Object.values(KINDS).join('')
/** Also what no name of a file can hold. */
export const HOSTILE_TEXT = `${HOSTILE}\uD800lone\uDC00`

/** Strings of a document in turn made hostile: the value itself, or behind what it was. */
export function* hostileCopies(document: unknown, hostile = HOSTILE_TEXT): Generator<unknown> {
  if (typeof document === 'string') {
    yield `${document}${hostile}`
    return
  }
  if (typeof document !== 'object' || document === null) {
    yield hostile
    return
  }
  for (const [key, value] of Object.entries(document)) {
    for (const copy of hostileCopies(value, hostile)) {
      if (Array.isArray(document)) yield document.map((entry, index) => (String(index) === key ? copy : entry))
      else yield {...document, [key]: copy}
    }
    if (!Array.isArray(document)) {
      const {[key]: _, ...rest} = document as Record<string, unknown>
      yield {...rest, [`${key}${hostile}`]: value}
    }
  }
}

/** Every string of a document behind which something hostile stands. */
export function hostileThroughout(document: unknown, hostile = HOSTILE_TEXT): unknown {
  if (typeof document === 'string') return `${document}${hostile}`
  if (Array.isArray(document)) return document.map((entry) => hostileThroughout(entry, hostile))
  if (typeof document === 'object' && document !== null)
    return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, hostileThroughout(value, hostile)]))
  return document
}

/** Lines of a text, every `step`th from `from` on with something hostile in the place of one of its blanks. */
export const hostileLines = (text: string, step: number, from: number, hostile = HOSTILE_TEXT): string =>
  text
    .split('\n')
    .map((line, index) => {
      if (index % step !== from) return line
      const blanks = [...line.matchAll(/ /g)].map(({index: at}) => at)
      const at = blanks.length === 0 ? line.length : blanks[(index * 7) % blanks.length]!
      return `${line.slice(0, at)} ${hostile}${line.slice(at)}`
    })
    .join('\n')
