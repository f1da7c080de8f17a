import {withoutActing} from '../core/acting-characters.ts'
import {broken, widthOf} from './width.ts'

export {padEnd, padStart, widthOf} from './width.ts'

/** Colour never carries meaning alone: everything reads the same without it. */
export interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  warn(text: string): string
  bad(text: string): string
}

const coloured =
  (open: number, close: number) =>
  (text: string): string =>
    `\u001B[${open}m${text}\u001B[${close}m`
const plain = (text: string): string => text

export const paint = (colour: boolean): Paint =>
  colour
    ? {bold: coloured(1, 22), dim: coloured(2, 22), good: coloured(32, 39), warn: coloured(33, 39), bad: coloured(31, 39)}
    : {bold: plain, dim: plain, good: plain, warn: plain, bad: plain}

/** The colour of a verdict, as in `check`. */
export const byVerdict = (style: Paint, verdict: string): ((text: string) => string) =>
  verdict === 'fits' ? style.good : verdict === 'tight' ? style.warn : style.bad

/** NO_COLOR and FORCE_COLOR are honoured; otherwise colour is for terminals (no-color.org, force-color.org). */
export function inColour(stream: {isTTY?: boolean}, environment: Record<string, string | undefined>): boolean {
  if (environment.FORCE_COLOR !== undefined && environment.FORCE_COLOR !== '' && environment.FORCE_COLOR !== '0') return true
  if (environment.NO_COLOR !== undefined && environment.NO_COLOR !== '') return false
  return stream.isTTY === true && environment.TERM !== 'dumb'
}

/** A figure and its unit stay on one line: 570 ms, 3.6 GiB, 26 tok/s. */
const FIGURE = /(\d) (ms|s|min|h|GiB|MiB|GB|tok\/s|tokens|users?)\b/g
const TIED = '\u00A0'

/** Styles of our own, and line breaks. */
const STYLE_OR_BREAK = /(\u001B\[[0-9;]*m|\n)/

/** A last net under `harmless`, for words that were put together elsewhere: styles stay, control characters do not. */
const settled = (text: string): string =>
  text
    .split(STYLE_OR_BREAK)
    .map((part, index) => (index % 2 === 1 ? part : harmless(part)))
    .join('')

/**
 * Lines of at most `columns` beside their indent, broken at blanks; a longer word is broken behind a mark that parts it. `indent` blanks before
 * every line but the first.
 */
export function wrap(text: string, columns: number, indent = 0): string {
  const room = Math.max(8, columns)
  const lines: string[] = []
  let line = ''
  for (const whole of settled(text).replaceAll(FIGURE, `$1${TIED}$2`).split(' '))
    for (const [index, word] of broken(whole, room).entries()) {
      if (line !== '' && (index > 0 || widthOf(line) + 1 + widthOf(word) > room)) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
  lines.push(line)
  return lines.join(`\n${' '.repeat(indent)}`).replaceAll(TIED, ' ')
}

/**
 * Foreign text for a terminal: control characters (C0, DEL, C1) cannot move the cursor or colour the screen, marks of writing direction
 * cannot turn what follows around, and what breaks lines or has no width cannot hide anything.
 */
export const harmless = (text: string): string => withoutActing(text, () => '?')
