/** A line of a stream: whole, or only how long it was where it was longer than is taken. */
export interface BoundedLine {
  number: number
  /** Without its end; absent where it was too long, or the front of it. */
  text?: string
  characters: number
}

/** How much of a line is taken. */
export interface LineLimits {
  mostCharacters: number
  /** Of longer lines the front is taken; else nothing. */
  keepFront?: boolean
}

/** How text is written: UTF-16 with its mark, as PowerShell's `>` writes it, else UTF-8. */
const encodingOf = (first: Uint8Array): string =>
  first[0] === 0xff && first[1] === 0xfe ? 'utf-16le' : first[0] === 0xfe && first[1] === 0xff ? 'utf-16be' : 'utf-8'

/**
 * The lines of a stream of bytes, as they arrive: those that end in one piece of it together, so that millions cost no millions of turns. No more
 * of a line is held than `mostCharacters`: what is longer is passed over, and only its length is told; with `keepFront` its front is.
 */
export async function* boundedLines(stream: AsyncIterable<Uint8Array>, {mostCharacters, keepFront = false}: LineLimits): AsyncGenerator<BoundedLine[]> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let parts: string[] = []
  let characters = 0
  let number = 0
  const take = (text: string): void => {
    if (characters <= mostCharacters) parts.push(keepFront ? text.slice(0, mostCharacters - characters) : text)
    characters += text.length
    if (characters > mostCharacters && !keepFront) parts = []
  }
  const finished = (): BoundedLine => {
    number += 1
    const length = characters
    const text = length > mostCharacters && !keepFront ? undefined : parts.length === 1 ? parts[0]! : parts.join('')
    parts = []
    characters = 0
    if (text === undefined) return {number, characters: length}
    return {number, text: text.endsWith('\r') ? text.slice(0, -1) : text, characters: length}
  }
  for await (const piece of stream) {
    decoder ??= new TextDecoder(encodingOf(piece))
    const text = decoder.decode(piece, {stream: true})
    const lines: BoundedLine[] = []
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      take(text.slice(start, end))
      lines.push(finished())
      start = end + 1
    }
    if (start < text.length) take(text.slice(start))
    if (lines.length > 0) yield lines
  }
  const rest = decoder?.decode() ?? ''
  if (rest !== '') take(rest)
  if (characters > 0) yield [finished()]
}
