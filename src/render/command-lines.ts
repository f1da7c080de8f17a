import {shellWords} from '../core/shell-words.ts'
import {type Look, tablesOf} from './look.ts'
import {harmless, widthOf} from './style.ts'

/** A flag with its value is not parted where there is room for both. */
const partsOf = (command: string): string[] => {
  const parts: string[] = []
  let afterFlag = false
  for (const word of shellWords(command)) {
    const isFlag = /^--?[a-z]/i.test(word) && !word.includes('=')
    if (afterFlag && !/^--?[a-z]/i.test(word)) parts[parts.length - 1] += ` ${word}`
    else parts.push(word)
    afterFlag = isFlag
  }
  return parts
}

/** What a continued line stands further in than its command. */
const FURTHER = 2

/**
 * A command of ours that can be copied as it is printed. Where it is longer than the line, each line but the last ends in a backslash, as a shell
 * takes it on; a word that is longer than the line alone is never cut, since its halves would be two words. Where the output is no terminal it stands
 * on one line. `indent`: the columns before it.
 */
export function commandLines(command: string, look: Pick<Look, 'columns' | 'tableColumns'>, indent: number): string {
  const text = harmless(command)
  const room = Math.min(look.columns, tablesOf(look)) - indent
  // What is parted otherwise than by single blanks is better left alone than put together wrongly.
  if (tablesOf(look) === Number.POSITIVE_INFINITY || widthOf(text) <= room || shellWords(text).join(' ') !== text) return text
  const lines: string[] = []
  let line = ''
  const put = (part: string, isLast: boolean) => {
    // The backslash and the blank before it take two columns of every line but the last.
    const own = room - (lines.length > 0 ? FURTHER : 0) - (isLast ? 0 : 2)
    if (line !== '' && widthOf(line) + 1 + widthOf(part) > own) {
      lines.push(line)
      line = part
    } else line = line === '' ? part : `${line} ${part}`
  }
  const parts = partsOf(text)
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1
    // A flag and a long value are parted all the same.
    if (widthOf(part) <= room - FURTHER - 2) put(part, isLast)
    else for (const [at, word] of shellWords(part).entries()) put(word, isLast && at === shellWords(part).length - 1)
  }
  return [...lines, line].join(` \\\n${' '.repeat(indent + FURTHER)}`)
}
