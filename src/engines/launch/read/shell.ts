import {dictionary} from '../../../core/dictionary.ts'

/** Words of shell text as people paste it: enough of a POSIX shell to read a command, and nothing is run. */

/** One command of a text: its words, and the assignments before it. */
export interface ShellCommand {
  words: string[]
  environment: Record<string, string>
}

export interface ShellText {
  commands: ShellCommand[]
  /** Files that here-documents write, by name. */
  files: Record<string, string>
  /** Variables that are used and not set in the text. */
  unknown: string[]
}

interface Token {
  text: string
  /** `;`, a line's end, `|`, `&&`, `>`: outside quotes. */
  operator?: boolean
}

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s

/** Splits text into commands. Variables that the text sets are filled in, others are left and named. */
export function readShell(text: string): ShellText {
  const variables: Record<string, string> = dictionary()
  const unknown = new Set<string>()
  const {body, files} = withoutHereDocuments(text)
  const commands: ShellCommand[] = []
  let words: string[] = []
  let environment: Record<string, string> = dictionary()
  const end = () => {
    const exported = words[0] === 'export' || words[0] === 'set' ? words.slice(1) : undefined
    if (exported) for (const word of exported) assign(word, environment)
    // An assignment alone sets a variable for the lines below it.
    if (words.length === 0 || exported) Object.assign(variables, environment)
    else commands.push({words, environment: {...exportedSoFar, ...environment}})
    if (exported) Object.assign(exportedSoFar, environment)
    words = []
    environment = {}
  }
  const exportedSoFar: Record<string, string> = dictionary()
  let skipsTarget = false
  for (const token of tokensOf(body, unknown, () => ({...variables, ...environment}))) {
    if (token.operator) {
      if (token.text === '>' || token.text === '<') skipsTarget = true
      else end()
      continue
    }
    if (skipsTarget) skipsTarget = false
    else if (words.length === 0 && ASSIGNMENT.test(token.text)) assign(token.text, environment)
    else words.push(token.text)
  }
  end()
  return {commands, files, unknown: [...unknown]}
}

function assign(word: string, into: Record<string, string>): void {
  const [, name, value] = ASSIGNMENT.exec(word) ?? []
  if (name !== undefined) into[name] = value ?? ''
}

/** `cat > NAME <<'END'`: the lines up to END are the file's. */
function withoutHereDocuments(text: string): {body: string; files: Record<string, string>} {
  const files: Record<string, string> = dictionary()
  const kept: string[] = []
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    const [, mark] = /<<-?\s*(?:'([^']+)'|"([^"]+)"|(\w+))/.exec(line)?.filter((part, at) => at === 0 || part !== undefined) ?? []
    if (mark === undefined) {
      kept.push(line)
      continue
    }
    let last = index + 1
    while (last < lines.length && lines[last]!.trim() !== mark) last++
    const name = /(?:>|\btee)\s*(?:'([^']+)'|"([^"]+)"|([^\s<>|;]+))/
      .exec(line)
      ?.slice(1)
      .find((part) => part !== undefined)
    if (name !== undefined) files[name] = `${lines.slice(index + 1, last).join('\n')}\n`
    index = last
  }
  return {body: kept.join('\n'), files}
}

const ESCAPES: Record<string, string> = dictionary({n: '\n', t: '\t', r: '\r'})

function* tokensOf(text: string, unknown: Set<string>, known: () => Record<string, string>): Generator<Token> {
  let word = ''
  let started = false
  let at = 0
  const flush = function* (): Generator<Token> {
    if (started) yield {text: word}
    word = ''
    started = false
  }
  while (at < text.length) {
    const char = text[at]!
    if (char === '\\') {
      // A backslash at a line's end joins the lines; one before blanks at the end is meant so.
      const joins = /^\\[ \t]*\n/.exec(text.slice(at))
      if (joins) {
        at += joins[0].length
        continue
      }
      if (at + 1 < text.length) {
        word += text[at + 1]
        started = true
      }
      at += 2
    } else if (char === "'") {
      const close = text.indexOf("'", at + 1)
      const last = close < 0 ? text.length : close
      word += text.slice(at + 1, last)
      started = true
      at = last + 1
    } else if (char === '"') {
      at++
      started = true
      while (at < text.length && text[at] !== '"') {
        if (text[at] === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) {
          if (text[at + 1] !== '\n') word += text[at + 1]
          at += 2
        } else if (text[at] === '$') {
          const used = expansion(text, at, known(), unknown)
          word += used.value
          at = used.next
        } else word += text[at++]
      }
      at++
    } else if (char === '$' && text[at + 1] === "'") {
      // $'...': quoted, with escapes.
      const [quoted = '', content = ''] = /^\$'((?:[^'\\]|\\.)*)'?/s.exec(text.slice(at)) ?? []
      word += content.replaceAll(/\\(.)/gs, (_, escaped: string) => ESCAPES[escaped] ?? escaped)
      started = true
      at += quoted.length
    } else if (char === '$') {
      const used = expansion(text, at, known(), unknown)
      word += used.value
      started = started || used.value !== ''
      at = used.next
    } else if (char === '#' && !started) {
      const line = text.indexOf('\n', at)
      at = line < 0 ? text.length : line
    } else if (char === '\n' || char === ';' || char === '|' || char === '&' || char === '>' || char === '<') {
      // A digit before a redirection is a file's number: 2>&1.
      if ((char === '>' || char === '<') && /^\d$/.test(word)) {
        word = ''
        started = false
      }
      yield* flush()
      const [run = char] = /^(?:\n|;+|\|{1,2}|>>?&?|<{1,3}|&>?>?&?)/.exec(text.slice(at)) ?? []
      yield {text: run.startsWith('>') || run.startsWith('&>') ? '>' : run.startsWith('<') ? '<' : run, operator: true}
      at += run.length
    } else if (/\s/.test(char)) {
      yield* flush()
      at++
    } else {
      word += char
      started = true
      at++
    }
  }
  yield* flush()
}

/** `$NAME`, `${NAME}`, `${NAME:-other}`; one that is not set stays as it is written. */
function expansion(text: string, at: number, known: Record<string, string>, unknown: Set<string>): {value: string; next: number} {
  const [whole, , name, , fallback, bare] = /^\$(\{([A-Za-z_]\w*)(:?[-=]([^}]*)|:?[?+][^}]*)?\}|([A-Za-z_]\w*))/.exec(text.slice(at)) ?? []
  const asked = name ?? bare
  if (whole === undefined || asked === undefined) return {value: '$', next: at + 1}
  const own = Object.hasOwn(known, asked) ? known[asked] : fallback
  if (own === undefined) unknown.add(asked)
  return {value: own ?? whole, next: at + whole.length}
}
