import {withoutActing} from '../../core/acting-characters.ts'

/** Words that systemd takes as they are. */
const PLAIN_WORD = /^[A-Za-z0-9_@+:,./-][A-Za-z0-9_@+:,./=-]*$/

/** C escapes of systemd.syntax(7): a byte by two digits, a code point by eight. Half a character has none: a file cannot hold it. */
const escaped = (character: string): string => {
  const code = character.codePointAt(0)!
  if (/\p{Cs}/u.test(character)) return '\uFFFD'
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/**
 * One argument of `ExecStart=` that stands for exactly this text (systemd.syntax(7) quoting, systemd.unit(5) specifiers,
 * systemd.service(5) command lines): in double quotes with C escapes, per cent and dollar signs doubled.
 * @throws RangeError for a NUL, which no argument of a program can hold.
 */
export function systemdWord(text: string): string {
  if (text.includes('\u0000')) throw new RangeError('a NUL character cannot be passed to a program')
  if (PLAIN_WORD.test(text)) return text
  return `"${withoutActing(text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$'), escaped)}"`
}
