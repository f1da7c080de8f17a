/**
 * JSON as vendors' tools print it: warnings before it, several documents after one another, an object or a bare array.
 * Gives every document that can be parsed, in order. Never throws; time is linear in the text but for nested failures, of which few are tried.
 */
export function parseLooseJson(text: string): unknown[] {
  const documents: unknown[] = []
  let failures = 0
  for (let at = nextOpening(text, 0); at >= 0 && failures < 8; at = nextOpening(text, at)) {
    const end = closing(text, at)
    if (end < 0) {
      failures++
      at += 2
      continue
    }
    try {
      documents.push(JSON.parse(text.slice(at, end)))
    } catch {
      failures++
    }
    at = end
  }
  return documents
}

/** A line that begins with a brace or bracket; a warning may hold one in its middle. */
function nextOpening(text: string, from: number): number {
  const opening = /(?:^|\n|[}\]])[ \t\r]*[{[]/g
  opening.lastIndex = Math.max(0, from - 1)
  const match = opening.exec(text)
  return match ? match.index + match[0].length - 1 : -1
}

/** Index after the bracket that closes the one at `from`, strings passed over; -1 where the text ends first. */
function closing(text: string, from: number): number {
  let depth = 0
  const token = /["{}[\]]/g
  token.lastIndex = from
  for (let match = token.exec(text); match; match = token.exec(text)) {
    if (match[0] === '"') {
      const end = endOfString(text, match.index + 1)
      if (end < 0) return -1
      token.lastIndex = end
    } else if (match[0] === '{' || match[0] === '[') depth++
    else if (--depth === 0) return match.index + 1
  }
  return -1
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return -1
}

/** The value as an object; an empty one where it is none. */
export function objectOf(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

/** A string or number as text; nothing for the rest. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}
