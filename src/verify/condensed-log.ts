import {LEAST_CHARACTERS, MAX_LINE_CHARACTERS} from './log-lines.ts'
import {opensStart} from './read-log.ts'

/** A start prints fewer lines, and fewer characters: what comes later is a server that runs. */
const MOST_LINES = 100_000
const MOST_CHARACTERS = 16 * 2 ** 20
/** Of what comes later, the lines that may tell of a failure, and the last ones. */
const MOST_NOTABLE = 5000
const MOST_LAST = 2000
/** Of a line that comes later. */
const LATER_CHARACTERS = 4000
/** Starts that are kept: the last one, and the one before it where the last has not come to its end. */
const MOST_STARTS = 2

/** What may matter of a server that runs: it failed, or gave its memory back and took it again. */
const NOTABLE = /out of memory|OutOfMemory|Error\b|Exception\b|Traceback|wake_up|cumem_allocator|resume_memory_occupation/

/** A copy that does not keep alive the piece of the stream that a line was cut from. */
const detached = (text: string): string => JSON.parse(JSON.stringify(text)) as string

/** One start with what the server printed after it, cut down as it comes. */
class Start {
  private readonly front: string[] = []
  private frontCharacters = 0
  private readonly notable: string[] = []
  private readonly last: string[] = []
  private lastFrom = 0

  get isFull(): boolean {
    return this.front.length >= MOST_LINES || this.frontCharacters >= MOST_CHARACTERS
  }

  add(line: string): void {
    if (!this.isFull) {
      this.front.push(detached(line))
      this.frontCharacters += line.length
      return
    }
    const pushedOut = this.last[this.lastFrom]
    this.last[this.lastFrom] = detached(line.slice(0, LATER_CHARACTERS))
    this.lastFrom = (this.lastFrom + 1) % MOST_LAST
    if (pushedOut !== undefined && this.notable.length < MOST_NOTABLE && NOTABLE.test(pushedOut)) this.notable.push(pushedOut)
  }

  lines(): string[] {
    return [...this.front, ...this.notable, ...this.last.slice(this.lastFrom), ...this.last.slice(0, this.lastFrom)]
  }
}

/**
 * A log of any length as a text that is short enough to be read: starts are at its front and, of a server that was started anew, wherever that was;
 * weeks of requests between them say nothing that is read here.
 */
export class CondensedLog {
  private starts = [new Start()]

  /** A line of the stream: what a carriage return stands in is several. */
  add(text: string): void {
    if (!text.includes('\r')) this.addLine(text)
    else for (const line of text.split('\r')) this.addLine(line)
  }

  private addLine(text: string): void {
    if (text.length < LEAST_CHARACTERS) return
    const line = text.slice(0, MAX_LINE_CHARACTERS)
    const current = this.starts.at(-1)!
    if (current.isFull && opensStart(line)) {
      this.starts = [...this.starts.slice(1 - MOST_STARTS), new Start()]
      this.starts.at(-1)!.add(line)
    } else current.add(line)
  }

  text(): string {
    return this.starts.flatMap((start) => start.lines()).join('\n')
  }
}
