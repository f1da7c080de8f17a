import type {Launch, LaunchVariable} from '../../engines/engine.ts'
import {quoteAssignment, quoteWord} from './shell-quote.ts'
import {type Line, linesOf, type Word} from './words.ts'
import {yamlText} from './yaml.ts'

/** Ends the here-document; longer while a line of the content is the same. */
function endMark(content: string): string {
  const lines = new Set(content.split('\n'))
  let mark = 'END_OF_FILE'
  while (lines.has(mark)) mark += '_'
  return mark
}

/** A command that writes a text, which ends with a line break, as it is. */
export function hereDocument(name: string, text: string): string {
  const mark = endMark(text)
  // The mark is quoted: the shell changes nothing in the lines.
  return `cat > ${quoteWord(name)} <<'${mark}'\n${text}${mark}\n`
}

/** Commands that write the configuration file, as it is, beside the command. */
export const fileText = (file: NonNullable<Launch['file']>): string => hereDocument(file.name, yamlText(file.content, file.because))

/** Names of the shell variables that hold a node's address and number. */
export interface NodeVariables {
  address: string
  rank: string
}

export function shellWord(word: Word, {address, rank}: NodeVariables): string {
  if (typeof word === 'string') return quoteWord(word)
  const {of, after = '', times = 1, variable} = word.node
  if (of === 'secret') return secretText(variable!)
  if (of === 'given') return `${word.before === '' ? '' : quoteWord(word.before)}${givenText(variable!, word.node.what ?? '')}`
  const value = of === 'address' ? `"$${address}"` : times === 1 ? `"$${rank}"` : `"$((${rank} * ${times}))"`
  return `${word.before === '' ? '' : quoteWord(word.before)}${value}${after === '' ? '' : quoteWord(after)}`
}

/** A variable that must be set: without it the command is not started. */
const secretText = (variable: string): string => `"\${${variable}:?no API key}"`

export const NODE_VARIABLES: NodeVariables = {address: 'HEAD_ADDRESS', rank: 'NODE_RANK'}

/** The same for what the reader gives. Its words are written here and hold nothing that a shell reads. */
const givenText = (variable: string, what: string): string => `"\${${variable}:?${what}}"`

/** The value of a variable of the environment, as one word. */
const assigned = ({name, value, secret, given}: LaunchVariable): string =>
  secret ? `${name}=${secretText(name)}` : given ? `${name}=${givenText(given.variable, given.what)}` : quoteAssignment(name, value)

/** A command with a line for each flag. */
export function commandText(first: readonly string[], lines: readonly Line[], variables: NodeVariables = NODE_VARIABLES, indent = ''): string {
  const rest = lines.map(({words}) => `${indent}  ${words.map((word) => shellWord(word, variables)).join(' ')}`)
  return `${indent}${[...first, ...rest].join(` \\\n`)}\n`
}

/** Assignments before a command, one on each line. */
export const assignments = ({environment}: Launch): string[] => environment.map(assigned)

/** The same as lines of their own, for everything that a script starts. */
export const exportText = ({environment}: Launch): string =>
  environment.map((variable) => `${variable.secret ? `: ${secretText(variable.name)}` : assigned(variable)}\nexport ${variable.name}\n`).join('')

export const programText = ({program}: Launch): string => program.map(quoteWord).join(' ')

/**
 * A launch on one node as text for a POSIX shell: the file it needs, then one command with a flag on each line, in the order
 * of the launch. What comes out can be pasted or saved as it is; no value can end its word, and no secret is in it.
 */
export function shellText(launch: Launch): string {
  return `${launch.file ? fileText(launch.file) : ''}${commandText([...assignments(launch), programText(launch)], linesOf(launch))}`
}
