/** Text that breaks quoting, moves the cursor, or is looked up where it should not be. */

/** Clears the screen, sets the title, begins a sequence in one character, turns the direction of writing. */
export const ESCAPES = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u202Egnp.exe\u200F'

/** Characters that act on a terminal; the colours and line ends of our own output do not come where none is asked for. */
export const ACTING = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u061C\u200B-\u200F\u202A-\u202E\u2066-\u2069]/

/** Values that a command line, a unit, a manifest or a script has to take as they are. */
export const QUOTED = [
  'a b',
  "it's",
  '"',
  '`id`',
  '$(id)',
  '${HOME}',
  '$$',
  '\\',
  "\\'",
  'a\nb',
  '-x',
  '~root',
  '*',
  '[a]',
  '{a,b}',
  '#x',
  'a #b',
  '!!',
  ';',
  '&&',
  '>f',
  'ÄÖÜ 模型 🦙',
  '\t',
  '\u001b[31m',
  "'\n'",
  'END_OF_FILE',
  '%s%n%h',
  '\\x41',
  'x\\',
  '{"method":"mtp"}',
  'yes',
  'null',
  '1e3',
  '0x10',
  '1:30',
  '- a',
  ': b',
  '{{ .Values.x }}',
  '$(LWS_WORKER_INDEX)',
  '@x',
]

/** Words of every object, and of file systems. */
export const LOOKED_UP = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype', '..', '../evil', '.', '/', '//', 'con/..', '.../...']
