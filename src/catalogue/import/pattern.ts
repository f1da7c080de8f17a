/**
 * Regular expressions of ignore lists (`re:.*self_attn.*`), matched in time linear in the name: the files come from
 * strangers, and the language's own engine backtracks. Known: literals, `.`, classes, groups, `|`, `?`, `*`, `+`, `^`, `$`,
 * `\d`, `\w`, escapes. Anything else (look-ahead, counts, back references) makes the pattern unknown.
 */

type Test = (code: number) => boolean
/** A state: consumes one character by `test` and goes to `next`, or goes to any of `next` for nothing. */
interface State {
  test?: Test
  next: number[]
  end?: 'text'
}

const MAX_LENGTH = 2000
const code = (character: string): number => character.charCodeAt(0)
const isDigit: Test = (c) => c >= 48 && c <= 57
const isWord: Test = (c) => isDigit(c) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95

class Compiler {
  readonly states: State[] = []
  private at = 0
  private depth = 0
  private readonly source: string

  constructor(source: string) {
    this.source = source
  }

  /** Start state of the whole, or undefined when something unknown stands in it; the accepting state is the first. */
  compile(): number | undefined {
    const start = this.alternatives(this.add({next: []}))
    return start === undefined || this.at < this.source.length ? undefined : start
  }

  private add(state: State): number {
    this.states.push(state)
    return this.states.length - 1
  }

  private peek(): string {
    return this.source[this.at] ?? ''
  }

  private alternatives(after: number): number | undefined {
    if (++this.depth > 50) return undefined
    const starts: number[] = []
    for (;;) {
      const start = this.sequence(after)
      if (start === undefined) return undefined
      starts.push(start)
      if (this.peek() !== '|') break
      this.at++
    }
    this.depth--
    return starts.length === 1 ? starts[0] : this.add({next: starts})
  }

  /** Pieces are linked back to front: each is compiled against a placeholder that is pointed at what follows. */
  private sequence(after: number): number | undefined {
    const start = this.add({next: []})
    let tail = start
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')') {
      const exit = this.add({next: []})
      const entry = this.repeated(exit)
      if (entry === undefined) return undefined
      this.states[tail]!.next.push(entry)
      tail = exit
    }
    this.states[tail]!.next.push(after)
    return start
  }

  private repeated(exit: number): number | undefined {
    const loop = this.add({next: []})
    const entry = this.atom(loop)
    if (entry === undefined) return undefined
    const mark = this.peek()
    this.states[loop]!.next.push(exit)
    if (mark !== '*' && mark !== '+' && mark !== '?') return mark === '{' ? undefined : entry
    this.at++
    if (this.peek() === '?') this.at++
    if (mark !== '?') this.states[loop]!.next.push(entry)
    if (mark === '+') return entry
    return this.add({next: [entry, exit]})
  }

  private atom(exit: number): number | undefined {
    const character = this.peek()
    this.at++
    switch (character) {
      case '.':
        return this.add({test: () => true, next: [exit]})
      case '^':
        return this.add({next: [exit]})
      case '$':
        return this.add({next: [exit], end: 'text'})
      case '(': {
        if (this.peek() === '?') {
          if (this.source[this.at + 1] !== ':') return undefined
          this.at += 2
        }
        const entry = this.alternatives(exit)
        if (entry === undefined || this.peek() !== ')') return undefined
        this.at++
        return entry
      }
      case '[':
        return this.characterClass(exit)
      case '\\':
        return this.escape(exit)
      case '*':
      case '+':
      case '?':
      case '{':
      case '':
        return undefined
      default: {
        const wanted = code(character)
        return this.add({test: (c) => c === wanted, next: [exit]})
      }
    }
  }

  private escape(exit: number): number | undefined {
    const character = this.peek()
    this.at++
    if (character === 'd') return this.add({test: isDigit, next: [exit]})
    if (character === 'w') return this.add({test: isWord, next: [exit]})
    if (/[a-zA-Z0-9]/.test(character) || character === '') return undefined
    const wanted = code(character)
    return this.add({test: (c) => c === wanted, next: [exit]})
  }

  private characterClass(exit: number): number | undefined {
    const negated = this.peek() === '^'
    if (negated) this.at++
    const tests: Test[] = []
    while (this.peek() !== ']') {
      if (this.at >= this.source.length) return undefined
      let character = this.peek()
      this.at++
      if (character === '\\') {
        character = this.peek()
        this.at++
        if (character === 'd' || character === 'w') {
          tests.push(character === 'd' ? isDigit : isWord)
          continue
        }
      }
      const low = code(character)
      let high = low
      if (this.peek() === '-' && this.source[this.at + 1] !== ']') {
        high = code(this.source[this.at + 1] ?? '')
        this.at += 2
      }
      tests.push((c) => c >= low && c <= high)
    }
    this.at++
    return this.add({test: (c) => tests.some((test) => test(c)) !== negated, next: [exit]})
  }
}

/** True when the pattern matches from the beginning of the name, not necessarily to its end (Python's `re.match`). */
export type Matcher = (name: string) => boolean

/** The matcher of a regular expression; undefined when it uses what is not known here. */
export function compilePattern(source: string): Matcher | undefined {
  if (source.length > MAX_LENGTH) return undefined
  const compiler = new Compiler(source)
  const start = compiler.compile()
  if (start === undefined) return undefined
  const {states} = compiler
  // Closures are the same wherever in a name, but for `$`: one table within the name, one at its end.
  const tables = [new Map<number, Closure>(), new Map<number, Closure>()] as const
  const closureOf = (index: number, atEnd: boolean): Closure => {
    const table = tables[atEnd ? 1 : 0]
    const known = table.get(index) ?? closure(states, index, atEnd)
    table.set(index, known)
    return known
  }
  const seen = new Uint32Array(states.length)
  let round = 0
  return (name) => {
    const first = closureOf(start, name.length === 0)
    if (first.accepts) return true
    let current = first.consuming
    for (let i = 0; i < name.length && current.length > 0; i++) {
      const character = name.charCodeAt(i)
      const next: number[] = []
      round++
      for (const index of current) {
        const state = states[index]!
        if (!state.test!(character)) continue
        for (const follower of state.next) {
          const {accepts, consuming} = closureOf(follower, i === name.length - 1)
          if (accepts) return true
          for (const reached of consuming) {
            if (seen[reached] === round) continue
            seen[reached] = round
            next.push(reached)
          }
        }
      }
      current = next
    }
    return false
  }
}

interface Closure {
  /** The end of the pattern is among what is reached. */
  accepts: boolean
  /** States that wait for a character. */
  consuming: number[]
}

const ACCEPT = 0

/** All states that are reached from one without consuming a character. */
function closure(states: State[], from: number, atEnd: boolean): Closure {
  const seen = new Set<number>()
  const open = [from]
  const consuming: number[] = []
  while (open.length > 0) {
    const index = open.pop()!
    if (seen.has(index)) continue
    seen.add(index)
    const state = states[index]!
    if (state.test) consuming.push(index)
    else if (!state.end || atEnd) open.push(...state.next)
  }
  return {accepts: seen.has(ACCEPT), consuming}
}
