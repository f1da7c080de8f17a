import type {Launch} from '../../engines/engine.ts'
import {quoteAssignment, quoteFlag, quoteWord} from './shell-quote.ts'
import {yamlText} from './yaml.ts'

/** Ends the here-document; longer while a line of the content is the same. */
function endMark(content: string): string {
  const lines = new Set(content.split('\n'))
  let mark = 'END_OF_FILE'
  while (lines.has(mark)) mark += '_'
  return mark
}

/** Commands that write the configuration file, as it is, beside the command. */
function fileText(file: NonNullable<Launch['file']>): string {
  const content = yamlText(file.content, file.because)
  const mark = endMark(content)
  // The mark is quoted: the shell changes nothing in the lines.
  return `cat > ${quoteWord(file.name)} <<'${mark}'\n${content}${mark}\n`
}

/**
 * A launch as text for a POSIX shell: the file it needs, then one command with a flag on each line, in the order of the
 * launch. What comes out can be pasted or saved as it is; no value can end its word, and no secret is in it.
 */
export function shellText(launch: Launch): string {
  const {program, flags, environment, file} = launch
  const words = [
    ...environment.map(({name, value}) => quoteAssignment(name, value)),
    program.map(quoteWord).join(' '),
    ...flags.map(({flag, value}) => `  ${quoteFlag(flag, value)}`),
    ...(file ? [`  ${quoteFlag(file.flag, file.name)}`] : []),
  ]
  return `${file ? fileText(file) : ''}${words.join(' \\\n')}\n`
}
