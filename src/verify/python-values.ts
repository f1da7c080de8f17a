/** Python's printed values, as far as engines print their arguments: a tolerant reader that skips what it does not know. */

export type PythonValue = string | number | boolean | null | undefined | PythonValue[] | {[name: string]: PythonValue}

const MAX_DEPTH = 16
/** Names that would reach into an object's own workings. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

class Reader {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** One value; undefined for anything that is not a plain one, up to the comma or bracket that ends it. */
  value(depth = 0): PythonValue {
    this.blanks()
    const sign = this.text[this.at]
    if (sign === "'" || sign === '"') return this.string()
    if (depth >= MAX_DEPTH) return this.skip()
    if (sign === '{') return this.pairs(':', '}', depth)
    if (sign === '[' || sign === '(') return this.list(sign === '[' ? ']' : ')', depth)
    return this.word(depth)
  }

  /** `name=value, ...` up to the closing bracket, as in ServerArgs(...). */
  call(depth = 0): Record<string, PythonValue> {
    return this.pairs('=', ')', depth)
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1
  }

  private string(): string {
    const quote = this.text[this.at]!
    let result = ''
    for (this.at += 1; this.at < this.text.length && this.text[this.at] !== quote; this.at += 1) {
      if (this.text[this.at] === '\\') this.at += 1
      result += this.text[this.at] ?? ''
    }
    this.at += 1
    return result
  }

  private list(close: string, depth: number): PythonValue[] {
    const values: PythonValue[] = []
    this.at += 1
    for (;;) {
      this.blanks()
      if (this.at >= this.text.length) return values
      if (this.text[this.at] === close) break
      const before = this.at
      values.push(this.value(depth + 1))
      this.separator()
      // A bracket that closes nothing: on to the next sign, so that reading always ends.
      if (this.at === before) this.at += 1
    }
    this.at += 1
    return values
  }

  private pairs(sign: ':' | '=', close: string, depth: number): Record<string, PythonValue> {
    // An object as JSON gives it, since what is nested is sometimes shown as text.
    const result = new Map<string, PythonValue>()
    this.at += 1
    for (;;) {
      this.blanks()
      if (this.at >= this.text.length) return Object.fromEntries(result)
      if (this.text[this.at] === close) break
      const before = this.at
      const name = sign === '=' ? this.name() : String(this.value(depth + 1))
      this.blanks()
      if (this.text[this.at] === sign) {
        this.at += 1
        const value = this.value(depth + 1)
        if (!FORBIDDEN.has(name)) result.set(name, value)
      }
      this.separator()
      // Whatever stands here is no pair.
      if (this.at === before) this.at += 1
    }
    this.at += 1
    return Object.fromEntries(result)
  }

  private name(): string {
    const match = /^[A-Za-z_]\w*/.exec(this.text.slice(this.at, this.at + 200))
    this.at += match?.[0].length ?? 0
    return match?.[0] ?? ''
  }

  private separator(): void {
    this.blanks()
    if (this.text[this.at] === ',') this.at += 1
  }

  private word(depth: number): PythonValue {
    const match = /^[^\s,:()[\]{}<>='"]+/.exec(this.text.slice(this.at, this.at + 500))
    if (!match) return this.skip()
    const word = match[0]
    this.at += word.length
    const next = this.text[this.at]
    if (next === '(') {
      const inner = this.pairs('=', ')', depth + 1)
      return Object.keys(inner).length > 0 ? inner : undefined
    }
    if (next !== undefined && !/[\s,)\]}:]/.test(next)) return this.skip()
    if (word === 'True' || word === 'true') return true
    if (word === 'False' || word === 'false') return false
    if (word === 'None' || word === 'null') return null
    const number = /^[+-]?\d[\d_]*(\.\d*)?(e[+-]?\d+)?$/i.test(word) ? Number(word.replaceAll('_', '')) : Number.NaN
    return Number.isFinite(number) ? number : word
  }

  /** Passes over something unknown, brackets and strings whole. */
  private skip(): undefined {
    let open = 0
    for (; this.at < this.text.length; this.at += 1) {
      const sign = this.text[this.at]!
      if (sign === "'" || sign === '"') {
        this.string()
        this.at -= 1
      } else if ('([{<'.includes(sign)) open += 1
      else if (')]}>'.includes(sign)) {
        if (open === 0) return undefined
        open -= 1
      } else if (sign === ',' && open === 0) return undefined
    }
    return undefined
  }
}

/** A printed dict, read from its first brace. */
export function pythonDict(text: string): Record<string, PythonValue> {
  const start = text.indexOf('{')
  if (start < 0) return {}
  const value = new Reader(text.slice(start)).value()
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

/** The named arguments of a printed object, read from its first bracket. */
export function pythonCall(text: string): Record<string, PythonValue> {
  const start = text.indexOf('(')
  return start < 0 ? {} : new Reader(text.slice(start)).call()
}

/** Loose `name=value, name=value` text without brackets around it. */
export const pythonPairs = (text: string): Record<string, PythonValue> => new Reader(`(${text})`).call()
