import {isActing, linesWithoutActing} from '../../core/acting-characters.ts'

/** Characters that no POSIX shell gives a meaning to, anywhere in a word but at its start. */
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-]+$/

/** Parts what a word holds at the characters that a terminal would act on, or that would show another word than the one that is run. */
const PART = '\u0000'

/**
 * One word of a POSIX shell that stands for exactly this text.
 *
 * Plain words stay as they are. Everything else goes into single quotes, inside which nothing has a meaning; a single
 * quote itself closes them, stands escaped and opens them again. Control characters, which a terminal would act on when
 * the text is pasted, are written by `printf` from their octal number.
 * @throws RangeError for a NUL, which no argument of a program can hold.
 */
export function quoteWord(text: string): string {
  if (text.includes('\u0000')) throw new RangeError('a NUL character cannot be passed to a program')
  if (PLAIN_WORD.test(text)) return text
  if (text === '') return "''"
  return splitControl(text).map(quotePart).join('')
}

/** Runs of ordinary characters, and control characters one by one. A newline is ordinary: it stands as it is between quotes. */
const splitControl = (text: string): string[] =>
  linesWithoutActing(text, (character) => `${PART}${character}${PART}`)
    .split(PART)
    .filter((part) => part !== '')

/** The bytes of a character in UTF-8, as printf takes them. */
const octal = (character: string): string => [...new TextEncoder().encode(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')

function quotePart(part: string): string {
  if (part !== '\n' && [...part].length === 1 && isActing(part)) return `"$(printf '${octal(part)}')"`
  return `'${part.replaceAll("'", "'\\''")}'`
}

/** A flag with its value; one that begins with a dash is joined with `=`, or it would be read as the next flag. */
export function quoteFlag(flag: string, value: string | number | true): string {
  if (value === true) return quoteWord(flag)
  const text = String(value)
  return text.startsWith('-') ? `${quoteWord(flag)}=${quoteWord(text)}` : `${quoteWord(flag)} ${quoteWord(text)}`
}

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** `NAME='value'` before a command. @throws RangeError for a name that no shell takes. */
export function quoteAssignment(name: string, value: string): string {
  if (!VARIABLE_NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot be the name of an environment variable`)
  return `${name}=${PLAIN_WORD.test(value) ? `'${value}'` : quoteWord(value)}`
}
