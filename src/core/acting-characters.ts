/**
 * Characters that a terminal acts on, or that are not seen: controls (C0, DEL, C1), marks of writing direction and other formats (joiners, soft
 * hyphens, tags), separators of lines and paragraphs, halves of a character, and what has no width. Of these only U+FE0F stays, which asks for the
 * emoji of the character before it.
 */
const ACTING = /(?!\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const EVERY = new RegExp(ACTING, 'gu')
/** The usual text holds none, which is found much sooner. */
const BEYOND_ASCII = /[^\u0020-\u007E]/

/** A text with something else in the place of each character that acts. */
export const withoutActing = (text: string, instead: (character: string) => string): string =>
  BEYOND_ASCII.test(text) ? text.replaceAll(EVERY, instead) : text

/** The same for texts of several lines, whose line breaks stay. */
export const linesWithoutActing = (text: string, instead: (character: string) => string): string =>
  withoutActing(text, (character) => (character === '\n' ? character : instead(character)))

export const isActing = (text: string): boolean => BEYOND_ASCII.test(text) && ACTING.test(text)

/** The escape that JSON has for a character; beyond the first plane two. */
export const jsonEscape = (character: string): string =>
  Array.from({length: character.length}, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
