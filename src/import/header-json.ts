/**
 * Strict JSON, read token by token. `JSON.parse` keeps the last of two equal keys without a word and builds everything
 * before anything can be refused; headers come from strangers, so each step here has a limit.
 */
export class HeaderText {
  private readonly text: string
  private readonly refuse: (message: string) => Error
  private at = 0

  constructor(text: string, refuse: (message: string) => Error) {
    this.text = text
    this.refuse = refuse
  }

  private skipBlanks(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.at++
    }
  }

  private peek(): string {
    this.skipBlanks()
    return this.text[this.at] ?? ''
  }

  private shown(): string {
    return this.at >= this.text.length ? 'the end' : JSON.stringify(this.text.slice(this.at, this.at + 20))
  }

  private expect(character: string): void {
    if (this.peek() !== character) throw this.refuse(`expected "${character}" at character ${this.at}, found ${this.shown()}`)
    this.at++
  }

  /** Calls `field` for every key of an object; a key that occurs twice is refused. */
  object(what: string, maxKeys: number, field: (key: string) => void): void {
    const seen = new Set<string>()
    this.expect('{')
    if (this.peek() === '}') {
      this.at++
      return
    }
    for (;;) {
      const key = this.string(2048)
      if (seen.has(key)) throw this.refuse(`${what} holds ${JSON.stringify(key.slice(0, 200))} twice`)
      seen.add(key)
      if (seen.size > maxKeys) throw this.refuse(`${what} has more than ${maxKeys.toLocaleString('en-US')} entries`)
      this.expect(':')
      field(key)
      if (this.peek() === ',') {
        this.at++
        continue
      }
      this.expect('}')
      return
    }
  }

  string(maxLength: number): string {
    if (this.peek() !== '"') throw this.refuse(`expected text in quotes at character ${this.at}, found ${this.shown()}`)
    const start = this.at++
    let escaped = false
    for (;;) {
      const code = this.text.charCodeAt(this.at)
      if (Number.isNaN(code)) throw this.refuse(`text that begins at character ${start} does not end`)
      if (this.at - start > maxLength) throw this.refuse(`text that begins at character ${start} is longer than ${maxLength} characters`)
      if (code < 32) throw this.refuse(`a control character at character ${this.at}`)
      this.at++
      if (code === 34) break
      if (code === 92) {
        escaped = true
        this.at++
      }
    }
    if (!escaped) return this.text.slice(start + 1, this.at - 1)
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string
    } catch {
      throw this.refuse(`text that begins at character ${start} has a wrong escape`)
    }
  }

  /** A whole number from 0 that a double holds exactly. */
  count(what: string): number {
    this.skipBlanks()
    const start = this.at
    while (this.at < this.text.length && /[-+.\w]/.test(this.text[this.at]!)) if (++this.at - start > 40) break
    const token = this.text.slice(start, this.at)
    const value = /^(0|[1-9]\d{0,15})$/.test(token) ? Number(token) : Number.NaN
    if (!Number.isSafeInteger(value)) throw this.refuse(`${what} holds ${token === '' ? this.shown() : token}; expected a whole number from 0 to 2^53`)
    return value
  }

  counts(what: string, maxLength: number): number[] {
    const values: number[] = []
    this.expect('[')
    if (this.peek() === ']') {
      this.at++
      return values
    }
    for (;;) {
      values.push(this.count(what))
      if (values.length > maxLength) throw this.refuse(`${what} has more than ${maxLength} entries`)
      if (this.peek() === ',') {
        this.at++
        continue
      }
      this.expect(']')
      return values
    }
  }

  end(): void {
    if (this.peek() !== '' && this.text.charCodeAt(this.at) !== 0) throw this.refuse(`more text after the end at character ${this.at}`)
  }
}
