/** Words of a command as a POSIX shell parts them: blanks inside quotes, and one behind a backslash, part nothing. What is not closed is left out. */
export const shellWords = (command: string): string[] => command.match(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g) ?? []
