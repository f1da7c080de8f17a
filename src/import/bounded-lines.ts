/** A line of a stream: whole, or without its text where it was longer than is taken. */
export interface BoundedLine {
  number: number
  /** Without its end; absent where it was too long, or the front of it. */
  text?: string
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
 * of a line is held than `mostCharacters`: what is longer is told as soon as that is seen, since its end may never come, and passed over; with
 * `keepFront` its front is taken.
 */
export async function* boundedLines(stream: AsyncIterable<Uint8Array>, {mostCharacters, keepFront = false}: LineLimits): AsyncGenerator<BoundedLine[]> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let parts: string[] = []
  let characters = 0
  let number = 1
  let lines: BoundedLine[] = []
  let told = false
  const take = (text: string): void => {
    if (told) return
    parts.push(keepFront ? text.slice(0, Math.max(0, mostCharacters - characters)) : text)
    characters += text.length
    if (characters <= mostCharacters) return
    lines.push(keepFront ? {number, text: parts.join('')} : {number})
    parts = []
    told = true
  }
  const finish = (): void => {
    const text = parts.length === 1 ? parts[0]! : parts.join('')
    if (!told) lines.push({number, text: text.endsWith('\r') ? text.slice(0, -1) : text})
    parts = []
    characters = 0
    told = false
    number += 1
  }
  for await (const piece of stream) {
    decoder ??= new TextDecoder(encodingOf(piece))
    const text = decoder.decode(piece, {stream: true})
    lines = []
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      take(text.slice(start, end))
      finish()
      start = end + 1
    }
    if (start < text.length) take(text.slice(start))
    if (lines.length > 0) yield lines
  }
  const rest = decoder?.decode() ?? ''
  lines = []
  if (rest !== '') take(rest)
  if (characters > 0) finish()
  if (lines.length > 0) yield lines
}
