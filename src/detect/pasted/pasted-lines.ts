/** Longest line that any tool prints, with room; beyond it a line is cut. */
const MAX_LINE_CHARACTERS = 20_000
/** Lines that are looked at: eight cards with all that `-q` tells are 4,000. */
const MAX_LINES = 200_000

/** Escape sequences of terminals: those that style or move (CSI), those that set titles (OSC, DCS and their like), and the short ones. */
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001B\n]*(?:\u0007|\u001B\\|$)|[ -/]*[0-~])|\u009B[0-?]*[ -/]*[@-~]/gm

/** What no tool prints on purpose: control characters but tab and newline, marks of writing direction, widths of nothing. */
const INVISIBLE = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/g

/** What log writers and people put before a line; one after another may stand there. */
const PREFIXES = [
  // 2026-01-31T12:00:00.000Z, [2026-01-31 12:00:00,123]; not with slashes, which nvidia-smi's own timestamp has.
  /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?\]?[ \t]/,
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?[ \t]/,
  // Jan 31 12:00:00 host program[123]:
  /^[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \S{1,64} \S{1,64}: ?/,
  /^(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR)(?::|[ \t]*\|| -)?[ \t](?!AMD GPU)/,
  // [pod/name/container] of kubectl, [rank0] of launchers.
  /^\[[A-Za-z][\w./:@-]{0,80}\][ \t]/,
  // name-1  | of docker compose
  /^[A-Za-z][\w.@/-]{0,60}[ \t]+\| /,
  // Quoted in a mail or an issue.
  /^(?:> ?)+(?=\S|[ \t]|$)/,
]

/**
 * The lines of a text that a person pasted: without escape sequences, carriage returns, fences of Markdown, and what logs put before
 * each line. Blanks at the front stay, since some outputs are read by them.
 */
export function pastedLines(text: string): string[] {
  const lines = text
    .replaceAll(ESCAPES, '')
    .replaceAll(/\r+\n?|\u2028|\u2029/g, '\n')
    .replaceAll(/[^\n]\u0008/g, '')
    .replaceAll(INVISIBLE, '')
    .replaceAll(/[\u00A0\u2007\u202F]/g, ' ')
    .split('\n')
    .slice(0, MAX_LINES)
    .map((line) => withoutPrefixes(line.slice(0, MAX_LINE_CHARACTERS)).trimEnd())
    .filter((line) => !/^\s*(?:`{3,}|~{3,})\w*$/.test(line))
  return withoutHost(lines)
}

function withoutPrefixes(line: string): string {
  let rest = line
  for (let times = 0; times < 4; times++) {
    // Blanks before a prefix belong to it; those of the output stand behind it.
    const begun = rest.trimStart()
    const prefix = PREFIXES.map((pattern) => pattern.exec(begun)?.[0] ?? '').find((found) => found !== '')
    if (prefix === undefined) break
    rest = begun.slice(prefix.length)
  }
  return rest
}

/** Tools that ask several hosts put the host before each line: only where every line has the same is it no part of the output. */
function withoutHost(lines: string[]): string[] {
  const told = lines.filter((line) => line.trim() !== '')
  const host = /^[A-Za-z][\w.-]{0,63}: ?/.exec(told[0] ?? '')?.[0]
  if (told.length < 3 || host === undefined || told.some((line) => !line.startsWith(host.trimEnd()))) return lines
  return lines.map((line) => (line.startsWith(host) ? line.slice(host.length) : line.slice(host.trimEnd().length)))
}
