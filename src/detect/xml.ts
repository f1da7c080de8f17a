import {dictionary} from '../core/dictionary.ts'

/**
 * A small reader for the XML that vendors' tools print: elements, attributes, text. It never throws; of a text that was
 * cut short it gives what came before the cut. No namespaces, no DTD, no entities but the five of XML and numbers.
 */

export interface XmlElement {
  name: string
  attributes: Record<string, string>
  /** Text directly inside, children left out. */
  text: string
  children: XmlElement[]
}

const DEEPEST = 40

/** The outermost element as the child of a nameless one, so that text without any element is an empty tree. Time is linear in the text. */
export function parseXml(source: string): XmlElement {
  const root = element('')
  const open: XmlElement[] = [root]
  let at = 0
  while (at < source.length) {
    const top = open[open.length - 1] ?? root
    const start = source.indexOf('<', at)
    if (start !== at) top.text += decode(source.slice(at, start < 0 ? source.length : start))
    if (start < 0) break
    const [terminator, length] = source.startsWith('<!--', start)
      ? (['-->', 3] as const)
      : source.startsWith('<?', start)
        ? (['?>', 2] as const)
        : (['>', 1] as const)
    const end = terminator === '>' ? endOfTag(source, start) : source.indexOf(terminator, start + 2)
    if (end === undefined) {
      // A bare `<` in the text, as in a program's name: it is text.
      top.text += '<'
      at = start + 1
      continue
    }
    if (end < 0) break
    at = end + length
    if (terminator === '>') readTag(source.slice(start + 1, end), open)
  }
  // Half a number is a wrong number: of what was not closed no text is kept.
  for (const unclosed of open.slice(1)) unclosed.text = ''
  return root
}

/** Index of the `>` that ends the tag; -1 where the text ends first; nothing where another `<` comes first. */
function endOfTag(source: string, start: number): number | undefined {
  const bracket = /[<>]/g
  bracket.lastIndex = start + 1
  const match = bracket.exec(source)
  if (!match) return -1
  return match[0] === '>' ? match.index : undefined
}

function readTag(inside: string, open: XmlElement[]): void {
  const match = /^(\/?)([A-Za-z_][\w.:-]*)/.exec(inside)
  const name = match?.[2]
  if (!match || !name) return
  if (match[1]) {
    close(open, name)
    return
  }
  const child = element(name, attributesOf(inside.slice(match[0].length)))
  open[open.length - 1]?.children.push(child)
  if (!inside.endsWith('/') && open.length < DEEPEST) open.push(child)
}

/** Text at a path of element names, trimmed; nothing where the path does not exist. */
export function textAt(from: XmlElement | undefined, ...path: string[]): string | undefined {
  return elementAt(from, ...path)?.text.trim()
}

export function elementAt(from: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => at?.children.find((child) => child.name === name), from)
}

export function elementsAt(from: XmlElement | undefined, ...path: string[]): XmlElement[] {
  const last = path[path.length - 1]
  return elementAt(from, ...path.slice(0, -1))?.children.filter((child) => child.name === last) ?? []
}

function element(name: string, attributes: Record<string, string> = {}): XmlElement {
  return {name, attributes, text: '', children: []}
}

/** Closes the nearest open element of that name and all inside it, whose text was cut; a stray end tag is passed over. */
function close(open: XmlElement[], name: string): void {
  for (let depth = open.length - 1; depth > 0; depth--) {
    if (open[depth]?.name === name) {
      for (const unclosed of open.slice(depth + 1)) unclosed.text = ''
      open.length = depth
      return
    }
  }
}

function attributesOf(source: string): Record<string, string> {
  const attributes: Record<string, string> = dictionary()
  for (const [, name, quoted, single] of source.matchAll(/([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (name) attributes[name] = decode(quoted ?? single ?? '')
  }
  return attributes
}

const NAMED: Record<string, string> = dictionary({amp: '&', lt: '<', gt: '>', quot: '"', apos: "'"})

function decode(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi, (whole, decimal, hex, name) => {
    if (name) return NAMED[name] ?? whole
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
