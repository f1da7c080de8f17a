import {eastAsianWidth} from 'get-east-asian-width'

const ESCAPES = /\u001B\[[0-9;]*m/g
const PRINTABLE_ASCII = /^[\u0020-\u007E]*$/
/** Marks that stand on the character before them, and what is not drawn at all. */
const WITHOUT_WIDTH = /[\p{Nonspacing_Mark}\p{Enclosing_Mark}\p{Default_Ignorable_Code_Point}\p{Control}]/u
/** Asks for the drawn form of the character before it, which is two columns wide. */
const EMOJI_FORM = '\uFE0F'

/**
 * Columns of a terminal that one character takes. Graphemes are not looked for: making the segmenter takes ten milliseconds, and what joins
 * emoji to one does not get through `harmless`.
 */
const widthOfCharacter = (character: string): number => (WITHOUT_WIDTH.test(character) ? 0 : eastAsianWidth(character.codePointAt(0)!))

/** Columns of a terminal that a text takes: two for wide characters, none for combining marks and styles. */
export function widthOf(text: string): number {
  const plain = text.includes('\u001B') ? text.replaceAll(ESCAPES, '') : text
  if (PRINTABLE_ASCII.test(plain)) return plain.length
  let width = 0
  let last = 0
  for (const character of plain) {
    const own = character === EMOJI_FORM && last === 1 ? 1 : widthOfCharacter(character)
    width += own
    if (own > 0) last = own
  }
  return width
}

export const padEnd = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - widthOf(text)))
export const padStart = (text: string, columns: number): string => ' '.repeat(Math.max(0, columns - widthOf(text))) + text

/** Styles and characters of a text, each with its width. */
const piecesOf = (text: string): {piece: string; width: number}[] =>
  (text.match(/\u001B\[[0-9;]*m|[\s\S]/gu) ?? []).map((piece) => ({piece, width: piece.startsWith('\u001B[') ? 0 : widthOf(piece)}))

/** After these a long word is broken rather than in the middle of a syllable or a number. */
const BREAKABLE = /[-/_,;:=+)\]}]/

/** A word in parts of at most `columns`, broken behind a mark that parts names and paths where there is one in the second half of the line. */
export function broken(word: string, columns: number): string[] {
  if (widthOf(word) <= columns) return [word]
  const lines: string[] = []
  let line = ''
  let width = 0
  // Where the line may be broken, and its width up to there.
  let mark = {at: 0, width: 0}
  const pieces = piecesOf(word)
  for (const [index, {piece, width: own}] of pieces.entries()) {
    if (own > 0 && width + own > columns && width > 0) {
      const at = mark.width * 2 >= columns ? mark.at : line.length
      lines.push(line.slice(0, at))
      line = line.slice(at)
      width = widthOf(line)
      mark = {at: 0, width: 0}
    }
    line += piece
    width += own
    // A number stays whole: 40,960.
    const inNumber = /[,.:]/.test(piece) && /\d/.test(pieces[index + 1]?.piece ?? '')
    if (own > 0 && BREAKABLE.test(piece) && !inNumber) mark = {at: line.length, width}
  }
  return [...lines, line]
}
