/** Words that systemd takes as they are. */
const PLAIN_WORD = /^[A-Za-z0-9_@+:,./-][A-Za-z0-9_@+:,./=-]*$/

const CONTROL = /[\u0001-\u001F\u007F]/g

const inDecimal = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/**
 * One argument of `ExecStart=` that stands for exactly this text (systemd.syntax(7) quoting, systemd.unit(5) specifiers,
 * systemd.service(5) command lines): in double quotes with C escapes, per cent and dollar signs doubled.
 * @throws RangeError for a NUL, which no argument of a program can hold.
 */
export function systemdWord(text: string): string {
  if (text.includes('\u0000')) throw new RangeError('a NUL character cannot be passed to a program')
  if (PLAIN_WORD.test(text)) return text
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll(CONTROL, inDecimal)}"`
}
